// The radial distortion of a camera's lens, from how the patches of followed targets are displaced.
//
// A point at (x, y) from the frame's middle is seen at (1 + bend (x² + y²)) (x, y), in half diagonals of the frame.

import type { Size } from "../compiler/types.ts";
import { type Homography, imageToCorners, normalize, type Point, projectCorners } from "./homography.ts";
import type { BendEvidence } from "./motion.ts";

/** Expected bend of a camera before it was measured. */
const USUAL_BEND = 0.02;

/** Most information that one place counts for. */
const MOST_INFORMATION = 1 / USUAL_BEND ** 2;

/** Most information that is kept, so that the latest places count most. */
const MOST_KEPT = 40 * MOST_INFORMATION;

/** Bend that is not worth a correction, and the most that is corrected. */
const LEAST_BEND = 0.004;
const MOST_BEND = 0.12;

/** Least root mean square move of the corners, per frame height, between two places that count. */
const LEAST_CHANGE = 0.05;

export class Lens {
  /** The bend that is corrected. */
  bend = 0;
  readonly #target: Size;
  readonly #frame: Size;
  #measured = 0;
  #information = MOST_INFORMATION;
  readonly #counted: Float64Array = new Float64Array(8).fill(Number.POSITIVE_INFINITY);

  constructor(target: Size, frame: Size) {
    this.#target = target;
    this.#frame = frame;
  }

  /** Returns whether a place differs from the last one that counted; then it is the last one. */
  isNew(map: Homography): boolean {
    const corners = projectCorners(map, this.#target).flatMap(({ x, y }) => [x, y]);
    const square = corners.reduce((sum, value, i) => sum + (value - this.#counted[i]) ** 2 / 4, 0);
    if (square < (LEAST_CHANGE * this.#frame.height) ** 2) return false;
    this.#counted.set(corners);
    return true;
  }

  /** Adds what the patches say in one place. */
  add({ change, information }: BendEvidence): void {
    const counted = Math.min(information, MOST_INFORMATION);
    this.#information = Math.min(this.#information + counted, MOST_KEPT);
    const measured = this.#measured + (counted * (this.bend + change - this.#measured)) / this.#information;
    this.#measured = Math.min(Math.max(measured, -MOST_BEND), MOST_BEND);
    this.bend = Math.sign(measured) * Math.max(0, Math.abs(this.#measured) - LEAST_BEND);
  }

  /** Writes the map of a target as a camera without distortion sees it. */
  straighten(map: Homography, out: Homography): void {
    this.#move(map, out, (point) => {
      let scale = 1;
      for (let i = 0; i < 4; i++) scale = 1 / (1 + this.bend * this.#square(point) * scale * scale);
      return this.#scale(point, scale);
    });
  }

  /** The inverse of `straighten`: exact at the corners. */
  distort(map: Homography, out: Homography): void {
    this.#move(map, out, (point) => this.distortPoint(point));
  }

  /** Returns where the lens shows a point that a camera without distortion shows here. */
  distortPoint(point: Point): Point {
    return this.#scale(point, 1 + this.bend * this.#square(point));
  }

  #move(map: Homography, out: Homography, move: (point: Point) => Point): void {
    out.set(map);
    if (this.bend === 0) return;
    const [a, b, c, d] = projectCorners(map, this.#target);
    normalize(imageToCorners(this.#target, [move(a), move(b), move(c), move(d)], out));
  }

  /** Returns the square of a point's distance from the middle, in half diagonals of the frame. */
  #square({ x, y }: Point): number {
    const { width, height } = this.#frame;
    const square = (4 * ((x - width / 2) ** 2 + (y - height / 2) ** 2)) / (width ** 2 + height ** 2);
    // Nothing is known about the lens outside the frame.
    return Math.min(1, square);
  }

  #scale({ x, y }: Point, scale: number): Point {
    const { width, height } = this.#frame;
    return { x: width / 2 + (x - width / 2) * scale, y: height / 2 + (y - height / 2) * scale };
  }
}
