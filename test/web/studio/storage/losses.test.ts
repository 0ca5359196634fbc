import { expect, test } from "vitest";
import { lossesText } from "../../../../web/studio/storage/losses.ts";

test.each([
  [{ photos: 0, markers: 0, videos: 0 }, "No photo, marker or video is lost."],
  [{ photos: 1, markers: 0, videos: 0 }, "1 photo is deleted, with all files."],
  [
    { photos: 1200, markers: 1, videos: 2 },
    "1,200 photos are deleted, with all files. 1 other photo has to be compiled again. 2 other photos lose their videos.",
  ],
])("tells what is lost: %j", (losses, text) => {
  expect(lossesText(losses)).toBe(text);
});
