import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createPlayer, type Player, type PlayerOptions } from "../../../player/web/player.ts";
import type { PlayerReply, PlayerRequest } from "../../../player/web/protocol.ts";
import { FakeWorker } from "../fake-worker.ts";

const FRAME = { width: 640, height: 480 };
const MAP = Float64Array.of(1, 0, 20, 0, 1, 10, 0, 0, 1);

/** A picture of a camera's track. */
class FakePicture {
  readonly visibleRect = FRAME;
  readonly displayWidth = FRAME.width;
  readonly displayHeight = FRAME.height;
  readonly rotation: number;
  isClosed = false;
  constructor(rotation = 0) {
    this.rotation = rotation;
  }
  clone = () => new FakePicture(this.rotation);
  close(): void {
    this.isClosed = true;
  }
  get timestamp(): number {
    return performance.now() * 1000;
  }
}

class FakeMediaStream {
  getVideoTracks = () => [{ readyState: "live" }];
}

let workers: FakeWorker<PlayerReply>[];
/** Hands a picture to the player; ends the track without one. */
let film: (picture?: FakePicture) => Promise<void>;
let isCancelled: boolean;
let told: string[];

const source = () =>
  ({ srcObject: new FakeMediaStream(), videoWidth: 1280, videoHeight: 960 }) as unknown as HTMLVideoElement;

beforeEach(() => {
  vi.useFakeTimers();
  workers = [];
  isCancelled = false;
  told = [];
  let deliver: ((result: { value?: FakePicture }) => void) | null = null;
  film = async (value) => {
    deliver?.({ value });
    await vi.advanceTimersByTimeAsync(0);
  };
  vi.stubGlobal("MediaStream", FakeMediaStream);
  vi.stubGlobal(
    "MediaStreamTrackProcessor",
    class {
      readonly readable = {
        getReader: () => ({
          read: () => new Promise((resolve) => (deliver = resolve)),
          cancel: async () => {
            isCancelled = true;
            deliver?.({});
          },
        }),
      };
    },
  );
  vi.stubGlobal(
    "Worker",
    class extends FakeWorker<PlayerReply> {
      constructor() {
        super();
        workers.push(this);
      }
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function play(options: Partial<PlayerOptions> = {}, targets = 1): Promise<Player> {
  const starting = createPlayer({ marker: new ArrayBuffer(0), ...options });
  for (const worker of workers) worker.answer({ kind: "loaded", targets: Array(targets).fill(FRAME) });
  const player = await starting;
  player.on("found", ({ target }) => told.push(`found ${target}`));
  player.on("lost", ({ target }) => told.push(`lost ${target}`));
  player.on("pose", ({ target, homography, isHeld }) =>
    told.push(`${isHeld ? "held" : "pose"} ${target} at ${homography[2]}, ${homography[5]}`),
  );
  player.start(source());
  return player;
}

const asked = (worker: number, kind: PlayerRequest["kind"]) =>
  (workers[worker].asked as PlayerRequest[]).filter((request) => request.kind === kind);
const FINDER = 0;
const FOLLOWER = 1;

function find(...targets: number[]): void {
  const found = targets.map((target) => ({ target, map: MAP, score: 5, inliers: 30 }));
  workers[FINDER].answer({ kind: "found", frame: FRAME, buffer: null, trace: null, time: 0, found });
}

function follow(state: "followed" | "held" | "lost", target = 0): void {
  const targets = [{ target, map: MAP, state }];
  workers[FOLLOWER].answer({ kind: "followed", frame: FRAME, buffer: null, trace: null, targets });
}

test("is ready with the finder, and fails with the follower", async () => {
  const failed = createPlayer({ marker: new ArrayBuffer(0) });
  workers[FOLLOWER].answer({ kind: "crashed", message: "for a test" });
  await expect(failed).rejects.toThrow("for a test");
  expect(workers.map(({ terminated }) => terminated)).toEqual([true, true]);

  workers = [];
  const starting = createPlayer({ marker: new ArrayBuffer(0) });
  workers[FINDER].answer({ kind: "loaded", targets: [FRAME] });
  const player = await starting;
  expect(player.targets).toEqual([FRAME]);
  const errors: Error[] = [];
  player.on("error", (error) => errors.push(error));
  workers[FOLLOWER].answer({ kind: "loaded", targets: [FRAME] });
  expect(errors).toEqual([]);
  workers[FOLLOWER].answer({ kind: "crashed", message: "for a test" });
  expect(errors).toMatchObject([{ message: "for a test" }]);
});

describe("a target out of sight", () => {
  async function lose(): Promise<void> {
    await play();
    await film(new FakePicture());
    find(0);
    await film(new FakePicture());
    follow("held");
    await film(new FakePicture());
    follow("lost");
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
    await film(new FakePicture());
    find(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([...SEEN, "pose 0 at 40, 20"]);
  });
});

describe("a camera's pictures", () => {
  test("go to the worker that has something to do, and are closed otherwise", async () => {
    await play();
    const [sought, surplus, followed] = [new FakePicture(), new FakePicture(), new FakePicture()];
    await film(sought);
    await film(surplus);
    find(0);
    await film(followed);
    expect(asked(FINDER, "find")).toMatchObject([{ picture: sought }]);
    expect(asked(FOLLOWER, "follow")).toMatchObject([{ picture: followed }]);
    expect([sought, surplus, followed].map(({ isClosed }) => isClosed)).toEqual([false, true, false]);
  });

  test("go to both workers when one target is followed and another is sought", async () => {
    await play({ maxTrack: 2 }, 2);
    await film(new FakePicture());
    find(0);
    const picture = new FakePicture();
    await film(picture);
    expect(asked(FOLLOWER, "follow")).toMatchObject([{ picture }]);
    const copy = (asked(FINDER, "find")[1] as { picture: unknown }).picture;
    expect(copy).toBeInstanceOf(FakePicture);
    expect(copy).not.toBe(picture);
  });

  test("are released when the player pauses", async () => {
    const player = await play();
    player.pause();
    expect(isCancelled).toBe(true);
    await film(new FakePicture());
    expect(asked(FINDER, "find")).toEqual([]);
  });

  test("are all sought when the player is traced, also while the target is followed", async () => {
    const player = await play({ isTraced: true });
    const traces: unknown[] = [];
    player.on("trace", (trace) => traces.push(trace));
    await film(new FakePicture());
    find(0);
    await film(new FakePicture());
    expect(asked(FINDER, "find")).toHaveLength(2);
    const trace = { stages: { read: 1 }, points: new Float32Array(2), inliers: new Float32Array(4) };
    workers[FINDER].answer({ kind: "found", frame: FRAME, buffer: null, trace, time: 0, found: [] });
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
    const { picture } = asked(FINDER, "find").at(-1) as { picture: { buffer: ArrayBuffer } };
    expect(new Set(new Uint8Array(picture.buffer))).toEqual(new Set([90]));
  }

  beforeEach(() => {
    vi.stubGlobal("document", { createElement: () => ({ ...canvas }) });
    vi.stubGlobal("requestAnimationFrame", (callback: (time: number) => void) => setTimeout(callback, 16));
  });

  test("when the worker cannot read them", async () => {
    await play();
    await film(new FakePicture());
    workers[FINDER].answer({ kind: "unreadable", role: "find" });
    await expectPagePicture();
    expect(isCancelled).toBe(true);
  });

  test("when they are turned", async () => {
    await play();
    const turned = new FakePicture(90);
    await film(turned);
    await expectPagePicture();
    expect(turned.isClosed).toBe(true);
  });

  test("when the track ends", async () => {
    await play();
    await film();
    await expectPagePicture();
  });
});
