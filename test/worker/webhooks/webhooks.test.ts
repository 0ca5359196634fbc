import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { Webhook as Verifier } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import migration from "../../../migrations/0020_webhook_and_storage_turns.sql?raw";
import type { AuditPage } from "../../../worker/audit/schemas.ts";
import type { Bindings, Verdict, WebhookMessage } from "../../../worker/bindings.ts";
import {
  auditLog,
  webhookAttempts,
  webhookDeliveries,
  webhookEndpoints,
  webhookEvents,
} from "../../../worker/db/tables.ts";
import worker from "../../../worker/index.ts";
import { consume, deadLetter } from "../../../worker/marker/consumer.ts";
import { newLease, recompile } from "../../../worker/marker/life.ts";
import type { ArContent, CompanyUsage } from "../../../worker/schemas.ts";
import { Vault } from "../../../worker/storage/secrets.ts";
import { sweep } from "../../../worker/sweep.ts";
import { deadLetterDelivery, deliverWebhook } from "../../../worker/webhooks/deliver.ts";
import {
  delaySeconds,
  MAX_ATTEMPTS,
  MAX_DELIVERIES,
  MAX_EVENTS,
  prune,
  RETRY_SECONDS,
} from "../../../worker/webhooks/deliveries.ts";
import { CONTENT_EVENTS, type ContentEvent } from "../../../worker/webhooks/event-names.ts";
import { resealSecrets } from "../../../worker/webhooks/reseal.ts";
import type {
  Delivery,
  DeliveryDetail,
  DeliveryPage,
  EventPayload,
  Webhook,
  WebhookWithSecret,
} from "../../../worker/webhooks/schemas.ts";
import wranglerToml from "../../../wrangler.toml?raw";
import { addCompany } from "../company.ts";
import { compiledOutcome, Edge, json, type MockCompile, refusal } from "../edge.ts";
import { mind, png, video } from "../fixtures.ts";

const HOOKS = "/api/webhooks";
const SHOP = "https://shop.example.net/hook?token=of-the-shop";
const ACK = { kind: "ack" };
const DAY = 86_400;

const compiled = compiledOutcome();
const mockCompiler: MockCompile = () => compiled;
const mockBlank: MockCompile = () => ({
  kind: "fatal",
  failure: { code: "too_few_features", message: "A blank wall." },
});

/** A request that the shop received. */
interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

let edge: Edge;
let received: Received[];
let answer: () => Response | Promise<Response>;

beforeEach(async () => {
  edge = new Edge();
  edge.clock = Date.now();
  received = [];
  answer = () => new Response(null, { status: 204 });
  edge.sites.set(SHOP, async (request) => {
    received.push({ headers: Object.fromEntries(request.headers), body: await request.text() });
    return answer();
  });
  await edge.db.batch([
    edge.db.delete(webhookEndpoints),
    edge.db.delete(webhookEvents),
    edge.db.delete(auditLog),
  ]);
});

afterEach(() => vi.useRealTimers());

/** Creates a webhook, and counts it as verified. */
async function hook(
  events: readonly ContentEvent[] = CONTENT_EVENTS,
  fields: object = {},
): Promise<WebhookWithSecret> {
  const made = await unverified(events, fields);
  await edge.db
    .update(webhookEndpoints)
    .set({ verifiedAt: edge.clock })
    .where(eq(webhookEndpoints.id, made.id));
  return { ...made, verified_at: new Date(edge.clock).toISOString() };
}

function unverified(
  events: readonly ContentEvent[] = CONTENT_EVENTS,
  fields: object = {},
): Promise<WebhookWithSecret> {
  return edge.json(HOOKS, json("POST", { url: SHOP, events, ...fields }));
}

/** Verifies a request like the shop, at the clock of the tests, and returns its payload. */
function verified(secret: string, { headers, body }: Received): unknown {
  vi.useFakeTimers({ toFake: ["Date"], now: edge.clock });
  try {
    return new Verifier(secret).verify(body, headers);
  } finally {
    vi.useRealTimers();
  }
}

/** Handles a message and waits for its request. Returns the delay of the next attempt as a retry. */
async function handle(message: WebhookMessage, bindings: Partial<Bindings> = {}): Promise<Verdict> {
  const verdict = await deliverWebhook({ ...edge.bindings, ...bindings }, message);
  await edge.settled();
  const [next] = edge.toldLater.splice(0);
  return next ? { kind: "retry", delaySeconds: next.delaySeconds } : verdict;
}

/** Handles all messages in the queue. Returns the result of each. */
async function deliverAll(bindings: Partial<Bindings> = {}): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const message of edge.told.splice(0)) verdicts.push(await handle(message, bindings));
  // Each request that ended has announced the next one, which has its own message.
  edge.told.length = 0;
  return verdicts;
}

/** Sends a delivery in a Worker that is killed during it. */
async function sendAndDie(message: WebhookMessage): Promise<void> {
  const before = received.length;
  answer = () => new Promise<never>(() => {});
  await deliverWebhook({ ...edge.bindings, later: () => {} }, message);
  await vi.waitUntil(() => received.length > before);
}

async function deliveries(id: string, query = ""): Promise<Delivery[]> {
  return (await edge.json<DeliveryPage>(`${HOOKS}/${id}/deliveries${query}`)).items;
}

function detail(id: string, { id: delivery }: Delivery): Promise<DeliveryDetail> {
  return edge.json(`${HOOKS}/${id}/deliveries/${delivery}`);
}

let submitted = 0;

async function submitAndCompile(mockCompile: MockCompile = mockCompiler): Promise<ArContent> {
  const order = { order_number: `A-${(submitted += 1)}`, customer_name: "Ada" };
  const { content } = await edge.submit({ title: "Grandmother", ...order });
  await consume(edge.consumer(mockCompile), { content_id: content.id, generation: 1 });
  return edge.content(content.id);
}

/** Runs all attempts of a delivery, and advances the clock between them. */
async function deliverUntilSettled(id: string): Promise<number[]> {
  const delays: number[] = [];
  for (;;) {
    const verdict = await handle({ delivery_id: id });
    if (verdict.kind === "ack") return delays;
    delays.push(verdict.delaySeconds);
    edge.pass(verdict.delaySeconds);
  }
}

const types = () => received.map(({ body }) => (JSON.parse(body) as EventPayload).type);

describe("an event", () => {
  test("has a signature that the specification's own library accepts, and the data of the API", async () => {
    const { id, secret } = await hook();
    const content = await submitAndCompile();
    edge.pass(3);
    expect(await deliverAll()).toEqual([ACK]);
    const [request] = received;
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "webhook-timestamp": String(Math.floor(edge.clock / 1000)),
    });
    const { timestamp, ...told } = verified(secret, request) as EventPayload;
    expect(timestamp).toBe(new Date(edge.clock - 3000).toISOString());
    expect(told).toEqual({
      type: "marker.ready",
      data: {
        content_id: content.id,
        unique_id: content.unique_id,
        company_id: content.company_id,
        project_id: content.project_id,
        title: "Grandmother",
        order_number: content.order_number,
        customer_name: "Ada",
        customer_email: null,
        customer_phone: null,
        image_url: content.image_url,
        thumbnail_url: content.thumbnail_url,
        picture_url: content.picture_url,
        marker_status: "ready",
        marker_url: content.marker_url,
        video_url: null,
        video_type: null,
        viewer_url: content.viewer_url,
        task_id: content.task_id,
        error_code: null,
        error_message: null,
        created_at: content.created_at,
        updated_at: content.updated_at,
      },
    });
    expect(await deliveries(id)).toEqual([
      expect.objectContaining({
        event_id: request.headers["webhook-id"],
        event_type: "marker.ready",
        content_id: content.id,
        state: "delivered",
        attempts: 1,
        status: 204,
        error: null,
        next_attempt_at: null,
      }),
    ]);
  });

  test("with another secret, or another body, does not verify", async () => {
    const { secret } = await hook();
    await submitAndCompile();
    await deliverAll();
    const [request] = received;
    expect(() => verified(`whsec_${btoa("x".repeat(32))}`, request)).toThrow("No matching signature");
    expect(() => verified(secret, { ...request, body: `${request.body} ` })).toThrow("No matching signature");
  });

  test.each([
    ["marker.failed", "a failed compilation"],
    ["marker.failed", "an abandoned compilation"],
    ["marker.ready", "a browser's delivery"],
    ["marker.ready", "a reused marker"],
    ["video.attached", "a video"],
    ["content.deleted", "a deletion"],
  ] as const)("%s: %s", async (type, what) => {
    const image = png();
    const { content, lease } = await edge.submit({ image, compile: "browser" });
    const path = `/api/ar-content/${content.id}`;
    const message = { content_id: content.id, generation: 1 };
    const leased = { "Vivimark-Lease": lease!.token, "Content-Type": "application/octet-stream" };
    if (what === "a reused marker") {
      await edge.json(`${path}/marker`, { method: "PUT", body: mind(), headers: leased });
    }
    const { secret } = await hook();
    if (what === "a failed compilation") {
      edge.pass(61);
      await consume(edge.consumer(mockBlank), message);
    } else if (what === "an abandoned compilation") {
      edge.pass(61);
      await deadLetter(edge.consumer(mockCompiler), message);
    } else if (what === "a browser's delivery") {
      await edge.json(`${path}/marker`, { method: "PUT", body: mind(), headers: leased });
    } else if (what === "a reused marker") {
      expect((await edge.submit({ image })).reused).toBe(true);
    } else if (what === "a video") {
      const body = video("mp4");
      const headers = { "Content-Type": "video/mp4", "Content-Length": String(body.length) };
      await edge.json(`${path}/video`, { method: "PUT", body, headers });
    } else {
      expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    }
    await deliverAll();
    expect(types()).toEqual([type]);
    const { data } = verified(secret, received[0]) as EventPayload;
    const failed = { marker_status: "failed", error_code: "retries_exhausted" };
    const expected = {
      "a failed compilation": {
        ...failed,
        error_code: "too_few_features",
        error_message: "A blank wall.",
      },
      "an abandoned compilation": failed,
      "a browser's delivery": { marker_status: "ready" },
      "a reused marker": { marker_status: "ready", title: "Holiday photo" },
      "a video": { video_type: "video/mp4", video_url: expect.stringContaining("/media/") },
      "a deletion": { title: "Holiday photo" },
    }[what];
    expect(data).toMatchObject(expected);
    if (what !== "a reused marker") expect(data.content_id).toBe(content.id);
  });

  test("is sent to its subscribers in the company only", async () => {
    const other = "https://other.example.net/";
    const elsewhere = "https://elsewhere.example.net/";
    for (const url of [other, elsewhere]) edge.sites.set(url, () => Promise.reject(new Error("Not for me.")));
    await hook(["marker.ready", "video.attached"]);
    await hook(["content.deleted"], { url: other });
    await hook(CONTENT_EVENTS, { url: other, enabled: false });
    const { id: companyId } = await addCompany(edge, "Another company");
    const [{ secret }] = await edge.db.select().from(webhookEndpoints).limit(1);
    await edge.db.insert(webhookEndpoints).values({
      id: "elsewhere",
      companyId,
      url: elsewhere,
      events: CONTENT_EVENTS,
      description: "",
      isEnabled: true,
      verifiedAt: 0,
      secret,
      secretId: "",
      createdAt: 0,
      updatedAt: 0,
    });
    await submitAndCompile();
    expect(await deliverAll()).toEqual([ACK]);
    expect(types()).toEqual(["marker.ready"]);
    expect(await edge.db.select().from(webhookDeliveries)).toHaveLength(1);
  });

  test("without subscribers leaves no row", async () => {
    await hook(["content.deleted"]);
    await submitAndCompile();
    expect(await edge.db.select().from(webhookEvents)).toEqual([]);
    expect(edge.told).toEqual([]);
  });

  test("contains the data of its time, however late it is delivered", async () => {
    const { secret } = await hook(["marker.ready"]);
    const { id } = await submitAndCompile();
    await edge.json(`/api/ar-content/${id}`, json("PATCH", { title: "Renamed" }));
    await edge.fetch(`/api/ar-content/${id}`, { method: "DELETE" });
    await deliverAll();
    expect((verified(secret, received[0]) as EventPayload).data).toMatchObject({
      title: "Grandmother",
      marker_status: "ready",
    });
  });

  test("has absolute links if the platform knows its URL", async () => {
    const { secret } = await hook(["marker.ready"]);
    const { unique_id } = await submitAndCompile();
    await deliverAll({ settings: { ...edge.settings, publicUrl: "https://ar.example.net" } });
    const { data } = verified(secret, received[0]) as EventPayload;
    expect(data.viewer_url).toBe(`https://ar.example.net/v/${unique_id}`);
  });

  test("is not created when nothing changed: a late delivery, a second deletion", async () => {
    await hook();
    const { content } = await edge.submit({ compile: "browser" });
    const lease = await newLease(edge.clock, 60);
    await recompile(edge.db, content.id, { lease, maxFeatures: null, audit: null, now: edge.clock });
    const late: MockCompile = () => {
      edge.pass(61);
      return compiled;
    };
    edge.pass(61);
    await consume(edge.consumer(late), { content_id: content.id, generation: 2 });
    expect(edge.told).toEqual([]);
    for (const status of [204, 404]) {
      expect((await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" })).status).toBe(status);
    }
    await deliverAll();
    expect(types()).toEqual(["content.deleted"]);
  });
});

describe("an unverified webhook", () => {
  const sendTest = (id: string) => edge.json<Delivery>(`${HOOKS}/${id}/test`, { method: "POST" });

  test("gets only test events until its URL accepts one; then it gets what has waited", async () => {
    const { id, verified_at } = await unverified(["marker.ready"]);
    expect(verified_at).toBeNull();
    const content = await submitAndCompile();
    const [waiting] = await deliveries(id);
    expect(waiting).toMatchObject({ state: "pending", attempts: 0, next_attempt_at: null });
    edge.pass(DAY);
    await sweep(edge.bindings, edge.clock);
    expect(edge.told).toEqual([]);
    await edge.json(`${HOOKS}/${id}/deliveries/${waiting.id}/send-again`, { method: "POST" });
    expect(await handle({ delivery_id: waiting.id })).toEqual(ACK);
    expect(received).toEqual([]);

    answer = () => new Response(null, { status: 500 });
    await sendTest(id);
    expect((await deliverAll()).at(-1)?.kind).toBe("retry");
    expect(await edge.json<Webhook>(`${HOOKS}/${id}`)).toMatchObject({ verified_at: null });

    answer = () => new Response();
    edge.told.length = 0;
    await sendTest(id);
    await handle(edge.told.splice(0).at(-1)!);
    expect(await edge.json<Webhook>(`${HOOKS}/${id}`)).toMatchObject({
      verified_at: new Date(edge.clock).toISOString(),
    });
    expect(edge.told).toEqual([{ delivery_id: waiting.id }]);
    await deliverAll();
    expect(types()).toEqual(["webhook.test", "webhook.test", "marker.ready"]);
    expect((JSON.parse(received.at(-1)!.body) as EventPayload).data.content_id).toBe(content.id);
  });

  test("is one whose URL was changed: its pending deliveries wait for the new URL", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    answer = () => new Response(null, { status: 500 });
    await deliverAll();
    const same = await edge.json<Webhook>(
      `${HOOKS}/${id}`,
      json("PATCH", { url: SHOP, description: "Shop" }),
    );
    expect(same.verified_at).not.toBeNull();
    expect((await deliveries(id))[0].next_attempt_at).not.toBeNull();

    const url = "https://attacker.example.net/";
    const stolen = vi.fn(() => new Response());
    edge.sites.set(url, stolen);
    const changed = await edge.json<Webhook>(`${HOOKS}/${id}`, json("PATCH", { url }));
    expect(changed.verified_at).toBeNull();
    await submitAndCompile();
    expect((await deliveries(id)).map(({ next_attempt_at: next }) => next)).toEqual([null, null]);
    edge.pass(DAY);
    await sweep(edge.bindings, edge.clock);
    for (const { id: delivery } of await deliveries(id)) await handle({ delivery_id: delivery });
    expect(stolen).not.toHaveBeenCalled();
  });

  test("is not verified by the old URL's response to a test event", async () => {
    const { id } = await unverified(["marker.ready"]);
    answer = async () => {
      await edge.db.update(webhookEndpoints).set({ url: "https://other.example.net/" });
      return new Response();
    };
    await sendTest(id);
    await deliverAll();
    expect(types()).toEqual(["webhook.test"]);
    expect(await edge.json<Webhook>(`${HOOKS}/${id}`)).toMatchObject({ verified_at: null });
  });

  test("whose URL is changed during an attempt does not retry it at the new URL", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const url = "https://other.example.net/";
    answer = async () => {
      await edge.json(`${HOOKS}/${id}`, json("PATCH", { url }));
      return new Response(null, { status: 500 });
    };
    await deliverAll();
    expect(await deliveries(id)).toMatchObject([{ state: "pending", attempts: 1, next_attempt_at: null }]);
  });

  test("was verified before the database knew it if it had accepted a request", async () => {
    const { id: silent } = await unverified(["marker.ready"]);
    const { id: proven } = await unverified(["marker.ready"]);
    await submitAndCompile();
    const lastDeliveredAt = edge.clock - 1000;
    await edge.db.update(webhookDeliveries).set({ nextAttemptAt: edge.clock });
    await edge.db.update(webhookEndpoints).set({ lastDeliveredAt }).where(eq(webhookEndpoints.id, proven));
    const updates = migration.split("--> statement-breakpoint").filter((sql) => /^UPDATE/m.test(sql));
    expect(updates).toHaveLength(2);
    for (const update of updates) await env.DB.prepare(update).run();
    const verified_at = new Date(lastDeliveredAt).toISOString();
    expect(await edge.json<Webhook>(`${HOOKS}/${proven}`)).toMatchObject({ verified_at });
    expect(await edge.json<Webhook>(`${HOOKS}/${silent}`)).toMatchObject({ verified_at: null });
    const next = async (id: string) => (await deliveries(id)).map(({ next_attempt_at }) => next_attempt_at);
    expect(await next(proven)).toEqual([new Date(edge.clock).toISOString()]);
    expect(await next(silent)).toEqual([null]);
  });
});

describe("nothing is lost", () => {
  test("when the Worker is killed between the change and its message: the sweep sends it, once per grace time", async () => {
    const { secret } = await hook(["marker.ready"]);
    const { content } = await edge.submit();
    const consumer = edge.consumer(mockCompiler);
    const dead = { sendAll: () => new Promise<never>(() => {}) };
    void consume({ ...consumer, webhookQueue: dead }, { content_id: content.id, generation: 1 });
    await vi.waitUntil(async () => (await edge.content(content.id)).marker_status === "ready");
    edge.pass(119);
    await sweep(edge.bindings, edge.clock);
    expect(edge.told).toEqual([]);
    edge.pass(1);
    await sweep(edge.bindings, edge.clock);
    await sweep(edge.bindings, edge.clock);
    expect(edge.told).toHaveLength(1);
    expect(await deliverAll()).toEqual([ACK]);
    expect((verified(secret, received[0]) as EventPayload).data.content_id).toBe(content.id);
    edge.pass(3600);
    await sweep(edge.bindings, edge.clock);
    expect(edge.told).toEqual([]);
  });

  test("when the queue is down: the change is made, and its event is delivered later", async () => {
    await hook(["content.deleted"]);
    const { content } = await edge.submit();
    const complaint = vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const webhookQueue = { sendAll: () => Promise.reject(new Error("The queue is down.")) };
    const path = `/api/ar-content/${content.id}`;
    expect((await edge.fetch(path, { method: "DELETE" }, { webhookQueue })).status).toBe(204);
    expect(complaint).toHaveBeenCalledOnce();
    edge.pass(120);
    await sweep(edge.bindings, edge.clock);
    await deliverAll();
    expect(types()).toEqual(["content.deleted"]);
  });

  test("when an attempt is killed: another one follows after its lease", async () => {
    await hook(["marker.ready"]);
    await submitAndCompile();
    const [message] = edge.told.splice(0);
    await sendAndDie(message);
    answer = () => new Response();
    expect(await handle(message)).toEqual(ACK);
    expect(received).toHaveLength(1);
    edge.pass(120);
    await sweep(edge.bindings, edge.clock);
    expect(await deliverAll()).toEqual([ACK]);
    expect(received).toHaveLength(2);
    expect(received[1].headers["webhook-id"]).toBe(received[0].headers["webhook-id"]);
  });
});

describe("a message that is delivered twice", () => {
  test("in sequence sends once", async () => {
    await hook(["marker.ready"]);
    await submitAndCompile();
    edge.told.push(...edge.told);
    expect(await deliverAll()).toEqual([ACK, ACK]);
    expect(received).toHaveLength(1);
  });

  test("at the same moment sends once", async () => {
    await hook(["marker.ready"]);
    await submitAndCompile();
    const [message] = edge.told;
    await Promise.all(Array.from({ length: 5 }, () => handle(message)));
    expect(received).toHaveLength(1);
  });

  test("during or after the deletion of its webhook does nothing", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const [message] = edge.told;
    answer = async () => {
      expect((await edge.fetch(`${HOOKS}/${id}`, { method: "DELETE" })).status).toBe(204);
      return new Response(null, { status: 500 });
    };
    expect(await handle(message)).toEqual(ACK);
    expect(await handle(message)).toEqual(ACK);
    expect(received).toHaveLength(1);
  });

  test("before its time does not send early", async () => {
    await hook(["marker.ready"]);
    await submitAndCompile();
    answer = () => new Response("Busy", { status: 503 });
    const [message] = edge.told;
    expect((await handle(message)).kind).toBe("retry");
    expect(await handle(message)).toEqual(ACK);
    expect(received).toHaveLength(1);
  });
});

describe("a delivery that fails", () => {
  test("is retried after growing delays with the same id, logged, and abandoned; resent, it arrives", async () => {
    const { id, secret } = await hook(["marker.ready"]);
    await submitAndCompile();
    answer = () => new Response("Down for maintenance.", { status: 500 });
    const [{ delivery_id: deliveryId }] = edge.told.splice(0);
    const first = await handle({ delivery_id: deliveryId });
    if (first.kind !== "retry") throw new Error(first.kind);
    const [waiting] = await deliveries(id, "?state=pending");
    expect(waiting).toMatchObject({
      state: "pending",
      attempts: 1,
      status: 500,
      error: "The server responded with status 500; expected a status from 200 to 299.",
      next_attempt_at: new Date(edge.clock + first.delaySeconds * 1000).toISOString(),
    });
    edge.pass(first.delaySeconds);
    const delays = [first.delaySeconds, ...(await deliverUntilSettled(deliveryId))];
    expect(delays).toHaveLength(RETRY_SECONDS.length);
    for (const [i, delay] of delays.entries()) {
      expect(delay).toBeGreaterThanOrEqual(RETRY_SECONDS[i]);
      expect(delay).toBeLessThanOrEqual(RETRY_SECONDS[i] * 1.2 + 1);
    }
    const [failed] = await deliveries(id, "?state=failed");
    expect(failed).toMatchObject({ attempts: MAX_ATTEMPTS, next_attempt_at: null, status: 500 });
    const { log, payload } = await detail(id, failed);
    expect(log).toHaveLength(MAX_ATTEMPTS);
    expect(log[0]).toMatchObject({ status: 500, response: "Down for maintenance.", milliseconds: 0 });
    expect(payload).toEqual(JSON.parse(received[0].body));

    answer = () => new Response("Thanks");
    const again = await edge.json<Delivery>(`${HOOKS}/${id}/deliveries/${failed.id}/send-again`, {
      method: "POST",
    });
    expect(again).toMatchObject({ state: "pending", attempts: 0 });
    expect(await deliverAll()).toEqual([ACK]);
    expect(await detail(id, failed)).toMatchObject({ state: "delivered", attempts: 1, status: 200 });
    expect((await detail(id, failed)).log.at(-1)).toMatchObject({ response: "Thanks", error: null });
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(verified(secret, received.at(-1)!)).toMatchObject({ type: "marker.ready" });
  });

  test("keeps its newest 20 attempts after many resends", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const [{ id: deliveryId }] = await deliveries(id);
    const attempt = { deliveryId, milliseconds: 1, status: 500, response: "", error: "No." };
    const times = Array.from({ length: 30 }, (_, n) => edge.clock - (30 - n) * 1000);
    for (const [n, createdAt] of times.entries()) {
      await edge.db.insert(webhookAttempts).values({ ...attempt, id: `attempt-${n}`, createdAt });
    }
    await deliverAll();
    expect(await edge.db.select().from(webhookAttempts)).toHaveLength(20);
    const { log } = await detail(id, { id: deliveryId } as Delivery);
    const newest = [...times.slice(-19), edge.clock].map((time) => new Date(time).toISOString());
    expect(log.map(({ at }) => at)).toEqual(newest);
  });

  test("is abandoned after interrupted attempts have used up the limit", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    await edge.db.update(webhookDeliveries).set({ attempts: MAX_ATTEMPTS });
    expect(await deliverAll()).toEqual([ACK]);
    expect(received).toEqual([]);
    expect(await deliveries(id)).toMatchObject([
      { state: "failed", error: "The request could not be sent." },
    ]);
  });

  test("waits for the endpoint's Retry-After, but never longer than a queue can", () => {
    expect(delaySeconds(1, null, 0)).toBe(5);
    expect(delaySeconds(1, null, 1)).toBe(6);
    expect(delaySeconds(1, 90, 1)).toBe(90);
    expect(delaySeconds(3, 90, 0)).toBe(1800);
    expect(delaySeconds(MAX_ATTEMPTS - 1, null, 1)).toBe(43_200);
    expect(delaySeconds(1, 1e9, 0)).toBe(43_200);
  });

  test.each([
    ["120", 120],
    [() => new Date(edge.clock + 240_000).toUTCString(), 239],
    ["soon", 5],
  ])("Retry-After: %s", async (header, least) => {
    await hook(["marker.ready"]);
    await submitAndCompile();
    const value = typeof header === "string" ? header : header();
    answer = () => new Response(null, { status: 429, headers: { "Retry-After": value } });
    const [verdict] = await deliverAll();
    if (verdict.kind !== "retry") throw new Error(verdict.kind);
    expect(verdict.delaySeconds).toBeGreaterThanOrEqual(least);
    expect(verdict.delaySeconds).toBeLessThanOrEqual(least + 1);
  });

  test("without a response has its reason", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    edge.sites.delete(SHOP);
    expect(await deliverAll()).toMatchObject([{ kind: "retry" }]);
    const [delivery] = await deliveries(id);
    expect(delivery).toMatchObject({ status: null, error: expect.stringContaining("shop.example.net") });
    expect((await detail(id, delivery)).log).toMatchObject([{ status: null, response: "" }]);
  });

  test("was not answered within 15 seconds", async () => {
    await hook(["marker.ready"]);
    await submitAndCompile();
    const open = vi.spyOn(edge.bindings.internet, "open");
    await deliverAll();
    // The test of StorageHttp shows what silence does.
    expect(open).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ silenceSeconds: 15 }));
    open.mockRestore();
  });

  test("shows the beginning of any response", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const endless = new ReadableStream<Uint8Array>({
      type: "bytes",
      pull: (controller: ReadableByteStreamController) =>
        controller.enqueue(new TextEncoder().encode("\0é".repeat(500))),
    } as unknown as UnderlyingSource<Uint8Array>);
    answer = () => new Response(endless, { status: 400 });
    await deliverAll();
    const [delivery] = await deliveries(id);
    // 1,024 bytes are 341 times three bytes, and a zero.
    expect((await detail(id, delivery)).log[0].response).toBe("é".repeat(341));
  });

  test("with a redirect does not follow it", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const inside = "http://169.254.169.254/latest";
    const asked = vi.fn(() => new Response("secret"));
    edge.sites.set(inside, asked);
    answer = () => new Response(null, { status: 302, headers: { Location: inside } });
    expect(await deliverAll()).toMatchObject([{ kind: "retry" }]);
    expect(asked).not.toHaveBeenCalled();
    expect(await deliveries(id)).toMatchObject([
      {
        status: 302,
        error: "The server responded with status 302. Redirects are not followed: enter the final URL.",
      },
    ]);
  });
});

describe("the queue", () => {
  const dispatch = async (queue: string, body: object) => {
    const batch = createMessageBatch(queue, [{ id: "1", timestamp: new Date(), attempts: 1, body }]);
    await worker.queue(batch as never, env);
    return getQueueResult(batch, createExecutionContext());
  };

  test("distinguishes deliveries from other messages, and its dead letters end them", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const [message] = edge.told;
    vi.spyOn(console, "error").mockImplementation(() => {});
    // The Worker has no SECRETS_KEYS here, so it cannot sign and leaves the message to the queue.
    expect(await dispatch("vivimark-webhooks", message)).toMatchObject({ retryMessages: [{ msgId: "1" }] });
    expect((await dispatch("vivimark-webhooks-dead", message)).explicitAcks).toEqual(["1"]);
    // The attempt that holds the lease may still be running. Its Worker has a clock of its own.
    expect(await deliveries(id)).toMatchObject([{ state: "pending" }]);
    const later = Date.now() + 61_000;
    expect(await deadLetterDelivery({ ...edge.bindings, now: () => later }, message)).toEqual(ACK);
    expect(await deliveries(id)).toMatchObject([
      { state: "failed", error: "The request could not be sent." },
    ]);
    vi.restoreAllMocks();
  });

  test("has more retries than the database counts, and a queue for dead letters", () => {
    const [, consumer] = /queue = "vivimark-webhooks"\n(max_[\s\S]*?)\n\n/.exec(wranglerToml)!;
    expect(Number(/max_retries = (\d+)/.exec(consumer)?.[1])).toBeGreaterThanOrEqual(MAX_ATTEMPTS);
    expect(consumer).toContain('dead_letter_queue = "vivimark-webhooks-dead"');
  });
});

describe("a webhook is disabled", () => {
  const noted = async () =>
    (await edge.json<AuditPage>("/api/audit-log?action=webhook.switched_off")).items.map(
      ({ actor, object, detail: facts }) => ({ actor: actor.kind, object: object.name, detail: facts }),
    );

  test("by status 410: waiting deliveries are abandoned, and no more are created", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    await submitAndCompile();
    answer = () => new Response(null, { status: 410 });
    expect(await deliverAll()).toEqual([ACK, ACK]);
    expect(received).toHaveLength(1);
    expect(await edge.json<Webhook>(`${HOOKS}/${id}`)).toMatchObject({
      enabled: false,
      disabled_reason: "gone",
    });
    expect((await deliveries(id)).map(({ state }) => state)).toEqual(["failed", "failed"]);
    // Without the URL's query.
    const object = "https://shop.example.net/hook";
    expect(await noted()).toEqual([{ actor: "platform", object, detail: { reason: "gone", failures: 1 } }]);
    await submitAndCompile();
    expect(edge.told).toEqual([]);

    const [lost] = await deliveries(id);
    const again = `${HOOKS}/${id}/deliveries/${lost.id}/send-again`;
    expect((await refusal(await edge.fetch(again, { method: "POST" }))).code).toBe("webhook_disabled");
    const on = await edge.json<Webhook>(`${HOOKS}/${id}`, json("PATCH", { enabled: true }));
    expect(on).toMatchObject({ enabled: true, disabled_reason: null, failures: 0, failing_since: null });
    answer = () => new Response();
    expect((await edge.fetch(again, { method: "POST" })).status).toBe(202);
    expect(await deliverAll()).toEqual([ACK]);
  });

  test("after 20 failures in a row over five days, and a success resets the count", async () => {
    const { id } = await hook(["marker.ready"]);
    const state = async () => {
      const { enabled, failures } = await edge.json<Webhook>(`${HOOKS}/${id}`);
      return [enabled, failures];
    };
    answer = () => new Response(null, { status: 500 });
    const fail = async () => {
      await submitAndCompile();
      await deliverAll();
    };
    await fail();
    answer = () => new Response();
    await fail();
    expect(await state()).toEqual([true, 0]);
    answer = () => new Response(null, { status: 500 });
    for (let n = 1; n <= 20; n++) await fail();
    expect(await state()).toEqual([true, 20]);
    edge.pass(5 * DAY - 1);
    // The next attempts of the others are due before it.
    const failNewest = async () => {
      await submitAndCompile();
      const [newest] = await deliveries(id);
      await handle({ delivery_id: newest.id });
    };
    await failNewest();
    expect(await state()).toEqual([true, 21]);
    edge.pass(1);
    await failNewest();
    expect(await state()).toEqual([false, 22]);
    expect(await deliveries(id, "?state=pending")).toEqual([]);
    expect(await noted()).toMatchObject([{ detail: { reason: "failing", failures: 22 } }]);
  });

  test("by a person: waiting deliveries are abandoned", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const off = await edge.json<Webhook>(`${HOOKS}/${id}`, json("PATCH", { enabled: false }));
    expect(off).toMatchObject({ enabled: false, disabled_reason: null });
    expect(await deliverAll()).toEqual([ACK]);
    expect(received).toEqual([]);
    expect(await deliveries(id)).toMatchObject([
      { state: "failed", error: expect.stringContaining("disabled") },
    ]);
    const test = await edge.fetch(`${HOOKS}/${id}/test`, { method: "POST" });
    expect((await refusal(test)).code).toBe("webhook_disabled");
  });
});

describe("a webhook is disabled during a delivery", () => {
  const off = (id: string) => edge.fetch(`${HOOKS}/${id}`, json("PATCH", { enabled: false }));

  test("the delivery may arrive; otherwise it is abandoned", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    answer = async () => {
      await off(id);
      return new Response(null, { status: 500 });
    };
    expect(await deliverAll()).toEqual([ACK]);
    expect(await deliveries(id)).toMatchObject([
      { state: "failed", status: 500, error: expect.stringContaining("disabled"), next_attempt_at: null },
    ]);
    await edge.fetch(`${HOOKS}/${id}`, json("PATCH", { enabled: true }));
    edge.pass(DAY);
    await sweep(edge.bindings, edge.clock);
    expect(edge.told).toEqual([]);

    await submitAndCompile();
    answer = async () => {
      await off(id);
      return new Response();
    };
    expect(await deliverAll()).toEqual([ACK]);
    expect((await deliveries(id)).map(({ state }) => state)).toEqual(["delivered", "failed"]);
  });

  test("an interrupted delivery is abandoned by the sweep", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    await sendAndDie(edge.told.splice(0)[0]);
    await off(id);
    expect((await deliveries(id)).map(({ state }) => state)).toEqual(["pending"]);
    edge.pass(61);
    await sweep(edge.bindings, edge.clock);
    expect((await deliveries(id)).map(({ state }) => state)).toEqual(["failed"]);
  });
});

describe("an endpoint's URL", () => {
  test.each([
    "https://127.0.0.1/",
    "https://10.1.2.3/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://2130706433/",
    "https://localhost/",
    "https://router.lan/",
    "https://shop.example.net:6379/",
    "https://user:password@shop.example.net/",
    "http://shop.example.net/",
    "ftp://shop.example.net/",
    "shop.example.net",
    "",
  ])("not to %s, when it is made or changed", async (url) => {
    const { id } = await hook();
    for (const [path, method] of [
      [HOOKS, "POST"],
      [`${HOOKS}/${id}`, "PATCH"],
    ]) {
      const body = method === "POST" ? { url, events: ["marker.ready"] } : { url };
      const problem = await refusal(await edge.fetch(path, json(method, body)));
      expect(problem).toMatchObject({ status: 422, code: "invalid_input", errors: [{ field: "url" }] });
      expect(problem.detail).not.toContain("password@");
    }
    expect(await edge.json<{ items: Webhook[] }>(HOOKS)).toMatchObject({ items: [{ url: SHOP }] });
  });

  test("is stored in its normal form", async () => {
    const url = " HTTPS://Shop.Example.NET:443/a b\u0000\ud800\n";
    expect(await hook(CONTENT_EVENTS, { url })).toMatchObject({
      url: "https://shop.example.net/a%20b%00%EF%BF%BD",
    });
  });

  test("is checked again before every request", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    const inside = "https://10.0.0.7/hook";
    const asked = vi.fn(() => new Response());
    edge.sites.set(inside, asked);
    await edge.db.update(webhookEndpoints).set({ url: inside });
    expect(await deliverAll()).toMatchObject([{ kind: "retry" }]);
    expect(asked).not.toHaveBeenCalled();
    expect(await deliveries(id)).toMatchObject([
      { status: null, error: expect.stringContaining("10.0.0.7 is a private address") },
    ]);
  });
});

describe("the secret", () => {
  test("is shown once, and in no other response, log line or row", async () => {
    const lines: unknown[][] = [];
    for (const method of ["log", "error", "warn", "info"] as const) {
      vi.spyOn(console, method).mockImplementation((...words) => void lines.push(words));
    }
    const { id, secret } = await hook();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const rotated = await edge.json<WebhookWithSecret>(`${HOOKS}/${id}/rotate-secret`, { method: "POST" });
    await submitAndCompile();
    answer = () => new Response(null, { status: 500 });
    await deliverAll();
    const [delivery] = await deliveries(id);
    const paths = ["", `/${id}`, `/${id}/deliveries`, `/${id}/deliveries/${delivery.id}`].map(
      (path) => HOOKS + path,
    );
    const answers = await Promise.all([...paths, "/api/audit-log"].map((path) => edge.json<object>(path)));
    const tables = [webhookEndpoints, webhookEvents, webhookDeliveries, webhookAttempts, auditLog];
    const rows = await Promise.all(tables.map((table) => edge.db.select().from(table)));
    const everything = JSON.stringify([answers, rows, lines]);
    for (const known of [secret, rotated.secret]) expect(everything).not.toContain(known.slice(6, 30));
    vi.restoreAllMocks();
  });

  test("rotated: both sign for a day, then only the new one", async () => {
    const { id, secret } = await hook(["marker.ready"]);
    const rotated = await edge.json<WebhookWithSecret>(`${HOOKS}/${id}/rotate-secret`, { method: "POST" });
    expect(rotated.secret).not.toBe(secret);
    expect(rotated.previous_secret_expires_at).toBe(new Date(edge.clock + DAY * 1000).toISOString());
    await submitAndCompile();
    await deliverAll();
    for (const either of [secret, rotated.secret]) {
      expect(verified(either, received[0])).toMatchObject({ type: "marker.ready" });
    }
    edge.pass(DAY);
    await submitAndCompile();
    await deliverAll();
    expect(verified(rotated.secret, received[1])).toMatchObject({ type: "marker.ready" });
    expect(() => verified(secret, received[1])).toThrow("No matching signature");
    await sweep(edge.bindings, edge.clock);
    expect(await edge.db.select().from(webhookEndpoints)).toMatchObject([{ previousSecret: null }]);
    expect((await edge.json<Webhook>(`${HOOKS}/${id}`)).previous_secret_expires_at).toBeNull();
  });

  test("is sealed again with the newest key, and then does not need the older one", async () => {
    const { id, secret } = await hook(["marker.ready"]);
    await edge.json(`${HOOKS}/${id}/rotate-secret`, { method: "POST" });
    const older = `test:${btoa("0123456789abcdef0123456789abcdef")}`;
    const newer = `newer:${btoa("fedcba9876543210fedcba9876543210")}`;
    const both = edge.storagesWith(edge.storage, { vault: new Vault(`${newer},${older}`) });
    await resealSecrets(edge.db, both, 10);
    await submitAndCompile();
    await deliverAll({ storages: edge.storagesWith(edge.storage, { vault: new Vault(newer) }) });
    expect(verified(secret, received[0])).toMatchObject({ type: "marker.ready" });
  });

  test("cannot be created without a key that seals it", async () => {
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const storages = edge.storagesWith(edge.storage, { vault: new Vault("") });
    const body = { url: SHOP, events: ["marker.ready"] };
    const response = await edge.fetch(HOOKS, json("POST", body), { storages });
    expect((await refusal(response)).code).toBe("secrets_unavailable");
    expect(await edge.db.select().from(webhookEndpoints)).toEqual([]);
  });

  test("of an interrupted request is returned when the request is repeated", async () => {
    const key = crypto.randomUUID();
    const init = (body: object) => json("POST", body, { "Idempotency-Key": key });
    const dies = async (path: string, body: object) => {
      // Fails everything after the row, so that the response is not stored.
      const storages = Object.create(edge.bindings.storages, {
        openText: { value: () => Promise.reject(new Error("The Worker died.")) },
      });
      vi.spyOn(console, "error").mockImplementation(() => {});
      const response = await edge.fetch(path, init(body), { storages });
      vi.restoreAllMocks();
      edge.pass(61);
      return response.status;
    };
    const { id, secret } = await hook(["marker.ready"]);
    expect(await dies(`${HOOKS}/${id}/rotate-secret`, {})).toBe(500);
    const again = await edge.fetch(`${HOOKS}/${id}/rotate-secret`, init({}));
    expect(again.status).toBe(200);
    const rotated = (await again.json()) as WebhookWithSecret;
    await submitAndCompile();
    await deliverAll();
    // The first secret still signs, because it was rotated once.
    for (const either of [secret, rotated.secret]) {
      expect(verified(either, received[0])).toMatchObject({ type: "marker.ready" });
    }
  });
});

describe("webhooks of a company", () => {
  test("are created, listed, changed and deleted, with their deliveries", async () => {
    const made = await hook(["marker.ready", "marker.ready", "content.deleted"], {
      description: "The \u202e print\tshop",
    });
    expect(made).toMatchObject({
      url: SHOP,
      events: ["marker.ready", "content.deleted"],
      description: "The  print shop",
      enabled: true,
      disabled_reason: null,
      failures: 0,
      last_delivered_at: null,
    });
    const { secret, ...shown } = made;
    expect(await edge.json(HOOKS)).toEqual({ items: [shown], requests_a_minute: 0, held_back_until: null });
    await submitAndCompile();
    await deliverAll();
    const change = { url: "https://other.example.net/", events: ["video.attached"], description: "" };
    const changed = await edge.json<Webhook>(`${HOOKS}/${made.id}`, json("PATCH", change));
    expect(changed).toMatchObject({ ...change, last_delivered_at: new Date(edge.clock).toISOString() });
    const { items } = await edge.json<AuditPage>("/api/audit-log?subject=webhook");
    expect(items.map(({ action, object, detail: facts }) => [action, object.name, facts]).sort()).toEqual([
      ["webhook.changed", change.url, { address: change.url, events: ["video.attached"], description: "" }],
      ["webhook.created", "The  print shop", { events: ["marker.ready", "content.deleted"] }],
    ]);
    expect((await edge.fetch(`${HOOKS}/${made.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await refusal(await edge.fetch(`${HOOKS}/${made.id}`))).code).toBe("not_found");
    expect(await edge.db.select().from(webhookDeliveries)).toEqual([]);
    expect(await edge.db.select().from(webhookAttempts)).toEqual([]);
  });

  test("are at most 20", async () => {
    const responses = [];
    for (let n = 1; n <= 21; n++) {
      responses.push(await edge.fetch(HOOKS, json("POST", { url: SHOP, events: ["marker.ready"] })));
    }
    expect(responses.map(({ status }) => status)).toEqual([...Array(20).fill(201), 409]);
    expect((await refusal(responses[20])).code).toBe("too_many_webhooks");
  });

  test.each([
    [{ url: SHOP }, "events"],
    [{ url: SHOP, events: [] }, "events"],
    [{ url: SHOP, events: ["marker.done"] }, "events.0"],
    [{ events: ["marker.ready"] }, "url"],
    [{ url: SHOP, events: ["marker.ready"], description: "x".repeat(201) }, "description"],
    [{ url: SHOP, events: ["marker.ready"], enabled: "yes" }, "enabled"],
  ])("refuses %j", async (body, field) => {
    const problem = await refusal(await edge.fetch(HOOKS, json("POST", body)));
    expect(problem).toMatchObject({ code: "invalid_input", errors: [{ field }] });
  });

  test("a test event is delivered and logged like others, to one endpoint, whatever its subscriptions", async () => {
    const { id, secret } = await hook(["content.deleted"]);
    const other = await hook();
    const sent = await edge.json<Delivery>(`${HOOKS}/${id}/test`, { method: "POST" });
    expect(sent).toMatchObject({ event_type: "webhook.test", content_id: null, state: "pending" });
    expect(await deliverAll()).toEqual([ACK]);
    expect(verified(secret, received[0])).toMatchObject({
      type: "webhook.test",
      data: { endpoint_id: id },
    });
    expect(await deliveries(id)).toMatchObject([{ id: sent.id, state: "delivered" }]);
    expect(await deliveries(other.id)).toEqual([]);
  });

  test("deliveries have pages, newest first", async () => {
    const { id } = await hook(["marker.ready"]);
    for (let n = 0; n < 5; n++) {
      await edge.json(`${HOOKS}/${id}/test`, { method: "POST" });
      edge.pass(1);
    }
    const seen: Delivery[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor && `&cursor=${cursor}`;
      const page: DeliveryPage = await edge.json(`${HOOKS}/${id}/deliveries?limit=2${query}`);
      seen.push(...page.items);
      cursor = page.next_cursor;
    }
    const times = seen.map(({ created_at }) => created_at);
    expect(times).toHaveLength(5);
    expect(times).toEqual([...times].sort().reverse());
    expect(await deliveries(id, "?state=failed")).toEqual([]);
  });

  test("deliveries are deleted after 30 days", async () => {
    const { id } = await hook(["marker.ready"]);
    await submitAndCompile();
    await deliverAll();
    edge.pass(30 * DAY - 1);
    await sweep(edge.bindings, edge.clock);
    expect(await deliveries(id)).toHaveLength(1);
    edge.pass(1);
    await sweep(edge.bindings, edge.clock);
    expect(await deliveries(id)).toEqual([]);
    for (const table of [webhookEvents, webhookDeliveries, webhookAttempts]) {
      expect(await edge.db.select().from(table)).toEqual([]);
    }
  });
});

describe("the events and deliveries of a company", () => {
  const used = async () => (await edge.json<CompanyUsage>("/api/company/usage")).records;

  test("are limited: the sweep deletes the oldest, and the usage counts them", async () => {
    const { id } = await hook(["marker.ready"]);
    const before = await used();
    for (let n = 0; n < 5; n++) {
      edge.pass(1);
      await edge.json(`${HOOKS}/${id}/test`, { method: "POST" });
    }
    const { webhook_events, webhook_deliveries } = await used();
    expect([webhook_events, webhook_deliveries]).toEqual([
      { used: before.webhook_events.used + 5, limit: MAX_EVENTS },
      { used: before.webhook_deliveries.used + 5, limit: MAX_DELIVERIES },
    ]);
    const newest = (await deliveries(id)).map((delivery) => delivery.id);
    await prune(edge.db, edge.clock, { maxEvents: 4 });
    expect((await deliveries(id)).map((delivery) => delivery.id)).toEqual(newest.slice(0, 4));
    await prune(edge.db, edge.clock, { maxDeliveries: 2 });
    expect((await deliveries(id)).map((delivery) => delivery.id)).toEqual(newest.slice(0, 2));
    expect(await edge.db.select().from(webhookEvents)).toHaveLength(4);
    const after = await used();
    expect([after.webhook_events.used, after.webhook_deliveries.used]).toEqual([4, 2]);
  });

  test("without their webhook still count", async () => {
    const { id } = await hook(["marker.ready"]);
    await edge.json(`${HOOKS}/${id}/test`, { method: "POST" });
    await edge.fetch(`${HOOKS}/${id}`, { method: "DELETE" });
    const { webhook_events, webhook_deliveries } = await used();
    expect([webhook_events.used, webhook_deliveries.used]).toEqual([1, 0]);
  });
});

test("the API's document describes every event", async () => {
  const { webhooks } = await edge.json<{ webhooks: Record<string, { post: { summary: string } }> }>(
    "/api/openapi.json",
  );
  expect(Object.keys(webhooks).sort()).toEqual([...CONTENT_EVENTS, "webhook.test"].sort());
});
