import { eq, sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { claimDeleted } from "../../worker/content/store.ts";
import { arContent, attempts } from "../../worker/db/tables.ts";
import { sweep } from "../../worker/sweep.ts";
import { addCompany } from "./company.ts";
import { Edge } from "./edge.ts";
import { png } from "./fixtures.ts";

const edge = new Edge();

/** Submits a photo and deletes it. @returns its id */
async function deleted(image: Uint8Array, owner?: { id: string; projectId: string }): Promise<string> {
  const { content } = await edge.submit({ image: new Uint8Array(image) });
  const { id } = content;
  if (owner) {
    await edge.db.run(sql`UPDATE compile_tasks SET company_id = ${owner.id} WHERE content_id = ${id}`);
    await edge.db.run(
      sql`UPDATE ar_content SET company_id = ${owner.id}, project_id = ${owner.projectId} WHERE id = ${id}`,
    );
  }
  edge.clock += 1000;
  await edge.db.update(arContent).set({ deletedAt: edge.clock }).where(eq(arContent.id, id));
  return id;
}

it("cleans up for a company and in the database while the storage of another company hangs", async () => {
  const ids: string[] = [];
  for (const width of [200, 210, 220]) ids.push(await deleted(png(width, 200)));
  const other = await deleted(png(230, 200), await addCompany(edge, "Other"));
  await edge.db.insert(attempts).values({ key: "old", count: 1, resetsAt: edge.clock - 1 });

  const due = await claimDeleted(edge.db, 2, edge.clock, edge.clock);
  expect(due.map(({ id }) => id).sort()).toEqual([ids[0], other].sort());

  const { storages } = edge.bindings;
  const hanging = Promise.withResolvers<never>();
  const hung = Promise.withResolvers<void>();
  const purged = Promise.withResolvers<void>();
  let calls = 0;
  const remaining = async () =>
    (await edge.db.select({ id: arContent.id }).from(arContent)).map(({ id }) => id);
  const storage = await storages.open(null);
  const remove = storage.delete.bind(storage);
  const [{ uniqueId }] = await edge.db.select().from(arContent).where(eq(arContent.id, other));
  storage.delete = async (keys) => {
    if (keys.length > 0 && !String(keys).includes(uniqueId)) {
      calls += 1;
      hung.resolve();
      return hanging.promise;
    }
    await remove(keys);
    purged.resolve();
  };
  const swept = sweep(edge.bindings, edge.clock);
  await Promise.all([hung.promise, purged.promise]);
  expect(await edge.db.select().from(attempts).where(eq(attempts.key, "old"))).toEqual([]);
  hanging.reject(new Error("The storage is down."));
  await swept;
  // One request, and not one for each photo.
  expect(calls).toBe(1);
  expect(await remaining()).toEqual(expect.arrayContaining(ids));
  expect(await remaining()).not.toContain(other);
});
