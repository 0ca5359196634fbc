import { asc, eq, inArray, sql } from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import type { Bindings } from "../bindings.ts";
import { isListed } from "../db/is-listed.ts";
import { deadLetters, platformCounts, webhookDeliveries } from "../db/tables.ts";
import { Transaction } from "../db/transaction.ts";
import { announceAll } from "../marker/announce.ts";
import { restartExhausted } from "../marker/life.ts";
import { enqueueDelivery, restart } from "../webhooks/deliveries.ts";
import { hasArrived } from "./state.ts";

/** Dead letters of one request. A queue takes as many messages in one call. */
export const MAX_RETRIED = 100;

export interface Retried {
  /** Compilations and deliveries that start again. */
  readonly retried: number;
  /** Those that were deleted, compiled again or disabled before, and of which nothing is left to retry. */
  readonly discarded: number;
  readonly left: number;
}

/**
 * Starts the compilations and webhook deliveries of dead letters again, with all their attempts.
 *
 * @param ids of the dead letters; null: the oldest
 */
export async function retryDeadLetters(
  { db, queue, webhookQueue, now }: Pick<Bindings, "db" | "queue" | "webhookQueue" | "now">,
  ids: readonly string[] | null,
  audit: Audit,
): Promise<Retried> {
  const letters = await db
    .select()
    .from(deadLetters)
    .where(ids ? isListed(deadLetters.id, ids) : hasArrived)
    .orderBy(asc(deadLetters.arrivedAt))
    .limit(MAX_RETRIED);
  const time = now();
  const deliveryIds = letters.flatMap(({ deliveryId }) => deliveryId ?? []);
  const taskIds = letters.flatMap(({ taskId }) => taskId ?? []);
  const transaction = new Transaction();
  const [tasks, mirror] = restartExhausted(db, taskIds, time);
  const restartedTasks = transaction.add(tasks);
  transaction.add(mirror);
  const isFailed = eq(webhookDeliveries.state, "failed");
  const restartedDeliveries = transaction.add(
    restart(db, sql`${isListed(webhookDeliveries.id, deliveryIds)} AND ${isFailed}`, time),
  );
  const letterIds = letters.map(({ id }) => id);
  transaction.add(db.delete(deadLetters).where(isListed(deadLetters.id, letterIds)));
  if (letters.length > 0) {
    const object = { id: "dead-letters", name: "Dead letters" };
    transaction.add(audit.entry("platform.retried", object, { dead_letters: letters.length }, sql`true`));
  }
  const kinds = ["dead_letters_compile", "dead_letters_webhooks"] as const;
  const left = transaction.add(
    db
      .select({ value: platformCounts.value })
      .from(platformCounts)
      .where(inArray(platformCounts.kind, [...kinds])),
  );
  await transaction.commit(db);
  await announceAll(queue, restartedTasks());
  for (const { id } of restartedDeliveries()) await enqueueDelivery({ db, webhookQueue }, id);
  const retried = restartedTasks().length + restartedDeliveries().length;
  return {
    retried,
    discarded: letters.length - retried,
    left: left().reduce((sum, { value }) => sum + value, 0),
  };
}
