import { describe, expect, it } from "vitest";
import { checkVideo, MAX_VIDEO_BYTES } from "../../../../web/studio/video/video.ts";

describe("checkVideo", () => {
  it.each(["video/mp4", "video/webm"])("takes %s up to the limit", (type) => {
    expect(checkVideo({ type, size: MAX_VIDEO_BYTES })).toEqual({ type });
  });

  it.each([
    [{ type: "video/quicktime", size: 10 }, "video/quicktime"],
    [{ type: "", size: 10 }, "unknown"],
    [{ type: "video/mp4", size: 0 }, "empty"],
    [{ type: "video/mp4", size: 5_200_000_000 }, "5.2 GB. The limit is 5 GB"],
  ])("names what is wrong with %o", (file, words) => {
    expect(checkVideo(file)).toEqual({ refusal: expect.stringContaining(words) });
  });
});
