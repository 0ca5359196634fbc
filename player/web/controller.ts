// A replacement of MindAR's Controller: its A-Frame and three.js wrappers run on it by an import alias.
//
// The constructor, the methods that the wrappers call, the messages of `onUpdate` and the matrices are those of mind-ar
// 1.2.5 (image-target/controller.js). Its debugging aids are left out: `showTFStats`, `detect`, `match`, `track`,
// `trackUpdate`, and the data of points that loading a marker returns.

import { type Camera, estimatePose, type Pose, stockCamera } from "../pose.ts";
import { trackOf } from "./frames.ts";
import { createPlayer, HOLD_MILLISECONDS, type Player } from "./player.ts";
import { type FrameSource, sourceSize } from "./readers.ts";

export type ControllerUpdate =
  | {
      readonly type: "updateMatrix";
      readonly targetIndex: number;
      /** Column-major 4 × 4, from target pixels with y up to OpenGL's camera; null when the target is lost. */
      readonly worldMatrix: number[] | null;
    }
  /** A frame has been processed. */
  | { readonly type: "processDone" };

export interface ControllerOptions {
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly onUpdate?: ((update: ControllerUpdate) => void) | null;
  readonly maxTrack?: number;
  /**
   * Frames for which a target is followed before it is shown. MindAR waits for 5 because it finds wrong places; the
   * player checks a place before it tells of it, so that the default is 0.
   */
  readonly warmupTolerance?: number | null;
  /** Frames for which a target stays at its place when it is out of sight. Default: half a second. */
  readonly missTolerance?: number | null;
  /** Accepted and not used: the player's places do not jitter. */
  readonly filterMinCF?: number | null;
  readonly filterBeta?: number | null;
  readonly debugMode?: boolean;
}

const NEAR = 10;
const FAR = 100_000;
/** Milliseconds of a frame of a camera, for `missTolerance`. */
const FRAME_MILLISECONDS = 1000 / 30;

export class Controller {
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly maxTrack: number;
  onUpdate: ((update: ControllerUpdate) => void) | null;
  /** Width and height of each target, pixels. */
  markerDimensions: [number, number][] | null = null;
  readonly #warmupTolerance: number;
  readonly #holdMilliseconds: number;
  readonly #camera: Camera;
  #player: Player | null = null;
  /** Loaded last, to start the player again after the camera was off. */
  #marker: ArrayBuffer | null = null;
  #source: FrameSource | null = null;
  #isDisposed = false;
  #interestedTargetIndex = -1;
  /** Frames for which each target has been followed. */
  #counts: number[] = [];
  /** Targets that have a matrix, and those of them that have not been found again since the last pause. */
  readonly #shown = new Set<number>();
  readonly #frozen = new Set<number>();
  #frozenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ControllerOptions) {
    this.inputWidth = options.inputWidth;
    this.inputHeight = options.inputHeight;
    this.maxTrack = options.maxTrack ?? 1;
    this.onUpdate = options.onUpdate ?? null;
    this.#warmupTolerance = options.warmupTolerance ?? 0;
    const { missTolerance } = options;
    this.#holdMilliseconds =
      typeof missTolerance === "number" ? missTolerance * FRAME_MILLISECONDS : HOLD_MILLISECONDS;
    this.#camera = stockCamera({ width: options.inputWidth, height: options.inputHeight });
  }

  /** Intrinsic camera matrix, row-major, in input pixels. */
  get projectionTransform(): number[][] {
    const { focal, x, y } = this.#camera;
    return [
      [focal, 0, x],
      [0, focal, y],
      [0, 0, 1],
    ];
  }

  /** The only target to find; -1 for all. */
  get interestedTargetIndex(): number {
    return this.#interestedTargetIndex;
  }

  set interestedTargetIndex(index: number) {
    this.#interestedTargetIndex = index;
    if (this.#player) this.#player.only = index === -1 ? null : index;
  }

  /**
   * Loads a `.mind` file.
   *
   * @throws Error when the address cannot be loaded; InvalidMarkerError for another file
   */
  async addImageTargets(fileURL: string): Promise<{ dimensions: [number, number][] }> {
    const response = await fetch(fileURL);
    if (!response.ok) throw new Error(`${fileURL} returned ${response.status}.`);
    return this.addImageTargetsFromBuffer(await response.arrayBuffer());
  }

  /**
   * Loads the bytes of a `.mind` file. Unlike MindAR's, it is asynchronous.
   *
   * @throws InvalidMarkerError
   */
  async addImageTargetsFromBuffer(marker: ArrayBuffer): Promise<{ dimensions: [number, number][] }> {
    this.#close();
    const holdMilliseconds = this.#holdMilliseconds;
    const player = await createPlayer({ marker, maxTrack: this.maxTrack, holdMilliseconds });
    this.#close();
    if (this.#isDisposed) player.close();
    else {
      this.#player = player;
      this.#marker = marker;
    }
    this.interestedTargetIndex = this.#interestedTargetIndex;
    const dimensions = player.targets.map(({ width, height }): [number, number] => [width, height]);
    this.markerDimensions = dimensions;
    this.#counts = dimensions.map(() => 0);
    player.on("found", ({ target }) => {
      this.#counts[target] = 0;
      this.#frozen.delete(target);
    });
    player.on("pose", ({ target, homography }) => {
      if (this.#counts[target]++ < this.#warmupTolerance) return;
      const pose = estimatePose(homography, player.targets[target], this.#currentCamera());
      this.#shown.add(target);
      const worldMatrix = this.getWorldMatrix(rowsOf(pose), target);
      this.onUpdate?.({ type: "updateMatrix", targetIndex: target, worldMatrix });
    });
    // A paused player loses its targets.
    player.on("lost", ({ target }) => this.#source && this.#lose(target));
    player.on("frame", () => {
      if (this.#frozen.size > 0) this.#frozenTimer ??= setTimeout(this.#loseFrozen, holdMilliseconds);
      this.onUpdate?.({ type: "processDone" });
    });
    // MindAR's interface has no message for it.
    player.on("error", (error) => console.error("The player stopped.", error));
    if (this.#source) this.#player?.start(this.#source);
    return { dimensions };
  }

  /** The player has nothing to warm up. */
  dummyRun(_input: FrameSource): void {}

  /** Looks for the targets in a playing video, or in a canvas, until `stopProcessVideo`; once they are loaded. */
  processVideo(input: FrameSource): void {
    if (this.#source) return;
    this.#source = input;
    if (this.#player) this.#player.start(input);
    else if (this.#marker) {
      this.addImageTargetsFromBuffer(this.#marker).catch((error) =>
        console.error("The player could not start again.", error),
      );
    }
  }

  /**
   * Stops until `processVideo`. As with MindAR's, targets in sight keep their matrices. Unlike with MindAR's, those that
   * are gone afterwards are lost.
   */
  stopProcessVideo(): void {
    const source = this.#source;
    if (!source) return;
    this.#source = null;
    const track = trackOf(source);
    this.#player?.pause();
    this.#thaw();
    for (const target of this.#shown) this.#frozen.add(target);
    // MindAR's three.js wrapper stops the camera next, and drops the Controller without `dispose`.
    queueMicrotask(() => {
      if (!this.#source && track?.readyState === "ended") this.#close();
    });
  }

  /** Ends the player for good, also one that is still loading. */
  dispose(): void {
    this.#isDisposed = true;
    this.#source = null;
    this.#close();
    this.#marker = null;
  }

  /** Ends the player, if there is one, and tells that its targets are lost. */
  #close(): void {
    this.#player?.close();
    this.#player = null;
    this.#thaw();
    for (const target of this.#shown) this.#lose(target);
  }

  #thaw(): void {
    clearTimeout(this.#frozenTimer);
    this.#frozenTimer = undefined;
    this.#frozen.clear();
  }

  #lose(target: number): void {
    if (!this.#shown.delete(target)) return;
    this.onUpdate?.({ type: "updateMatrix", targetIndex: target, worldMatrix: null });
  }

  readonly #loseFrozen = () => {
    for (const target of this.#frozen) this.#lose(target);
    this.#thaw();
  };

  /** Returns OpenGL's projection matrix of the camera, column-major 4 × 4. */
  getProjectionMatrix(): number[] {
    const { focal, x, y } = this.#camera;
    const depth = FAR - NEAR;
    return [
      ...[(2 * focal) / this.inputWidth, 0, 0, 0],
      ...[0, (2 * focal) / this.inputHeight, 0, 0],
      ...[1 - (2 * x) / this.inputWidth, 1 - (2 * y) / this.inputHeight, -(FAR + NEAR) / depth, -1],
      ...[0, 0, (-2 * FAR * NEAR) / depth, 0],
    ];
  }

  /**
   * Returns the world matrix of a model-view transform, rows of a 3 × 4 matrix from target pixels with y down to the
   * camera with y down.
   */
  getWorldMatrix(modelViewTransform: readonly (readonly number[])[], targetIndex: number): number[] {
    const height = this.markerDimensions![targetIndex][1];
    const [[a, b, c, x], [d, e, f, y], [g, h, i, z]] = modelViewTransform;
    return [
      ...[a, -d, -g, 0],
      ...[-b, e, h, 0],
      ...[-c, f, i, 0],
      ...[b * height + x, -(e * height + y), -(h * height + z), 1],
    ];
  }

  /** Returns a matrix turned by 90° about the camera's axis. */
  getRotatedZ90Matrix(m: readonly number[]): number[] {
    return [0, 4, 8, 12].flatMap((at) => [-m[at + 1], m[at], m[at + 2], m[at + 3]]);
  }

  /** The camera of a phone that was turned has the same focal length and another middle. */
  #currentCamera(): Camera {
    const { width, height } = this.#source ? sourceSize(this.#source) : { width: 0, height: 0 };
    const isRotated = width === this.inputHeight && height === this.inputWidth;
    const { focal, x, y } = this.#camera;
    return isRotated ? { focal, x: y, y: x } : { focal, x, y };
  }
}

/** Stands for MindAR's compiler, which its A-Frame wrapper imports and does not use. */
export class Compiler {
  /** @throws Error always */
  constructor() {
    throw new Error(
      "MindAR's Compiler is not part of Vivimark's player. Compile photos with the package vivimark.",
    );
  }
}

function rowsOf({ rotation, translation }: Pose): number[][] {
  return [0, 1, 2].map((row) => [...rotation.subarray(3 * row, 3 * row + 3), translation[row]]);
}
