import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Controller, type ControllerOptions } from "../../../player/web/controller.ts";
import { FakeBrowser, FakePicture, FINDER } from "./fakes.ts";

let browser: FakeBrowser;
let told: string[];

beforeEach(() => {
  browser = new FakeBrowser();
  told = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Starts a Controller for two targets, as MindAR's wrappers do. */
async function start(options: Partial<ControllerOptions> = {}): Promise<Controller> {
  const controller = new Controller({
    inputWidth: 1280,
    inputHeight: 960,
    onUpdate: (update) => {
      if (update.type === "updateMatrix") {
        told.push(`${update.worldMatrix ? "shown" : "lost"} ${update.targetIndex}`);
      }
    },
    ...options,
  });
  const loading = controller.addImageTargetsFromBuffer(new ArrayBuffer(8));
  browser.load(2);
  await loading;
  controller.processVideo(browser.video);
  return controller;
}

async function see(...targets: number[]): Promise<void> {
  await browser.film(new FakePicture());
  browser.find(...targets);
}

async function followOn(state: "followed" | "lost" = "followed"): Promise<void> {
  await browser.film(new FakePicture());
  browser.follow(state);
}

const isEnded = () => browser.workers.map(({ terminated }) => terminated);

test("shows a target after the warm-up, and hides it only when it was shown", async () => {
  await start({ warmupTolerance: 2 });
  await see(0);
  await followOn();
  await followOn("lost");
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toEqual([]);
  await see(0);
  await followOn();
  await followOn();
  expect(told).toEqual(["shown 0"]);
  await followOn("lost");
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toEqual(["shown 0", "lost 0"]);
});

test("looks for the interesting target only", async () => {
  const controller = await start();
  controller.interestedTargetIndex = 1;
  await see();
  controller.interestedTargetIndex = -1;
  await see();
  expect(browser.asked(FINDER, "find")).toMatchObject([{ targets: [1] }, { targets: [0, 1] }]);
});

describe("a target in sight when the video pauses", () => {
  async function pause(): Promise<Controller> {
    const controller = await start();
    await see(0);
    controller.stopProcessVideo();
    await vi.advanceTimersByTimeAsync(5000);
    return controller;
  }

  test("keeps its matrix, and moves on where it is found again", async () => {
    const controller = await pause();
    expect(told).toEqual(["shown 0"]);
    controller.processVideo(browser.video);
    await see(0);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told).toEqual(["shown 0", "shown 0"]);
  });

  test("is lost half a second after the first frame that does not show it", async () => {
    const controller = await pause();
    controller.processVideo(browser.video);
    await vi.advanceTimersByTimeAsync(5000);
    await see(1);
    await vi.advanceTimersByTimeAsync(499);
    expect(told).toEqual(["shown 0", "shown 1"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(["shown 0", "shown 1", "lost 0"]);
  });

  test("stays through a second pause", async () => {
    const controller = await pause();
    controller.processVideo(browser.video);
    await see();
    controller.stopProcessVideo();
    await vi.advanceTimersByTimeAsync(5000);
    expect(told).toEqual(["shown 0"]);
  });

  test("is lost when the Controller is disposed of", async () => {
    const controller = await pause();
    controller.dispose();
    expect(told).toEqual(["shown 0", "lost 0"]);
    expect(isEnded()).toEqual([true, true]);
  });
});

// MindAR's three.js wrapper makes another Controller for each start, and disposes of none.
test("ends its workers when the camera is stopped after the video, and starts others for the next video", async () => {
  const controller = await start();
  await see(0);
  controller.stopProcessVideo();
  browser.stream.readyState = "ended";
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["shown 0", "lost 0"]);
  expect(isEnded()).toEqual([true, true]);

  browser.stream.readyState = "live";
  controller.processVideo(browser.video);
  browser.load(2);
  await vi.advanceTimersByTimeAsync(0);
  await see(1);
  await followOn();
  expect(told).toEqual(["shown 0", "lost 0", "shown 1", "shown 0"]);
  expect(isEnded()).toEqual([true, true, false, false]);
  expect(browser.workers).toHaveLength(4);
  controller.dispose();
  expect(isEnded()).toEqual([true, true, true, true]);
});

test("starts one player for a video that pauses while the next one loads", async () => {
  const controller = await start();
  controller.stopProcessVideo();
  browser.stream.readyState = "ended";
  await vi.advanceTimersByTimeAsync(0);
  browser.stream.readyState = "live";
  controller.processVideo(browser.video);
  controller.stopProcessVideo();
  controller.processVideo(browser.video);
  for (const worker of browser.workers.slice(2)) worker.answer({ kind: "loaded", targets: [] });
  await vi.advanceTimersByTimeAsync(0);
  expect(isEnded().filter((ended) => !ended)).toHaveLength(2);
});
