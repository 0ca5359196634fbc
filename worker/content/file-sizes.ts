import { and, eq, isNull } from "drizzle-orm";
import type { Bindings } from "../bindings.ts";
import { arContent, type Content } from "../db/tables.ts";
import { KINDS } from "./file-kinds.ts";
import { placeColumns, placeOf } from "./files.ts";

/**
 * Records the sizes of a content's files that were stored before sizes were recorded. A file that is missing has none.
 *
 * @throws the storage's error
 */
export async function recordSizes(
  { db, storages }: Pick<Bindings, "db" | "storages">,
  content: Content,
): Promise<void> {
  for (const kind of ["thumbnail", "qr_code"] as const) {
    const place = placeOf(content, kind);
    const size = KINDS[kind].columns.bytes;
    if (!place || content[size] !== null) continue;
    const stored = await (await storages.open(place.storageId)).head(place.path);
    await db
      .update(arContent)
      .set({ [size]: stored?.size ?? 0 })
      .where(
        and(eq(arContent.id, content.id), eq(placeColumns(kind).path, place.path), isNull(arContent[size])),
      );
  }
}
