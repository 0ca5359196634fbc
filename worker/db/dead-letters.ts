import { type SQL, sql } from "drizzle-orm";
import { insertSelect } from "./insert-select.ts";
import { compileTasks, type Database, deadLetters, webhookDeliveries } from "./tables.ts";

/**
 * Return the statements that keep a compilation, or a webhook delivery, as a dead letter. They belong into the batch of
 * the change that makes it fail, before that change: `condition` is the condition of the change.
 */
export function keepTask(db: Database, condition: SQL | undefined, now: number) {
  const letter = {
    id: sql`lower(hex(randomblob(16)))`,
    queue: "compile",
    taskId: compileTasks.id,
    code: compileTasks.errorCode,
    attempts: compileTasks.attempts,
    arrivedAt: now,
  } as const;
  return insertSelect(db, deadLetters, letter, sql`FROM ${compileTasks} WHERE ${condition}`);
}

export function keepDelivery(db: Database, condition: SQL | undefined, now: number) {
  const letter = {
    id: sql`lower(hex(randomblob(16)))`,
    queue: "webhooks",
    deliveryId: webhookDeliveries.id,
    attempts: webhookDeliveries.attempts,
    arrivedAt: now,
  } as const;
  return insertSelect(db, deadLetters, letter, sql`FROM ${webhookDeliveries} WHERE ${condition}`);
}
