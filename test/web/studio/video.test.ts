import { describe, expect, it } from "vitest";
import { MAX_VIDEO_BYTES, videoRefusal } from "../../../web/studio/video.ts";

describe("videoRefusal", () => {
  it.each(["video/mp4", "video/webm"])("takes %s up to the limit", (type) => {
    expect(videoRefusal({ type, size: MAX_VIDEO_BYTES })).toBeNull();
  });

  it.each([
    [{ type: "video/quicktime", size: 10 }, "video/quicktime"],
    [{ type: "", size: 10 }, "an unknown type"],
    [{ type: "video/mp4", size: 0 }, "empty"],
    [{ type: "video/mp4", size: 120_000_000 }, "120 MB"],
  ])("names what is wrong with %o", (file, words) => {
    expect(videoRefusal(file)).toContain(words);
  });
});
