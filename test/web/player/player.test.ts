import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createPlayer, type Player, type PlayerOptions } from "../../../player/web/player.ts";
import { FakeBrowser, FakePicture, FINDER, FOLLOWER, FRAME } from "./fakes.ts";

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

async function play(options: Partial<PlayerOptions> = {}, targets = 1): Promise<Player> {
  const starting = createPlayer({ marker: new ArrayBuffer(0), ...options });
  browser.load(targets);
  const player = await starting;
  player.on("found", ({ target }) => told.push(`found ${target}`));
  player.on("lost", ({ target }) => told.push(`lost ${target}`));
  player.on("pose", ({ target, homography, isHeld }) =>
    told.push(`${isHeld ? "held" : "pose"} ${target} at ${homography[2]}, ${homography[5]}`),
  );
  player.start(browser.video);
  return player;
}

test("is ready with the finder, and fails with the follower", async () => {
  const failed = createPlayer({ marker: new ArrayBuffer(0) });
  browser.workers[FOLLOWER].answer({ kind: "crashed", message: "for a test" });
  await expect(failed).rejects.toThrow("for a test");
  expect(browser.workers.map(({ terminated }) => terminated)).toEqual([true, true]);

  browser.workers.length = 0;
  const starting = createPlayer({ marker: new ArrayBuffer(0) });
  browser.workers[FINDER].answer({ kind: "loaded", targets: [FRAME] });
  const player = await starting;
  expect(player.targets).toEqual([FRAME]);
  const errors: Error[] = [];
  player.on("error", (error) => errors.push(error));
  browser.workers[FOLLOWER].answer({ kind: "loaded", targets: [FRAME] });
  expect(errors).toEqual([]);
  browser.workers[FOLLOWER].answer({ kind: "crashed", message: "for a test" });
  expect(errors).toMatchObject([{ message: "for a test" }]);
});

describe("a target out of sight", () => {
  async function lose(): Promise<void> {
    await play();
    await browser.film(new FakePicture());
    browser.find(0);
    await browser.film(new FakePicture());
    browser.follow("held");
    await browser.film(new FakePicture());
    browser.follow("lost");
  }
  // The video has twice the frame's size.
  const SEEN = ["found 0", "pose 0 at 40, 20", "held 0 at 40, 20"];

  test("stays at its expected place for half a second and is lost then", async () => {
    await lose();
    await vi.advanceTimersByTimeAsync(499);
    expect(told).toEqual(SEEN);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual([...SEEN, "lost 0"]);
  });

  test("is not lost when it is found again before", async () => {
    await lose();
    await vi.advanceTimersByTimeAsync(400);
    await browser.film(new FakePicture());
    browser.find(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([...SEEN, "pose 0 at 40, 20"]);
  });
});

describe("a camera's pictures", () => {
  test("go to the worker that has something to do, and are closed otherwise", async () => {
    await play();
    const [sought, surplus, followed] = [new FakePicture(), new FakePicture(), new FakePicture()];
    await browser.film(sought);
    await browser.film(surplus);
    browser.find(0);
    await browser.film(followed);
    expect(browser.asked(FINDER, "find")).toMatchObject([{ picture: sought }]);
    expect(browser.asked(FOLLOWER, "follow")).toMatchObject([{ picture: followed }]);
    expect([sought, surplus, followed].map(({ isClosed }) => isClosed)).toEqual([false, true, false]);
  });

  test("go to both workers when one target is followed and another is sought", async () => {
    await play({ maxTrack: 2 }, 2);
    await browser.film(new FakePicture());
    browser.find(0);
    const picture = new FakePicture();
    await browser.film(picture);
    expect(browser.asked(FOLLOWER, "follow")).toMatchObject([{ picture }]);
    const copy = (browser.asked(FINDER, "find")[1] as { picture: unknown }).picture;
    expect(copy).toBeInstanceOf(FakePicture);
    expect(copy).not.toBe(picture);
  });

  test("are released when the player pauses", async () => {
    const player = await play();
    player.pause();
    expect(browser.isCancelled).toBe(true);
    await browser.film(new FakePicture());
    expect(browser.asked(FINDER, "find")).toEqual([]);
  });

  test("are all sought when the player is traced, also while the target is followed", async () => {
    const player = await play({ isTraced: true });
    const traces: unknown[] = [];
    player.on("trace", (trace) => traces.push(trace));
    await browser.film(new FakePicture());
    browser.find(0);
    await browser.film(new FakePicture());
    expect(browser.asked(FINDER, "find")).toHaveLength(2);
    const trace = { stages: { read: 1 }, points: new Float32Array(2), inliers: new Float32Array(4) };
    browser.workers[FINDER].answer({ kind: "found", frame: FRAME, buffer: null, trace, time: 0, found: [] });
    expect(traces).toEqual([{ ...trace, role: "find", frame: FRAME }]);
  });
});

describe("pictures of the page replace those of the camera's track", () => {
  /** A canvas whose pixels are all 90. */
  const canvas = {
    getContext: (kind: string) =>
      kind === "2d" && {
        drawImage: () => {},
        getImageData: () => ({ data: new Uint8ClampedArray(640 * 480 * 4).fill(90) }),
      },
  };

  async function expectPagePicture(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
    const { picture } = browser.asked(FINDER, "find").at(-1) as { picture: { buffer: ArrayBuffer } };
    expect(new Set(new Uint8Array(picture.buffer))).toEqual(new Set([90]));
  }

  beforeEach(() => {
    vi.stubGlobal("document", { createElement: () => ({ ...canvas }) });
    vi.stubGlobal("requestAnimationFrame", (callback: (time: number) => void) => setTimeout(callback, 16));
  });

  test("when the worker cannot read them", async () => {
    await play();
    await browser.film(new FakePicture());
    browser.workers[FINDER].answer({ kind: "unreadable", role: "find" });
    await expectPagePicture();
    expect(browser.isCancelled).toBe(true);
  });

  test("when they are turned", async () => {
    await play();
    const turned = new FakePicture(90);
    await browser.film(turned);
    await expectPagePicture();
    expect(turned.isClosed).toBe(true);
  });

  test("when the track ends", async () => {
    await play();
    await browser.film();
    await expectPagePicture();
  });
});
