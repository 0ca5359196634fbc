import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { FILE_KINDS } from "../../../worker/content/file-kinds.ts";
import { placeValues } from "../../../worker/content/files.ts";
import { arContent } from "../../../worker/db/tables.ts";
import { Edge, refusal } from "../edge.ts";

let edge: Edge;

beforeEach(() => {
  edge = new Edge();
});

describe.each(FILE_KINDS)("a file of the kind %s", (kind) => {
  it("is counted, and its storage connection cannot be deleted", async () => {
    const { id } = await edge.connection("second");
    const { content } = await edge.submit();
    const place = { storageId: id, path: "a/file" };
    await edge.db.update(arContent).set(placeValues(kind, place)).where(eq(arContent.id, content.id));

    const path = `/api/storage-connections/${id}`;
    expect(await edge.json(path)).toMatchObject({ files: { count: 1 }, deleted_files: { count: 0 } });
    const problem = await refusal(await edge.fetch(path, { method: "DELETE" }));
    expect(problem).toMatchObject({
      code: "storage_in_use",
      detail: "This connection cannot be deleted: it holds 1 of your files.",
    });

    const platform = { storageId: null, path: "a/file" };
    await edge.db.update(arContent).set(placeValues(kind, platform)).where(eq(arContent.id, content.id));
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
  });
});
