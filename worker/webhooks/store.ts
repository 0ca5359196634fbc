import { and, desc, eq, ne, type SQL, sql } from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { insertIf } from "../db/insert-if.ts";
import { isAfter, newestFirst, pageOf } from "../db/newest-first.ts";
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
import { endpointName, failDisabled, holdUnverified, MAX_KEPT_ATTEMPTS, restart } from "./deliveries.ts";
import { TEST_EVENT } from "./event-names.ts";

/** Webhooks of one company: every event may be sent to each of them. */
export const MAX_ENDPOINTS = 20;

export interface DeliveryWithEvent {
  readonly delivery: WebhookDeliveryRow;
  readonly event: WebhookEventRow;
}

/** The settings of an endpoint that people change. */
export type EndpointChange = Partial<
  Pick<WebhookEndpointRow, "url" | "events" | "description" | "isEnabled">
>;

export interface DeliveryQuery {
  readonly state?: WebhookDeliveryRow["state"] | undefined;
  readonly after?: Position | undefined;
  readonly limit: number;
}

/** The webhooks of one company. Those of other companies are out of reach. */
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

  /** Returns the company's webhooks, the oldest first. */
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

  /** Creates a webhook. @returns undefined when the company has `MAX_ENDPOINTS` already */
  async insert(
    endpoint: Pick<WebhookEndpointRow, "id" | "url" | "events" | "description" | "isEnabled" | "secret">,
    now: number,
  ): Promise<WebhookEndpointRow | undefined> {
    const { id, url, events, description, isEnabled, secret } = endpoint;
    const [row] = await this.#audit.record(
      insertIf(
        this.#db,
        webhookEndpoints,
        {
          id,
          companyId: this.#company.id,
          url,
          events,
          description,
          isEnabled,
          secret,
          secretId: id,
          createdAt: now,
          updatedAt: now,
        },
        sql`(SELECT count(*) FROM ${webhookEndpoints} WHERE ${this.#own()}) < ${MAX_ENDPOINTS}`,
      ).returning(),
      "webhook.created",
      { id, name: endpointName(endpoint) },
      { events },
    );
    return row;
  }

  /**
   * Changes a webhook. Enabling it resets its failures; disabling it fails its pending deliveries. With another URL it
   * is unverified, and its pending deliveries wait.
   */
  async change(
    endpoint: WebhookEndpointRow,
    change: EndpointChange,
    now: number,
  ): Promise<WebhookEndpointRow | undefined> {
    const { id } = endpoint;
    const { url, events, description, isEnabled } = change;
    const name = endpointName({ url: url ?? endpoint.url, description: description ?? endpoint.description });
    const address = url === undefined ? undefined : endpointName({ url, description: "" });
    const isReset = isEnabled === true && !endpoint.isEnabled;
    const [[row]] = await this.#db.batch([
      this.#db
        .update(webhookEndpoints)
        .set({
          ...change,
          ...(url === undefined
            ? {}
            : {
                verifiedAt: sql`CASE WHEN ${webhookEndpoints.url} = ${url} THEN ${webhookEndpoints.verifiedAt} END`,
              }),
          ...(isReset ? { disabledReason: null, failures: 0, failingSince: null } : {}),
          updatedAt: now,
        })
        .where(this.#own(eq(webhookEndpoints.id, id)))
        .returning(),
      this.#audit.entry(
        "webhook.changed",
        { id, name },
        { address, events, description, enabled: isEnabled },
      ),
      ...(url === undefined ? [] : [holdUnverified(this.#db, id)]),
      ...(isEnabled === false ? [failDisabled(this.#db, eq(webhookDeliveries.endpointId, id), now)] : []),
    ]);
    return row;
  }

  /**
   * Replaces the secret. The previous one signs until `overlapUntil`.
   *
   * @returns undefined when the endpoint has the secret with this id already, or is deleted
   */
  async rotate(
    endpoint: WebhookEndpointRow,
    secret: {
      /** Of the request, so that a repeated request rotates once. */
      readonly id: string;
      readonly sealed: string;
      readonly overlapUntil: number;
    },
    now: number,
  ): Promise<WebhookEndpointRow | undefined> {
    const { id: secretId, sealed, overlapUntil } = secret;
    const [row] = await this.#audit.record(
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
      { id: endpoint.id, name: endpointName(endpoint) },
    );
    return row;
  }

  /** Deletes a webhook with its deliveries. @returns false when it was deleted already */
  async remove(endpoint: WebhookEndpointRow): Promise<boolean> {
    const removed = await this.#audit.record(
      this.#db
        .delete(webhookEndpoints)
        .where(this.#own(eq(webhookEndpoints.id, endpoint.id)))
        .returning({ id: webhookEndpoints.id }),
      "webhook.deleted",
      { id: endpoint.id, name: endpointName(endpoint) },
    );
    return removed.length === 1;
  }

  /**
   * Returns one page of a webhook's deliveries, the newest first; `next` is null on the last page.
   *
   * @returns undefined when the company has no such webhook
   */
  async deliveries(
    endpointId: string,
    { state, after, limit }: DeliveryQuery,
  ): Promise<{ rows: DeliveryWithEvent[]; next: Position | null } | undefined> {
    const wanted = and(
      eq(webhookDeliveries.endpointId, webhookEndpoints.id),
      state && eq(webhookDeliveries.state, state),
      isAfter(webhookDeliveries, after),
    );
    // The left joins give one empty row for an endpoint without deliveries.
    const found = await this.#db
      .select({ delivery: webhookDeliveries, event: webhookEvents })
      .from(webhookEndpoints)
      .leftJoin(webhookDeliveries, wanted)
      .leftJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
      .where(this.#own(eq(webhookEndpoints.id, endpointId)))
      .orderBy(...newestFirst(webhookDeliveries))
      .limit(limit + 1);
    if (found.length === 0) return undefined;
    const rows = found.flatMap(({ delivery, event }) => (delivery && event ? [{ delivery, event }] : []));
    return pageOf(rows, limit, ({ delivery }) => delivery);
  }

  /** Returns a delivery with its newest attempts, the oldest of them first. */
  async delivery(
    endpointId: string,
    id: string,
  ): Promise<(DeliveryWithEvent & { attempts: WebhookAttemptRow[] }) | undefined> {
    const found = await this.#db
      .select({ delivery: webhookDeliveries, event: webhookEvents, attempt: webhookAttempts })
      .from(webhookDeliveries)
      .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
      .leftJoin(webhookAttempts, eq(webhookAttempts.deliveryId, webhookDeliveries.id))
      .where(this.#ownDelivery(endpointId, id))
      .orderBy(desc(webhookAttempts.createdAt))
      .limit(MAX_KEPT_ATTEMPTS);
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

  /** Restarts a delivery. @returns false when its endpoint is disabled or it is being sent now */
  async resend(endpoint: WebhookEndpointRow, id: string, now: number): Promise<boolean> {
    const restarted = await this.#audit.record(
      restart(this.#db, this.#ownDelivery(endpoint.id, id), now),
      "webhook.sent_again",
      { id: endpoint.id, name: endpointName(endpoint) },
      { delivery_id: id },
    );
    return restarted.length === 1;
  }

  /** Creates a test event with a delivery to this endpoint alone. */
  async addTest(endpointId: string, deliveryId: string, now: number): Promise<void> {
    const [companyId, eventId] = [this.#company.id, crypto.randomUUID()];
    const data = { endpoint_id: endpointId, message: "This is a test event. Nothing has changed." };
    await this.#db.batch([
      this.#db
        .insert(webhookEvents)
        .values({ id: eventId, companyId, type: TEST_EVENT, data, createdAt: now }),
      this.#db.insert(webhookDeliveries).values({
        id: deliveryId,
        companyId,
        endpointId,
        eventId,
        state: "pending",
        attempts: 0,
        nextAttemptAt: now,
        createdAt: now,
      }),
    ]);
  }
}
