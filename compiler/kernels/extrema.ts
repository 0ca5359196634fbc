// Source: mind-ar detector/kernels/cpu/buildExtremas.js.

/** Smallest distance of a point from the border, in pixels of its octave: FREAK's radius. */
export const BORDER = 7;

/** Largest trace² / determinant of the Hessian; beyond it the point lies on an edge. */
const MAX_EDGE_SCORE = (4 + 1) ** 2 / 4;

/** With a smaller determinant, the Hessian has no stable inverse. */
export const MIN_DETERMINANT = 0.0001;

/** Flags of a candidate whose value is not below (maximum) or not above (minimum) its neighbours'. */
export const IS_MAXIMUM = 1;
export const IS_MINIMUM = 2;

/**
 * Finds the extrema of one plane among their 8 neighbours, ties included, that are strong and not edges.
 *
 * `dog` is row-major, `width` pixels per row, in grey levels. The rows from `firstRow` to before `endRow` are
 * searched; they are at least BORDER from the plane's borders. `minResponse` is the smallest |difference| of a
 * candidate, a float32. Each candidate is written as 4 × flat index + its kind (IS_MAXIMUM, IS_MINIMUM or both),
 * in row-major order. Returns the number of candidates.
 */
export function findPlaneExtrema(
  dog: Float32Array,
  width: number,
  firstRow: number,
  endRow: number,
  minResponse: number,
  candidates: Int32Array,
): number {
  let count = 0;
  for (let y = firstRow; y < endRow; y++) {
    for (let i = y * width + BORDER, end = (y + 1) * width - BORDER; i < end; i++) {
      const kind = planeExtremum(dog, width, i, minResponse);
      if (kind !== 0) candidates[count++] = (i << 2) | kind;
    }
  }
  return count;
}

/** Returns the kind of the extremum at a flat index; 0 if it is not an extremum. */
export function planeExtremum(dog: Float32Array, width: number, i: number, minResponse: number): number {
  const value = dog[i];
  if (value < minResponse && value > -minResponse) return 0;
  const left = dog[i - 1];
  const right = dog[i + 1];
  let kind = value >= left && value >= right ? IS_MAXIMUM : 0;
  if (value <= left && value <= right) kind |= IS_MINIMUM;
  if (kind === 0) return 0;
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
  if (kind === 0) return 0;

  const dxx = right + left - 2 * value;
  const dyy = e + b - 2 * value;
  const dxy = 0.25 * (a + f - c - d);
  const determinant = dxx * dyy - dxy * dxy;
  if (Math.abs(determinant) < MIN_DETERMINANT) return 0;
  return Math.abs(((dxx + dyy) * (dxx + dyy)) / determinant) >= MAX_EDGE_SCORE ? 0 : kind;
}
