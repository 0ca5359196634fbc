import { describe, expect, it } from "vitest";
import { fitted, planFor, type VideoFacts } from "../../../web/video/plan.ts";

const H264 = {
  codec: "avc",
  codecName: "H.264",
  codecString: "avc1.640028",
  width: 1920,
  height: 1080,
  frameRate: 30,
  isDecodable: true,
  isTransparent: false,
};
const AAC = { codec: "aac", codecName: "AAC", isDecodable: true };
const OPUS = { codec: "opus", codecName: "Opus", isDecodable: true };
const HEVC = { ...H264, codec: "hevc", codecName: "HEVC (H.265)", codecString: "hvc1.1.6.L93.B0" };
const VP9 = { ...H264, codec: "vp9", codecName: "VP9", codecString: null };

/** An MP4 of a phone, and a browser that can convert. */
const plain: VideoFacts = {
  container: "mp4",
  isFastStart: true,
  hasTags: false,
  bytes: 10_000_000,
  video: H264,
  sound: AAC,
  encodes: { video: true, sound: true },
};
const able = { video: true, sound: true };
const unable = { video: false, sound: false };

describe("planFor", () => {
  it.each<[string, Partial<VideoFacts>, string]>([
    ["keeps H.264 with AAC", {}, "keep"],
    ["keeps it without sound", { sound: null }, "keep"],
    ["keeps it upright", { video: { ...H264, width: 1080, height: 1920 } }, "keep"],
    ["keeps it where the browser encodes nothing", { encodes: unable }, "keep"],
    ["copies an MP4 whose index is at the end", { isFastStart: false }, "remux"],
    ["copies an MP4 that says where it was filmed", { hasTags: true }, "remux"],
    ["copies a .mov with H.264", { container: "other", isFastStart: false, encodes: unable }, "remux"],
    ["converts HEVC", { container: "other", video: HEVC }, "convert"],
    ["converts 4K", { video: { ...H264, width: 3840, height: 2160 } }, "convert"],
    ["converts 10 bits", { video: { ...H264, codecString: "avc1.6e0028" } }, "convert"],
    ["converts 240 frames per second", { video: { ...H264, frameRate: 240 } }, "convert"],
    ["converts an odd size", { video: { ...H264, width: 853, height: 480 } }, "convert"],
    ["converts other sound", { sound: OPUS }, "convert"],
    ["keeps WebM with VP9 and Opus", { container: "webm", video: VP9, sound: OPUS, encodes: unable }, "keep"],
    [
      "converts WebM with AV1",
      { container: "webm", video: { ...VP9, codec: "av1" }, sound: OPUS },
      "convert",
    ],
    ["converts WebM in 4K", { container: "webm", video: { ...VP9, width: 3840 }, sound: null }, "convert"],
    ["converts an MP4 with VP9", { video: VP9 }, "convert"],
    [
      "keeps transparent WebM",
      { container: "webm", isFastStart: false, video: { ...VP9, isTransparent: true } },
      "keep",
    ],
    ["keeps a large MP4 that only should be copied", { bytes: 900_000_000, isFastStart: false }, "keep"],
  ])("%s", (_name, change, step) => {
    expect(planFor({ ...plain, ...change })).toMatchObject({ step, obstacle: null });
  });

  it.each<[string, Partial<VideoFacts>, object, string | null]>([
    [
      "HEVC that it cannot decode",
      { container: "other", video: { ...HEVC, isDecodable: false } },
      { kind: "decode", track: "video", codec: "HEVC (H.265)" },
      null,
    ],
    [
      "a WebM with AV1 where it cannot encode H.264",
      { container: "webm", video: { ...VP9, codec: "av1" }, sound: OPUS, encodes: unable },
      { kind: "encode", track: "video", codec: "H.264" },
      "video/webm",
    ],
    [
      "Opus where it cannot encode AAC",
      { sound: OPUS, encodes: { ...able, sound: false } },
      { kind: "encode", track: "sound", codec: "AAC" },
      "video/mp4",
    ],
    [
      "a .mov with sound that it cannot decode",
      { container: "other", sound: { codec: "ac3", codecName: "AC-3", isDecodable: false } },
      { kind: "decode", track: "sound", codec: "AC-3" },
      null,
    ],
    [
      "a .mov that does not fit into memory",
      { container: "other", bytes: 900_000_000 },
      { kind: "too_large", track: "video", codec: "H.264" },
      null,
    ],
  ])("says what this browser cannot do with %s", (_name, change, obstacle, keptType) => {
    expect(planFor({ ...plain, ...change })).toMatchObject({ obstacle, keptType });
  });
});

it.each([
  [1920, 1080, 1920, 1080],
  [1080, 1920, 1080, 1920],
  [3840, 2160, 1920, 1080],
  [1440, 1440, 1080, 1080],
  [2560, 1080, 1920, 810],
  [853, 481, 854, 482],
  [4000, 10, 1920, 4],
])("a video of %i × %i px becomes %i × %i px", (width, height, fittedWidth, fittedHeight) => {
  expect(fitted(width, height)).toEqual({ width: fittedWidth, height: fittedHeight });
});
