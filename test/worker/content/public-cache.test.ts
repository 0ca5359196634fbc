import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { EdgeCache } from "../../../worker/content/edge-cache.ts";
import { PublicCache } from "../../../worker/content/public-cache.ts";
import { arContent } from "../../../worker/db/tables.ts";
import type { ArContent, Submission, ViewerManifest } from "../../../worker/schemas.ts";
import { StorageError } from "../../../worker/storage/provider.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { Edge, form, json } from "../edge.ts";
import { HEIGHT, jpeg, mind, target, video, WIDTH } from "../fixtures.ts";
import { noting, type Statements } from "../plans/statements.ts";

const edge = new Edge();
const marker = mind();
let content: ArContent;
/** Keys that were read from the storage. */
let read: string[];
/** Statements of visitors. */
const statements: Statements = new Map();

const storage = new R2Storage(env.BUCKET);
const { download, head } = storage;
storage.download = (key, options) => {
  read.push(key);
  return download.call(storage, key, options);
};
storage.head = (key) => {
  read.push(key);
  return head.call(storage, key);
};

/** The platform's cache, whose entries do not expire by the real clock. */
class LastingCache extends EdgeCache {
  override put(key: string, body: Uint8Array<ArrayBuffer> | string): void {
    super.put(key, body, 3600);
  }
}
const edgeCache = new LastingCache("https://cache.test", edge.bindings.later);

/** Returns an isolate that has just started. */
const startIsolate = () => ({
  publicCache: new PublicCache(2, edgeCache),
  storages: edge.storagesWith(storage),
  replica: drizzle(noting(statements)),
});
let isolate: ReturnType<typeof startIsolate>;

/** A viewer without an account, on an isolate that has just started. */
let visit: (path: string | null, init?: RequestInit) => Promise<Response>;

beforeEach(async () => {
  const { content: submitted, lease } = await edge.submit({ compile: "browser" });
  const path = `/api/ar-content/${submitted.id}`;
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  const body = form({ marker, thumbnail: jpeg(WIDTH, HEIGHT) });
  await edge.json(`${path}/marker`, { method: "PUT", body, headers });
  content = await edge.content(submitted.id);
  read = [];
  isolate = startIsolate();
  visit = (path, init) => edge.anonymously(path ?? "", init, isolate);
});

const manifest = () => visit(`/api/viewer/${content.unique_id}`);
const change = (bindings = {}) =>
  edge.fetch(`/api/ar-content/${content.id}`, json("PATCH", { is_active: false }), bindings);

describe("a cached file or row", () => {
  it("is read from the storage once and is the same each time", async () => {
    for (let i = 0; i < 3; i++) {
      const response = await visit(content.marker_url);
      expect(new Uint8Array(await response.arrayBuffer())).toEqualBytes(marker);
      expect(response.headers.get("content-length")).toBe(String(marker.length));
    }
    expect(read).toEqual([expect.stringContaining(content.unique_id)]);
  });

  it("costs the database and the storage nothing when all isolates of a location repeat its requests", async () => {
    const { marker_url: marker, thumbnail_url: thumbnail } = content;
    const paths = [`/api/viewer/${content.unique_id}`, marker!, `${marker}&form=compact`, thumbnail!];
    const requests: { path: string; init: RequestInit }[] = paths.flatMap((path) => [
      { path, init: {} },
      { path, init: { method: "HEAD" } },
      { path, init: { headers: { Range: "bytes=10-19" } } },
    ]);
    const answer = async ({ path, init }: (typeof requests)[number], on: typeof isolate) => {
      const response = await edge.anonymously(path, init, on);
      return { path, init, status: response.status, bytes: await response.bytes() };
    };
    const first = [];
    for (const request of requests) first.push(await answer(request, isolate));
    expect(first.map(({ status }) => status)).toEqual([
      ...[200, 200, 200],
      ...[200, 200, 206],
      ...[200, 200, 200],
      ...[200, 200, 206],
    ]);
    expect(statements.size).toBeGreaterThan(0);
    expect(read).toHaveLength(3);

    statements.clear();
    read = [];
    edge.pass(1.9);
    for (const on of [isolate, startIsolate(), startIsolate()]) {
      for (let i = 0; i < 5; i++) {
        for (const known of first) expect(await answer(known, on)).toEqual(known);
      }
    }
    expect([...statements.keys(), ...read]).toEqual([]);
  });

  it("serves ranges", async () => {
    await (await visit(content.marker_url)).arrayBuffer();
    const range = async (Range: string) => {
      const response = await visit(content.marker_url, { headers: { Range } });
      return [response.status, response.headers.get("content-range"), await response.bytes()];
    };
    const { length } = marker;
    expect(await range("bytes=10-19")).toEqual([206, `bytes 10-19/${length}`, marker.slice(10, 20)]);
    expect(await range("bytes=-5")).toEqual([
      206,
      `bytes ${length - 5}-${length - 1}/${length}`,
      marker.slice(-5),
    ]);
    const outside = await range(`bytes=${length}-`);
    expect(outside.slice(0, 2)).toEqual([416, `bytes */${length}`]);
    expect(read).toHaveLength(1);
  });

  it("is gone at once after a change by this isolate", async () => {
    expect((await manifest()).status).toBe(200);
    expect((await visit(content.marker_url)).status).toBe(200);
    expect((await change(isolate)).status).toBe(200);
    expect((await manifest()).status).toBe(404);
    expect((await visit(content.marker_url)).status).toBe(404);
  });

  it("is gone two seconds after a change by another isolate, however many caches it went through", async () => {
    const later = startIsolate();
    const statuses = async (on: typeof isolate) => {
      const range = { headers: { Range: "bytes=10-19" } };
      const responses = [
        await edge.anonymously(`/api/viewer/${content.unique_id}`, {}, on),
        await edge.anonymously(content.marker_url!, range, on),
        await edge.anonymously(`${content.marker_url}&form=compact`, {}, on),
        await edge.anonymously(content.thumbnail_url!, {}, on),
      ];
      return responses.map(({ status }) => status);
    };
    expect(await statuses(isolate)).toEqual([200, 206, 200, 200]);
    await change();
    edge.pass(1.9);
    for (const on of [isolate, later]) expect(await statuses(on)).toEqual([200, 206, 200, 200]);
    edge.pass(0.1);
    for (const on of [isolate, later, startIsolate()]) {
      expect(await statuses(on)).toEqual([404, 404, 404, 404]);
    }
  });

  it("is not served after the content expires", async () => {
    const expiresAt = new Date(edge.clock + 1000).toISOString();
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { expires_at: expiresAt }));
    expect((await manifest()).status).toBe(200);
    edge.pass(1);
    expect((await manifest()).status).toBe(404);
  });

  it("gives way to a new video at once", async () => {
    expect(await (await manifest()).json()).toMatchObject({ video_url: null });
    const film = video("webm");
    const headers = { "Content-Length": String(film.length) };
    const path = `/api/ar-content/${content.id}/video`;
    expect((await edge.fetch(path, { method: "PUT", body: film, headers }, isolate)).status).toBe(200);
    expect(await (await manifest()).json()).toMatchObject({ video_url: expect.any(String) });
  });

  it("gives way to a new marker, two seconds after its delivery through another isolate", async () => {
    expect(await (await visit(content.marker_url)).bytes()).toEqualBytes(marker);
    const path = `/api/ar-content/${content.id}`;
    const { lease } = await edge.json<Submission>(
      `${path}/marker/recompile`,
      json("POST", { compile: "browser" }),
    );
    const headers = { "Vivimark-Lease": lease?.token ?? "" };
    const newer = mind([target(WIDTH, HEIGHT, { maxFeatures: 30 })]);
    expect(newer).not.toHaveLength(marker.length);
    await edge.json(`${path}/marker`, { method: "PUT", body: form({ marker: newer }), headers });
    edge.pass(2);
    for (const on of [isolate, startIsolate()]) {
      const { marker_url: url } = await (
        await edge.anonymously(`/api/viewer/${content.unique_id}`, {}, on)
      ).json<ViewerManifest>();
      expect(url).not.toBe(content.marker_url);
      expect(await (await edge.anonymously(url!, {}, on)).bytes()).toEqualBytes(newer);
    }
  });

  it("stays when a request changes nothing, or something else", async () => {
    const rows: string[] = [];
    const { publicCache } = isolate;
    const count = async () => {
      await publicCache.content(content.unique_id, edge.clock, async () => {
        rows.push("read");
        return undefined;
      });
      return rows.length;
    };
    expect((await manifest()).status).toBe(200);
    const other = await edge.submit();
    for (const request of [
      () => visit("/api/auth/sign-out", { method: "POST" }),
      () => visit("/api/setup", json("POST", {})),
      () => visit(`/api/viewer/${content.unique_id}`, { method: "POST" }),
      () => visit(`/api/ar-content/${content.id}`, { method: "DELETE" }),
      () => edge.fetch(`/api/ar-content/${content.id}`, json("PATCH", { title: "" }), isolate),
      () => edge.fetch(`/api/ar-content/${other.content.id}`, json("PATCH", { title: "Other" }), isolate),
      () => edge.fetch("/api/projects", json("POST", { name: "Other" }), isolate),
    ]) {
      await (await request()).arrayBuffer();
      expect(await count()).toBe(0);
    }
    expect((await change(isolate)).status).toBe(200);
    expect(await count()).toBe(1);
  });

  it("appears as soon as it is published: misses are not cached", async () => {
    await change();
    expect((await manifest()).status).toBe(404);
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { is_active: true }));
    expect((await manifest()).status).toBe(200);
  });
});

describe("a row in the edge cache", () => {
  it("is never a file, whose storage chooses its bytes", async () => {
    const [stored] = await edge.db.select().from(arContent).where(eq(arContent.id, content.id));
    const row = { readAt: edge.clock, content: { ...stored, title: "Forged" } };
    const key = "files/storage/stored/thumbnails/1.jpg";
    edgeCache.put(key, JSON.stringify(row));
    await edge.settled();
    expect(await edgeCache.get(key)).not.toBeNull();
    expect(await edgeCache.get(`rows/../${key}`)).toBeNull();
    for (const dots of ["..", "%2e%2e"]) {
      const id = `${dots}/${key}`.replaceAll("/", "%2f");
      expect((await visit(`/api/viewer/${id}`)).status).toBe(404);
      expect((await visit(`/media/${id}/marker`)).status).toBe(404);
    }
  });

  it("is asked for only by what may be an id", async () => {
    const get = vi.spyOn(edgeCache, "get");
    for (const id of ["1", `${content.unique_id}.`, content.unique_id.toUpperCase(), "..%2f"])
      expect((await visit(`/api/viewer/${id}`)).status).toBe(404);
    expect(get).not.toHaveBeenCalled();
    get.mockRestore();
  });
});

describe("a row that is not cached", () => {
  it("comes from the replica for visitors, and from the primary database for callers with credentials", async () => {
    const path = `/api/viewer/${content.unique_id}`;
    const asked = async (headers: Record<string, string>) => {
      const [near, primary]: Statements[] = [new Map(), new Map()];
      const databases = { db: drizzle(noting(primary)), replica: drizzle(noting(near)) };
      expect((await edge.anonymously(path, { headers }, databases)).status).toBe(200);
      return { near: near.size, primary: primary.size };
    };
    expect(await asked({})).toEqual({ near: 1, primary: 0 });
    expect(await asked({ Cookie: "session=1" })).toEqual({ near: 0, primary: 1 });
    expect(await asked({ Authorization: "Bearer 1" })).toEqual({ near: 0, primary: 1 });
  });
});

describe("the cache", () => {
  const row = { id: "id", uniqueId: "x", isActive: true, expiresAt: null } as never;

  it("does not keep what was read while its content was changed", async () => {
    const cache = new PublicCache(2, edgeCache);
    const readDuring = (changedId: string, now: number) =>
      cache.content("x", now, async () => {
        cache.forget(changedId, now);
        return row;
      });
    await readDuring("id", 1000);
    await edge.settled();
    expect(await cache.content("x", 1001, async () => undefined)).toBeUndefined();
    await readDuring("other", 1001);
    expect(await cache.content("x", 1001, async () => undefined)).toBe(row);
  });

  it("reads few files of a storage at a time, and ends reads that take long", async () => {
    vi.useFakeTimers();
    try {
      const cache = new PublicCache(2);
      const outcomes: string[] = [];
      const ask = async (storageId: string, body: ReadableStream<Uint8Array>) => {
        const size = 2 ** 21;
        const file = cache.file(
          { storageId, path: crypto.randomUUID() },
          async () => ({ body, size }) as never,
        );
        outcomes.push(
          await file.then(
            (file) => (file!.body === body ? "streamed" : "read"),
            (error) => (error instanceof StorageError ? error.code : String(error)),
          ),
        );
      };
      // A stream of the platform, like the body of a response.
      const stalled = () => {
        const { readable, writable } = new FixedLengthStream(2 ** 21);
        void writable
          .getWriter()
          .write(new Uint8Array(9))
          .catch(() => {});
        return readable;
      };
      for (let i = 0; i < 60; i++) void ask("hostile", stalled());
      await vi.advanceTimersByTimeAsync(1000);
      expect(outcomes).toEqual(Array(57).fill("streamed"));
      await ask("other", new Response(new Uint8Array(2 ** 21)).body!);
      expect(outcomes.at(-1)).toBe("read");
      await vi.advanceTimersByTimeAsync(20_000);
      expect(outcomes.slice(-3)).toEqual(Array(3).fill("unavailable"));
      await ask("hostile", new Response(new Uint8Array(2 ** 21)).body!);
      expect(outcomes.at(-1)).toBe("read");
    } finally {
      vi.useRealTimers();
    }
  });

  it("has a size limit, and drops the least recently used file", async () => {
    const cache = new PublicCache(2);
    const opened: string[] = [];
    const ask = (path: string, bytes: number) =>
      cache.file({ storageId: null, path }, async () => {
        opened.push(path);
        const { body } = new Response(new Uint8Array(bytes));
        return { body: body!, size: bytes, range: null, key: path, etag: "e" } as never;
      });
    const MB = 2 ** 20;
    for (let i = 0; i < 16; i++) await ask(`file ${i}`, MB);
    await ask("file 0", MB);
    await ask("one more", MB);
    expect(opened).toHaveLength(17);
    await ask("file 0", MB);
    expect(opened).toHaveLength(17);
    await ask("file 1", MB);
    expect(opened).toHaveLength(18);
    const { body } = (await ask("large", 2 * MB + 1))!;
    if (!(body instanceof ReadableStream)) throw new Error("A large file is not kept in memory.");
    await body.cancel();
  });
});
