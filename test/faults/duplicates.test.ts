import { afterAll, beforeAll, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});

afterAll(() => harness?.close());

test("a message that is delivered many times compiles once", async () => {
  const { edge, compiler, api } = harness;
  const { COMPILE_QUEUE: queue } = await edge.getWorker().getEnv();
  const { content, task_id } = await api.submit("server", 106);
  const message = { content_id: content.id, generation: 1 };
  await Promise.all([queue.send(message), queue.send(message)]);
  expect(await api.taskIs(task_id, "ready")).toMatchObject({ attempts: 1 });
  const before = await api.content(content.id);
  await Promise.all([queue.send(message), queue.send({ ...message, generation: 7 })]);

  // A queue is served in order: once the last message is done, so are the earlier ones.
  const last = await api.submit("server", 107);
  await api.taskIs(last.task_id, "ready");
  expect(compiler.outcomes).toEqual(["ready", "ready"]);
  expect(await api.content(content.id)).toEqual(before);
  expect(await api.task(task_id)).toMatchObject({ attempts: 1 });
});
