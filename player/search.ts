// Looks for the target near the expected place: it moved by more than gradients can tell.

import { chooseOctave } from "./align.ts";
import { compose, type Homography, normalize } from "./homography.ts";
import type { FramePyramid, Level } from "./levels.ts";

/** Pixels of the level that the target may have moved by. */
const REACH = 10;

/** Tries translations of one level. Allocates once. */
export class CoarseSearch {
  readonly #level: Level;
  /** The level less its mean, and the root of the sum of its squares. */
  readonly #template: Float32Array;
  readonly #norm: number;
  /** The frame around the expected place. */
  readonly #window: Float32Array;
  readonly #map: Homography = new Float64Array(9);

  constructor(level: Level) {
    const { width, height, data } = level;
    this.#level = level;
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    this.#template = data.map((value) => value - mean);
    this.#norm = Math.sqrt(this.#template.reduce((sum, value) => sum + value * value, 0));
    this.#window = new Float32Array((width + 2 * REACH) * (height + 2 * REACH));
  }

  /** Moves `map` to the translation that correlates most. Returns the correlation. */
  run(frame: FramePyramid, map: Homography): number {
    const level = this.#level;
    const octave = chooseOctave(map, level, frame.levels.length);
    const { data, width, height } = frame.levels[octave];
    const toFrame = compose(map, level.toTarget, this.#map);
    for (let i = 0; i < 6; i++) toFrame[i] /= 2 ** octave;
    this.#sample(toFrame, data, width, height);
    let best = -1;
    let bestX = 0;
    let bestY = 0;
    for (let y = 0; y <= 2 * REACH; y += 2) {
      for (let x = 0; x <= 2 * REACH; x += 2) {
        const correlation = this.#correlate(x, y);
        if (correlation <= best) continue;
        best = correlation;
        bestX = x;
        bestY = y;
      }
    }
    const [middleX, middleY] = [bestX, bestY];
    for (let y = Math.max(0, middleY - 1); y <= Math.min(2 * REACH, middleY + 1); y++) {
      for (let x = Math.max(0, middleX - 1); x <= Math.min(2 * REACH, middleX + 1); x++) {
        const correlation = this.#correlate(x, y);
        if (correlation <= best) continue;
        best = correlation;
        bestX = x;
        bestY = y;
      }
    }
    const [stepX, stepY] = [level.toTarget[0], level.toTarget[4]];
    compose(map, Float64Array.of(1, 0, (bestX - REACH) * stepX, 0, 1, (bestY - REACH) * stepY, 0, 0, 1), map);
    normalize(map);
    return best;
  }

  /** Samples the frame at the level's pixels and around them. Beyond its border, it goes on as at the border. */
  #sample([a, b, c, d, e, f, g, h, i]: Homography, data: Uint8Array, width: number, height: number): void {
    const window = this.#window;
    const columns = this.#level.width + 2 * REACH;
    const rows = this.#level.height + 2 * REACH;
    for (let row = 0, to = 0; row < rows; row++) {
      const v = row + 0.5 - REACH;
      for (let column = 0; column < columns; column++, to++) {
        const u = column + 0.5 - REACH;
        const w = 1 / (g * u + h * v + i);
        const x = Math.min(Math.max((a * u + b * v + c) * w - 0.5, 0), width - 1.001);
        const y = Math.min(Math.max((d * u + e * v + f) * w - 0.5, 0), height - 1.001);
        const x0 = x | 0;
        const y0 = y | 0;
        const at = y0 * width + x0;
        const upper = data[at] + (x - x0) * (data[at + 1] - data[at]);
        const lower = data[at + width] + (x - x0) * (data[at + width + 1] - data[at + width]);
        window[to] = upper + (y - y0) * (lower - upper);
      }
    }
  }

  #correlate(left: number, top: number): number {
    const { width, height } = this.#level;
    const template = this.#template;
    const window = this.#window;
    const stride = width + 2 * REACH;
    let sum = 0;
    let squares = 0;
    let products = 0;
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0, from = (top + row) * stride + left; column < width; column++, at++, from++) {
        const value = window[from];
        sum += value;
        squares += value * value;
        products += value * template[at];
      }
    }
    const variance = squares - (sum * sum) / template.length;
    return products / (this.#norm * Math.sqrt(variance + template.length));
  }
}
