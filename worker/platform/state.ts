import { asc, gte, sql } from "drizzle-orm";
import type { Bindings } from "../bindings.ts";
import { isListed } from "../db/is-listed.ts";
import {
  alerts,
  type CountKind,
  compileTasks,
  type Database,
  deadLetters,
  platformCounts,
} from "../db/tables.ts";
import { isRunning } from "../marker/life.ts";
import { selectLastRun } from "./sweep-runs.ts";

/** Dead letters that the studio shows. */
const SHOWN_DEAD_LETTERS = 50;

const KINDS = [
  "photos_pending",
  "photos_processing",
  "photos_ready",
  "photos_failed",
  "compilations_ready_browser",
  "compilations_ready_node",
  "compilations_ready_none",
  "compilations_failed_browser",
  "compilations_failed_node",
  "compilations_failed_none",
  "webhooks_pending",
  "webhooks_delivered",
  "webhooks_failed",
  "dead_letters_compile",
  "dead_letters_webhooks",
] as const satisfies CountKind[];

/** Always true. With it, the database begins at the oldest one of the index. */
export const hasArrived = gte(deadLetters.arrivedAt, 0);

/** Sums over all companies. They name no company, person or photo. */
export type Counts = Readonly<Record<CountKind, number>>;

/**
 * Reads the state of the platform in one round trip. However many rows there are, it reads about as many as it returns,
 * and one for each running compilation.
 */
export async function readState(db: Database) {
  const [counts, [{ running }], [{ nextDueAt }], [sweep], firing, letters, [schema]] = await db.batch([
    selectCounts(db),
    db.select({ running: sql<number>`count(*)` }).from(compileTasks).where(isRunning),
    db
      .select({ nextDueAt: sql<number | null>`min(${compileTasks.nextAttemptAt})` })
      .from(compileTasks)
      .where(sql`${compileTasks.state} IN ('pending', 'processing') AND ${compileTasks.nextAttemptAt} > 0`),
    selectLastRun(db),
    db.select().from(alerts).limit(SHOWN_DEAD_LETTERS),
    db
      .select()
      .from(deadLetters)
      .where(hasArrived)
      .orderBy(asc(deadLetters.arrivedAt))
      .limit(SHOWN_DEAD_LETTERS),
    db
      .select({ name: sql<string>`name` })
      .from(sql`d1_migrations`)
      .where(sql`id = (SELECT max(id) FROM d1_migrations)`),
  ]);
  return {
    counts: countsOf(counts),
    running,
    nextDueAt,
    sweep: sweep ?? null,
    firing,
    letters,
    schema: schema?.name ?? null,
  };
}

export type PlatformState = Awaited<ReturnType<typeof readState>>;

export function selectCounts(db: Database) {
  return db.select().from(platformCounts).where(isListed(platformCounts.kind, KINDS));
}

export function countsOf(rows: Awaited<ReturnType<typeof selectCounts>>): Counts {
  const values = new Map(rows.map(({ kind, value }) => [kind, value]));
  return Object.fromEntries(KINDS.map((kind) => [kind, values.get(kind) ?? 0])) as Counts;
}

export interface QueueDepth {
  readonly name: string;
  /** Null: the queue did not tell. */
  readonly messages: number | null;
  readonly oldestAt: number | null;
}

/** Returns how many messages wait in each queue. */
export function queueDepths(queues: Bindings["operations"]["queues"]): Promise<QueueDepth[]> {
  return Promise.all(
    Object.entries(queues).map(async ([name, depth]) => {
      try {
        return { name, ...(await depth()) };
      } catch {
        return { name, messages: null, oldestAt: null };
      }
    }),
  );
}
