import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { becomeFirstOwner, withKey } from "../first-owner.ts";
import { Api } from "./api.ts";
import { NodeCompiler, SECRET } from "./compiler.ts";

// wrangler's test harness lets a test put messages of its own into the queue. It is no place for broken
// networks: a compiler that it cannot reach stalls its queue, which the real one does not.

let compiler: NodeCompiler;
let edge: TestHarness;
let api: Api;

beforeAll(async () => {
  compiler = await NodeCompiler.reserve();
  await compiler.start();
  edge = createTestHarness({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    workers: [
      {
        configPath: "wrangler.toml",
        vars: { COMPILER_URL: compiler.url },
        secrets: { COMPILER_SECRET: SECRET, AUTH_SECRET: SECRET, SETUP_TOKEN: SECRET },
      },
    ],
  });
  const { url } = await edge.listen();
  await edge.getWorker().applyD1Migrations("DB");
  const { key } = await becomeFirstOwner(url.origin, SECRET);
  api = new Api((path, init) => fetch(new URL(path, url), withKey(key, init)));
});

afterAll(async () => {
  await edge?.close();
  await compiler?.kill();
});

test("the same message delivered again and again compiles once", async () => {
  const { COMPILE_QUEUE: queue } = await edge.getWorker().getEnv();
  const { content, task_id } = await api.submit("server", 106);
  const message = { content_id: content.id, generation: 1 };
  await Promise.all([queue.send(message), queue.send(message)]);
  expect(await api.taskIs(task_id, "ready")).toMatchObject({ attempts: 1 });
  const before = await api.content(content.id);
  await Promise.all([queue.send(message), queue.send({ ...message, generation: 7 })]);

  // A queue is served in order: once the last one is done, so are those before it.
  const last = await api.submit("server", 107);
  await api.taskIs(last.task_id, "ready");
  expect(compiler.outcomes).toEqual(["ready", "ready"]);
  expect(await api.content(content.id)).toEqual(before);
  expect(await api.task(task_id)).toMatchObject({ attempts: 1 });
});
