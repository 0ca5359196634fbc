// Source: mind-ar detector/detector.js (_applyPrune, _computeLocalization) and its CPU kernels buildExtremas.js and
// extremaReduction.js.

import {
  BORDER,
  findPlaneExtrema,
  IS_MAXIMUM,
  IS_MINIMUM,
  MIN_DETERMINANT,
  planeExtremum,
} from "./extrema.ts";
import { baseDifferences } from "./pyramid.ts";

/** Numbers per octave in a table of planes: its first entry in `dogs`, its width and height, its first candidate. */
export const PLANE = 4;

/** Candidates of a bucket that are sorted at a time, the strongest first. Usually the first 5 pass. */
const SHORTLIST = 16;

const shortlist = new Int32Array(SHORTLIST);

/** 3 × 3 differences of octave 0. */
const below = new Float32Array(9);

/**
 * Chooses the strongest extrema of an image over position and scale, at most `pointsPerBucket` in each of
 * `bucketsAcross` × `bucketsDown` buckets, and localises them. Returns their number.
 *
 * `grey` is octave 0, `greyWidth` pixels per row; `dogs` has the differences of the `octaves` octaves above it, where
 * `planes` (see PLANE) says. The last octave has no extrema. `minResponse` is a float32.
 *
 * `response`, `octave`, `x` and `y` receive the extrema, bucket after bucket, the strongest first; ties: the lower
 * octave, then pixel order. The response is the difference, in grey levels, never 0; octaves count from 1; places are
 * in pixels of the octave, sub-pixel.
 *
 * `heads` has room for one number per bucket; `next`, `place` and `strength` for one per pixel of all octaves.
 *
 * Most candidates (extrema of their own plane) are weaker than those that their bucket already has. So the strongest
 * are checked first, and the planes below and above are computed only around them.
 */
export function chooseExtrema(
  grey: Uint8Array,
  greyWidth: number,
  dogs: Float32Array,
  planes: Int32Array,
  octaves: number,
  bucketsAcross: number,
  bucketsDown: number,
  pointsPerBucket: number,
  minResponse: number,
  heads: Int32Array,
  next: Int32Array,
  place: Int32Array,
  strength: Float32Array,
  response: Float32Array,
  octave: Uint8Array,
  x: Float32Array,
  y: Float32Array,
): number {
  const last = octaves - 1;
  heads.fill(-1, 0, bucketsAcross * bucketsDown);
  let candidates = 0;
  for (let i = 0; i < last; i++) {
    planes[PLANE * i + 3] = candidates;
    candidates = collect(
      dogs,
      planes,
      i,
      bucketsAcross,
      bucketsDown,
      minResponse,
      heads,
      next,
      place,
      strength,
      candidates,
    );
  }
  let count = 0;
  for (let bucket = 0; bucket < bucketsAcross * bucketsDown; bucket++) {
    const end = count + pointsPerBucket;
    let listed: number;
    do {
      listed = listStrongest(heads[bucket], planes, last, next, place, strength);
      for (let i = 0; i < listed && count < end; i++) {
        const candidate = shortlist[i];
        strength[candidate] = 0;
        const plane = octaveOf(planes, last, candidate);
        if (!isExtremum(grey, greyWidth, dogs, planes, plane, place[candidate], minResponse)) continue;
        const start = planes[PLANE * plane];
        const width = planes[PLANE * plane + 1];
        const index = place[candidate] >> 2;
        const column = index % width;
        const row = (index - column) / width;
        response[count] = packedResponse(dogs[start + index], column, row);
        octave[count] = plane + 1;
        localise(dogs, start + index, width, column, row, x, y, count);
        count++;
      }
    } while (count < end && listed === SHORTLIST);
  }
  return count;
}

/**
 * Adds the extrema of an octave's own plane to the candidates, whose columns are `place` (4 × flat index + kind),
 * `strength` (|response|; 0 once checked) and `next`: those of one bucket form a linked list, the last found first.
 * Returns the number of candidates.
 */
function collect(
  dogs: Float32Array,
  planes: Int32Array,
  plane: number,
  bucketsAcross: number,
  bucketsDown: number,
  minResponse: number,
  heads: Int32Array,
  next: Int32Array,
  place: Int32Array,
  strength: Float32Array,
  first: number,
): number {
  const start = planes[PLANE * plane];
  const width = planes[PLANE * plane + 1];
  const height = planes[PLANE * plane + 2];
  const bucketWidth = ((width >> 1) * 2) / bucketsAcross;
  const bucketHeight = ((height >> 1) * 2) / bucketsDown;
  const dog = dogs.subarray(start);
  const found = findPlaneExtrema(dog, width, BORDER, height - BORDER, minResponse, place.subarray(first));
  for (let i = first; i < first + found; i++) {
    const index = place[i] >> 2;
    const x = index % width;
    const y = (index - x) / width;
    const bucket = Math.floor(y / bucketHeight) * bucketsAcross + Math.floor(x / bucketWidth);
    strength[i] = Math.abs(packedResponse(dogs[start + index], x, y));
    next[i] = heads[bucket];
    heads[bucket] = i;
  }
  return first + found;
}

/**
 * Returns the response with the reference's rounding: it passes through a float32 that also holds the place in
 * the cell (place × 1000 + response), and loses some bits there.
 */
function packedResponse(value: number, x: number, y: number): number {
  const place = (y & 1) + 2 * (x & 1);
  const shift = value < 0 ? -1000 * place : 1000 * place;
  return Math.fround(shift + value) - shift;
}

/** Returns the index of a candidate's octave among those above the first. */
function octaveOf(planes: Int32Array, octaves: number, candidate: number): number {
  let octave = octaves - 1;
  while (candidate < planes[PLANE * octave + 3]) octave--;
  return octave;
}

/** Lists the SHORTLIST strongest candidates of a bucket that are not checked yet, in order. Returns their number. */
function listStrongest(
  first: number,
  planes: Int32Array,
  octaves: number,
  next: Int32Array,
  place: Int32Array,
  strength: Float32Array,
): number {
  let count = 0;
  let least = 0;
  for (let i = first; i >= 0; i = next[i]) {
    const value = strength[i];
    if (value === 0 || value < least) continue;
    let at = count;
    while (at > 0 && precedes(planes, octaves, place, strength, i, shortlist[at - 1])) at--;
    if (at === SHORTLIST) continue;
    if (count < SHORTLIST) count++;
    for (let k = count - 1; k > at; k--) shortlist[k] = shortlist[k - 1];
    shortlist[at] = i;
    if (count === SHORTLIST) least = strength[shortlist[SHORTLIST - 1]];
  }
  return count;
}

function precedes(
  planes: Int32Array,
  octaves: number,
  place: Int32Array,
  strength: Float32Array,
  a: number,
  b: number,
): boolean {
  if (strength[a] !== strength[b]) return strength[a] > strength[b];
  const octave = octaveOf(planes, octaves, a);
  const other = octaveOf(planes, octaves, b);
  if (octave !== other) return octave < other;
  const width = planes[PLANE * octave + 1];
  return indexKey(place[a] >> 2, width) < indexKey(place[b] >> 2, width);
}

function indexKey(index: number, width: number): number {
  return cellKey(index % width, Math.floor(index / width), width);
}

/**
 * Returns a pixel's place in the order of an octave: 2 × 2 cells in row-major order; within a cell first the
 * lower left pixel, then the upper right, the lower right and the upper left one.
 */
function cellKey(x: number, y: number, width: number): number {
  const place = (y & 1) + 2 * (x & 1);
  return 4 * ((y >> 1) * (width >> 1) + (x >> 1)) + ((place + 3) & 3);
}

/** Returns whether a candidate is an extremum over scale too, and the first one of its 2 × 2 cell. */
function isExtremum(
  grey: Uint8Array,
  greyWidth: number,
  dogs: Float32Array,
  planes: Int32Array,
  plane: number,
  candidate: number,
  minResponse: number,
): boolean {
  const width = planes[PLANE * plane + 1];
  const height = planes[PLANE * plane + 2];
  const index = candidate >> 2;
  const x = index % width;
  const y = (index - x) / width;
  if (!isScaleExtremum(grey, greyWidth, dogs, planes, plane, x, y, candidate & 3)) return false;
  const key = cellKey(x, y, width);
  const start = planes[PLANE * plane];
  for (let v = y & ~1; v <= (y | 1); v++) {
    for (let u = x & ~1; u <= (x | 1); u++) {
      if (cellKey(u, v, width) >= key) continue;
      if (u < BORDER || v < BORDER || u >= width - BORDER || v >= height - BORDER) continue;
      const kind = planeExtremum(dogs, width, start + v * width + u, minResponse);
      if (kind !== 0 && isScaleExtremum(grey, greyWidth, dogs, planes, plane, u, v, kind)) return false;
    }
  }
  return true;
}

/** Returns whether a candidate also stands out from its 9 neighbours above in scale and the 9 below. */
function isScaleExtremum(
  grey: Uint8Array,
  greyWidth: number,
  dogs: Float32Array,
  planes: Int32Array,
  plane: number,
  x: number,
  y: number,
  kind: number,
): boolean {
  const value = dogs[planes[PLANE * plane] + y * planes[PLANE * plane + 1] + x];
  const above = PLANE * (plane + 1);
  for (let v = y - 1; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++) {
      kind = standsOut(value, doubledDog(dogs, planes[above], planes[above + 1], u, v), kind);
      if (kind === 0) return false;
    }
  }
  if (plane === 0) baseDifferences(grey, greyWidth, x, y, below);
  else halvedDogs(dogs, planes[PLANE * (plane - 1)], planes[PLANE * (plane - 1) + 1], x, y);
  for (let i = 0; i < 9 && kind !== 0; i++) kind = standsOut(value, below[i], kind);
  return kind !== 0;
}

/** Returns the kind without what the neighbour's value rules out. */
function standsOut(value: number, neighbour: number, kind: number): number {
  if (value < neighbour) return kind & ~IS_MAXIMUM;
  return value > neighbour ? kind & ~IS_MINIMUM : kind;
}

/**
 * Writes to `below` the 2 × 2 means of the plane at `start` for the 3 × 3 pixels around (x, y); rounds each addition,
 * the left column first.
 */
function halvedDogs(dogs: Float32Array, start: number, width: number, x: number, y: number): void {
  for (let v = y - 1, to = 0; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++, to++) {
      const i = start + 2 * v * width + 2 * u;
      const left = Math.fround(dogs[i] + dogs[i + width]);
      below[to] = Math.fround(Math.fround(left + dogs[i + 1]) + dogs[i + width + 1]) * 0.25;
    }
  }
}

/** Samples the plane enlarged to twice its size (bilinear, weights ¼ and ¾), rounded to float32 once. */
function doubledDog(dogs: Float32Array, start: number, width: number, x: number, y: number): number {
  const i = start + ((y - 1) >> 1) * width + ((x - 1) >> 1);
  const wx = x & 1 ? 0.25 : 0.75;
  const wy = y & 1 ? 0.25 : 0.75;
  const upper = dogs[i] * (1 - wx) + dogs[i + 1] * wx;
  const lower = dogs[i + width] * (1 - wx) + dogs[i + width + 1] * wx;
  return Math.fround(upper * (1 - wy) + lower * wy);
}

/**
 * Writes the vertex of the paraboloid through an extremum's 3 × 3 neighbours. The length of the step is not limited.
 * An extremum stays where the Hessian's determinant is close to 0.
 */
function localise(
  dogs: Float32Array,
  center: number,
  width: number,
  column: number,
  row: number,
  x: Float32Array,
  y: Float32Array,
  to: number,
): void {
  const upper = center - width;
  const lower = center + width;
  const dx = 0.5 * (dogs[center + 1] - dogs[center - 1]);
  const dy = 0.5 * (dogs[lower] - dogs[upper]);
  const dxx = dogs[center + 1] + dogs[center - 1] - 2 * dogs[center];
  const dyy = dogs[lower] + dogs[upper] - 2 * dogs[center];
  const dxy = 0.25 * (dogs[upper - 1] + dogs[lower + 1] - dogs[upper + 1] - dogs[lower - 1]);
  const determinant = dxx * dyy - dxy * dxy;
  const moves = Math.abs(determinant) >= MIN_DETERMINANT;
  x[to] = column + (moves ? (dxy * dy - dyy * dx) / determinant : 0);
  y[to] = row + (moves ? (dxy * dx - dxx * dy) / determinant : 0);
}
