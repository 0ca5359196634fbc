import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "./api.ts";
import { NodeCompiler } from "./compiler.ts";
import { Edge } from "./edge.ts";

let compiler: NodeCompiler;
let edge: Edge;

beforeAll(async () => {
  compiler = await NodeCompiler.reserve();
  edge = await Edge.create({
    COMPILER_URL: compiler.url,
    BROWSER_LEASE_SECONDS: "20",
    NODE_LEASE_SECONDS: "15",
    RETRY_BASE_SECONDS: "10",
    SWEEP_GRACE_SECONDS: "1",
  });
  await edge.start();
});

afterAll(async () => {
  await compiler?.kill();
  await edge?.remove();
});

test("the Worker killed with messages in its queue: all ready after restart and sweep", async () => {
  const { api } = edge;
  const submissions = [
    await api.submit("server", 101),
    await api.submit("server", 102),
    await api.submit("browser", 103),
  ];
  const tasks = submissions.map(({ task_id }) => task_id);
  const states = () => Promise.all(tasks.map((id) => api.task(id)));
  // After one attempt without a compiler, the first two messages wait in the queue for their back-off. The
  // third one waits for the browser's lease to end.
  await until(
    "waited in the queue",
    states,
    ([first, second, third]) =>
      [first.attempts === 1, second.attempts === 1, first.state, second.state, third.state].join() ===
      "true,true,pending,pending,processing",
  );
  await edge.kill();

  await edge.start();
  await compiler.start();
  const before = await states();
  expect(before.map(({ state }) => state)).toEqual(["pending", "pending", "processing"]);

  const after = await until(
    "swept",
    async () => {
      await edge.sweep();
      return states();
    },
    (all) => all.every(({ state }) => state === "ready"),
  );
  expect(after.map(({ executor }) => executor)).toEqual(["node", "node", "node"]);
  for (const { content } of submissions) {
    const ready = await api.content(content.id);
    expect(ready.marker_status).toBe("ready");
    expect((await api.marker(ready)).length).toBeGreaterThan(0);
  }
});
