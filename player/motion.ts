// The move of the whole target that explains the displacements of its patches.

import type { Size } from "../compiler/types.ts";
import { exponentiate, solveDamped } from "./align.ts";
import { compose, type Homography } from "./homography.ts";
import type { Level } from "./levels.ts";
import type { Patches } from "./patches.ts";

/** Expected moves per step, in level pixels: the entries of a homography in normalized coordinates. */
const PRIOR = [2, 2, 8, 2, 2, 8, 1, 1];

/** Correlation below which a patch does not count, and above which it counts fully. */
const LEAST_CORRELATION = 0.2;
const FULL_CORRELATION = 0.6;

/** Level pixels beyond which a displacement says little, because it is out of the gradients' reach. */
const REACH = 3;
const BEYOND_REACH = 0.05;

/** Fewest patches that count. */
const LEAST_PATCHES = 4;

/** Rounds of robust weighting. */
const ROUNDS = 3;

/** Least error, in level pixels, that counts half. */
const LEAST_ERROR = 0.1;

/** Displacement, in level pixels, that counts half for the bend of a lens. */
const BEND_ERROR = 0.5;

/**
 * Displacements of patches err together, because what they do not allow for (blur, light, the print) is the same for
 * neighbors: their information about the bend is worth this share of the sum of it.
 */
const BEND_INDEPENDENCE = 0.01;

const equations = new Float64Array(72);
const solution = new Float64Array(8);
const toNormalized: Homography = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
const fromNormalized: Homography = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);

/** Allocated for the largest number of patches so far. */
let weights = new Float64Array(256);
let squares = new Float64Array(256);

/**
 * Writes the move, in level pixels, that explains the displacements of the patches best. Displacements that
 * contradict the others count less and less (iteratively reweighted least squares with Cauchy weights).
 *
 * @param shown how much each patch counts, 0…1
 * @returns false if there are too few patches
 */
export function solveMove(
  patches: Patches,
  shown: Float32Array,
  { width, height }: Level,
  out: Homography,
): boolean {
  const { count, correlation, dx, dy, information } = patches;
  if (weights.length < count) {
    weights = new Float64Array(count);
    squares = new Float64Array(count);
  }
  let used = 0;
  for (let i = 0; i < count; i++) {
    weights[i] = 0;
    if (correlation[i] < LEAST_CORRELATION || shown[i] < 0.5) continue;
    const share = (correlation[i] - LEAST_CORRELATION) / (FULL_CORRELATION - LEAST_CORRELATION);
    const far = dx[i] * dx[i] + dy[i] * dy[i] > REACH * REACH;
    weights[i] = shown[i] * Math.min(1, share) * (far ? BEYOND_REACH : 1);
    squares[i] = 0;
    used++;
  }
  if (used < LEAST_PATCHES) return false;
  const unit = Math.max(width, height) / 2;
  let scale = 1;
  for (let round = 1; ; round++) {
    equations.fill(0);
    for (let i = 0; i < count; i++) {
      if (weights[i] === 0) continue;
      const x = (patches.x[i] - width / 2) / unit;
      const y = (patches.y[i] - height / 2) / unit;
      const weight = weights[i] / (1 + squares[i] * scale);
      const xx = weight * information[3 * i];
      const xy = weight * information[3 * i + 1];
      const yy = weight * information[3 * i + 2];
      accumulate(x, y, xx, xy, yy, xx * dx[i] + xy * dy[i], xy * dx[i] + yy * dy[i]);
    }
    for (let i = 0; i < 8; i++) equations[9 * i + i] += 1 / PRIOR[i] ** 2;
    if (!solveDamped(equations)) return false;
    if (round === ROUNDS) break;
    for (let i = 0; i < 8; i++) solution[i] = equations[9 * i + 8];
    const [a, b, c, d, e, f, g, h] = solution;
    let sum = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      if (weights[i] === 0) continue;
      const x = (patches.x[i] - width / 2) / unit;
      const y = (patches.y[i] - height / 2) / unit;
      const radial = g * x + h * y;
      const errorX = dx[i] - (a * x + b * y + c - x * radial);
      const errorY = dy[i] - (d * x + e * y + f - y * radial);
      squares[i] = errorX * errorX + errorY * errorY;
      sum += weights[i] * Math.min(Math.sqrt(squares[i]), REACH);
      total += weights[i];
    }
    scale = 1 / Math.max(LEAST_ERROR, (1.5 * sum) / total) ** 2;
  }
  exponentiate(equations, 1 / unit, out);
  toNormalized[0] = toNormalized[4] = 1 / unit;
  toNormalized[2] = -width / 2 / unit;
  toNormalized[5] = -height / 2 / unit;
  fromNormalized[0] = fromNormalized[4] = unit;
  fromNormalized[2] = width / 2;
  fromNormalized[5] = height / 2;
  compose(fromNormalized, out, out);
  compose(out, toNormalized, out);
  return true;
}

/** What the displacements of patches say about a change of the lens's bend (lens.ts), and how certainly. */
export interface BendEvidence {
  readonly change: number;
  readonly information: number;
}

/** Measures the change of the bend that explains what the best map leaves of the displacements of patches. */
export function measureBend(
  { count, correlation, dx, dy, information, x: xs, y: ys }: Patches,
  level: Level,
  map: Homography,
  image: Size,
): BendEvidence | null {
  const unit = Math.max(level.width, level.height) / 2;
  const [a, b, c, d, e, f, g, h, i] = map;
  const perSquare = 4 / (image.width ** 2 + image.height ** 2);
  const bent = new Float64Array(2 * count);
  equations.fill(0);
  for (let patch = 0; patch < count; patch++) {
    weights[patch] = 0;
    const square = dx[patch] ** 2 + dy[patch] ** 2;
    if (correlation[patch] < FULL_CORRELATION || square > REACH ** 2) continue;
    weights[patch] = 1 / (1 + square / BEND_ERROR ** 2);
    const w = 1 / (g * xs[patch] + h * ys[patch] + i);
    const px = (a * xs[patch] + b * ys[patch] + c) * w;
    const py = (d * xs[patch] + e * ys[patch] + f) * w;
    const [ux, uy, vx, vy] = [(a - g * px) * w, (d - g * py) * w, (b - h * px) * w, (e - h * py) * w];
    const [right, down] = [px - image.width / 2, py - image.height / 2];
    const scale = (perSquare * (right * right + down * down)) / (ux * vy - uy * vx);
    const qx = scale * (vy * right - vx * down);
    const qy = scale * (ux * down - uy * right);
    bent[2 * patch] = qx;
    bent[2 * patch + 1] = qy;
    const [x, y] = [(xs[patch] - level.width / 2) / unit, (ys[patch] - level.height / 2) / unit];
    const xx = weights[patch] * information[3 * patch];
    const xy = weights[patch] * information[3 * patch + 1];
    const yy = weights[patch] * information[3 * patch + 2];
    accumulate(x, y, xx, xy, yy, xx * qx + xy * qy, xy * qx + yy * qy);
  }
  if (!solveDamped(equations)) return null;
  for (let entry = 0; entry < 8; entry++) solution[entry] = equations[9 * entry + 8];
  let product = 0;
  let square = 0;
  for (let patch = 0; patch < count; patch++) {
    if (weights[patch] === 0) continue;
    const [x, y] = [(xs[patch] - level.width / 2) / unit, (ys[patch] - level.height / 2) / unit];
    const radial = solution[6] * x + solution[7] * y;
    const qx = bent[2 * patch] - (solution[0] * x + solution[1] * y + solution[2] - x * radial);
    const qy = bent[2 * patch + 1] - (solution[3] * x + solution[4] * y + solution[5] - y * radial);
    const alongX = weights[patch] * (information[3 * patch] * qx + information[3 * patch + 1] * qy);
    const alongY = weights[patch] * (information[3 * patch + 1] * qx + information[3 * patch + 2] * qy);
    product += alongX * dx[patch] + alongY * dy[patch];
    square += alongX * bent[2 * patch] + alongY * bent[2 * patch + 1];
  }
  return square > 0 ? { change: product / square, information: BEND_INDEPENDENCE * square } : null;
}

/**
 * Adds a patch to the equations of the move with displacement (a x + b y + c - x (g x + h y), d x + e y + f -
 * y (g x + h y)). The information matrix is (xx, xy; xy, yy), and its product with the displacement (rightX, rightY).
 */
function accumulate(
  x: number,
  y: number,
  xx: number,
  xy: number,
  yy: number,
  rightX: number,
  rightY: number,
): void {
  const e = equations;
  e[0] += xx * x * x;
  e[9] += xx * x * y;
  e[10] += xx * y * y;
  e[18] += xx * x;
  e[19] += xx * y;
  e[20] += xx;
  e[27] += xy * x * x;
  e[28] += xy * x * y;
  e[29] += xy * x;
  e[30] += yy * x * x;
  e[36] += xy * x * y;
  e[37] += xy * y * y;
  e[38] += xy * y;
  e[39] += yy * x * y;
  e[40] += yy * y * y;
  e[45] += xy * x;
  e[46] += xy * y;
  e[47] += xy;
  e[48] += yy * x;
  e[49] += yy * y;
  e[50] += yy;
  const alongX = xx * x + xy * y;
  const alongY = xy * x + yy * y;
  const along = x * alongX + y * alongY;
  e[54] -= x * alongX * x;
  e[55] -= x * alongX * y;
  e[56] -= x * alongX;
  e[57] -= x * alongY * x;
  e[58] -= x * alongY * y;
  e[59] -= x * alongY;
  e[60] += x * x * along;
  e[63] -= y * alongX * x;
  e[64] -= y * alongX * y;
  e[65] -= y * alongX;
  e[66] -= y * alongY * x;
  e[67] -= y * alongY * y;
  e[68] -= y * alongY;
  e[69] += x * y * along;
  e[70] += y * y * along;
  e[8] += x * rightX;
  e[17] += y * rightX;
  e[26] += rightX;
  e[35] += x * rightY;
  e[44] += y * rightY;
  e[53] += rightY;
  const radial = x * rightX + y * rightY;
  e[62] -= x * radial;
  e[71] -= y * radial;
}
