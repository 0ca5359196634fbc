import {
  and,
  eq,
  exists,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  not,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import { Audit, PLATFORM_ACTOR } from "../audit/log.ts";
import type { Bindings, WebhookMessage } from "../bindings.ts";
import { insertSelect } from "../db/insert-select.ts";
import {
  type Database,
  type WebhookDeliveryRow,
  type WebhookEndpointRow,
  type WebhookEventRow,
  webhookAttempts,
  webhookDeliveries,
  webhookEndpoints,
  webhookEvents,
} from "../db/tables.ts";
import { logFailure } from "../log.ts";

/**
 * The life of a delivery: `pending → delivered | failed`, and back to `pending` when somebody sends it again.
 * The database holds the truth; a queue message only says "look at this delivery". Every transition is one
 * guarded UPDATE, and whoever sends a request holds a lease meanwhile: a message that comes twice sends once.
 * Times are milliseconds since 1970 and come from the caller.
 */

/** Between the nth attempt and the next. Together with the jitter none is longer than a queue's longest delay. */
export const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const;
export const MAX_ATTEMPTS = RETRY_SECONDS.length + 1;

/** Of a delay, at most so much is added at random: what failed together does not come again together. */
const JITTER = 0.2;

/** The longest delay of a message (12 hours). */
const MAX_DELAY_SECONDS = 43_200;

/** Longer than a request and its note take. */
const LEASE_MILLISECONDS = 60_000;

/** Queues deliver on whole seconds: a message this early is on time. */
const EARLY_MILLISECONDS = 1000;

/** An endpoint is switched off when so many attempts failed in a row, and the first of them so long ago. */
export const FAILURES_TO_SWITCH_OFF = 20;
export const FAILING_DAYS_TO_SWITCH_OFF = 5;

const DAY_MILLISECONDS = 86_400_000;

/** How long deliveries stay on record. */
const KEPT_DAYS = 30;

/** Of a queue: messages that are sent at once. */
const MAX_MESSAGES = 100;

/** "Gone": whoever answers that wants nothing more (Standard Webhooks). */
const GONE = 410;

/**
 * Seconds from the nth attempt to the next.
 *
 * @param retryAfterSeconds what the endpoint asked for; null: nothing
 * @param random from 0 to 1
 */
export function delaySeconds(attempts: number, retryAfterSeconds: number | null, random: number): number {
  const planned = RETRY_SECONDS[attempts - 1] * (1 + JITTER * random);
  return Math.ceil(Math.min(Math.max(planned, retryAfterSeconds ?? 0), MAX_DELAY_SECONDS));
}

type Outbox = Pick<Bindings, "db" | "webhookQueue">;

/**
 * Sends the messages of what just happened to content. They may get lost, and the Worker may die before: the
 * deliveries are in the database, and the sweep finds them.
 */
export async function announceEvents(
  { db, webhookQueue }: Outbox,
  contentIds: readonly string[],
): Promise<void> {
  if (contentIds.length === 0) return;
  try {
    const fresh = await db
      .select({ delivery_id: webhookDeliveries.id })
      .from(webhookDeliveries)
      .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
      .where(
        and(
          inArray(webhookEvents.contentId, [...contentIds]),
          eq(webhookDeliveries.state, "pending"),
          eq(webhookDeliveries.attempts, 0),
        ),
      );
    await sendAll(webhookQueue, fresh);
  } catch (error) {
    logFailure("Webhooks are left to the sweep", error, { content_ids: contentIds });
  }
}

/** The same for one delivery that somebody asked for. */
export async function announceDelivery({ webhookQueue }: Outbox, deliveryId: string): Promise<void> {
  try {
    await sendAll(webhookQueue, [{ delivery_id: deliveryId }]);
  } catch (error) {
    logFailure("A webhook is left to the sweep", error, { delivery_id: deliveryId });
  }
}

async function sendAll(queue: Bindings["webhookQueue"], messages: readonly WebhookMessage[]): Promise<void> {
  for (let from = 0; from < messages.length; from += MAX_MESSAGES) {
    await queue.sendAll(messages.slice(from, from + MAX_MESSAGES));
  }
}

export interface Claimed {
  /** As it is now: with this attempt, and the lease. */
  readonly delivery: WebhookDeliveryRow;
  readonly endpoint: WebhookEndpointRow;
  readonly event: WebhookEventRow;
}

/** Nobody is sending it. */
export function isFree(now: number): SQL | undefined {
  return or(isNull(webhookDeliveries.lease), lte(webhookDeliveries.leaseExpiresAt, now));
}

/** The delivery's endpoint is switched on. */
export function isEndpointOn(db: Database): SQL {
  const on = db
    .select({ id: webhookEndpoints.id })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, webhookDeliveries.endpointId), eq(webhookEndpoints.isEnabled, true)));
  return exists(on);
}

/** Takes a delivery that is due, one attempt more; undefined: there is nothing to send (now). */
export async function claim(db: Database, id: string, now: number): Promise<Claimed | undefined> {
  const lease = crypto.randomUUID();
  const [taken] = await db
    .update(webhookDeliveries)
    .set({
      lease,
      leaseExpiresAt: now + LEASE_MILLISECONDS,
      attempts: sql`${webhookDeliveries.attempts} + 1`,
    })
    .where(
      and(
        eq(webhookDeliveries.id, id),
        eq(webhookDeliveries.state, "pending"),
        lte(webhookDeliveries.nextAttemptAt, now + EARLY_MILLISECONDS),
        lt(webhookDeliveries.attempts, MAX_ATTEMPTS),
        isFree(now),
        isEndpointOn(db),
      ),
    )
    .returning({ id: webhookDeliveries.id });
  if (!taken) return undefined;
  const [claimed] = await db
    .select({ delivery: webhookDeliveries, endpoint: webhookEndpoints, event: webhookEvents })
    .from(webhookDeliveries)
    .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, webhookDeliveries.endpointId))
    .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
    .where(and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.lease, lease)));
  return claimed;
}

/** What came of a request. */
export interface Attempt {
  readonly startedAt: number;
  readonly milliseconds: number;
  /** Null: there was no answer. */
  readonly status: number | null;
  /** How the answer's body began. */
  readonly response: string;
  /** In a sentence; null: it is delivered. */
  readonly error: string | null;
  /** What the endpoint asked for; null: nothing. */
  readonly retryAfterSeconds: number | null;
}

/**
 * Notes an attempt, and what follows from it for the delivery and its endpoint.
 *
 * @returns seconds until the next attempt; null: there is none
 */
export async function conclude(
  db: Database,
  { delivery, endpoint }: Claimed,
  { startedAt, milliseconds, status, response, error, retryAfterSeconds }: Attempt,
  random: number,
  now: number,
): Promise<number | null> {
  const isDelivered = error === null;
  const isLast = isDelivered || delivery.attempts >= MAX_ATTEMPTS;
  const delay = isLast ? null : delaySeconds(delivery.attempts, retryAfterSeconds, random);
  const [, , [after]] = await db.batch([
    db
      .update(webhookDeliveries)
      .set({
        state: isDelivered ? "delivered" : isLast ? "failed" : "pending",
        lease: null,
        leaseExpiresAt: null,
        nextAttemptAt: delay === null ? null : now + delay * 1000,
        status,
        error,
        finishedAt: isLast ? now : null,
      })
      .where(and(eq(webhookDeliveries.id, delivery.id), eq(webhookDeliveries.lease, delivery.lease ?? ""))),
    // The webhook may have been deleted meanwhile, and its deliveries with it.
    insertSelect(
      db,
      webhookAttempts,
      {
        id: crypto.randomUUID(),
        deliveryId: webhookDeliveries.id,
        createdAt: startedAt,
        milliseconds,
        status,
        response,
        error,
      },
      sql`FROM ${webhookDeliveries} WHERE ${eq(webhookDeliveries.id, delivery.id)}`,
    ),
    db
      .update(webhookEndpoints)
      .set(
        isDelivered
          ? { failures: 0, failingSince: null, lastDeliveredAt: now }
          : {
              failures: sql`${webhookEndpoints.failures} + 1`,
              failingSince: sql`coalesce(${webhookEndpoints.failingSince}, ${now})`,
            },
      )
      .where(eq(webhookEndpoints.id, endpoint.id))
      .returning(),
    // The webhook may have been switched off meanwhile, when this could not be given up.
    dropWaiting(db, eq(webhookDeliveries.id, delivery.id), now),
  ]);
  if (isDelivered || !after?.isEnabled) return null;
  const reason = status === GONE ? "gone" : isHopeless(after, now) ? "failing" : null;
  if (reason === null) return delay;
  await switchOff(db, after, reason, now);
  return null;
}

function isHopeless({ failures, failingSince }: WebhookEndpointRow, now: number): boolean {
  const since = now - FAILING_DAYS_TO_SWITCH_OFF * DAY_MILLISECONDS;
  return failures >= FAILURES_TO_SWITCH_OFF && failingSince !== null && failingSince <= since;
}

/** The platform sends nothing more to an endpoint, until somebody switches it on again. */
async function switchOff(
  db: Database,
  endpoint: WebhookEndpointRow,
  reason: NonNullable<WebhookEndpointRow["disabledReason"]>,
  now: number,
): Promise<void> {
  const { id, companyId, failures } = endpoint;
  const audit = new Audit(db, companyId, PLATFORM_ACTOR, () => now);
  await db.batch([
    db
      .update(webhookEndpoints)
      .set({ isEnabled: false, disabledReason: reason, updatedAt: now })
      .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.isEnabled, true))),
    audit.note("webhook.switched_off", { id, name: nameOf(endpoint) }, { reason, failures }),
    dropWaiting(db, eq(webhookDeliveries.endpointId, id), now),
  ]);
}

/** The statement that gives up which of the deliveries wait for an endpoint that is switched off. */
export function dropWaiting(db: Database, which: SQL, now: number) {
  return db
    .update(webhookDeliveries)
    .set({
      state: "failed",
      nextAttemptAt: null,
      error: "The webhook was switched off before this was delivered.",
      finishedAt: now,
    })
    .where(and(which, eq(webhookDeliveries.state, "pending"), isFree(now), not(isEndpointOn(db))));
}

/** How people tell endpoints apart. A query may hold a secret of the receiver's. */
export function nameOf({ url, description }: Pick<WebhookEndpointRow, "url" | "description">): string {
  return description || url.replace(/[?#].*$/s, "");
}

/** The queue gave a message up, or attempts that nobody concluded are spent. What is being sent is left alone. */
export async function giveUp(db: Database, id: string, isSpent: boolean, now: number): Promise<void> {
  await db
    .update(webhookDeliveries)
    .set({
      state: "failed",
      lease: null,
      leaseExpiresAt: null,
      nextAttemptAt: null,
      error: sql`coalesce(${webhookDeliveries.error}, 'It could not be sent.')`,
      finishedAt: now,
    })
    .where(
      and(
        eq(webhookDeliveries.id, id),
        eq(webhookDeliveries.state, "pending"),
        isFree(now),
        isSpent ? gte(webhookDeliveries.attempts, MAX_ATTEMPTS) : undefined,
      ),
    );
}

/** Deliveries whose message must be lost: due long ago, and nobody sends them. They are marked as due now. */
export async function reclaimForgotten(
  db: Database,
  graceSeconds: number,
  limit: number,
  now: number,
): Promise<WebhookMessage[]> {
  const forgotten = db
    .select({ id: webhookDeliveries.id })
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.state, "pending"),
        lte(webhookDeliveries.nextAttemptAt, now - graceSeconds * 1000),
        isFree(now),
        isEndpointOn(db),
      ),
    )
    .orderBy(webhookDeliveries.nextAttemptAt)
    .limit(limit);
  return db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: now })
    .where(inArray(webhookDeliveries.id, forgotten))
    .returning({ delivery_id: webhookDeliveries.id });
}

/**
 * Forgets events that are older than 30 days, with their deliveries, and secrets that sign no longer. What somebody
 * was sending, and died, while its webhook was switched off, is given up.
 */
export async function prune(db: Database, now: number): Promise<void> {
  await db.batch([
    dropWaiting(db, isNotNull(webhookDeliveries.lease), now),
    db.delete(webhookEvents).where(lte(webhookEvents.createdAt, now - KEPT_DAYS * DAY_MILLISECONDS)),
    db
      .update(webhookEndpoints)
      .set({ previousSecret: null, previousSecretExpiresAt: null })
      .where(lte(webhookEndpoints.previousSecretExpiresAt, now)),
  ]);
}
