import { describe, expect, it } from "vitest";
import { BUSY_INTERVAL_MS, IDLE_INTERVAL_MS, pollInterval } from "../../../web/studio/poll.ts";

describe("pollInterval", () => {
  it("is short while something moves and longer while all rests", () => {
    expect(pollInterval(true, 0)).toBe(BUSY_INTERVAL_MS);
    expect(pollInterval(false, 0)).toBe(IDLE_INTERVAL_MS);
  });

  it("doubles with failures up to a limit", () => {
    expect(pollInterval(true, 2)).toBe(4 * BUSY_INTERVAL_MS);
    expect(pollInterval(true, 10)).toBe(pollInterval(false, 10));
    expect(pollInterval(true, 10)).toBeLessThanOrEqual(30_000);
  });
});
