import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiError } from "../../../../client/client.ts";
import type { CompileProgress } from "../../../../compiler/types.ts";
import { Unreachable } from "../../../../web/studio/api/errors.ts";
import {
  KEEP_ALIVE_MS,
  PROGRESS_INTERVAL_MS,
  startHeartbeat,
} from "../../../../web/studio/upload/heartbeat.ts";
import { apiError } from "../api-error.ts";

const step = (done: number): CompileProgress => ({ stage: "match", done, total: 9 });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(send: (progress: CompileProgress) => Promise<unknown> = async () => {}) {
  const sent: CompileProgress[] = [];
  const lost: ApiError[] = [];
  const heartbeat = startHeartbeat(
    (progress) => {
      sent.push(progress);
      return send(progress);
    },
    (error) => lost.push(error),
  );
  return { sent, lost, heartbeat };
}

describe("heartbeat", () => {
  it("sends the newest progress, at most once per interval", async () => {
    const { sent, heartbeat } = begin();
    for (let done = 1; done <= 5; done++) heartbeat.beat(step(done));
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    expect(sent).toEqual([step(5)]);
    heartbeat.beat(step(6));
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    expect(sent).toEqual([step(5), step(6)]);
    heartbeat.stop();
  });

  it("reports from a beat when the timers of a hidden tab do not fire", async () => {
    const { sent, heartbeat } = begin();
    vi.setSystemTime(Date.now() + PROGRESS_INTERVAL_MS);
    heartbeat.beat(step(1));
    expect(sent).toEqual([step(1)]);
    heartbeat.stop();
  });

  it("keeps a lease alive without progress", async () => {
    const { sent, heartbeat } = begin();
    await vi.advanceTimersByTimeAsync(3 * (KEEP_ALIVE_MS + PROGRESS_INTERVAL_MS));
    expect(sent).toHaveLength(3);
    expect(sent[0]).toEqual({ stage: "decode", done: 0, total: 1 });
    heartbeat.stop();
  });

  it("sends one report at a time", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { sent, heartbeat } = begin(() => promise);
    heartbeat.beat(step(1));
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    heartbeat.beat(step(2));
    await vi.advanceTimersByTimeAsync(5 * PROGRESS_INTERVAL_MS);
    expect(sent).toEqual([step(1)]);
    resolve();
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    expect(sent).toEqual([step(1), step(2)]);
    heartbeat.stop();
  });

  it("continues after a report without a response", async () => {
    const { sent, lost, heartbeat } = begin(() => Promise.reject(new Unreachable()));
    heartbeat.beat(step(1));
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    heartbeat.beat(step(2));
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    expect(sent).toHaveLength(2);
    expect(lost).toEqual([]);
    heartbeat.stop();
  });

  it("reports a lost lease once, and stops", async () => {
    const error = apiError("lease_lost", 409, "gone");
    const { sent, lost, heartbeat } = begin(() => Promise.reject(error));
    heartbeat.beat(step(1));
    await vi.advanceTimersByTimeAsync(PROGRESS_INTERVAL_MS);
    heartbeat.beat(step(2));
    await vi.advanceTimersByTimeAsync(10 * KEEP_ALIVE_MS);
    expect(sent).toHaveLength(1);
    expect(lost).toEqual([error]);
  });

  it("sends nothing after it is stopped", async () => {
    const { sent, heartbeat } = begin();
    heartbeat.beat(step(1));
    heartbeat.stop();
    await vi.advanceTimersByTimeAsync(10 * KEEP_ALIVE_MS);
    heartbeat.beat(step(2));
    expect(sent).toEqual([]);
  });
});
