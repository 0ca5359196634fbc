import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { PublicCache } from "../../../worker/content/public-cache.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { StorageError } from "../../../worker/storage/provider.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { Edge, form, json } from "../edge.ts";
import { mind, video } from "../fixtures.ts";

const edge = new Edge();
const marker = mind();
let content: ArContent;
/** Keys that were read from the storage. */
let read: string[];

const storage = new R2Storage(env.BUCKET);
const download = storage.download.bind(storage);
storage.download = (key, options) => {
  read.push(key);
  return download(key, options);
};

/** A viewer without an account, on an isolate that has just started. */
let visit: (path: string | null, init?: RequestInit) => Promise<Response>;
let isolate: { publicCache: PublicCache; storages: Edge["bindings"]["storages"] };

beforeEach(async () => {
  const { content: submitted, lease } = await edge.submit({ compile: "browser" });
  const path = `/api/ar-content/${submitted.id}`;
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  await edge.json(`${path}/marker`, { method: "PUT", body: form({ marker }), headers });
  content = await edge.content(submitted.id);
  read = [];
  isolate = { publicCache: new PublicCache(2), storages: edge.storagesWith(storage) };
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

  it("is not used for a range", async () => {
    await (await visit(content.marker_url)).arrayBuffer();
    const part = await visit(content.marker_url, { headers: { Range: "bytes=10-19" } });
    expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([206, marker.slice(10, 20)]);
  });

  it("is gone at once after a change by this isolate", async () => {
    expect((await manifest()).status).toBe(200);
    expect((await visit(content.marker_url)).status).toBe(200);
    expect((await change(isolate)).status).toBe(200);
    expect((await manifest()).status).toBe(404);
    expect((await visit(content.marker_url)).status).toBe(404);
  });

  it("is gone two seconds after a change by another isolate", async () => {
    expect((await manifest()).status).toBe(200);
    await change();
    edge.pass(1.9);
    expect((await manifest()).status).toBe(200);
    edge.pass(0.1);
    expect((await manifest()).status).toBe(404);
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

describe("the cache", () => {
  const row = { id: "id", uniqueId: "x", isActive: true, expiresAt: null } as never;

  it("does not keep what was read while its content was changed", async () => {
    const cache = new PublicCache(2);
    const readDuring = (changedId: string) =>
      cache.content("x", 0, async () => {
        cache.forget(changedId);
        return row;
      });
    await readDuring("id");
    expect(await cache.content("x", 0, async () => undefined)).toBeUndefined();
    await readDuring("other");
    expect(await cache.content("x", 0, async () => undefined)).toBe(row);
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
