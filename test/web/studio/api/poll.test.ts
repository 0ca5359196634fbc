import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BUSY_INTERVAL_MS, IDLE_INTERVAL_MS, poll, pollInterval } from "../../../../web/studio/api/poll.ts";

describe("pollInterval", () => {
  it("is short during progress and longer otherwise", () => {
    expect(pollInterval(true, 0)).toBe(BUSY_INTERVAL_MS);
    expect(pollInterval(false, 0)).toBe(IDLE_INTERVAL_MS);
  });

  it("doubles with failures up to a limit", () => {
    expect(pollInterval(true, 2)).toBe(4 * BUSY_INTERVAL_MS);
    expect(pollInterval(true, 10)).toBe(pollInterval(false, 10));
    expect(pollInterval(true, 10)).toBeLessThanOrEqual(30_000);
  });
});

describe("poll", () => {
  const page = Object.assign(new EventTarget(), { hidden: false });
  const browserWindow = new EventTarget();
  const show = (visible: boolean) => {
    page.hidden = !visible;
    page.dispatchEvent(new Event("visibilitychange"));
  };

  beforeEach(() => {
    vi.useFakeTimers();
    page.hidden = false;
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", browserWindow.addEventListener.bind(browserWindow));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("requests at once, then again after each pause", async () => {
    const refresh = vi.fn(async () => true);
    const stop = poll(refresh);
    expect(refresh).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(3 * BUSY_INTERVAL_MS);
    expect(refresh).toHaveBeenCalledTimes(4);
    stop();
    await vi.advanceTimersByTimeAsync(10 * BUSY_INTERVAL_MS);
    expect(refresh).toHaveBeenCalledTimes(4);
  });

  it("pauses while the tab is hidden and requests at once when it is shown", async () => {
    const refresh = vi.fn(async () => true);
    const stop = poll(refresh);
    await vi.advanceTimersByTimeAsync(0);
    show(false);
    await vi.advanceTimersByTimeAsync(100 * IDLE_INTERVAL_MS);
    expect(refresh).toHaveBeenCalledTimes(1);
    show(true);
    expect(refresh).toHaveBeenCalledTimes(2);
    stop();
  });

  it("requests at once when the connection is back, whatever the pause", async () => {
    const refresh = vi.fn(async () => {
      throw new Error("offline");
    });
    const stop = poll(refresh);
    await vi.advanceTimersByTimeAsync(10 * IDLE_INTERVAL_MS);
    const before = refresh.mock.calls.length;
    browserWindow.dispatchEvent(new Event("online"));
    expect(refresh).toHaveBeenCalledTimes(before + 1);
    stop();
  });

  it("sends one request at a time", async () => {
    const refresh = vi.fn(() => new Promise<boolean>(() => {}));
    const stop = poll(refresh);
    await vi.advanceTimersByTimeAsync(10 * IDLE_INTERVAL_MS);
    show(true);
    expect(refresh).toHaveBeenCalledTimes(1);
    stop();
  });

  it("aborts the running request when it is stopped", () => {
    let seen: AbortSignal | undefined;
    const stop = poll((signal) => {
      seen = signal;
      return new Promise(() => {});
    });
    expect(seen?.aborted).toBe(false);
    stop();
    expect(seen?.aborted).toBe(true);
  });
});
