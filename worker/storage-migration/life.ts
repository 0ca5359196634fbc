import {
  and,
  count,
  desc,
  eq,
  getTableColumns,
  gte,
  inArray,
  isNull,
  lte,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { FILE_KINDS, type FileKind } from "../content/file-kinds.ts";
import { type FilePlace, placeColumns, placeOf, placeValues } from "../content/files.ts";
import { movedPath } from "../content/paths.ts";
import type { Quotas } from "../content/quotas.ts";
import { deletionTime } from "../content/retention.ts";
import { deleteSome } from "../db/delete-some.ts";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import { nextInTurn } from "../db/next-in-turn.ts";
import {
  arContent,
  type CopiedPart,
  companies,
  type Database,
  type FileMoveRow,
  fileMoves,
  isUnfinishedMove,
  moveCounts,
  orphanedFiles,
  type StorageMigrationRow,
  storageMigrations,
  storedFiles,
} from "../db/tables.ts";
import type { Failure } from "../errors.ts";
import { hex } from "../sha256.ts";
import { acceptsFiles, isConnectionOf, nameOfStorage } from "../storage/connection-store.ts";

/**
 * The states of a storage migration, which moves a company's files to another connection. `storage_migrations`
 * has one row per storage migration, with its lease; `file_moves` has one row per file. Every transition is one
 * guarded UPDATE.
 *
 * A file's row in `file_moves` is written before its first byte is copied and has the path of the copy, so a crash
 * leaves no file without a row. One statement repoints the content once the copy was read back and compared; from then
 * on, the old copy is an orphaned file (worker/content/orphaned-files.ts). Times are milliseconds since 1970 and come from the caller.
 */

/** Attempts to copy one file, and to delete one orphaned copy, before the file is given up. */
export const MAX_ATTEMPTS = 5;

/** Finished storage migrations of one company that are kept. Each has a row for every file. */
const MAX_FINISHED = 20;

/**
 * Number of failed files in a row after which the storage itself is at fault, and the storage migration pauses. With as
 * many files that wait for another attempt, no further file is begun.
 */
export const MAX_FAILURES_IN_ROW = 3;

/** Storage migrations of one company that have a turn at the same time. */
const TURNS_AT_ONCE = 2;

/** Queues deliver on whole seconds, so a message may come this much before its time. */
const EARLY_MILLISECONDS = 1000;

/**
 * Work is left: files to move, or orphaned copies of a cancelled storage migration to delete. Literal, as SQLite uses
 * a partial index only for its own condition.
 */
const hasWork = sql`${storageMigrations.state} IN ('running', 'cancelled') AND ${storageMigrations.finishedAt} IS NULL`;

export interface NewStorageMigration {
  readonly id?: string;
  readonly companyId: string;
  /** Null: the platform's own bucket. */
  readonly toStorageId: string | null;
  /** The content whose video alone is moved; by default every file of the company is. */
  readonly videoOf?: string;
  /** Records who started it; the platform's own storage migrations have no audit entry. */
  readonly audit?: Audit;
  readonly now: number;
}

/**
 * Starts a storage migration. Its first queue message is the caller's to send.
 *
 * @returns undefined if another storage migration already moves all files of the company, or the connection does not
 *   exist any more or its files were given up
 */
export async function start(
  db: Database,
  { id = crypto.randomUUID(), companyId, toStorageId, videoOf, audit, now }: NewStorageMigration,
): Promise<StorageMigrationRow | undefined> {
  const row = {
    id,
    companyId,
    toStorageId,
    videoOf,
    state: "running",
    nextMessageAt: now,
    createdAt: now,
    updatedAt: now,
  } as const;
  const inserted = insertIf(db, storageMigrations, row, acceptsFiles(db, companyId, toStorageId))
    .onConflictDoNothing()
    .returning();
  const [started] = await (audit
    ? audit.record(inserted, "migration.started", { id, name: nameOfStorage(toStorageId) })
    : inserted);
  return started;
}

export interface Claim {
  readonly migration: StorageMigrationRow;
  /** A secret of the holder. */
  readonly lease: string;
}

/**
 * Leases the storage migration whose turn it is: companies take turns, and so do the storage migrations of each.
 * Undefined when none is due.
 */
export async function claim(db: Database, leaseSeconds: number, now: number): Promise<Claim | undefined> {
  const lease = hex(crypto.getRandomValues(new Uint8Array(16)));
  const { companyId, lease: held } = storageMigrations;
  const [[migration]] = await db.batch([
    db
      .update(storageMigrations)
      .set({ lease, leaseExpiresAt: now + leaseSeconds * 1000 })
      .where(eq(storageMigrations.id, nextTurn(now, now + EARLY_MILLISECONDS)))
      .returning(),
    db
      .update(companies)
      .set({ movedAt: now })
      .where(
        eq(
          companies.id,
          sql`(SELECT ${companyId} FROM ${storageMigrations} WHERE ${held} IS NOT NULL AND ${held} = ${lease})`,
        ),
      ),
  ]);
  return migration && { migration, lease };
}

/** Returns the storage migration whose turn it is; undefined when none is due. */
export async function findNext(db: Database, now: number): Promise<{ id: string } | undefined> {
  const [next] = await db
    .select({ id: storageMigrations.id })
    .from(storageMigrations)
    .where(eq(storageMigrations.id, nextTurn(now, now)));
  return next;
}

function nextTurn(now: number, dueBy: number): SQL {
  const { lease, leaseExpiresAt, nextMessageAt } = storageMigrations;
  return nextInTurn({
    table: storageMigrations,
    isOpen: hasWork,
    isReady: sql`${nextMessageAt} <= ${dueBy} AND (${lease} IS NULL OR ${leaseExpiresAt} <= ${now})`,
    isTaken: sql`${lease} IS NOT NULL AND ${leaseExpiresAt} > ${now}`,
    since: sql`${nextMessageAt}`,
    lastTurn: companies.movedAt,
    atOnce: TURNS_AT_ONCE,
  });
}

/** Extends a lease. False when it is lost, or the storage migration was paused or cancelled since. */
export async function extendLease(
  db: Database,
  { migration, lease }: Claim,
  leaseSeconds: number,
  now: number,
): Promise<boolean> {
  const rows = await db
    .update(storageMigrations)
    .set({ leaseExpiresAt: now + leaseSeconds * 1000 })
    .where(
      and(
        eq(storageMigrations.id, migration.id),
        eq(storageMigrations.lease, lease),
        eq(storageMigrations.state, migration.state),
      ),
    )
    .returning({ id: storageMigrations.id });
  return rows.length === 1;
}

/** Ends a lease that is still held. `dueAt` is when the next queue message is due. */
export async function release(db: Database, { migration, lease }: Claim, dueAt: number): Promise<void> {
  await db
    .update(storageMigrations)
    .set({ lease: null, leaseExpiresAt: null, nextMessageAt: dueAt })
    .where(and(eq(storageMigrations.id, migration.id), eq(storageMigrations.lease, lease)));
}

/** Ends a storage migration that has no work left: `running` becomes `done`, `cancelled` stays. */
export async function finish(db: Database, { migration, lease }: Claim, now: number): Promise<void> {
  await db
    .update(storageMigrations)
    .set({
      state: sql`CASE ${storageMigrations.state} WHEN 'running' THEN 'done' ELSE ${storageMigrations.state} END`,
      lease: null,
      leaseExpiresAt: null,
      finishedAt: now,
      updatedAt: now,
    })
    .where(and(eq(storageMigrations.id, migration.id), eq(storageMigrations.lease, lease)));
}

/** Pauses a storage migration for a failure that a person must resolve. */
export async function pauseFor(
  db: Database,
  { migration, lease }: Claim,
  { code, message }: Failure,
  now: number,
): Promise<void> {
  await db
    .update(storageMigrations)
    .set({
      state: "paused",
      lease: null,
      leaseExpiresAt: null,
      errorCode: code,
      errorMessage: message,
      updatedAt: now,
    })
    .where(
      and(
        eq(storageMigrations.id, migration.id),
        eq(storageMigrations.lease, lease),
        eq(storageMigrations.state, "running"),
      ),
    );
}

export type Command = "pause" | "resume" | "cancel";

const TRANSITIONS = {
  pause: { from: ["running"], to: "paused", action: "migration.paused" },
  resume: { from: ["paused"], to: "running", action: "migration.resumed" },
  cancel: { from: ["running", "paused"], to: "cancelled", action: "migration.cancelled" },
} as const;

/** Pauses, resumes or cancels a storage migration. Undefined when its state does not allow that. */
export async function applyCommand(
  db: Database,
  change: {
    readonly companyId: string;
    readonly id: string;
    readonly command: Command;
    readonly audit: Audit;
    readonly now: number;
  },
): Promise<StorageMigrationRow | undefined> {
  const { companyId, id, command, audit, now } = change;
  const { from, to, action } = TRANSITIONS[command];
  const own = and(eq(storageMigrations.id, id), eq(storageMigrations.companyId, companyId));
  const running = sql`EXISTS (SELECT 1 FROM ${storageMigrations} WHERE ${and(own, eq(storageMigrations.state, "running"))})`;
  const unmoved = and(eq(fileMoves.migrationId, id), inArray(fileMoves.state, ["failed", "copying"]));
  const toStorageId = sql`(SELECT to_storage_id FROM storage_migrations WHERE id = ${id})`;
  const [[row]] = await db.batch([
    db
      .update(storageMigrations)
      .set({
        state: to,
        errorCode: null,
        errorMessage: null,
        nextMessageAt: now,
        updatedAt: now,
        // A turn that is copying now loses its lease, and stops.
        lease: null,
        leaseExpiresAt: null,
      })
      .where(and(own, inArray(storageMigrations.state, [...from])))
      .returning(),
    audit.entry(action, { id, name: nameOfStorage(toStorageId) }),
    // Resuming retries the files that failed, at once.
    db
      .update(fileMoves)
      .set({ state: "copying", hasOrphanedCopy: true, attempts: 0, dueAt: 0, finishedAt: null })
      .where(and(unmoved, sql`${command} = 'resume'`, running)),
  ]);
  return row;
}

/**
 * Finds storage migrations whose queue message must be lost: it was due more than `graceSeconds` ago, and no lease
 * is held. Marks them as due now, so that the next sweep does not find them again.
 */
export function reclaimOverdue(
  db: Database,
  graceSeconds: number,
  limit: number,
  now: number,
): Promise<{ id: string }[]> {
  const longAgo = now - graceSeconds * 1000;
  const forgotten = db
    .select({ id: storageMigrations.id })
    .from(storageMigrations)
    .where(
      and(
        hasWork,
        lte(storageMigrations.nextMessageAt, longAgo),
        or(isNull(storageMigrations.lease), lte(storageMigrations.leaseExpiresAt, now)),
      ),
    )
    .orderBy(storageMigrations.nextMessageAt)
    .limit(limit);
  return db
    .update(storageMigrations)
    .set({ nextMessageAt: now })
    .where(inArray(storageMigrations.id, forgotten))
    .returning({ id: storageMigrations.id });
}

/**
 * Deletes finished storage migrations with the rows of their files, except each company's newest `MAX_FINISHED`, of
 * single videos and of all files. Those with a copy that is still to be deleted stay.
 */
export async function sweepFinished(db: Database, max = MAX_FINISHED): Promise<void> {
  const older = sql`(SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY company_id, video_of IS NULL ORDER BY created_at DESC, id DESC) AS place
    FROM storage_migrations WHERE finished_at IS NOT NULL
  ) AS placed WHERE place > ${max} AND NOT EXISTS (
    SELECT 1 FROM ${fileMoves} WHERE ${fileMoves.migrationId} = placed.id AND ${isUnfinishedMove})
  LIMIT ${MAX_FINISHED})`;
  const moves = sql`(SELECT 1 FROM ${fileMoves} WHERE ${eq(fileMoves.migrationId, storageMigrations.id)})`;
  await db.batch([
    deleteSome(db, fileMoves, sql`${fileMoves.migrationId} IN ${older}`),
    db.delete(storageMigrations).where(sql`${storageMigrations.id} IN ${older} AND NOT EXISTS ${moves}`),
  ]);
}

/** Returns a file whose copy is unfinished and due, or else one whose orphaned copy is to be deleted. */
export async function unfinishedMove(
  db: Database,
  migrationId: string,
  now: number,
): Promise<FileMoveRow | undefined> {
  // Without INDEXED BY, SQLite prefers an index of all files.
  const first = sql`(SELECT ${fileMoves.id} FROM ${fileMoves} INDEXED BY file_moves_unfinished
    WHERE ${and(eq(fileMoves.migrationId, migrationId), isUnfinishedMove, lte(fileMoves.dueAt, now))}
    ORDER BY ${fileMoves.state} = 'copying' DESC, ${fileMoves.attempts} LIMIT 1)`;
  const [row] = await db.select().from(fileMoves).where(eq(fileMoves.id, first));
  return row;
}

/** Files whose copy has failed and is not due again yet. */
export interface WaitingMoves {
  readonly count: number;
  /** When the first one is due; null without any. */
  readonly dueAt: number | null;
}

export async function waitingMoves(db: Database, migrationId: string, now: number): Promise<WaitingMoves> {
  const { state, dueAt } = fileMoves;
  const unfinished = sql`(SELECT ${state} AS state, ${dueAt} AS due_at FROM ${fileMoves} INDEXED BY file_moves_unfinished
    WHERE ${eq(fileMoves.migrationId, migrationId)} AND ${isUnfinishedMove})`;
  const [waiting] = await db
    .select({ count: count(), dueAt: sql<number | null>`min(due_at)` })
    .from(sql`${unfinished} AS unfinished`)
    .where(sql`state = 'copying' AND due_at > ${now}`);
  return waiting;
}

/**
 * Returns the next file to move. Goes on at the content of the last one, so that it does not read all content for each
 * file, and then once over all, for files that are new since.
 */
async function nextFile(db: Database, migration: StorageMigrationRow) {
  const { id, companyId, toStorageId, videoOf } = migration;
  const kinds = videoOf === null ? FILE_KINDS : (["video"] as const);
  const isLeft = (kind: FileKind) => {
    const { storageId, path } = placeColumns(kind);
    const tried = and(
      eq(fileMoves.migrationId, id),
      eq(fileMoves.contentId, arContent.id),
      sql`${fileMoves.fromPath} = ${path}`,
    );
    return sql`(${path} IS NOT NULL AND ${storageId} IS NOT ${toStorageId}
      AND NOT EXISTS (SELECT 1 FROM ${fileMoves} WHERE ${tried}))`;
  };
  const last = sql`(SELECT ${fileMoves.contentId} FROM ${fileMoves} WHERE ${eq(fileMoves.migrationId, id)}
    ORDER BY ${fileMoves.contentId} DESC LIMIT 1)`;
  const anyLeft = or(...kinds.map(isLeft));
  for (const from of [sql`coalesce(${last}, '')`, ""]) {
    const [found] = await db
      .select({
        content: arContent,
        kind: sql<FileKind>`CASE ${sql.join(
          kinds.map((kind) => sql`WHEN ${isLeft(kind)} THEN ${kind}`),
          sql` `,
        )} END`,
      })
      .from(arContent)
      .where(
        and(
          eq(arContent.companyId, companyId),
          videoOf === null ? gte(arContent.id, from) : eq(arContent.id, videoOf),
          isNull(arContent.deletedAt),
          anyLeft,
        ),
      )
      .orderBy(arContent.id)
      .limit(1);
    const place = found && placeOf(found.content, found.kind);
    if (place) return { contentId: found.content.id, kind: found.kind, ...place };
  }
  return undefined;
}

/** Inserts the row of the next file to move. Undefined when every file was moved or has failed. */
export async function beginMove(
  db: Database,
  migration: StorageMigrationRow,
  now: number,
): Promise<FileMoveRow | undefined> {
  const file = await nextFile(db, migration);
  if (!file) return undefined;
  const move = {
    id: crypto.randomUUID(),
    migrationId: migration.id,
    contentId: file.contentId,
    kind: file.kind,
    fromStorageId: file.storageId,
    fromPath: file.path,
    toPath: movedPath(file.path, migration.id.slice(0, 8)),
    state: "copying",
    hasOrphanedCopy: true,
    parts: [],
    attempts: 0,
    createdAt: now,
  } as const;
  const isKnown = isConnectionOf(db, migration.companyId, file.storageId);
  const [row] = await insertIf(db, fileMoves, move, isKnown).returning();
  // The file was deleted at this moment, and then its connection.
  return row ?? beginMove(db, migration, now);
}

type MoveChange = Partial<
  Pick<
    FileMoveRow,
    "bytes" | "uploadId" | "attempts" | "dueAt" | "hasOrphanedCopy" | "errorCode" | "errorMessage"
  >
> & {
  readonly parts?: readonly CopiedPart[];
};

export async function updateMove(db: Database, id: string, change: MoveChange): Promise<void> {
  await db.update(fileMoves).set(change).where(eq(fileMoves.id, id));
}

/** Gives a file up. Its unfinished copy is left to delete. */
export async function failMove(
  db: Database,
  id: string,
  { code, message }: Failure,
  now: number,
): Promise<void> {
  await db
    .update(fileMoves)
    .set({ state: "failed", errorCode: code, errorMessage: message, attempts: 0, finishedAt: now })
    .where(and(eq(fileMoves.id, id), eq(fileMoves.state, "copying")));
}

/** Gives up the unfinished copies of a cancelled storage migration, which are then deleted as orphaned. */
export async function abandonMoves(db: Database, migrationId: string, now: number): Promise<void> {
  await db
    .update(fileMoves)
    .set({ state: "obsolete", attempts: 0, dueAt: 0, finishedAt: now })
    .where(and(eq(fileMoves.migrationId, migrationId), eq(fileMoves.state, "copying")));
}

/**
 * Makes the content name the new copy, if it still names the old one and the lease is held. The copy must have been
 * read back and compared. The old copy is kept for a while, and then deleted by the sweep.
 *
 * @param quotas those of companies without quotas of their own
 * @returns `moved`, `obsolete` when the file was replaced or deleted, or `lost` when the lease is lost
 */
export async function repoint(
  db: Database,
  claim: Claim,
  move: FileMoveRow,
  { quotas, now }: { readonly quotas: Quotas; readonly now: number },
): Promise<"moved" | "obsolete" | "lost"> {
  const from: FilePlace = { storageId: move.fromStorageId, path: move.fromPath };
  const to: FilePlace = { storageId: claim.migration.toStorageId, path: move.toPath };
  const done = { attempts: 0, errorCode: null, errorMessage: null, finishedAt: now };
  const { companyId } = claim.migration;
  const isMoved = and(eq(fileMoves.id, move.id), eq(fileMoves.state, "copying"), isNamed(move, to));
  const orphan = {
    ...from,
    id: crypto.randomUUID(),
    companyId,
    contentId: move.contentId,
    bytes: fileMoves.bytes,
    isReserved: false,
    createdAt: now,
    dueAt: deletionTime({ companyId, bytes: sql`coalesce(${fileMoves.bytes}, 0)`, quotas, now }),
  };
  const [[repointed], , , [after]] = await db.batch([
    db
      .update(arContent)
      .set(placeValues(move.kind, to))
      .where(and(eq(arContent.id, move.contentId), isAt(move.kind, from), isRunning(claim)))
      .returning({ id: arContent.id }),
    insertSelect(db, orphanedFiles, orphan, sql`FROM ${fileMoves} WHERE ${isMoved}`),
    db
      .update(fileMoves)
      .set({ state: "moved", hasOrphanedCopy: false, uploadId: null, ...done })
      .where(isMoved),
    db
      .update(fileMoves)
      .set({ state: "obsolete", ...done })
      .where(and(eq(fileMoves.id, move.id), eq(fileMoves.state, "copying"), sql`NOT ${isNamed(move, from)}`))
      .returning({ id: fileMoves.id }),
  ]);
  if (repointed) return "moved";
  return after ? "obsolete" : "lost";
}

/** Makes the content name no file in place of a missing one, if the lease is held. */
export async function forgetFile(
  db: Database,
  claim: Claim,
  { contentId, kind, fromStorageId, fromPath }: FileMoveRow,
): Promise<void> {
  const from = { storageId: fromStorageId, path: fromPath };
  await db
    .update(arContent)
    .set(placeValues(kind, null))
    .where(and(eq(arContent.id, contentId), isAt(kind, from), isRunning(claim)));
}

/** The condition that the lease of a storage migration that is not paused or cancelled is held. */
function isRunning({ migration, lease }: Claim): SQL {
  return sql`EXISTS (SELECT 1 FROM ${storageMigrations} WHERE ${and(
    eq(storageMigrations.id, migration.id),
    eq(storageMigrations.lease, lease),
    eq(storageMigrations.state, "running"),
  )})`;
}

/** Tests whether a row of `ar_content` names this place for its file of a kind. */
function isAt(kind: FileMoveRow["kind"], { storageId, path }: FilePlace): SQL | undefined {
  const columns = placeColumns(kind);
  return and(
    isNull(arContent.deletedAt),
    sql`${columns.storageId} IS ${storageId}`,
    sql`${columns.path} IS ${path}`,
  );
}

/** Tests whether the move's content names this place. */
function isNamed(move: FileMoveRow, place: FilePlace): SQL {
  const where = and(eq(arContent.id, move.contentId), isAt(move.kind, place));
  return sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${where})`;
}

/** Returns whether the last `MAX_FAILURES_IN_ROW` files all failed. */
export async function failedInARow(db: Database, migrationId: string): Promise<boolean> {
  const last = await db
    .select({ state: fileMoves.state })
    .from(fileMoves)
    .where(and(eq(fileMoves.migrationId, migrationId), inArray(fileMoves.state, ["moved", "failed"])))
    .orderBy(desc(fileMoves.finishedAt), desc(sql`rowid`))
    .limit(MAX_FAILURES_IN_ROW);
  return last.length === MAX_FAILURES_IN_ROW && last.every(({ state }) => state === "failed");
}

interface Progress {
  readonly moved: { readonly files: number; readonly bytes: number };
  readonly failed: number;
  /** Without the bytes of thumbnails and QR codes whose size the sweep has not recorded yet. */
  readonly left: { readonly files: number; readonly bytes: number };
  readonly current: FileMoveRow | null;
  readonly failures: readonly FileMoveRow[];
}

export interface StorageMigrationReport {
  readonly migration: StorageMigrationRow;
  readonly progress: Progress;
}

const MAX_FAILURES_SHOWN = 100;

/** Returns a storage migration of the company with its progress; undefined for an unknown id. */
export async function find(
  db: Database,
  companyId: string,
  id: string,
): Promise<StorageMigrationReport | undefined> {
  const [report] = await reports(db, companyId, eq(storageMigrations.id, id), 1);
  return report;
}

/** Lists the storage migrations of all files, without those of single videos, newest first. */
export function list(db: Database, companyId: string, limit: number): Promise<StorageMigrationReport[]> {
  return reports(db, companyId, isNull(storageMigrations.videoOf), limit);
}

/** Reads any number of storage migrations and their progress in one round trip. */
async function reports(
  db: Database,
  companyId: string,
  which: SQL,
  limit: number,
): Promise<StorageMigrationReport[]> {
  const newest = [desc(storageMigrations.createdAt), desc(storageMigrations.id)];
  const chosen = db
    .select({ id: storageMigrations.id })
    .from(storageMigrations)
    .where(and(eq(storageMigrations.companyId, companyId), which))
    .orderBy(...newest)
    .limit(limit);
  const shown = db
    .select({
      ...getTableColumns(fileMoves),
      place: sql<number>`row_number() OVER (PARTITION BY ${fileMoves.migrationId}, ${fileMoves.state})`.as(
        "place",
      ),
    })
    .from(fileMoves)
    // Literal, as SQLite uses a partial index only for its own condition.
    .where(and(inArray(fileMoves.migrationId, chosen), sql`${fileMoves.state} IN ('copying', 'failed')`))
    .as("shown");
  const [migrations, states, stored, moves] = await db.batch([
    db
      .select()
      .from(storageMigrations)
      .where(inArray(storageMigrations.id, chosen))
      .orderBy(...newest),
    db.select().from(moveCounts).where(inArray(moveCounts.migrationId, chosen)),
    db
      .select()
      .from(storedFiles)
      .where(and(eq(storedFiles.companyId, companyId), eq(storedFiles.isDeleted, false))),
    db.select().from(shown).where(lte(shown.place, MAX_FAILURES_SHOWN)),
  ]);
  return migrations.map((migration) => {
    const own = <Row extends { migrationId: string }>(rows: readonly Row[]) =>
      rows.filter(({ migrationId }) => migrationId === migration.id);
    const counts = own(states);
    const left = filesLeft(migration, counts, stored);
    return { migration, progress: progressOf(counts, left, own(moves)) };
  });
}

type MoveCounts = readonly (typeof moveCounts.$inferSelect)[];

function inState(counts: MoveCounts, wanted: FileMoveRow["state"]): Progress["left"] {
  return counts.find(({ state }) => state === wanted) ?? { files: 0, bytes: 0 };
}

/** Returns what is still to be moved: the files that are elsewhere, without those that have failed. */
function filesLeft(
  { state, toStorageId, videoOf }: StorageMigrationRow,
  counts: MoveCounts,
  stored: readonly (typeof storedFiles.$inferSelect)[],
): Progress["left"] {
  if (state === "done" || state === "cancelled") return { files: 0, bytes: 0 };
  const copying = inState(counts, "copying");
  if (videoOf !== null) return counts.length === 0 ? { files: 1, bytes: 0 } : copying;
  const elsewhere = stored.filter(({ storageId }) => storageId !== (toStorageId ?? ""));
  const failed = inState(counts, "failed");
  const left = (of: "files" | "bytes") => elsewhere.reduce((sum, held) => sum + held[of], -failed[of]);
  return { files: Math.max(copying.files, left("files")), bytes: Math.max(copying.bytes, left("bytes")) };
}

function progressOf(counts: MoveCounts, left: Progress["left"], moves: readonly FileMoveRow[]): Progress {
  const { files, bytes } = inState(counts, "moved");
  return {
    moved: { files, bytes },
    failed: inState(counts, "failed").files,
    left,
    current: (left.files > 0 && moves.find((move) => move.state === "copying")) || null,
    failures: moves.filter((move) => move.state === "failed"),
  };
}
