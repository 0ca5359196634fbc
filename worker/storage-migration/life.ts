import {
  and,
  asc,
  count,
  desc,
  eq,
  getTableColumns,
  inArray,
  isNull,
  lte,
  or,
  type SQL,
  sql,
  sum,
} from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { type FilePlace, filesOf, placeColumns, placed } from "../content/files.ts";
import { movedPath } from "../content/paths.ts";
import {
  arContent,
  type CopiedPart,
  type Database,
  type FileMoveRow,
  fileMoves,
  type StorageMigrationRow,
  storageMigrations,
} from "../db/tables.ts";
import type { Failure } from "../errors.ts";
import { hex } from "../sha256.ts";

/**
 * The life of a migration: files on their way to another connection. `storage_migrations` says what is wanted
 * and who works on it, `file_moves` what became of each file. Every transition is one guarded UPDATE.
 *
 * A file's row in `file_moves` is written before its first byte is copied and says where the copy goes, so
 * whatever a crash leaves behind has a name. A file is repointed by one statement, once its copy was read
 * back; only then the old copy goes. Times are milliseconds since 1970 and come from the caller.
 */

/** Tries of one file, and of clearing one away, before it is given up. */
export const MAX_ATTEMPTS = 5;

/** Files in a row that failed for good: something is wrong with more than these files. */
export const MAX_FAILURES_IN_ROW = 3;

export const isOpen = inArray(storageMigrations.state, ["running", "paused"]);

/** Something is left to be done: files to be moved, or copies of a cancelled migration to be cleared away. */
const isActive = or(
  eq(storageMigrations.state, "running"),
  and(eq(storageMigrations.state, "cancelled"), isNull(storageMigrations.finishedAt)),
);

/**
 * Begins to move everything of a company, or only the video of one content.
 *
 * @param audit null: the platform decides it, and nothing is noted
 * @returns undefined when everything of the company is being moved already
 */
export async function begin(
  db: Database,
  companyId: string,
  toStorageId: string | null,
  videoOf: string | null,
  audit: Audit | null,
  now: number,
  id: string = crypto.randomUUID(),
): Promise<StorageMigrationRow | undefined> {
  const inserted = db
    .insert(storageMigrations)
    .values({
      ...{ id, companyId, toStorageId, videoOf, state: "running" },
      ...{ nextMessageAt: now, createdAt: now, updatedAt: now },
    })
    .onConflictDoNothing()
    .returning();
  const [row] = await (audit
    ? audit.noting(inserted, "migration.started", { id, name: nameOfStorage(toStorageId) })
    : inserted);
  return row;
}

/** What a migration is known by: where it leads. */
function nameOfStorage(id: string | null): SQL {
  return sql`coalesce((SELECT name FROM storage_connections WHERE id = ${id}), 'Vivimark')`;
}

export interface Claimed {
  readonly migration: StorageMigrationRow;
  /** Known to its holder alone. */
  readonly lease: string;
}

/** Takes a migration on, unless somebody else is at work on it or nothing is left to be done. */
export async function claim(
  db: Database,
  id: string,
  leaseSeconds: number,
  now: number,
): Promise<Claimed | undefined> {
  const lease = hex(crypto.getRandomValues(new Uint8Array(16)));
  const free = or(isNull(storageMigrations.lease), lte(storageMigrations.leaseExpiresAt, now));
  const [migration] = await db
    .update(storageMigrations)
    .set({ lease, leaseExpiresAt: now + leaseSeconds * 1000 })
    .where(and(eq(storageMigrations.id, id), isActive, free))
    .returning();
  return migration && { migration, lease };
}

/** Prolongs a lease. False when it is lost, or the migration was paused or cancelled meanwhile. */
export async function extend(
  db: Database,
  { migration, lease }: Claimed,
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

/** Lets go of a migration; the next message is due then. Whoever lost the lease changes nothing. */
export async function release(db: Database, { migration, lease }: Claimed, dueAt: number): Promise<void> {
  await db
    .update(storageMigrations)
    .set({ lease: null, leaseExpiresAt: null, nextMessageAt: dueAt })
    .where(and(eq(storageMigrations.id, migration.id), eq(storageMigrations.lease, lease)));
}

/** Nothing is left to be done. */
export async function finish(db: Database, { migration, lease }: Claimed, now: number): Promise<void> {
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

/** Stops a migration that somebody must look at first. */
export async function pauseFor(
  db: Database,
  { migration, lease }: Claimed,
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

/** What a person asks for. Undefined when the migration is not in a state for it. */
export async function command(
  db: Database,
  companyId: string,
  id: string,
  wanted: Command,
  audit: Audit,
  now: number,
): Promise<StorageMigrationRow | undefined> {
  const from = { pause: ["running"], resume: ["paused"], cancel: ["running", "paused"] } as const;
  const to = { pause: "paused", resume: "running", cancel: "cancelled" } as const;
  const own = and(eq(storageMigrations.id, id), eq(storageMigrations.companyId, companyId));
  const running = sql`EXISTS (SELECT 1 FROM ${storageMigrations} WHERE ${and(own, eq(storageMigrations.state, "running"))})`;
  // Files that failed are tried again.
  const failed = and(eq(fileMoves.migrationId, id), eq(fileMoves.state, "failed"));
  const action = {
    pause: "migration.paused",
    resume: "migration.resumed",
    cancel: "migration.cancelled",
  } as const;
  const name = sql`coalesce((SELECT name FROM storage_connections WHERE id = (SELECT to_storage_id FROM storage_migrations WHERE id = ${id})), 'Vivimark')`;
  const [[row]] = await db.batch([
    db
      .update(storageMigrations)
      .set({
        state: to[wanted],
        errorCode: null,
        errorMessage: null,
        nextMessageAt: now,
        updatedAt: now,
        // Whoever copies at the moment loses the lease, and stops.
        lease: null,
        leaseExpiresAt: null,
      })
      .where(and(own, inArray(storageMigrations.state, [...from[wanted]])))
      .returning(),
    audit.note(action[wanted], { id, name }),
    db
      .update(fileMoves)
      .set({ state: "copying", hasOrphanedCopy: true, attempts: 0, finishedAt: null })
      .where(and(failed, sql`${wanted} = 'resume'`, running)),
  ]);
  return row;
}

/**
 * Migrations whose message must be lost: due long ago, and nobody at work on them. They are marked as due now,
 * so that the next sweep leaves them alone.
 */
export function reclaimForgotten(
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
        isActive,
        lte(storageMigrations.nextMessageAt, longAgo),
        or(isNull(storageMigrations.lease), lte(storageMigrations.leaseExpiresAt, now)),
      ),
    )
    .limit(limit);
  return db
    .update(storageMigrations)
    .set({ nextMessageAt: now })
    .where(inArray(storageMigrations.id, forgotten))
    .returning({ id: storageMigrations.id });
}

/** A file that was begun, or whose useless copy is still there. Unfinished copies come first. */
export async function unfinishedMove(db: Database, migrationId: string): Promise<FileMoveRow | undefined> {
  const [row] = await db
    .select()
    .from(fileMoves)
    .where(
      and(
        eq(fileMoves.migrationId, migrationId),
        or(eq(fileMoves.state, "copying"), eq(fileMoves.hasOrphanedCopy, true)),
      ),
    )
    .orderBy(desc(sql`${fileMoves.state} = 'copying'`), asc(fileMoves.attempts))
    .limit(1);
  return row;
}

/** What says which files a migration is about: of one, or the columns of a query on several. */
type Scope = {
  readonly [Key in "id" | "toStorageId" | "videoOf"]:
    | StorageMigrationRow[Key]
    | (typeof storageMigrations)[Key];
};

/** Files of a migration's scope that are not where they shall be, and have not been tried. */
function filesLeft(db: Database, companyId: string, { id, toStorageId, videoOf }: Scope) {
  const files = filesOf(db, companyId);
  const tried = db
    .select({ id: fileMoves.id })
    .from(fileMoves)
    .where(
      and(
        eq(fileMoves.migrationId, id),
        sql`${fileMoves.contentId} = ${files.contentId}`,
        sql`${fileMoves.fromPath} = ${files.path}`,
      ),
    );
  const where = and(
    sql`${files.deletedAt} IS NULL`,
    sql`${files.storageId} IS NOT ${toStorageId}`,
    sql`(${videoOf} IS NULL OR (${files.contentId} = ${videoOf} AND ${files.kind} = 'video'))`,
    sql`NOT EXISTS ${tried}`,
  );
  return { files, where };
}

/** Writes the next file's move down; undefined when every file is where it shall be, or failed. */
export async function beginMove(
  db: Database,
  migration: StorageMigrationRow,
  now: number,
): Promise<FileMoveRow | undefined> {
  const { files, where } = filesLeft(db, migration.companyId, migration);
  const [file] = await db
    .select({ contentId: files.contentId, kind: files.kind, storageId: files.storageId, path: files.path })
    .from(files)
    .where(where)
    .orderBy(sql`${files.contentId}`)
    .limit(1);
  if (!file) return undefined;
  const [row] = await db
    .insert(fileMoves)
    .values({
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
    })
    .returning();
  return row;
}

type MoveChange = Partial<
  Pick<FileMoveRow, "bytes" | "uploadId" | "attempts" | "hasOrphanedCopy" | "errorCode" | "errorMessage">
> & {
  readonly parts?: readonly CopiedPart[];
};

export async function noteMove(db: Database, id: string, change: MoveChange): Promise<void> {
  await db.update(fileMoves).set(change).where(eq(fileMoves.id, id));
}

/** The file is given up; its copy is still to be cleared away. */
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

/** Clears a cancelled migration's unfinished copies away. */
export async function abandonMoves(db: Database, migrationId: string, now: number): Promise<void> {
  await db
    .update(fileMoves)
    .set({ state: "obsolete", attempts: 0, finishedAt: now })
    .where(and(eq(fileMoves.migrationId, migrationId), eq(fileMoves.state, "copying")));
}

/**
 * The copy was read back and is right: the content's row names it from now on, if it still names the old one
 * and the lease holds.
 *
 * @returns `moved`; `obsolete` when the file was replaced or deleted; `lost` when the lease is
 */
export async function repoint(
  db: Database,
  { migration, lease }: Claimed,
  move: FileMoveRow,
  now: number,
): Promise<"moved" | "obsolete" | "lost"> {
  const from: FilePlace = { storageId: move.fromStorageId, path: move.fromPath };
  const to: FilePlace = { storageId: migration.toStorageId, path: move.toPath };
  const held = sql`EXISTS (SELECT 1 FROM ${storageMigrations} WHERE ${and(
    eq(storageMigrations.id, migration.id),
    eq(storageMigrations.lease, lease),
    eq(storageMigrations.state, "running"),
  )})`;
  const done = { attempts: 0, errorCode: null, errorMessage: null, finishedAt: now };
  const [[repointed], , [after]] = await db.batch([
    db
      .update(arContent)
      .set(placed(move.kind, to))
      .where(and(eq(arContent.id, move.contentId), isAt(move.kind, from), held))
      .returning({ id: arContent.id }),
    db
      .update(fileMoves)
      .set({ state: "moved", ...done })
      .where(and(eq(fileMoves.id, move.id), eq(fileMoves.state, "copying"), names(move, to))),
    db
      .update(fileMoves)
      .set({ state: "obsolete", ...done })
      .where(and(eq(fileMoves.id, move.id), eq(fileMoves.state, "copying"), sql`NOT ${names(move, from)}`))
      .returning({ id: fileMoves.id }),
  ]);
  if (repointed) return "moved";
  return after ? "obsolete" : "lost";
}

function isAt(kind: FileMoveRow["kind"], { storageId, path }: FilePlace): SQL | undefined {
  const columns = placeColumns(kind);
  return and(
    isNull(arContent.deletedAt),
    sql`${columns.storageId} IS ${storageId}`,
    sql`${columns.path} IS ${path}`,
  );
}

/** Whether the content's row names this place. */
function names(move: FileMoveRow, place: FilePlace): SQL {
  const where = and(eq(arContent.id, move.contentId), isAt(move.kind, place));
  return sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${where})`;
}

/** Whether the last files that came to an end all failed. */
export async function failsInRow(db: Database, migrationId: string): Promise<boolean> {
  const last = await db
    .select({ state: fileMoves.state })
    .from(fileMoves)
    .where(and(eq(fileMoves.migrationId, migrationId), inArray(fileMoves.state, ["moved", "failed"])))
    .orderBy(desc(fileMoves.finishedAt), desc(sql`rowid`))
    .limit(MAX_FAILURES_IN_ROW);
  return last.length === MAX_FAILURES_IN_ROW && last.every(({ state }) => state === "failed");
}

export interface Progress {
  readonly moved: { readonly files: number; readonly bytes: number };
  readonly failed: number;
  /** Bytes of thumbnails are not known before they are copied. */
  readonly left: { readonly files: number; readonly bytes: number };
  readonly current: FileMoveRow | null;
  readonly failures: readonly FileMoveRow[];
}

export interface StorageMigrationReport {
  readonly migration: StorageMigrationRow;
  readonly progress: Progress;
}

const MAX_FAILURES_SHOWN = 100;

/** How far a migration of the company is; undefined when there is none of that id. */
export async function find(
  db: Database,
  companyId: string,
  id: string,
): Promise<StorageMigrationReport | undefined> {
  const [report] = await reports(db, companyId, eq(storageMigrations.id, id), 1);
  return report;
}

/** Migrations of everything, newest first. */
export function list(db: Database, companyId: string, limit: number): Promise<StorageMigrationReport[]> {
  return reports(db, companyId, isNull(storageMigrations.videoOf), limit);
}

/** In one round trip, however many there are. */
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
  const { files, where } = filesLeft(db, companyId, storageMigrations);
  const shown = db
    .select({
      ...getTableColumns(fileMoves),
      place: sql<number>`row_number() OVER (PARTITION BY ${fileMoves.migrationId}, ${fileMoves.state})`.as(
        "place",
      ),
    })
    .from(fileMoves)
    .where(and(inArray(fileMoves.migrationId, chosen), inArray(fileMoves.state, ["copying", "failed"])))
    .as("shown");
  const [migrations, states, left, moves] = await db.batch([
    db
      .select()
      .from(storageMigrations)
      .where(inArray(storageMigrations.id, chosen))
      .orderBy(...newest),
    db
      .select({
        migrationId: fileMoves.migrationId,
        state: fileMoves.state,
        files: count(),
        bytes: sum(fileMoves.bytes).mapWith(Number),
      })
      .from(fileMoves)
      .where(inArray(fileMoves.migrationId, chosen))
      .groupBy(fileMoves.migrationId, fileMoves.state),
    db
      .select({
        migrationId: storageMigrations.id,
        files: count(),
        bytes: sum(files.bytes).mapWith(Number),
      })
      .from(storageMigrations)
      .innerJoin(files, where)
      .where(and(inArray(storageMigrations.id, chosen), isOpen))
      .groupBy(storageMigrations.id),
    db.select().from(shown).where(lte(shown.place, MAX_FAILURES_SHOWN)),
  ]);
  return migrations.map((migration) => {
    const own = <Row extends { migrationId: string }>(rows: readonly Row[]) =>
      rows.filter(({ migrationId }) => migrationId === migration.id);
    return { migration, progress: progressOf(migration, own(states), own(left)[0], own(moves)) };
  });
}

interface Counted {
  readonly files: number;
  readonly bytes: number | null;
}

function progressOf(
  { state }: StorageMigrationRow,
  states: readonly (Counted & { readonly state: FileMoveRow["state"] })[],
  left: Counted | undefined,
  moves: readonly FileMoveRow[],
): Progress {
  const inState = (wanted: FileMoveRow["state"]) => states.find((counted) => counted.state === wanted);
  const isOver = state === "done" || state === "cancelled";
  const copying = inState("copying");
  return {
    moved: { files: inState("moved")?.files ?? 0, bytes: inState("moved")?.bytes ?? 0 },
    failed: inState("failed")?.files ?? 0,
    left: isOver
      ? { files: 0, bytes: 0 }
      : {
          files: (left?.files ?? 0) + (copying?.files ?? 0),
          bytes: (left?.bytes ?? 0) + (copying?.bytes ?? 0),
        },
    current: (!isOver && moves.find((move) => move.state === "copying")) || null,
    failures: moves.filter((move) => move.state === "failed"),
  };
}
