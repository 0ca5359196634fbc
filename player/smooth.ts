// Takes the tremble out of a target's place at rest, without a lag in motion.
//
// A place that is as near to the shown one as noise may bring it moves the shown one a little; one that is further
// away is shown as it is. Only distance tells the two apart, so that the first frame of a motion counts already.
// A low-pass filter that raises its cut-off with the speed (One-Euro) lags where a motion begins and turns.

import type { Size } from "../compiler/types.ts";
import { type Homography, imageToCorners, normalize, projectCorners } from "./homography.ts";

/**
 * Distance, in frame pixels, of a new place from the shown one that moves it half the way. A target that moves on and
 * on lags by at most half of it.
 */
const TREMBLE = 0.15;

/** Frames per second for which that holds; after a longer time, more of the new place counts. */
const RATE = 30;

/** Seconds without a place after which smoothing begins anew. */
const LONGEST_GAP = 0.5;

/** Smooths the places of one target. */
export class Smoother {
  readonly #size: Size;
  /** The shown corners. */
  readonly #corners = new Float64Array(8);
  readonly #map: Homography = new Float64Array(9);
  #time: number | null = null;

  constructor({ width, height }: Size) {
    this.#size = { width, height };
  }

  /** Forgets all places: the target was lost. */
  reset(): void {
    this.#time = null;
  }

  /**
   * Returns the smoothed place, which the next call overwrites.
   *
   * @param map from target pixels to frame pixels
   * @param time of the frame, in seconds
   */
  smooth(map: Homography, time: number): Homography {
    const places = projectCorners(map, this.#size);
    const corners = this.#corners;
    const elapsed = this.#time === null ? Number.POSITIVE_INFINITY : time - this.#time;
    this.#time = time;
    const placeOf = (i: number) => (i & 1 ? places[i >> 1].y : places[i >> 1].x);
    let square = 0;
    for (let i = 0; i < 8; i++) square += (placeOf(i) - corners[i]) ** 2 / 4;
    const isNext = elapsed > 0 && elapsed <= LONGEST_GAP;
    // One share for all, so that the corners do not move against each other.
    const kept = isNext ? (TREMBLE ** 2 / (TREMBLE ** 2 + square)) ** (RATE * elapsed) : 0;
    for (let i = 0; i < 8; i++) corners[i] = placeOf(i) + kept * (corners[i] - placeOf(i));
    const corner = (i: number) => ({ x: corners[2 * i], y: corners[2 * i + 1] });
    return normalize(imageToCorners(this.#size, [corner(0), corner(1), corner(2), corner(3)], this.#map));
  }
}
