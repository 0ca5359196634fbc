import { eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FILE_KINDS } from "../../../worker/content/file-kinds.ts";
import { placeOf } from "../../../worker/content/files.ts";
import { sweepFiles } from "../../../worker/content/orphaned-files.ts";
import { arContent, type Content, companies, orphanedFiles } from "../../../worker/db/tables.ts";
import type { ArContent, CompanyUsage } from "../../../worker/schemas.ts";
import type { StorageProvider } from "../../../worker/storage/provider.ts";
import type { StorageConnection } from "../../../worker/storage/schemas.ts";
import { takeTurn } from "../../../worker/storage-migration/turn.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { mind, png, video } from "../fixtures.ts";

const HOURS = 3600;

/** A JPEG of 120 × 90 px, as far as its header tells. */
const THUMBNAIL = Uint8Array.from([
  0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0, 90, 0, 120, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0,
]);

let edge: Edge;

beforeEach(async () => {
  edge = new Edge();
  await edge.removeDeletedFiles();
  await edge.db.update(companies).set({ maxBytes: null, maxContents: null });
});

async function attach({ id }: ArContent, length = 5000): Promise<void> {
  const headers = { "Content-Length": String(length) };
  await edge.json(`/api/ar-content/${id}/video`, { method: "PUT", body: video("mp4", length), headers });
}

async function deliver({ id }: ArContent, token: string | undefined, pictures = {}): Promise<void> {
  const headers = { "Vivimark-Lease": token ?? "" };
  const body = form({ marker: mind(), thumbnail: THUMBNAIL, ...pictures });
  await edge.json(`/api/ar-content/${id}/marker`, { method: "PUT", headers, body });
}

const WITH_PICTURE = { picture: THUMBNAIL };

/** Creates a photo with a marker, a thumbnail, a video and other pictures. */
async function living(pictures = {}): Promise<ArContent> {
  const { content, lease } = await edge.submit({ compile: "browser" });
  await deliver(content, lease?.token, pictures);
  await attach(content);
  return content;
}

const remove = ({ id }: ArContent, query = "") =>
  edge.fetch(`/api/ar-content/${id}${query}`, { method: "DELETE" });
const usage = () => edge.json<CompanyUsage>("/api/company/usage");

async function rowOf({ id }: ArContent): Promise<Content> {
  const [row] = await edge.db.select().from(arContent).where(eq(arContent.id, id));
  return row;
}

/** Returns the kinds of files that a row names and the storages have. */
async function storedKinds(content: Content): Promise<string[]> {
  const stored = await Promise.all(
    FILE_KINDS.map(async (kind) => {
      const place = placeOf(content, kind);
      const storage = await edge.bindings.storages.open(place?.storageId ?? null);
      return place && (await storage.head(place.path)) ? [kind] : [];
    }),
  );
  return stored.flat();
}

/** Changes all files of a photo, each in another way. */
const CHANGES: Readonly<Record<string, (content: ArContent) => Promise<unknown>>> = {
  "is deleted": remove,
  "gets another video": (content) => attach(content, 6000),
  "loses its video": ({ id }) => edge.fetch(`/api/ar-content/${id}/video`, { method: "DELETE" }),
  "gets another marker and thumbnail": async (content) => {
    const path = `/api/ar-content/${content.id}/marker/recompile`;
    const { lease } = await edge.json<{ lease: { token: string } }>(
      path,
      json("POST", { compile: "browser" }),
    );
    await deliver(content, lease.token, WITH_PICTURE);
  },
  "is replaced by another": ({ id }) =>
    edge.json(`/api/ar-content/${id}/image`, {
      method: "PUT",
      body: png(),
      headers: { "Content-Type": "image/png" },
    }),
  "is moved to another storage": async () => {
    const { id } = await edge.connection("second");
    await edge.json("/api/storage-migrations", json("POST", { to: id }));
    while (edge.moves.shift()) await takeTurn(edge.bindings);
  },
};

describe.each(Object.keys(CHANGES))("a photo that %s", (change) => {
  it("has all its files of before for 24 hours, so that a restored database finds them", async () => {
    const content = await living(WITH_PICTURE);
    const before = await rowOf(content);
    expect(await storedKinds(before)).toEqual(FILE_KINDS);
    await CHANGES[change](content);
    const after = await rowOf(content);
    edge.pass(24 * HOURS - 1);
    await sweep(edge.bindings, edge.clock);
    expect(await storedKinds(before)).toEqual(FILE_KINDS);

    edge.pass(1);
    await sweep(edge.bindings, edge.clock);
    const isNamed = (kind: (typeof FILE_KINDS)[number]) =>
      after.removedAt === null && placeOf(after, kind)?.path === placeOf(before, kind)?.path;
    expect(await storedKinds(before)).toEqual(FILE_KINDS.filter(isNamed));
    expect(await edge.db.select().from(orphanedFiles)).toEqual([]);
    expect((await rowOf(content)) === undefined).toBe(change === "is deleted");
    expect((await usage()).deleted_files).toEqual({ count: 0, bytes: 0 });
    await remove(content, "?keep_files=false");
  });
});

describe("deleted files", () => {
  it("do not count against the quotas, and are listed apart", async () => {
    const content = await living();
    const { contents, bytes } = await usage();
    await attach(content, 6000);
    expect(await usage()).toMatchObject({
      contents,
      bytes: { used: bytes.used + 1000 },
      deleted_files: { count: 1, bytes: 5000 },
    });
    const stored = (await edge.storage.list("", { recursive: true })).objects
      .filter(({ key }) => key.includes(content.unique_id))
      .reduce((sum, { size }) => sum + size, 0);
    expect((await remove(content)).status).toBe(204);
    expect(await usage()).toMatchObject({
      contents: { used: contents.used - 1 },
      deleted_files: { count: 6, bytes: stored },
    });
    const { items } = await edge.json<{ items: StorageConnection[] }>("/api/storage-connections");
    expect(items[0].deleted_files).toEqual({ count: 6, bytes: stored });
  });

  it("are removed at once on request: of a photo, of a video, and of a storage", async () => {
    const [one, other] = [await living(), await living()];
    await attach(one, 6000);
    expect((await remove(one, "?keep_files=false")).status).toBe(204);
    expect(await rowOf(one)).toBeUndefined();
    // Its first video, which had been replaced.
    await sweep(edge.bindings, edge.clock);
    expect(await edge.files(one)).toEqual([]);
    const path = `/api/ar-content/${other.id}/video?keep_files=false`;
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    expect(await edge.files(other)).toHaveLength(3);
    expect((await usage()).deleted_files.count).toBe(0);
    expect((await refusal(await remove(other, "?keep_files=no"))).code).toBe("invalid_input");

    await attach(other);
    await attach(other, 6000);
    await remove(other);
    await sweep(edge.bindings, edge.clock);
    expect(await edge.files(other)).toHaveLength(5);
    const now = { method: "DELETE" };
    expect((await edge.fetch("/api/storage-connections/platform/deleted-files", now)).status).toBe(204);
    expect([await edge.files(other), await rowOf(other)]).toEqual([[], undefined]);
  });

  it("keep their storage connection, which says until when, and how to remove them now", async () => {
    const { id } = await edge.connection("second");
    await edge.switchTo(id);
    const content = await living();
    await edge.switchTo("platform");
    await remove(content);
    const path = `/api/storage-connections/${id}`;
    const problem = await refusal(await edge.fetch(path, { method: "DELETE" }));
    const until = new Date(edge.clock + 24 * HOURS * 1000).toISOString();
    expect(problem).toMatchObject({
      code: "storage_in_use",
      detail: `This connection cannot be deleted: 5 deleted files in it are kept until ${until} at the latest. To remove them now: DELETE ${path}/deleted-files.`,
    });
    const elsewhere = json("PATCH", { settings: { bucket: "third" } });
    expect((await refusal(await edge.fetch(path, elsewhere))).code).toBe("storage_in_use");

    await edge.fetch(`${path}/deleted-files`, { method: "DELETE" });
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
  });

  it("are kept only as far as the quotas allow: as many bytes, and six files per photo", async () => {
    const content = await living();
    const { used } = (await usage()).bytes;
    await edge.db.update(companies).set({ maxBytes: 2 * used, maxContents: 1 });
    const length = Math.floor(0.9 * used);
    const kept: number[] = [];
    for (let n = 0; n < 5; n++) {
      await attach(content, length);
      await sweep(edge.bindings, edge.clock);
      kept.push((await usage()).deleted_files.bytes);
    }
    expect(kept).toEqual([1, 2, 3, 3, 3].map((videos) => 5000 + (videos - 1) * length));
    expect((await edge.files(content)).filter((key) => key.includes("/videos/"))).toHaveLength(4);
    expect((await remove(content)).status).toBe(204);
    expect([await rowOf(content), (await usage()).deleted_files.count]).toEqual([undefined, 3]);

    await edge.db.update(companies).set({ maxBytes: 0 });
    await remove(await living());
    expect((await usage()).deleted_files.count).toBe(8);
    const last = await living();
    await remove(last);
    expect([await rowOf(last), (await usage()).deleted_files.count]).toEqual([undefined, 8]);
  });

  it("are counted as the rows say, in every storage", async () => {
    const { id } = await edge.connection("second");
    const content = await living();
    await edge.switchTo(id);
    await attach(content, 6000);
    const other = await living();
    await edge.switchTo("platform");
    await attach(other, 7000);
    await remove(content);
    const places = (await edge.db.select().from(arContent)).flatMap((row) =>
      FILE_KINDS.map((kind) => ({ deleted: row.removedAt !== null, place: placeOf(row, kind) })),
    );
    const orphaned = await edge.db.select().from(orphanedFiles).where(eq(orphanedFiles.isReserved, false));
    const all = [...places, ...orphaned.map((place) => ({ deleted: true, place }))];
    const count = (storageId: string | null, isDeleted: boolean) =>
      all.filter(({ deleted, place }) => place && deleted === isDeleted && place.storageId === storageId)
        .length;
    const { items } = await edge.json<{ items: StorageConnection[] }>("/api/storage-connections");
    for (const connection of items) {
      const storageId = connection.built_in ? null : connection.id;
      expect([connection.files.count, connection.deleted_files.count]).toEqual([
        count(storageId, false),
        count(storageId, true),
      ]);
    }
    expect([count(id, false), count(id, true)]).toEqual([4, 2]);
    // An operator restores it.
    const { contents, bytes } = await usage();
    await edge.db.run(
      sql`UPDATE ar_content SET deleted_at = NULL, removed_at = NULL WHERE id = ${content.id}`,
    );
    expect((await edge.content(content.id)).video_bytes).toBe(6000);
    const restored = await usage();
    expect(restored.contents.used).toBe(contents.used + 1);
    expect(restored.bytes.used).toBeGreaterThan(bytes.used + 6000);
    for (const { id } of [content, other]) await remove({ id } as ArContent, "?keep_files=false");
  });

  it("are removed although one of them cannot be", async () => {
    const content = await living();
    for (const length of [6000, 7000, 8000]) await attach(content, length);
    const locked = (await edge.db.select().from(orphanedFiles))[1].path;
    const storage = await edge.bindings.storages.open(null);
    const { delete: whole } = Object.getPrototypeOf(storage) as StorageProvider;
    const refusing = async (keys: string | readonly string[]) => {
      if ([keys].flat().includes(locked)) throw new Error("This object is locked.");
      await whole.call(storage, keys);
    };
    const spies = [
      vi.spyOn(storage, "delete").mockImplementation(refusing),
      vi.spyOn(console, "error").mockImplementation(() => {}),
    ];
    edge.pass(24 * HOURS);
    await sweepFiles(edge.bindings, edge.clock);
    expect(await edge.db.select().from(orphanedFiles)).toMatchObject([{ path: locked }]);
    for (const spy of spies) spy.mockRestore();
    await remove(content, "?keep_files=false");
  });
});
