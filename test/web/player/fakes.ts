// What the player needs of a browser: workers, and a camera's track.

import { vi } from "vitest";
import type { PlayerReply, PlayerRequest } from "../../../player/web/protocol.ts";
import { FakeWorker } from "../fake-worker.ts";

export const FRAME = { width: 640, height: 480 };
const MAP = Float64Array.of(1, 0, 20, 0, 1, 10, 0, 0, 1);

/** Indexes of a player's workers. */
export const FINDER = 0;
export const FOLLOWER = 1;

/** A picture of a camera's track. */
export class FakePicture {
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
  readyState = "live";
  getVideoTracks = () => [this];
}

/** A browser with fake timers, until `vi.unstubAllGlobals` and `vi.useRealTimers`. */
export class FakeBrowser {
  workers: FakeWorker<PlayerReply>[] = [];
  /** Whether the player has released the track. */
  isCancelled = false;
  readonly stream = new FakeMediaStream();
  readonly video = {
    srcObject: this.stream,
    videoWidth: 1280,
    videoHeight: 960,
  } as unknown as HTMLVideoElement;
  #deliver: ((result: { value?: FakePicture }) => void) | null = null;

  constructor() {
    vi.useFakeTimers();
    vi.stubGlobal("MediaStream", FakeMediaStream);
    const readable = {
      getReader: () => ({
        read: () => new Promise((resolve) => (this.#deliver = resolve)),
        cancel: async () => {
          this.isCancelled = true;
          this.#deliver?.({});
        },
      }),
    };
    vi.stubGlobal(
      "MediaStreamTrackProcessor",
      class {
        readonly readable = readable;
      },
    );
    const { workers } = this;
    vi.stubGlobal(
      "Worker",
      class extends FakeWorker<PlayerReply> {
        constructor() {
          super();
          workers.push(this);
        }
      },
    );
  }

  /** Hands a picture to the player; ends the track without one. */
  async film(value?: FakePicture): Promise<void> {
    this.#deliver?.({ value });
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Tells the player that its workers have loaded a marker. */
  load(targets: number): void {
    for (const worker of this.workers.slice(-2)) {
      worker.answer({ kind: "loaded", targets: Array(targets).fill(FRAME) });
    }
  }

  asked(worker: number, kind: PlayerRequest["kind"]): PlayerRequest[] {
    return (this.workers[worker].asked as PlayerRequest[]).filter((request) => request.kind === kind);
  }

  /** Answers that targets were found, of the last player. */
  find(...targets: number[]): void {
    const found = targets.map((target) => ({ target, map: MAP, score: 5, inliers: 30 }));
    this.workers.at(-2)!.answer({ kind: "found", frame: FRAME, buffer: null, trace: null, time: 0, found });
  }

  follow(state: "followed" | "held" | "lost", target = 0): void {
    const targets = [{ target, map: MAP, state }];
    this.workers.at(-1)!.answer({ kind: "followed", frame: FRAME, buffer: null, trace: null, targets });
  }
}
