import { and, eq, isNull } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { UNLIMITED } from "../../../worker/content/quotas.ts";
import { fileMoves, storageMigrations } from "../../../worker/db/tables.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { StorageHttp } from "../../../worker/storage/http.ts";
import { StorageError, type StorageProvider } from "../../../worker/storage/provider.ts";
import { S3Storage } from "../../../worker/storage/s3.ts";
import type { StorageConnection, StorageMigration } from "../../../worker/storage/schemas.ts";
import * as life from "../../../worker/storage-migration/life.ts";
import { takeTurn } from "../../../worker/storage-migration/turn.ts";
import { sweep } from "../../../worker/sweep.ts";
import { but, Edge, form, json, refusal, SECRET } from "../edge.ts";
import { mind, png, video } from "../fixtures.ts";

const API = "/api/storage-migrations";

let edge: Edge;
let second: StorageConnection;

beforeEach(async () => {
  edge = new Edge();
  // Each test begins with a company that has nothing.
  await edge.switchTo("platform");
  const open = isNull(storageMigrations.finishedAt);
  await edge.db.update(storageMigrations).set({ state: "done", finishedAt: edge.clock }).where(open);
  const { items } = await edge.json<{ items: ArContent[] }>("/api/ar-content?limit=100");
  for (const { id } of items)
    await edge.fetch(`/api/ar-content/${id}?keep_files=false`, { method: "DELETE" });
  await edge.removeDeletedFiles();
  second = await edge.connection("second");
});

const backend = (name: string) => edge.backends.get(name) as StorageProvider;
const keysIn = async (storage: StorageProvider) =>
  (await storage.list("", { recursive: true })).objects.map(({ key }) => key);
const begin = (to: string) => edge.json<StorageMigration>(API, json("POST", { to }));
const progress = (id: string) => edge.json<StorageMigration>(`${API}/${id}`);
const migrationRow = async (id: string) =>
  (await edge.db.select().from(storageMigrations).where(eq(storageMigrations.id, id)))[0];

/** Delivers every message at its time. */
async function work(): Promise<void> {
  for (let next = edge.moves.shift(); next; next = edge.moves.shift()) {
    edge.pass(next.delaySeconds);
    await takeTurn(edge.bindings);
  }
}

/** Returns an S3 storage whose bucket was deleted. */
function bucketless(): StorageProvider {
  const settings = { endpoint: "https://s3.example.net", region: "eu-1", bucket: "second", prefix: "" };
  const keys = { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: SECRET, style: "path" } as const;
  const fetch = async (_url: string, { method }: RequestInit) =>
    new Response(method === "HEAD" ? null : "<Error><Code>NoSuchBucket</Code></Error>", { status: 404 });
  const http = new StorageHttp({ checkAddress: () => {}, fetch, sleep: async () => {} });
  return new S3Storage({ ...settings, ...keys }, http);
}

/** Creates a photo with a marker, a thumbnail, a video and, if asked, a picture. */
async function living({ hasPicture = false } = {}) {
  const { content, lease } = await edge.submit({ compile: "browser", title: crypto.randomUUID() });
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  const thumbnail = Uint8Array.from([
    0xff,
    0xd8,
    0xff,
    0xc0,
    0,
    17,
    8,
    0,
    90,
    0,
    120,
    3,
    ...new Uint8Array(9),
    0xff,
    0xda,
    ...crypto.getRandomValues(new Uint8Array(50)),
  ]);
  await edge.json(`/api/ar-content/${content.id}/marker`, {
    method: "PUT",
    headers,
    body: form({ marker: mind(), thumbnail, ...(hasPicture ? { picture: thumbnail } : {}) }),
  });
  await attach(content.id, 5000);
  return content;
}

function attach(id: string, length: number): Promise<ArContent> {
  const headers = { "Content-Length": String(length) };
  return edge.json(`/api/ar-content/${id}/video`, { method: "PUT", body: video("mp4", length), headers });
}

/** Returns the hashes of the files that /media serves to the company. */
async function served({ unique_id }: ArContent): Promise<string[]> {
  const kinds = ["image", "picture", "thumbnail", "marker", "video"];
  return Promise.all(
    kinds.map(async (kind) => {
      const response = await edge.fetch(`/media/${unique_id}/${kind}`);
      if (kind === "picture" && response.status === 404) return "none";
      const hash = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
      return `${response.status} ${btoa(String.fromCharCode(...new Uint8Array(hash)))}`;
    }),
  );
}

describe("a storage migration", () => {
  it("moves every file byte for byte, and leaves none in the old storage", async () => {
    const contents = [await living(), await living({ hasPicture: true }), await living()];
    const before = await Promise.all(contents.map(served));
    const response = await edge.fetch(API, json("POST", { to: second.id }));
    expect(response.status).toBe(202);
    const begun = (await response.json()) as StorageMigration;
    expect(response.headers.get("location")).toBe(`${API}/${begun.id}`);
    expect(begun).toMatchObject({ to: second.id, state: "running", files: { done: 0, left: 16, total: 16 } });
    await work();
    const done = await progress(begun.id);
    expect(done).toMatchObject({
      state: "done",
      files: { done: 16, failed: 0, left: 0, total: 16 },
      current: null,
      failures: [],
      error_code: null,
    });
    expect(done.bytes.done).toBe((await backend("second").usage("")).bytes);
    expect(await Promise.all(contents.map(served))).toEqual(before);
    await edge.removeDeletedFiles();
    for (const [i, content] of contents.entries()) {
      expect(await edge.files(content)).toEqual([]);
      const keys = await keysIn(backend("second"));
      expect(keys.filter((key) => key.includes(content.unique_id))).toHaveLength(i === 1 ? 6 : 5);
    }
    expect(await edge.json(API)).toMatchObject({ items: [{ id: begun.id }] });
  });

  it("can move files back, and to another connection to the same bucket", async () => {
    const content = await living();
    const before = await served(content);
    const twin = await edge.connection("second");
    for (const to of [second.id, twin.id, "platform"]) {
      const { id } = await begin(to);
      await work();
      expect(await progress(id)).toMatchObject({ state: "done", files: { done: 5, failed: 0 } });
      expect(await served(content)).toEqual(before);
    }
    await edge.removeDeletedFiles();
    expect(await keysIn(backend("second"))).toEqual([]);
    const keys = await edge.files(content);
    expect(keys).toHaveLength(4);
    // Each move replaces the mark of the previous one.
    for (const key of keys) expect(key.match(/~/g)).toHaveLength(1);
  });

  it("continues in another turn, while all files are served", async () => {
    const contents = [await living(), await living()];
    const before = await Promise.all(contents.map(served));
    const { id } = await begin(second.id);
    // Every call of the clock takes eight seconds.
    const bindings = { ...edge.bindings, now: () => (edge.clock += 8000) };
    let turns = 0;
    for (let next = edge.moves.shift(); next; next = edge.moves.shift(), turns++) {
      await takeTurn(bindings);
      expect(await Promise.all(contents.map(served))).toEqual(before);
    }
    expect(turns).toBeGreaterThan(2);
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 10, total: 10 } });
  });

  it("runs one at a time, and only to a connection that passes its test", async () => {
    await living();
    await begin(second.id);
    const problem = await refusal(await edge.fetch(API, json("POST", { to: second.id })));
    expect([problem.status, problem.code]).toEqual([409, "migration_running"]);
    edge.backends.set("full", but(backend("third"), { upload: full }));
    const third = await edge.connection("full");
    expect((await refusal(await edge.fetch(API, json("POST", { to: third.id })))).code).toBe(
      "storage_test_failed",
    );
    expect((await refusal(await edge.fetch(API, json("POST", { to: crypto.randomUUID() })))).code).toBe(
      "not_found",
    );
  });

  it("is run by one of several deliveries of a message", async () => {
    const contents = [await living(), await living()];
    const before = await Promise.all(contents.map(served));
    const { id } = await begin(second.id);
    edge.moves.length = 0;
    await Promise.all([1, 2, 3].map(() => takeTurn(edge.bindings)));
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 10, failed: 0 } });
    expect(await Promise.all(contents.map(served))).toEqual(before);
    // Late deliveries find nothing to do.
    await takeTurn(edge.bindings);
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 10 } });
  });

  it("keeps its connections from being deleted", async () => {
    await living();
    await begin(second.id);
    const problem = await refusal(
      await edge.fetch(`/api/storage-connections/${second.id}`, { method: "DELETE" }),
    );
    expect([problem.code, problem.detail]).toEqual([
      "storage_in_use",
      expect.stringContaining("files are being moved to it or from it"),
    ]);
  });
});

/** Calls `act` after each upload to the second storage, before the upload responds. */
function afterUploads(act: (key: string) => Promise<unknown>): void {
  const storage = backend("second");
  // Let the storage that the connection test opened expire.
  edge.pass(60);
  edge.backends.set(
    "second",
    but(storage, {
      async upload(key, body, options) {
        await storage.upload(key, body, options);
        await act(key);
      },
    }),
  );
}

describe("a file that changes while it is moved", () => {
  /** Calls `act` between the copy of the first file and its repointing. */
  const duringCopy = (act: (path: string) => Promise<unknown>, only: RegExp) => {
    let pending = true;
    afterUploads(async (key) => {
      if (!pending || !only.test(key)) return;
      pending = false;
      await act(key);
    });
  };

  it("is replaced: the new one is served, and moved later", async () => {
    const content = await living();
    const { id } = await begin(second.id);
    duringCopy(() => attach(content.id, 7000), /videos/);
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 5, failed: 0 } });
    const response = await edge.fetch(`/media/${content.unique_id}/video`);
    expect((await response.arrayBuffer()).byteLength).toBe(7000);
    await edge.removeDeletedFiles();
    expect(await edge.files(content)).toEqual([]);
    expect((await keysIn(backend("second"))).filter((key) => key.includes("videos"))).toHaveLength(1);
  });

  it("gets a new marker: the old one is deleted, moved or not", async () => {
    const content = await living();
    const again = await edge.json<{ lease: { token: string } }>(
      `/api/ar-content/${content.id}/marker/recompile`,
      json("POST", { compile: "browser" }),
    );
    // The delivery reads the content, then the marker moves, then the delivery ends.
    const own = edge.storage;
    let moved = false;
    const slow = but(own, {
      async upload(key, body, options) {
        await own.upload(key, body, options);
        if (moved) return;
        moved = true;
        await begin(second.id);
        await work();
      },
    });
    const headers = { "Vivimark-Lease": again.lease.token };
    const delivery = { method: "PUT", headers, body: form({ marker: mind() }) };
    const answer = await edge.fetch(`/api/ar-content/${content.id}/marker`, delivery, {
      storages: edge.storagesWith(slow),
    });
    expect(answer.status).toBe(200);
    expect(moved).toBe(true);
    await edge.removeDeletedFiles();
    expect((await keysIn(backend("second"))).filter((key) => key.includes("mindar_targets"))).toEqual([]);
    expect((await edge.files(content)).filter((key) => key.includes("mindar_targets"))).toHaveLength(1);
    expect((await edge.fetch(`/media/${content.unique_id}/marker`)).status).toBe(200);
  });

  it("is deleted: no storage keeps it", async () => {
    const content = await living();
    const { id } = await begin(second.id);
    duringCopy(() => edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" }), /./);
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 0, failed: 0 } });
    await edge.removeDeletedFiles();
    expect(await keysIn(backend("second"))).toEqual([]);
    expect(await edge.files(content)).toEqual([]);
  });

  it("leaves a useless copy, whose deletion is retried", async () => {
    const content = await living();
    const { id } = await begin(second.id);
    duringCopy(() => attach(content.id, 7000), /videos/);
    let refusals = 3;
    const storage = backend("second");
    const refusing = but(storage, { delete: (keys) => (refusals-- > 0 ? down() : storage.delete(keys)) });
    edge.backends.set("second", refusing);
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 5 } });
    expect(refusals).toBeLessThan(0);
    expect((await keysIn(storage)).filter((key) => key.includes("videos"))).toHaveLength(1);
  });

  it("is served although it was moved after its row was read", async () => {
    const content = await living();
    const own = edge.storage;
    let moved = false;
    const late = but(own, {
      async download(key, options) {
        if (!moved) {
          moved = true;
          await begin(second.id);
          await work();
        }
        return own.download(key, options);
      },
    });
    const storages = edge.storagesWith(late);
    const response = await edge.fetch(`/media/${content.unique_id}/video`, {}, { storages });
    expect([response.status, (await response.arrayBuffer()).byteLength, moved]).toEqual([200, 5000, true]);
  });
});

const full = () => Promise.reject(new StorageError("quota_exceeded", "It is full."));
const down = () => Promise.reject(new StorageError("unavailable", "It does not answer."));

describe("a failure", () => {
  beforeEach(() => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    return () => vi.restoreAllMocks();
  });

  it("that a person must resolve pauses the storage migration, until it is resumed", async () => {
    const content = await living();
    const { id } = await begin(second.id);
    const good = backend("second");
    edge.backends.set("second", but(good, { upload: full }));
    edge.pass(60);
    await work();
    const paused = await progress(id);
    expect(paused).toMatchObject({
      state: "paused",
      files: { done: 0, left: 5, failed: 0 },
      error_code: "storage_full",
      error_message: "New storage: It is full.",
    });
    expect((await edge.fetch(`/media/${content.unique_id}/video`)).status).toBe(200);
    edge.backends.set("second", good);
    edge.pass(60);
    await edge.json(`${API}/${id}/resume`, { method: "POST" });
    await work();
    expect(await progress(id)).toMatchObject({
      state: "done",
      files: { done: 5, failed: 0 },
      error_code: null,
    });
  });

  it("that passes is retried after growing delays", async () => {
    await living();
    const { id } = await begin(second.id);
    const good = backend("second");
    edge.backends.set("second", but(good, { upload: down }));
    edge.pass(60);
    const delays: number[] = [];
    for (let i = 0; i < 3; i++) {
      await takeTurn(edge.bindings);
      const sent = edge.moves.pop();
      delays.push(sent?.delaySeconds ?? -1);
      edge.pass(sent?.delaySeconds ?? 0);
    }
    expect(delays).toEqual([60, 120, 240]);
    expect(await progress(id)).toMatchObject({ state: "running", error_code: "storage_unavailable" });
    edge.backends.set("second", good);
    edge.pass(60);
    edge.moves.push({ message: { migration_id: id }, delaySeconds: 0 });
    await work();
    expect(await progress(id)).toMatchObject({
      state: "done",
      files: { done: 5, failed: 0 },
      error_code: null,
    });
  });

  it("of one file is recorded with its reason, and retried by resuming or by another storage migration", async () => {
    const content = await living();
    const { id } = await begin(second.id);
    const good = backend("second");
    const upload: StorageProvider["upload"] = (key, ...rest) =>
      key.includes("videos") ? down() : good.upload(key, ...rest);
    edge.backends.set("second", but(good, { upload }));
    edge.pass(60);
    await work();
    const done = await progress(id);
    expect(done).toMatchObject({ state: "done", files: { done: 4, failed: 1, left: 0, total: 5 } });
    expect(done.failures).toMatchObject([
      { content_id: content.id, kind: "video", error_code: "storage_unavailable" },
    ]);
    expect((await edge.fetch(`/media/${content.unique_id}/video`)).status).toBe(200);
    edge.backends.set("second", good);
    edge.pass(60);
    const again = await begin(second.id);
    expect(again.files).toMatchObject({ left: 1 });
    await work();
    expect(await progress(again.id)).toMatchObject({ state: "done", files: { done: 1, failed: 0 } });
  });

  it("of every file pauses the storage migration early", async () => {
    for (let i = 0; i < 2; i++) await living();
    const { id } = await begin(second.id);
    edge.backends.set("second", but(backend("second"), { upload: down }));
    edge.pass(60);
    await work();
    expect(await progress(id)).toMatchObject({ state: "paused", files: { done: 0, failed: 3, left: 7 } });
  });

  it("that makes a wrong copy is detected: the old file stays, and the copy is made again", async () => {
    const content = await living();
    const before = await served(content);
    const { id } = await begin(second.id);
    const good = backend("second");
    let wrong = 2;
    edge.backends.set(
      "second",
      but(good, {
        async upload(key, body, options) {
          if (!key.includes("videos") || wrong-- <= 0) return good.upload(key, body, options);
          const bytes = new Uint8Array(await new Response(body).arrayBuffer());
          bytes[100] ^= 1;
          return good.upload(key, bytes, options);
        },
      }),
    );
    edge.pass(60);
    await takeTurn(edge.bindings);
    expect(await progress(id)).toMatchObject({ state: "running", error_code: "checksum_mismatch" });
    expect(await served(content)).toEqual(before);
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 5, failed: 0 } });
    expect(await served(content)).toEqual(before);
  });

  it("to find the bucket pauses the storage migration, and no file is given up", async () => {
    const content = await living();
    await edge.switchTo(second.id);
    const bucket = backend("second");
    const { id: moved } = await begin(second.id);
    await work();
    expect(await progress(moved)).toMatchObject({ state: "done" });
    const before = await served(content);
    edge.pass(60);
    edge.backends.set("second", bucketless());
    const { id } = await begin("platform");
    await work();
    expect(await progress(id)).toMatchObject({
      state: "paused",
      error_code: "invalid_storage_settings",
      error_message: expect.stringContaining("The bucket does not exist"),
      files: { done: 0, failed: 0, left: 5 },
    });
    edge.pass(60);
    edge.backends.set("second", bucket);
    await edge.json(`${API}/${id}/resume`, { method: "POST" });
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 5, failed: 0 } });
    expect(await served(content)).toEqual(before);
  });

  it("of a missing original is recorded for that file", async () => {
    const content = await living();
    await edge.storage.delete((await edge.files(content)).filter((key) => key.includes("videos")));
    const { id } = await begin(second.id);
    await work();
    const done = await progress(id);
    expect(done).toMatchObject({ state: "done", files: { done: 4, failed: 1 } });
    expect(done.failures).toMatchObject([{ kind: "video", error_code: "storage_not_found" }]);
  });

  it.each([
    ["again", "https://ar.example.com", 5],
    ["at each request only, without PUBLIC_URL", "", 4],
  ])("of a missing QR code is mended: it is drawn %s", async (_how, publicUrl, files) => {
    const content = await living();
    await edge.storage.delete((await edge.allFiles()).filter((key) => key.includes("qr-codes")));
    Object.assign(edge.settings, { publicUrl });
    const { id } = await begin(second.id);
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { failed: 0 } });
    const keys = await keysIn(backend("second"));
    expect(keys).toHaveLength(files);
    const drawn = await (await edge.fetch(`/api/ar-content/${content.id}/qr.svg`)).text();
    for (const key of keys.filter((key) => key.includes("qr-codes"))) {
      const file = await backend("second").download(key);
      expect(await new Response(file?.body).text()).toBe(drawn);
    }
    await edge.fetch(`/api/ar-content/${content.id}?keep_files=false`, { method: "DELETE" });
    expect(await keysIn(backend("second"))).toEqual([]);
    expect((await edge.fetch(`/api/storage-connections/${second.id}`, { method: "DELETE" })).status).toBe(
      204,
    );
  });
});

describe("an interrupted storage migration", () => {
  it("is paused, resumed and cancelled by a person, where its state allows it", async () => {
    const content = await living();
    const { id } = await begin(second.id);
    const steer = (command: string) => edge.fetch(`${API}/${id}/${command}`, { method: "POST" });
    expect(await (await steer("pause")).json()).toMatchObject({ state: "paused" });
    await work();
    expect(await progress(id)).toMatchObject({ state: "paused", files: { done: 0, left: 5 } });
    expect((await refusal(await steer("pause"))).code).toBe("migration_over");
    expect(await (await steer("resume")).json()).toMatchObject({ state: "running" });
    expect(await (await steer("cancel")).json()).toMatchObject({ state: "cancelled", files: { left: 0 } });
    await work();
    for (const command of ["pause", "resume", "cancel"]) {
      expect((await refusal(await steer(command))).code).toBe("migration_over");
    }
    expect(await edge.files(content)).toHaveLength(4);
    expect(await keysIn(backend("second"))).toEqual([]);
    expect((await migrationRow(id)).finishedAt).toBe(edge.clock);
  });

  it("leaves no copy behind when it is cancelled while a file waits for another attempt", async () => {
    await living();
    const { id } = await begin(second.id);
    const storage = backend("second");
    afterUploads(() => Promise.reject(new StorageError("unavailable", "The response was lost.")));
    edge.moves.length = 0;
    await takeTurn(edge.bindings);
    expect(await keysIn(storage)).not.toEqual([]);
    await edge.fetch(`${API}/${id}/cancel`, { method: "POST" });
    await takeTurn(edge.bindings);
    expect((await migrationRow(id)).finishedAt).toBe(edge.clock);
    expect(await keysIn(storage)).toEqual([]);
  });

  it("by a crash after the copy loses nothing, and leaves nothing behind", async () => {
    const content = await living();
    const before = await served(content);
    const { id } = await begin(second.id);
    edge.moves.length = 0;
    const gone = () => new Promise<never>(() => {});
    const copied = backend("second");
    let crashed = () => {};
    const crash = new Promise<void>((resolve) => {
      crashed = resolve;
    });
    edge.backends.set(
      "second",
      but(copied, {
        async download() {
          crashed();
          return gone();
        },
      }),
    );
    edge.pass(60);
    void takeTurn(edge.bindings);
    await crash;
    const unfinished = and(eq(fileMoves.migrationId, id), eq(fileMoves.hasOrphanedCopy, true));
    expect(await edge.db.select().from(fileMoves).where(unfinished)).toMatchObject([{ state: "copying" }]);
    expect(await served(content)).toEqual(before);

    edge.backends.set("second", copied);
    // The lease lasts 300 s; then the sweep finds the row and sends the message again.
    edge.pass(200);
    await sweep(edge.bindings, edge.clock);
    expect(edge.moves).toEqual([]);
    edge.pass(200);
    await sweep(edge.bindings, edge.clock);
    expect(edge.moves).toEqual([{ message: { migration_id: id }, delaySeconds: 0 }]);
    await work();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 5, failed: 0 } });
    expect(await served(content)).toEqual(before);
    await edge.removeDeletedFiles();
    expect(await edge.files(content)).toEqual([]);
    expect(await keysIn(copied)).toHaveLength(5);
  });

  it("continues a multipart copy at its next part, and verifies every part", async () => {
    const length = 70 * 2 ** 20;
    const { content } = await edge.submit({ image: png() });
    await attach(content.id, length);
    const [before] = (await served(content)).slice(-1);
    const { id } = await begin(second.id);
    // Each part takes twelve seconds, so a turn ends after the second one.
    const numbers: number[] = [];
    const parts = backend("second").multipart;
    if (!parts) throw new Error("R2 has multipart uploads.");
    const put: typeof parts.put = (part, ...rest) => {
      numbers.push(part.number);
      edge.pass(12);
      return parts.put(part, ...rest);
    };
    const counting = new Proxy(parts, {
      get: (target, name) =>
        name === "put" ? put : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
    });
    edge.backends.set("second", but(backend("second"), { multipart: counting }));
    edge.pass(60);
    let turns = 0;
    for (let next = edge.moves.shift(); next; next = edge.moves.shift(), turns++) {
      await takeTurn(edge.bindings);
    }
    expect(turns).toBeGreaterThan(1);
    expect(numbers).toEqual([1, 2, 3]);
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 3, failed: 0 } });
    expect((await served(content)).at(-1)).toBe(before);
    const [move] = await edge.db
      .select()
      .from(fileMoves)
      .where(and(eq(fileMoves.migrationId, id), eq(fileMoves.kind, "video")));
    expect(move).toMatchObject({ bytes: length, uploadId: null, hasOrphanedCopy: false });
    expect(move.parts.map(({ sha256 }) => sha256.length)).toEqual([64, 64, 64]);
  });
});

describe("a large file", () => {
  const LENGTH = 70 * 2 ** 20;

  /** Makes every read of the second storage take time, as at 2 MB/s. Returns the ranges that were read back. */
  function slowReads(change: Partial<StorageProvider> = {}): string[] {
    const good = backend("second");
    const ranges: string[] = [];
    const download: StorageProvider["download"] = async (key, options) => {
      const range = options?.range && "start" in options.range ? options.range : undefined;
      ranges.push(range ? `${range.start / 2 ** 20}` : "whole");
      if (range) edge.pass(16);
      return good.download(key, options);
    };
    edge.backends.set("second", but(good, { download, ...change }));
    edge.pass(60);
    return ranges;
  }

  async function deliverAll(): Promise<number> {
    let turns = 0;
    for (let next = edge.moves.shift(); next; next = edge.moves.shift(), turns++) {
      edge.pass(next.delaySeconds);
      await takeTurn(edge.bindings);
    }
    return turns;
  }

  it.each([
    ["in parts", {}],
    ["in one stream", { multipart: null }],
  ])("that is copied %s is read back over several turns, every part once", async (_how, change) => {
    const { content } = await edge.submit({ image: png() });
    await attach(content.id, LENGTH);
    const [before] = (await served(content)).slice(-1);
    const { id } = await begin(second.id);
    const good = backend("second");
    let uploads = 0;
    const upload: StorageProvider["upload"] = (...args) => {
      uploads++;
      return good.upload(...args);
    };
    const ranges = slowReads({ ...change, upload });
    expect(await deliverAll()).toBeGreaterThan(1);
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 3, failed: 0 } });
    expect((await served(content)).at(-1)).toBe(before);
    expect(ranges.filter((range) => range !== "whole")).toEqual(["0", "32", "64"]);
    // The photo and its QR code, and the video if it was one stream.
    expect(uploads).toBe("multipart" in change ? 3 : 2);
  });

  it("is not copied again when reading it back fails once", async () => {
    const { content } = await edge.submit({ image: png() });
    await attach(content.id, LENGTH);
    const { id } = await begin(second.id);
    const good = backend("second");
    let fails = true;
    let uploads = 0;
    edge.backends.set(
      "second",
      but(good, {
        multipart: null,
        upload: (...args) => {
          uploads++;
          return good.upload(...args);
        },
        download: async (key, options) => {
          if (fails && options?.range) {
            fails = false;
            return down();
          }
          return good.download(key, options);
        },
      }),
    );
    edge.pass(60);
    await deliverAll();
    expect(await progress(id)).toMatchObject({ state: "done", files: { done: 3, failed: 0 } });
    expect([fails, uploads]).toEqual([false, 3]);
  });

  it("whose copy is killed every time is given up", async () => {
    const { content } = await edge.submit({ image: png() });
    await attach(content.id, LENGTH);
    const { id } = await begin(second.id);
    const good = backend("second");
    let uploads = 0;
    let reached = Promise.withResolvers<void>();
    // Nothing of a turn runs after the upload, and its lease ends.
    const upload: StorageProvider["upload"] = (key, ...rest) => {
      if (!key.includes("/videos/")) return good.upload(key, ...rest);
      uploads++;
      reached.resolve();
      return new Promise(() => {});
    };
    edge.backends.set("second", but(good, { multipart: null, upload }));
    edge.pass(60);
    edge.moves.length = 0;
    for (let turn = 0; turn < 8; turn++) {
      reached = Promise.withResolvers();
      await Promise.race([takeTurn(edge.bindings), reached.promise]);
      edge.pass(600);
    }
    expect(uploads).toBe(life.MAX_ATTEMPTS);
    expect((await progress(id)).files).toMatchObject({ done: 2, failed: 1 });
  });
});

it("a file that fails steps aside for the others", async () => {
  const contents = [await living(), await living()];
  const { id } = await begin(second.id);
  const good = backend("second");
  let failures = 0;
  const upload: StorageProvider["upload"] = (key, ...rest) => {
    if (key.includes("/videos/") && failures < 1) {
      failures++;
      return down();
    }
    return good.upload(key, ...rest);
  };
  edge.backends.set("second", but(good, { upload }));
  edge.pass(60);
  edge.moves.length = 0;
  await takeTurn(edge.bindings);
  expect(await progress(id)).toMatchObject({ state: "running", files: { done: 9, failed: 0, left: 1 } });
  const [next] = edge.moves;
  expect(next.delaySeconds).toBe(60);
  await work();
  expect(await progress(id)).toMatchObject({ state: "done", files: { done: 10, failed: 0 } });
  await edge.removeDeletedFiles();
  for (const content of contents) expect(await edge.files(content)).toEqual([]);
});

it("a file that is too large for one turn is read by a storage that can do that, while others move on", async () => {
  const { id: contentId } = await living();
  const { video_url: path } = await edge.json<ArContent>(`/api/ar-content/${contentId}`);
  const storages = edge.storagesWith(
    but(edge.storage, {
      head: async (key) => {
        const object = await edge.storage.head(key);
        return object && key.includes("/videos/") ? { ...object, size: 5_000_000_000 } : object;
      },
    }),
  );
  const { settings } = edge.bindings;
  const services = {
    ...edge.bindings,
    storages,
    settings: { ...settings, publicUrl: "https://ar.example.com" },
  };
  const urls: string[] = [];
  const aborted: string[] = [];
  const fetching: StorageProvider["fetching"] = {
    start: async (_, url) => `fetch ${urls.push(url)}`,
    finish: async () => "running",
    abort: async (uploadId) => void aborted.push(uploadId),
  };
  const { id } = await begin(second.id);
  edge.backends.set("second", but(backend("second"), { multipart: null, fetching }));
  for (let turn = 0; turn < 4; turn++) {
    const { delaySeconds } = edge.moves.shift() ?? { delaySeconds: 0 };
    edge.pass(delaySeconds);
    await takeTurn(services);
  }
  expect(urls).toEqual([`https://ar.example.com${path}`]);
  expect(await progress(id)).toMatchObject({ state: "running", files: { done: 4, failed: 0, left: 1 } });
  expect(edge.moves.at(-1)).toMatchObject({ delaySeconds: 30 });
  await edge.fetch(`${API}/${id}/cancel`, { method: "POST" });
  await takeTurn(services);
  expect(aborted).toEqual(["fetch 1"]);
  expect((await progress(id)).state).toBe("cancelled");
});

describe("the lease of a storage migration", () => {
  it("belongs to one worker until it ends, and allows nothing afterwards", async () => {
    await living();
    const { id } = await begin(second.id);
    const first = await life.claim(edge.db, 300, edge.clock);
    if (!first) throw new Error("It was free.");
    expect(await life.claim(edge.db, 300, edge.clock)).toBeUndefined();
    expect(await life.extendLease(edge.db, first, 300, edge.clock)).toBe(true);
    edge.pass(300);
    const next = await life.claim(edge.db, 300, edge.clock);
    expect(next?.lease).not.toBe(first.lease);
    expect(await life.extendLease(edge.db, first, 300, edge.clock)).toBe(false);
    const move = await life.beginMove(edge.db, first.migration, edge.clock);
    if (!move) throw new Error("There are files.");
    expect(await life.repoint(edge.db, first, move, { quotas: UNLIMITED, now: edge.clock })).toBe("lost");
    await life.pauseFor(edge.db, first, { code: "storage_full", message: "" }, edge.clock);
    await life.finish(edge.db, first, edge.clock);
    await life.release(edge.db, first, edge.clock);
    expect(await migrationRow(id)).toMatchObject({ state: "running", lease: next?.lease });
  });
});
