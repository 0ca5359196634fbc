// The focal length of a camera, from how it sees flat targets that are tilted.
//
// Source: Zhang, A Flexible New Technique for Camera Calibration (2000). A target has two perpendicular axes of the same
// scale, which a place in the frame shows for one focal length only, unless the target is seen from the front.

import type { Size } from "../compiler/types.ts";
import type { Homography } from "./homography.ts";

/** Focal length of most phones' main cameras, per longer side of the frame. */
const USUAL_FOCAL = 0.79;

/** Range of focal lengths, per longer side of the frame. */
const LEAST_FOCAL = 0.3;
const MOST_FOCAL = 4;

/** Expected error of a corner, in pixels of a frame of this shorter side. */
const CORNER_ERROR = 0.2;
const REFERENCE_SIDE = 480;

/** Expected error of an estimate, as a share of the focal length, above which it does not count. */
const MOST_ERROR = 0.05;

/** Square of the sine of the least tilt, 20°: with less of it, noise looks like tilt. */
const LEAST_TILT = Math.sin(Math.PI / 9) ** 2;

/** Least change between two places that count, in half sides of the target or of its foreshortening. */
const LEAST_CHANGE = 0.12;

/** Estimates that are kept, the latest ones, and how many are needed. */
const KEPT = 48;
const NEEDED = 6;

/** Returns the focal length, in pixels, that most phones' cameras have in frames of this size. */
export function usualFocal({ width, height }: Size): number {
  return USUAL_FOCAL * Math.max(width, height);
}

interface Estimate {
  /** Square of the frame's longer side per focal length, and how much it counts. */
  readonly value: number;
  readonly weight: number;
}

/** Estimates the focal length of one camera. The camera's axis meets the middle of its frames. */
export class FocalEstimator {
  readonly #estimates: Estimate[] = [];
  #next = 0;
  /** The last place that counted: the target's middle in half sides, and its foreshortening. */
  readonly #last = new Float64Array(4).fill(Number.POSITIVE_INFINITY);
  /** The focal length per longer side of the frame. */
  #share: number | null = null;

  /** Adds a place. @param map from pixels of a target of this size to pixels of a frame of this size */
  add(map: Homography, target: Size, frame: Size): void {
    const estimate = this.#estimate(map, target, frame);
    if (!estimate) return;
    this.#estimates[this.#next] = estimate;
    this.#next = (this.#next + 1) % KEPT;
    if (this.#estimates.length >= NEEDED) this.#share = this.#settle();
  }

  /**
   * Returns the focal length in pixels of a frame of this size, which may be of another size than those before, or
   * turned; null until enough different tilted places were seen.
   */
  focalIn({ width, height }: Size): number | null {
    return this.#share && this.#share * Math.max(width, height);
  }

  /** Returns the estimate of one place; null if it says little, or nothing new. */
  #estimate(map: Homography, { width, height }: Size, frame: Size): Estimate | null {
    const unit = Math.max(width, height) / 2;
    const [x, y] = [width / 2, height / 2];
    const depth = map[6] * x + map[7] * y + map[8];
    const middle = {
      x: (map[0] * x + map[1] * y + map[2]) / depth - frame.width / 2,
      y: (map[3] * x + map[4] * y + map[5]) / depth - frame.height / 2,
    };
    // The images of the target's axes, a half side long, if its middle is at depth 1.
    const axis = (at: number) => {
      const away = (map[6 + at] * unit) / depth;
      return {
        x: (map[at] * unit) / depth - (frame.width / 2) * away,
        y: (map[3 + at] * unit) / depth - (frame.height / 2) * away,
        away,
      };
    };
    const [right, down] = [axis(0), axis(1)];
    // In space the axes are perpendicular and of one length: flat / focal² + deep = 0, for both entries.
    const flat = [
      2 * (right.x * down.x + right.y * down.y),
      right.x ** 2 + right.y ** 2 - down.x ** 2 - down.y ** 2,
    ];
    const deep = [2 * right.away * down.away, right.away ** 2 - down.away ** 2];
    const sum = right.x ** 2 + right.y ** 2 + down.x ** 2 + down.y ** 2;
    const difference = Math.hypot(flat[0], flat[1]);
    const square = (sum + difference) / 2;
    const tilt = difference / square;
    if (!(tilt >= LEAST_TILT)) return null;
    const noise = (CORNER_ERROR * Math.min(frame.width, frame.height)) / REFERENCE_SIDE;
    const error = (noise * usualFocal(frame)) / (square * Math.sqrt(tilt));
    if (error > MOST_ERROR) return null;
    const side = Math.sqrt(square);
    const place = [middle.x / side, middle.y / side, flat[0] / square, flat[1] / square];
    if (Math.hypot(...place.map((value, i) => value - this.#last[i])) < LEAST_CHANGE) return null;
    this.#last.set(place);
    const longer = Math.max(frame.width, frame.height);
    const value = (-(flat[0] * deep[0] + flat[1] * deep[1]) * longer ** 2) / difference ** 2;
    return { value, weight: 1 / error };
  }

  /** Returns the weighted median of the estimates; null if it is not possible. */
  #settle(): number | null {
    const sorted = this.#estimates.toSorted((a, b) => a.value - b.value);
    const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
    let at = 0;
    for (let below = sorted[0].weight; below < half; ) below += sorted[++at].weight;
    const share = 1 / Math.sqrt(sorted[at].value);
    return share >= LEAST_FOCAL && share <= MOST_FOCAL ? share : null;
  }
}
