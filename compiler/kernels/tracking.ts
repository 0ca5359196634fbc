// Source: mind-ar tracker/extract.js, utils/cumsum.js.

import { correlate, fits, NO_TEMPLATE, TEMPLATE_PIXELS, TEMPLATE_REACH, TEMPLATE_SIDE } from "./templates.ts";

/** Bins of the gradient histogram over 0…1. */
export const GRADIENT_BINS = 1000;

/**
 * Smallest standard deviation of a template, in grey levels. The reference requires 5 of a candidate and 8 when
 * it chooses a point; requiring 8 at once gives the same points.
 */
const MIN_DEVIATION = 8;

/** A point is refused if a distant template is at least this similar. */
const MAX_SIMILARITY = 0.9;

/** A point is refused if a near template is less similar than this and than the most similar distant one. */
const MIN_NEAR_SIMILARITY = 0.2;

/** A point is refused if a near template is more similar than this. */
const MAX_NEAR_SIMILARITY = 0.99;

/** Number of distant templates compared at a time. */
const BATCH = 24;

/** Returns the entries of an array of similarities: of all near templates, or of a batch of distant ones. */
export function similarityCount(nearCount: number): number {
  return Math.max(BATCH, nearCount);
}

/**
 * Writes the sums of each template's pixels and of their squares, as planes (row-major, width × height), by sliding
 * over columns of TEMPLATE_SIDE pixels. A template that does not fit into the image has sums of 0.
 *
 * `columns` has room for 2 × width numbers.
 */
export function sumTemplates(
  grey: Uint8Array,
  width: number,
  height: number,
  columns: Int32Array,
  sums: Int32Array,
  squares: Int32Array,
): void {
  columns.fill(0, 0, 2 * width);
  sums.fill(0, 0, width * height);
  squares.fill(0, 0, width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0, i = y * width; x < width; x++, i++) {
      const old = y >= TEMPLATE_SIDE ? grey[i - TEMPLATE_SIDE * width] : 0;
      columns[x] += grey[i] - old;
      columns[width + x] += grey[i] * grey[i] - old * old;
    }
    if (y < TEMPLATE_SIDE - 1) continue;
    let s = 0;
    let q = 0;
    for (let x = 0, to = (y - TEMPLATE_REACH) * width - TEMPLATE_REACH; x < width; x++, to++) {
      s += columns[x];
      q += columns[width + x];
      if (x < TEMPLATE_SIDE - 1) continue;
      sums[to] = s;
      squares[to] = q;
      s -= columns[x - TEMPLATE_SIDE + 1];
      q -= columns[width + x - TEMPLATE_SIDE + 1];
    }
  }
}

/**
 * Writes the candidates for tracking points, as flat indexes, ascending, and returns their number: the pixels whose
 * gradient exceeds that of their 4 neighbours, the strongest of them, whole bins of the histogram until they exceed
 * `most`; of those, the ones whose template fits into the image and varies enough to be followed.
 *
 * `sums` and `squares` are those of `sumTemplates`. `gradient` has room for width × height magnitudes, `histogram` for
 * GRADIENT_BINS numbers, `candidates` for half of the pixels.
 */
export function findCorners(
  grey: Uint8Array,
  width: number,
  height: number,
  most: number,
  sums: Int32Array,
  squares: Int32Array,
  gradient: Float32Array,
  histogram: Int32Array,
  candidates: Int32Array,
): number {
  writeGradients(grey, width, height, gradient);
  histogram.fill(0, 0, GRADIENT_BINS);
  let count = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const value = gradient[i];
      if (value <= gradient[i - 1] || value <= gradient[i + 1]) continue;
      if (value <= gradient[i - width] || value <= gradient[i + width]) continue;
      candidates[count++] = i;
      histogram[Math.min(Math.floor(value * GRADIENT_BINS), GRADIENT_BINS - 1)]++;
    }
  }
  let bin = GRADIENT_BINS - 1;
  for (let total = 0; bin >= 0; bin--) {
    total += histogram[bin];
    if (total > most) break;
  }
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const at = candidates[k];
    if (gradient[at] * GRADIENT_BINS < bin) continue;
    if (!fits(at % width, width) || !fits(Math.floor(at / width), height)) continue;
    // A flat template's norm may be NaN.
    if (!(templateNorm(sums, squares, at) / TEMPLATE_SIDE >= MIN_DEVIATION)) continue;
    candidates[kept++] = at;
  }
  return kept;
}

/** Writes the mean gradient magnitude over 3 × 3 pixels, 0…1, in float32; the border is -1. */
function writeGradients(grey: Uint8Array, width: number, height: number, out: Float32Array): void {
  out.fill(-1, 0, width * height);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const u = i - width;
      const l = i + width;
      const corners = grey[l + 1] - grey[u - 1];
      const others = grey[u + 1] - grey[l - 1];
      const dx = (corners + others + grey[i + 1] - grey[i - 1]) / (3 * 256);
      const dy = (corners - others + grey[l] - grey[u]) / (3 * 256);
      out[i] = Math.sqrt((dx * dx + dy * dy) / 2);
    }
  }
}

/** Returns the norm of a candidate's template. As in the reference, it rounds differently from the others'. */
function templateNorm(sums: Int32Array, squares: Int32Array, at: number): number {
  const average = sums[at] / TEMPLATE_PIXELS;
  return Math.sqrt(squares[at] - 2 * average * sums[at] + TEMPLATE_PIXELS * average * average);
}

/**
 * Repeatedly chooses the candidate that is least similar to its surroundings (of equals, the first in row-major
 * order) and bars a square that extends `reach` pixels around it. Writes at most `limit` points, as flat indexes;
 * returns their number.
 *
 * A candidate's similarity is the largest over hundreds of templates, but a few comparisons often show that it
 * is too large, or larger than another candidate's. So each candidate carries the largest similarity seen so
 * far, a lower bound, and only the candidate with the smallest bound is compared further. Once it has been
 * compared with all templates, it is chosen.
 *
 * `candidates` are the `count` of `findCorners`, and are overwritten. `near` and `far` are offsets of templates, x and
 * y alternating: all near ones of a point must be similar to it, all distant ones different. `similarities` has
 * `similarityCount` entries, `bounds` and `compared` one per candidate, `barred` one per pixel.
 */
export function choosePoints(
  grey: Uint8Array,
  width: number,
  height: number,
  sums: Int32Array,
  squares: Int32Array,
  near: Int32Array,
  nearCount: number,
  far: Int32Array,
  farCount: number,
  candidates: Int32Array,
  count: number,
  bounds: Float32Array,
  compared: Int32Array,
  similarities: Float64Array,
  barred: Uint8Array,
  reach: number,
  limit: number,
  points: Int32Array,
): number {
  barred.fill(0, 0, width * height);
  // A binary heap in three columns, ordered by bound, then by index. Ascending indexes are one while bounds are equal.
  bounds.fill(-1, 0, count);
  compared.fill(0, 0, count);
  let chosen = 0;
  while (count > 0 && chosen < limit) {
    const at = candidates[0];
    const bound = bounds[0];
    const complete = compared[0] >= farCount;
    let drop = barred[at] !== 0 || bound >= MAX_SIMILARITY;
    let choose = false;
    if (!drop) {
      const norm = templateNorm(sums, squares, at);
      // A larger bound could not save a candidate that its surroundings rule out. Most candidates end here.
      if (complete || compared[0] === BATCH) {
        correlate(grey, width, height, sums, squares, at, norm, near, 0, nearCount, Infinity, similarities);
        drop = !surroundingsAgree(similarities, nearCount, bound);
      }
      if (complete) {
        choose = !drop;
        drop = true;
      } else if (!drop) {
        const from = compared[0];
        const end = Math.min(from + BATCH, farCount);
        const done =
          correlate(
            grey,
            width,
            height,
            sums,
            squares,
            at,
            norm,
            far,
            from,
            end,
            MAX_SIMILARITY,
            similarities,
          ) - from;
        let largest = bound;
        for (let k = 0; k < done; k++) largest = Math.max(largest, similarities[k]);
        sink(candidates, bounds, compared, count, at, Math.fround(largest), from + BATCH);
      }
    }
    if (drop) {
      count--;
      sink(candidates, bounds, compared, count, candidates[count], bounds[count], compared[count]);
    }
    if (!choose) continue;
    points[chosen++] = at;
    const x = at % width;
    const y = (at - x) / width;
    const left = Math.max(x - reach, 0);
    const right = Math.min(x + reach, width - 1);
    for (let v = Math.max(y - reach, 0); v <= Math.min(y + reach, height - 1); v++) {
      barred.fill(1, v * width + left, v * width + right + 1);
    }
  }
  return chosen;
}

/** Returns whether the templates next to a point are similar enough to follow it, but not the same. */
function surroundingsAgree(similarities: Float64Array, count: number, farthest: number): boolean {
  for (let k = 0; k < count; k++) {
    const similarity = similarities[k];
    if (similarity === NO_TEMPLATE) continue;
    if (similarity > MAX_NEAR_SIMILARITY) return false;
    if (similarity < MIN_NEAR_SIMILARITY && similarity < farthest) return false;
  }
  return true;
}

/** Puts a candidate at the top of a heap of `size`, which is free, and moves it down to its place. */
function sink(
  indexes: Int32Array,
  bounds: Float32Array,
  compared: Int32Array,
  size: number,
  index: number,
  bound: number,
  done: number,
): void {
  let at = 0;
  for (let child = 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && precedes(indexes, bounds, child + 1, bounds[child], indexes[child])) child++;
    if (!precedes(indexes, bounds, child, bound, index)) break;
    indexes[at] = indexes[child];
    bounds[at] = bounds[child];
    compared[at] = compared[child];
    at = child;
  }
  indexes[at] = index;
  bounds[at] = bound;
  compared[at] = done;
}

function precedes(
  indexes: Int32Array,
  bounds: Float32Array,
  at: number,
  bound: number,
  index: number,
): boolean {
  return bounds[at] < bound || (bounds[at] === bound && indexes[at] < index);
}
