import {
  and,
  asc,
  desc,
  eq,
  exists,
  gte,
  isNotNull,
  isNull,
  lt,
  lte,
  not,
  notInArray,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { Audit, PLATFORM_ACTOR } from "../audit/log.ts";
import type { Bindings, WebhookMessage } from "../bindings.ts";
import { companiesWith } from "../db/companies-with.ts";
import { keepDelivery } from "../db/dead-letters.ts";
import { deleteInSlices, deleteSome } from "../db/delete-some.ts";
import { insertSelect } from "../db/insert-select.ts";
import { isListed } from "../db/is-listed.ts";
import {
  type CountedTable,
  companies,
  type Database,
  type WebhookDeliveryRow,
  type WebhookEndpointRow,
  type WebhookEventRow,
  webhookAttempts,
  webhookDeliveries,
  webhookEndpoints,
  webhookEvents,
} from "../db/tables.ts";
import { listOverfull } from "../db/usage-counts.ts";
import { logFailure } from "../log.ts";
import { TEST_EVENT } from "./event-names.ts";

/**
 * The life of a delivery: `pending → delivered | failed`, and back to `pending` when it is sent again. The database is
 * the source of truth; a queue message carries only an id. Every transition is one guarded UPDATE. An attempt holds a
 * lease, so that a message that comes twice sends once. Times are milliseconds since 1970 and come from the caller.
 */

/** Seconds from the nth attempt to the next. With the jitter, none exceeds the longest delay of a queue message. */
export const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const;
export const MAX_ATTEMPTS = RETRY_SECONDS.length + 1;

/** The largest part of a delay that is added at random, so that deliveries that failed together spread out. */
const JITTER = 0.2;

/** The longest delay of a queue message (12 hours). */
const MAX_DELAY_SECONDS = 43_200;

/** Longer than an attempt takes, its record included. */
const LEASE_MILLISECONDS = 60_000;

/** A message may come this early, since queues deliver on whole seconds. */
const EARLY_MILLISECONDS = 1000;

/**
 * Requests of one company that are sent at a time, so that its slow servers delay no other company. An endpoint without
 * an open request may always send one, so that the slow endpoints of a company do not delay its others.
 */
export const COMPANY_SENDS = 5;

/** Requests to one endpoint that are sent at a time. */
export const ENDPOINT_SENDS = 3;

const MINUTE_MILLISECONDS = 60_000;

/** An endpoint is disabled after this many failed attempts in a row, over at least this many days. */
export const FAILURES_TO_DISABLE = 20;
export const FAILING_DAYS_TO_DISABLE = 5;

const DAY_MILLISECONDS = 86_400_000;

/** How long events and their deliveries are kept. */
const RETENTION_DAYS = 30;

/** Events and deliveries of one company. Above that, the oldest are deleted, sent or not. */
export const MAX_EVENTS = 20_000;
export const MAX_DELIVERIES = 20_000;

/** Attempts of one delivery that are kept. Each time it is sent again adds to them. */
export const MAX_KEPT_ATTEMPTS = 20;

/** Messages that a queue takes in one call. */
const MAX_MESSAGES = 100;

/** By Standard Webhooks, an endpoint that answers "Gone" wants no more requests. */
const GONE = 410;

/**
 * Returns the seconds from the nth attempt to the next.
 *
 * @param retryAfterSeconds the endpoint's Retry-After, or null
 * @param random from 0 to 1
 */
export function delaySeconds(attempts: number, retryAfterSeconds: number | null, random: number): number {
  const planned = RETRY_SECONDS[attempts - 1] * (1 + JITTER * random);
  return Math.ceil(Math.min(Math.max(planned, retryAfterSeconds ?? 0), MAX_DELAY_SECONDS));
}

type Outbox = Pick<Bindings, "db" | "webhookQueue">;

/**
 * Queues the new deliveries of contents. A message that is lost, or never sent, does no harm: the delivery is in the
 * database, and the sweep finds it. Those behind others of their endpoint get no message, which would only delay those
 * of other companies in the queue: the end of a request queues the next.
 */
export async function enqueueDeliveries(
  { db, webhookQueue }: Outbox,
  contentIds: readonly string[],
): Promise<void> {
  if (contentIds.length === 0) return;
  try {
    const fresh = await db
      .select({
        id: webhookDeliveries.id,
        companyId: webhookDeliveries.companyId,
        nextAttemptAt: webhookDeliveries.nextAttemptAt,
      })
      .from(webhookDeliveries)
      .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
      .where(
        and(
          isListed(webhookEvents.contentId, contentIds),
          eq(webhookDeliveries.state, "pending"),
          eq(webhookDeliveries.attempts, 0),
          isNotNull(webhookDeliveries.nextAttemptAt),
        ),
      );
    for (const [companyId, own] of Map.groupBy(fresh, (delivery) => delivery.companyId)) {
      const dueBy = Math.max(...own.map(({ nextAttemptAt }) => nextAttemptAt ?? 0));
      const first = await db.select({ id: sql<string>`id` }).from(firstDue(companyId, dueBy));
      const ids = new Set(own.map(({ id }) => id));
      const messages = first.filter(({ id }) => ids.has(id)).map(({ id }) => ({ delivery_id: id }));
      await sendAll(webhookQueue, messages);
    }
  } catch (error) {
    logFailure("Webhook deliveries were not queued; the sweep will queue them", error, {
      content_ids: contentIds,
    });
  }
}

/** Queues one delivery. */
export async function enqueueDelivery({ webhookQueue }: Outbox, deliveryId: string): Promise<void> {
  try {
    await sendAll(webhookQueue, [{ delivery_id: deliveryId }]);
  } catch (error) {
    logFailure("A webhook delivery was not queued; the sweep will queue it", error, {
      delivery_id: deliveryId,
    });
  }
}

async function sendAll(queue: Bindings["webhookQueue"], messages: readonly WebhookMessage[]): Promise<void> {
  for (let from = 0; from < messages.length; from += MAX_MESSAGES) {
    await queue.sendAll(messages.slice(from, from + MAX_MESSAGES), 0);
  }
}

export interface ClaimedDelivery {
  /** Counts this attempt already, and holds its lease. */
  readonly delivery: WebhookDeliveryRow;
  readonly endpoint: WebhookEndpointRow;
  readonly event: WebhookEventRow;
}

/** The condition that a delivery is not being sent. */
function isUnleased(now: number): SQL | undefined {
  return or(isNull(webhookDeliveries.lease), lte(webhookDeliveries.leaseExpiresAt, now));
}

/** The condition that a delivery's endpoint is enabled. */
function isEndpointEnabled(db: Database): SQL {
  const enabled = db
    .select({ id: webhookEndpoints.id })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, webhookDeliveries.endpointId), eq(webhookEndpoints.isEnabled, true)));
  return exists(enabled);
}

/** The condition that a delivery may be sent to its endpoint: any to a verified one, otherwise only a test event. */
function isEndpointReady(db: Database): SQL {
  const ready = db
    .select({ id: webhookEndpoints.id })
    .from(webhookEndpoints)
    .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
    .where(
      and(
        eq(webhookEndpoints.id, webhookDeliveries.endpointId),
        eq(webhookEndpoints.isEnabled, true),
        or(isNotNull(webhookEndpoints.verifiedAt), eq(webhookEvents.type, TEST_EVENT)),
      ),
    );
  return exists(ready);
}

/** Returns the time of a delivery's next attempt: `at`, or null while it waits until its webhook is verified. */
function dueAt(db: Database, at: number): SQL {
  return sql`CASE WHEN ${isEndpointReady(db)} THEN ${at} END`;
}

const isPending = sql`${webhookDeliveries.state} = 'pending'`;

/** The condition that a delivery is due and not being sent. */
function isDue(now: number, dueBy = now): SQL | undefined {
  return and(isPending, lte(webhookDeliveries.nextAttemptAt, dueBy), isUnleased(now));
}

/**
 * Leases a delivery that is due, and counts an attempt and a request of its company.
 *
 * @param sendsAMinute the limit of requests per company and minute; 0: unlimited
 * @returns undefined when it is not to be sent now, or its company has as many requests as it may
 */
export async function claim(
  db: Database,
  id: string,
  { sendsAMinute, now }: { readonly sendsAMinute: number; readonly now: number },
): Promise<ClaimedDelivery | undefined> {
  const lease = crypto.randomUUID();
  const minute = minuteOf(now);
  const leased = and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.lease, lease));
  const { webhookMinute, webhookSends } = companies;
  const [[taken]] = await db.batch([
    db
      .update(webhookDeliveries)
      .set({
        lease,
        leaseExpiresAt: now + LEASE_MILLISECONDS,
        attempts: sql`${webhookDeliveries.attempts} + 1`,
      })
      .where(
        and(
          eq(webhookDeliveries.id, id),
          isDue(now, now + EARLY_MILLISECONDS),
          lt(webhookDeliveries.attempts, MAX_ATTEMPTS),
          isEndpointReady(db),
          hasPlace(now),
          sendsAMinute === 0 ? undefined : sql`NOT ${hasSpentMinute(sendsAMinute, now)}`,
        ),
      )
      .returning({ id: webhookDeliveries.id }),
    db
      .update(companies)
      .set({
        webhookSends: sql`CASE WHEN ${webhookMinute} = ${minute} THEN ${webhookSends} + 1 ELSE 1 END`,
        webhookMinute: minute,
      })
      .where(eq(companies.id, sql`(SELECT company_id FROM ${webhookDeliveries} WHERE ${leased})`)),
  ]);
  if (!taken) return undefined;
  const [claimed] = await db
    .select({ delivery: webhookDeliveries, endpoint: webhookEndpoints, event: webhookEvents })
    .from(webhookDeliveries)
    .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, webhookDeliveries.endpointId))
    .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
    .where(leased);
  return claimed;
}

/** The condition that neither a delivery's endpoint nor its company has as many open requests as it may. */
function hasPlace(now: number): SQL {
  const ofEndpoint = sql`count(*) FILTER (WHERE sending.endpoint_id = ${webhookDeliveries.endpointId})`;
  return sql`(SELECT ${ofEndpoint} = 0 OR (${ofEndpoint} < ${ENDPOINT_SENDS} AND count(*) < ${COMPANY_SENDS})
    ${openRequests(webhookDeliveries.companyId, now)})`;
}

/** Selects from the deliveries of a company that are being sent, as `sending`. */
function openRequests(companyId: AnySQLiteColumn | string, now: number): SQL {
  return sql`FROM webhook_deliveries AS sending WHERE sending.company_id = ${companyId}
    AND sending.lease IS NOT NULL AND sending.lease_expires_at > ${now}`;
}

function minuteOf(now: number): number {
  return Math.floor(now / MINUTE_MILLISECONDS);
}

/** The condition that a delivery's company has sent as many requests as it may in this minute. */
function hasSpentMinute(sendsAMinute: number, now: number): SQL {
  return sql`EXISTS (SELECT 1 FROM ${companies} WHERE ${and(
    eq(companies.id, webhookDeliveries.companyId),
    eq(companies.webhookMinute, minuteOf(now)),
    gte(companies.webhookSends, sendsAMinute),
  )})`;
}

/**
 * Holds back the deliveries of a company that has sent as many requests as it may in this minute: queues the oldest
 * ones of each endpoint for the next minute, once per minute. Each of them, when it is sent, queues the next one.
 */
export async function holdBack(
  { db, webhookQueue }: Outbox,
  id: string,
  { sendsAMinute, now }: { readonly sendsAMinute: number; readonly now: number },
): Promise<void> {
  if (sendsAMinute === 0) return;
  const until = (minuteOf(now) + 1) * MINUTE_MILLISECONDS;
  const waiting = and(
    eq(webhookDeliveries.id, id),
    eq(webhookDeliveries.companyId, companies.id),
    isDue(now),
    hasSpentMinute(sendsAMinute, now),
  );
  const [held] = await db
    .update(companies)
    .set({ webhooksHeldUntil: until })
    .where(
      and(
        sql`${companies.id} = (SELECT company_id FROM ${webhookDeliveries} WHERE ${eq(webhookDeliveries.id, id)})`,
        or(isNull(companies.webhooksHeldUntil), lt(companies.webhooksHeldUntil, until)),
        exists(db.select({ id: webhookDeliveries.id }).from(webhookDeliveries).where(waiting)),
      ),
    )
    .returning({ id: companies.id });
  if (!held) return;
  const next = await db.select({ delivery_id: sql<string>`id` }).from(firstDue(held.id, now));
  await webhookQueue.sendAll(next, Math.ceil((until - now) / 1000));
}

/**
 * Queues deliveries of a company for its free places: first those of the endpoints with the fewest open requests, of
 * these the one that has waited longest. Endpoints that have as many as they may are left out.
 */
export async function enqueueNext(
  { db, webhookQueue }: Outbox,
  companyId: string,
  now: number,
): Promise<void> {
  const open = sql`(SELECT count(*) ${openRequests(companyId, now)})`;
  const ofEndpoint = sql`(SELECT count(*) ${openRequests(companyId, now)} AND sending.endpoint_id = placed.endpoint_id)`;
  const next = await db
    .select({
      delivery_id: sql<string>`id`,
      nth: sql<number>`place + ${ofEndpoint}`.as("nth"),
      free: sql<number>`max(1, ${COMPANY_SENDS} - ${open})`,
    })
    .from(firstDue(companyId, now))
    .where(sql`nth = 1 OR (nth <= ${ENDPOINT_SENDS} AND ${open} < ${COMPANY_SENDS})`)
    .orderBy(sql`nth, next_attempt_at`)
    .limit(COMPANY_SENDS);
  const messages = next.slice(0, next[0]?.free).map(({ delivery_id }) => ({ delivery_id }));
  if (messages.length > 0) await webhookQueue.sendAll(messages, 0);
}

/** Selects the oldest due deliveries of each endpoint of a company, as `placed`: as many as may be sent at a time. */
function firstDue(companyId: string, now: number): SQL {
  const { endpointId, nextAttemptAt } = webhookDeliveries;
  const ofEndpoint = sql`SELECT rowid FROM ${webhookDeliveries} WHERE ${eq(endpointId, webhookEndpoints.id)}
    AND ${isDue(now)} ORDER BY ${nextAttemptAt} LIMIT ${ENDPOINT_SENDS}`;
  return sql`(
    SELECT ${webhookDeliveries.id}, ${endpointId}, ${nextAttemptAt},
      row_number() OVER (PARTITION BY ${endpointId} ORDER BY ${nextAttemptAt}) AS place
    FROM ${webhookEndpoints} JOIN ${webhookDeliveries} ON ${webhookDeliveries}.rowid IN (${ofEndpoint})
    WHERE ${eq(webhookEndpoints.companyId, companyId)}) AS placed`;
}

/** The outcome of a request. */
export interface Attempt {
  readonly startedAt: number;
  readonly milliseconds: number;
  /** Null without a response. */
  readonly status: number | null;
  /** The beginning of the response's body. */
  readonly response: string;
  /** A sentence; null when it was delivered. */
  readonly error: string | null;
  /** The endpoint's Retry-After, or null. */
  readonly retryAfterSeconds: number | null;
}

/**
 * Records an attempt and moves the delivery on. An endpoint that keeps failing is disabled.
 *
 * @returns seconds until the next attempt; null after the last attempt
 */
export async function recordAttempt(
  db: Database,
  outcome: {
    readonly claimed: ClaimedDelivery;
    readonly attempt: Attempt;
    /** From 0 to 1, for the delay's jitter. */
    readonly random: number;
    readonly now: number;
  },
): Promise<number | null> {
  const { claimed, attempt, random, now } = outcome;
  const { delivery, endpoint, event } = claimed;
  const { startedAt, milliseconds, status, response, error, retryAfterSeconds } = attempt;
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
        nextAttemptAt: delay === null ? null : dueAt(db, now + delay * 1000),
        status,
        error,
        finishedAt: isLast ? now : null,
      })
      .where(and(eq(webhookDeliveries.id, delivery.id), eq(webhookDeliveries.lease, delivery.lease ?? ""))),
    // The delivery may be gone: its webhook may have been deleted during the attempt.
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
          ? {
              failures: 0,
              failingSince: null,
              lastDeliveredAt: now,
              ...(event.type === TEST_EVENT ? { verifiedAt: verified(endpoint.url, now) } : {}),
            }
          : {
              failures: sql`${webhookEndpoints.failures} + 1`,
              failingSince: sql`coalesce(${webhookEndpoints.failingSince}, ${now})`,
            },
      )
      .where(eq(webhookEndpoints.id, endpoint.id))
      .returning(),
    db
      .delete(webhookAttempts)
      .where(
        and(
          eq(webhookAttempts.deliveryId, delivery.id),
          notInArray(
            webhookAttempts.id,
            db
              .select({ id: webhookAttempts.id })
              .from(webhookAttempts)
              .where(eq(webhookAttempts.deliveryId, delivery.id))
              .orderBy(desc(webhookAttempts.createdAt), desc(webhookAttempts.id))
              .limit(MAX_KEPT_ATTEMPTS),
          ),
        ),
      ),
    // The webhook may have been disabled during the attempt, when this delivery was leased.
    failDisabled(db, eq(webhookDeliveries.id, delivery.id), now),
    ...(isDelivered && event.type === TEST_EVENT ? [releaseVerified(db, endpoint.id, now)] : []),
  ]);
  if (isDelivered || !after?.isEnabled) return null;
  const reason = status === GONE ? "gone" : isFailingForLong(after, now) ? "failing" : null;
  if (reason === null) return delay;
  await disable(db, after, reason, now);
  return null;
}

/** Returns when an endpoint was verified: now, unless it was before, or has another URL since the test was sent. */
function verified(url: string, now: number): SQL {
  const { verifiedAt } = webhookEndpoints;
  return sql`CASE WHEN ${webhookEndpoints.url} = ${url} THEN coalesce(${verifiedAt}, ${now}) ELSE ${verifiedAt} END`;
}

/** Returns the statement that makes the deliveries due that waited until their endpoint is verified. */
function releaseVerified(db: Database, endpointId: string, now: number) {
  return db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: dueAt(db, now) })
    .where(
      and(eq(webhookDeliveries.endpointId, endpointId), isPending, isNull(webhookDeliveries.nextAttemptAt)),
    );
}

/** Returns the statement that makes the pending deliveries of an unverified endpoint wait until it is verified. */
export function holdUnverified(db: Database, endpointId: string) {
  return db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: null })
    .where(and(eq(webhookDeliveries.endpointId, endpointId), isPending, not(isEndpointReady(db))));
}

function isFailingForLong({ failures, failingSince }: WebhookEndpointRow, now: number): boolean {
  const since = now - FAILING_DAYS_TO_DISABLE * DAY_MILLISECONDS;
  return failures >= FAILURES_TO_DISABLE && failingSince !== null && failingSince <= since;
}

/** Disables an endpoint, until a person enables it again. */
async function disable(
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
    audit.entry("webhook.switched_off", { id, name: endpointName(endpoint) }, { reason, failures }),
    failDisabled(db, eq(webhookDeliveries.endpointId, id), now),
  ]);
}

/** Returns the statement that fails pending deliveries, among `which`, whose endpoint is disabled. */
export function failDisabled(db: Database, which: SQL, now: number) {
  return db
    .update(webhookDeliveries)
    .set({
      state: "failed",
      nextAttemptAt: null,
      error: "The webhook was disabled before this delivery was sent.",
      finishedAt: now,
    })
    .where(and(which, eq(webhookDeliveries.state, "pending"), isUnleased(now), not(isEndpointEnabled(db))));
}

/** Returns an endpoint's description, or its URL without the query, which may hold a secret of the receiver. */
export function endpointName({ url, description }: Pick<WebhookEndpointRow, "url" | "description">): string {
  return description || url.replace(/[?#].*$/s, "");
}

/**
 * Fails a pending delivery that is not being sent.
 *
 * @param onlySpent only when it has no attempts left: the last one was never recorded
 */
export async function failDelivery(
  db: Database,
  id: string,
  { onlySpent }: { readonly onlySpent: boolean },
  now: number,
): Promise<void> {
  const condition = and(
    eq(webhookDeliveries.id, id),
    eq(webhookDeliveries.state, "pending"),
    isUnleased(now),
    onlySpent ? gte(webhookDeliveries.attempts, MAX_ATTEMPTS) : undefined,
  );
  const failed = db
    .update(webhookDeliveries)
    .set({
      state: "failed",
      lease: null,
      leaseExpiresAt: null,
      nextAttemptAt: null,
      error: sql`coalesce(${webhookDeliveries.error}, 'The request could not be sent.')`,
      finishedAt: now,
    })
    .where(condition);
  if (onlySpent) await failed;
  else await db.batch([keepDelivery(db, condition, now), failed]);
}

/** Returns the statement that restarts the deliveries that meet a condition, unless their webhook is disabled. */
export function restart(db: Database, condition: SQL | undefined, now: number) {
  return db
    .update(webhookDeliveries)
    .set({
      state: "pending",
      attempts: 0,
      nextAttemptAt: dueAt(db, now),
      lease: null,
      leaseExpiresAt: null,
      finishedAt: null,
    })
    .where(and(condition, isUnleased(now), isEndpointEnabled(db)))
    .returning({ id: webhookDeliveries.id });
}

/**
 * Marks the oldest overdue delivery of each company, whose message must be lost, as due now. Its end queues the next
 * one, so that one message per company is enough.
 *
 * @returns their messages
 */
export async function reclaimOverdue(
  db: Database,
  graceSeconds: number,
  limit: number,
  now: number,
): Promise<WebhookMessage[]> {
  const { id, companyId, nextAttemptAt } = webhookDeliveries;
  const overdue = sql`${isPending} AND ${nextAttemptAt} <= ${now - graceSeconds * 1000} AND ${isUnleased(now)}`;
  const oldest = sql`(
    WITH RECURSIVE ${companiesWith(webhookDeliveries, isPending)}
    SELECT (SELECT ${id} FROM ${webhookDeliveries} WHERE ${companyId} = waiting.company_id AND ${overdue}
      ORDER BY ${nextAttemptAt} LIMIT 1) AS overdue
    FROM waiting WHERE overdue IS NOT NULL LIMIT ${limit})`;
  return db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: now })
    .where(sql`${id} IN ${oldest}`)
    .returning({ delivery_id: id });
}

/**
 * Deletes events older than 30 days with their deliveries, the oldest ones of companies with too many, and secrets that
 * no longer sign. Fails deliveries whose attempt was interrupted while their webhook was disabled.
 */
export async function prune(
  db: Database,
  now: number,
  { maxEvents = MAX_EVENTS, maxDeliveries = MAX_DELIVERIES } = {},
): Promise<void> {
  await db.batch([
    failDisabled(db, isNotNull(webhookDeliveries.lease), now),
    deleteSome(db, webhookEvents, lte(webhookEvents.createdAt, now - RETENTION_DAYS * DAY_MILLISECONDS)),
    db
      .update(webhookEndpoints)
      .set({ previousSecret: null, previousSecretExpiresAt: null })
      .where(lte(webhookEndpoints.previousSecretExpiresAt, now)),
  ]);
  await pruneOverfull(db, webhookEvents, "webhook_events", maxEvents);
  await pruneOverfull(db, webhookDeliveries, "webhook_deliveries", maxDeliveries);
}

async function pruneOverfull(
  db: Database,
  table: typeof webhookEvents | typeof webhookDeliveries,
  counted: CountedTable,
  max: number,
): Promise<void> {
  for (const { ownerId, rows } of await listOverfull(db, counted, max)) {
    const orderBy = sql`${asc(table.createdAt)}, ${asc(table.id)}`;
    await deleteInSlices(rows - max, async (limit) => {
      await deleteSome(db, table, eq(table.companyId, ownerId), { orderBy, limit });
    });
  }
}
