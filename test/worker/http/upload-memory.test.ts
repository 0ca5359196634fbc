import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import { companies, users } from "../../../worker/db/tables.ts";
import { type HeldBytes, UploadMemory } from "../../../worker/http/upload-memory.ts";
import { Edge, form, refusal } from "../edge.ts";
import { jpeg } from "../fixtures.ts";

const MB = 1_000_000;
const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

describe("the memory of uploads", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Adds a megabyte at a time, up to `megabytes`. Returns how it went so far. */
  function upload(memory: UploadMemory, caller: string, megabytes: number) {
    const held = memory.open(caller, clock);
    const state = { held, outcome: "waiting" };
    void (async () => {
      try {
        for (let sent = 0; sent < megabytes; sent++) await held.add(MB);
        state.outcome = "read";
      } catch (error) {
        state.outcome = (error as { code: string }).code;
        held.release();
      }
    })();
    return state;
  }

  it("is bounded for each caller, so that 30 unfinished uploads of one leave room for others", async () => {
    const memory = new UploadMemory();
    const many = Array.from({ length: 30 }, () => upload(memory, "one", 19));
    await vi.advanceTimersByTimeAsync(1000);
    expect(memory.bytes).toBeLessThanOrEqual(32 * MB);
    const other = upload(memory, "other", 8);
    await vi.advanceTimersByTimeAsync(1000);
    expect(other.outcome).toBe("read");
    await vi.advanceTimersByTimeAsync(10_000);
    const outcomes = many.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === "read").length).toBeGreaterThanOrEqual(1);
    expect(outcomes.filter((outcome) => outcome === "too_many_uploads").length).toBeGreaterThanOrEqual(20);
  });

  it("has room for the largest photo, whatever one other caller holds", async () => {
    const memory = new UploadMemory();
    upload(memory, "one", 20);
    upload(memory, "one", 12);
    await vi.advanceTimersByTimeAsync(1000);
    expect(memory.bytes).toBe(32 * MB);
    const other = upload(memory, "other", 20);
    await vi.advanceTimersByTimeAsync(1000);
    expect(other.outcome).toBe("read");
  });

  it("is bounded for all callers together", async () => {
    const memory = new UploadMemory();
    for (let caller = 0; caller < 30; caller++) upload(memory, `caller ${caller}`, 19);
    await vi.advanceTimersByTimeAsync(1000);
    expect(memory.bytes).toBeLessThanOrEqual(60 * MB);
  });

  it("is given to the oldest upload first, so that all of several large ones get their turn", async () => {
    const memory = new UploadMemory();
    const many = Array.from({ length: 10 }, () => upload(memory, "one", 20));
    for (let step = 0; step < 40; step++) {
      await vi.advanceTimersByTimeAsync(500);
      const read = many.find(({ outcome, held }) => outcome === "read" && held.bytes > 0);
      read?.held.release();
    }
    expect(many.map(({ outcome }) => outcome)).toEqual(many.map(() => "read"));
    expect(memory.bytes).toBe(0);
  });

  it("is free for small bodies, however many uploads wait", async () => {
    const memory = new UploadMemory();
    for (let caller = 0; caller < 30; caller++) upload(memory, `caller ${caller}`, 19);
    await vi.advanceTimersByTimeAsync(1000);
    const small = memory.open("small", clock);
    await small.add(65_536);
    expect(small.bytes).toBe(65_536);
  });

  it("is free again when the platform has ended a request without a trace", async () => {
    const memory = new UploadMemory();
    const alive = upload(memory, "alive", 4);
    // The timers of a request end with it.
    const interval = vi.spyOn(globalThis, "setInterval").mockReturnValueOnce(0 as never);
    upload(memory, "lost", 20);
    interval.mockRestore();
    await vi.advanceTimersByTimeAsync(0);
    const next = upload(memory, "lost", 20);
    await vi.advanceTimersByTimeAsync(6000);
    expect(next.outcome).toBe("waiting");
    await vi.advanceTimersByTimeAsync(3000);
    expect(next.outcome).toBe("read");
    expect(alive.held.bytes).toBe(4 * MB);
    expect(memory.bytes).toBe(24 * MB);
  });
});

describe("a request that uploads photos", () => {
  const submit = (edge: Edge) =>
    edge.fetch("/api/ar-content", { method: "POST", body: form({ image: jpeg(500, 500, 200_000) }) });

  /** Takes all the memory that the first company, or another caller, may use. */
  async function occupied(edge: Edge, caller = FIRST_COMPANY_ID): Promise<HeldBytes> {
    const held = edge.bindings.uploadMemory.open(caller, edge.bindings);
    await held.add(32 * MB);
    edge.whileAsleep = () => held.add(0);
    return held;
  }

  it("is refused after 10 s without memory, and tells when to try again", async () => {
    const edge = new Edge();
    const held = await occupied(edge);
    const response = await submit(edge);
    expect(response.headers.get("Retry-After")).toBe("5");
    expect(await refusal(response)).toMatchObject({ status: 503, code: "too_many_uploads" });
    held.release();
    expect((await submit(edge)).status).toBe(201);
  });

  it("shares the memory with the other companies of the person who created its company", async () => {
    const edge = new Edge();
    const userId = crypto.randomUUID();
    const now = new Date(edge.clock);
    await edge.db.insert(users).values({
      ...{ id: userId, name: "Ada", email: `${userId}@example.net`, emailVerified: true },
      ...{ createdAt: now, updatedAt: now },
    });
    const setCreator = (createdBy: string | null) =>
      edge.db.update(companies).set({ createdBy }).where(eq(companies.id, FIRST_COMPANY_ID));
    await setCreator(userId);
    await occupied(edge, userId);
    const response = await submit(edge);
    await setCreator(null);
    expect(response.status).toBe(503);
    expect((await submit(edge)).status).toBe(201);
  });

  it("waits for its turn", async () => {
    const edge = new Edge();
    const held = await occupied(edge);
    let naps = 0;
    edge.whileAsleep = async () => {
      if (++naps === 3) held.release();
    };
    expect((await submit(edge)).status).toBe(201);
    expect(naps).toBe(3);
  });
});
