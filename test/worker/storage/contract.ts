import { afterAll, describe, expect, it } from "vitest";
import { sha256 } from "../../../worker/sha256.ts";
import {
  type Download,
  type ListOptions,
  type ListPage,
  type StorageProvider,
  UnsatisfiableRange,
} from "../../../worker/storage/provider.ts";

/** What a backend can do beyond the interface. Tests of what is left out do not run. */
export interface ContractBackend {
  /** It presigns addresses for downloads and uploads. */
  readonly presigns?: boolean;
  /** Its presigned addresses can set a file's name and content type. */
  readonly namesDownloads?: boolean;
  /** It reports its quota. */
  readonly reportsQuota?: boolean;
  /** False: several simultaneous uploads with `ifAbsent` may succeed. */
  readonly decidesRaces?: boolean;
  /** The same storage, and how many bytes of one stream of `LARGE_BYTES` were sent to it. */
  readonly counted?: () => { readonly storage: StorageProvider; readonly taken: () => number };
  /** The same storage with another clock, in milliseconds since 1970. */
  readonly withClock?: (now: () => number) => StorageProvider;
  /** The same storage with one wrong setting, and the settings that its error may name. */
  readonly misconfigured?: readonly {
    readonly fields: readonly string[];
    readonly open: () => StorageProvider;
  }[];
  /** The same storage behind a relay that can break the connection. */
  readonly line?: () => Promise<{
    readonly storage: StorageProvider;
    readonly down: () => Promise<void>;
    readonly up: () => Promise<void>;
    /** Breaks the connections once, after so many bytes to the storage. */
    readonly cutAfter: (bytes: number) => Promise<void>;
  }>;
}

export const LARGE_BYTES = 20_000_000;

/** How much of a stream a provider may hold: one part, and what is being sent. */
const MAX_HELD_BYTES = 10_000_000;

const CHUNK_BYTES = 250_000;

/** More than two pages of any backend. */
const MANY_OBJECTS = 2500;

/** Requests at a time where there are many. */
const CONCURRENCY = 50;

const HOUR = 3_600_000;

const TYPE = "video/mp4";

/** Tests a StorageProvider against its interface. Each test works in a folder of its own. */
export function storageContract(
  name: string,
  open: () => StorageProvider,
  backend: ContractBackend = {},
): void {
  const storage = open();
  const ground = `contract/${crypto.randomUUID()}`;
  const folder = () => `${ground}/${crypto.randomUUID()}`;
  const fresh = () => `${folder()}/a`;
  const put = (key: string, body: Uint8Array<ArrayBuffer>, into = storage) =>
    into.upload(key, body, { length: body.length, contentType: TYPE });
  const stream = (key: string, body: ReadableStream<Uint8Array>, length: number, into = storage) =>
    into.upload(key, body, { length, contentType: TYPE });
  const read = async (key: string, from = storage) => {
    const download = await from.download(key);
    return download && bytesOf(download);
  };

  describe(`${name} as a storage`, () => {
    afterAll(() => storage.deleteTree(ground));

    describe("uploading and downloading", () => {
      it("gives back bytes", async () => {
        const key = fresh();
        await put(key, pattern(70_000));
        expect(await read(key)).toEqualBytes(pattern(70_000));
        expect(await storage.head(key)).toMatchObject({ key, size: 70_000 });
        expect(await storage.download(key).then(drained)).toMatchObject({ key, size: 70_000, range: null });
      });

      it("gives back a stream", async () => {
        const key = fresh();
        await stream(key, chunked(pattern(200_001), 4096), 200_001);
        expect(await read(key)).toEqualBytes(pattern(200_001));
        expect(await storage.head(key)).toMatchObject({ key, size: 200_001 });
      });

      it("stores an empty object", async () => {
        const key = fresh();
        await put(key, new Uint8Array());
        expect(await read(key)).toEqualBytes(new Uint8Array());
        expect(await storage.head(key)).toMatchObject({ size: 0 });
      });

      it("stores an empty stream", async () => {
        const key = fresh();
        await stream(key, chunked(new Uint8Array(), 1), 0);
        expect(await read(key)).toEqualBytes(new Uint8Array());
      });

      it("replaces an object as a whole", async () => {
        const key = fresh();
        await put(key, pattern(5000));
        await put(key, pattern(100, 2));
        expect(await read(key)).toEqualBytes(pattern(100, 2));
        await stream(key, chunked(pattern(9000, 3), 1000), 9000);
        expect(await read(key)).toEqualBytes(pattern(9000, 3));
        expect((await storage.list(key.slice(0, -2))).objects).toHaveLength(1);
      });

      it("changes the etag with the bytes, not without", async () => {
        const key = fresh();
        await put(key, pattern(100));
        const first = await storage.head(key);
        await put(key, pattern(100));
        expect((await storage.head(key))?.etag).toBe(first?.etag);
        await put(key, pattern(100, 2));
        const second = await storage.head(key);
        expect(second?.etag).not.toBe(first?.etag);
        expect(second?.etag).toMatch(/^[^"]+$/);
        expect((await storage.download(key).then(drained))?.etag).toBe(second?.etag);
        expect((await storage.list(key.slice(0, -2))).objects[0].etag).toBe(second?.etag);
      });

      it("reports when an object was stored", async () => {
        const key = fresh();
        await put(key, pattern(10));
        const told = [
          (await storage.head(key))?.modifiedAt,
          (await storage.download(key).then(drained))?.modifiedAt,
          (await storage.list(key.slice(0, -2))).objects[0].modifiedAt,
        ];
        // The backend's clock may differ, and may count whole seconds.
        for (const time of told) expect(Math.abs((time ?? 0) - Date.now())).toBeLessThan(24 * HOUR);
      });

      it("returns null for a missing key, and deletes it without an error", async () => {
        const key = fresh();
        expect(await storage.head(key)).toBeNull();
        expect(await storage.download(key)).toBeNull();
        expect(await storage.download(key, { range: { start: 0 } })).toBeNull();
        expect(await storage.download(key, { range: { last: 0 } })).toBeNull();
        expect(await storage.download(key, { ifMatch: "0123456789abcdef" })).toBeNull();
        await storage.delete(key);
        await storage.delete([key, `${key}b`]);
        await storage.delete([]);
      });

      it("deletes the given keys and no others", async () => {
        const root = folder();
        for (const each of ["a", "ab", "b", "c/a", "c/b"]) await put(`${root}/${each}`, pattern(3));
        await storage.delete(`${root}/a`);
        await storage.delete([`${root}/b`, `${root}/missing`, `${root}/c/a`]);
        expect(await keysIn(storage, root)).toEqual(["ab", "c/b"]);
      });

      it("lets a download be cancelled", async () => {
        const key = fresh();
        await put(key, pattern(2_000_000));
        const download = await storage.download(key);
        const reader = download?.body.getReader();
        await reader?.read();
        await reader?.cancel();
        expect(await read(key)).toEqualBytes(pattern(2_000_000));
      });

      it("streams 20 MB both ways with little memory", async () => {
        const { storage: counted, taken } = backend.counted?.() ?? { storage, taken: null };
        const key = fresh();
        let pulled = 0;
        let mostHeld = 0;
        const source = generated(LARGE_BYTES, (bytes) => {
          pulled += bytes;
          if (taken) mostHeld = Math.max(mostHeld, pulled - taken());
        });
        await stream(key, source, LARGE_BYTES, counted);
        if (taken) expect(taken()).toBe(LARGE_BYTES);
        expect(mostHeld).toBeLessThanOrEqual(MAX_HELD_BYTES);

        const download = await storage.download(key);
        expect(download?.size).toBe(LARGE_BYTES);
        expect(await firstDifference(download)).toBeNull();
      });
    });

    describe("an upload that fails", () => {
      it.each([
        ["too short", 900],
        ["too long", 1100],
      ])("leaves the old object when its stream is %s", async (_name, length) => {
        const key = fresh();
        await put(key, pattern(10));
        const upload = stream(key, chunked(pattern(length), 100), 1000);
        await expect(upload).rejects.toBeInstanceOf(RangeError);
        expect(await read(key)).toEqualBytes(pattern(10));
      });

      it("refuses bytes of another length than announced", async () => {
        const key = fresh();
        const upload = storage.upload(key, pattern(10), { length: 11, contentType: TYPE });
        await expect(upload).rejects.toBeInstanceOf(RangeError);
        expect(await storage.head(key)).toBeNull();
      });

      it.each([
        ["at once", 0],
        ["half way", 500],
        ["behind its last byte", 1000],
      ])("stores nothing when its stream breaks %s, and rejects with the reason", async (_name, bytes) => {
        const key = fresh();
        await expect(stream(key, breaking(bytes, 100), 1000)).rejects.toThrow("the source broke");
        expect(await storage.head(key)).toBeNull();
        expect((await storage.list(key.slice(0, -2), { recursive: true })).objects).toEqual([]);
      });

      it("leaves the old object when a large stream breaks", async () => {
        const key = fresh();
        await put(key, pattern(10));
        const upload = stream(key, breaking(LARGE_BYTES - CHUNK_BYTES, CHUNK_BYTES), LARGE_BYTES);
        await expect(upload).rejects.toThrow("the source broke");
        expect(await read(key)).toEqualBytes(pattern(10));
      });

      it("leaves the old object when a large stream is too long", async () => {
        const key = fresh();
        await put(key, pattern(10));
        const upload = stream(key, generated(LARGE_BYTES + 1), LARGE_BYTES);
        await expect(upload).rejects.toBeInstanceOf(RangeError);
        expect(await read(key)).toEqualBytes(pattern(10));
      });
    });

    describe("a range", () => {
      it.each([
        ["the beginning", { start: 0, end: 9 }, 0, 9],
        ["the middle", { start: 100, end: 199 }, 100, 199],
        ["everything, to the byte", { start: 0, end: 999 }, 0, 999],
        ["everything", { start: 0 }, 0, 999],
        ["from a position", { start: 990 }, 990, 999],
        ["past the end", { start: 990, end: 5000 }, 990, 999],
        ["the first byte", { start: 0, end: 0 }, 0, 0],
        ["the last byte", { start: 999, end: 999 }, 999, 999],
        ["the last ten", { last: 10 }, 990, 999],
        ["more than all", { last: 5000 }, 0, 999],
      ])("is read: %s", async (_name, range, start, end) => {
        const key = fresh();
        await put(key, pattern(1000));
        const download = await storage.download(key, { range });
        expect(download).toMatchObject({ key, size: 1000, range: { start, end } });
        expect(await bytesOf(download)).toEqualBytes(pattern(1000).slice(start, end + 1));
      });

      it.each([{ start: 1000 }, { start: 1000, end: 1000 }, { start: 2000, end: 3000 }, { last: 0 }])(
        "outside of the object is refused: %o",
        async (range) => {
          const key = fresh();
          await put(key, pattern(1000));
          const refused = storage.download(key, { range });
          await expect(refused).rejects.toBeInstanceOf(UnsatisfiableRange);
          await expect(refused).rejects.toMatchObject({ size: 1000 });
        },
      );

      it.each([{ start: 0 }, { start: 0, end: 9 }, { last: 5 }])(
        "of an empty object is refused: %o",
        async (range) => {
          const key = fresh();
          await put(key, new Uint8Array());
          await expect(storage.download(key, { range })).rejects.toMatchObject({
            name: "UnsatisfiableRange",
            size: 0,
          });
        },
      );
    });

    describe("a condition", () => {
      it.each([
        ["bytes", 300_000],
        ["a stream", 300_000],
        ["a stream", LARGE_BYTES],
      ])("stores %s only if the key is free (%i bytes)", async (kind, length) => {
        const key = fresh();
        const upload = (seed: number) =>
          storage.upload(
            key,
            kind === "bytes" ? pattern(length, seed) : generated(length, undefined, undefined, seed),
            { length, contentType: TYPE, ifAbsent: true },
          );
        await upload(1);
        await expect(upload(2)).rejects.toMatchObject({ name: "StorageError", code: "conflict" });
        expect(await firstDifference(await storage.download(key), 1)).toBeNull();
      });

      it("stores an empty stream only if the key is free", async () => {
        const key = fresh();
        const upload = () =>
          storage.upload(key, chunked(new Uint8Array(), 1), { length: 0, contentType: TYPE, ifAbsent: true });
        await upload();
        await expect(upload()).rejects.toMatchObject({ code: "conflict" });
      });

      it("finds the key free again once the object is deleted", async () => {
        const key = fresh();
        const options = { length: 10, contentType: TYPE, ifAbsent: true };
        await storage.upload(key, pattern(10), options);
        await storage.delete(key);
        await storage.upload(key, pattern(10, 2), options);
        expect(await read(key)).toEqualBytes(pattern(10, 2));
      });

      it("opens an object only while it has the given etag", async () => {
        const key = fresh();
        await put(key, pattern(100));
        const etag = (await storage.head(key))?.etag ?? "";
        expect(await bytesOf(await storage.download(key, { ifMatch: etag }))).toEqualBytes(pattern(100));
        const part = await storage.download(key, { ifMatch: etag, range: { start: 10, end: 19 } });
        expect(await bytesOf(part)).toEqualBytes(pattern(100).slice(10, 20));
        await put(key, pattern(100, 2));
        for (const range of [undefined, { start: 10, end: 19 }]) {
          const refused = storage.download(key, { ifMatch: etag, range });
          await expect(refused).rejects.toMatchObject({ name: "StorageError", code: "conflict" });
        }
      });
    });

    describe("simultaneous requests", () => {
      it("write one key: one object remains, and readers never see a part", async () => {
        const key = fresh();
        const seeds = [1, 2, 3, 4, 5, 6];
        await put(key, pattern(100_000, 0));
        const whole = await Promise.all([0, ...seeds].map((seed) => sha256(pattern(100_000, seed))));
        const seen: Promise<Uint8Array | null>[] = [];
        await Promise.all(
          seeds.map(async (seed) => {
            await put(key, pattern(100_000, seed));
            seen.push(read(key));
          }),
        );
        for (const bytes of await Promise.all(seen)) expect(whole).toContain(await sha256(bytes!));
        expect(whole.slice(1)).toContain(await sha256((await read(key))!));
      });

      it("write one key only if it is free: one succeeds", async () => {
        const key = fresh();
        const uploads = await Promise.allSettled(
          [1, 2, 3, 4, 5].map((seed) => {
            const options = { length: 1000, contentType: TYPE, ifAbsent: true };
            return storage.upload(key, pattern(1000, seed), options);
          }),
        );
        const winners = uploads.flatMap(({ status }, i) => (status === "fulfilled" ? [i + 1] : []));
        if (backend.decidesRaces ?? true) expect(winners).toHaveLength(1);
        const left = await Promise.all(winners.map((seed) => sha256(pattern(1000, seed))));
        expect(left).toContain(await sha256((await read(key))!));
        for (const upload of uploads) {
          if (upload.status === "rejected") expect(upload.reason).toMatchObject({ code: "conflict" });
        }
      });

      it("read the old object until the new one is complete", async () => {
        const key = fresh();
        await put(key, pattern(100));
        const gate = gated(pattern(600_000, 2), 300_000);
        const upload = stream(key, gate.stream, 600_000);
        await gate.reached;
        expect(await read(key)).toEqualBytes(pattern(100));
        expect(await storage.head(key)).toMatchObject({ size: 100 });
        gate.open();
        await upload;
        expect(await read(key)).toEqualBytes(pattern(600_000, 2));
      });

      it("do not see a new object until it is complete", async () => {
        const key = fresh();
        const gate = gated(pattern(600_000), 300_000);
        const upload = stream(key, gate.stream, 600_000);
        await gate.reached;
        expect(await storage.head(key)).toBeNull();
        expect(await storage.download(key)).toBeNull();
        expect((await storage.list(key.slice(0, -2))).objects).toEqual([]);
        gate.open();
        await upload;
        expect(await storage.head(key)).toMatchObject({ size: 600_000 });
      });
    });

    describe("folders and listings", () => {
      it("lists a folder: its objects and folders, or everything below it", async () => {
        const root = folder();
        for (const key of ["b.bin", "a.bin", "sub/c.bin", "sub/deep/d.bin", "sub2/e.bin"]) {
          await put(`${root}/${key}`, pattern(3));
        }
        // A sibling whose name begins the same is not inside.
        await put(`${root}x/z.bin`, pattern(3));
        for (const each of [root, `${root}/`]) {
          const flat = await storage.list(each);
          expect(flat.objects.map(({ key }) => key)).toEqual([`${root}/a.bin`, `${root}/b.bin`]);
          expect(flat.folders).toEqual([`${root}/sub`, `${root}/sub2`]);
          expect(flat.cursor).toBeNull();
          const deep = await storage.list(each, { recursive: true });
          expect(deep.objects.map(({ key }) => key.slice(root.length + 1))).toEqual([
            "a.bin",
            "b.bin",
            "sub/c.bin",
            "sub/deep/d.bin",
            "sub2/e.bin",
          ]);
          expect(deep.folders).toEqual([]);
          expect(deep.objects[0]).toMatchObject({ size: 3 });
        }
      });

      it("lists the root", async () => {
        await put(fresh(), pattern(1));
        const { folders } = await everyPage(storage, "", {});
        expect(folders).toContain("contract");
      });

      it("lists a missing folder as empty", async () => {
        const empty = { objects: [], folders: [], cursor: null };
        expect(await storage.list(folder())).toEqual(empty);
        expect(await storage.list(folder(), { recursive: true })).toEqual(empty);
        expect(await storage.usage(folder())).toEqual({ objects: 0, bytes: 0 });
      });

      it("lists page after page, each object once", async () => {
        const root = folder();
        for (let i = 0; i < 7; i++) await put(`${root}/${i}.bin`, pattern(i));
        const { pages, objects } = await everyPage(storage, root, { recursive: true, limit: 3 });
        expect(pages).toBeGreaterThanOrEqual(3);
        expect(objects.map(({ key }) => key)).toEqual(
          Array.from({ length: 7 }, (_, i) => `${root}/${i}.bin`),
        );
      });

      it("lists page after page, each folder once", async () => {
        const root = folder();
        for (const key of ["a/1", "a/2", "b", "c/1", "c/2", "d", "e/1"])
          await put(`${root}/${key}`, pattern(1));
        const { objects, folders } = await everyPage(storage, root, { limit: 2 });
        expect(folders).toEqual(["a", "c", "e"].map((each) => `${root}/${each}`));
        expect(objects.map(({ key }) => key)).toEqual(["b", "d"].map((each) => `${root}/${each}`));
      });

      it("counts, lists and deletes thousands, over pages", async () => {
        const root = folder();
        const keys = Array.from(
          { length: MANY_OBJECTS },
          (_, i) => `${root}/${i % 3}/${String(i).padStart(4, "0")}`,
        );
        await inTurns(keys, (key) => put(key, pattern(2)));
        const { pages, objects } = await everyPage(storage, root, { recursive: true });
        expect(pages).toBeGreaterThan(2);
        expect(objects.map(({ key }) => key)).toEqual([...keys].sort());
        expect(await storage.usage(root)).toEqual({ objects: MANY_OBJECTS, bytes: 2 * MANY_OBJECTS });
        await storage.delete(keys.slice(0, 1200));
        expect(await storage.usage(root)).toMatchObject({ objects: MANY_OBJECTS - 1200 });
        await storage.deleteTree(root);
        expect(await storage.usage(root)).toEqual({ objects: 0, bytes: 0 });
      });

      it("shows an empty folder once it is created", async () => {
        const root = folder();
        await storage.createFolder(`${root}/new`);
        await storage.createFolder(`${root}/new/`);
        expect(await storage.list(root)).toEqual({ objects: [], folders: [`${root}/new`], cursor: null });
        expect(await storage.list(`${root}/new`)).toEqual({ objects: [], folders: [], cursor: null });
        expect(await storage.usage(root)).toEqual({ objects: 0, bytes: 0 });
      });

      it("deletes a folder with the empty folders in it, and no other folder", async () => {
        const root = folder();
        await storage.createFolder(`${root}/a/empty`);
        await storage.createFolder(`${root}/ab`);
        await put(`${root}/a/full/b`, pattern(3));
        await storage.deleteTree(`${root}/a`);
        expect(await storage.list(`${root}/a`)).toEqual({ objects: [], folders: [], cursor: null });
        expect((await storage.list(root)).folders).toEqual([`${root}/ab`]);
        await storage.deleteTree(`${root}/a`);
      });

      it("creates parent folders too", async () => {
        const root = folder();
        await storage.createFolder(`${root}/one/two/three`);
        expect((await storage.list(root)).folders).toEqual([`${root}/one`]);
        expect((await storage.list(`${root}/one/two`)).folders).toEqual([`${root}/one/two/three`]);
      });

      it("keeps what is in a folder that is created again", async () => {
        const root = folder();
        await put(`${root}/sub/a`, pattern(5));
        await storage.createFolder(`${root}/sub`);
        expect(await read(`${root}/sub/a`)).toEqualBytes(pattern(5));
        expect(await keysIn(storage, root)).toEqual(["sub/a"]);
        expect((await storage.list(root)).folders).toEqual([`${root}/sub`]);
      });

      it("does not confuse a folder with an object", async () => {
        const root = folder();
        await storage.createFolder(`${root}/created`);
        await put(`${root}/passed/a`, pattern(5));
        for (const key of [`${root}/created`, `${root}/passed`]) {
          expect(await storage.head(key)).toBeNull();
          expect(await storage.download(key)).toBeNull();
        }
      });
    });

    describe("a key", () => {
      it.each([
        "with  two spaces.mp4",
        "Привет, мир.mp4",
        "plus+plus.mp4",
        "100%.mp4",
        "%2F%20literal.mp4",
        "quotes ' and \".mp4",
        "a&b<c>&amp;.mp4",
        "hash#question?.mp4",
        "brackets ()[]{}!*.mp4",
        "semi;colon:comma,at@equals=dollar$.mp4",
        "tilde~backtick`pipe|caret^.mp4",
        "emoji 🎞️.mp4",
        "e\u0301 in two parts.mp4",
        "back\\slash.mp4",
        ".hidden",
        "dots...",
        "-_.",
        "x".repeat(200),
      ])("may be %s", async (odd) => {
        const root = folder();
        for (const key of [`${root}/${odd}`, `${root}/${odd} folder/${odd}`]) {
          await put(key, pattern(50));
          expect(await read(key)).toEqualBytes(pattern(50));
          expect(await storage.head(key)).toMatchObject({ key, size: 50 });
          const url = await storage.presignedUrl(key, 60, { fileName: odd });
          if (url) expect(await bytesOf(await fetch(url))).toEqualBytes(pattern(50));
        }
        const { objects, folders } = await storage.list(root);
        expect(objects.map(({ key }) => key)).toEqual([`${root}/${odd}`]);
        expect(folders).toEqual([`${root}/${odd} folder`]);
        expect((await storage.list(`${root}/${odd} folder`)).objects).toHaveLength(1);
        await storage.delete([`${root}/${odd}`, `${root}/${odd} folder/${odd}`]);
        expect(await storage.usage(root)).toEqual({ objects: 0, bytes: 0 });
      });

      it.each([
        "",
        "/a",
        "a/",
        "a//b",
        "a/./b",
        "a/../b",
        "..",
        "a\nb",
        "a\u0000",
        "\ud800",
        "x".repeat(901),
      ])("may not be %j", async (key) => {
        await expect(put(key, pattern(1))).rejects.toBeInstanceOf(RangeError);
        await expect(storage.download(key)).rejects.toBeInstanceOf(RangeError);
        await expect(storage.head(key)).rejects.toBeInstanceOf(RangeError);
      });

      it("is case-sensitive", async () => {
        const root = folder();
        await put(`${root}/Name`, pattern(5, 1));
        await put(`${root}/name`, pattern(5, 2));
        expect(await read(`${root}/Name`)).toEqualBytes(pattern(5, 1));
        expect(await read(`${root}/name`)).toEqualBytes(pattern(5, 2));
      });
    });

    it.runIf(backend.reportsQuota)("reports its quota", async () => {
      const { usedBytes, totalBytes } = (await storage.quota())!;
      expect(usedBytes).toBeGreaterThanOrEqual(0);
      if (totalBytes !== null) expect(totalBytes).toBeGreaterThanOrEqual(usedBytes);
    });

    it.runIf(!backend.reportsQuota)("reports no quota", async () => {
      expect(await storage.quota()).toBeNull();
    });

    describe.runIf(storage.multipart !== null)("a multipart upload", () => {
      const parts = storage.multipart!;
      const size = parts?.minBytes ?? 0;
      const full = (seed: number) => pattern(size, seed);
      const joined = async (...bytes: Uint8Array[]) =>
        sha256(new Uint8Array(await new Blob(bytes).arrayBuffer()));
      const digest = async (key: string) => sha256((await read(key)) ?? new Uint8Array());

      it("is made of parts in any order", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const third = await parts.put({ key, uploadId: id, number: 3 }, pattern(1000, 3), 1000);
        const first = await parts.put({ key, uploadId: id, number: 1 }, full(1), size);
        const second = await parts.put({ key, uploadId: id, number: 2 }, chunked(full(2), CHUNK_BYTES), size);
        await parts.complete(key, id, [
          { number: 2, etag: second },
          { number: 3, etag: third },
          { number: 1, etag: first },
        ]);
        expect(await storage.head(key)).toMatchObject({ size: 2 * size + 1000 });
        expect(await digest(key)).toBe(await joined(full(1), full(2), pattern(1000, 3)));
      });

      it("may have one small part", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, pattern(10), 10);
        await parts.complete(key, id, [{ number: 1, etag }]);
        expect(await read(key)).toEqualBytes(pattern(10));
      });

      it("replaces a part that is put again", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const old = await parts.put({ key, uploadId: id, number: 1 }, full(1), size);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, full(2), size);
        expect(etag).not.toBe(old);
        const last = await parts.put({ key, uploadId: id, number: 2 }, pattern(10), 10);
        await parts.complete(key, id, [
          { number: 1, etag },
          { number: 2, etag: last },
        ]);
        expect(await digest(key)).toBe(await joined(full(2), pattern(10)));
      });

      it("is not visible before it is completed, and then replaces the old object", async () => {
        const key = fresh();
        await put(key, pattern(20, 9));
        const id = await parts.start(key, TYPE);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, pattern(10), 10);
        expect(await read(key)).toEqualBytes(pattern(20, 9));
        expect((await storage.list(key.slice(0, -2), { recursive: true })).objects).toHaveLength(1);
        expect(await storage.usage(key.slice(0, -2))).toEqual({ objects: 1, bytes: 20 });
        await parts.complete(key, id, [{ number: 1, etag }]);
        expect(await read(key)).toEqualBytes(pattern(10));
      });

      it("lists its parts, if the backend can", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const none = await parts.list(key, id);
        const second = await parts.put({ key, uploadId: id, number: 2 }, pattern(10), 10);
        const first = await parts.put({ key, uploadId: id, number: 1 }, full(1), size);
        const told = await parts.list(key, id);
        await parts.abort(key, id);
        if (none === null) return expect(told).toBeNull();
        expect(none).toEqual([]);
        expect(told).toEqual([
          { number: 1, etag: first, size },
          { number: 2, etag: second, size: 10 },
        ]);
        await expect(parts.list(key, id)).rejects.toMatchObject({ code: "not_found" });
      });

      it.each([
        ["too short", 900],
        ["too long", 1100],
      ])("stores no part whose stream is %s", async (_name, length) => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, pattern(1000), 1000);
        const broken = parts.put({ key, uploadId: id, number: 1 }, chunked(pattern(length, 2), 100), 1000);
        await expect(broken).rejects.toBeInstanceOf(RangeError);
        await parts.complete(key, id, [{ number: 1, etag }]);
        expect(await read(key)).toEqualBytes(pattern(1000));
      });

      it("is independent of another upload of the same key", async () => {
        const key = fresh();
        const [one, two] = [await parts.start(key, TYPE), await parts.start(key, TYPE)];
        const ofOne = await parts.put({ key, uploadId: one, number: 1 }, pattern(10, 1), 10);
        const ofTwo = await parts.put({ key, uploadId: two, number: 1 }, pattern(10, 2), 10);
        await parts.complete(key, two, [{ number: 1, etag: ofTwo }]);
        expect(await read(key)).toEqualBytes(pattern(10, 2));
        await parts.complete(key, one, [{ number: 1, etag: ofOne }]);
        expect(await read(key)).toEqualBytes(pattern(10, 1));
      });

      it("is refused with a missing or wrong part, and changes nothing", async () => {
        const key = fresh();
        await put(key, pattern(20, 9));
        const id = await parts.start(key, TYPE);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, full(1), size);
        const other = `${etag.slice(0, -1)}${etag.endsWith("0") ? "1" : "0"}`;
        const missing = [
          { number: 1, etag },
          { number: 2, etag },
        ];
        for (const named of [missing, [{ number: 1, etag: other }]]) {
          const refused = parts.complete(key, id, named);
          await expect(refused).rejects.toMatchObject({ name: "StorageError", code: "conflict" });
        }
        expect(await read(key)).toEqualBytes(pattern(20, 9));
        await parts.abort(key, id);
      });

      it("is unknown after it was aborted, which may be repeated", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, pattern(10), 10);
        await parts.abort(key, id);
        await parts.abort(key, id);
        expect(await storage.head(key)).toBeNull();
        const late = parts.put({ key, uploadId: id, number: 2 }, pattern(10), 10);
        await expect(late).rejects.toMatchObject({ name: "StorageError", code: "not_found" });
        const completed = parts.complete(key, id, [{ number: 1, etag }]);
        await expect(completed).rejects.toMatchObject({ name: "StorageError", code: "not_found" });
      });

      it("is not undone by a late abort", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const etag = await parts.put({ key, uploadId: id, number: 1 }, pattern(10), 10);
        await parts.complete(key, id, [{ number: 1, etag }]);
        await parts.abort(key, id);
        expect(await read(key)).toEqualBytes(pattern(10));
      });

      it.runIf(backend.presigns)("comes from anybody who has the addresses", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const etags: string[] = [];
        for (const [number, body] of [full(1), pattern(10)].entries()) {
          const url = await parts.presign({ key, uploadId: id, number: number + 1 }, 60, body.length);
          const response = await fetch(url!, { method: "PUT", body });
          expect(response.status).toBe(200);
          etags.push(response.headers.get("etag")?.replaceAll('"', "") ?? "");
        }
        const named = etags.map((etag, i) => ({ number: i + 1, etag }));
        const told = await parts.list(key, id);
        if (told !== null) expect(told).toMatchObject(named);
        await parts.complete(key, id, named);
        expect(await digest(key)).toBe(await joined(full(1), pattern(10)));
      });

      it.runIf(backend.presigns)("comes only as the addresses say", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        const url = (await parts.presign({ key, uploadId: id, number: 1 }, 60, 10))!;
        for (const [forged, length] of [
          [altered(url, "partNumber", "2"), 10],
          [altered(url, "uploadId", `${id}0`), 10],
          [url, 11],
          [url, 9],
        ] as const) {
          const response = await fetch(forged, { method: "PUT", body: pattern(length) });
          await response.body?.cancel();
          expect(response.status).toBe(403);
        }
        const told = await parts.list(key, id);
        if (told !== null) expect(told).toEqual([]);
        await parts.abort(key, id);
      });

      it.runIf(!backend.presigns)("has no addresses to give away", async () => {
        const key = fresh();
        const id = await parts.start(key, TYPE);
        expect(await parts.presign({ key, uploadId: id, number: 1 }, 60, 10)).toBeNull();
        await parts.abort(key, id);
      });
    });

    it.runIf(!backend.presigns)("has no presigned addresses for uploads", async () => {
      expect(await storage.presignedUpload(fresh(), 60, { length: 1, contentType: TYPE })).toBeNull();
    });

    describe.runIf(backend.presigns)("a presigned address", () => {
      it("reads the object or a range of it, with its content type", async () => {
        const key = fresh();
        await put(key, pattern(1000));
        const url = (await storage.presignedUrl(key, 60))!;
        const response = await fetch(url);
        expect(response.headers.get("content-type")).toBe(TYPE);
        expect(await bytesOf(response)).toEqualBytes(pattern(1000));
        const part = await fetch(url, { headers: { Range: "bytes=100-199" } });
        expect(part.status).toBe(206);
        expect(await bytesOf(part)).toEqualBytes(pattern(1000).slice(100, 200));
      });

      it.runIf(backend.namesDownloads)("reads it with another type and a name", async () => {
        const key = fresh();
        await put(key, pattern(10));
        const fileName = `Бабушка "Анна" (1950) + 100%.mp4`;
        const url = (await storage.presignedUrl(key, 60, { contentType: "text/plain", fileName }))!;
        const response = await fetch(url);
        expect(await bytesOf(response)).toEqualBytes(pattern(10));
        expect(response.headers.get("content-type")).toBe("text/plain");
        const disposition = response.headers.get("content-disposition") ?? "";
        const [, exact = ""] = /filename\*=UTF-8''([^;]*)/.exec(disposition) ?? [];
        expect(decodeURIComponent(exact)).toBe(fileName);
        expect(disposition).toMatch(/^inline;/);
      });

      it("is not found without the object", async () => {
        const response = await fetch((await storage.presignedUrl(fresh(), 60))!);
        await response.body?.cancel();
        expect(response.status).toBe(404);
      });

      it("is refused when it was changed", async () => {
        const root = folder();
        await put(`${root}/open`, pattern(10));
        await put(`${root}/shut`, pattern(10));
        const url = (await storage.presignedUrl(`${root}/open`, 60))!;
        const signature = new URL(url).searchParams.get("X-Amz-Signature") ?? "";
        const forgeries = [
          url.replace("/open?", "/shut?"),
          altered(url, "X-Amz-Expires", "600"),
          altered(
            url,
            "X-Amz-Signature",
            signature.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
          ),
          altered(url, "response-content-type", "text/html"),
        ];
        for (const forged of forgeries) {
          const response = await fetch(forged);
          await response.body?.cancel();
          expect(response.status).toBe(403);
        }
        for (const method of ["PUT", "DELETE"]) {
          const response = await fetch(url, { method, body: method === "PUT" ? pattern(5, 2) : undefined });
          await response.body?.cancel();
          expect(response.status).toBe(403);
        }
        expect(await read(`${root}/open`)).toEqualBytes(pattern(10));
      });

      it("accepts exactly the signed length and type", async () => {
        const key = fresh();
        const url = (await storage.presignedUpload(key, 60, { length: 1000, contentType: TYPE }))!;
        const send = async (body: Uint8Array<ArrayBuffer>, contentType: string) => {
          const response = await fetch(url, {
            method: "PUT",
            body,
            headers: { "Content-Type": contentType },
          });
          await response.body?.cancel();
          return response.status;
        };
        expect(await send(pattern(1001), TYPE)).toBe(403);
        expect(await send(pattern(999), TYPE)).toBe(403);
        expect(await send(pattern(1000), "text/html")).toBe(403);
        expect(await storage.head(key)).toBeNull();
        expect(await send(pattern(1000), TYPE)).toBe(200);
        expect(await read(key)).toEqualBytes(pattern(1000));
        const stored = await fetch((await storage.presignedUrl(key, 60))!);
        await stored.body?.cancel();
        expect(stored.headers.get("content-type")).toBe(TYPE);
      });

      it.runIf(backend.withClock)("has its time", async () => {
        const key = fresh();
        await put(key, pattern(10));
        const anHourAgo = backend.withClock!(() => Date.now() - HOUR);
        const late = await fetch((await anHourAgo.presignedUrl(key, HOUR / 1000 - 60))!);
        await late.body?.cancel();
        expect(late.status).toBe(403);
        const inTime = await fetch((await anHourAgo.presignedUrl(key, HOUR / 1000 + 60))!);
        expect(await bytesOf(inTime)).toEqualBytes(pattern(10));

        const other = fresh();
        const agreed = { length: 10, contentType: TYPE };
        const url = (await anHourAgo.presignedUpload(other, HOUR / 1000 - 60, agreed))!;
        const headers = { "Content-Type": TYPE };
        const response = await fetch(url, { method: "PUT", body: pattern(10), headers });
        await response.body?.cancel();
        expect(response.status).toBe(403);
        expect(await storage.head(other)).toBeNull();
      });
    });

    it.runIf(backend.withClock)("says that the clocks differ", async () => {
      const key = fresh();
      for (const drift of [-HOUR, HOUR]) {
        const skewed = backend.withClock!(() => Date.now() + drift);
        const refused = { name: "StorageError", message: expect.stringContaining("clock") };
        await expect(put(key, pattern(10), skewed)).rejects.toMatchObject(refused);
        await expect(skewed.head(key)).rejects.toMatchObject(refused);
      }
      expect(await storage.head(key)).toBeNull();
    });

    describe.runIf(backend.misconfigured)("with a wrong setting", () => {
      it.each(backend.misconfigured ?? [])("names one of $fields", async ({ fields, open }) => {
        const wrong = open();
        const key = fresh();
        const acts = [
          () => put(key, pattern(10), wrong),
          () => stream(key, chunked(pattern(10), 5), 10, wrong),
          () => wrong.list(""),
          () => wrong.download(key),
        ];
        for (const act of acts) {
          const error = await act().then(
            () => null,
            (reason) => reason,
          );
          expect(error).toMatchObject({ name: "StorageError", code: "invalid_config" });
          expect(fields).toContain(error.field);
          expect(error.message).not.toContain("undefined");
        }
        expect(await storage.head(key)).toBeNull();
      });
    });

    describe.runIf(backend.line)("behind a connection that breaks", () => {
      it.each([4_000_000, LARGE_BYTES])(
        "leaves the old object or the new one when it breaks in the middle of an upload of %i bytes",
        async (length) => {
          const { storage: behind, cutAfter } = await backend.line!();
          const key = fresh();
          await put(key, pattern(10), behind);
          await cutAfter(length / 2);
          const failed = await stream(key, generated(length), length, behind).then(
            () => false,
            () => true,
          );
          const download = await storage.download(key);
          if (failed) expect(await bytesOf(download)).toEqualBytes(pattern(10));
          else expect(await firstDifference(download)).toBeNull();
          expect((await storage.list(key.slice(0, -2), { recursive: true })).objects).toHaveLength(1);
          await stream(key, generated(length), length, behind);
          expect(await firstDifference(await behind.download(key))).toBeNull();
        },
      );

      it("is unavailable, and works again afterwards", async () => {
        const { storage: behind, down, up } = await backend.line!();
        const key = fresh();
        await put(key, pattern(10), behind);
        await down();
        const acts = [
          () => put(key, pattern(10, 2), behind),
          () => stream(key, chunked(pattern(10, 2), 5), 10, behind),
          () => behind.head(key),
          () => behind.download(key),
          () => behind.list(""),
          () => behind.delete(key),
        ];
        for (const act of acts) {
          await expect(act()).rejects.toMatchObject({ name: "StorageError", code: "unavailable" });
        }
        await up();
        expect(await read(key, behind)).toEqualBytes(pattern(10));
        await put(key, pattern(10, 3), behind);
        expect(await read(key)).toEqualBytes(pattern(10, 3));
      });
    });
  });
}

/** The byte at a position of what a seed makes: no two stretches of 64 KB are the same. */
function byteAt(position: number, seed: number): number {
  return (position * 7 + (position >> 16) * 13 + seed) & 255;
}

function pattern(length: number, seed = 1, from = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(from + i, seed);
  return bytes;
}

function chunked(body: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= body.length) return controller.close();
      controller.enqueue(body.slice(offset, offset + size));
      offset += size;
    },
  });
}

/** A pattern that is made as it is pulled, and never there as a whole. */
function generated(
  length: number,
  onPull: (bytes: number) => void = () => {},
  end: (controller: ReadableStreamDefaultController<Uint8Array>) => void = (controller) => controller.close(),
  seed = 1,
  size = CHUNK_BYTES,
): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (offset >= length) return end(controller);
        const chunk = pattern(Math.min(size, length - offset), seed, offset);
        offset += chunk.length;
        onPull(chunk.length);
        controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

function breaking(bytes: number, size: number): ReadableStream<Uint8Array> {
  return generated(
    bytes,
    undefined,
    (controller) => controller.error(new Error("the source broke")),
    1,
    size,
  );
}

/** A stream that waits at a position until it is opened; `reached` says that it has come there. */
function gated(body: Uint8Array, position: number) {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let offset = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (offset >= body.length) return controller.close();
        if (offset === position) {
          reached.resolve();
          await gate.promise;
        }
        controller.enqueue(body.slice(offset, offset + 50_000));
        offset += 50_000;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, reached: reached.promise, open: gate.resolve };
}

async function bytesOf(source: { readonly body: ReadableStream | null } | null): Promise<Uint8Array> {
  return new Uint8Array(await new Response(source?.body).arrayBuffer());
}

/** The facts of a download whose bytes are not looked at. */
async function drained(download: Download | null): Promise<Download | null> {
  await download?.body.cancel();
  return download;
}

/** Where a download differs from its pattern, read piece by piece; null: nowhere. */
async function firstDifference(download: Download | null, seed = 1): Promise<number | null> {
  let position = 0;
  for await (const chunk of download?.body ?? []) {
    for (let i = 0; i < chunk.length; i++, position++) {
      if (chunk[i] !== byteAt(position, seed)) return position;
    }
  }
  return position === download?.size ? null : position;
}

function altered(url: string, name: string, value: string): string {
  const copy = new URL(url);
  copy.searchParams.set(name, value);
  return copy.href;
}

async function everyPage(storage: StorageProvider, folder: string, options: ListOptions) {
  const objects: ListPage["objects"][number][] = [];
  const folders: string[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await storage.list(folder, { ...options, cursor });
    expect(page.objects.length + page.folders.length).toBeLessThanOrEqual(options.limit ?? 1000);
    objects.push(...page.objects);
    folders.push(...page.folders);
    cursor = page.cursor ?? undefined;
    pages++;
  } while (cursor !== undefined);
  return { pages, objects, folders };
}

async function keysIn(storage: StorageProvider, root: string): Promise<string[]> {
  const { objects } = await everyPage(storage, root, { recursive: true });
  return objects.map(({ key }) => key.slice(root.length + 1));
}

async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < items.length; from += CONCURRENCY) {
    await Promise.all(items.slice(from, from + CONCURRENCY).map(act));
  }
}
