// Direct alignment: moves the map from the target to the frame until the frame, seen through the map, looks like
// the target.
//
// Efficient second-order minimization: each step uses the mean of the gradients of the target and of the warped
// frame, and so converges quadratically without second derivatives.
// Source: Malis, Improving vision-based control using efficient second-order minimization techniques (2004);
// Benhimane and Malis, Real-time image-based tracking of planes using efficient second-order minimization (2004).

import type { GreyImage } from "../compiler/types.ts";
import { solve } from "./equations.ts";
import { compose, type Homography, invert, normalize } from "./homography.ts";
import type { FramePyramid, Level } from "./levels.ts";

/** Cells per side of a level of at least 32 pixels; smaller levels have fewer. */
const CELLS = 8;

/** Shorter side, in pixels, of the smallest cell. */
const SMALLEST_CELL_SIDE = 4;

/** Deviation of the target's grey levels above which a cell is textured, and share of the level's deviation. */
const LEAST_DEVIATION = 3;
const LEAST_SHARE = 0.2;

/** Standard deviation, in grey levels, of the noise that correlations allow for. */
const NOISE = 1.5;

/** Marks a pixel outside the frame. */
const OUTSIDE = -1;

/** Grey level from which a pixel of the frame is overexposed, and the least share of them that matters. */
const WHITE = 253;
const LEAST_WHITE = 0.02;

export interface AlignOptions {
  /** Most steps. */
  readonly steps: number;
  /** Cells that do not count, by 0: an occluding object. All count when absent. */
  readonly mask?: Uint8Array;
}

/** The result of an alignment. Its arrays are reused by the next one of the same aligner. */
export interface Alignment {
  /** From target pixels to frame pixels, with 1 as last entry. */
  readonly map: Homography;
  /** Root mean square of the weighted differences, as a share of the target's deviation. */
  residual: number;
  /** Correlation over all textured cells in the frame, -1…1. */
  correlation: number;
  /** Share of the textured cells in the frame that correlate, 0…1. */
  agreement: number;
  /** Mean of -ln(1 - correlation²) over these cells: a few that look the same count more than many that do roughly. */
  likeness: number;
  /** Share of the textured cells that are in the frame, 0…1. */
  visibility: number;
  /** Correlation of each cell, row-major, -1…1; 0 outside the frame. */
  readonly cells: Float32Array;
  /** The steps taken. */
  steps: number;
}

/** Correlation from which a cell agrees. */
const AGREES = 0.5;

/** Largest move of a corner, in level pixels, that ends the steps. */
const CONVERGED = 0.01;

/** Aligns one level of a target with frames. Allocates once. */
export class Aligner {
  readonly level: Level;
  /** Number of cells per side. */
  readonly side: number;
  /** Whether each cell has enough texture to be compared. */
  readonly textured: Uint8Array;
  readonly #columns: Uint8Array;
  readonly #rows: Uint8Array;
  /** From normalized coordinates, -1…1 on the longer side, to target pixels; and back. */
  readonly #toTarget: Homography;
  readonly #fromTarget: Homography;
  readonly #unit: number;
  readonly #warped: Float32Array;
  readonly #errors: Float32Array;
  /** Sums of each cell: pixels, target, squares of it, frame, squares of it, products. */
  readonly #sums: Float64Array;
  readonly #weights: Float32Array;
  readonly #normal = new Float64Array(72);
  readonly #map: Homography = new Float64Array(9);
  readonly #step: Homography = new Float64Array(9);
  readonly #result: Alignment;

  constructor(level: Level) {
    const { width, height } = level;
    this.level = level;
    this.side = Math.max(1, Math.min(CELLS, Math.floor(Math.min(width, height) / SMALLEST_CELL_SIDE)));
    this.#columns = divide(width, this.side);
    this.#rows = divide(height, this.side);
    this.#unit = Math.max(width, height) / 2;
    this.#toTarget = compose(
      level.toTarget,
      Float64Array.of(this.#unit, 0, width / 2, 0, this.#unit, height / 2, 0, 0, 1),
    );
    this.#fromTarget = invert(this.#toTarget);
    this.#warped = new Float32Array(width * height);
    this.#wanted = level.data;
    this.#clipped = new Float32Array(width * height);
    this.#errors = new Float32Array(width * height);
    const cells = this.side * this.side;
    this.#sums = new Float64Array(6 * cells);
    this.#weights = new Float32Array(cells);
    this.textured = findTexture(level, this.#columns, this.#rows, cells);
    this.#result = {
      map: new Float64Array(9),
      residual: 0,
      correlation: 0,
      agreement: 0,
      likeness: 0,
      visibility: 0,
      cells: new Float32Array(cells),
      steps: 0,
    };
  }

  /** Aligns from `map`, which is not changed. With 0 steps, only compares. */
  align(frame: FramePyramid, map: Homography, { steps, mask }: AlignOptions): Alignment {
    const { level } = this;
    const result = this.#result;
    const octave = chooseOctave(map, level, frame.levels.length);
    const grey = frame.levels[octave];
    const current = compose(map, this.#toTarget, this.#map);
    scaleRows(current, 1 / 2 ** octave);
    normalize(current);
    for (result.steps = 0; ; ) {
      this.#warp(grey, current);
      this.#clip();
      this.#sumCells();
      this.#compare(mask, result.steps > 0 || mask !== undefined);
      if (result.steps === steps) break;
      if (!this.#accumulate()) break;
      result.steps++;
      const move = this.#move(current);
      if (!(move < level.width + level.height)) break;
      if (move < CONVERGED) break;
    }
    scaleRows(current, 2 ** octave);
    normalize(compose(current, this.#fromTarget, result.map));
    return result;
  }

  /** Writes the frame's grey levels at the level's pixels. */
  #warp({ data, width, height }: GreyImage, map: Homography): void {
    const { width: columns, height: rows } = this.level;
    const out = this.#warped;
    const [a, b, c, d, e, f, g, h, i] = map;
    const step = 1 / this.#unit;
    const left = (0.5 - columns / 2) * step;
    for (let row = 0, to = 0; row < rows; row++) {
      const y = (row + 0.5 - rows / 2) * step;
      const x0 = a * left + b * y + c;
      const y0 = d * left + e * y + f;
      const w0 = g * left + h * y + i;
      for (let column = 0; column < columns; column++, to++) {
        const along = column * step;
        const inverse = 1 / (w0 + g * along);
        const x = (x0 + a * along) * inverse - 0.5;
        const y = (y0 + d * along) * inverse - 0.5;
        if (!(x >= 0 && y >= 0 && x < width - 1 && y < height - 1)) {
          out[to] = OUTSIDE;
          continue;
        }
        const column0 = x | 0;
        const row0 = y | 0;
        const dx = x - column0;
        const dy = y - row0;
        const at = row0 * width + column0;
        const upper = data[at] + dx * (data[at + 1] - data[at]);
        const lower = data[at + width] + dx * (data[at + width + 1] - data[at + width]);
        out[to] = upper + dy * (lower - upper);
      }
    }
  }

  /** What the frame can show of the target. */
  #wanted: Float32Array;
  readonly #clipped: Float32Array;

  /**
   * Clips the target's brightest levels as the frame clips them: to the level above which as many of the target's
   * pixels lie as are white in the frame.
   */
  #clip(): void {
    const { data } = this.level;
    const warped = this.#warped;
    let white = 0;
    for (let i = 0; i < warped.length; i++) if (warped[i] >= WHITE) white++;
    this.#wanted = data;
    if (white < LEAST_WHITE * warped.length) return;
    const counts = new Uint32Array(256);
    for (let i = 0; i < data.length; i++) if (warped[i] !== OUTSIDE) counts[data[i] | 0]++;
    let level = 255;
    for (let above = counts[255]; level > 0 && above < white; ) above += counts[--level];
    const clipped = this.#clipped;
    for (let i = 0; i < data.length; i++) clipped[i] = Math.min(data[i], level);
    this.#wanted = clipped;
  }

  #sumCells(): void {
    const { width, height } = this.level;
    const data = this.#wanted;
    const sums = this.#sums.fill(0);
    const warped = this.#warped;
    const columns = this.#columns;
    for (let row = 0, at = 0; row < height; row++) {
      const first = 6 * this.side * this.#rows[row];
      for (let column = 0; column < width; column++, at++) {
        const seen = warped[at];
        if (seen === OUTSIDE) continue;
        const wanted = data[at];
        const cell = first + 6 * columns[column];
        sums[cell]++;
        sums[cell + 1] += wanted;
        sums[cell + 2] += wanted * wanted;
        sums[cell + 3] += seen;
        sums[cell + 4] += seen * seen;
        sums[cell + 5] += wanted * seen;
      }
    }
  }

  /**
   * Correlates the cells, and gives a weight to each: 0 where it is masked, untextured or outside, and, with
   * `select`, where it correlates much less than the others.
   */
  #compare(mask: Uint8Array | undefined, select: boolean): void {
    const { textured } = this;
    const result = this.#result;
    const { cells } = result;
    const sums = this.#sums;
    const weights = this.#weights;
    const half = (this.level.width * this.level.height) / cells.length / 2;
    let all = 0;
    let visible = 0;
    let agreeing = 0;
    let likeness = 0;
    let mean = 0;
    for (let cell = 0; cell < cells.length; cell++) {
      const at = 6 * cell;
      const count = sums[at];
      weights[cell] = 0;
      cells[cell] = 0;
      all += textured[cell];
      if (count < half) continue;
      const wanted = sums[at + 2] - sums[at + 1] ** 2 / count;
      const seen = sums[at + 4] - sums[at + 3] ** 2 / count;
      const products = sums[at + 5] - (sums[at + 1] * sums[at + 3]) / count;
      const noise = count * NOISE * NOISE;
      cells[cell] = products / Math.sqrt((wanted + noise) * (seen + noise));
      if (textured[cell] === 0) continue;
      visible++;
      if (cells[cell] >= AGREES) agreeing++;
      if (cells[cell] > 0) likeness -= Math.log(1 - cells[cell] ** 2);
      if (mask !== undefined && mask[cell] === 0) continue;
      weights[cell] = 1;
      mean += Math.max(cells[cell], 0);
    }
    result.visibility = all === 0 ? 0 : visible / all;
    result.agreement = visible === 0 ? 0 : agreeing / visible;
    result.likeness = visible === 0 ? 0 : likeness / visible;
    let weighted = 0;
    for (let cell = 0; cell < cells.length; cell++) weighted += weights[cell];
    if (select && weighted > 0) {
      const limit = (0.6 * mean) / weighted;
      for (let cell = 0; cell < cells.length; cell++) if (cells[cell] < limit) weights[cell] = 0;
    }
    let pixels = 0;
    let sumWanted = 0;
    let squaresWanted = 0;
    let sumSeen = 0;
    let squaresSeen = 0;
    let sumProducts = 0;
    for (let cell = 0, at = 0; cell < cells.length; cell++, at += 6) {
      if (weights[cell] === 0) continue;
      pixels += sums[at];
      sumWanted += sums[at + 1];
      squaresWanted += sums[at + 2];
      sumSeen += sums[at + 3];
      squaresSeen += sums[at + 4];
      sumProducts += sums[at + 5];
    }
    this.#pixels = pixels;
    this.#meanWanted = sumWanted / pixels;
    this.#meanSeen = sumSeen / pixels;
    const wanted = squaresWanted - (sumWanted * sumWanted) / pixels;
    const seen = squaresSeen - (sumSeen * sumSeen) / pixels;
    const products = sumProducts - (sumWanted * sumSeen) / pixels;
    // Gain by deviations: regression shrinks it while the images are misaligned.
    this.#gain = Math.sqrt(wanted / (seen + pixels));
    this.#deviation = Math.sqrt(wanted / pixels);
    result.correlation = pixels === 0 ? 0 : products / Math.sqrt((wanted + pixels) * (seen + pixels));
  }

  #pixels = 0;
  #meanWanted = 0;
  #meanSeen = 0;
  #gain = 0;
  #deviation = 0;

  /** Writes the normal equations of one step. Returns false if nothing can be aligned. */
  #accumulate(): boolean {
    const { width, height } = this.level;
    const data = this.#wanted;
    const { side } = this;
    const warped = this.#warped;
    const errors = this.#errors;
    const weights = this.#weights;
    const columns = this.#columns;
    const normal = this.#normal.fill(0);
    if (this.#pixels < 64) return false;
    const gain = this.#gain;
    const bias = this.#meanWanted - gain * this.#meanSeen;
    let sum = 0;
    let squares = 0;
    let count = 0;
    for (let row = 1, at = width; row < height - 1; row++) {
      const first = side * this.#rows[row];
      for (const end = at + width; at < end; at++) {
        if (weights[first + columns[at - end + width]] === 0 || warped[at] === OUTSIDE) continue;
        const error = gain * warped[at] + bias - data[at];
        errors[at] = error;
        sum += Math.abs(error);
        squares += error * error;
        count++;
      }
    }
    this.#result.residual = Math.sqrt(squares / count) / this.#deviation;
    // Cauchy weights: an error of one and a half mean errors counts half.
    const scale = 1 / Math.max((1.5 * sum) / count, 1);
    const unit = 1 / this.#unit;
    const half = gain / 4;
    for (let row = 1; row < height - 1; row++) {
      const first = side * this.#rows[row];
      const y = (row + 0.5 - height / 2) * unit;
      for (let column = 1, at = row * width + 1; column < width - 1; column++, at++) {
        if (weights[first + columns[column]] === 0) continue;
        const left = warped[at - 1];
        const right = warped[at + 1];
        const above = warped[at - width];
        const below = warped[at + width];
        if (warped[at] < 0 || left < 0 || right < 0 || above < 0 || below < 0) continue;
        const gx = half * (right - left) + 0.25 * (data[at + 1] - data[at - 1]);
        const gy = half * (below - above) + 0.25 * (data[at + width] - data[at - width]);
        const error = errors[at];
        const relative = error * scale;
        const weight = 1 / (1 + relative * relative);
        const x = (column + 0.5 - width / 2) * unit;
        const radial = gx * x + gy * y;
        const j0 = gx * x;
        const j1 = gx * y;
        const j2 = gx;
        const j3 = gy * x;
        const j4 = gy * y;
        const j5 = gy;
        const j6 = -radial * x;
        const j7 = -radial * y;
        const w0 = weight * j0;
        const w1 = weight * j1;
        const w2 = weight * j2;
        const w3 = weight * j3;
        const w4 = weight * j4;
        const w5 = weight * j5;
        const w6 = weight * j6;
        const w7 = weight * j7;
        normal[0] += w0 * j0;
        normal[9] += w1 * j0;
        normal[10] += w1 * j1;
        normal[18] += w2 * j0;
        normal[19] += w2 * j1;
        normal[20] += w2 * j2;
        normal[27] += w3 * j0;
        normal[28] += w3 * j1;
        normal[29] += w3 * j2;
        normal[30] += w3 * j3;
        normal[36] += w4 * j0;
        normal[37] += w4 * j1;
        normal[38] += w4 * j2;
        normal[39] += w4 * j3;
        normal[40] += w4 * j4;
        normal[45] += w5 * j0;
        normal[46] += w5 * j1;
        normal[47] += w5 * j2;
        normal[48] += w5 * j3;
        normal[49] += w5 * j4;
        normal[50] += w5 * j5;
        normal[54] += w6 * j0;
        normal[55] += w6 * j1;
        normal[56] += w6 * j2;
        normal[57] += w6 * j3;
        normal[58] += w6 * j4;
        normal[59] += w6 * j5;
        normal[60] += w6 * j6;
        normal[63] += w7 * j0;
        normal[64] += w7 * j1;
        normal[65] += w7 * j2;
        normal[66] += w7 * j3;
        normal[67] += w7 * j4;
        normal[68] += w7 * j5;
        normal[69] += w7 * j6;
        normal[70] += w7 * j7;
        normal[8] -= w0 * error;
        normal[17] -= w1 * error;
        normal[26] -= w2 * error;
        normal[35] -= w3 * error;
        normal[44] -= w4 * error;
        normal[53] -= w5 * error;
        normal[62] -= w6 * error;
        normal[71] -= w7 * error;
      }
    }
    return solveDamped(normal);
  }

  /** Applies the solution to `map`. Returns the largest move of a corner in level pixels. */
  #move(map: Homography): number {
    const step = this.#step;
    const { width, height } = this.level;
    exponentiate(this.#normal, 1 / this.#unit, step);
    compose(map, step, map);
    normalize(map);
    const x = width / 2 / this.#unit;
    const y = height / 2 / this.#unit;
    let most = 0;
    for (let corner = 0; corner < 4; corner++) {
      const u = corner & 1 ? x : -x;
      const v = corner & 2 ? y : -y;
      const w = step[6] * u + step[7] * v + step[8];
      const dx = (step[0] * u + step[1] * v + step[2]) / w - u;
      const dy = (step[3] * u + step[4] * v + step[5]) / w - v;
      most = Math.max(most, dx * dx + dy * dy);
    }
    return Math.sqrt(most) * this.#unit;
  }
}

/** Returns, for each of `size` pixels, in which of `parts` equal parts it lies. */
function divide(size: number, parts: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Math.floor((i * parts) / size));
}

function findTexture(
  { width, height, data }: Level,
  columns: Uint8Array,
  rows: Uint8Array,
  cells: number,
): Uint8Array {
  const side = Math.sqrt(cells);
  const counts = new Float64Array(cells);
  const sums = new Float64Array(cells);
  const squares = new Float64Array(cells);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const cell = side * rows[row] + columns[column];
      counts[cell]++;
      sums[cell] += data[at];
      squares[cell] += data[at] ** 2;
    }
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mean = sums.reduce((sum, value) => sum + value, 0) / total;
  const variance = squares.reduce((sum, value) => sum + value, 0) / total - mean * mean;
  const least = Math.max(LEAST_DEVIATION, LEAST_SHARE * Math.sqrt(Math.max(variance, 0)));
  return Uint8Array.from(counts, (count, cell) =>
    squares[cell] / count - (sums[cell] / count) ** 2 >= least * least ? 1 : 0,
  );
}

/** Returns the side, in frame pixels, of a level's pixel at the level's middle. */
export function pixelSize(map: Homography, { width, height, toTarget }: Level): number {
  const x = (toTarget[0] * width) / 2;
  const y = (toTarget[4] * height) / 2;
  const w = map[6] * x + map[7] * y + map[8];
  const determinant =
    map[0] * (map[4] * map[8] - map[5] * map[7]) -
    map[1] * (map[3] * map[8] - map[5] * map[6]) +
    map[2] * (map[3] * map[7] - map[4] * map[6]);
  return Math.sqrt((Math.abs(determinant) * toTarget[0] * toTarget[4]) / Math.abs(w * w * w));
}

/** Returns the octave of the frame whose pixels are nearest in size to the level's. */
export function chooseOctave(map: Homography, level: Level, octaves: number): number {
  const octave = Math.round(Math.log2(pixelSize(map, level)));
  return Math.max(0, Math.min(octaves - 1, octave || 0));
}

/**
 * Writes the map exp(A), where A has the solutions of `equations` times `scale` as its first eight entries and 0
 * as last.
 */
export function exponentiate(equations: Float64Array, scale: number, out: Homography): void {
  for (let i = 0; i < 8; i++) generator[i] = equations[9 * i + 8] * scale;
  generator[8] = 0;
  // exp(A) = 1 + A (1 + A / 2 (1 + A / 3 (1 + A / 4))); the rest is far below a thousandth of a pixel.
  out.set(IDENTITY);
  for (let order = 4; order >= 1; order--) {
    compose(generator, out, out);
    for (let i = 0; i < 9; i++) out[i] = out[i] / order + IDENTITY[i];
  }
}

const IDENTITY: Homography = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
const generator: Homography = new Float64Array(9);

function scaleRows(map: Homography, scale: number): void {
  for (let i = 0; i < 6; i++) map[i] *= scale;
}

/** Damping of the normal equations, as a share of their diagonal: keeps directions without texture still. */
const DAMPING = 1e-4;

/** Solves the normal equations of a homography's eight parameters, damped; see `solve`. */
export function solveDamped(equations: Float64Array): boolean {
  for (let i = 0; i < 8; i++) equations[9 * i + i] *= 1 + DAMPING;
  return solve(equations, 8, 0);
}
