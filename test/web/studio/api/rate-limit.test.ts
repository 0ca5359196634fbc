import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { heldUntil, patiently, secondsToWait } from "../../../../web/studio/api/rate-limit.ts";

const tooOften = () => new Response("", { status: 429, headers: { "Retry-After": "60" } });

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000 });
});

afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
});

it("asks again when it may, says until when, and asks nothing meanwhile", async () => {
  const answers = [tooOften(), new Response("the answer")];
  const first = vi.fn(async () => answers.shift()!);
  const second = vi.fn(async () => new Response("another"));
  const answered = patiently(first);
  await vi.advanceTimersByTimeAsync(0);
  expect(heldUntil.value).toBe(61_000);
  const other = patiently(second);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).not.toHaveBeenCalled();

  await vi.advanceTimersByTimeAsync(1);
  expect(await (await answered).text()).toBe("the answer");
  expect(await (await other).text()).toBe("another");
  expect(heldUntil.value).toBeNull();
});

it("stops waiting for whoever leaves", async () => {
  const leaving = new AbortController();
  const ask = vi.fn(async () => tooOften());
  const answered = patiently(ask, leaving.signal);
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

it("gives an answer that does not say when to come again as it is", async () => {
  const ask = vi.fn(async () => new Response("", { status: 429 }));
  expect((await patiently(ask)).status).toBe(429);
  expect(ask).toHaveBeenCalledTimes(1);
});
