// The player of a page: takes frames from a <video>, has them searched and followed in two workers, and tells where
// the targets are.

import { InvalidMarkerError } from "../../compiler/invalid-marker.ts";
import { FocalEstimator, usualFocal } from "../focal.ts";
import type { Homography } from "../homography.ts";
import { estimatePose, type Pose } from "../pose.ts";
import type { SeenPlace } from "../tracker.ts";
import { type FrameStream, openSource, openTrack, type Shot } from "./frames.ts";
import {
  isVideoFrame,
  type Picture,
  type PlayerReply,
  type PlayerRequest,
  type Role,
  type Size,
  type Trace,
} from "./protocol.ts";
import { type FrameSource, sourceSize } from "./readers.ts";

export interface PlayerOptions {
  /** The bytes of a `.mind` file, or of its compact form. They are copied. */
  readonly marker: ArrayBuffer;
  /** Most targets that are followed at the same time. Default: 1. */
  readonly maxTrack?: number;
  /** How long a target that is out of sight stays at its last place before it is lost. Default: 500. */
  readonly holdMilliseconds?: number;
  /** The camera's focal length in pixels of the video. When absent, it is estimated from places that are tilted. */
  readonly focalLength?: number;
  /**
   * Emits `trace` for each frame, for a debug view. Targets are then looked for also while they are followed, which costs
   * time. Default: false.
   */
  readonly isTraced?: boolean;
}

/** What a worker saw in a frame. */
export interface PlayerTrace extends Trace {
  readonly role: Role;
  /** Size of the grey frame, to whose pixels the places belong. */
  readonly frame: Size;
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
  trace: PlayerTrace;
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

/** How long a target that is out of sight stays at its last place by default. */
export const HOLD_MILLISECONDS = 500;

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
  /** Where it was seen last. */
  seen: SeenPlace | null;
}

/**
 * Starts a player for a marker. Resolves when it is ready to find its targets.
 *
 * @throws InvalidMarkerError for bytes that are not a `.mind` file; Error when a worker cannot start
 */
export async function createPlayer({
  marker,
  maxTrack = 1,
  holdMilliseconds = HOLD_MILLISECONDS,
  focalLength,
  isTraced = false,
}: PlayerOptions): Promise<Player> {
  const finder = startWorker("find");
  const follower = startWorker("follow");
  const close = () => {
    finder.terminate();
    follower.terminate();
  };
  try {
    const load = (worker: Worker, role: Role) =>
      startWith(worker, { kind: "load", role, marker, frame: USUAL_FRAME, isTraced });
    // The follower gets ready while the finder searches. Its failure until then is the player's.
    const following = load(follower, "follow").then(() => new Promise<never>(() => {}));
    const targets = await Promise.race([load(finder, "find"), following]);
    following.catch(() => undefined);
    return run({ finder, follower, targets, maxTrack, holdMilliseconds, focalLength, isTraced });
  } catch (error) {
    close();
    throw error;
  }
}

function startWith(worker: Worker, request: PlayerRequest): Promise<readonly Size[]> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: reply }: MessageEvent<PlayerReply>) => {
      if (reply.kind === "loaded") resolve(reply.targets);
      else if (reply.kind === "refused") reject(new InvalidMarkerError(reply.fault, reply.message));
      else if (reply.kind === "crashed") reject(new Error(reply.message));
    };
    worker.onerror = (event) => reject(new Error(event.message || "The player's worker could not start."));
    worker.postMessage(request);
  });
}

interface Parts {
  readonly finder: Worker;
  readonly follower: Worker;
  readonly targets: readonly Size[];
  readonly maxTrack: number;
  readonly holdMilliseconds: number;
  readonly focalLength: number | undefined;
  readonly isTraced: boolean;
}

function run({
  finder,
  follower,
  targets,
  maxTrack,
  holdMilliseconds,
  focalLength,
  isTraced,
}: Parts): Player {
  const listeners: { [Name in keyof PlayerEvents]?: ((event: PlayerEvents[Name]) => void)[] } = {};
  const places: Place[] = targets.map(() => ({ state: "lost", heldSince: 0, seen: null }));
  /** Buffers that no worker has. */
  let spare: ArrayBuffer[] = [];
  let source: FrameSource | null = null;
  let frames: FrameStream | null = null;
  const focal = new FocalEstimator();
  let only: number | null = null;
  /** Changes with every start and pause: replies about earlier frames are dropped. */
  let round = 0;
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

  function takeBuffer(bytes: number): ArrayBuffer {
    spare = spare.filter(({ byteLength }) => byteLength === bytes);
    return spare.pop() ?? new ArrayBuffer(bytes);
  }

  /** Looks at the pictures of a source until the round ends. */
  async function watch(from: FrameSource): Promise<void> {
    const current = round;
    frames = openTrack(from) ?? openSource(from, takeBuffer);
    while (true) {
      const shot = await frames.next();
      if (current !== round) return shot?.drop();
      if (shot) await look(shot);
      // The camera's track has ended, or its pictures cannot be read.
      else frames = openSource(from, takeBuffer);
    }
  }

  /** Hands a picture to the workers that are idle and have something to do. */
  async function look(shot: Shot): Promise<void> {
    const out = () => (isTraced ? [...places.keys()] : inState("lost", "held"));
    const sought = () => (only === null ? out() : out().filter((i) => i === only));
    const inFrame = () => inState("starting", "followed").length;
    const follows = () => following === null && inFrame() > 0;
    const finds = () => finding === null && (isTraced || inFrame() < maxTrack) && sought().length > 0;
    if (!(follows() || finds())) return shot.drop();
    const current = round;
    const { time } = shot;
    const picture = await shot.take();
    // A worker may have replied in the time.
    const isOld = current !== round;
    const [forFollower, forFinder] = [!isOld && follows(), !isOld && finds()];
    if (forFinder) {
      finding = current;
      const own = forFollower ? copyOf(picture) : picture;
      const seen = inState("lost", "held").flatMap((target) => places[target].seen ?? []);
      send(finder, { kind: "find", picture: own, time, targets: sought(), seen });
    }
    if (forFollower) {
      following = current;
      send(follower, { kind: "follow", picture, time });
    }
    if (!(forFinder || forFollower)) release(picture);
  }

  function release(picture: Picture): void {
    if (isVideoFrame(picture)) picture.close();
    else spare.push(picture.buffer);
  }

  function send(worker: Worker, request: Extract<PlayerRequest, { readonly picture: Picture }>): void {
    const { picture } = request;
    worker.postMessage(request, [isVideoFrame(picture) ? picture : picture.buffer]);
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
    if (!isHeld) {
      places[target].seen = { target, map, frame };
      focal.add(homography, size, picture);
    }
    const camera = {
      focal: focalLength ?? focal.focalIn(picture) ?? usualFocal(picture),
      x: picture.width / 2,
      y: picture.height / 2,
    };
    const pose = estimatePose(homography, size, camera);
    emit("pose", { target, homography, pose, focalLength: camera.focal, isHeld });
  }

  function receive({ data: reply }: MessageEvent<PlayerReply>): void {
    if ("buffer" in reply && reply.buffer) spare.push(reply.buffer);
    if ("trace" in reply && reply.trace) {
      emit("trace", { ...reply.trace, frame: reply.frame, role: reply.kind === "found" ? "find" : "follow" });
    }
    if (reply.kind === "found") receiveFound(reply);
    else if (reply.kind === "followed") receiveFollowed(reply);
    else if (reply.kind === "unreadable") receiveUnreadable(reply);
    else if (reply.kind === "crashed" || reply.kind === "refused") fail(new Error(reply.message));
  }

  function receiveFound({ frame, time, found }: Extract<PlayerReply, { kind: "found" }>): void {
    const isCurrent = finding === round;
    finding = null;
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
      follower.postMessage({ kind: "start", found: starting, size: frame, time } satisfies PlayerRequest);
    }
    emit("frame", undefined);
  }

  function receiveFollowed({ frame, targets: followed }: Extract<PlayerReply, { kind: "followed" }>): void {
    const isCurrent = following === round;
    following = null;
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

  function receiveUnreadable({ role }: Extract<PlayerReply, { kind: "unreadable" }>): void {
    const isCurrent = (role === "find" ? finding : following) === round;
    if (role === "find") finding = null;
    else following = null;
    if (isCurrent) frames?.close();
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
    frames?.close();
    frames = null;
    clearTimeout(holdTimer);
    for (const target of inState("starting", "followed", "held")) lose(target);
    for (const known of places) known.seen = null;
    follower.postMessage({ kind: "reset" } satisfies PlayerRequest);
  }

  function close(): void {
    pause();
    finder.terminate();
    follower.terminate();
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
      watch(from).catch(fail);
    },
    pause,
    close,
  };
}

function copyOf(picture: Picture): Picture {
  return isVideoFrame(picture) ? picture.clone() : { ...picture, buffer: picture.buffer.slice(0) };
}
