import { and, eq, inArray, lte, type SQL, sql } from "drizzle-orm";
import { companiesWith } from "../db/companies-with.ts";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import { isListed } from "../db/is-listed.ts";
import { arContent, companies, type Database, type OrphanedFileRow, orphanedFiles } from "../db/tables.ts";
import { Transaction } from "../db/transaction.ts";
import { logFailure } from "../log.ts";
import { isConnectionOf } from "../storage/connection-store.ts";
import type { Storages } from "../storage/open.ts";
import { FILE_KINDS, type FileKind, KINDS } from "./file-kinds.ts";
import { type FilePlace, placeColumns } from "./files.ts";
import type { Quotas } from "./quotas.ts";
import { deletionTime } from "./retention.ts";

/**
 * The life of a file that no content names. A request reserves a file before it stores the first byte; the
 * transaction in which content names the file deletes the reservation. Whatever does not get that far is deleted at
 * once, or by the sweep; a file that is replaced or moved, after a while (worker/content/retention.ts). While a row
 * exists, the storage connection cannot be deleted. Times are milliseconds since 1970.
 */

/** Time for which a reservation holds: longer than any request takes. */
const RESERVED_MILLISECONDS = 24 * 3_600_000;

/** The wait after a file could not be deleted. */
export const RETRY_MILLISECONDS = 600_000;

/** Time after which a file that cannot be deleted is given up, so that its connection can be deleted. */
const GIVEN_UP_MILLISECONDS = 30 * 24 * 3_600_000;

/** Most files per sweep, and of one request to a storage. */
const MAX_FILES = 1000;

/** Number of files in a row that cannot be deleted, after which the storage itself is at fault. */
const MAX_FAILURES_IN_ROW = 3;

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
    quotas,
    now,
  }: {
    readonly id: string;
    readonly contentId: string;
    readonly kind: FileKind;
    readonly condition: SQL | undefined;
    /** The quotas of companies without quotas of their own. Null: the file is not kept. */
    readonly quotas: Quotas | null;
    readonly now: number;
  },
) {
  const { storageId, path } = placeColumns(kind);
  const { companyId } = arContent;
  const bytes = sql.raw(KINDS[kind].bytes);
  return insertSelect(
    db,
    orphanedFiles,
    {
      id,
      companyId,
      contentId: arContent.id,
      storageId,
      path: sql`${path}`,
      bytes,
      isReserved: false,
      createdAt: now,
      dueAt: deletionTime({ companyId, bytes: sql`coalesce(${bytes}, 0)`, quotas, now }),
    },
    sql`FROM ${arContent} WHERE ${and(eq(arContent.id, contentId), sql`${path} IS NOT NULL`, condition)}`,
  );
}

/** Records an upload in parts, in a connection that still exists, as orphaned. The sweep aborts it when it is due. */
export async function recordOrphan(
  db: Database,
  file: FilePlace & Pick<OrphanedFileRow, "companyId" | "contentId" | "uploadId">,
  now: number,
  dueAt: number = now,
): Promise<void> {
  const row = { ...file, id: crypto.randomUUID(), isReserved: false, createdAt: now, dueAt };
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

/** Deletes files that are due: first the oldest of each company. */
export async function sweepFiles(services: Services, now: number): Promise<void> {
  const { companyId, dueAt } = orphanedFiles;
  const ofCompany = sql`SELECT rowid FROM ${orphanedFiles} WHERE ${companyId} = waiting.company_id
    AND ${lte(dueAt, now)} ORDER BY ${dueAt} LIMIT ${MAX_FILES}`;
  const due = sql`(
    WITH RECURSIVE ${companiesWith(orphanedFiles, sql`1`)}
    SELECT ${orphanedFiles.id} FROM waiting JOIN ${orphanedFiles} ON ${orphanedFiles}.rowid IN (${ofCompany})
    ORDER BY row_number() OVER (PARTITION BY ${companyId} ORDER BY ${dueAt}) LIMIT ${MAX_FILES})`;
  await discard(services, sql`${orphanedFiles.id} IN ${due}`, now);
}

async function discard({ db, storages }: Services, which: SQL, now: number): Promise<void> {
  try {
    const [, files] = await db.batch([
      db.delete(orphanedFiles).where(and(which, isNamed)),
      // From now on, no request can make content name them.
      db
        .update(orphanedFiles)
        .set({ isReserved: false, dueAt: now + RETRY_MILLISECONDS })
        .where(which)
        .returning(),
    ]);
    // Storages do not wait for each other: one may hang.
    const ofStorages = Map.groupBy(files, ({ storageId }) => storageId);
    const deleteOwn = async (own: readonly OrphanedFileRow[]) => {
      const gone = await deleteFromStorage(storages, own, now);
      const ids = gone.map(({ id }) => id);
      if (ids.length > 0) await db.delete(orphanedFiles).where(isListed(orphanedFiles.id, ids));
    };
    await Promise.all(Array.from(ofStorages.values(), deleteOwn));
  } catch (error) {
    logFailure("Unused files are left to the sweep", error);
  }
}

/** Deletes files of one storage. @returns those that are gone, or given up */
async function deleteFromStorage(
  storages: Storages,
  files: readonly OrphanedFileRow[],
  now: number,
): Promise<readonly OrphanedFileRow[]> {
  try {
    const storage = await storages.open(files[0].storageId);
    for (const { path, uploadId } of files) {
      if (uploadId !== null) await storage.multipart?.abort(path, uploadId);
    }
    await storage.delete(files.map(({ path }) => path));
    return files;
  } catch (error) {
    if (files.length > 1) return deleteOneByOne(storages, files, now);
    const [{ path, createdAt }] = files;
    const isGivenUp = now - createdAt >= GIVEN_UP_MILLISECONDS;
    logFailure(
      isGivenUp
        ? "An unused file could not be deleted for 30 days and is given up"
        : "An unused file could not be deleted; the sweep will retry",
      error,
      { path },
    );
    return isGivenUp ? files : [];
  }
}

/** Deletes files of one storage one by one, so that one that cannot be deleted does not keep the others. */
async function deleteOneByOne(storages: Storages, files: readonly OrphanedFileRow[], now: number) {
  const gone: OrphanedFileRow[] = [];
  let failures = 0;
  for (const file of files) {
    const deleted = await deleteFromStorage(storages, [file], now);
    gone.push(...deleted);
    failures = deleted.length === 0 ? failures + 1 : 0;
    if (failures === MAX_FAILURES_IN_ROW) break;
  }
  return gone;
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
