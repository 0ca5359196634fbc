import { describe, expect, it } from "vitest";
import { deleteFolder, type StorageProvider, UnsatisfiableRange } from "../../worker/storage/provider.ts";

/** What every StorageProvider promises. Each test works in a folder of its own. */
export function storageContract(name: string, open: () => StorageProvider): void {
  const storage = open();
  const folder = () => `contract/${crypto.randomUUID()}`;
  const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);
  const put = (key: string, body: Uint8Array<ArrayBuffer>) =>
    storage.upload(key, body, { length: body.length, contentType: "application/octet-stream" });
  const read = async (key: string) => {
    const download = await storage.download(key);
    return download && new Uint8Array(await new Response(download.body).arrayBuffer());
  };

  describe(`${name} as a storage`, () => {
    it("gives back what was uploaded, from bytes and from a stream", async () => {
      const key = `${folder()}/a b & ü.bin`;
      const body = bytes(70_000);
      await put(key, body);
      expect(await read(key)).toEqual(body);

      const streamed = bytes(200_001, 9);
      await storage.upload(key, chunked(streamed, 4096), {
        length: streamed.length,
        contentType: "video/mp4",
      });
      expect(await read(key)).toEqual(streamed);
      expect(await storage.head(key)).toMatchObject({ key, size: streamed.length });
    });

    it("stores empty objects", async () => {
      const key = `${folder()}/empty`;
      await put(key, new Uint8Array());
      expect(await read(key)).toEqual(new Uint8Array());
    });

    it("changes the etag with the bytes, not without", async () => {
      const key = `${folder()}/a`;
      await put(key, bytes(100));
      const first = await storage.head(key);
      await put(key, bytes(100));
      expect((await storage.head(key))?.etag).toBe(first?.etag);
      await put(key, bytes(100, 2));
      expect((await storage.head(key))?.etag).not.toBe(first?.etag);
      expect(first?.etag).not.toContain('"');
      expect((await storage.download(key))?.etag).toBe((await storage.head(key))?.etag);
    });

    it.each([
      ["too short", 900],
      ["too long", 1100],
    ])("keeps the old object when a stream is %s", async (_name, length) => {
      const key = `${folder()}/a`;
      await put(key, bytes(10));
      const upload = storage.upload(key, chunked(bytes(length), 100), {
        length: 1000,
        contentType: "video/mp4",
      });
      await expect(upload).rejects.toThrow();
      expect(await read(key)).toEqual(bytes(10));
    });

    it("stores nothing when a stream breaks", async () => {
      const key = `${folder()}/a`;
      let pulls = 0;
      const broken = new ReadableStream({
        pull(controller) {
          if (++pulls > 3) controller.error(new Error("cut"));
          else controller.enqueue(bytes(100));
        },
      });
      await expect(storage.upload(key, broken, { length: 1000, contentType: "video/mp4" })).rejects.toThrow();
      expect(await storage.head(key)).toBeNull();
    });

    it.each(["bytes", "a stream"])("stores %s only if the key is free, when asked to", async (kind) => {
      const key = `${folder()}/a`;
      const upload = (seed: number) => {
        const body = bytes(300_000, seed);
        return storage.upload(key, kind === "bytes" ? body : chunked(body, 10_000), {
          length: body.length,
          contentType: "video/mp4",
          ifAbsent: true,
        });
      };
      await upload(1);
      await expect(upload(2)).rejects.toMatchObject({ name: "StorageError", code: "conflict" });
      expect(await read(key)).toEqual(bytes(300_000, 1));
    });

    it("opens an object only while it is the one that is meant, when asked to", async () => {
      const key = `${folder()}/a`;
      await put(key, bytes(100));
      const etag = (await storage.head(key))?.etag ?? "";
      const opened = await storage.download(key, { ifMatch: etag, range: { start: 10, end: 19 } });
      expect(new Uint8Array(await new Response(opened?.body).arrayBuffer())).toEqual(
        bytes(100).slice(10, 20),
      );
      await put(key, bytes(100, 2));
      for (const range of [undefined, { start: 10, end: 19 }]) {
        const refused = storage.download(key, { ifMatch: etag, range });
        await expect(refused).rejects.toMatchObject({ name: "StorageError", code: "conflict" });
      }
    });

    it("says null for a missing key, and deletes one without complaint", async () => {
      const key = `${folder()}/missing`;
      expect(await storage.head(key)).toBeNull();
      expect(await storage.download(key)).toBeNull();
      expect(await storage.download(key, { range: { start: 0 } })).toBeNull();
      await storage.delete(key);
      await storage.delete([]);
    });

    it.each([
      ["the beginning", { start: 0, end: 9 }, 0, 9],
      ["the middle", { start: 100, end: 199 }, 100, 199],
      ["from a position", { start: 990 }, 990, 999],
      ["past the end", { start: 990, end: 5000 }, 990, 999],
      ["one byte", { start: 999, end: 999 }, 999, 999],
      ["the last ten", { last: 10 }, 990, 999],
      ["more than all", { last: 5000 }, 0, 999],
    ])("reads %s of an object", async (_name, range, start, end) => {
      const key = `${folder()}/a`;
      await put(key, bytes(1000));
      const download = await storage.download(key, { range });
      expect(download).toMatchObject({ size: 1000, range: { start, end } });
      const body = new Uint8Array(await new Response(download?.body).arrayBuffer());
      expect(body).toEqual(bytes(1000).slice(start, end + 1));
    });

    it.each([{ start: 1000 }, { start: 2000, end: 3000 }, { last: 0 }])("refuses %o", async (range) => {
      const key = `${folder()}/a`;
      await put(key, bytes(1000));
      const refused = storage.download(key, { range });
      await expect(refused).rejects.toBeInstanceOf(UnsatisfiableRange);
      await expect(refused).rejects.toMatchObject({ size: 1000 });
    });

    it("lists a folder: its objects and folders, or everything below it", async () => {
      const root = folder();
      for (const key of ["b.bin", "a.bin", "sub/c.bin", "sub/deep/d.bin", "sub2/e.bin"]) {
        await put(`${root}/${key}`, bytes(3));
      }
      // A sibling whose name begins the same is not inside.
      await put(`${root}x/z.bin`, bytes(3));
      for (const name of [root, `${root}/`]) {
        const flat = await storage.list(name);
        expect(flat.objects.map(({ key }) => key)).toEqual([`${root}/a.bin`, `${root}/b.bin`]);
        expect(flat.folders).toEqual([`${root}/sub`, `${root}/sub2`]);
        expect(flat.cursor).toBeNull();
        const deep = await storage.list(name, { recursive: true });
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

    it("lists a missing folder as an empty one", async () => {
      expect(await storage.list(folder())).toEqual({ objects: [], folders: [], cursor: null });
    });

    it("lists page after page, each entry once", async () => {
      const root = folder();
      for (let i = 0; i < 7; i++) await put(`${root}/${i}.bin`, bytes(i));
      const seen: string[] = [];
      let pages = 0;
      let cursor: string | undefined;
      do {
        const page = await storage.list(root, { recursive: true, limit: 3, cursor });
        expect(page.objects.length).toBeLessThanOrEqual(3);
        seen.push(...page.objects.map(({ key }) => key));
        cursor = page.cursor ?? undefined;
        pages++;
      } while (cursor !== undefined);
      expect(pages).toBeGreaterThanOrEqual(3);
      expect(seen).toEqual(Array.from({ length: 7 }, (_, i) => `${root}/${i}.bin`));
    });

    it("counts and deletes across more than one full page", async () => {
      const root = folder();
      const keys = Array.from({ length: 1005 }, (_, i) => `${root}/${String(i).padStart(4, "0")}.bin`);
      for (let from = 0; from < keys.length; from += 50) {
        await Promise.all(keys.slice(from, from + 50).map((key) => put(key, bytes(2))));
      }
      expect(await storage.usage(root)).toEqual({ objects: 1005, bytes: 2010 });
      await deleteFolder(storage, root);
      expect(await storage.usage(root)).toEqual({ objects: 0, bytes: 0 });
    });

    it("shows an empty folder once it is created", async () => {
      const root = folder();
      await storage.createFolder(`${root}/new`);
      await storage.createFolder(`${root}/new`);
      expect(await storage.list(root)).toMatchObject({ objects: [], folders: [`${root}/new`] });
      expect(await storage.list(`${root}/new`)).toMatchObject({ objects: [], folders: [] });
    });

    it("gives addresses that lead to the object, or says that it has none", async () => {
      const key = `${folder()}/a`;
      await put(key, bytes(50));
      for (const url of [storage.publicUrl(key), await storage.presignedUrl(key, 60)]) {
        if (url === null) continue;
        const response = await fetch(url);
        expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes(50));
      }
    });
  });
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
