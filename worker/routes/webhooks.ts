import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv, Internet } from "../bindings.ts";
import { timestamp } from "../content/representation.ts";
import type { WebhookEndpointRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { decodeCursor, encodeCursor } from "../http/cursor.ts";
import { decimal } from "../http/fields.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, problems } from "../http/openapi.ts";
import { StorageError } from "../storage/provider.ts";
import {
  announceDelivery,
  FAILING_DAYS_TO_SWITCH_OFF,
  FAILURES_TO_SWITCH_OFF,
} from "../webhooks/deliveries.ts";
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
import { MAX_ENDPOINTS, type Told, WebhookStore } from "../webhooks/store.ts";
import { type CompanyEnv, companyRoute } from "./guarded.ts";

const webhookId = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });
const deliveryPath = webhookId.extend({
  delivery_id: z.string().openapi({ param: { name: "delivery_id", in: "path" } }),
});

/** What endpoints are sent, for the document. Not at a path of ours, and so not among the routes. */
export function describeEvents(registry: OpenAPIHono<AppEnv>["openAPIRegistry"]): void {
  const describe = (type: AnyEvent, summary: string, schema: typeof eventPayload | typeof testPayload) =>
    registry.registerWebhook({
      method: "post",
      path: type,
      operationId: `on_${type.replace(".", "_")}`,
      summary,
      request: { body: { required: true, content: { "application/json": { schema } } } },
      responses: { 200: { description: "Any status from 200 to 299: received" } },
    });
  for (const type of CONTENT_EVENTS) describe(type, EVENTS[type], eventPayload);
  describe(TEST_EVENT, "Somebody asked for a test", testPayload);
}

const list = companyRoute("webhooks:manage", {
  method: "get",
  path: "/",
  operationId: "listWebhooks",
  summary: "The company's webhooks, oldest first",
  responses: { 200: answers(webhookList, "The webhooks") },
});

const create = companyRoute("webhooks:manage", {
  method: "post",
  path: "/",
  operationId: "createWebhook",
  summary: "Have events told to an address; the answer alone shows the secret",
  description:
    "Requests are signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`); " +
    "docs/webhooks.md tells how to verify them. What they bring is under `webhooks` in this document.",
  middleware: [readJson] as const,
  request: { body: { required: true, content: { "application/json": { schema: newWebhook } } } },
  responses: {
    201: {
      ...answers(webhookWithSecret, "Saved; `Location` is its address"),
      headers: z.object({ Location: z.string() }),
    },
    ...problems("too_many_webhooks", "secrets_unavailable", ...JSON_REFUSALS),
  },
});

const read = companyRoute("webhooks:manage", {
  method: "get",
  path: "/{id}",
  operationId: "getWebhook",
  summary: "One webhook",
  request: { params: webhookId },
  responses: { 200: answers(webhook, "The webhook"), ...problems("not_found") },
});

const change = companyRoute("webhooks:manage", {
  method: "patch",
  path: "/{id}",
  operationId: "changeWebhook",
  summary: "Change where a webhook leads and what it tells, or switch it off and on",
  description:
    "While it is off, nothing is told and nothing is kept to be told later; what waits to be tried again is given " +
    `up, and can be sent again. Vivimark switches a webhook off that answers 410, or after ${FAILURES_TO_SWITCH_OFF} ` +
    `failed attempts in a row over ${FAILING_DAYS_TO_SWITCH_OFF} days or more.`,
  middleware: [readJson] as const,
  request: {
    params: webhookId,
    body: { required: true, content: { "application/json": { schema: webhookChange } } },
  },
  responses: { 200: answers(webhook, "The changed webhook"), ...problems("not_found", ...JSON_REFUSALS) },
});

const remove = companyRoute("webhooks:manage", {
  method: "delete",
  path: "/{id}",
  operationId: "deleteWebhook",
  summary: "Delete a webhook with the log of its deliveries",
  request: { params: webhookId },
  responses: { 204: { description: "Deleted" }, ...problems("not_found") },
});

const rotate = companyRoute("webhooks:manage", {
  method: "post",
  path: "/{id}/rotate-secret",
  operationId: "rotateWebhookSecret",
  summary: "Make a new secret; the answer alone shows it",
  description: "For 24 hours the one before signs too: `webhook-signature` then has two signatures.",
  request: { params: webhookId },
  responses: {
    200: answers(webhookWithSecret, "The webhook with its new secret"),
    ...problems("not_found", "secrets_unavailable"),
  },
});

const test = companyRoute("webhooks:manage", {
  method: "post",
  path: "/{id}/test",
  operationId: "testWebhook",
  summary: `Send a \`${TEST_EVENT}\``,
  description: "It is delivered, tried again and logged like any other event.",
  request: { params: webhookId },
  responses: {
    202: answers(delivery, "On its way; its delivery tells what came of it"),
    ...problems("not_found", "webhook_disabled"),
  },
});

const listDeliveries = companyRoute("webhooks:manage", {
  method: "get",
  path: "/{id}/deliveries",
  operationId: "listWebhookDeliveries",
  summary: "What was told, newest first",
  description: "Kept for 30 days.",
  request: {
    params: webhookId,
    query: z.object({
      state: deliveryState.optional(),
      cursor: z.string().max(200).optional().openapi({ description: "`next_cursor` of the page before." }),
      limit: decimal(z.number().int().min(1).max(100)).default(30),
    }),
  },
  responses: { 200: answers(deliveryPage, "One page"), ...problems("not_found", "invalid_input") },
});

const readDelivery = companyRoute("webhooks:manage", {
  method: "get",
  path: "/{id}/deliveries/{delivery_id}",
  operationId: "getWebhookDelivery",
  summary: "One delivery, with every attempt and what it brought",
  request: { params: deliveryPath },
  responses: { 200: answers(deliveryDetail, "The delivery"), ...problems("not_found") },
});

const sendAgain = companyRoute("webhooks:manage", {
  method: "post",
  path: "/{id}/deliveries/{delivery_id}/send-again",
  operationId: "sendWebhookAgain",
  summary: "Send a delivery once more, and try again as if it were new",
  description:
    "With the same `webhook-id` and payload. One that is being sent at this moment is left to that.",
  request: { params: deliveryPath },
  responses: {
    202: answers(delivery, "On its way"),
    ...problems("not_found", "webhook_disabled"),
  },
});

export const webhookRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => c.json({ items: (await storeOf(c).list()).map(webhookBody(c)) }, 200))
  .openapi(create, async (c) => {
    const { url, events, description, enabled: isEnabled } = c.req.valid("json");
    const { internet, storages, now } = c.env;
    const store = storeOf(c);
    const { id, isRepeated } = c.var.creation;
    const headers = { Location: `/api/webhooks/${id}` };
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
        `The company has ${MAX_ENDPOINTS} webhooks; no more are allowed.`,
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
    const until = now() + OVERLAP_MILLISECONDS;
    const changed = await store.rotate(await find(c, id), sealed, c.var.creation.id, until, now());
    // Unchanged: a request with this key did it before, and its answer was lost.
    const row = changed ?? (await find(c, id));
    return c.json({ ...webhookBody(c)(row), secret: await openSecret(storages, id, row.secret) }, 200);
  })
  .openapi(test, async (c) => {
    const endpoint = await findOn(c, c.req.valid("param").id);
    const { id: deliveryId, isRepeated } = c.var.creation;
    const made = isRepeated && (await storeOf(c).delivery(endpoint.id, deliveryId));
    if (!made) await storeOf(c).addTest(endpoint.id, deliveryId, c.env.now());
    await announceDelivery(c.env, deliveryId);
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
      ...{ at: new Date(createdAt).toISOString(), milliseconds, status, response, error },
    }));
    const payload = { ...payloadOf(found.event, c.env.settings.publicUrl) };
    return c.json({ ...deliveryBody(found), payload, log } satisfies DeliveryDetail, 200);
  })
  .openapi(sendAgain, async (c) => {
    const { id, delivery_id: deliveryId } = c.req.valid("param");
    await findDelivery(c, id, deliveryId);
    const endpoint = await findOn(c, id);
    if (await storeOf(c).sendAgain(endpoint, deliveryId, c.env.now())) {
      await announceDelivery(c.env, deliveryId);
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

async function findOn(c: Context<CompanyEnv>, id: string): Promise<WebhookEndpointRow> {
  const row = await find(c, id);
  if (row.isEnabled) return row;
  throw new Refusal("webhook_disabled", "This webhook is switched off; switch it on first.");
}

async function findDelivery(c: Context<CompanyEnv>, endpointId: string, id: string) {
  const found = await storeOf(c).delivery(endpointId, id);
  if (found) return found;
  throw new Refusal("not_found", `There is no delivery "${id.slice(0, 100)}" of this webhook.`);
}

function notFound(id: string): Refusal {
  return new Refusal("not_found", `There is no webhook with the id "${id.slice(0, 100)}".`);
}

/** The address as it is saved, in its usual spelling; before every request it is checked again. */
function checkUrl(internet: Internet, address: string): string {
  const url = URL.parse(address);
  if (!url) {
    throw refusedUrl("This address cannot be used: it is not a URL; expected https:// and a host.");
  }
  try {
    internet.check(url);
    return url.href;
  } catch (error) {
    if (error instanceof StorageError) throw refusedUrl(error.message);
    throw error;
  }
}

function refusedUrl(why: string): Refusal {
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
      failures: row.failures,
      failing_since: timestamp(row.failingSince),
      last_delivered_at: timestamp(row.lastDeliveredAt),
      previous_secret_expires_at: overlap !== null && overlap > env.now() ? timestamp(overlap) : null,
      created_at: new Date(row.createdAt).toISOString(),
      updated_at: new Date(row.updatedAt).toISOString(),
    };
  };

function deliveryBody({ delivery: row, event }: Told): Delivery {
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
