import { and, desc, eq, lt, ne, or, type SQL, sql } from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { insertIf } from "../db/insert-if.ts";
import {
  type Company,
  type Database,
  type WebhookAttemptRow,
  type WebhookDeliveryRow,
  type WebhookEndpointRow,
  type WebhookEventRow,
  webhookAttempts,
  webhookDeliveries,
  webhookEndpoints,
  webhookEvents,
} from "../db/tables.ts";
import type { Position } from "../http/cursor.ts";
import { dropWaiting, isEndpointOn, isFree, nameOf } from "./deliveries.ts";
import { TEST_EVENT } from "./event-names.ts";

/** Of one company: what happens is told to each of them. */
export const MAX_ENDPOINTS = 20;

/** Of a delivery: eight are made by themselves, and more whenever somebody sends it again. */
const MAX_SHOWN_ATTEMPTS = 100;

/** A delivery with what it tells. */
export interface Told {
  readonly delivery: WebhookDeliveryRow;
  readonly event: WebhookEventRow;
}

/** What people choose of an endpoint. */
export type EndpointChange = Partial<
  Pick<WebhookEndpointRow, "url" | "events" | "description" | "isEnabled">
>;

export interface DeliveryQuery {
  readonly state?: WebhookDeliveryRow["state"] | undefined;
  readonly after?: Position | undefined;
  readonly limit: number;
}

/** The webhooks of one company; nothing of another can be reached through it. */
export class WebhookStore {
  readonly #db: Database;
  readonly #company: Company;
  readonly #audit: Audit;

  constructor(db: Database, company: Company, audit: Audit) {
    this.#db = db;
    this.#company = company;
    this.#audit = audit;
  }

  #own(...conditions: (SQL | undefined)[]): SQL | undefined {
    return and(eq(webhookEndpoints.companyId, this.#company.id), ...conditions);
  }

  /** Oldest first. */
  list(): Promise<WebhookEndpointRow[]> {
    return this.#db
      .select()
      .from(webhookEndpoints)
      .where(this.#own())
      .orderBy(webhookEndpoints.createdAt, webhookEndpoints.id);
  }

  async get(id: string): Promise<WebhookEndpointRow | undefined> {
    const [row] = await this.#db
      .select()
      .from(webhookEndpoints)
      .where(this.#own(eq(webhookEndpoints.id, id)));
    return row;
  }

  /** Undefined when the company has as many as it may have. */
  async insert(
    endpoint: Pick<WebhookEndpointRow, "id" | "url" | "events" | "description" | "isEnabled" | "secret">,
    now: number,
  ): Promise<WebhookEndpointRow | undefined> {
    const { id, url, events, description, isEnabled, secret } = endpoint;
    const [row] = await this.#audit.noting(
      insertIf(
        this.#db,
        webhookEndpoints,
        {
          ...{ id, companyId: this.#company.id, url, events, description, isEnabled },
          ...{ secret, secretId: id, createdAt: now, updatedAt: now },
        },
        sql`(SELECT count(*) FROM ${webhookEndpoints} WHERE ${this.#own()}) < ${MAX_ENDPOINTS}`,
      ).returning(),
      "webhook.created",
      { id, name: nameOf(endpoint) },
      { events },
    );
    return row;
  }

  /** Switched on again, it begins without a past; switched off, what waits is given up. */
  async change(
    endpoint: WebhookEndpointRow,
    change: EndpointChange,
    now: number,
  ): Promise<WebhookEndpointRow | undefined> {
    const { id } = endpoint;
    const { url, events, description, isEnabled } = change;
    const name = nameOf({ url: url ?? endpoint.url, description: description ?? endpoint.description });
    const address = url === undefined ? undefined : nameOf({ url, description: "" });
    const isOn = isEnabled === true && !endpoint.isEnabled;
    const [[row]] = await this.#db.batch([
      this.#db
        .update(webhookEndpoints)
        .set({
          ...change,
          ...(isOn ? { disabledReason: null, failures: 0, failingSince: null } : {}),
          updatedAt: now,
        })
        .where(this.#own(eq(webhookEndpoints.id, id)))
        .returning(),
      this.#audit.note("webhook.changed", { id, name }, { address, events, description, enabled: isEnabled }),
      ...(isEnabled === false ? [dropWaiting(this.#db, eq(webhookDeliveries.endpointId, id), now)] : []),
    ]);
    return row;
  }

  /**
   * A new secret; the one before goes on signing until `overlapUntil`.
   *
   * @param secretId of the request: the same one changes it once
   */
  async rotate(
    endpoint: WebhookEndpointRow,
    sealed: string,
    secretId: string,
    overlapUntil: number,
    now: number,
  ): Promise<WebhookEndpointRow | undefined> {
    const [row] = await this.#audit.noting(
      this.#db
        .update(webhookEndpoints)
        .set({
          secret: sealed,
          secretId,
          previousSecret: sql`${webhookEndpoints.secret}`,
          previousSecretExpiresAt: overlapUntil,
          updatedAt: now,
        })
        .where(this.#own(eq(webhookEndpoints.id, endpoint.id), ne(webhookEndpoints.secretId, secretId)))
        .returning(),
      "webhook.secret_rotated",
      { id: endpoint.id, name: nameOf(endpoint) },
    );
    return row;
  }

  /** With its deliveries; false when it is gone. */
  async remove(endpoint: WebhookEndpointRow): Promise<boolean> {
    const removed = await this.#audit.noting(
      this.#db
        .delete(webhookEndpoints)
        .where(this.#own(eq(webhookEndpoints.id, endpoint.id)))
        .returning({ id: webhookEndpoints.id }),
      "webhook.deleted",
      { id: endpoint.id, name: nameOf(endpoint) },
    );
    return removed.length === 1;
  }

  /** Newest first; `next` is null on the last page. Undefined: there is no such endpoint. */
  async deliveries(
    endpointId: string,
    { state, after, limit }: DeliveryQuery,
  ): Promise<{ rows: Told[]; next: Position | null } | undefined> {
    const wanted = and(
      eq(webhookDeliveries.endpointId, webhookEndpoints.id),
      state && eq(webhookDeliveries.state, state),
      after &&
        or(
          lt(webhookDeliveries.createdAt, after.createdAt),
          and(eq(webhookDeliveries.createdAt, after.createdAt), lt(webhookDeliveries.id, after.id)),
        ),
    );
    // An endpoint without any has one row too, of nothing.
    const found = await this.#db
      .select({ delivery: webhookDeliveries, event: webhookEvents })
      .from(webhookEndpoints)
      .leftJoin(webhookDeliveries, wanted)
      .leftJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
      .where(this.#own(eq(webhookEndpoints.id, endpointId)))
      .orderBy(desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id))
      .limit(limit + 1);
    if (found.length === 0) return undefined;
    const rows = found.flatMap(({ delivery, event }) => (delivery && event ? [{ delivery, event }] : []));
    const page = rows.slice(0, limit);
    const last = page.at(-1)?.delivery;
    const next = rows.length > limit && last ? { createdAt: last.createdAt, id: last.id } : null;
    return { rows: page, next };
  }

  /** With its newest attempts, oldest first. */
  async delivery(
    endpointId: string,
    id: string,
  ): Promise<(Told & { attempts: WebhookAttemptRow[] }) | undefined> {
    const found = await this.#db
      .select({ delivery: webhookDeliveries, event: webhookEvents, attempt: webhookAttempts })
      .from(webhookDeliveries)
      .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
      .leftJoin(webhookAttempts, eq(webhookAttempts.deliveryId, webhookDeliveries.id))
      .where(this.#ownDelivery(endpointId, id))
      .orderBy(desc(webhookAttempts.createdAt))
      .limit(MAX_SHOWN_ATTEMPTS);
    const [first] = found;
    if (!first) return undefined;
    const attempts = found.flatMap(({ attempt }) => (attempt ? [attempt] : [])).reverse();
    return { delivery: first.delivery, event: first.event, attempts };
  }

  #ownDelivery(endpointId: string, id: string): SQL | undefined {
    return and(
      eq(webhookDeliveries.companyId, this.#company.id),
      eq(webhookDeliveries.endpointId, endpointId),
      eq(webhookDeliveries.id, id),
    );
  }

  /** Begins a delivery anew, with the same event; false when its endpoint is off or it is being sent now. */
  async sendAgain(endpoint: WebhookEndpointRow, id: string, now: number): Promise<boolean> {
    const begun = await this.#audit.noting(
      this.#db
        .update(webhookDeliveries)
        .set({
          ...{ state: "pending", attempts: 0, nextAttemptAt: now },
          ...{ lease: null, leaseExpiresAt: null, finishedAt: null },
        })
        .where(and(this.#ownDelivery(endpoint.id, id), isFree(now), isEndpointOn(this.#db)))
        .returning({ id: webhookDeliveries.id }),
      "webhook.sent_again",
      { id: endpoint.id, name: nameOf(endpoint) },
      { delivery_id: id },
    );
    return begun.length === 1;
  }

  /** An event that is for this endpoint alone, and nothing has happened. */
  async addTest(endpointId: string, deliveryId: string, now: number): Promise<void> {
    const [companyId, eventId] = [this.#company.id, crypto.randomUUID()];
    const data = { endpoint_id: endpointId, message: "This is a test. Nothing has happened." };
    await this.#db.batch([
      this.#db
        .insert(webhookEvents)
        .values({ id: eventId, companyId, type: TEST_EVENT, data, createdAt: now }),
      this.#db.insert(webhookDeliveries).values({
        ...{ id: deliveryId, companyId, endpointId, eventId, state: "pending" },
        ...{ attempts: 0, nextAttemptAt: now, createdAt: now },
      }),
    ]);
  }
}
