import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, expect, test, vi } from "vitest";
import type { CompileMessage } from "../../../worker/bindings.ts";
import { arContent, companies, compileTasks, type Database } from "../../../worker/db/tables.ts";
import { dispatch } from "../../../worker/dispatch.ts";
import type { CompileOutcome } from "../../../worker/marker/compile-service.ts";
import { consume } from "../../../worker/marker/consumer.ts";
import * as life from "../../../worker/marker/life.ts";
import { sweep } from "../../../worker/sweep.ts";
import { addCompany } from "../company.ts";
import { Edge } from "../edge.ts";

const PLACES = 2;
/** Messages of a batch, which wrangler.toml sets. Locally, one batch follows the other. */
const BATCH = 2;

/** Only a hang takes this long. */
const PATIENCE = { timeout: 60_000, interval: 5 };

const blank: CompileOutcome = {
  kind: "fatal",
  failure: { code: "too_few_features", message: "A blank wall." },
};
const crashed: CompileOutcome = {
  kind: "retryable",
  failure: { code: "compile_crashed", message: "A thread died." },
  retryAfterSeconds: null,
};

type Company = Awaited<ReturnType<typeof addCompany>>;

let edge: Edge;
/** Ends the compilations that hold a place. */
let running: ((outcome: CompileOutcome) => void)[];

beforeEach(async () => {
  edge = new Edge();
  await edge.db.delete(compileTasks);
  running = [];
});

/** Makes photos that wait for the Node compiler. Returns their messages, the oldest first. */
async function photos({ id: companyId, projectId }: Company, count: number): Promise<CompileMessage[]> {
  const { content } = await edge.submit();
  const [row] = await edge.db.select().from(arContent).where(eq(arContent.id, content.id));
  await edge.db.delete(compileTasks).where(eq(compileTasks.contentId, content.id));
  edge.sent.length = 0;
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await inserted(ids, (id) =>
    edge.db.insert(arContent).values({ ...row, companyId, projectId, id, uniqueId: id }),
  );
  await inserted(ids, (id, i) => {
    const [task, at] = [{ contentId: id, companyId, generation: 1 }, edge.clock - count + i];
    const times = { nextAttemptAt: at, createdAt: at };
    return edge.db.insert(compileTasks).values({ id, ...task, state: "pending", ...times });
  });
  return ids.map((id) => ({ content_id: id, generation: 1 }));
}

async function inserted(ids: readonly string[], insert: (id: string, i: number) => BatchItem<"sqlite">) {
  const [first, ...others] = ids.map(insert);
  await edge.db.batch([first, ...others]);
}

/** Starts the next batch of a queue. `over` resolves when all its messages are handled. */
function nextBatch(queue: CompileMessage[]): { over: Promise<void>; isStarted: () => boolean } {
  edge.sent.length = 0;
  const mockCompile = () => new Promise<CompileOutcome>((resolve) => void running.push(resolve));
  const settings = { ...edge.settings, compilePlaces: PLACES };
  let handled = 0;
  const messages = queue.splice(0, BATCH).map((body) => ({
    body,
    ack: () => void handled++,
    retry: ({ delaySeconds }: { delaySeconds: number }) => {
      handled++;
      edge.sent.push({ message: body, delaySeconds });
    },
  }));
  const work = dispatch({ ...edge.bindings, ...edge.consumer(mockCompile), settings }, messages, false);
  const over = work.then(() => {
    const due = edge.sent.filter(({ delaySeconds }) => delaySeconds === 0);
    queue.push(...due.map(({ message }) => message));
  });
  return { over, isStarted: () => handled + running.length === messages.length };
}

/** Starts batches until one compiles, and returns the companies whose photos it compiles. */
async function startBatch(queue: CompileMessage[]): Promise<{ holders: string[]; end: () => Promise<void> }> {
  for (;;) {
    const { over, isStarted } = nextBatch(queue);
    await vi.waitUntil(isStarted, PATIENCE);
    if (running.length === 0) {
      await over;
      continue;
    }
    const tasks = await edge.db.select().from(compileTasks).where(eq(compileTasks.state, "processing"));
    const end = async () => {
      edge.pass(1);
      for (const finish of running.splice(0)) finish(blank);
      await over;
    };
    return { holders: tasks.map(({ companyId }) => companyId), end };
  }
}

async function states(companyId: string): Promise<string[]> {
  const tasks = await edge.db.select().from(compileTasks).where(eq(compileTasks.companyId, companyId));
  return tasks.map(({ state }) => state);
}

test("one photo gets the next free place while another person has many companies with photos in the queue", async () => {
  const crowd: Company[] = [];
  for (let i = 0; i < 6; i++) crowd.push(await addCompany(edge, `Crowd ${i}`));
  const shop = await addCompany(edge, "Shop");
  const [{ createdBy }] = await edge.db.select().from(companies).where(eq(companies.id, crowd[0].id));
  for (const { id } of crowd) await edge.db.update(companies).set({ createdBy }).where(eq(companies.id, id));
  // The shop had a turn before; the companies of the crowd had none.
  await edge.db
    .update(companies)
    .set({ compiledAt: edge.clock - 1 })
    .where(eq(companies.id, shop.id));
  const queue: CompileMessage[] = [];
  for (const company of crowd) queue.push(...(await photos(company, 1)));
  const first = await startBatch(queue);
  queue.push(...(await photos(shop, 2)));
  await first.end();
  const second = await startBatch(queue);
  expect(second.holders).toContain(shop.id);
  await second.end();
});

test.each(["behind the others in the queue", "lost"])(
  "one photo gets the next free place while another company has 500 in the queue: its message is %s",
  async (where) => {
    const [studio, shop] = [await addCompany(edge, "Studio"), await addCompany(edge, "Shop")];
    const queue = await photos(studio, 500);
    const first = await startBatch(queue);
    expect(first.holders).toEqual([studio.id, studio.id]);
    const messages = await photos(shop, 1);
    if (where !== "lost") queue.push(...messages);
    await first.end();

    const second = await startBatch(queue);
    expect(new Set(second.holders)).toEqual(new Set([studio.id, shop.id]));
    await second.end();
    expect(await states(shop.id)).toEqual(["failed"]);
  },
);

test("one photo gets the next free place while more companies than places have many in the queue", async () => {
  const names = ["Studio", "Atelier", "Agency"];
  const busy = await Promise.all(names.map((name) => addCompany(edge, name)));
  const queue = (await Promise.all(busy.map((company) => photos(company, 20)))).flat();
  for (let n = 0; n < 5; n++) await (await startBatch(queue)).end();
  const shop = await addCompany(edge, "Shop");
  queue.push(...(await photos(shop, 1)));
  const next = await startBatch(queue);
  expect(next.holders).toContain(shop.id);
  await next.end();
});

test("companies with many photos share the places equally", async () => {
  const [studio, shop] = [await addCompany(edge, "Studio"), await addCompany(edge, "Shop")];
  const queue = [...(await photos(studio, 40)), ...(await photos(shop, 40))];
  const turns: string[] = [];
  while (turns.length < 20) {
    const { holders, end } = await startBatch(queue);
    turns.push(...holders);
    await end();
  }
  expect(turns.slice(0, 20).filter((id) => id === shop.id)).toHaveLength(10);
});

test("all photos are compiled, each once, although messages that find no free place are acknowledged", async () => {
  const [studio, shop] = [await addCompany(edge, "Studio"), await addCompany(edge, "Shop")];
  const queue = [...(await photos(studio, 30)), ...(await photos(shop, 10))];
  let compilations = 0;
  while (queue.length > 0) {
    let isOver = false;
    const batch = nextBatch(queue).over.then(() => {
      isOver = true;
    });
    await vi.waitUntil(() => {
      expect(running.length).toBeLessThanOrEqual(PLACES);
      for (const finish of running.splice(0)) {
        compilations++;
        finish(blank);
      }
      return isOver;
    }, PATIENCE);
    await batch;
  }
  expect(new Set([...(await states(studio.id)), ...(await states(shop.id))])).toEqual(new Set(["failed"]));
  expect(compilations).toBe(40);
});

test("a compilation that another company's message started is retried by a message of its own", async () => {
  const [studio, shop] = [await addCompany(edge, "Studio"), await addCompany(edge, "Shop")];
  await edge.db.update(companies).set({ compiledAt: edge.clock }).where(eq(companies.id, studio.id));
  const [message] = await photos(studio, 1);
  const [waiting] = await photos(shop, 1);
  expect(
    await consume(
      edge.consumer(() => crashed),
      message,
    ),
  ).toEqual({ kind: "ack" });
  // Its own compilation is still to do, and is announced twice: when the place was given away, and when it was left.
  expect(edge.sent).toEqual([
    { message, delaySeconds: 0 },
    { message, delaySeconds: 0 },
    { message: waiting, delaySeconds: 60 },
  ]);
  const [task] = await edge.db.select().from(compileTasks).where(eq(compileTasks.companyId, shop.id));
  expect(task).toMatchObject({ state: "pending", attempts: 1, errorCode: "compile_crashed" });
  expect(await states(studio.id)).toEqual(["pending"]);
});

test("the sweep sends no message while all places are taken, and at most one per place afterwards", async () => {
  const studio = await addCompany(edge, "Studio");
  const queue = await photos(studio, 10);
  const settings = { ...edge.settings, compilePlaces: PLACES };
  const claims = [];
  for (const { content_id: id } of queue.slice(0, PLACES)) {
    const place = { generation: 1, leaseSeconds: 600, places: PLACES, now: edge.clock };
    claims.push(await life.claim(edge.db, id, place));
  }
  expect(claims.map(({ kind }) => kind)).toEqual(["claimed", "claimed"]);
  edge.pass(300);
  await sweep({ ...edge.bindings, settings }, edge.clock);
  expect(edge.sent).toEqual([]);
  edge.pass(600);
  await sweep({ ...edge.bindings, settings }, edge.clock);
  expect(edge.sent).toHaveLength(PLACES);
});

test("a claim reads as many rows for 500 waiting photos as for 50", async () => {
  const [studio, shop] = [await addCompany(edge, "Studio"), await addCompany(edge, "Shop")];
  const [message] = await photos(shop, 1);
  const measured = async () => {
    let rows = 0;
    const db = drizzle(
      new Proxy(env.DB, {
        get: (target, name) =>
          name === "batch"
            ? async (statements: D1PreparedStatement[]) => {
                const results = await target.batch(statements);
                for (const { meta } of results) rows += meta.rows_read;
                return results;
              }
            : Reflect.get(target, name).bind(target),
      }),
    ) as Database;
    const place = { generation: 1, leaseSeconds: 60, places: PLACES, now: edge.clock };
    const claim = await life.claim(db, message.content_id, place);
    expect(claim.kind).toBe("claimed");
    await edge.db.update(compileTasks).set({ state: "pending", leaseExpiresAt: null, attempts: 0 });
    return rows;
  };
  await photos(studio, 50);
  const few = await measured();
  await photos(studio, 450);
  const many = await measured();
  expect(many).toBe(few);
});
