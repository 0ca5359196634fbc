import { eq, sql } from "drizzle-orm";
import { beforeEach, expect, it } from "vitest";
import { scoreTarget } from "../../../compiler/quality.ts";
import { placeOf } from "../../../worker/content/files.ts";
import { someContents } from "../../../worker/content/some-contents.ts";
import { arContent, hasOldScore } from "../../../worker/db/tables.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Edge, form } from "../edge.ts";
import { mind, target } from "../fixtures.ts";

const edge = new Edge();
let id: string;

/** Makes the stored score what it was before scores named their player. */
async function makeOld(change = sql`json_remove(marker_metadata, '$.quality.player')`) {
  await edge.db.update(arContent).set({ markerMetadata: change }).where(eq(arContent.id, id));
}

const row = async () => (await edge.db.select().from(arContent).where(eq(arContent.id, id)))[0];
const quality = async () => (await edge.content(id)).marker_metadata?.quality;
const markerPath = async () => placeOf(await row(), "marker")?.path ?? "";

beforeEach(async () => {
  await edge.db.run(sql`UPDATE ar_content SET marker_metadata = NULL`);
  const submission = await edge.submit({ compile: "browser" });
  id = submission.content.id;
  const headers = { "Vivimark-Lease": submission.lease?.token ?? "" };
  const put = { method: "PUT", headers, body: form({ marker: mind() }) };
  expect((await edge.fetch(`/api/ar-content/${id}/marker`, put)).status).toBe(200);
});

it("is MindAR's until the sweep scores the marker for our player", async () => {
  const today = scoreTarget(target());
  await makeOld(sql`json_set(json_remove(marker_metadata, '$.quality.player'), '$.quality.score', 7)`);
  const before = await row();
  expect(await quality()).toEqual({ ...today, player: "mindar", score: 7 });
  await sweep(edge.bindings, edge.clock);
  expect(await quality()).toEqual(today);
  const after = await row();
  expect({ ...after, markerMetadata: null }).toEqual({ ...before, markerMetadata: null });
  expect({ ...after.markerMetadata, quality: null }).toEqual({ ...before.markerMetadata, quality: null });
  expect(await someContents(edge.db, hasOldScore, 10)).toEqual([]);
});

it.each([
  ["was never scored", sql`json_remove(marker_metadata, '$.quality')`],
  ["has null as its quality", sql`json_set(marker_metadata, '$.quality', NULL)`],
])("is added to a marker that %s", async (_, change) => {
  await makeOld(change);
  expect(await quality()).toBeNull();
  await sweep(edge.bindings, edge.clock);
  expect(await quality()).toEqual(scoreTarget(target()));
});

it.each([
  ["is missing", async (path: string) => edge.storage.delete(path)],
  [
    "is not a marker",
    async (path: string) =>
      edge.storage.upload(path, new Uint8Array(9), { length: 9, contentType: "application/octet-stream" }),
  ],
])("stays MindAR's when the marker's file %s, and is not tried again", async (_, spoil) => {
  await makeOld();
  await spoil(await markerPath());
  await sweep(edge.bindings, edge.clock);
  expect(await quality()).toEqual({ ...scoreTarget(target()), player: "mindar" });
  expect(await someContents(edge.db, hasOldScore, 10)).toEqual([]);
});

it("waits for a storage that is down", async () => {
  await makeOld();
  const { download } = edge.storage;
  edge.storage.download = async () => {
    throw new Error("The storage is down.");
  };
  await sweep(edge.bindings, edge.clock);
  expect((await quality())?.player).toBe("mindar");
  edge.storage.download = download;
  await sweep(edge.bindings, edge.clock);
  expect(await quality()).toEqual(scoreTarget(target()));
});

it("is found by an index", async () => {
  const plan = await edge.db.all<{ detail: string }>(
    sql`EXPLAIN QUERY PLAN SELECT id FROM ar_content
      WHERE (marker_metadata IS NOT NULL AND json_extract(marker_metadata, '$.quality.player') IS NULL) AND id >= 'a'
      ORDER BY id LIMIT 20`,
  );
  expect(plan.map(({ detail }) => detail).join()).toContain("ar_content_old_score");
});
