// Takes the tremble out of a target's place at rest, without a lag in motion.
//
// One-Euro filter on the corners in the frame: the faster they move, the less is smoothed.
// Source: Casiez, Roussel and Vogel, 1 € Filter: A Simple Speed-based Low-pass Filter (2012).

import { type Homography, imageToCorners, normalize, projectCorners } from "./homography.ts";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Cut-off frequency at rest, in hertz. */
const CUTOFF = 1;

/** Hertz by which each pixel per second raises it. The lag in pixels stays below 1 / (2 π × this). */
const RAISE = 1.6;

/** Cut-off frequency, in hertz, at which the speed is smoothed. */
const SPEED_CUTOFF = 1;

/** Seconds without a place after which smoothing begins anew. */
const LONGEST_GAP = 0.5;

/** Smooths the places of one target. */
export class Smoother {
  readonly #size: Size;
  /** The smoothed corners, and their smoothed velocities in pixels per second. */
  readonly #corners = new Float64Array(8);
  readonly #velocities = new Float64Array(8);
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
    const velocities = this.#velocities;
    const elapsed = this.#time === null ? Number.POSITIVE_INFINITY : time - this.#time;
    this.#time = time;
    if (!(elapsed > 0 && elapsed <= LONGEST_GAP)) {
      velocities.fill(0);
      places.forEach(({ x, y }, i) => {
        corners[2 * i] = x;
        corners[2 * i + 1] = y;
      });
      return normalize(imageToCorners(this.#size, places, this.#map));
    }
    const speedShare = shareOf(SPEED_CUTOFF, elapsed);
    let squares = 0;
    for (let i = 0; i < 8; i++) {
      const place = i & 1 ? places[i >> 1].y : places[i >> 1].x;
      velocities[i] += speedShare * ((place - corners[i]) / elapsed - velocities[i]);
      squares += velocities[i] ** 2;
    }
    // One cut-off for all, so that the corners do not move against each other.
    const share = shareOf(CUTOFF + RAISE * Math.sqrt(squares / 4), elapsed);
    for (let i = 0; i < 8; i++) {
      const place = i & 1 ? places[i >> 1].y : places[i >> 1].x;
      corners[i] += share * (place - corners[i]);
    }
    const corner = (i: number) => ({ x: corners[2 * i], y: corners[2 * i + 1] });
    return normalize(imageToCorners(this.#size, [corner(0), corner(1), corner(2), corner(3)], this.#map));
  }
}

/** Returns how much of a new value a low-pass filter of this cut-off, in hertz, takes over. */
function shareOf(cutoff: number, elapsed: number): number {
  const rate = 2 * Math.PI * cutoff * elapsed;
  return rate / (rate + 1);
}
