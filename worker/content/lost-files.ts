import { and, eq, inArray, isNotNull, isNull, not, sql } from "drizzle-orm";
import {
  arContent,
  type Content,
  compileTasks,
  type Database,
  storageConnections,
  touched,
} from "../db/tables.ts";
import { removeGivenUp } from "../storage/connection-store.ts";
import { recordEvent } from "../webhooks/events.ts";
import { FILE_KINDS } from "./file-kinds.ts";
import { fileValues, hasFileIn, placeColumns } from "./files.ts";
import { endRetention } from "./retention.ts";
import { openStore } from "./store.ts";

/**
 * What becomes of content when the files of a storage connection are given up: a photo whose original is lost is
 * deleted; any other loses the files that are gone. The sweep does it, in slices.
 */

/**
 * Deletes and changes content whose files were given up, at most `limit` of each connection; then the connections
 * that nothing uses any more.
 */
export async function sweepLostFiles(db: Database, limit: number, now: number): Promise<void> {
  const connections = await db
    .select()
    .from(storageConnections)
    .where(isNotNull(storageConnections.givenUpAt));
  for (const { id, companyId } of connections) {
    const store = await openStore(db, companyId);
    await db.batch(endRetention(db, { companyId, storageId: id }, now));
    const contents = await db
      .select()
      .from(arContent)
      .where(and(eq(arContent.companyId, companyId), isNull(arContent.deletedAt), hasFileIn(id)))
      .limit(limit);
    for (const content of contents) {
      // A photo that somebody changes at this moment is left to the next sweep.
      const removal = { expected: content, keepFiles: false, now };
      if (content.imageStorageId === id) await store.remove(content.id, removal);
      else {
        if (content.videoStorageId === id) await store.replaceVideo(content, null, removal);
        await forgetFiles(db, content, id, now);
      }
    }
    if (contents.length === 0) await removeGivenUp(db, id);
  }
}

/** Makes content name none of the files in a storage. Without its marker, it has to be compiled again. */
async function forgetFiles(db: Database, { id, generation }: Content, storageId: string, now: number) {
  for (const kind of FILE_KINDS) {
    if (kind === "image" || kind === "video") continue;
    const isThere = and(eq(arContent.id, id), eq(placeColumns(kind).storageId, storageId));
    if (kind !== "marker") {
      await db
        .update(arContent)
        .set({ ...fileValues(kind, null), updatedAt: touched(now) })
        .where(isThere);
      continue;
    }
    const isCompiling = inArray(arContent.markerStatus, ["pending", "processing"]);
    const message = "The marker was in a storage whose files were given up. Compile the photo again.";
    await db.batch([
      db
        .update(compileTasks)
        .set({ state: "failed", errorCode: "storage_not_found", errorMessage: message, finishedAt: now })
        .where(
          and(
            eq(compileTasks.contentId, id),
            eq(compileTasks.generation, generation),
            sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${and(isThere, not(isCompiling))})`,
          ),
        ),
      db
        .update(arContent)
        .set({
          ...fileValues("marker", null),
          markerGeneratedAt: null,
          markerMetadata: null,
          markerStatus: sql`CASE WHEN ${isCompiling} THEN ${arContent.markerStatus} ELSE 'failed' END`,
          updatedAt: touched(now),
        })
        .where(isThere),
      ...recordEvent(db, {
        type: "marker.failed",
        contentId: id,
        now,
        condition: sql`changes() > 0 AND ${arContent.markerStatus} = 'failed'`,
      }),
    ]);
  }
}
