// Fits a homography to a hypothesis: robustly from its matches, then guided, from all features near their
// predicted places.

import type { Size } from "../compiler/types.ts";
import { solve } from "./equations.ts";
import type { Features } from "./features.ts";
import { type Homography, normalize } from "./homography.ts";
import { isSamePlace, type Matches, PACKED_BYTES, type PointSet, packedDistance } from "./match.ts";
import { type Hypothesis, LEAST_VOTES } from "./vote.ts";

/** Where a target is, fitted to points. */
export interface Fit {
  /** From target pixels to frame pixels. */
  readonly map: Homography;
  /** Number of features that lie where their reference points are predicted. */
  readonly inliers: number;
  /** The votes of the hypothesis; of a last place, as many as any hypothesis has. */
  readonly votes: number;
}

/** Everything about a frame that fitting reads. */
export interface Scene {
  readonly features: Features;
  /** Packed descriptors, PACKED_BYTES each. */
  readonly packed: Uint8Array;
  readonly grid: FeatureGrid;
  readonly matches: Matches;
  readonly maxima: PointSet;
  readonly minima: PointSet;
}

/** Samples of three matches that are tried. */
const SAMPLES = 40;

/** Smallest area, per area of the target, of the triangle of a sample. */
const LEAST_TRIANGLE = 0.002;

/**
 * Errors are allowed for by the feature's scale, because points of large scale lie less precisely, and by the
 * target's size in the frame, as long as the map is rough.
 */
interface Cut {
  readonly scales: number;
  readonly share: number;
}

const SAMPLE_CUT: Cut = { scales: 1, share: 0.04 };
const AFFINE_CUTS: readonly Cut[] = [
  { scales: 1.5, share: 0.1 },
  { scales: 1.5, share: 0.07 },
];
const ROUGH_CUTS: readonly Cut[] = [
  { scales: 1.5, share: 0.06 },
  { scales: 1.5, share: 0.04 },
  { scales: 1.5, share: 0.02 },
];
const FINE_CUTS: readonly Cut[] = [
  { scales: 1.5, share: 0.02 },
  { scales: 1, share: 0.01 },
  { scales: 0.8, share: 0.005 },
  { scales: 0.6, share: 0.003 },
];

/** How far from its predicted place a feature is looked for. */
const GUIDED_CUTS: readonly Cut[] = [
  { scales: 1.5, share: 0.05 },
  { scales: 1.5, share: 0.015 },
];

/** The same of a target that may have moved since its place was known. */
const NEAR_CUT: Cut = { scales: 1.5, share: 0.3 };
const INLIER_CUT: Cut = { scales: 0.8, share: 0.005 };

/** Largest distance of descriptors of a guided match. */
const GUIDED_DISTANCE = 72;

/** A guided match is ambiguous if a point at another place costs less than its own cost / this. */
const GUIDED_RATIO = 0.95;

/** Fewest correspondences of a fit. */
const LEAST_INLIERS = 5;

/** Expected perspective: the change of scale from the target's center to its edge. */
const PERSPECTIVE = 0.25;

const MAX_CORRESPONDENCES = 4096;

/** Sides of the cells of a feature grid, in frame pixels. */
const CELL_SIDE = 16;

/** Features by their place. */
export interface FeatureGrid {
  readonly columns: number;
  readonly rows: number;
  /** Where each cell's features begin in `order`, and the end of the last one. */
  readonly starts: Int32Array;
  readonly order: Int32Array;
}

export function createGrid({ width, height }: Size, features: number): FeatureGrid {
  const columns = Math.max(1, Math.ceil(width / CELL_SIDE));
  const rows = Math.max(1, Math.ceil(height / CELL_SIDE));
  return { columns, rows, starts: new Int32Array(columns * rows + 1), order: new Int32Array(features) };
}

export function fillGrid({ columns, rows, starts, order }: FeatureGrid, { count, x, y }: Features): void {
  const cellOf = (i: number) => clamp(y[i] / CELL_SIDE, rows) * columns + clamp(x[i] / CELL_SIDE, columns);
  starts.fill(0);
  for (let i = 0; i < count; i++) starts[cellOf(i) + 1]++;
  for (let cell = 1; cell < starts.length; cell++) starts[cell] += starts[cell - 1];
  for (let i = count - 1; i >= 0; i--) order[--starts[cellOf(i) + 1]] = i;
  // Each start has moved one entry to the right.
  starts.copyWithin(0, 1);
  starts[starts.length - 1] = count;
}

function clamp(cell: number, cells: number): number {
  return Math.min(Math.max(Math.floor(cell), 0), cells - 1);
}

/** Fits maps. Allocates once. */
export class Fitter {
  /** Correspondences: in normalized target coordinates, frame pixels from `#center`, and feature scales. */
  #count = 0;
  readonly #px = new Float64Array(MAX_CORRESPONDENCES);
  readonly #py = new Float64Array(MAX_CORRESPONDENCES);
  readonly #qx = new Float64Array(MAX_CORRESPONDENCES);
  readonly #qy = new Float64Array(MAX_CORRESPONDENCES);
  readonly #scale = new Float64Array(MAX_CORRESPONDENCES);
  /** Half of the target's longer side in target pixels, and in the frame. */
  #unit = 1;
  #size = 1;
  #width = 1;
  #height = 1;
  /** From normalized target coordinates, ±1 on the longer side, to frame pixels. */
  readonly #map: Homography = new Float64Array(9);
  readonly #trial: Homography = new Float64Array(9);
  readonly #equations = new Float64Array(72);
  readonly #bestPoint: Int32Array;
  readonly #bestCost: Float32Array;
  readonly #secondCost: Float32Array;

  constructor(features: number) {
    this.#bestPoint = new Int32Array(features);
    this.#bestCost = new Float32Array(features);
    this.#secondCost = new Float32Array(features);
  }

  /** Returns the fit of a hypothesis about a target of this size; null if too few points agree. */
  fit(hypothesis: Hypothesis, { width, height }: Size, scene: Scene): Fit | null {
    this.#unit = Math.max(width, height) / 2;
    this.#width = width;
    this.#height = height;
    this.#start(hypothesis.map);
    this.#take(hypothesis, scene);
    return this.#finish(hypothesis, scene);
  }

  /** Returns the fit that begins with a target's last place, from target pixels; null if too few points are there. */
  fitNear(target: number, map: Homography, { width, height }: Size, scene: Scene): Fit | null {
    this.#unit = Math.max(width, height) / 2;
    this.#width = width;
    this.#height = height;
    normalize(this.#fromTarget(map, this.#map));
    this.#measure();
    if (!this.#isSane()) return null;
    this.#guide(target, scene, NEAR_CUT, true);
    return this.#finish({ target, votes: LEAST_VOTES }, scene);
  }

  /** Fits the correspondences, then all features near their predicted places. */
  #finish({ target, votes }: Pick<Hypothesis, "target" | "votes">, scene: Scene): Fit | null {
    this.#sample();
    for (const cut of AFFINE_CUTS) this.#refine(cut, 6);
    for (const cut of ROUGH_CUTS) this.#refine(cut, 8);
    for (const cut of GUIDED_CUTS) {
      if (!this.#isSane()) return null;
      this.#guide(target, scene, cut);
      for (const fine of FINE_CUTS) this.#refine(fine, 8);
    }
    if (!this.#isSane()) return null;
    const inliers = this.#countInliers(INLIER_CUT);
    if (inliers < LEAST_INLIERS) return null;
    return { map: this.#toTarget(), inliers, votes };
  }

  /** Returns the share of the last fit's inliers that a map from target pixels keeps. */
  kept(map: Homography): number {
    const trial = this.#fromTarget(map, this.#trial);
    let inliers = 0;
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      if (this.#squaredError(this.#map, i) >= this.#squaredCut(i, INLIER_CUT)) continue;
      inliers++;
      if (this.#squaredError(trial, i) < this.#squaredCut(i, INLIER_CUT)) kept++;
    }
    return kept / inliers;
  }

  /**
   * Returns the inliers of the last fit, for the debug view. Of each: the feature's x and y in the frame, and how far
   * from there its reference point is predicted, in x and y.
   */
  inliers(): Float32Array {
    const [a, b, c, d, e, f, g, h, i] = this.#map;
    const rows: number[] = [];
    for (let at = 0; at < this.#count; at++) {
      if (this.#squaredError(this.#map, at) >= this.#squaredCut(at, INLIER_CUT)) continue;
      const [x, y, qx, qy] = [this.#px[at], this.#py[at], this.#qx[at], this.#qy[at]];
      const w = 1 / (g * x + h * y + i);
      rows.push(qx, qy, (a * x + b * y + c) * w - qx, (d * x + e * y + f) * w - qy);
    }
    return Float32Array.from(rows);
  }

  /** Sets 1 in each of `side` × `side` cells of the target with an inlier of the last fit. */
  markCells(cells: Uint8Array, side: number): void {
    for (let i = 0; i < this.#count; i++) {
      if (this.#squaredError(this.#map, i) >= this.#squaredCut(i, INLIER_CUT)) continue;
      const column = Math.floor((0.5 + (this.#px[i] * this.#unit) / this.#width) * side);
      const row = Math.floor((0.5 + (this.#py[i] * this.#unit) / this.#height) * side);
      if (column >= 0 && row >= 0 && column < side && row < side) cells[row * side + column] = 1;
    }
  }

  /** Begins with an affine map from target pixels, row-major 2 × 3. */
  #start(map: Float64Array): void {
    const [a, b, c, d, e, f] = map;
    const unit = this.#unit;
    const [x, y] = [this.#width / 2, this.#height / 2];
    this.#map.set([a * unit, b * unit, a * x + b * y + c, d * unit, e * unit, d * x + e * y + f, 0, 0, 1]);
    this.#measure();
  }

  /** Measures the target's size in the frame. */
  #measure(): void {
    const [a, b, c, d, e, f, g, h] = this.#map;
    const determinant = (a - g * c) * (e - h * f) - (b - h * c) * (d - g * f);
    this.#size = Math.sqrt(Math.max(Math.abs(determinant), 1));
  }

  #take({ members }: Hypothesis, { features, matches, maxima, minima }: Scene): void {
    this.#count = 0;
    for (const match of members) {
      const feature = matches.feature[match];
      this.#add(features, feature, feature < features.maxima ? maxima : minima, matches.point[match]);
    }
  }

  #add(features: Features, feature: number, set: PointSet, point: number): void {
    const at = this.#count;
    if (at === MAX_CORRESPONDENCES) return;
    this.#px[at] = (set.x[point] - this.#width / 2) / this.#unit;
    this.#py[at] = (set.y[point] - this.#height / 2) / this.#unit;
    this.#qx[at] = features.x[feature];
    this.#qy[at] = features.y[feature];
    this.#scale[at] = features.scale[feature];
    this.#count++;
  }

  /** Returns the square of the error that a correspondence may have. */
  #squaredCut(i: number, { scales, share }: Cut): number {
    const cut = scales * this.#scale[i] + share * this.#size;
    return cut * cut;
  }

  /** Returns the square of a correspondence's error in frame pixels. */
  #squaredError(map: Homography, i: number): number {
    const x = this.#px[i];
    const y = this.#py[i];
    const w = 1 / (map[6] * x + map[7] * y + map[8]);
    const dx = (map[0] * x + map[1] * y + map[2]) * w - this.#qx[i];
    const dy = (map[3] * x + map[4] * y + map[5]) * w - this.#qy[i];
    return dx * dx + dy * dy;
  }

  /**
   * Replaces the map by the affine map of three correspondences with which most agree. The best explained ones are
   * tried first (Chum and Matas, Matching with PROSAC, 2005).
   */
  #sample(): void {
    const count = this.#count;
    let best = this.#agreement(this.#map);
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let sample = 0; sample < SAMPLES && count >= 3; sample++) {
      const pool = Math.min(count, 4 + sample);
      if (!this.#affineOf(random(pool), random(pool), random(pool))) continue;
      const agreement = this.#agreement(this.#trial);
      if (agreement <= best) continue;
      best = agreement;
      this.#map.set(this.#trial);
    }
    this.#measure();
  }

  /** Returns how many correspondences agree with a map, each counting by how well it does. */
  #agreement(map: Homography): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      const share = this.#squaredError(map, i) / this.#squaredCut(i, SAMPLE_CUT);
      if (share < 1) sum += 1 - share;
    }
    return sum;
  }

  /** Computes the affine map of three correspondences; returns false if they do not give a sane one. */
  #affineOf(i: number, j: number, k: number): boolean {
    const px = this.#px;
    const py = this.#py;
    const qx = this.#qx;
    const qy = this.#qy;
    const ux = px[j] - px[i];
    const uy = py[j] - py[i];
    const vx = px[k] - px[i];
    const vy = py[k] - py[i];
    const area = ux * vy - uy * vx;
    if (Math.abs(area) < 8 * LEAST_TRIANGLE) return false;
    const sx = qx[j] - qx[i];
    const sy = qy[j] - qy[i];
    const tx = qx[k] - qx[i];
    const ty = qy[k] - qy[i];
    const a = (sx * vy - tx * uy) / area;
    const b = (tx * ux - sx * vx) / area;
    const d = (sy * vy - ty * uy) / area;
    const e = (ty * ux - sy * vx) / area;
    const determinant = a * e - b * d;
    const change = determinant / (this.#size * this.#size);
    if (!(change > 0.3 && change < 3)) return false;
    this.#trial.set([a, b, qx[i] - a * px[i] - b * py[i], d, e, qy[i] - d * px[i] - e * py[i], 0, 0, 1]);
    return true;
  }

  /** One Gauss–Newton step on the first `unknowns` entries of the map, with Tukey's weights. */
  #refine(cut: Cut, unknowns: 6 | 8): void {
    const map = this.#map;
    const equations = this.#equations.fill(0);
    const row = this.#rowX;
    const below = this.#rowY;
    for (let i = 0; i < this.#count; i++) {
      const x = this.#px[i];
      const y = this.#py[i];
      const w = 1 / (map[6] * x + map[7] * y + map[8]);
      const u = (map[0] * x + map[1] * y + map[2]) * w;
      const v = (map[3] * x + map[4] * y + map[5]) * w;
      const dx = this.#qx[i] - u;
      const dy = this.#qy[i] - v;
      const share = (dx * dx + dy * dy) / this.#squaredCut(i, cut);
      if (!(share < 1)) continue;
      const weight = ((1 - share) * (1 - share)) / (this.#scale[i] * this.#scale[i]);
      row[0] = x * w;
      row[1] = y * w;
      row[2] = w;
      row[6] = -u * x * w;
      row[7] = -u * y * w;
      below[3] = x * w;
      below[4] = y * w;
      below[5] = w;
      below[6] = -v * x * w;
      below[7] = -v * y * w;
      for (let m = 0; m < unknowns; m++) {
        for (let n = 0; n <= m; n++) {
          equations[9 * m + n] += weight * (row[m] * row[n] + below[m] * below[n]);
        }
        equations[9 * m + 8] += weight * (row[m] * dx + below[m] * dy);
      }
    }
    // Few or badly spread points do not determine perspective.
    const stiffness = 1 / (PERSPECTIVE * PERSPECTIVE);
    for (let m = 6; m < unknowns; m++) {
      equations[9 * m + m] += stiffness;
      equations[9 * m + 8] -= stiffness * map[m];
    }
    if (!solve(equations, unknowns, LEAST_PIVOT)) return;
    for (let m = 0; m < unknowns; m++) map[m] += equations[9 * m + 8];
    this.#measure();
  }

  readonly #rowX = new Float64Array(8);
  readonly #rowY = new Float64Array(8);

  #countInliers(cut: Cut): number {
    let inliers = 0;
    for (let i = 0; i < this.#count; i++) {
      if (this.#squaredError(this.#map, i) < this.#squaredCut(i, cut)) inliers++;
    }
    return inliers;
  }

  /**
   * Replaces the correspondences: for each feature the reference point that fits best, if any does.
   *
   * @param sorted whether those with the most similar descriptors come first
   */
  #guide(target: number, scene: Scene, cut: Cut, sorted = false): void {
    const { features, maxima, minima } = scene;
    this.#bestCost.fill(Number.POSITIVE_INFINITY, 0, features.count);
    this.#secondCost.fill(Number.POSITIVE_INFINITY, 0, features.count);
    const map = this.#toTarget();
    for (const set of [maxima, minima]) {
      for (const range of set.ranges) {
        if (range.target !== target) continue;
        for (let point = range.start; point < range.end; point++) {
          this.#guidePoint(map, point, set, set === maxima, scene, cut);
        }
      }
    }
    const chosen: number[] = [];
    for (let i = 0; i < features.count; i++) {
      const cost = this.#bestCost[i];
      if (cost !== Number.POSITIVE_INFINITY && cost <= GUIDED_RATIO * this.#secondCost[i]) chosen.push(i);
    }
    if (sorted) chosen.sort((a, b) => this.#bestCost[a] - this.#bestCost[b] || a - b);
    this.#count = 0;
    for (const i of chosen) {
      this.#add(features, i, i < features.maxima ? maxima : minima, this.#bestPoint[i]);
    }
  }

  /** Compares a reference point with the features near its predicted place, of its predicted scale and angle. */
  #guidePoint(
    map: Homography,
    point: number,
    set: PointSet,
    isMaximum: boolean,
    { features, packed, grid }: Scene,
    cut: Cut,
  ): void {
    const px = set.x[point];
    const py = set.y[point];
    const w = 1 / (map[6] * px + map[7] * py + map[8]);
    const x = (map[0] * px + map[1] * py + map[2]) * w;
    const y = (map[3] * px + map[4] * py + map[5]) * w;
    if (!(x >= 0 && y >= 0 && x < grid.columns * CELL_SIDE && y < grid.rows * CELL_SIDE)) return;
    // From the descriptor's own frame to the camera's: must be nearly a similarity.
    const { frame } = set;
    const a = frame[4 * point];
    const b = frame[4 * point + 1];
    const c = frame[4 * point + 2];
    const d = frame[4 * point + 3];
    const shrink = w / (a * d - b * c);
    const j0 = map[0] - map[6] * x;
    const j1 = map[1] - map[7] * x;
    const j2 = map[3] - map[6] * y;
    const j3 = map[4] - map[7] * y;
    const m0 = (j0 * d - j1 * c) * shrink;
    const m1 = (j1 * a - j0 * b) * shrink;
    const m2 = (j2 * d - j3 * c) * shrink;
    const m3 = (j3 * a - j2 * b) * shrink;
    const along = Math.hypot(m0 + m3, m2 - m1) / 2;
    const across = Math.hypot(m0 - m3, m1 + m2) / 2;
    if (!(across < MAX_SHEAR * along)) return;
    const scale = Math.sqrt(along * along - across * across);
    const cos = (m0 + m3) / (2 * along);
    const sin = (m2 - m1) / (2 * along);
    const reach = cut.scales * scale + cut.share * this.#size;
    const firstColumn = clamp((x - reach) / CELL_SIDE, grid.columns);
    const lastColumn = clamp((x + reach) / CELL_SIDE, grid.columns);
    const lastRow = clamp((y + reach) / CELL_SIDE, grid.rows);
    for (let row = clamp((y - reach) / CELL_SIDE, grid.rows); row <= lastRow; row++) {
      const end = grid.starts[row * grid.columns + lastColumn + 1];
      for (let k = grid.starts[row * grid.columns + firstColumn]; k < end; k++) {
        const i = grid.order[k];
        if (i < features.maxima !== isMaximum) continue;
        const dx = features.x[i] - x;
        const dy = features.y[i] - y;
        const away = (dx * dx + dy * dy) / (reach * reach);
        if (away >= 1) continue;
        const ratio = features.scale[i] / scale;
        if (ratio > MAX_SCALE_RATIO || ratio * MAX_SCALE_RATIO < 1) continue;
        const angle = features.angle[i];
        if (Math.cos(angle) * cos + Math.sin(angle) * sin < GUIDED_COSINE) continue;
        const distance = packedDistance(packed, i * PACKED_BYTES, set, point);
        if (distance > GUIDED_DISTANCE) continue;
        const cost = distance + FAR_COST * away;
        this.#offer(i, point, set, cost);
      }
    }
  }

  /** Remembers the best reference point of a feature, and the cost of the best one at another place. */
  #offer(feature: number, point: number, set: PointSet, cost: number): void {
    const best = this.#bestCost[feature];
    if (best === Number.POSITIVE_INFINITY) {
      this.#bestCost[feature] = cost;
      this.#bestPoint[feature] = point;
      return;
    }
    const elsewhere = !isSamePlace(set, this.#bestPoint[feature], point);
    if (cost < best) {
      if (elsewhere) this.#secondCost[feature] = best;
      this.#bestCost[feature] = cost;
      this.#bestPoint[feature] = point;
    } else if (elsewhere && cost < this.#secondCost[feature]) this.#secondCost[feature] = cost;
  }

  /** Returns whether the target is seen from the front, convex and of a possible size and shape. */
  #isSane(): boolean {
    const [a, b, c, d, e, f, g, h] = this.#map;
    const [right, bottom] = [this.#width / 2 / this.#unit, this.#height / 2 / this.#unit];
    for (let corner = 0; corner < 4; corner++) {
      const x = corner & 1 ? right : -right;
      const y = corner & 2 ? bottom : -bottom;
      const w = g * x + h * y + 1;
      if (!(w > LEAST_DEPTH && w < MOST_DEPTH)) return false;
    }
    const j0 = a - g * c;
    const j1 = b - h * c;
    const j2 = d - g * f;
    const j3 = e - h * f;
    const along = Math.hypot(j0 + j3, j2 - j1) / 2;
    const across = Math.hypot(j0 - j3, j1 + j2) / 2;
    return across < along && along + across < MAX_TILT * (along - across) && this.#size > LEAST_SIZE;
  }

  /** Writes a map from target pixels as one from normalized target coordinates. */
  #fromTarget(map: Homography, out: Homography): Homography {
    const unit = this.#unit;
    const [x, y] = [this.#width / 2, this.#height / 2];
    for (let row = 0; row < 9; row += 3) {
      const [a, b, c] = [map[row], map[row + 1], map[row + 2]];
      out[row] = a * unit;
      out[row + 1] = b * unit;
      out[row + 2] = a * x + b * y + c;
    }
    return out;
  }

  #toTarget(): Homography {
    const unit = 1 / this.#unit;
    const [x, y] = [-this.#width / 2, -this.#height / 2];
    const out = new Float64Array(9);
    for (let row = 0; row < 9; row += 3) {
      out[row] = this.#map[row] * unit;
      out[row + 1] = this.#map[row + 1] * unit;
      out[row + 2] = this.#map[row + 2] + out[row] * x + out[row + 1] * y;
    }
    return normalize(out);
  }
}

/** Largest share of a descriptor's map that is not a similarity: 1 / 3 is a ratio of 2 between its axes. */
const MAX_SHEAR = 1 / 3;

/** Largest ratio of a feature's scale and its prediction; features have only scales an octave apart. */
const MAX_SCALE_RATIO = 1.8;

const GUIDED_COSINE = Math.cos((30 * Math.PI) / 180);

/** Differing bits that are as bad as lying at the edge of where a feature is looked for. */
const FAR_COST = 11;

/** Range of a corner's depth per that of the target's center. */
const LEAST_DEPTH = 0.3;
const MOST_DEPTH = 1.7;

/** Largest ratio between the axes of the target in the frame: a tilt of 84°. */
const MAX_TILT = 10;

/** Smallest size of half the target in the frame, in pixels. */
const LEAST_SIZE = 6;

/** Smallest pivot of equations that can be solved, per diagonal entry. */
const LEAST_PIVOT = 1e-9;
