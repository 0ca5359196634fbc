import { describe, expect, it } from "vitest";
import { ago, duration, megabytes, moment, titleOf } from "../../../../web/studio/ui/format.ts";
import type { JobProgress } from "../../../../web/studio/upload/job.ts";
import { compileProgressView, jobProgressView, runProgress } from "../../../../web/studio/upload/progress.ts";

describe("megabytes", () => {
  it.each([
    [1, "1 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [1_234_567, "1.2 MB"],
    [9_940_000, "9.9 MB"],
    [9_950_000, "10 MB"],
    [20_000_000, "20 MB"],
  ])("%i bytes are %s", (bytes, words) => {
    expect(megabytes(bytes)).toBe(words);
  });
});

describe("duration", () => {
  it.each([
    [40, "0.0 s"],
    [1_234, "1.2 s"],
    [9_949, "9.9 s"],
    [12_400, "12 s"],
    [59_600, "1 min 0 s"],
    [185_000, "3 min 5 s"],
  ])("%i ms are %s", (milliseconds, words) => {
    expect(duration(milliseconds)).toBe(words);
  });
});

describe("titleOf", () => {
  it.each([
    ["grandma-and_grandpa 1952.jpeg", "Grandma and grandpa 1952"],
    ["été.png", "Été"],
    [".jpg", "Untitled"],
    ["two.dots.webp", "Two.dots"],
    [`${"a".repeat(300)}.jpg`, `A${"a".repeat(199)}`],
  ])("%s", (name, title) => {
    expect(titleOf(name)).toBe(title);
  });
});

describe("the progress of several uploads", () => {
  it("counts what is finished, and tells the time left once that is known", () => {
    expect(runProgress([1, 1, 0.5, 0], 30)).toEqual({ total: 4, done: 2, fraction: 0.625, secondsLeft: 18 });
    expect(runProgress([0.1, 0, 0], 5).secondsLeft).toBeNull();
  });
});

describe("progress", () => {
  it("says “Waiting” until the upload begins", () => {
    const waiting = { sent: 0, compile: null, delivering: false, pausedUntil: null };
    expect(jobProgressView(waiting).label).toBe("Waiting");
  });

  it("never decreases during a compilation", () => {
    const stages = ["decode", "resize", "match", "track", "encode"] as const;
    const fractions = stages.flatMap((stage) =>
      [0, 1, 2].map((done) => compileProgressView({ stage, done, total: 2 }).fraction),
    );
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions[0]).toBe(0);
    expect(fractions.at(-1)).toBe(1);
  });

  it.each<[string, JobProgress]>([
    ["Uploading the photo, 40%", { sent: 0.4, compile: null, delivering: false, pausedUntil: null }],
    ["Waiting", { sent: 1, compile: null, delivering: false, pausedUntil: null }],
    ["Waiting", { sent: null, compile: null, delivering: false, pausedUntil: null }],
    [
      "Finding feature points",
      { sent: 0.1, compile: { stage: "match", done: 1, total: 2 }, delivering: false, pausedUntil: null },
    ],
    [
      "Uploading the photo, 50%",
      { sent: 0.5, compile: { stage: "encode", done: 1, total: 1 }, delivering: false, pausedUntil: null },
    ],
    [
      "Encoding the marker",
      { sent: 1, compile: { stage: "encode", done: 1, total: 1 }, delivering: false, pausedUntil: null },
    ],
    [
      "Saving the marker",
      { sent: 1, compile: { stage: "encode", done: 1, total: 1 }, delivering: true, pausedUntil: null },
    ],
    [
      `Rate limit reached. Resuming at ${moment(5_000)}`,
      { sent: 1, compile: { stage: "encode", done: 1, total: 1 }, delivering: true, pausedUntil: 5_000 },
    ],
  ])("says: %s", (words, progress) => {
    expect(jobProgressView(progress).label).toBe(words);
    expect(jobProgressView(progress).fraction).toBeLessThan(1);
  });
});

describe("ago", () => {
  const now = Date.parse("2026-06-15T12:00:00Z");
  it.each([
    ["2026-06-15T11:59:40Z", "just now"],
    ["2026-06-15T11:55:00Z", "5 minutes ago"],
    ["2026-06-15T09:00:00Z", "3 hours ago"],
    ["2026-06-14T12:00:00Z", "yesterday"],
  ])("%s is %s", (iso, words) => {
    expect(ago(iso, now)).toBe(words);
  });

  it("gives the date for times long ago", () => {
    expect(ago("2026-01-02T12:00:00Z", now)).toContain("2026");
  });
});
