import { describe, expect, it } from "vitest";
import { failureText, MAX_VIDEO_BYTES, obstacleText, refusalOf } from "../../../../web/studio/video/video.ts";
import { ConversionFailed, type VideoProblem } from "../../../../web/video/problem.ts";

describe("refusalOf", () => {
  it("takes videos up to the limit", () => {
    expect(refusalOf({ size: MAX_VIDEO_BYTES })).toBeNull();
  });

  it.each([
    [0, "empty"],
    [5_200_000_000, "5.2 GB. The limit is 5 GB"],
  ])("names what is wrong with %d bytes", (size, words) => {
    expect(refusalOf({ size })).toContain(words);
  });
});

describe("obstacleText", () => {
  it.each([
    ["decode", "video", "HEVC (H.265)", "cannot read HEVC (H.265). Open this page in another browser"],
    ["encode", "video", "H.264", "cannot create H.264. Open this page in Chrome, Edge or Safari"],
    [
      "encode",
      "sound",
      "AAC",
      "cannot create AAC sound. Open this page in Safari, or in Chrome or Edge on Windows",
    ],
    ["too_large", "video", "VP9", "over 500 MB are too large to convert"],
  ] as const)("names what cannot be done: %s %s", (kind, track, codec, words) => {
    const text = obstacleText({ kind, track, codec });
    expect(text).toContain(words);
    expect(text).toContain("export the video as MP4 with H.264");
  });
});

it.each<[VideoProblem, string]>([
  [{ kind: "sound_track", reason: "no_decoder" }, "The sound track cannot be converted (no_decoder)."],
  [{ kind: "worker_start" }, "The video worker could not start."],
  [{ kind: "other", message: "Out of memory" }, "Out of memory"],
])("a conversion that failed with %o says why", (problem, text) => {
  expect(failureText(new ConversionFailed(problem))).toBe(text);
});
