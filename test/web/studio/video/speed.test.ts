import { describe, expect, it } from "vitest";
import { byteSize, timeLeft } from "../../../../web/studio/ui/format.ts";
import { Speedometer } from "../../../../web/studio/video/speed.ts";

describe("Speedometer", () => {
  it("measures bytes per second over the last seconds", () => {
    const meter = new Speedometer();
    for (let at = 0; at <= 20_000; at += 1_000) meter.note(at * 5, at);
    expect(meter.speed(20_000)).toBe(5_000);
    for (let at = 21_000; at <= 40_000; at += 1_000) meter.note(100_000 + (at - 20_000) * 2, at);
    expect(meter.speed(40_000)).toBe(2_000);
  });

  it("gives no result too early or without progress", () => {
    const meter = new Speedometer();
    expect(meter.speed(0)).toBeNull();
    meter.note(0, 0);
    meter.note(1_000, 100);
    expect(meter.speed(100)).toBeNull();
    meter.note(1_000, 60_000);
    meter.note(1_000, 75_000);
    expect(meter.speed(75_000)).toBeNull();
  });

  it("restarts when bytes are subtracted", () => {
    const meter = new Speedometer();
    meter.note(1_000_000, 0);
    meter.note(2_000_000, 2_000);
    meter.note(1_500_000, 2_100);
    expect(meter.speed(2_200)).toBeNull();
    meter.note(1_600_000, 4_100);
    expect(meter.speed(4_100)).toBe(50_000);
  });
});

describe("sizes and times for people", () => {
  it.each([
    [0, "0 kB"],
    [1_234_567, "1.2 MB"],
    [999_600_000, "1 GB"],
    [1_250_000_000, "1.3 GB"],
    [42_000_000_000, "42 GB"],
  ])("%i bytes are %s", (bytes, words) => {
    expect(byteSize(bytes)).toBe(words);
  });

  it.each([
    [3, "less than a minute"],
    [61, "about 2 minutes"],
    [7_300, "about 2 hours"],
  ])("%i seconds are %s", (seconds, words) => {
    expect(timeLeft(seconds)).toBe(words);
  });
});
