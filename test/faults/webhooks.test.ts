import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ENDPOINT_SENDS } from "../../worker/webhooks/deliveries.ts";
import type {
  Delivery,
  DeliveryDetail,
  DeliveryPage,
  EventPayload,
  Webhook as WebhookBody,
  WebhookWithSecret,
} from "../../worker/webhooks/schemas.ts";
import { until } from "./api.ts";
import { NodeCompiler } from "./compiler.ts";
import { Edge } from "./edge.ts";
import { type Received, Receiver } from "./receiver.ts";

let compiler: NodeCompiler;
let edge: Edge;
let receiver: Receiver;
let hook: WebhookWithSecret;

const send = (body: object): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

beforeAll(async () => {
  receiver = await Receiver.start();
  compiler = await NodeCompiler.reserve();
  await compiler.start();
  edge = await Edge.create({
    COMPILER_URL: compiler.url,
    SWEEP_GRACE_SECONDS: "1",
    ALLOW_PRIVATE_STORAGE: "true",
    SECRETS_KEYS: `test:${randomBytes(32).toString("base64")}`,
  });
  await edge.start();
  const events = ["marker.ready", "marker.failed", "content.deleted"];
  hook = await edge.api.json(201, "/api/webhooks", send({ url: receiver.url, events }));
  await edge.api.json(202, `/api/webhooks/${hook.id}/test`, { method: "POST" });
  await until(
    "verified",
    () => edge.api.json<WebhookBody>(200, `/api/webhooks/${hook.id}`),
    ({ verified_at }) => verified_at !== null,
  );
});

afterAll(async () => {
  receiver?.close();
  await compiler?.kill();
  await edge?.remove();
});

/** Verifies a request as a receiver does, and returns its payload. */
function read({ body, headers }: Received): EventPayload {
  return new Webhook(hook.secret).verify(body, { ...headers }) as EventPayload;
}

/** Returns the requests about this content. */
const about = (id: string) => receiver.received.filter((request) => read(request).data.content_id === id);

test("the shop receives a signed marker.ready for a headless submission, and a content.deleted for its deletion", async () => {
  const { api } = edge;
  const { content, task_id: taskId } = await api.submit("server", 201);
  await api.taskIs(taskId, "ready");
  await until(
    "told",
    async () => about(content.id).length,
    (count) => count === 1,
  );
  const told = read(about(content.id)[0]);
  const ready = await api.content(content.id);
  expect(told).toMatchObject({
    type: "marker.ready",
    data: { title: content.title, marker_status: "ready", marker_url: ready.marker_url, task_id: taskId },
  });
  const marker = await api.fetch(told.data.marker_url!);
  expect([marker.status, (await marker.arrayBuffer()).byteLength]).toEqual([
    200,
    ready.marker_metadata!.bytes,
  ]);

  expect((await api.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" })).status).toBe(204);
  await until(
    "told",
    async () => about(content.id).map((request) => read(request).type),
    (types) => types.join() === "marker.ready,content.deleted",
  );
});

test("the shop is down, and the Worker is killed with the message in its queue: delivered once, with the same id", async () => {
  const { api } = edge;
  receiver.status = 503;
  const { content, task_id: taskId } = await api.submit("server", 202);
  await api.taskIs(taskId, "ready");
  await until(
    "refused",
    async () => about(content.id).length,
    (count) => count >= 1,
  );
  const pending = async () =>
    (await api.json<DeliveryPage>(200, `/api/webhooks/${hook.id}/deliveries?state=pending`)).items;
  const [waiting] = await until("noted", pending, ([delivery]) => delivery?.status === 503);
  await edge.kill();

  receiver.status = 200;
  await edge.start();
  const path = `/api/webhooks/${hook.id}/deliveries/${waiting.id}`;
  const done = await until(
    "delivered",
    async () => {
      await edge.sweep();
      return api.json<DeliveryDetail>(200, path);
    },
    ({ state }) => state === "delivered",
  );
  const statuses = done.log.map(({ status }) => status);
  expect([statuses[0], statuses.at(-1)]).toEqual([503, 200]);
  expect(done.log.at(-1)).toMatchObject({ response: "Status 200.", error: null });
  expect(about(content.id)).toHaveLength(done.log.length);
  expect(new Set(about(content.id).map(({ headers }) => headers["webhook-id"]))).toEqual(
    new Set([done.event_id]),
  );

  // Later sweeps and messages find nothing to do.
  await edge.sweep();
  const last = await api.submit("server", 203);
  await until(
    "told",
    async () => about(last.content.id).length,
    (count) => count === 1,
  );
  expect(about(content.id)).toHaveLength(done.log.length);
});

test("servers that do not respond delay no other webhook", async () => {
  const { api } = edge;
  const silent = await Receiver.start();
  silent.isSilent = true;
  const sendTest = (id: string) => api.json<Delivery>(202, `/api/webhooks/${id}/test`, { method: "POST" });
  try {
    const body = send({ url: silent.url, events: ["marker.ready"] });
    const slow = await api.json<WebhookBody>(201, "/api/webhooks", body);
    // As many as are sent to it at a time, and one that waits.
    for (let n = 0; n < ENDPOINT_SENDS + 1; n++) await sendTest(slow.id);
    const received = async () => silent.received.length;
    await until("asked", received, (count) => count === ENDPOINT_SENDS);
    const test = await sendTest(hook.id);
    const arrived = async () =>
      receiver.received.some(({ headers }) => headers["webhook-id"] === test.event_id);
    await until("delivered", arrived, (isThere) => isThere);
    // The others still wait for their response.
    const { items } = await api.json<DeliveryPage>(200, `/api/webhooks/${slow.id}/deliveries`);
    expect(items.map(({ state, error }) => [state, error])).toEqual(
      Array(ENDPOINT_SENDS + 1).fill(["pending", null]),
    );
  } finally {
    silent.close();
  }
});
