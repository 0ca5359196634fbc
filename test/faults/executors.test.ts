import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { compilePhoto } from "../../compiler/photo.ts";
import { CODEC_SOURCES } from "../../node/codecs.ts";
import { type Api, photo, until } from "./api.ts";
import { NodeCompiler } from "./compiler.ts";
import { Edge } from "./edge.ts";

let compiler: NodeCompiler;
let edge: Edge;
let api: Api;

beforeAll(async () => {
  loadCodecs(CODEC_SOURCES);
  compiler = await NodeCompiler.reserve();
  edge = await Edge.create({
    COMPILER_URL: compiler.url,
    BROWSER_LEASE_SECONDS: "2",
    NODE_LEASE_SECONDS: "15",
    RETRY_BASE_SECONDS: "0.1",
  });
  await edge.start();
  api = edge.api;
});

afterEach(() => compiler.kill());

afterAll(() => edge?.remove());

test("a headless submission becomes ready", async () => {
  await compiler.start();
  const { content, task_id, lease, reused } = await api.submit("server", 101);
  expect({ status: content.marker_status, lease, reused }).toEqual({
    status: "pending",
    lease: null,
    reused: false,
  });
  const task = await api.taskIs(task_id, "ready");
  expect(task).toMatchObject({ executor: "node", attempts: 1, error_code: null });
  const ready = await api.content(content.id);
  expect(ready.marker_metadata).toMatchObject({ executor: "node" });
  expect(ready.thumbnail_url).not.toBeNull();
  const { marker } = await compilePhoto(photo, { maxFeatures: 101 });
  expect(await api.marker(ready)).toEqualBytes(marker);
});

test("a closed browser tab: Node takes over, and a late delivery of the tab changes nothing", async () => {
  await compiler.start();
  const { content, task_id, lease } = await api.submit("browser", 102);
  expect(content.marker_status).toBe("processing");
  await api.heartbeat(content.id, lease!.token, { stage: "match", done: 3, total: 9 });
  expect(await api.task(task_id)).toMatchObject({ executor: "browser", progress: { done: 3 }, attempts: 0 });

  expect(await api.taskIs(task_id, "ready")).toMatchObject({ executor: "node", attempts: 1 });
  const before = await api.content(content.id);
  const marker = await api.marker(before);

  // The tab was only asleep. Its delivery is valid and of this photo, but too late.
  const late = await compilePhoto(photo, { maxFeatures: 50 });
  expect(late.marker).not.toEqualBytes(marker);
  const answer = await api.deliver(content.id, lease!.token, late.marker);
  expect(answer.status).toBe(409);
  expect(await answer.json()).toMatchObject({ code: "lease_lost" });
  expect(await api.content(content.id)).toEqual(before);
  expect(await api.marker(before)).toEqualBytes(marker);
});

test("a late delivery of a browser before Node has begun changes nothing either", async () => {
  const { content, task_id, lease } = await api.submit("browser", 103);
  const { marker } = await compilePhoto(photo, { maxFeatures: 103 });
  await until(
    "tried by Node",
    () => api.task(task_id),
    ({ attempts }) => attempts > 0,
  );
  const answer = await api.deliver(content.id, lease!.token, marker);
  expect(answer.status).toBe(409);
  expect(await api.content(content.id)).toMatchObject({ marker_url: null, marker_metadata: null });

  await compiler.start();
  expect(await api.taskIs(task_id, "ready")).toMatchObject({ executor: "node" });
});

test("Node killed in the middle of a job: ready after a retry", async () => {
  await compiler.start();
  const { task_id } = await api.submit("server", 104);
  await until(
    "at work",
    () => compiler.running(),
    (running) => running > 0,
  );
  await compiler.kill();
  const waiting = await until(
    "noticed",
    () => api.task(task_id),
    ({ error_code }) => error_code !== null,
  );
  expect(waiting.state).not.toBe("ready");
  expect(waiting.error_code).toMatch(/^compiler_unreachable$|^compile_crashed$/);

  await compiler.start();
  const task = await api.taskIs(task_id, "ready");
  expect(task.attempts).toBeGreaterThanOrEqual(2);
  expect(task.error_code).toBeNull();
});

test("Node down for a long time: failed, with the reason; ready after a retry", async () => {
  const { content, task_id } = await api.submit("server", 105);
  const task = await api.taskIs(task_id, "failed");
  expect(task).toMatchObject({ error_code: "retries_exhausted", attempts: 6 });
  expect(task.error_message).toMatch(/6 attempts/);
  expect(await api.content(content.id)).toMatchObject({
    marker_status: "failed",
    error_code: "retries_exhausted",
    marker_url: null,
  });

  await compiler.start();
  const again = await api.recompile(content.id);
  expect(again.task_id).not.toBe(task_id);
  expect(await api.taskIs(again.task_id, "ready")).toMatchObject({ generation: 2, attempts: 1 });
  expect(await api.content(content.id)).toMatchObject({ marker_status: "ready", error_code: null });
  expect(await api.task(task_id)).toMatchObject({ state: "failed", error_code: "retries_exhausted" });
});
