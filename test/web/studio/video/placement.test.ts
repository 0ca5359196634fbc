import { describe, expect, it } from "vitest";
import {
  dragged,
  endedAt,
  slackOf,
  startedAt,
  visibleShare,
} from "../../../../web/studio/video/placement.ts";
import { WHOLE } from "../../../../web/video/playback.ts";

const landscape = { width: 400, height: 200 };
const upright = { width: 100, height: 200 };

it("the visible part of a video is the same for both directions", () => {
  expect(visibleShare(landscape, upright)).toBe(0.25);
  expect(visibleShare(upright, landscape)).toBe(0.25);
  expect(visibleShare(landscape, { width: 1920, height: 960 })).toBe(1);
});

describe("slackOf", () => {
  it.each([
    ["cover", landscape, upright, { width: 0, height: -600 }],
    ["contain", landscape, upright, { width: 300, height: 0 }],
    ["cover", upright, landscape, { width: -300, height: 0 }],
    ["contain", upright, landscape, { width: 0, height: 150 }],
    ["cover", landscape, { width: 1921, height: 960 }, { width: 0, height: 0 }],
  ] as const)("of a video that should %s", (fit, photo, video, slack) => {
    expect(slackOf(fit, photo, video)).toEqual(slack);
  });
});

describe("a video that is dragged", () => {
  it.each([
    [
      "follows the pointer where it is cut off",
      { width: 0, height: -600 },
      { width: 9, height: 60 },
      [0.5, 0.4],
    ],
    [
      "follows the pointer where there is room",
      { width: 300, height: 0 },
      { width: 30, height: 9 },
      [0.6, 0.5],
    ],
    ["stops at the edge", { width: 300, height: 0 }, { width: -900, height: 0 }, [0, 0.5]],
    ["stays where it fits", { width: 0, height: 0 }, { width: 50, height: 50 }, [0.5, 0.5]],
  ] as const)("%s", (_name, slack, by, [x, y]) => {
    const moved = dragged(WHOLE, slack, by);
    expect(moved.x).toBeCloseTo(x);
    expect(moved.y).toBeCloseTo(y);
  });
});

describe("a part of a video", () => {
  it("keeps its start before its end", () => {
    expect(startedAt(WHOLE, 2, 10)).toMatchObject({ start: 2, end: null });
    expect(startedAt(WHOLE, 10, 10).start).toBe(9.5);
    expect(startedAt({ ...WHOLE, end: 4 }, 6, 10)).toMatchObject({ start: 3.5, end: 4 });
    expect(startedAt(WHOLE, 0.2, 0.3).start).toBe(0);
  });

  it("keeps its end after its start", () => {
    expect(endedAt(WHOLE, 4, 10).end).toBe(4);
    expect(endedAt({ ...WHOLE, start: 5 }, 3, 10).end).toBe(5.5);
  });

  it("has no end of its own at the end of the video", () => {
    expect(endedAt({ ...WHOLE, end: 4 }, 10, 10).end).toBeNull();
  });
});
