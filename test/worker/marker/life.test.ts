import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { reserveFiles } from "../../../worker/content/orphaned-files.ts";
import { UNLIMITED } from "../../../worker/content/quotas.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import { arContent, type CompileTaskRow, compileTasks, type Database } from "../../../worker/db/tables.ts";
import * as life from "../../../worker/marker/life.ts";
import type { MarkerMetadata } from "../../../worker/schemas.ts";
import { hashToken } from "../../../worker/token.ts";
import { Edge } from "../edge.ts";

const metadata: MarkerMetadata = {
  bytes: 1,
  width: 1,
  height: 1,
  keyframes: 1,
  points: 1,
  tracking_points: 1,
  quality: null,
  compiler_version: "1",
  milliseconds: null,
  executor: "browser",
};
/** Finishes a task with a marker whose file is reserved, as if it were stored. */
async function finish(
  { db, clock: now }: Edge,
  contentId: string,
  leaseHash: string,
  path = "m",
): ReturnType<typeof life.finish> {
  const [file] = await reserveFiles(db, { companyId: FIRST_COMPANY_ID, contentId, paths: [path], now });
  const marker = { ...file, url: "/m?v=1", bytes: 1 };
  return life.finish(
    db,
    { contentId, leaseHash },
    { files: { marker }, metadata },
    { quotas: UNLIMITED, now },
  );
}
const failure = { code: "compile_crashed", message: "It broke." } as const;
const progress = { stage: "match", done: 1, total: 9 } as const;

const lease = (contentId: string, leaseHash: string) => ({ contentId, leaseHash });

const claim = (db: Database, id: string, now: number, leaseSeconds = 60) =>
  life.claim(db, id, { generation: 1, leaseSeconds, places: 1000, now });

/** Creates a photo in one of the states from which transitions start. */
async function start(state: "pending" | "browser" | "node" | "ready" | "failed") {
  const edge = new Edge();
  const { content, lease: browser } = await edge.submit({
    compile: state === "browser" ? "browser" : "server",
  });
  const { id } = content;
  const { db } = edge;
  let hash = browser ? await hashToken(browser.token) : "none";
  let claimed: CompileTaskRow | null = null;
  if (state === "node" || state === "ready" || state === "failed") {
    const result = await claim(db, id, edge.clock);
    if (result.kind !== "claimed") throw new Error(result.kind);
    hash = result.lease.hash;
    claimed = result.task;
  }
  if (state === "ready") await finish(edge, id, hash);
  if (state === "failed") await life.fail(db, lease(id, hash), failure, edge.clock);
  const rows = async () => {
    const [row] = await db.select().from(arContent).where(eq(arContent.id, id));
    const tasks = await db.select().from(compileTasks).where(eq(compileTasks.contentId, id));
    return { content: row, task: tasks.find(({ generation }) => generation === row.generation), tasks };
  };
  return { edge, db, id, hash, claimed: claimed as CompileTaskRow, rows };
}

describe("a lease", () => {
  it("is extended by its holder, with progress", async () => {
    const { edge, db, id, hash, rows } = await start("browser");
    edge.pass(59);
    const extended = await life.extendLease(db, lease(id, hash), { seconds: 60, progress, now: edge.clock });
    expect(extended).toEqual({ expiresAt: edge.clock + 60_000 });
    expect((await rows()).task).toMatchObject({ leaseExpiresAt: edge.clock + 60_000, progress });
  });

  it("is lost at the moment it expires, for its holder too", async () => {
    const { edge, db, id, hash, rows } = await start("browser");
    const before = await rows();
    edge.pass(60);
    expect(
      await life.extendLease(db, lease(id, hash), { seconds: 60, progress, now: edge.clock }),
    ).toBeUndefined();
    expect(await life.releaseLease(db, lease(id, hash), edge.clock)).toBeUndefined();
    expect(await finish(edge, id, hash)).toBe(false);
    expect(await rows()).toEqual(before);
  });

  it("is only valid with its own token", async () => {
    const { edge, db, id, rows } = await start("browser");
    const before = await rows();
    const other = await hashToken("another");
    expect(
      await life.extendLease(db, lease(id, other), { seconds: 60, progress, now: edge.clock }),
    ).toBeUndefined();
    expect(await life.releaseLease(db, lease(id, other), edge.clock)).toBeUndefined();
    expect(await finish(edge, id, other)).toBe(false);
    expect(await life.fail(db, lease(id, other), failure, edge.clock)).toBeUndefined();
    expect(await rows()).toEqual(before);
  });

  it("is stored as a hash only", async () => {
    const { token, hash } = await life.newLease(0, 60);
    expect(hash).toBe(await hashToken(token));
    expect(hash).not.toBe(token);
    expect((await life.newLease(0, 60)).token).not.toBe(token);
  });
});

describe("releasing a lease", () => {
  it("makes the task wait for the Node compiler, due at once", async () => {
    const { edge, db, id, hash, rows } = await start("browser");
    expect(await life.releaseLease(db, lease(id, hash), edge.clock)).toMatchObject({ state: "pending" });
    const { content, task } = await rows();
    expect(content.markerStatus).toBe("pending");
    expect(task).toMatchObject({ state: "pending", leaseHash: null, nextAttemptAt: edge.clock, attempts: 0 });
  });
});

describe("a claim for the Node compiler", () => {
  it("takes a waiting task, counting the attempt", async () => {
    const { edge, db, id, rows } = await start("pending");
    expect(await claim(db, id, edge.clock, 30)).toMatchObject({
      kind: "claimed",
      task: { executor: "node", attempts: 1 },
    });
    const { content, task } = await rows();
    expect(content.markerStatus).toBe("processing");
    expect(task).toMatchObject({ leaseExpiresAt: edge.clock + 30_000, startedAt: edge.clock });
  });

  it("is won by exactly one of five callers at once", async () => {
    const { edge, db, id, rows } = await start("pending");
    const claims = await Promise.all(Array.from({ length: 5 }, () => claim(db, id, edge.clock)));
    expect(claims.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
    expect(claims.filter(({ kind }) => kind === "wait")).toHaveLength(4);
    expect((await rows()).task?.attempts).toBe(1);
  });

  it("waits while a browser's lease is valid, and takes over when it has expired", async () => {
    const { edge, db, id } = await start("browser");
    const until = edge.clock + 60_000;
    edge.pass(59);
    expect(await claim(db, id, edge.clock)).toEqual({ kind: "wait", until });
    edge.pass(1);
    expect(await claim(db, id, edge.clock)).toMatchObject({ kind: "claimed" });
  });

  it("waits for a back-off to end, and counts a message a second early as on time", async () => {
    const { edge, db, id, hash, claimed } = await start("node");
    const dueAt = edge.clock + 60_000;
    await life.retryLater(db, claimed, { leaseHash: hash, failure, dueAt, isAttempt: true, now: edge.clock });
    edge.pass(58);
    expect(await claim(db, id, edge.clock)).toEqual({ kind: "wait", until: dueAt });
    edge.pass(1);
    expect(await claim(db, id, edge.clock)).toMatchObject({
      kind: "claimed",
      task: { attempts: 2 },
    });
  });

  it.each(["ready", "failed"] as const)("has nothing to do when the task is %s", async (state) => {
    const { edge, db, id, rows } = await start(state);
    const before = await rows();
    expect(await claim(db, id, edge.clock)).toEqual({ kind: "settled" });
    expect(await rows()).toEqual(before);
  });

  it("has nothing to do for an older generation or deleted content", async () => {
    const { edge, db, id } = await start("pending");
    await life.recompile(db, id, { lease: null, audit: null, now: edge.clock });
    expect(await claim(db, id, edge.clock)).toEqual({ kind: "settled" });
    expect(await claim(db, crypto.randomUUID(), edge.clock)).toEqual({ kind: "settled" });
  });

  it("is refused after six attempts", async () => {
    const { edge, db, id } = await start("pending");
    for (let attempt = 1; attempt <= life.MAX_ATTEMPTS; attempt++) {
      expect(await claim(db, id, edge.clock)).toMatchObject({ kind: "claimed" });
      edge.pass(60);
    }
    expect(await claim(db, id, edge.clock)).toEqual({ kind: "exhausted" });
  });
});

describe("an attempt that failed", () => {
  it("waits for the next one, with the error noted", async () => {
    const { edge, db, hash, claimed, rows } = await start("node");
    const dueAt = edge.clock + 60_000;
    expect(
      await life.retryLater(db, claimed, {
        leaseHash: hash,
        failure,
        dueAt,
        isAttempt: true,
        now: edge.clock,
      }),
    ).toBeDefined();
    const { content, task } = await rows();
    expect(content.markerStatus).toBe("pending");
    expect(task).toMatchObject({
      state: "pending",
      attempts: 1,
      nextAttemptAt: dueAt,
      errorCode: "compile_crashed",
      errorMessage: "It broke.",
    });
  });

  it("does not count when the compiler was busy", async () => {
    const { edge, db, hash, claimed, rows } = await start("node");
    await life.retryLater(db, claimed, {
      leaseHash: hash,
      failure,
      dueAt: edge.clock,
      isAttempt: false,
      now: edge.clock,
    });
    expect((await rows()).task?.attempts).toBe(0);
  });

  it("fails for good when it is fatal", async () => {
    const { edge, db, id, hash, rows } = await start("node");
    const fatal = { code: "too_few_features", message: "A blank wall." } as const;
    expect(await life.fail(db, lease(id, hash), fatal, edge.clock)).toBeDefined();
    const { content, task } = await rows();
    expect(content.markerStatus).toBe("failed");
    expect(task).toMatchObject({ state: "failed", errorCode: "too_few_features", finishedAt: edge.clock });
  });

  it("changes nothing once another executor has the task", async () => {
    const { edge, db, id, hash, claimed, rows } = await start("node");
    edge.pass(60);
    await life.acquireLease(db, id, 60, edge.clock);
    const before = await rows();
    expect(
      await life.retryLater(db, claimed, {
        leaseHash: hash,
        failure,
        dueAt: edge.clock,
        isAttempt: true,
        now: edge.clock,
      }),
    ).toBeUndefined();
    expect(await life.fail(db, lease(id, hash), failure, edge.clock)).toBeUndefined();
    expect(await finish(edge, id, hash)).toBe(false);
    expect(await rows()).toEqual(before);
  });

  it("backs off 60 s × 2^attempt, up to an hour", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 60].map((attempt) => life.backoffSeconds(attempt, 60));
    expect(waits).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600]);
  });
});

describe("spent retries", () => {
  it("fail the task, quoting the last error", async () => {
    const { edge, db, id, hash, claimed, rows } = await start("node");
    await life.retryLater(db, claimed, {
      leaseHash: hash,
      failure,
      dueAt: edge.clock,
      isAttempt: true,
      now: edge.clock,
    });
    await life.failExhausted(db, id, 1, edge.clock);
    const { content, task } = await rows();
    expect(content.markerStatus).toBe("failed");
    expect(task).toMatchObject({ state: "failed", errorCode: "retries_exhausted" });
    expect(task?.errorMessage).toBe("Failed after 1 attempts. Last error: It broke.");
  });

  it("do not touch a compilation that an executor holds", async () => {
    const { edge, db, id, rows } = await start("browser");
    const before = await rows();
    expect(await life.failExhausted(db, id, 1, edge.clock)).toBeUndefined();
    expect(await rows()).toEqual(before);
  });

  it.each(["ready", "failed"] as const)("do not touch a %s task, nor a newer generation", async (state) => {
    const { edge, db, id, rows } = await start(state);
    const before = await rows();
    expect(await life.failExhausted(db, id, 1, edge.clock)).toBeUndefined();
    expect(await rows()).toEqual(before);
    await life.recompile(db, id, { lease: null, audit: null, now: edge.clock });
    expect(await life.failExhausted(db, id, 1, edge.clock)).toBeUndefined();
    expect((await rows()).content.markerStatus).toBe("pending");
  });
});

describe("finishing", () => {
  it.each(["browser", "node"] as const)("makes a marker of %s ready", async (state) => {
    const { edge, id, hash, rows } = await start(state);
    edge.pass(5);
    expect(await finish(edge, id, hash)).toBe(true);
    const { content, task } = await rows();
    expect(content).toMatchObject({
      markerStatus: "ready",
      markerPath: "m",
      markerUrl: "/m?v=1",
      markerGeneratedAt: edge.clock,
      markerMetadata: metadata,
    });
    expect(task).toMatchObject({ state: "ready", finishedAt: edge.clock, errorCode: null, progress: null });
  });

  it("succeeds for exactly one of five simultaneous deliveries", async () => {
    const { edge, id, hash } = await start("browser");
    const ends = await Promise.all(Array.from({ length: 5 }, (_, i) => finish(edge, id, hash, `m${i}`)));
    expect(ends.filter(Boolean)).toHaveLength(1);
  });

  it("is refused for an older generation", async () => {
    const { edge, db, id, hash, rows } = await start("browser");
    await life.recompile(db, id, { lease: null, audit: null, now: edge.clock });
    const before = await rows();
    expect(await finish(edge, id, hash)).toBe(false);
    expect(await rows()).toEqual(before);
  });
});

describe("acquiring a lease", () => {
  it("leases a waiting task to the browser", async () => {
    const { edge, db, id, rows } = await start("pending");
    const taken = await life.acquireLease(db, id, 45, edge.clock);
    expect(taken).toMatchObject({ kind: "acquired", task: { executor: "browser", attempts: 0 } });
    expect((await rows()).task).toMatchObject({
      state: "processing",
      leaseExpiresAt: edge.clock + 45_000,
      nextAttemptAt: edge.clock + 45_000,
    });
  });

  it("is refused while another lease is valid, and granted when it has expired", async () => {
    const { edge, db, id } = await start("node");
    const until = edge.clock + 60_000;
    expect(await life.acquireLease(db, id, 60, edge.clock)).toEqual({ kind: "held", until });
    edge.pass(60);
    expect(await life.acquireLease(db, id, 60, edge.clock)).toMatchObject({ kind: "acquired" });
  });

  it.each(["ready", "failed"] as const)("finds nothing to do when the marker is %s", async (state) => {
    const { edge, db, id } = await start(state);
    expect(await life.acquireLease(db, id, 60, edge.clock)).toEqual({ kind: "settled" });
  });
});

describe("compiling again", () => {
  it("starts a new generation and supersedes the running one", async () => {
    const { edge, db, id, hash, rows } = await start("node");
    edge.pass(1);
    const task = await life.recompile(db, id, {
      lease: null,
      maxFeatures: 200,
      audit: null,
      now: edge.clock,
    });
    expect(task).toMatchObject({ generation: 2, state: "pending", attempts: 0, createdAt: edge.clock });
    const { content, tasks } = await rows();
    expect(content).toMatchObject({ generation: 2, markerStatus: "pending", maxFeatures: 200 });
    expect(tasks.find(({ generation }) => generation === 1)).toMatchObject({
      state: "superseded",
      leaseHash: null,
      finishedAt: edge.clock,
    });
    expect(
      await life.extendLease(db, lease(id, hash), { seconds: 60, progress, now: edge.clock }),
    ).toBeUndefined();
  });

  it("keeps the marker that is served, and the history", async () => {
    const { edge, db, id, rows } = await start("ready");
    const browser = await life.newLease(edge.clock, 60);
    await life.recompile(db, id, { lease: browser, audit: null, now: edge.clock });
    const { content, tasks } = await rows();
    expect(content).toMatchObject({ markerStatus: "processing", markerPath: "m", markerUrl: "/m?v=1" });
    expect(tasks.map(({ state }) => state).sort()).toEqual(["processing", "ready"]);
  });

  it("gives two simultaneous callers a generation each, and the newer one stays", async () => {
    const { edge, db, id, rows } = await start("failed");
    const tasks = await Promise.all([
      life.recompile(db, id, { lease: null, audit: null, now: edge.clock }),
      life.recompile(db, id, { lease: null, audit: null, now: edge.clock }),
    ]);
    expect(tasks.map((task) => task?.generation).sort()).toEqual([2, 3]);
    const states = (await rows()).tasks.map(({ generation, state }) => `${generation} ${state}`);
    expect(states.sort()).toEqual(["1 failed", "2 superseded", "3 pending"]);
  });

  it("returns undefined for deleted content", async () => {
    const { edge, db, id } = await start("pending");
    await (await edge.store()).remove(id, { now: edge.clock });
    expect(await life.recompile(db, id, { lease: null, audit: null, now: edge.clock })).toBeUndefined();
  });
});
