import { and, eq } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { beforeEach, expect, test, vi } from "vitest";
import type { WebhookMessage } from "../../../worker/bindings.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import { companies, webhookDeliveries, webhookEndpoints, webhookEvents } from "../../../worker/db/tables.ts";
import { dispatch } from "../../../worker/dispatch.ts";
import { sweep } from "../../../worker/sweep.ts";
import { COMPANY_SENDS, ENDPOINT_SENDS, enqueueDeliveries } from "../../../worker/webhooks/deliveries.ts";
import type { Webhook } from "../../../worker/webhooks/schemas.ts";
import { newSecret } from "../../../worker/webhooks/secret.ts";
import { addCompany } from "../company.ts";
import { Edge } from "../edge.ts";

/** Messages of a batch, which wrangler.toml sets. Locally, one batch follows the other. */
const BATCH = 5;
/** Only a hang takes this long. */
const PATIENCE = { timeout: 60_000, interval: 5 };

/** The server of a company. It answers at once, or when `answer` is called. */
class Server {
  readonly url = `https://${crypto.randomUUID()}.example.net/`;
  readonly #open: ((response: Response) => void)[] = [];
  received = 0;
  mostAtOnce = 0;

  constructor(edge: Edge, isSlow: boolean) {
    edge.sites.set(this.url, () => {
      this.received++;
      if (!isSlow) return new Response();
      return new Promise<Response>((resolve) => {
        this.mostAtOnce = Math.max(this.mostAtOnce, this.#open.push(resolve));
      });
    });
  }

  get open(): number {
    return this.#open.length;
  }

  answer(): void {
    for (const respond of this.#open.splice(0)) respond(new Response());
  }
}

let edge: Edge;
/** Requests that continue after their message was handled. */
let sending: Promise<unknown>[];

beforeEach(async () => {
  edge = new Edge();
  sending = [];
  await edge.db.batch([edge.db.delete(webhookEvents), edge.db.delete(webhookEndpoints)]);
  await edge.db.update(companies).set({ webhookMinute: null, webhookSends: 0, webhooksHeldUntil: null });
});

/** Makes deliveries that are due, and returns their messages. */
async function due(companyId: string, { url }: Server, count: number): Promise<WebhookMessage[]> {
  const [endpointId, now] = [crypto.randomUUID(), edge.clock];
  const { sealed } = await newSecret(edge.bindings.storages, endpointId);
  const times = { createdAt: now, updatedAt: now, verifiedAt: now };
  const endpoint = { id: endpointId, companyId, url, events: ["marker.ready" as const], description: "" };
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  const events = ids.map((id) =>
    edge.db.insert(webhookEvents).values({ id, companyId, type: "marker.ready", data: {}, createdAt: now }),
  );
  const deliveries = ids.map((id) => {
    const row = { id, companyId, endpointId, eventId: id, attempts: 0, nextAttemptAt: now, createdAt: now };
    return edge.db.insert(webhookDeliveries).values({ ...row, state: "pending" });
  });
  const statements: [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]] = [
    edge.db
      .insert(webhookEndpoints)
      .values({ ...endpoint, isEnabled: true, secret: sealed, secretId: "", ...times }),
    ...events,
    ...deliveries,
  ];
  await edge.db.batch(statements);
  return ids.map((id) => ({ delivery_id: id }));
}

/** Handles the messages of the queue, one batch after the other, as far as they are due. */
async function work(queue: WebhookMessage[], webhooksAMinute = 0): Promise<void> {
  const later = (promise: Promise<unknown>) => void sending.push(promise);
  const settings = { ...edge.settings, webhooksAMinute };
  const compiler = edge.consumer(() => Promise.reject(new Error("Nothing is compiled here.")));
  while (queue.length > 0) {
    const messages = queue.splice(0, BATCH).map((body) => ({ body, ack: () => {}, retry: vi.fn() }));
    await dispatch({ ...compiler, ...edge.bindings, settings, later }, messages, false);
    for (const { retry } of messages) expect(retry).not.toHaveBeenCalled();
    queue.push(...edge.told.splice(0));
  }
}

async function pending(companyId: string): Promise<number> {
  const open = and(eq(webhookDeliveries.companyId, companyId), eq(webhookDeliveries.state, "pending"));
  return edge.db.$count(webhookDeliveries, open);
}

test("the slow server of one company delays no request of another, and gets few at a time", async () => {
  const shop = await addCompany(edge, "Shop");
  const [slow, fast] = [new Server(edge, true), new Server(edge, false)];
  const queue = await due(FIRST_COMPANY_ID, slow, 100);
  queue.push(...(await due(shop.id, fast, 1)));
  await work(queue);
  await vi.waitUntil(() => fast.received === 1, PATIENCE);
  await vi.waitUntil(() => slow.open === ENDPOINT_SENDS, PATIENCE);
  expect(slow.received).toBe(ENDPOINT_SENDS);

  // Each request that ends starts the next one.
  while (slow.received < 100 || slow.open > 0) {
    slow.answer();
    await Promise.all(sending.splice(0));
    await work(edge.told.splice(0));
    await vi.waitUntil(() => slow.open > 0 || slow.received === 100, PATIENCE);
  }
  slow.answer();
  await Promise.all(sending);
  expect([await pending(FIRST_COMPANY_ID), slow.received, slow.mostAtOnce]).toEqual([0, 100, ENDPOINT_SENDS]);
});

test("many deliveries of a company queue few messages, behind which those of others would wait", async () => {
  const server = new Server(edge, false);
  await due(FIRST_COMPANY_ID, server, 100);
  const contentId = crypto.randomUUID();
  await edge.db.update(webhookEvents).set({ contentId });
  await enqueueDeliveries(edge.bindings, [contentId]);
  expect(edge.told).toHaveLength(ENDPOINT_SENDS);

  // Each request that ends starts the next one.
  while (server.received < 100) {
    await work(edge.told.splice(0));
    await vi.waitUntil(() => edge.told.length > 0 || server.received === 100, PATIENCE);
  }
  await Promise.all(sending);
  expect(await pending(FIRST_COMPANY_ID)).toBe(0);
});

test("slow webhooks of a company delay none of its others, and get few requests at a time each", async () => {
  const slow = Array.from({ length: 3 }, () => new Server(edge, true));
  const fast = new Server(edge, false);
  const queue: WebhookMessage[] = [];
  for (const server of slow) queue.push(...(await due(FIRST_COMPANY_ID, server, 10)));
  edge.pass(1);
  queue.push(...(await due(FIRST_COMPANY_ID, fast, 4)));
  await work(queue);
  // The slow ones take all places, and keep them. Each end of a fast one queues the next.
  await vi.waitUntil(() => slow.every(({ open }) => open > 0), PATIENCE);
  for (let received = 1; received <= 4; received++) {
    await vi.waitUntil(() => fast.received === received, PATIENCE);
    await vi.waitUntil(() => received === 4 || edge.told.length > 0, PATIENCE);
    await work(edge.told.splice(0));
  }
  expect(slow.map(({ received }) => received)).toEqual([ENDPOINT_SENDS, COMPANY_SENDS - ENDPOINT_SENDS, 1]);

  while (slow.some(({ open }) => open > 0)) {
    for (const server of slow) server.answer();
    await Promise.all(sending.splice(0));
    await work(edge.told.splice(0));
    await vi.waitUntil(
      () => slow.reduce((open, server) => open + server.open, 0) === sending.length,
      PATIENCE,
    );
  }
  const seen = slow.map(({ received, mostAtOnce }) => [received, mostAtOnce <= ENDPOINT_SENDS]);
  expect([await pending(FIRST_COMPANY_ID), ...seen]).toEqual([0, [10, true], [10, true], [10, true]]);
});

test("a company's requests above its limit per minute are held back, shown, and sent in the next minutes", async () => {
  const shop = await addCompany(edge, "Shop");
  const [busy, other] = [new Server(edge, false), new Server(edge, false)];
  const drain = async (queue: WebhookMessage[]) => {
    for (; queue.length > 0 || sending.length > 0; queue = edge.told.splice(0)) {
      await work(queue, 10);
      await Promise.all(sending.splice(0));
    }
  };
  const list = async () => {
    const response = await edge.fetch(
      "/api/webhooks",
      {},
      { settings: { ...edge.settings, webhooksAMinute: 10 } },
    );
    return response.json<{ items: Webhook[] }>();
  };
  const queue = await due(FIRST_COMPANY_ID, busy, 35);
  queue.push(...(await due(shop.id, other, 3)));
  expect(await list()).toMatchObject({ requests_a_minute: 10, held_back_until: null });
  const sent: number[] = [];
  edge.pass(20);
  await drain(queue);
  sent.push(busy.received);
  expect(other.received).toBe(3);
  const until = new Date(edge.clock + 40_000).toISOString();
  expect(await list()).toMatchObject({ requests_a_minute: 10, held_back_until: until });
  while ((await pending(FIRST_COMPANY_ID)) > 0) {
    const resumed = edge.toldLater.splice(0);
    expect(resumed).toHaveLength(ENDPOINT_SENDS);
    const delays = new Set(resumed.map(({ delaySeconds }) => delaySeconds));
    expect(delays).toEqual(new Set([sent.length === 1 ? 40 : 60]));
    edge.pass(resumed[0].delaySeconds);
    await drain(resumed.map(({ message }) => message));
    sent.push(busy.received);
  }
  expect(sent).toEqual([10, 20, 30, 35]);
  edge.pass(60);
  expect(await list()).toMatchObject({ held_back_until: null });
});

test("the sweep resumes every company, although one has hundreds of overdue deliveries", async () => {
  const shop = await addCompany(edge, "Shop");
  const [many, one] = [new Server(edge, false), new Server(edge, false)];
  const messages = await due(FIRST_COMPANY_ID, many, 300);
  edge.pass(1);
  const [lost] = await due(shop.id, one, 1);
  edge.pass(120);
  await sweep(edge.bindings, edge.clock);
  expect(edge.told).toHaveLength(2);
  expect(edge.told).toContainEqual(lost);
  await work(edge.told.splice(0));
  while (sending.length > 0) {
    await Promise.all(sending.splice(0));
    await work(edge.told.splice(0));
  }
  expect([many.received, one.received, messages.length]).toEqual([300, 1, 300]);
});
