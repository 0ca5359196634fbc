// Extrema of the difference of Gaussians over position and scale, thinned out and localised.
// Source: mind-ar detector/detector.js (_applyPrune, _computeLocalization) and its CPU kernels
// buildExtremas.js and extremaReduction.js.

import { BASE_UNITS, type BaseOctave, type Octave, type Pyramid } from "./pyramid.ts";

/** Smallest |difference of Gaussians|, in grey levels. */
const MIN_RESPONSE = 3;

/** Pixels of an octave that a point keeps from the border: FREAK's radius. */
const BORDER = 7;

/** Largest trace² / determinant of the Hessian; beyond it the point lies on an edge. */
const MAX_EDGE_SCORE = (4 + 1) ** 2 / 4;

/** A smaller determinant has no solution worth the name. */
const MIN_DETERMINANT = 0.0001;

/** Buckets along each side of the keyframe. */
const BUCKETS = 10;

/** Strongest extrema that a bucket keeps, over all octaves. */
const POINTS_PER_BUCKET = 5;

const MAX_EXTREMA = BUCKETS * BUCKETS * POINTS_PER_BUCKET;

/** Set in a candidate where its value is not below, or not above, its neighbours'. */
const IS_MAXIMUM = 1;
const IS_MINIMUM = 2;

/** Extrema of one keyframe in columns, bucket after bucket, the strongest of a bucket first. */
export interface Extrema {
  readonly count: number;
  /** Difference of Gaussians, in grey levels; positive ones are maxima, never 0. */
  readonly response: Float32Array;
  /** 1 or above. */
  readonly octave: Uint8Array;
  /** Pixels of the octave; sub-pixel once localised. */
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/**
 * All extrema of a keyframe: at most 5 in each of 10 × 10 buckets. `candidates` is room for one number per
 * pixel of octave 1.
 */
export function findExtrema(pyramid: Pyramid, candidates: Int32Array): Extrema {
  const { base, octaves } = pyramid;
  const buckets = new Buckets();
  for (let i = 0; i + 1 < octaves.length; i++) {
    const { dog, width, height } = octaves[i];
    const found = findPlaneExtrema(dog, width, height, candidates);
    const below = i === 0 ? halvedBaseDog(base) : halvedDog(octaves[i - 1]);
    const above = doubledDog(octaves[i + 1]);
    let count = 0;
    for (let j = 0; j < found; j++) {
      const index = candidates[j] >> 2;
      const kind = candidates[j] & 3;
      if (isScaleExtremum(index, kind, octaves[i], below, above)) candidates[count++] = index;
    }
    keepOnePerCell(candidates.subarray(0, count), octaves[i], i + 1, buckets);
  }
  const extrema = buckets.list();
  localise(extrema, pyramid);
  return extrema;
}

/**
 * Extrema of one plane among their 8 neighbours, ties included, that are strong and no edges.
 *
 * `dog` is row-major, width × height, in grey levels. Each candidate is written as 4 × flat index + its kind
 * (IS_MAXIMUM, IS_MINIMUM or both), in row-major order; returns how many.
 */
export function findPlaneExtrema(
  dog: Float32Array,
  width: number,
  height: number,
  candidates: Int32Array,
): number {
  let count = 0;
  for (let y = BORDER; y < height - BORDER; y++) {
    for (let i = y * width + BORDER, end = (y + 1) * width - BORDER; i < end; i++) {
      const value = dog[i];
      if (value < MIN_RESPONSE && value > -MIN_RESPONSE) continue;
      const left = dog[i - 1];
      const right = dog[i + 1];
      let kind = value >= left && value >= right ? IS_MAXIMUM : 0;
      if (value <= left && value <= right) kind |= IS_MINIMUM;
      if (kind === 0) continue;
      const upper = i - width;
      const lower = i + width;
      const a = dog[upper - 1];
      const b = dog[upper];
      const c = dog[upper + 1];
      const d = dog[lower - 1];
      const e = dog[lower];
      const f = dog[lower + 1];
      if (value < a || value < b || value < c || value < d || value < e || value < f) kind &= ~IS_MAXIMUM;
      if (value > a || value > b || value > c || value > d || value > e || value > f) kind &= ~IS_MINIMUM;
      if (kind === 0) continue;

      const dxx = right + left - 2 * value;
      const dyy = e + b - 2 * value;
      const dxy = 0.25 * (a + f - c - d);
      const determinant = dxx * dyy - dxy * dxy;
      if (Math.abs(determinant) < MIN_DETERMINANT) continue;
      if (Math.abs(((dxx + dyy) * (dxx + dyy)) / determinant) >= MAX_EDGE_SCORE) continue;
      candidates[count++] = (i << 2) | kind;
    }
  }
  return count;
}

/** A plane that is not stored: its value at a pixel. Candidates are few, so most of it is never needed. */
type Plane = (x: number, y: number) => number;

/** Whether a candidate also stands out from the 9 neighbours below and the 9 above it in scale. */
function isScaleExtremum(
  index: number,
  kind: number,
  { dog, width }: Octave,
  below: Plane,
  above: Plane,
): boolean {
  const value = dog[index];
  const x = index % width;
  const y = (index - x) / width;
  for (let v = y - 1; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++) {
      const lower = below(u, v);
      if (value < lower) kind &= ~IS_MAXIMUM;
      if (value > lower) kind &= ~IS_MINIMUM;
      if (kind === 0) return false;
      const upper = above(u, v);
      if (value < upper) kind &= ~IS_MAXIMUM;
      if (value > upper) kind &= ~IS_MINIMUM;
      if (kind === 0) return false;
    }
  }
  return true;
}

/** Mean of 2 × 2 pixels, the sum rounded to float32 after each addition, the left column first. */
function halvedDog({ dog, width }: Octave): Plane {
  return (x, y) => {
    const i = 2 * y * width + 2 * x;
    const left = Math.fround(dog[i] + dog[i + width]);
    return Math.fround(Math.fround(left + dog[i + 1]) + dog[i + width + 1]) * 0.25;
  };
}

/** As `halvedDog`, for octave 0, whose difference is not stored. */
function halvedBaseDog({ once, twice, width }: BaseOctave): Plane {
  return (x, y) => {
    const i = 2 * y * width + 2 * x;
    const j = i + width;
    const left = Math.fround(256 * once[i] - twice[i] + (256 * once[j] - twice[j]));
    const right = 256 * once[i + 1] - twice[i + 1];
    const last = 256 * once[j + 1] - twice[j + 1];
    return Math.fround(Math.fround(left + right) + last) * (0.25 / BASE_UNITS);
  };
}

/** Enlarged twice, bilinearly, with weights of ¼ and ¾ a side; rounded to float32 once. */
function doubledDog({ dog, width }: Octave): Plane {
  return (x, y) => {
    const i = ((y - 1) >> 1) * width + ((x - 1) >> 1);
    const wx = x & 1 ? 0.25 : 0.75;
    const wy = y & 1 ? 0.25 : 0.75;
    const upper = dog[i] * (1 - wx) + dog[i + 1] * wx;
    const lower = dog[i + width] * (1 - wx) + dog[i + width + 1] * wx;
    return Math.fround(upper * (1 - wy) + lower * wy);
  };
}

/**
 * Keeps one extremum of each 2 × 2 cell and puts it into its bucket, cells in row-major order.
 *
 * The pixel below the cell's corner wins, then the one to its right, then the one across, then the corner.
 * As in the reference the response passes through a float32 that also holds the place in the cell
 * (place × 1000 + response), and loses some bits there.
 */
function keepOnePerCell(indexes: Int32Array, plane: Octave, octave: number, buckets: Buckets): void {
  const { dog, width } = plane;
  const columns = plane.width >> 1;
  const rows = plane.height >> 1;
  const bucketWidth = (columns * 2) / BUCKETS;
  const bucketHeight = (rows * 2) / BUCKETS;
  const keys = indexes.map((index) => {
    const x = index % width;
    const y = (index - x) / width;
    const place = (y & 1) + 2 * (x & 1);
    return 4 * ((y >> 1) * columns + (x >> 1)) + (place === 0 ? 3 : place - 1);
  });
  keys.sort();
  let lastCell = -1;
  for (const key of keys) {
    const cell = key >> 2;
    if (cell === lastCell) continue;
    lastCell = cell;
    const place = ((key & 3) + 1) & 3;
    const x = 2 * (cell % columns) + (place >> 1);
    const y = 2 * Math.floor(cell / columns) + (place & 1);
    const value = dog[y * width + x];
    const shift = value < 0 ? -1000 * place : 1000 * place;
    const response = Math.fround(shift + value) - shift;
    const bucket = Math.floor(y / bucketHeight) * BUCKETS + Math.floor(x / bucketWidth);
    buckets.offer(bucket, response, octave, x, y);
  }
}

/** The strongest extrema of each bucket, sorted by strength; the earlier one of equals stays ahead. */
class Buckets {
  readonly #response = new Float64Array(MAX_EXTREMA);
  readonly #octave = new Uint8Array(MAX_EXTREMA);
  readonly #x = new Int32Array(MAX_EXTREMA);
  readonly #y = new Int32Array(MAX_EXTREMA);

  offer(bucket: number, response: number, octave: number, x: number, y: number): void {
    const first = bucket * POINTS_PER_BUCKET;
    const end = first + POINTS_PER_BUCKET;
    const strength = Math.abs(response);
    let slot = end;
    while (slot > first && strength > Math.abs(this.#response[slot - 1])) slot--;
    if (slot === end) return;
    for (const column of [this.#response, this.#octave, this.#x, this.#y]) {
      column.copyWithin(slot + 1, slot, end - 1);
    }
    this.#response[slot] = response;
    this.#octave[slot] = octave;
    this.#x[slot] = x;
    this.#y[slot] = y;
  }

  list(): Extrema {
    const kept = Int32Array.from(this.#response.keys()).filter((slot) => this.#response[slot] !== 0);
    return {
      count: kept.length,
      response: Float32Array.from(kept, (slot) => this.#response[slot]),
      octave: Uint8Array.from(kept, (slot) => this.#octave[slot]),
      x: Float32Array.from(kept, (slot) => this.#x[slot]),
      y: Float32Array.from(kept, (slot) => this.#y[slot]),
    };
  }
}

/**
 * The `limit` strongest extrema by |response|, maxima and minima together, in their old order; the earlier
 * one of equals stays.
 */
export function keepStrongest(extrema: Extrema, limit: number): Extrema {
  if (extrema.count <= limit) return extrema;
  const { response } = extrema;
  const kept = Array.from({ length: extrema.count }, (_, i) => i)
    .sort((a, b) => Math.abs(response[b]) - Math.abs(response[a]) || a - b)
    .slice(0, limit)
    .sort((a, b) => a - b);
  return {
    count: kept.length,
    response: Float32Array.from(kept, (i) => response[i]),
    octave: Uint8Array.from(kept, (i) => extrema.octave[i]),
    x: Float32Array.from(kept, (i) => extrema.x[i]),
    y: Float32Array.from(kept, (i) => extrema.y[i]),
  };
}

/**
 * Moves each extremum to the vertex of the paraboloid through its 3 × 3 neighbours, in place. The step is
 * not limited; no step where the Hessian's determinant is next to 0.
 */
function localise({ count, octave, x, y }: Extrema, { octaves }: Pyramid): void {
  for (let i = 0; i < count; i++) {
    const { dog, width } = octaves[octave[i] - 1];
    const center = y[i] * width + x[i];
    const upper = center - width;
    const lower = center + width;
    const dx = 0.5 * (dog[center + 1] - dog[center - 1]);
    const dy = 0.5 * (dog[lower] - dog[upper]);
    const dxx = dog[center + 1] + dog[center - 1] - 2 * dog[center];
    const dyy = dog[lower] + dog[upper] - 2 * dog[center];
    const dxy = 0.25 * (dog[upper - 1] + dog[lower + 1] - dog[upper + 1] - dog[lower - 1]);
    const determinant = dxx * dyy - dxy * dxy;
    if (Math.abs(determinant) < MIN_DETERMINANT) continue;
    x[i] += (dxy * dy - dyy * dx) / determinant;
    y[i] += (dxy * dx - dxx * dy) / determinant;
  }
}
