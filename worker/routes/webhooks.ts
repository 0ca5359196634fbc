import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv, Internet } from "../bindings.ts";
import { timestamp } from "../content/representation.ts";
import type { WebhookEndpointRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { decodeCursor, encodeCursor } from "../http/cursor.ts";
import { decimal } from "../http/fields.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { StorageError } from "../storage/provider.ts";
import { enqueueDelivery, FAILING_DAYS_TO_DISABLE, FAILURES_TO_DISABLE } from "../webhooks/deliveries.ts";
import { type AnyEvent, CONTENT_EVENTS, EVENTS, TEST_EVENT } from "../webhooks/event-names.ts";
import { payloadOf } from "../webhooks/payload.ts";
import {
  type Delivery,
  type DeliveryDetail,
  delivery,
  deliveryDetail,
  deliveryPage,
  deliveryState,
  eventPayload,
  newWebhook,
  testPayload,
  type Webhook,
  webhook,
  webhookChange,
  webhookList,
  webhookWithSecret,
} from "../webhooks/schemas.ts";
import { newSecret, OVERLAP_MILLISECONDS, openSecret } from "../webhooks/secret.ts";
import { type DeliveryWithEvent, MAX_ENDPOINTS, WebhookStore } from "../webhooks/store.ts";
import { type CompanyEnv, companyRoute } from "./guarded.ts";

const webhookId = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });
const deliveryPath = webhookId.extend({
  delivery_id: z.string().openapi({ param: { name: "delivery_id", in: "path" } }),
});

/** Adds the events to the API document. They are sent to the webhooks' URLs, so they are not routes. */
export function describeEvents(registry: OpenAPIHono<AppEnv>["openAPIRegistry"]): void {
  const describe = (type: AnyEvent, summary: string, schema: typeof eventPayload | typeof testPayload) =>
    registry.registerWebhook({
      method: "post",
      path: type,
      operationId: `on_${type.replace(".", "_")}`,
      summary,
      request: { body: jsonBody(schema) },
      responses: { 200: { description: "Any status from 200 to 299 confirms the delivery" } },
    });
  for (const type of CONTENT_EVENTS) describe(type, EVENTS[type], eventPayload);
  describe(TEST_EVENT, "A test was requested", testPayload);
}

const list = companyRoute("webhooks:manage", {
  method: "get",
  path: "/",
  operationId: "listWebhooks",
  summary: "List webhooks, oldest first",
  responses: { 200: answers(webhookList, "The webhooks") },
});

const create = companyRoute("webhooks:manage", {
  method: "post",
  path: "/",
  operationId: "createWebhook",
  summary: "Create a webhook; the secret is only in this response and in those of rotations",
  description:
    "It is unverified: its events wait until its URL has accepted a test event. " +
    "Requests are signed according to Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`); " +
    "docs/webhooks.md explains how to verify them. Their bodies are described under `webhooks` in this document.",
  middleware: [readJson] as const,
  request: { body: jsonBody(newWebhook) },
  responses: {
    201: {
      ...answers(webhookWithSecret, "Saved; `Location` is the URL of the webhook"),
      headers: z.object({ Location: z.string() }),
    },
    ...problems("too_many_webhooks", "secret_shown_once", "secrets_unavailable", ...JSON_REFUSALS),
  },
});

const read = companyRoute("webhooks:manage", {
  method: "get",
  path: "/{id}",
  operationId: "getWebhook",
  summary: "Get a webhook",
  request: { params: webhookId },
  responses: { 200: answers(webhook, "The webhook"), ...problems("not_found") },
});

const change = companyRoute("webhooks:manage", {
  method: "patch",
  path: "/{id}",
  operationId: "changeWebhook",
  summary: "Change, enable or disable a webhook",
  description:
    "With another URL, the webhook is unverified again. " +
    "Events that occur while a webhook is disabled are not delivered later. Its waiting deliveries fail; they can be resent. " +
    `Vivimark disables a webhook that responds with 410, or after ${FAILURES_TO_DISABLE} failed attempts in a ` +
    `row over at least ${FAILING_DAYS_TO_DISABLE} days.`,
  middleware: [readJson] as const,
  request: {
    params: webhookId,
    body: jsonBody(webhookChange),
  },
  responses: { 200: answers(webhook, "The changed webhook"), ...problems("not_found", ...JSON_REFUSALS) },
});

const remove = companyRoute("webhooks:manage", {
  method: "delete",
  path: "/{id}",
  operationId: "deleteWebhook",
  summary: "Delete a webhook and its deliveries",
  request: { params: webhookId },
  responses: { 204: { description: "Deleted" }, ...problems("not_found") },
});

const rotate = companyRoute("webhooks:manage", {
  method: "post",
  path: "/{id}/rotate-secret",
  operationId: "rotateWebhookSecret",
  summary: "Rotate the secret of a webhook",
  description:
    "Only this response contains the new secret. For 24 hours requests are signed with the old secret too: `webhook-signature` has two signatures.",
  request: { params: webhookId },
  responses: {
    200: answers(webhookWithSecret, "The webhook with its new secret"),
    ...problems("not_found", "secret_shown_once", "secrets_unavailable"),
  },
});

const test = companyRoute("webhooks:manage", {
  method: "post",
  path: "/{id}/test",
  operationId: "testWebhook",
  summary: `Send a \`${TEST_EVENT}\``,
  description:
    "It is delivered, retried and logged like any other event. A status from 200 to 299 verifies the webhook: until " +
    "then, its other events wait.",
  request: { params: webhookId },
  responses: {
    202: answers(delivery, "The delivery of the test event"),
    ...problems("not_found", "webhook_disabled"),
  },
});

const listDeliveries = companyRoute("webhooks:manage", {
  method: "get",
  path: "/{id}/deliveries",
  operationId: "listWebhookDeliveries",
  summary: "List the deliveries of a webhook, newest first",
  description: "Deliveries are deleted after 30 days.",
  request: {
    params: webhookId,
    query: z.object({
      state: deliveryState.optional(),
      cursor: z
        .string()
        .max(200)
        .optional()
        .openapi({ description: "The `next_cursor` of the previous page." }),
      limit: decimal(z.number().int().min(1).max(100)).default(30),
    }),
  },
  responses: { 200: answers(deliveryPage, "One page"), ...problems("not_found", "invalid_input") },
});

const readDelivery = companyRoute("webhooks:manage", {
  method: "get",
  path: "/{id}/deliveries/{delivery_id}",
  operationId: "getWebhookDelivery",
  summary: "Get a delivery with all its attempts",
  request: { params: deliveryPath },
  responses: { 200: answers(deliveryDetail, "The delivery"), ...problems("not_found") },
});

const sendAgain = companyRoute("webhooks:manage", {
  method: "post",
  path: "/{id}/deliveries/{delivery_id}/send-again",
  operationId: "sendWebhookAgain",
  summary: "Resend a delivery",
  description:
    "Starts a new series of attempts with the same `webhook-id` and payload. Has no effect while the delivery is being sent.",
  request: { params: deliveryPath },
  responses: {
    202: answers(delivery, "The delivery"),
    ...problems("not_found", "webhook_disabled"),
  },
});

export const webhookRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => {
    const { webhooksHeldUntil: until } = c.var.access.company;
    const { settings, now } = c.env;
    const answer = {
      items: (await storeOf(c).list()).map(webhookBody(c)),
      requests_a_minute: settings.webhooksAMinute,
      held_back_until: until !== null && until > now() ? timestamp(until) : null,
    };
    return c.json(answer, 200);
  })
  .openapi(create, async (c) => {
    const { url, events, description, enabled: isEnabled } = c.req.valid("json");
    const { internet, storages, now } = c.env;
    const store = storeOf(c);
    const { id, isRepeated } = c.var.creation;
    const headers = { Location: `/api/webhooks/${id}` };
    c.set("shownOnce", `This request created the webhook ${id}. Rotate its secret to get a new one.`);
    const made = isRepeated ? await store.get(id) : undefined;
    if (made) {
      const secret = await openSecret(storages, id, made.secret);
      return c.json({ ...webhookBody(c)(made), secret }, 201, headers);
    }
    const address = checkUrl(internet, url);
    const { secret, sealed } = await newSecret(storages, id);
    const chosen = { url: address, events: [...new Set(events)], description, isEnabled };
    const row = await store.insert({ id, ...chosen, secret: sealed }, now());
    if (!row) {
      throw new Refusal(
        "too_many_webhooks",
        `The company has ${MAX_ENDPOINTS} webhooks, the maximum. Delete one that is not used.`,
      );
    }
    return c.json({ ...webhookBody(c)(row), secret }, 201, headers);
  })
  .openapi(read, async (c) => c.json(webhookBody(c)(await find(c, c.req.valid("param").id)), 200))
  .openapi(change, async (c) => {
    const { id } = c.req.valid("param");
    const { url, events, description, enabled: isEnabled } = c.req.valid("json");
    const address = url === undefined ? undefined : checkUrl(c.env.internet, url);
    const chosen = { url: address, events: events && [...new Set(events)], description, isEnabled };
    const row = await storeOf(c).change(await find(c, id), chosen, c.env.now());
    if (!row) throw notFound(id);
    return c.json(webhookBody(c)(row), 200);
  })
  .openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    if (!(await storeOf(c).remove(await find(c, id)))) throw notFound(id);
    return c.body(null, 204);
  })
  .openapi(rotate, async (c) => {
    const { id } = c.req.valid("param");
    const { storages, now } = c.env;
    const store = storeOf(c);
    const { sealed } = await newSecret(storages, id);
    const secret = { id: c.var.creation.id, sealed, overlapUntil: now() + OVERLAP_MILLISECONDS };
    const changed = await store.rotate(await find(c, id), secret, now());
    c.set("shownOnce", "This request rotated the secret. To get a new one, send another Idempotency-Key.");
    // Unchanged means that an earlier request with this Idempotency-Key rotated it, and its response was lost.
    const row = changed ?? (await find(c, id));
    return c.json({ ...webhookBody(c)(row), secret: await openSecret(storages, id, row.secret) }, 200);
  })
  .openapi(test, async (c) => {
    const endpoint = await findEnabled(c, c.req.valid("param").id);
    const { id: deliveryId, isRepeated } = c.var.creation;
    const made = isRepeated && (await storeOf(c).delivery(endpoint.id, deliveryId));
    if (!made) await storeOf(c).addTest(endpoint.id, deliveryId, c.env.now());
    await enqueueDelivery(c.env, deliveryId);
    return c.json(deliveryBody(await findDelivery(c, endpoint.id, deliveryId)), 202);
  })
  .openapi(listDeliveries, async (c) => {
    const { id } = c.req.valid("param");
    const { state, cursor, limit } = c.req.valid("query");
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const page = await storeOf(c).deliveries(id, { state, after, limit });
    if (!page) throw notFound(id);
    const { rows, next } = page;
    return c.json({ items: rows.map(deliveryBody), next_cursor: next && encodeCursor(next) }, 200);
  })
  .openapi(readDelivery, async (c) => {
    const { id, delivery_id: deliveryId } = c.req.valid("param");
    const found = await findDelivery(c, id, deliveryId);
    const log = found.attempts.map(({ createdAt, milliseconds, status, response, error }) => ({
      at: new Date(createdAt).toISOString(),
      milliseconds,
      status,
      response,
      error,
    }));
    const payload = { ...payloadOf(found.event, c.env.settings.publicUrl) };
    return c.json({ ...deliveryBody(found), payload, log } satisfies DeliveryDetail, 200);
  })
  .openapi(sendAgain, async (c) => {
    const { id, delivery_id: deliveryId } = c.req.valid("param");
    await findDelivery(c, id, deliveryId);
    const endpoint = await findEnabled(c, id);
    if (await storeOf(c).resend(endpoint, deliveryId, c.env.now())) {
      await enqueueDelivery(c.env, deliveryId);
    }
    return c.json(deliveryBody(await findDelivery(c, id, deliveryId)), 202);
  });

function storeOf({ env, var: { access, audit } }: Context<CompanyEnv>): WebhookStore {
  return new WebhookStore(env.db, access.company, audit);
}

async function find(c: Context<CompanyEnv>, id: string): Promise<WebhookEndpointRow> {
  const row = await storeOf(c).get(id);
  if (!row) throw notFound(id);
  return row;
}

async function findEnabled(c: Context<CompanyEnv>, id: string): Promise<WebhookEndpointRow> {
  const row = await find(c, id);
  if (row.isEnabled) return row;
  throw new Refusal("webhook_disabled", "This webhook is disabled. Enable it first.");
}

async function findDelivery(c: Context<CompanyEnv>, endpointId: string, id: string) {
  const found = await storeOf(c).delivery(endpointId, id);
  if (found) return found;
  throw new Refusal("not_found", `This webhook has no delivery with the id "${id.slice(0, 100)}".`);
}

function notFound(id: string): Refusal {
  return new Refusal("not_found", `No webhook has the id "${id.slice(0, 100)}".`);
}

/** Checks a URL and returns it normalized. It is checked again before every request. */
function checkUrl(internet: Internet, address: string): string {
  const url = URL.parse(address);
  if (!url) {
    throw invalidUrl("This address cannot be used: it is not a URL; expected https:// and a host.");
  }
  try {
    internet.check(url);
    return url.href;
  } catch (error) {
    if (error instanceof StorageError) throw invalidUrl(error.message);
    throw error;
  }
}

function invalidUrl(why: string): Refusal {
  return new Refusal("invalid_input", `Field "url" of the body: ${why}`, {}, [{ field: "url", detail: why }]);
}

const webhookBody =
  ({ env }: Context<CompanyEnv>) =>
  (row: WebhookEndpointRow): Webhook => {
    const overlap = row.previousSecretExpiresAt;
    return {
      id: row.id,
      url: row.url,
      events: [...row.events],
      description: row.description,
      enabled: row.isEnabled,
      disabled_reason: row.disabledReason,
      verified_at: timestamp(row.verifiedAt),
      failures: row.failures,
      failing_since: timestamp(row.failingSince),
      last_delivered_at: timestamp(row.lastDeliveredAt),
      previous_secret_expires_at: overlap !== null && overlap > env.now() ? timestamp(overlap) : null,
      created_at: new Date(row.createdAt).toISOString(),
      updated_at: new Date(row.updatedAt).toISOString(),
    };
  };

function deliveryBody({ delivery: row, event }: DeliveryWithEvent): Delivery {
  return {
    id: row.id,
    event_id: event.id,
    event_type: event.type,
    content_id: event.contentId,
    state: row.state,
    attempts: row.attempts,
    next_attempt_at: timestamp(row.nextAttemptAt),
    status: row.status,
    error: row.error,
    created_at: new Date(row.createdAt).toISOString(),
    finished_at: timestamp(row.finishedAt),
  };
}
