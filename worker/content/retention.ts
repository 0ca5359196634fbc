import { and, eq, gt, isNotNull, isNull, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { isListed } from "../db/is-listed.ts";
import { arContent, companies, type Database, orphanedFiles, storedFiles } from "../db/tables.ts";
import { FILE_KINDS } from "./file-kinds.ts";
import { placeColumns } from "./files.ts";
import type { Quotas } from "./quotas.ts";

/** Time for which deleted and replaced files are kept, so that an older state of the database still finds them. */
const KEPT_MILLISECONDS = 24 * 3_600_000;

/** Files that are deleted now. */
interface DeletedFiles {
  readonly companyId: SQLWrapper | string;
  /** Their size, as far as rows have it. */
  readonly bytes: SQL | number;
  /** The quotas of companies without quotas of their own. Null: the files are not kept. */
  readonly quotas: Quotas | null;
  readonly now: number;
}

/**
 * Returns when the sweep deletes files, as SQL: after 24 hours, or at once when the company has as many deleted files as
 * it may, in bytes or number, by its quotas. So it never stores more than twice its quota.
 */
export function deletionTime({ companyId, bytes, quotas, now }: DeletedFiles): SQL {
  if (!quotas) return sql`${now}`;
  const quota = (column: SQLWrapper, byDefault: number) =>
    sql`coalesce((SELECT ${column} FROM ${companies} WHERE ${companies.id} = ${companyId}), ${byDefault})`;
  const deleted = (column: SQLWrapper) =>
    sql`coalesce((SELECT sum(${column}) FROM ${storedFiles}
      WHERE ${storedFiles.companyId} = ${companyId} AND ${storedFiles.isDeleted} = 1), 0)`;
  const maxBytes = quota(companies.maxBytes, quotas.bytes);
  const maxContents = quota(companies.maxContents, quotas.contents);
  return sql`CASE WHEN (${maxBytes} = 0 OR ${deleted(storedFiles.bytes)} + ${bytes} <= ${maxBytes})
    AND (${maxContents} = 0 OR ${deleted(storedFiles.files)} < ${FILE_KINDS.length} * ${maxContents})
    THEN ${now + KEPT_MILLISECONDS} ELSE ${now} END`;
}

/** Reads how many deleted files of a company are kept, and their bytes as far as rows have them. */
export function readDeleted(db: Database, companyId: string) {
  const total = (column: typeof storedFiles.files | typeof storedFiles.bytes) =>
    sql<number>`coalesce(sum(${column}), 0)`.mapWith(Number);
  return db
    .select({ files: total(storedFiles.files), bytes: total(storedFiles.bytes) })
    .from(storedFiles)
    .where(and(eq(storedFiles.companyId, companyId), eq(storedFiles.isDeleted, true)));
}

/**
 * Returns the statements that let the sweep delete the deleted files in a storage at once.
 *
 * @param storageId null: the platform's own bucket
 */
export function endRetention(
  db: Database,
  { companyId, storageId }: { readonly companyId: string; readonly storageId: string | null },
  now: number,
) {
  const ofCompany = and(eq(orphanedFiles.companyId, companyId), gt(orphanedFiles.dueAt, now));
  return [
    db
      .update(orphanedFiles)
      .set({ dueAt: now })
      .where(and(ofCompany, isIn(orphanedFiles.storageId, storageId), eq(orphanedFiles.isReserved, false))),
    db
      .update(arContent)
      .set({ deletedAt: now })
      .where(
        and(
          eq(arContent.companyId, companyId),
          gt(arContent.deletedAt, now),
          isNotNull(arContent.removedAt),
          hasStored(storageId),
        ),
      ),
  ] as const;
}

/** Returns the statement that lets the sweep delete the replaced and moved files of deleted contents at once. */
export function endRetentionOf(
  db: Database,
  { companyId, contentIds }: { readonly companyId: string; readonly contentIds: readonly string[] },
  now: number,
) {
  const isDeleted = sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${and(
    eq(arContent.id, orphanedFiles.contentId),
    isNotNull(arContent.removedAt),
  )})`;
  return db
    .update(orphanedFiles)
    .set({ dueAt: now })
    .where(
      and(
        isListed(orphanedFiles.contentId, contentIds),
        eq(orphanedFiles.companyId, companyId),
        eq(orphanedFiles.isReserved, false),
        isDeleted,
      ),
    );
}

/**
 * Selects the time by which the deleted files in a storage are removed; null without any. Deleted photos count wherever
 * their files are, so that one row is read, however many there are.
 */
export function selectKeptUntil(db: Database, companyId: string, storageId: string) {
  const { dueAt } = orphanedFiles;
  const { deletedAt } = arContent;
  const orphaned = sql`(SELECT ${dueAt} FROM ${orphanedFiles} WHERE ${and(
    eq(orphanedFiles.storageId, storageId),
    eq(orphanedFiles.isReserved, false),
  )} ORDER BY ${dueAt} DESC LIMIT 1)`;
  const removed = sql`(SELECT ${deletedAt} FROM ${arContent} WHERE ${and(
    eq(arContent.companyId, companyId),
    isNotNull(deletedAt),
    isNotNull(arContent.removedAt),
  )} ORDER BY ${deletedAt} DESC LIMIT 1)`;
  return db
    .select({ until: sql<number | null>`nullif(max(coalesce(${orphaned}, 0), coalesce(${removed}, 0)), 0)` })
    .from(companies)
    .where(eq(companies.id, companyId));
}

/** The condition that a row of `ar_content` has a file in a storage. */
function hasStored(storageId: string | null): SQL | undefined {
  return or(
    ...FILE_KINDS.map((kind) => {
      const place = placeColumns(kind);
      return and(isNotNull(place.path), isIn(place.storageId, storageId));
    }),
  );
}

function isIn(column: AnySQLiteColumn, storageId: string | null): SQL {
  return storageId === null ? isNull(column) : eq(column, storageId);
}
