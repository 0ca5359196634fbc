import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { zipSync } from "fflate";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FILE_KINDS } from "../../../worker/content/file-kinds.ts";
import { placeOf } from "../../../worker/content/files.ts";
import {
  arContent,
  companies,
  orphanedFiles,
  storageConnections,
  videoUploads,
} from "../../../worker/db/tables.ts";
import type { VideoUpload } from "../../../worker/routes/video-uploads.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import type { MultipartUploads, StorageProvider } from "../../../worker/storage/provider.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { jpeg, mind, png, video } from "../fixtures.ts";

/** What happens at one step of a request. */
interface Fault {
  /** Before the step; an error makes it fail. */
  readonly before?: () => Promise<void>;
  /** After the step; an error loses its response. */
  readonly after?: () => Promise<void>;
  /** Whether every later step fails too. */
  readonly isLast?: boolean;
}

/** Counts the calls of a request to its storage and to the database, and makes one of them go wrong. */
class Steps {
  count = 0;
  at = Number.POSITIVE_INFINITY;
  fault: Fault = {};
  isActive = false;

  async call<T>(run: () => Promise<T>): Promise<T> {
    if (!this.isActive) return run();
    const step = this.count++;
    if (step > this.at && this.fault.isLast) throw new Error("The isolate is gone.");
    if (step !== this.at) return run();
    this.isActive = false;
    try {
      await this.fault.before?.();
      const result = await run();
      await this.fault.after?.();
      return result;
    } finally {
      this.isActive = true;
    }
  }

  /** Wraps the methods of an object. */
  wrap<T extends object>(
    target: T,
    names: readonly string[],
    nested: Readonly<Record<string, object>> = {},
  ): T {
    return new Proxy(target, {
      get: (_, name) => {
        if (typeof name === "string" && name in nested) return nested[name];
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const bound = value.bind(target);
        if (!names.includes(String(name))) return bound;
        return (...given: unknown[]) => this.call(() => bound(...given));
      },
    });
  }

  storage(storage: StorageProvider): StorageProvider {
    const multipart = storage.multipart as MultipartUploads;
    const parts = this.wrap(multipart, ["start", "put", "complete", "abort", "list"]);
    return this.wrap(storage, ["upload", "download", "head", "delete", "list", "deleteTree"], {
      multipart: parts,
    });
  }

  database(): D1Database {
    const raw = new WeakMap<object, D1PreparedStatement>();
    const statement = (inner: D1PreparedStatement): D1PreparedStatement => {
      const outer = new Proxy(inner, {
        get: (_, name) => {
          const value = Reflect.get(inner, name);
          if (typeof value !== "function") return value;
          const bound = value.bind(inner);
          if (name === "bind") return (...values: unknown[]) => statement(bound(...values));
          return (...values: unknown[]) => this.call(() => bound(...values));
        },
      });
      raw.set(outer, inner);
      return outer;
    };
    return new Proxy(env.DB, {
      get: (target, name) => {
        if (name === "prepare") {
          return (query: string) => {
            const prepared = target.prepare(query);
            // What is read alone leaves nothing behind.
            return query.startsWith("select") ? prepared : statement(prepared);
          };
        }
        if (name === "batch") {
          return (all: D1PreparedStatement[]) =>
            this.call(() => target.batch(all.map((one) => raw.get(one) ?? one)));
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}

const BUCKET = "second";

/** A photo in a storage connection of its own, and a request under test. */
class Stage {
  readonly edge = new Edge();
  readonly steps = new Steps();
  readonly storage = new R2Storage(env.SECOND_BUCKET);
  connectionId = "";
  content!: ArContent;

  async open(): Promise<this> {
    const { edge } = this;
    edge.backends.set(BUCKET, this.steps.storage(this.storage));
    this.connectionId = (await edge.connection(BUCKET)).id;
    await this.switchTo(this.connectionId);
    this.content = (await edge.submit()).content;
    return this;
  }

  /** Makes new files go to a connection, without a test of it. */
  async switchTo(storageConnectionId: string | null): Promise<void> {
    await this.edge.db.update(companies).set({ storageConnectionId });
  }

  /** Sends the request under test. Returns its status; 0 when the isolate is gone. */
  async send(path: string, init: RequestInit, fault: Fault, at: number): Promise<number> {
    const { edge, steps } = this;
    const storages = edge.storagesWith(edge.storage);
    const bindings = { storages, db: drizzle(steps.database()) };
    // The connection's settings are read before the request, as by an isolate that has used it already.
    await storages.open(this.connectionId);
    Object.assign(steps, { fault, at, count: 0, isActive: true });
    try {
      return (await edge.fetch(path, init, bindings)).status;
    } catch {
      return 0;
    } finally {
      steps.isActive = false;
    }
  }

  /** Lets the sweep clean up, then checks that every file has a row and every row its files. */
  async check(): Promise<void> {
    const { edge } = this;
    edge.pass(25 * 3600);
    await sweep(edge.bindings, edge.clock);
    const contents = await edge.db.select().from(arContent);
    const places = contents.flatMap((content) => FILE_KINDS.map((kind) => placeOf(content, kind)));
    const named = places
      .filter((place) => place?.storageId === this.connectionId)
      .map((place) => place?.path);
    const stored = (await this.storage.list("", { recursive: true })).objects.map(({ key }) => key);
    const rows = {
      hidden: contents.filter(({ deletedAt }) => deletedAt !== null).length,
      uploads: (await edge.db.select().from(videoUploads)).length,
      orphans: (await edge.db.select().from(orphanedFiles)).length,
    };
    expect({ files: stored.sort(), rows }).toEqual({
      files: named.sort(),
      rows: { hidden: 0, uploads: 0, orphans: 0 },
    });
  }

  /** Removes everything, so that the next stage begins with an empty bucket. */
  async close(): Promise<void> {
    const { edge } = this;
    await this.switchTo(null);
    const { items } = await edge.json<{ items: ArContent[] }>("/api/ar-content?limit=100");
    for (const { id } of items)
      await edge.fetch(`/api/ar-content/${id}?keep_files=false`, { method: "DELETE" });
    expect((await this.storage.list("", { recursive: true })).objects).toEqual([]);
    await edge.db.delete(storageConnections).where(eq(storageConnections.id, this.connectionId));
  }

  async deleteContent(): Promise<void> {
    await this.edge.fetch(`/api/ar-content/${this.content.id}?keep_files=false`, { method: "DELETE" });
  }

  /** Tries to delete the connection, after all photos were deleted that it can be deleted for. */
  async deleteConnection(): Promise<void> {
    const { edge, connectionId } = this;
    await this.switchTo(null);
    await this.deleteContent();
    const answer = await edge.fetch(`/api/storage-connections/${connectionId}`, { method: "DELETE" });
    if (answer.status !== 204) expect((await refusal(answer)).code).toBe("storage_in_use");
  }
}

/** A JPEG of 120 × 90 px, as far as its header tells. */
const THUMBNAIL = Uint8Array.from([
  0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0, 90, 0, 120, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0,
]);

type Request = readonly [path: string, init: RequestInit];

const withLength = (method: string, body: Uint8Array<ArrayBuffer>): RequestInit => ({
  method,
  body,
  headers: { "Content-Length": String(body.length) },
});

async function beginUpload({ edge, content }: Stage): Promise<string> {
  const path = `/api/ar-content/${content.id}/video-uploads`;
  const { id } = await edge.json<VideoUpload>(
    path,
    json("POST", { length: 3000, content_type: "video/mp4" }),
  );
  return `${path}/${id}`;
}

async function attach({ edge, content }: Stage): Promise<void> {
  const sent = await edge.fetch(`/api/ar-content/${content.id}/video`, withLength("PUT", video("mp4", 700)));
  expect(sent.status).toBe(200);
}

/** Delivers a marker and its pictures for a new compilation of the photo. */
async function delivery({ edge, content }: Stage): Promise<Request> {
  const path = `/api/ar-content/${content.id}/marker`;
  const { lease } = await edge.json<{ lease: { token: string } }>(
    `${path}/recompile`,
    json("POST", { compile: "browser" }),
  );
  const body = form({ marker: mind(), thumbnail: THUMBNAIL, picture: THUMBNAIL });
  return [path, { method: "PUT", headers: { "Vivimark-Lease": lease.token }, body }];
}

/** Prepares a photo. Returns the request under test. */
const SCENARIOS: Readonly<Record<string, (stage: Stage) => Promise<Request>>> = {
  "a photo": async () => ["/api/ar-content", { method: "POST", body: form({ image: png() }) }],
  "a photo that is stored as it arrives": async () => {
    const image = jpeg(500, 500, 1_000_001);
    const body = form({ image_bytes: String(image.length), image });
    return ["/api/ar-content", { method: "POST", body }];
  },
  "a photo whose marker is reused": async (stage) => {
    const image = png();
    stage.content = (await stage.edge.submit({ image })).content;
    const [path, init] = await delivery(stage);
    expect((await stage.edge.fetch(path, init)).status).toBe(200);
    return ["/api/ar-content", { method: "POST", body: form({ image }) }];
  },
  "a batch": async () => {
    const body = zipSync({ "a.png": png(), "b.png": png() });
    const headers = { "Content-Type": "application/zip" };
    return ["/api/ar-content/batch", { method: "POST", body: Uint8Array.from(body), headers }];
  },
  "a marker with its thumbnail": delivery,
  "a marker that replaces another": async (stage) => {
    const [path, init] = await delivery(stage);
    expect((await stage.edge.fetch(path, init)).status).toBe(200);
    return delivery(stage);
  },
  "a video": async ({ content }) => [
    `/api/ar-content/${content.id}/video`,
    withLength("PUT", video("mp4", 900)),
  ],
  "a video that replaces another": async (stage) => {
    await attach(stage);
    return [`/api/ar-content/${stage.content.id}/video`, withLength("PUT", video("webm", 900))];
  },
  "the removal of a video": async (stage) => {
    await attach(stage);
    return [`/api/ar-content/${stage.content.id}/video`, { method: "DELETE" }];
  },
  "the start of a video in parts": async ({ content }) => [
    `/api/ar-content/${content.id}/video-uploads`,
    json("POST", { length: 3000, content_type: "video/mp4" }),
  ],
  "a part of a video": async (stage) => [
    `${await beginUpload(stage)}/parts/1`,
    withLength("PUT", video("mp4", 3000)),
  ],
  "the completion of a video in parts": async (stage) => {
    await attach(stage);
    const upload = await beginUpload(stage);
    await stage.edge.fetch(`${upload}/parts/1`, withLength("PUT", video("mp4", 3000)));
    return [`${upload}/complete`, { method: "POST" }];
  },
  "the cancellation of a video in parts": async (stage) => {
    const upload = await beginUpload(stage);
    await stage.edge.fetch(`${upload}/parts/1`, withLength("PUT", video("mp4", 3000)));
    return [upload, { method: "DELETE" }];
  },
  "the deletion of a photo": async (stage) => {
    await attach(stage);
    return [`/api/ar-content/${stage.content.id}`, { method: "DELETE" }];
  },
};

const gone = () => Promise.reject(new Error("The isolate is gone."));

/** What goes wrong, and whether the request may then answer with an internal error. */
const FAULTS: Readonly<Record<string, (stage: Stage) => Fault & { readonly mayFail?: boolean }>> = {
  "a step fails": () => ({ before: gone, mayFail: true }),
  "the response to a step is lost": () => ({ after: gone, mayFail: true }),
  "the Worker dies after a step": () => ({ after: gone, isLast: true, mayFail: true }),
  "the photo is deleted before a step": (stage) => ({ before: () => stage.deleteContent() }),
  "the connection is deleted before a step": (stage) => ({ before: () => stage.deleteConnection() }),
};

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

describe.each(Object.keys(SCENARIOS))("while %s is processed", (scenario) => {
  it.each(Object.keys(FAULTS))(
    "and %s, no file is left without a row and no row without its file",
    async (name) => {
      let at = 0;
      // Until the request ends before the step.
      for (let isReached = true; isReached; at++) {
        const stage = await new Stage().open();
        const [path, init] = await SCENARIOS[scenario](stage);
        const { mayFail = false, ...fault } = FAULTS[name](stage);
        const status = await stage.send(path, init, fault, at);
        isReached = stage.steps.count > at;
        if (!mayFail) expect([at, status]).not.toEqual([at, 500]);
        await stage.check();
        await stage.close();
      }
      expect(at).toBeGreaterThan(1);
    },
  );
});
