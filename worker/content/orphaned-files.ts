import { and, eq, inArray, lte, type SQL, sql } from "drizzle-orm";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import { arContent, companies, type Database, type OrphanedFileRow, orphanedFiles } from "../db/tables.ts";
import { Transaction } from "../db/transaction.ts";
import { logFailure } from "../log.ts";
import { isConnectionOf } from "../storage/connection-store.ts";
import type { Storages } from "../storage/open.ts";
import { FILE_KINDS, type FileKind } from "./file-kinds.ts";
import { type FilePlace, placeColumns } from "./files.ts";

/**
 * The life of a file that no content names. A request reserves a file before it stores the first byte; the
 * transaction in which content names the file deletes the reservation. Whatever does not get that far, and every
 * file that is replaced, is deleted: at once, or by the sweep. While a row exists, the storage connection cannot be
 * deleted. Times are milliseconds since 1970.
 */

/** Time for which a reservation holds: longer than any request takes. */
const RESERVED_MILLISECONDS = 24 * 3_600_000;

/** The wait after a file could not be deleted. */
const RETRY_MILLISECONDS = 600_000;

/** Time after which a file that cannot be deleted is given up, so that its connection can be deleted. */
const GIVEN_UP_MILLISECONDS = 30 * 24 * 3_600_000;

/** Most files per call. D1 accepts 100 parameters in a statement. */
const MAX_FILES = 50;

/** A file that may be stored now, and be named once. */
export interface ReservedFile extends FilePlace {
  /** The id of the reservation. */
  readonly id: string;
}

/**
 * Reserves files in the storage that the company's new files go to when the statement runs. That connection cannot
 * be deleted until content names the files or they are discarded.
 */
export async function reserveFiles(
  db: Database,
  {
    companyId,
    contentId,
    paths,
    now,
  }: {
    readonly companyId: string;
    readonly contentId: string;
    readonly paths: readonly string[];
    readonly now: number;
  },
): Promise<ReservedFile[]> {
  const transaction = new Transaction();
  const reserved = paths.map((path) => {
    const file = {
      id: crypto.randomUUID(),
      companyId: companies.id,
      contentId,
      storageId: companies.storageConnectionId,
      path,
      isReserved: true,
      createdAt: now,
      dueAt: now + RESERVED_MILLISECONDS,
    };
    const source = sql`FROM ${companies} WHERE ${eq(companies.id, companyId)}`;
    return transaction.add(insertSelect(db, orphanedFiles, file, source).returning());
  });
  await transaction.commit(db);
  return reserved.flatMap((rows) => rows());
}

/** The condition that files are still reserved, and so still stored. */
export function areReserved(db: Database, ids: readonly string[]): SQL {
  const held = db
    .select({ held: sql`count(*)` })
    .from(orphanedFiles)
    .where(and(inArray(orphanedFiles.id, [...ids]), eq(orphanedFiles.isReserved, true)));
  return sql`${held} = ${ids.length}`;
}

/** Returns the statement that ends reservations whose content names the file. It belongs after the change. */
export function releaseNamed(db: Database, ids: readonly string[]) {
  return db.delete(orphanedFiles).where(and(inArray(orphanedFiles.id, [...ids]), isNamed));
}

/**
 * Returns the statement that records the current file of a content as orphaned. It belongs before the statement
 * that replaces the file, and has the same condition.
 */
export function orphanReplaced(
  db: Database,
  {
    id,
    contentId,
    kind,
    condition,
    now,
  }: {
    readonly id: string;
    readonly contentId: string;
    readonly kind: FileKind;
    readonly condition: SQL | undefined;
    readonly now: number;
  },
) {
  const { storageId, path } = placeColumns(kind);
  return insertSelect(
    db,
    orphanedFiles,
    {
      id,
      companyId: arContent.companyId,
      contentId: arContent.id,
      storageId,
      path: sql`${path}`,
      isReserved: false,
      createdAt: now,
      dueAt: now,
    },
    sql`FROM ${arContent} WHERE ${and(eq(arContent.id, contentId), sql`${path} IS NOT NULL`, condition)}`,
  );
}

/** Records an upload in parts, in a connection that still exists, as orphaned. */
export async function recordOrphan(
  db: Database,
  file: FilePlace & Pick<OrphanedFileRow, "companyId" | "contentId" | "uploadId">,
  now: number,
): Promise<void> {
  const row = { ...file, id: crypto.randomUUID(), isReserved: false, createdAt: now, dueAt: now };
  await insertIf(db, orphanedFiles, row, isConnectionOf(db, file.companyId, file.storageId));
}

interface Services {
  readonly db: Database;
  readonly storages: Storages;
}

/** Discards files, unless content names them. Files that cannot be deleted now are left to the sweep. */
export async function discardFiles(services: Services, ids: readonly string[], now: number): Promise<void> {
  await discard(services, inArray(orphanedFiles.id, [...ids]), now);
}

/** Deletes files that are due. */
export async function sweepFiles(services: Services, now: number): Promise<void> {
  await discard(services, lte(orphanedFiles.dueAt, now), now);
}

async function discard({ db, storages }: Services, which: SQL, now: number): Promise<void> {
  try {
    const due = db.select({ id: orphanedFiles.id }).from(orphanedFiles).where(which).limit(MAX_FILES);
    const [, files] = await db.batch([
      db.delete(orphanedFiles).where(and(inArray(orphanedFiles.id, due), isNamed)),
      // From now on, no request can make content name them.
      db
        .update(orphanedFiles)
        .set({ isReserved: false, dueAt: now + RETRY_MILLISECONDS })
        .where(inArray(orphanedFiles.id, due))
        .returning(),
    ]);
    const gone: string[] = [];
    const failed = new Set<string | null>();
    for (const { id, storageId, path, uploadId, createdAt } of files) {
      // The next file of a storage that is down would only wait too.
      if (failed.has(storageId)) continue;
      try {
        const storage = await storages.open(storageId);
        if (uploadId !== null) await storage.multipart?.abort(path, uploadId);
        await storage.delete(path);
        gone.push(id);
      } catch (error) {
        const isGivenUp = now - createdAt >= GIVEN_UP_MILLISECONDS;
        logFailure(
          isGivenUp
            ? "An unused file could not be deleted for 30 days and is given up"
            : "An unused file could not be deleted; the sweep will retry",
          error,
          { path },
        );
        failed.add(storageId);
        if (isGivenUp) gone.push(id);
      }
    }
    if (gone.length > 0) await db.delete(orphanedFiles).where(inArray(orphanedFiles.id, gone));
  } catch (error) {
    logFailure("Unused files are left to the sweep", error);
  }
}

/** The condition that the content of a recorded file names it. */
const isNamed = sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${and(
  sql`${arContent.id} = ${orphanedFiles.contentId}`,
  sql`(${sql.join(
    FILE_KINDS.map((kind) => {
      const { storageId, path } = placeColumns(kind);
      return sql`(${path} = ${orphanedFiles.path} AND ${storageId} IS ${orphanedFiles.storageId})`;
    }),
    sql` OR `,
  )})`,
)})`;
