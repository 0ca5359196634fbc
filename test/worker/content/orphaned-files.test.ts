import { expect, it, vi } from "vitest";
import { recordOrphan, sweepFiles } from "../../../worker/content/orphaned-files.ts";
import { orphanedFiles } from "../../../worker/db/tables.ts";
import { Edge } from "../edge.ts";

it("a file that cannot be deleted is retried every 10 minutes, and given up after 30 days", async () => {
  const edge = new Edge();
  const { content } = await edge.submit();
  const storage = await edge.bindings.storages.open(null);
  const remove = vi.spyOn(storage, "delete").mockRejectedValue(new Error("The storage is read-only."));
  const { company_id: companyId, id: contentId } = content;
  await recordOrphan(
    edge.db,
    { companyId, contentId, storageId: null, path: "unused", uploadId: null },
    edge.clock,
  );
  const tries = async (seconds: number) => {
    edge.pass(seconds);
    await sweepFiles(edge.bindings, edge.clock);
    return remove.mock.calls.length;
  };
  expect([await tries(0), await tries(599), await tries(1), await tries(600)]).toEqual([1, 1, 2, 3]);
  await tries(30 * 24 * 3600 - 1201);
  expect(await edge.db.select().from(orphanedFiles)).toHaveLength(1);
  await tries(600);
  expect(await edge.db.select().from(orphanedFiles)).toEqual([]);
});
