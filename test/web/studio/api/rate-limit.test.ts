import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { afterRateLimits, pausedUntil, secondsToWait } from "../../../../web/studio/api/rate-limit.ts";

const tooOften = () => new Response("", { status: 429, headers: { "Retry-After": "60" } });

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000 });
});

afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
});

it("repeats a refused request after the pause, reports until when, and sends nothing before", async () => {
  const answers = [tooOften(), new Response("the answer")];
  const first = vi.fn(async () => answers.shift()!);
  const second = vi.fn(async () => new Response("another"));
  const answered = afterRateLimits(first);
  await vi.advanceTimersByTimeAsync(0);
  expect(pausedUntil.value).toBe(61_000);
  const other = afterRateLimits(second);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).not.toHaveBeenCalled();

  await vi.advanceTimersByTimeAsync(1);
  expect(await (await answered).text()).toBe("the answer");
  expect(await (await other).text()).toBe("another");
  expect(pausedUntil.value).toBeNull();
});

it("stops waiting when it is aborted", async () => {
  const leaving = new AbortController();
  const ask = vi.fn(async () => tooOften());
  const answered = afterRateLimits(ask, leaving.signal);
  await vi.advanceTimersByTimeAsync(0);
  leaving.abort(new Error("left"));
  await expect(answered).rejects.toThrow("left");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(1);
});

it.each([
  [429, "60", 60],
  [429, null, null],
  [429, "Wed, 21 Oct 2026 07:28:00 GMT", null],
  [503, "60", null],
  [200, null, null],
])("%i with Retry-After %o: %o seconds", (status, retryAfter, seconds) => {
  expect(secondsToWait(status, retryAfter)).toBe(seconds);
});

it("returns a refusal without Retry-After unchanged", async () => {
  const ask = vi.fn(async () => new Response("", { status: 429 }));
  expect((await afterRateLimits(ask)).status).toBe(429);
  expect(ask).toHaveBeenCalledTimes(1);
});
