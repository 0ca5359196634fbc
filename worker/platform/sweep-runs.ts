import { sql } from "drizzle-orm";
import { type Database, sweepRuns } from "../db/tables.ts";

/** The sweep stands still if no run has succeeded for so long. It runs every minute. */
export const MAX_SWEEP_AGE_MS = 10 * 60_000;

/** Records a run of the sweep, and the names of the steps that failed. */
export async function recordRun(
  db: Database,
  run: { readonly startedAt: number; readonly finishedAt: number; readonly failedSteps: readonly string[] },
): Promise<void> {
  const { finishedAt, failedSteps } = run;
  const succeededAt = failedSteps.length === 0 ? finishedAt : sql`${sweepRuns.succeededAt}`;
  await db
    .insert(sweepRuns)
    .values({ id: "last", ...run, succeededAt: failedSteps.length === 0 ? finishedAt : 0 })
    .onConflictDoUpdate({ target: sweepRuns.id, set: { ...run, succeededAt } });
}

/** Throws if the sweep stands still. */
export async function checkSweep(db: Database, now: number): Promise<void> {
  const [last] = await selectLastRun(db);
  const age = now - (last?.succeededAt ?? 0);
  if (age <= MAX_SWEEP_AGE_MS) return;
  const steps = last?.failedSteps.length ? ` Failed steps: ${last.failedSteps.join(", ")}.` : "";
  throw new Error(`The sweep last succeeded ${Math.round(age / 60_000)} minutes ago.${steps}`);
}

export function selectLastRun(db: Database) {
  return db.select().from(sweepRuns).limit(1);
}
