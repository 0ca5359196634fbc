import { and, eq, exists, gt, inArray, isNull, lt, lte, ne, or, type SQL, sql } from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { type FilePlace, placed } from "../content/files.ts";
import { insertSelect } from "../db/insert-select.ts";
import {
  arContent,
  type CompileTaskRow,
  type Content,
  compileTasks,
  type Database,
  touched,
} from "../db/tables.ts";
import type { Failure } from "../errors.ts";
import type { MarkerMetadata, ProgressBody } from "../schemas.ts";
import { hex, sha256 } from "../sha256.ts";
import type { ContentEvent } from "../webhooks/event-names.ts";
import { happened } from "../webhooks/events.ts";

/**
 * The life of a marker: who may compile it, and what became of it. `compile_tasks` holds the truth, one row
 * per generation; `ar_content.marker_status` mirrors the row of the newest generation.
 *
 * Every transition is one guarded UPDATE that names the state (and the lease) it starts from, in one atomic
 * batch with the mirror. A transition that changes no row means that somebody else was first.
 * Times are milliseconds since 1970 and come from the caller.
 */

/**
 * Claims by the Node compiler before a task is given up: `max_retries` of the queue and its first delivery.
 * The queue counts deliveries and moves a message to the dead letters; this counts claims, so that messages
 * sent again by the sweep do not start over.
 */
export const MAX_ATTEMPTS = 6;

/** A back-off grows no further than this. */
export const MAX_BACKOFF_SECONDS = 3600;

/** Queues deliver on whole seconds: a message this early is on time. */
const EARLY_MILLISECONDS = 1000;

export interface NewLease {
  /** Known to its holder alone. */
  readonly token: string;
  readonly hash: string;
  readonly expiresAt: number;
}

export async function newLease(now: number, seconds: number): Promise<NewLease> {
  const token = hex(crypto.getRandomValues(new Uint8Array(32)));
  return { token, hash: await hashToken(token), expiresAt: now + seconds * 1000 };
}

export function hashToken(token: string): Promise<string> {
  return sha256(new TextEncoder().encode(token));
}

/** Seconds to wait after the nth claim failed: base × 2^(n − 1), capped. */
export function backoffSeconds(attempts: number, baseSeconds: number): number {
  return Math.min(baseSeconds * 2 ** Math.max(0, attempts - 1), MAX_BACKOFF_SECONDS);
}

/** The first state of a task: leased to the browser that asked, or waiting for the Node compiler. */
export function openedBy(lease: NewLease | null, now: number) {
  return {
    state: lease ? "processing" : "pending",
    executor: lease ? "browser" : null,
    leaseHash: lease?.hash ?? null,
    leaseExpiresAt: lease?.expiresAt ?? null,
    nextAttemptAt: lease?.expiresAt ?? now,
    startedAt: lease ? now : null,
  } as const;
}

function titleOf(contentId: string): SQL {
  return sql`(SELECT title FROM ar_content WHERE id = ${contentId})`;
}

/**
 * Asks for the marker again: a new generation takes the place of all older ones, whose tasks become
 * `superseded`. The marker that is being served stays until the new one is ready.
 *
 * @param audit null: the platform itself asks, and notes nothing
 * @param room the condition that the company may have it compiled
 * @returns the new task; undefined when the content is gone, or there is no room
 */
export async function recompile(
  db: Database,
  contentId: string,
  lease: NewLease | null,
  maxFeatures: number | null | undefined,
  audit: Audit | null,
  now: number,
  taskId: string = crypto.randomUUID(),
  room: SQL = sql`1`,
): Promise<CompileTaskRow | undefined> {
  const opened = openedBy(lease, now);
  const present = and(eq(arContent.id, contentId), isNull(arContent.deletedAt));
  const newTask = insertSelect(
    db,
    compileTasks,
    {
      ...{ id: taskId, contentId: arContent.id, companyId: arContent.companyId },
      ...{ generation: arContent.generation, ...opened, createdAt: now },
    },
    sql`FROM ${arContent} WHERE ${and(present, isWithoutTask)}`,
  );
  const [, , inserted] = await db.batch([
    db
      .update(arContent)
      .set({
        generation: sql`${arContent.generation} + 1`,
        markerStatus: opened.state,
        ...(maxFeatures === undefined ? {} : { maxFeatures }),
        updatedAt: touched(now),
      })
      .where(and(present, room)),
    db
      .update(compileTasks)
      .set(closed("superseded", now))
      .where(and(eq(compileTasks.contentId, contentId), isOpen, isOfOlderGeneration)),
    newTask.returning(),
    ...(audit ? [audit.note("marker.recompiled", { id: contentId, name: titleOf(contentId) })] : []),
  ]);
  return inserted[0];
}

export type TakeOver =
  | { readonly kind: "taken"; readonly task: CompileTaskRow; readonly lease: NewLease }
  | { readonly kind: "held"; readonly until: number }
  | { readonly kind: "settled" };

/** Leases a waiting or abandoned compilation to a browser. */
export async function takeOver(
  db: Database,
  contentId: string,
  leaseSeconds: number,
  now: number,
): Promise<TakeOver> {
  const lease = await newLease(now, leaseSeconds);
  const task = await move(db, contentId, isFree(now), { ...openedBy(lease, now), progress: null }, now);
  if (task) return { kind: "taken", task, lease };
  const current = await openTask(db, contentId);
  return current?.leaseExpiresAt ? { kind: "held", until: current.leaseExpiresAt } : { kind: "settled" };
}

/** Prolongs a lease and notes progress; undefined when the lease is lost. */
export async function extendLease(
  db: Database,
  contentId: string,
  leaseHash: string,
  leaseSeconds: number,
  progress: ProgressBody,
  now: number,
): Promise<{ expiresAt: number } | undefined> {
  const expiresAt = now + leaseSeconds * 1000;
  const [extended] = await db
    .update(compileTasks)
    .set({ leaseExpiresAt: expiresAt, progress })
    .where(and(eq(compileTasks.contentId, contentId), isHeld(leaseHash, now)))
    .returning({ id: compileTasks.id });
  return extended && { expiresAt };
}

/** The browser cannot finish: the task waits for the Node compiler. Undefined when the lease is lost. */
export function giveUp(
  db: Database,
  contentId: string,
  leaseHash: string,
  now: number,
): Promise<CompileTaskRow | undefined> {
  const guard = and(isHeld(leaseHash, now), eq(compileTasks.executor, "browser"));
  return move(db, contentId, guard, { ...waiting, progress: null, nextAttemptAt: now }, now);
}

export type Claim =
  | { readonly kind: "claimed"; readonly task: CompileTaskRow; readonly lease: NewLease }
  /** Ready, failed, superseded or deleted: the message has no use any more. */
  | { readonly kind: "settled" }
  /** Somebody holds it, or its back-off is not over. */
  | { readonly kind: "wait"; readonly until: number }
  | { readonly kind: "exhausted" };

/** A message fired: claims the compilation for the Node compiler, one attempt more, if it is free. */
export async function claim(
  db: Database,
  contentId: string,
  generation: number,
  leaseSeconds: number,
  now: number,
): Promise<Claim> {
  const lease = await newLease(now, leaseSeconds);
  const due = or(
    ne(compileTasks.state, "pending"),
    isNull(compileTasks.nextAttemptAt),
    lte(compileTasks.nextAttemptAt, now + EARLY_MILLISECONDS),
  );
  const task = await move(
    db,
    contentId,
    and(eq(compileTasks.generation, generation), isFree(now), due, lt(compileTasks.attempts, MAX_ATTEMPTS)),
    {
      state: "processing",
      executor: "node",
      leaseHash: lease.hash,
      leaseExpiresAt: lease.expiresAt,
      attempts: sql`${compileTasks.attempts} + 1`,
      progress: null,
      startedAt: sql`coalesce(${compileTasks.startedAt}, ${now})`,
    },
    now,
  );
  if (task) return { kind: "claimed", task, lease };

  const current = await openTask(db, contentId, generation);
  if (!current) return { kind: "settled" };
  if (current.leaseExpiresAt !== null && current.leaseExpiresAt > now) {
    return { kind: "wait", until: current.leaseExpiresAt };
  }
  if (current.attempts >= MAX_ATTEMPTS) return { kind: "exhausted" };
  return { kind: "wait", until: current.nextAttemptAt ?? now };
}

/**
 * The Node compiler could not finish, and another try may succeed.
 *
 * @param dueAt when the message comes again
 * @param counts whether the claim was an attempt; a compiler that was busy never tried
 */
export function retryLater(
  db: Database,
  task: CompileTaskRow,
  leaseHash: string,
  failure: Failure,
  dueAt: number,
  counts: boolean,
  now: number,
): Promise<CompileTaskRow | undefined> {
  return move(
    db,
    task.contentId,
    isLeasedBy(leaseHash),
    {
      ...waiting,
      progress: null,
      nextAttemptAt: dueAt,
      attempts: counts ? task.attempts : task.attempts - 1,
      errorCode: failure.code,
      errorMessage: failure.message,
    },
    now,
  );
}

/** No executor will ever make a marker of this image. */
export function fail(
  db: Database,
  contentId: string,
  leaseHash: string,
  failure: Failure,
  now: number,
): Promise<CompileTaskRow | undefined> {
  const set = { ...closed("failed", now), errorCode: failure.code, errorMessage: failure.message };
  return move(db, contentId, isLeasedBy(leaseHash), set, now, "marker.failed");
}

/** Retries are spent. A compilation that somebody holds is left to them; a newer generation is not touched. */
export function exhaust(
  db: Database,
  contentId: string,
  generation: number,
  now: number,
): Promise<CompileTaskRow | undefined> {
  return move(
    db,
    contentId,
    and(eq(compileTasks.generation, generation), isFree(now)),
    {
      ...closed("failed", now),
      errorCode: "retries_exhausted",
      errorMessage: sql`'Given up after ' || ${compileTasks.attempts} || ' attempts. The last error: '
        || coalesce(${compileTasks.errorMessage}, 'none was noted.')`,
    },
    now,
    "marker.failed",
  );
}

/** Where a delivered marker was stored, and what it is. */
export interface FinishedMarker {
  readonly marker: FilePlace & { readonly url: string };
  /** Null: the thumbnail that is there stays. */
  readonly thumbnail: (FilePlace & { readonly url: string }) | null;
  readonly metadata: MarkerMetadata;
}

/**
 * The one way to `ready`, for every executor: swaps the marker in, if the lease still holds.
 *
 * @returns the content as it was just before, whose files may go; undefined when nothing has changed
 */
export async function finish(
  db: Database,
  contentId: string,
  leaseHash: string,
  { marker, thumbnail, metadata }: FinishedMarker,
  now: number,
): Promise<Content | undefined> {
  const held = and(
    eq(compileTasks.contentId, arContent.id),
    eq(compileTasks.generation, arContent.generation),
    isHeld(leaseHash, now),
  );
  const [[before], swapped] = await db.batch([
    // In the same transaction: its files may have been moved since it was last read.
    db.select().from(arContent).where(eq(arContent.id, contentId)),
    db
      .update(arContent)
      .set({
        markerStatus: "ready",
        ...placed("marker", marker),
        markerUrl: marker.url,
        markerGeneratedAt: now,
        markerMetadata: metadata,
        ...(thumbnail ? { ...placed("thumbnail", thumbnail), thumbnailUrl: thumbnail.url } : {}),
        updatedAt: touched(now),
      })
      .where(
        and(
          eq(arContent.id, contentId),
          isNull(arContent.deletedAt),
          exists(db.select({ id: compileTasks.id }).from(compileTasks).where(held)),
        ),
      )
      .returning({ id: arContent.id }),
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
      .where(and(eq(compileTasks.contentId, contentId), isHeld(leaseHash, now))),
    // The task was held, and so the content was changed: when it is deleted, nobody holds its tasks any more.
    ...happened(db, "marker.ready", contentId, now),
  ]);
  return swapped.length === 1 ? before : undefined;
}

/** What a lease token is worth: the task it holds, or finished. Undefined when it is lost. */
export async function findLease(
  db: Database,
  contentId: string,
  leaseHash: string,
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
 * Compilations whose message must be lost: due long ago, and nobody at work on them. They are marked as due
 * now, so that the next sweep leaves them alone.
 */
export async function reclaimForgotten(
  db: Database,
  graceSeconds: number,
  limit: number,
  now: number,
): Promise<{ content_id: string; generation: number }[]> {
  const longAgo = now - graceSeconds * 1000;
  const forgotten = db
    .select({ id: compileTasks.id })
    .from(compileTasks)
    .where(
      and(
        isOpen,
        or(isNull(compileTasks.nextAttemptAt), lte(compileTasks.nextAttemptAt, longAgo)),
        or(isNull(compileTasks.leaseExpiresAt), lte(compileTasks.leaseExpiresAt, longAgo)),
      ),
    )
    .limit(limit);
  return db
    .update(compileTasks)
    .set({ nextAttemptAt: now })
    .where(inArray(compileTasks.id, forgotten))
    .returning({ content_id: compileTasks.contentId, generation: compileTasks.generation });
}

/** Content is being deleted: whoever compiles it loses the lease. */
export function abandon(db: Database, contentId: string, companyId: string, now: number) {
  return db
    .update(compileTasks)
    .set(closed("superseded", now))
    .where(and(eq(compileTasks.contentId, contentId), eq(compileTasks.companyId, companyId), isOpen));
}

/** Notes when the next message is due, for the sweep. */
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

/** What a new generation was begun for; until its task is there. */
const isWithoutTask = sql`NOT EXISTS (SELECT 1 FROM compile_tasks WHERE compile_tasks.content_id = ar_content.id AND compile_tasks.generation = ar_content.generation)`;
const isOfOlderGeneration = sql`${compileTasks.generation} < (SELECT generation FROM ar_content WHERE ar_content.id = ${compileTasks.contentId})`;

const isOpen = inArray(compileTasks.state, ["pending", "processing"]);

/** The state of a task that waits for the Node compiler. Its executor so far stays on record. */
const waiting = { state: "pending", leaseHash: null, leaseExpiresAt: null } as const;

const closed = (state: "failed" | "superseded", now: number) => ({
  state,
  leaseHash: null,
  leaseExpiresAt: null,
  nextAttemptAt: null,
  progress: null,
  finishedAt: now,
});

/** Nobody is at work on it. */
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

/** One transition: the guarded change of a task, the mirror of its state, and the event that it is to others. */
async function move(
  db: Database,
  contentId: string,
  guard: SQL | undefined,
  change: TaskChange,
  now: number,
  event?: ContentEvent,
): Promise<CompileTaskRow | undefined> {
  const newest = db
    .select({ state: compileTasks.state })
    .from(compileTasks)
    .where(and(eq(compileTasks.contentId, arContent.id), eq(compileTasks.generation, arContent.generation)));
  const [moved] = await db.batch([
    db
      .update(compileTasks)
      .set(change)
      .where(and(eq(compileTasks.contentId, contentId), guard))
      .returning(),
    db
      .update(arContent)
      .set({ markerStatus: sql`${newest}`, updatedAt: touched(now) })
      .where(and(eq(arContent.id, contentId), sql`${arContent.markerStatus} <> ${newest}`)),
    ...(event ? happened(db, event, contentId, now) : []),
  ]);
  return moved[0];
}
