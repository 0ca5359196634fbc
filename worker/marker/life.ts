import { and, eq, exists, gt, inArray, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { Audit } from "../audit/log.ts";
import { DELIVERED_KINDS, type DeliveredKind } from "../content/file-kinds.ts";
import { type AddressedFile, fileValues, placeValues } from "../content/files.ts";
import { areReserved, orphanReplaced, type ReservedFile, releaseNamed } from "../content/orphaned-files.ts";
import type { Quotas } from "../content/quotas.ts";
import { keepTask } from "../db/dead-letters.ts";
import { insertSelect } from "../db/insert-select.ts";
import { isListed } from "../db/is-listed.ts";
import { nextInTurn } from "../db/next-in-turn.ts";
import {
  arContent,
  type CompileTaskRow,
  type Content,
  companies,
  compileTasks,
  type Database,
  touched,
} from "../db/tables.ts";
import { Transaction } from "../db/transaction.ts";
import type { Failure } from "../errors.ts";
import type { MarkerMetadata, ProgressBody } from "../schemas.ts";
import { type NewToken, newToken } from "../token.ts";
import type { ContentEvent } from "../webhooks/event-names.ts";
import { recordEvent } from "../webhooks/events.ts";

/**
 * The states of a marker and every transition between them. `compile_tasks` holds the truth, one row per
 * generation; `ar_content.marker_status` mirrors the row of the newest generation.
 *
 * Every transition is one guarded UPDATE that names the state (and the lease) it starts from, in one atomic
 * batch with the mirror. A transition that changes no row means that another executor was first.
 * Times are milliseconds since 1970 and come from the caller.
 */

/**
 * Attempts by the Node compiler before a task fails: the queue's first delivery and its `max_retries`. The
 * queue counts deliveries of one message; this counts claims of a task, so that a message that the sweep sends
 * again does not start over.
 */
export const MAX_ATTEMPTS = 6;

/** Compile tasks of one content. Each compilation above that deletes the oldest. */
export const MAX_TASKS = 20;

/** Attempts that may take too long: a photo that does so twice would hold a place of the compiler each time. */
export const MAX_TIMEOUTS = 2;

/** The longest back-off. */
export const MAX_BACKOFF_SECONDS = 3600;

/** Messages that one sweep sends again at most. */
const MAX_RECLAIMED = 100;

/** Queues deliver on whole seconds, so a message may come this much before its time. */
const EARLY_MILLISECONDS = 1000;

/** Only its holder knows its token. */
export interface NewLease extends NewToken {
  readonly expiresAt: number;
}

/** The proof of a lease. */
export interface LeaseClaim {
  readonly contentId: string;
  readonly leaseHash: string;
}

export async function newLease(now: number, seconds: number): Promise<NewLease> {
  return { ...(await newToken()), expiresAt: now + seconds * 1000 };
}

/** Returns the seconds to wait after the nth attempt failed: base × 2^(n − 1), up to an hour. */
export function backoffSeconds(attempts: number, baseSeconds: number): number {
  return Math.min(baseSeconds * 2 ** Math.max(0, attempts - 1), MAX_BACKOFF_SECONDS);
}

/** Returns the first state of a task: leased to the browser that asked, or waiting for the Node compiler. */
export function initialState(lease: NewLease | null, now: number) {
  return {
    state: lease ? "processing" : "pending",
    executor: lease ? "browser" : null,
    leaseHash: lease?.hash ?? null,
    leaseExpiresAt: lease?.expiresAt ?? null,
    nextAttemptAt: lease?.expiresAt ?? now,
    startedAt: lease ? now : null,
  } as const;
}

export interface Recompilation {
  /** The lease of the browser that compiles; null: the Node compiler does. */
  readonly lease: NewLease | null;
  /** Undefined keeps the content's setting; null removes its limit. */
  readonly maxFeatures?: number | null | undefined;
  /** Null: the platform itself asks, and nothing is noted. */
  readonly audit: Audit | null;
  readonly now: number;
  /** The condition that the company's quota allows the compilations. */
  readonly fitsQuotas?: SQL;
  /** Replaces the photo of the only content. */
  readonly image?: ReplacingImage;
}

/** A stored photo that replaces the one of a content. */
interface ReplacingImage {
  readonly file: ReservedFile;
  /** The quotas of companies without quotas of their own, which decide how long the file before is kept. */
  readonly quotas: Quotas;
  readonly change: Partial<
    Pick<Content, "imageType" | "imageSha256" | "imageWidth" | "imageHeight" | "imageBytes">
  > & {
    /** Counts up with the generation, so that no two photos share a URL. */
    readonly imageUrl: SQL;
  };
  /** The condition that the content is still as the client saw it. */
  readonly isCurrent: SQL | undefined;
}

/** A content, and the id of the task that compiles it again. */
export interface WantedTask {
  readonly contentId: string;
  readonly taskId: string;
}

/**
 * Starts a new generation of a marker. The tasks of all older ones become `superseded`; the marker that is
 * served stays until the new one is ready.
 *
 * @returns the new task; undefined when the content does not exist or the quota is exceeded
 */
export async function recompile(
  db: Database,
  contentId: string,
  { taskId = crypto.randomUUID(), ...recompilation }: Recompilation & { readonly taskId?: string },
): Promise<CompileTaskRow | undefined> {
  const [task] = await recompileAll(db, [{ contentId, taskId }], recompilation);
  return task;
}

/** Does the same for several contents, all or none of which fit into the quota. */
export async function recompileAll(
  db: Database,
  wanted: readonly WantedTask[],
  { lease, maxFeatures, audit, now, fitsQuotas, image }: Recompilation,
): Promise<CompileTaskRow[]> {
  const opened = initialState(lease, now);
  const contentIds = wanted.map(({ contentId }) => contentId);
  const present = isNull(arContent.deletedAt);
  const isReplaceable = image && and(image.isCurrent, areReserved(db, [image.file.id]));
  const condition = and(isListed(arContent.id, contentIds), present, fitsQuotas, isReplaceable);
  const taskIds = wanted.map(({ taskId }) => taskId);
  const newTask = insertSelect(
    db,
    compileTasks,
    {
      id: sql`value ->> 'taskId'`,
      contentId: arContent.id,
      companyId: arContent.companyId,
      generation: arContent.generation,
      ...opened,
      createdAt: now,
    },
    sql`FROM json_each(${JSON.stringify(wanted)}) CROSS JOIN ${arContent} ON ${arContent.id} = value ->> 'contentId'
      WHERE ${and(present, isWithoutTask)}`,
  );
  const transaction = new Transaction();
  if (image) {
    const [contentId] = contentIds;
    const id = crypto.randomUUID();
    transaction.add(
      orphanReplaced(db, { id, contentId, kind: "image", condition, quotas: image.quotas, now }),
    );
  }
  transaction.add(
    db
      .update(arContent)
      .set({
        ...(image ? { ...image.change, ...placeValues("image", image.file) } : {}),
        generation: sql`${arContent.generation} + 1`,
        markerStatus: opened.state,
        ...(maxFeatures === undefined ? {} : { maxFeatures }),
        updatedAt: touched(now),
      })
      .where(condition),
  );
  const ofContents = isListed(compileTasks.contentId, contentIds);
  transaction.add(
    db
      .update(compileTasks)
      .set(closed("superseded", now))
      .where(and(ofContents, isOpen, isOfOlderGeneration)),
  );
  const inserted = transaction.add(newTask.returning());
  if (audit) {
    const action = image ? "content.replaced" : "marker.recompiled";
    transaction.add(audit.entriesOfPhotos(action, isCompiledBy(db, taskIds)));
  }
  transaction.add(db.delete(compileTasks).where(and(ofContents, isOfForgottenGeneration)));
  if (image) transaction.add(releaseNamed(db, [image.file.id]));
  await transaction.commit(db);
  return inserted();
}

/** The condition that one of these tasks, which exist by now, is of a content. */
function isCompiledBy(db: Database, taskIds: readonly string[]): SQL {
  const contents = db
    .select({ id: compileTasks.contentId })
    .from(compileTasks)
    .where(isListed(compileTasks.id, taskIds));
  return inArray(arContent.id, contents);
}

export type Acquisition =
  | { readonly kind: "acquired"; readonly task: CompileTaskRow; readonly lease: NewLease }
  | { readonly kind: "held"; readonly until: number }
  | { readonly kind: "settled" };

/** Leases a waiting or abandoned compilation to a browser. */
export async function acquireLease(
  db: Database,
  contentId: string,
  leaseSeconds: number,
  now: number,
): Promise<Acquisition> {
  const lease = await newLease(now, leaseSeconds);
  const change = { ...initialState(lease, now), progress: null };
  const task = await transition(db, contentId, { guard: isFree(now), change, now });
  if (task) return { kind: "acquired", task, lease };
  const current = await openTask(db, contentId);
  return current?.leaseExpiresAt ? { kind: "held", until: current.leaseExpiresAt } : { kind: "settled" };
}

/** Extends a lease and notes progress. Returns its new end; undefined when the lease is lost. */
export async function extendLease(
  db: Database,
  { contentId, leaseHash }: LeaseClaim,
  { seconds, progress, now }: { seconds: number; progress: ProgressBody; now: number },
): Promise<{ expiresAt: number } | undefined> {
  const expiresAt = now + seconds * 1000;
  const [extended] = await db
    .update(compileTasks)
    .set({ leaseExpiresAt: expiresAt, progress })
    .where(and(eq(compileTasks.contentId, contentId), isHeld(leaseHash, now)))
    .returning({ id: compileTasks.id });
  return extended && { expiresAt };
}

/**
 * Ends a browser's lease early: its task waits for the Node compiler. Returns the task; undefined when the
 * lease is lost.
 */
export function releaseLease(
  db: Database,
  { contentId, leaseHash }: LeaseClaim,
  now: number,
): Promise<CompileTaskRow | undefined> {
  const guard = and(isHeld(leaseHash, now), eq(compileTasks.executor, "browser"));
  const change = { ...waiting, progress: null, nextAttemptAt: now };
  return transition(db, contentId, { guard, change, now });
}

export type Claim =
  /** The task may be another one: that of a company whose turn it is. */
  | { readonly kind: "claimed"; readonly task: CompileTaskRow; readonly lease: NewLease }
  /** Ready, failed, superseded or deleted: nothing is left to do. */
  | { readonly kind: "settled" }
  /** Another executor holds it, or its back-off lasts until then. */
  | { readonly kind: "wait"; readonly until: number }
  /** It is due, but the Node compiler has no free place. */
  | { readonly kind: "full" }
  | { readonly kind: "exhausted" };

/**
 * Claims a compilation for the Node compiler, which counts as an attempt. If this one is due and a place is free,
 * the company whose turn it is gets the place: this compilation, or the oldest of another company.
 */
export async function claim(
  db: Database,
  contentId: string,
  place: {
    readonly generation: number;
    readonly leaseSeconds: number;
    /** The number of compilations that the Node compiler runs at a time. */
    readonly places: number;
    readonly now: number;
  },
): Promise<Claim> {
  const { generation, leaseSeconds, places, now } = place;
  const lease = await newLease(now, leaseSeconds);
  const isOwn = sql`${compileTasks.contentId} = ${contentId} AND ${compileTasks.generation} = ${generation}`;
  // A message comes up to a second early.
  const due = { now, dueBy: now + EARLY_MILLISECONDS };
  const isOwnDue = sql`EXISTS (SELECT 1 FROM ${compileTasks} WHERE ${isOwn} AND ${isDue(due)})`;
  const ofTaken = (column: SQL) =>
    sql`(SELECT ${column} FROM ${compileTasks} WHERE ${isRunning} AND ${compileTasks.leaseHash} = ${lease.hash})`;
  const [[task]] = await db.batch([
    db
      .update(compileTasks)
      .set({
        state: "processing",
        executor: "node",
        leaseHash: lease.hash,
        leaseExpiresAt: lease.expiresAt,
        attempts: sql`${compileTasks.attempts} + 1`,
        progress: null,
        startedAt: sql`coalesce(${compileTasks.startedAt}, ${now})`,
      })
      .where(and(isOwnDue, eq(compileTasks.id, nextTask(places, due, isOwn))))
      .returning(),
    mirror(db, ofTaken(sql`content_id`), now),
    db
      .update(companies)
      .set({ compiledAt: now })
      .where(eq(companies.id, ofTaken(sql`company_id`))),
  ]);
  if (task) return { kind: "claimed", task, lease };

  const current = await openTask(db, contentId, generation);
  if (!current) return { kind: "settled" };
  if (current.leaseExpiresAt !== null && current.leaseExpiresAt > now) {
    return { kind: "wait", until: current.leaseExpiresAt };
  }
  if (current.attempts >= MAX_ATTEMPTS) return { kind: "exhausted" };
  const dueAt = current.nextAttemptAt ?? now;
  return dueAt > now + EARLY_MILLISECONDS ? { kind: "wait", until: dueAt } : { kind: "full" };
}

/** Returns the compilation that the next free place belongs to; undefined if none is due or no place is free. */
export async function findNext(
  db: Database,
  places: number,
  now: number,
): Promise<{ content_id: string; generation: number } | undefined> {
  const [next] = await db
    .select({ content_id: compileTasks.contentId, generation: compileTasks.generation })
    .from(compileTasks)
    .where(eq(compileTasks.id, nextTask(places, { now, dueBy: now })));
  return next;
}

/** The compilations that the Node compiler has, including those whose lease has expired. Literal: see `isOpen`. */
export const isRunning = sql`${compileTasks.state} = 'processing' AND ${compileTasks.executor} = 'node'`;

function holdsPlace(now: number): SQL {
  return sql`${isRunning} AND ${compileTasks.leaseExpiresAt} > ${now}`;
}

function hasFreePlace(places: number, now: number): SQL {
  return sql`(SELECT count(*) FROM ${compileTasks} WHERE ${holdsPlace(now)}) < ${places}`;
}

/** Returns the id of the compilation whose turn it is; NULL if none is due or no place is free. */
function nextTask(places: number, due: Due, preferred?: SQL): SQL {
  const { now } = due;
  const next = nextInTurn({
    table: compileTasks,
    isOpen,
    isReady: isDue(due),
    isTaken: holdsPlace(now),
    since: sql`${compileTasks.nextAttemptAt}`,
    lastTurn: companies.compiledAt,
    preferred,
  });
  return sql`CASE WHEN ${hasFreePlace(places, now)} THEN ${next} END`;
}

interface Due {
  readonly now: number;
  readonly dueBy: number;
}

/** The compilations that the Node compiler may start. A lease never ends before `nextAttemptAt`. */
function isDue({ now, dueBy }: Due): SQL {
  return sql`(${isFree(now)} AND ${compileTasks.nextAttemptAt} <= ${dueBy}
    AND ${compileTasks.attempts} < ${MAX_ATTEMPTS})`;
}

/** Notes a failure of the Node compiler; the task waits for the next attempt, which is due at `dueAt`. */
export function retryLater(
  db: Database,
  task: CompileTaskRow,
  retry: {
    readonly leaseHash: string;
    readonly failure: Failure;
    readonly dueAt: number;
    /** False when the compiler was busy or missing: it never tried, so the attempt is given back. */
    readonly isAttempt: boolean;
    readonly now: number;
  },
): Promise<CompileTaskRow | undefined> {
  const { leaseHash, failure, dueAt, isAttempt, now } = retry;
  return transition(db, task.contentId, {
    guard: isLeasedBy(leaseHash),
    change: {
      ...waiting,
      progress: null,
      nextAttemptAt: dueAt,
      attempts: isAttempt ? task.attempts : task.attempts - 1,
      timeouts: failure.code === "compile_timeout" ? task.timeouts + 1 : task.timeouts,
      errorCode: failure.code,
      errorMessage: failure.message,
    },
    now,
  });
}

/** Fails a task for good: another attempt cannot make a marker of this image. */
export function fail(
  db: Database,
  { contentId, leaseHash }: LeaseClaim,
  failure: Failure,
  now: number,
): Promise<CompileTaskRow | undefined> {
  const change = { ...closed("failed", now), errorCode: failure.code, errorMessage: failure.message };
  return transition(db, contentId, { guard: isLeasedBy(leaseHash), change, now, event: "marker.failed" });
}

/** Fails a task whose attempts are spent, unless an executor holds it or a newer generation exists. */
export function failExhausted(
  db: Database,
  contentId: string,
  generation: number,
  now: number,
): Promise<CompileTaskRow | undefined> {
  const guard = and(eq(compileTasks.generation, generation), isFree(now));
  return transition(db, contentId, {
    guard,
    first: keepTask(db, and(eq(compileTasks.contentId, contentId), guard), now),
    change: {
      ...closed("failed", now),
      errorCode: "retries_exhausted",
      errorMessage: sql`'Failed after ' || ${compileTasks.attempts} || ' attempts. Last error: '
        || coalesce(${compileTasks.errorMessage}, 'none recorded.')`,
    },
    now,
    event: "marker.failed",
  });
}

/**
 * Returns the statements that let compilations start again whose retries were exhausted, unless a newer one exists or the
 * photo was deleted. The first returns them; the second mirrors their state. Their attempts count from zero.
 */
export function restartExhausted(db: Database, taskIds: readonly string[], now: number) {
  const isNewest = sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${arContent.id} = ${compileTasks.contentId}
    AND ${arContent.generation} = ${compileTasks.generation} AND ${arContent.deletedAt} IS NULL)`;
  const isListedTask = isListed(compileTasks.id, taskIds);
  return [
    db
      .update(compileTasks)
      .set({
        ...waiting,
        attempts: 0,
        timeouts: 0,
        nextAttemptAt: now,
        errorCode: null,
        errorMessage: null,
        finishedAt: null,
      })
      .where(
        and(
          isListedTask,
          eq(compileTasks.state, "failed"),
          eq(compileTasks.errorCode, "retries_exhausted"),
          isNewest,
        ),
      )
      .returning({ id: compileTasks.contentId, generation: compileTasks.generation }),
    db
      .update(arContent)
      .set({ markerStatus: "pending", updatedAt: touched(now) })
      .where(
        inArray(
          arContent.id,
          db
            .select({ id: compileTasks.contentId })
            .from(compileTasks)
            .where(and(isListedTask, eq(compileTasks.state, "pending"), isNewest)),
        ),
      ),
  ] as const;
}

type DeliveredFile = ReservedFile & AddressedFile;

/** The stored files of a delivered marker, and its metadata. */
export interface FinishedMarker {
  /** Without a thumbnail, the old one stays. Without a picture, which may show a photo that was replaced, the sweep makes one. */
  readonly files: { readonly marker: DeliveredFile } & { readonly [Kind in DeliveredKind]?: DeliveredFile };
  readonly metadata: MarkerMetadata;
}

/**
 * Makes a task ready and shows its marker, if the lease still holds. Every executor's marker becomes ready here.
 *
 * @param quotas those of companies without quotas of their own
 * @returns false when the lease is lost
 */
export async function finish(
  db: Database,
  { contentId, leaseHash }: LeaseClaim,
  { files, metadata }: FinishedMarker,
  { quotas, now }: { readonly quotas: Quotas; readonly now: number },
): Promise<boolean> {
  const held = and(
    eq(compileTasks.contentId, arContent.id),
    eq(compileTasks.generation, arContent.generation),
    isHeld(leaseHash, now),
  );
  const delivered = DELIVERED_KINDS.flatMap((kind) => {
    const file = files[kind];
    return file ? [{ kind, file }] : [];
  });
  const reservations = delivered.map(({ file }) => file.id);
  const condition = and(
    eq(arContent.id, contentId),
    isNull(arContent.deletedAt),
    exists(db.select({ id: compileTasks.id }).from(compileTasks).where(held)),
    areReserved(db, reservations),
  );
  const transaction = new Transaction();
  const replaced = new Set<DeliveredKind>(["picture", ...delivered.map(({ kind }) => kind)]);
  for (const kind of replaced) {
    const id = crypto.randomUUID();
    transaction.add(orphanReplaced(db, { id, contentId, kind, condition, quotas, now }));
  }
  const swapped = transaction.add(
    db
      .update(arContent)
      .set({
        markerStatus: "ready",
        markerGeneratedAt: now,
        markerMetadata: metadata,
        ...fileValues("picture", null),
        pictureFailedAt: null,
        ...Object.assign({}, ...delivered.map(({ kind, file }) => fileValues(kind, file))),
        updatedAt: touched(now),
      })
      .where(condition)
      .returning({ id: arContent.id }),
  );
  transaction.add(
    db
      .update(compileTasks)
      .set({
        state: "ready",
        leaseExpiresAt: null,
        nextAttemptAt: null,
        progress: null,
        errorCode: null,
        errorMessage: null,
        finishedAt: now,
      })
      .where(
        and(eq(compileTasks.contentId, contentId), isHeld(leaseHash, now), areReserved(db, reservations)),
      ),
  );
  // A task that was held means that the content was changed: deletion takes the lease away.
  for (const statement of recordEvent(db, { type: "marker.ready", contentId, now }))
    transaction.add(statement);
  transaction.add(releaseNamed(db, reservations));
  await transaction.commit(db);
  return swapped().length === 1;
}

/** Returns the task that a lease holds, or has made ready; undefined when the lease is lost. */
export async function findLease(
  db: Database,
  { contentId, leaseHash }: LeaseClaim,
  now: number,
): Promise<CompileTaskRow | undefined> {
  const delivered = and(eq(compileTasks.state, "ready"), eq(compileTasks.leaseHash, leaseHash));
  const [task] = await db
    .select()
    .from(compileTasks)
    .where(and(eq(compileTasks.contentId, contentId), or(isHeld(leaseHash, now), delivered)));
  return task;
}

/**
 * Returns compilations whose message must be lost: it was due long ago, no executor holds them, and they do not
 * wait for a place. At most as many as there are places: each message starts the one whose turn it is, and its end
 * starts the next. They are marked as due now, so that the next sweep does not return them again.
 */
export async function reclaimOverdue(
  db: Database,
  { graceSeconds, places, now }: { graceSeconds: number; places: number; now: number },
): Promise<{ content_id: string; generation: number }[]> {
  const longAgo = now - graceSeconds * 1000;
  const isForgotten = and(
    lte(compileTasks.nextAttemptAt, longAgo),
    or(isNull(compileTasks.leaseExpiresAt), lte(compileTasks.leaseExpiresAt, longAgo)),
  );
  // Two searches: without a free place, the first reads no row, and the second only those without attempts left.
  const oldest = (which: SQL) =>
    sql`SELECT * FROM (SELECT ${compileTasks.id} FROM ${compileTasks} WHERE ${and(which, isForgotten)}
      ORDER BY ${compileTasks.nextAttemptAt} LIMIT ${Math.min(places, MAX_RECLAIMED)})`;
  const forgotten = sql`(
    ${oldest(sql`${isOpen} AND ${hasFreePlace(places, now)}`)} UNION ${oldest(isSpent)}
    LIMIT ${Math.min(places, MAX_RECLAIMED)})`;
  return db
    .update(compileTasks)
    .set({ nextAttemptAt: now })
    .where(sql`${compileTasks.id} IN ${forgotten}`)
    .returning({ content_id: compileTasks.contentId, generation: compileTasks.generation });
}

/** Returns the statement that ends the open tasks of those contents that are deleted; executors lose their leases. */
export function supersedeTasks(db: Database, contentIds: readonly string[], companyId: string, now: number) {
  return db
    .update(compileTasks)
    .set(closed("superseded", now))
    .where(
      and(
        isListed(compileTasks.contentId, contentIds),
        eq(compileTasks.companyId, companyId),
        isOpen,
        sql`EXISTS (SELECT 1 FROM ar_content WHERE ar_content.id = ${compileTasks.contentId} AND deleted_at IS NOT NULL)`,
      ),
    );
}

/** Records when the next message is due. The sweep sends another one if it is long overdue. */
export async function expectMessage(
  db: Database,
  contentId: string,
  generation: number,
  dueAt: number,
): Promise<void> {
  await db
    .update(compileTasks)
    .set({ nextAttemptAt: dueAt })
    .where(
      and(
        eq(compileTasks.contentId, contentId),
        eq(compileTasks.generation, generation),
        eq(compileTasks.state, "processing"),
      ),
    );
}

/** Content whose new generation has no task yet. */
const isWithoutTask = sql`NOT EXISTS (SELECT 1 FROM compile_tasks WHERE compile_tasks.content_id = ar_content.id AND compile_tasks.generation = ar_content.generation)`;
const isOfOlderGeneration = sql`${compileTasks.generation} < (SELECT generation FROM ar_content WHERE ar_content.id = ${compileTasks.contentId})`;

/** Literal, as SQLite uses a partial index only for its own condition. */
const isOpen = sql`${compileTasks.state} IN ('pending', 'processing')`;
const isSpent = sql`${isOpen} AND ${compileTasks.attempts} >= ${sql.raw(String(MAX_ATTEMPTS))}`;
const isOfForgottenGeneration = sql`${compileTasks.generation} <= (SELECT generation FROM ar_content WHERE ar_content.id = ${compileTasks.contentId}) - ${MAX_TASKS}`;

/** The state of a task that waits for the Node compiler. `executor` still names the last one. */
const waiting = { state: "pending", leaseHash: null, leaseExpiresAt: null } as const;

const closed = (state: "failed" | "superseded", now: number) => ({
  state,
  leaseHash: null,
  leaseExpiresAt: null,
  nextAttemptAt: null,
  progress: null,
  finishedAt: now,
});

/** A task that no executor holds. */
function isFree(now: number): SQL | undefined {
  return or(
    eq(compileTasks.state, "pending"),
    and(eq(compileTasks.state, "processing"), lte(compileTasks.leaseExpiresAt, now)),
  );
}

function isLeasedBy(leaseHash: string): SQL | undefined {
  return and(eq(compileTasks.state, "processing"), eq(compileTasks.leaseHash, leaseHash));
}

function isHeld(leaseHash: string, now: number): SQL | undefined {
  return and(isLeasedBy(leaseHash), gt(compileTasks.leaseExpiresAt, now));
}

async function openTask(db: Database, contentId: string, generation?: number) {
  const [task] = await db
    .select()
    .from(compileTasks)
    .where(
      and(
        eq(compileTasks.contentId, contentId),
        isOpen,
        generation === undefined ? undefined : eq(compileTasks.generation, generation),
      ),
    );
  return task;
}

type TaskChange = Parameters<ReturnType<Database["update"]>["set"]>[0];

interface Transition {
  /** The state, and the lease, that it starts from. */
  readonly guard: SQL | undefined;
  readonly change: TaskChange;
  readonly now: number;
  /** The event that webhooks report. */
  readonly event?: ContentEvent;
  /** A statement that runs before the change. */
  readonly first?: BatchItem<"sqlite">;
}

/** Changes a task if its guard holds, mirrors its state in the content, and records the event. */
async function transition(
  db: Database,
  contentId: string,
  { guard, change, now, event, first }: Transition,
): Promise<CompileTaskRow | undefined> {
  const transaction = new Transaction();
  if (first) transaction.add(first as BatchItem<"sqlite"> & PromiseLike<unknown>);
  const moved = transaction.add(
    db
      .update(compileTasks)
      .set(change)
      .where(and(eq(compileTasks.contentId, contentId), guard))
      .returning(),
  );
  transaction.add(mirror(db, sql`${contentId}`, now));
  for (const statement of event ? recordEvent(db, { type: event, contentId, now }) : []) {
    transaction.add(statement);
  }
  await transaction.commit(db);
  return moved()[0];
}

/** Returns the statement that mirrors the state of a content's newest task. */
function mirror(db: Database, contentId: SQL, now: number) {
  const newest = db
    .select({ state: compileTasks.state })
    .from(compileTasks)
    .where(and(eq(compileTasks.contentId, arContent.id), eq(compileTasks.generation, arContent.generation)));
  return db
    .update(arContent)
    .set({ markerStatus: sql`${newest}`, updatedAt: touched(now) })
    .where(and(eq(arContent.id, contentId), sql`${arContent.markerStatus} <> ${newest}`));
}
