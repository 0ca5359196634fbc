import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, expect, test } from "vitest";
import type { CompileMessage } from "../../../worker/bindings.ts";
import { compileTasks } from "../../../worker/db/tables.ts";
import { dispatch } from "../../../worker/dispatch.ts";
import type { CompileOutcome } from "../../../worker/marker/compile-service.ts";
import type { Consumer } from "../../../worker/marker/consumer.ts";
import type { RetryableOutcome } from "../../../worker/marker/outcome.ts";
import { but, Edge } from "../edge.ts";

const PHOTOS = 12;

const busy: RetryableOutcome = {
  kind: "retryable",
  failure: { code: "compiler_busy", message: "All places are taken." },
  retryAfterSeconds: null,
};
const blank: CompileOutcome = {
  kind: "fatal",
  failure: { code: "too_few_features", message: "A blank wall." },
};

let edge: Edge;
let statements: number;
let reads: number;
let asked: number;

/** The messages of photos that wait for the Node compiler. */
let waiting: CompileMessage[];

beforeEach(async () => {
  edge = new Edge();
  await edge.db.delete(compileTasks);
  for (let n = 0; n < PHOTOS; n++) await edge.submit();
  waiting = edge.sent.splice(0).map(({ message }) => message);
  expect(waiting).toHaveLength(PHOTOS);
  [statements, reads, asked] = [0, 0, 0];
});

/** Handles messages, one batch after the other, with a compiler that has a free place or not. */
async function handle(messages: readonly CompileMessage[], isFree: boolean): Promise<void> {
  const database = new Proxy(env.DB, {
    get(target, name) {
      if (name === "prepare") statements++;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const storage = but(edge.storage, {
    download: (...request) => {
      reads++;
      return edge.storage.download(...request);
    },
  });
  const consumer: Consumer = {
    ...edge.consumer(() => blank),
    db: drizzle(database),
    storages: edge.storagesWith(storage),
    settings: { ...edge.settings, compilePlaces: 2 },
    askForPlace: async () => {
      asked++;
      return isFree ? null : busy;
    },
  };
  for (let at = 0; at < messages.length; at += 2) {
    const batch = messages.slice(at, at + 2).map((body) => ({
      body,
      ack() {},
      retry: ({ delaySeconds }: { delaySeconds: number }) =>
        void edge.sent.push({ message: body, delaySeconds }),
    }));
    await dispatch({ ...edge.bindings, ...consumer }, batch, false);
  }
}

test("a busy compiler costs a few statements and no read of a photo, however many photos wait", async () => {
  await handle(waiting, false);
  expect(reads).toBe(0);
  // The messages of the first batch ask at the same time.
  expect(asked).toBe(2);
  expect(statements).toBeGreaterThan(0);
  expect(statements).toBeLessThanOrEqual(16);
  expect(edge.sent.length).toBe(2);
  for (const { delaySeconds } of edge.sent) expect(delaySeconds).toBeGreaterThanOrEqual(5);
});

test("every photo is compiled once the compiler has places again", async () => {
  await handle(waiting, false);
  edge.pass(10);
  while (edge.sent.length > 0)
    await handle(
      edge.sent.splice(0).map(({ message }) => message),
      true,
    );
  const tasks = await edge.db.select().from(compileTasks);
  expect(tasks.map(({ state }) => state)).toEqual(Array.from({ length: PHOTOS }, () => "failed"));
  expect(reads).toBe(PHOTOS);
  expect(edge.pressure.busyUntil).toBe(0);
});
