import { describe, expect, it, vi } from "vitest";
import { fitOf, keepToPart, shownAt, WHOLE } from "../../../web/video/playback.ts";

const part = { ...WHOLE, start: 1, end: 2, poster: 1.5 };

/** A video element of 10 seconds that plays when it is told to. */
function fakeVideo(at = 0) {
  const video = Object.assign(new EventTarget(), {
    currentTime: at,
    duration: 10,
    paused: true,
    play: vi.fn(async () => {
      video.paused = false;
      video.dispatchEvent(new Event("play"));
    }),
    pause: vi.fn(() => {
      video.paused = true;
    }),
  });
  const playTo = (seconds: number) => {
    video.currentTime = seconds;
    video.dispatchEvent(new Event("timeupdate"));
  };
  const end = () => {
    video.currentTime = video.duration;
    video.paused = true;
    video.dispatchEvent(new Event("ended"));
  };
  return { video, playTo, end, element: video as unknown as HTMLVideoElement };
}

describe("a video that is repeated", () => {
  it("plays from start to end, and again", async () => {
    const { video, playTo, element } = fakeVideo();
    keepToPart(element, part, true);
    await video.play();
    expect(video.currentTime).toBe(1);
    playTo(1.9);
    expect(video.currentTime).toBe(1.9);
    playTo(2);
    expect([video.currentTime, video.paused]).toEqual([1, false]);
  });

  it("continues where it was paused", async () => {
    const { video, playTo, element } = fakeVideo();
    keepToPart(element, part, true);
    await video.play();
    playTo(1.7);
    video.pause();
    await video.play();
    expect(video.currentTime).toBe(1.7);
  });

  it("begins again at its start when the file ends", async () => {
    const { video, end, element } = fakeVideo();
    keepToPart(element, { ...part, end: null }, true);
    await video.play();
    end();
    expect([video.currentTime, video.paused]).toEqual([1, false]);
  });

  it("plays as a whole if the part begins after its end", async () => {
    const { video, end, element } = fakeVideo();
    keepToPart(element, { ...part, start: 100, end: null }, true);
    await video.play();
    end();
    expect([video.currentTime, video.paused]).toEqual([0, false]);
  });
});

describe("a video with controls", () => {
  it("plays its part once from another frame, and stops at the start", async () => {
    const { video, playTo, element } = fakeVideo(1.5);
    keepToPart(element, part, false);
    await video.play();
    expect(video.currentTime).toBe(1);
    playTo(2.1);
    expect([video.currentTime, video.paused]).toEqual([1, true]);
  });

  it("shows any frame while it is paused", () => {
    const { video, playTo, element } = fakeVideo();
    keepToPart(element, part, false);
    playTo(5);
    expect(video.currentTime).toBe(5);
  });

  it("is released", async () => {
    const { playTo, element, video } = fakeVideo();
    keepToPart(element, part, false)();
    await video.play();
    playTo(9);
    expect([video.currentTime, video.paused]).toEqual([9, false]);
  });
});

it("a video lies where its owner put it; without settings, in the middle", () => {
  expect(fitOf({ ...WHOLE, fit: "contain", x: 0.25, y: 1 })).toEqual({
    objectFit: "contain",
    objectPosition: "25% 100%",
  });
  expect(fitOf(WHOLE)).toEqual({ objectFit: "cover", objectPosition: "50% 50%" });
});

it("the address of a video names the frame that it shows first", () => {
  expect(shownAt("/media/a/video?v=1", 0)).toBe("/media/a/video?v=1");
  expect(shownAt("/media/a/video?v=1", 1.5)).toBe("/media/a/video?v=1#t=1.5");
});
