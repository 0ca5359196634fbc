// The player of a page: takes frames from a <video>, has them searched and followed in two workers, and tells where
// the targets are.

import { InvalidMarkerError } from "../../compiler/mind.ts";
import { FocalEstimator, usualFocal } from "../focal.ts";
import type { Homography } from "../homography.ts";
import { estimatePose, type Pose } from "../pose.ts";
import { createFrameReader, type FrameSource, frameSize, sourceSize } from "./frames.ts";
import type { Frame, PlayerReply, PlayerRequest, Role, Size } from "./protocol.ts";

export interface PlayerOptions {
  /** The bytes of a `.mind` file, or of its compact form. They are copied. */
  readonly marker: ArrayBuffer;
  /** Most targets that are followed at the same time. Default: 1. */
  readonly maxTrack?: number;
  /** How long a target that is out of sight stays at its last place before it is lost. Default: 500. */
  readonly holdMilliseconds?: number;
  /** The camera's focal length in pixels of the video. When absent, it is estimated from places that are tilted. */
  readonly focalLength?: number;
}

/** Where a target is in a frame. */
export interface PlayerPose {
  /** Index of the target in the marker. */
  readonly target: number;
  /** Row-major 3 × 3, from target pixels to pixels of the video or canvas; the upper left corner of both is (0, 0). */
  readonly homography: Homography;
  /** The target in space, as a camera of this focal length, in pixels of the video, sees it. */
  readonly pose: Pose;
  readonly focalLength: number;
  /** True while the target is out of sight and its place is the last one seen. */
  readonly isHeld: boolean;
}

export interface PlayerEvents {
  found: { readonly target: number };
  lost: { readonly target: number };
  pose: PlayerPose;
  /** The player has looked at a frame. */
  frame: undefined;
  /** A worker failed. The player has stopped and cannot be used again. */
  error: Error;
}

export interface Player {
  /** Sizes of the marker's targets, pixels. */
  readonly targets: readonly Size[];
  on<Name extends keyof PlayerEvents>(name: Name, listener: (event: PlayerEvents[Name]) => void): void;
  /** The only target to find; null for all. Targets that are followed already stay so. */
  only: number | null;
  /** Looks for the targets in the frames of a playing video, or of a canvas, until `pause` or `close`. */
  start(source: FrameSource): void;
  /** Stops reading frames and forgets where the targets are. */
  pause(): void;
  /** Ends the workers. */
  close(): void;
}

/** Frames of a camera of 4 : 3, which most phones give. */
const USUAL_FRAME: Size = { width: 640, height: 480 };

/** A worker of the player; the name shows in the browser's tools. */
function startWorker(role: Role): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: `player: ${role}` });
}

/** What the page knows of a target. */
interface Place {
  /** `starting`: found, and not followed in a frame yet. */
  state: "lost" | "starting" | "followed" | "held";
  /** Milliseconds, of the page's clock, when the target got out of sight. */
  heldSince: number;
}

/**
 * Starts a player for a marker. Resolves when it is ready to find its targets.
 *
 * @throws InvalidMarkerError for bytes that are not a `.mind` file; Error when a worker cannot start
 */
export async function createPlayer({
  marker,
  maxTrack = 1,
  holdMilliseconds = 500,
  focalLength,
}: PlayerOptions): Promise<Player> {
  const finder = startWorker("find");
  const follower = startWorker("follow");
  const close = () => {
    finder.terminate();
    follower.terminate();
  };
  try {
    const [targets] = await Promise.all([load(finder, "find", marker), load(follower, "follow", marker)]);
    return run({ finder, follower, targets, maxTrack, holdMilliseconds, focalLength });
  } catch (error) {
    close();
    throw error;
  }
}

function load(worker: Worker, role: Role, marker: ArrayBuffer): Promise<readonly Size[]> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: reply }: MessageEvent<PlayerReply>) => {
      if (reply.kind === "loaded") resolve(reply.targets);
      else if (reply.kind === "refused") reject(new InvalidMarkerError(reply.fault, reply.message));
      else if (reply.kind === "crashed") reject(new Error(reply.message));
    };
    worker.onerror = (event) => reject(new Error(event.message || "The player's worker could not start."));
    worker.postMessage({ kind: "load", role, marker, frame: USUAL_FRAME } satisfies PlayerRequest);
  });
}

interface Parts {
  readonly finder: Worker;
  readonly follower: Worker;
  readonly targets: readonly Size[];
  readonly maxTrack: number;
  readonly holdMilliseconds: number;
  readonly focalLength: number | undefined;
}

function run({ finder, follower, targets, maxTrack, holdMilliseconds, focalLength }: Parts): Player {
  const listeners: { [Name in keyof PlayerEvents]?: ((event: PlayerEvents[Name]) => void)[] } = {};
  const places: Place[] = targets.map(() => ({ state: "lost", heldSince: 0 }));
  /** Buffers that no worker has. */
  let spare: ArrayBuffer[] = [];
  const reader = createFrameReader();
  let source: FrameSource | null = null;
  const focal = new FocalEstimator();
  let only: number | null = null;
  /** Changes with every start and pause: replies about earlier frames are dropped. */
  let round = 0;
  let isReading = false;
  /** The round of the frame that the worker has; null when it is idle. */
  let finding: number | null = null;
  let following: number | null = null;
  let holdTimer: ReturnType<typeof setTimeout> | undefined;

  function emit<Name extends keyof PlayerEvents>(name: Name, event: PlayerEvents[Name]): void {
    for (const listener of listeners[name] ?? []) listener(event);
  }

  function fail(error: Error): void {
    close();
    emit("error", error);
  }

  const inState = (...states: Place["state"][]) =>
    places.flatMap(({ state }, target) => (states.includes(state) ? [target] : []));

  function takeBuffer({ width, height }: Size): ArrayBuffer {
    const bytes = width * height;
    spare = spare.filter(({ byteLength }) => byteLength === bytes);
    return spare.pop() ?? new ArrayBuffer(bytes);
  }

  /** Calls back for the next frame, with its time in seconds. */
  function nextFrame(from: FrameSource, callback: (time: number) => void): void {
    if ("requestVideoFrameCallback" in from) {
      from.requestVideoFrameCallback((_, { mediaTime }) => callback(mediaTime));
    } else requestAnimationFrame((milliseconds) => callback(milliseconds / 1000));
  }

  function watch(from: FrameSource, current: number): void {
    nextFrame(from, (time) => {
      if (current !== round) return;
      watch(from, current);
      look(from, time).catch(fail);
    });
  }

  /** Reads a frame and hands it to the workers that are idle and have something to do. */
  async function look(from: FrameSource, time: number): Promise<void> {
    const inFrame = inState("starting", "followed");
    const sought =
      only === null ? inState("lost", "held") : inState("lost", "held").filter((i) => i === only);
    const follows = () => inFrame.length > 0 && following === null;
    const finds = () => sought.length > 0 && inFrame.length < maxTrack && finding === null;
    const picture = sourceSize(from);
    if (isReading || picture.width === 0 || !(follows() || finds())) return;
    const current = round;
    const size = frameSize(picture);
    isReading = true;
    let frame: Frame;
    try {
      frame = await reader.read(from, size, takeBuffer(size));
    } finally {
      isReading = false;
    }
    if (current !== round) return;
    if (finds()) {
      const copy = follows() ? { ...frame, buffer: copyOf(frame, takeBuffer(size)) } : frame;
      finding = current;
      send(finder, { kind: "find", frame: copy, time, targets: sought }, copy);
    }
    if (follows()) {
      following = current;
      send(follower, { kind: "follow", frame, time }, frame);
    }
  }

  function send(worker: Worker, request: PlayerRequest, { buffer }: Frame): void {
    worker.postMessage(request, [buffer]);
  }

  function place(target: number, map: Homography, frame: Size, isHeld: boolean): void {
    if (!source) return;
    const picture = sourceSize(source);
    const homography = map.slice();
    for (let column = 0; column < 3; column++) {
      homography[column] *= picture.width / frame.width;
      homography[column + 3] *= picture.height / frame.height;
    }
    const size = targets[target];
    if (!isHeld) focal.add(homography, size, picture);
    const camera = {
      focal: focalLength ?? focal.focalIn(picture) ?? usualFocal(picture),
      x: picture.width / 2,
      y: picture.height / 2,
    };
    const pose = estimatePose(homography, size, camera);
    emit("pose", { target, homography, pose, focalLength: camera.focal, isHeld });
  }

  function receive({ data: reply }: MessageEvent<PlayerReply>): void {
    if (reply.kind === "found") receiveFound(reply);
    else if (reply.kind === "followed") receiveFollowed(reply);
    else if (reply.kind === "crashed") fail(new Error(reply.message));
  }

  function receiveFound({ frame, time, found }: Extract<PlayerReply, { kind: "found" }>): void {
    const isCurrent = finding === round;
    finding = null;
    spare.push(frame.buffer);
    if (!isCurrent) return;
    const out = inState("lost", "held");
    const room = maxTrack - (targets.length - out.length);
    const starting = found.filter(({ target }) => out.includes(target)).slice(0, room);
    for (const { target, map } of starting) {
      const isNew = places[target].state === "lost";
      places[target].state = "starting";
      if (isNew) emit("found", { target });
      place(target, map, frame, false);
    }
    if (starting.length > 0) {
      const size = { width: frame.width, height: frame.height };
      follower.postMessage({ kind: "start", found: starting, size, time } satisfies PlayerRequest);
    }
    emit("frame", undefined);
  }

  function receiveFollowed({ frame, targets: followed }: Extract<PlayerReply, { kind: "followed" }>): void {
    const isCurrent = following === round;
    following = null;
    spare.push(frame.buffer);
    if (!isCurrent) return;
    for (const { target, map, state } of followed) {
      if (state === "lost") hold(target);
      else {
        places[target].state = "followed";
        place(target, map, frame, state === "held");
      }
    }
    emit("frame", undefined);
  }

  /** Keeps a target at its place for a moment: it is often found again at once. */
  function hold(target: number): void {
    places[target].state = "held";
    places[target].heldSince = performance.now();
    clearTimeout(holdTimer);
    holdTimer = setTimeout(releaseHeld, holdMilliseconds);
  }

  function releaseHeld(): void {
    const now = performance.now();
    for (const target of inState("held")) {
      const left = places[target].heldSince + holdMilliseconds - now;
      if (left > 0) {
        clearTimeout(holdTimer);
        holdTimer = setTimeout(releaseHeld, left);
      } else lose(target);
    }
  }

  function lose(target: number): void {
    places[target].state = "lost";
    emit("lost", { target });
  }

  function pause(): void {
    round++;
    source = null;
    clearTimeout(holdTimer);
    for (const target of inState("starting", "followed", "held")) lose(target);
    follower.postMessage({ kind: "reset" } satisfies PlayerRequest);
  }

  function close(): void {
    pause();
    finder.terminate();
    follower.terminate();
    reader.close();
  }

  for (const worker of [finder, follower]) {
    worker.onmessage = receive;
    worker.onerror = (event) => fail(new Error(event.message || "The player's worker stopped."));
    worker.onmessageerror = () => fail(new Error("The player's worker sent an unreadable message."));
  }

  return {
    targets,
    on(name, listener) {
      (listeners[name] ??= [] as never).push(listener as never);
    },
    get only() {
      return only;
    },
    set only(target) {
      only = target;
    },
    start(from) {
      if (source) pause();
      source = from;
      round++;
      // A page that is busy with its own start may draw its next frame late.
      look(from, "currentTime" in from ? from.currentTime : performance.now() / 1000).catch(fail);
      watch(from, round);
    },
    pause,
    close,
  };
}

function copyOf({ buffer, width, height }: Frame, into: ArrayBuffer): ArrayBuffer {
  new Uint8Array(into).set(new Uint8Array(buffer, 0, width * height));
  return into;
}
