// Chooses the points whose templates the player follows from frame to frame: strong corners that do not look
// like anything near them.
// Source: mind-ar tracker/extract.js, utils/cumsum.js.

import { type Kernels, stageKernels } from "./kernels/kernels.ts";
import { fits, NO_TEMPLATE, TEMPLATE_PIXELS, TEMPLATE_REACH, TEMPLATE_SIDE } from "./kernels/templates.ts";

/** Largest share of the image's pixels that the first selection, by gradient, keeps. */
const MAX_CANDIDATE_SHARE = 0.02;

/** Bins of the gradient histogram over 0…1. */
const GRADIENT_BINS = 1000;

/**
 * Smallest standard deviation of a template, in grey levels. The reference requires 5 of a candidate and 8 when
 * it chooses a point; requiring 8 at once gives the same points.
 */
const MIN_DEVIATION = 8;

/** Templates up to this many pixels away, in each direction, are compared. */
const SEARCH_REACH = 10;

/** Templates within this many pixels are near: they are bound to be similar. All others are distant. */
const NEAR_REACH = 2;

/** A point is refused if a distant template is at least this similar. */
const MAX_SIMILARITY = 0.9;

/** A point is refused if a near template is less similar than this and than the most similar distant one. */
const MIN_NEAR_SIMILARITY = 0.2;

/** A point is refused if a near template is more similar than this. */
const MAX_NEAR_SIMILARITY = 0.99;

/** Number of distant templates compared at a time. */
const BATCH = 24;

/** Offsets of templates, x and y alternating, the nearest first, because they are the most similar. */
const NEAR_OFFSETS = offsets((squared) => squared > 0 && squared <= NEAR_REACH * NEAR_REACH);
const FAR_OFFSETS = offsets((squared) => squared > NEAR_REACH * NEAR_REACH);
const NEAR_COUNT = NEAR_OFFSETS.length / 2;
const FAR_COUNT = FAR_OFFSETS.length / 2;

function offsets(selects: (squaredDistance: number) => boolean): Int32Array {
  const found: { x: number; y: number; squared: number }[] = [];
  for (let y = -SEARCH_REACH; y <= SEARCH_REACH; y++) {
    for (let x = -SEARCH_REACH; x <= SEARCH_REACH; x++) found.push({ x, y, squared: x * x + y * y });
  }
  found.sort((a, b) => a.squared - b.squared);
  return Int32Array.from(found.filter(({ squared }) => selects(squared)).flatMap(({ x, y }) => [x, y]));
}

/** Returns the tracking points of a grey image (row-major, width × height), in the order of their choice. */
export function findTrackingPoints(
  grey: Uint8Array,
  width: number,
  height: number,
  kernels: Kernels = stageKernels("track"),
): { x: number; y: number }[] {
  const templates = layTemplates(grey, width, height, kernels);
  const candidates = gradientMaxima(gradients(grey, width, height), width, height);
  return choosePoints(templates, candidates);
}

/** Returns the mean gradient magnitude over 3 × 3 pixels, 0…1, in float32; the border is -1. */
function gradients(grey: Uint8Array, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height).fill(-1);
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
  return out;
}

/**
 * Returns the pixels whose gradient exceeds that of their 4 neighbours, as flat indexes, ascending. Keeps the
 * strongest ones: whole bins of the histogram until they exceed 2 % of the image.
 */
function gradientMaxima(gradient: Float32Array, width: number, height: number): number[] {
  const maxima: number[] = [];
  const histogram = new Int32Array(GRADIENT_BINS);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const value = gradient[i];
      if (value <= gradient[i - 1] || value <= gradient[i + 1]) continue;
      if (value <= gradient[i - width] || value <= gradient[i + width]) continue;
      maxima.push(i);
      histogram[Math.min(Math.floor(value * GRADIENT_BINS), GRADIENT_BINS - 1)]++;
    }
  }
  let bin = GRADIENT_BINS - 1;
  for (let total = 0; bin >= 0; bin--) {
    total += histogram[bin];
    if (total > MAX_CANDIDATE_SHARE * width * height) break;
  }
  return maxima.filter((i) => gradient[i] * GRADIENT_BINS >= bin);
}

/** The data of all templates that comparisons need. Planes are row-major, width × height. */
interface Templates {
  readonly kernels: Kernels;
  readonly grey: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Sum of the template's pixels; 0 where it does not fit into the image. */
  readonly sums: Int32Array;
  /** Sum of the squares of the template's pixels. */
  readonly squares: Int32Array;
  readonly near: Int32Array;
  readonly far: Int32Array;
  /** Similarities of the current batch. */
  readonly similarities: Float64Array;
}

function layTemplates(grey: Uint8Array, width: number, height: number, kernels: Kernels): Templates {
  const buffers = kernels.place((room) => ({
    grey: room.uint8(width * height),
    sums: room.int32(width * height),
    squares: room.int32(width * height),
    near: room.int32(NEAR_OFFSETS.length),
    far: room.int32(FAR_OFFSETS.length),
    similarities: room.float64(Math.max(BATCH, NEAR_COUNT)),
  }));
  buffers.grey.set(grey);
  buffers.near.set(NEAR_OFFSETS);
  buffers.far.set(FAR_OFFSETS);
  sumTemplates(grey, width, height, buffers.sums, buffers.squares);
  return { kernels, width, height, ...buffers };
}

/** Computes the sums of all templates by sliding over columns of TEMPLATE_SIDE pixels. */
function sumTemplates(
  grey: Uint8Array,
  width: number,
  height: number,
  sums: Int32Array,
  squares: Int32Array,
): void {
  const columnSums = new Int32Array(width);
  const columnSquares = new Int32Array(width);
  sums.fill(0);
  squares.fill(0);
  for (let y = 0; y < height; y++) {
    for (let x = 0, i = y * width; x < width; x++, i++) {
      const old = y >= TEMPLATE_SIDE ? grey[i - TEMPLATE_SIDE * width] : 0;
      columnSums[x] += grey[i] - old;
      columnSquares[x] += grey[i] * grey[i] - old * old;
    }
    if (y < TEMPLATE_SIDE - 1) continue;
    let s = 0;
    let q = 0;
    for (let x = 0, to = (y - TEMPLATE_REACH) * width - TEMPLATE_REACH; x < width; x++, to++) {
      s += columnSums[x];
      q += columnSquares[x];
      if (x < TEMPLATE_SIDE - 1) continue;
      sums[to] = s;
      squares[to] = q;
      s -= columnSums[x - TEMPLATE_SIDE + 1];
      q -= columnSquares[x - TEMPLATE_SIDE + 1];
    }
  }
}

/** Returns the norm of a candidate's template. As in the reference, it rounds differently from the others'. */
function templateNorm({ sums, squares }: Templates, at: number): number {
  const average = sums[at] / TEMPLATE_PIXELS;
  return Math.sqrt(squares[at] - 2 * average * sums[at] + TEMPLATE_PIXELS * average * average);
}

/**
 * Repeatedly chooses the candidate that is least similar to its surroundings (of equals, the first in row-major
 * order) and bars a square around it.
 *
 * A candidate's similarity is the largest over hundreds of templates, but a few comparisons often show that it
 * is too large, or larger than another candidate's. So each candidate carries the largest similarity seen so
 * far, a lower bound, and only the candidate with the smallest bound is compared further. Once it has been
 * compared with all templates, it is chosen.
 */
function choosePoints(templates: Templates, candidates: readonly number[]): { x: number; y: number }[] {
  const { width, height } = templates;
  const reach = Math.floor(Math.min(width, height) / 10);
  const cell = 3 * TEMPLATE_SIDE;
  const limit =
    Math.floor(width / reach) * Math.floor(height / reach) +
    Math.floor(width / cell) * Math.floor(height / cell);

  const barred = new Uint8Array(width * height);
  const queue = new CandidateQueue(candidates.filter((at) => deviates(templates, at)));
  const points: { x: number; y: number }[] = [];
  while (queue.size > 0 && points.length < limit) {
    const at = queue.first;
    if (barred[at] || queue.bound >= MAX_SIMILARITY) {
      queue.drop();
      continue;
    }
    const { bound, compared } = queue;
    const complete = compared >= FAR_COUNT;
    const norm = templateNorm(templates, at);
    // A larger bound could not save a candidate that its surroundings rule out. Most candidates end here.
    if ((complete || compared === BATCH) && !surroundingsAgree(templates, at, norm, bound)) {
      queue.drop();
      continue;
    }
    if (!complete) {
      queue.raise(compareFurther(templates, at, norm, compared, bound), compared + BATCH);
      continue;
    }
    queue.drop();
    const x = at % width;
    const y = (at - x) / width;
    points.push({ x, y });
    for (let v = Math.max(y - reach, 0); v <= Math.min(y + reach, height - 1); v++) {
      barred.fill(1, v * width + Math.max(x - reach, 0), v * width + Math.min(x + reach, width - 1) + 1);
    }
  }
  return points;
}

/** A binary heap of flat indexes, ordered by the largest similarity so far (float32), then by index. */
class CandidateQueue {
  size: number;
  readonly #index: Int32Array;
  readonly #bound: Float32Array;
  readonly #compared: Int32Array;

  /** @param indexes in ascending order, which is a valid heap while all bounds are equal */
  constructor(indexes: readonly number[]) {
    this.size = indexes.length;
    this.#index = Int32Array.from(indexes);
    this.#bound = new Float32Array(this.size).fill(-1);
    this.#compared = new Int32Array(this.size);
  }

  /** The flat index of the candidate with the smallest bound. */
  get first(): number {
    return this.#index[0];
  }

  /** The largest similarity of that candidate so far. */
  get bound(): number {
    return this.#bound[0];
  }

  /** The number of distant templates with which that candidate has been compared. */
  get compared(): number {
    return this.#compared[0];
  }

  /** Updates the first candidate; `bound` is at least the old one. */
  raise(bound: number, compared: number): void {
    this.#sink(this.#index[0], Math.fround(bound), compared);
  }

  /** Removes the first candidate. */
  drop(): void {
    const last = --this.size;
    if (last > 0) this.#sink(this.#index[last], this.#bound[last], this.#compared[last]);
  }

  /** Puts a candidate at the top, which is free, and moves it down to its place. */
  #sink(index: number, bound: number, compared: number): void {
    let at = 0;
    for (let child = 1; child < this.size; child = 2 * at + 1) {
      if (child + 1 < this.size && this.#precedes(child + 1, this.#bound[child], this.#index[child])) child++;
      if (!this.#precedes(child, bound, index)) break;
      this.#index[at] = this.#index[child];
      this.#bound[at] = this.#bound[child];
      this.#compared[at] = this.#compared[child];
      at = child;
    }
    this.#index[at] = index;
    this.#bound[at] = bound;
    this.#compared[at] = compared;
  }

  #precedes(at: number, bound: number, index: number): boolean {
    return this.#bound[at] < bound || (this.#bound[at] === bound && this.#index[at] < index);
  }
}

/** Returns whether a template fits into the image and its grey levels vary enough to be followed. */
function deviates(templates: Templates, at: number): boolean {
  const { width, height } = templates;
  if (!fits(at % width, width) || !fits(Math.floor(at / width), height)) return false;
  return templateNorm(templates, at) / TEMPLATE_SIDE >= MIN_DEVIATION;
}

/** Returns the largest of `largest` and the similarities of the next BATCH distant templates. */
function compareFurther(
  templates: Templates,
  at: number,
  norm: number,
  from: number,
  largest: number,
): number {
  const { similarities, far } = templates;
  const end = Math.min(from + BATCH, FAR_COUNT);
  const compared = compare(templates, at, norm, far, from, end, MAX_SIMILARITY) - from;
  for (let k = 0; k < compared; k++) largest = Math.max(largest, similarities[k]);
  return largest;
}

/** Returns whether the templates next to a point are similar enough to follow it, but not the same. */
function surroundingsAgree(templates: Templates, at: number, norm: number, farthest: number): boolean {
  const { similarities, near } = templates;
  compare(templates, at, norm, near, 0, NEAR_COUNT, Infinity);
  for (let k = 0; k < NEAR_COUNT; k++) {
    const similarity = similarities[k];
    if (similarity === NO_TEMPLATE) continue;
    if (similarity > MAX_NEAR_SIMILARITY) return false;
    if (similarity < MIN_NEAR_SIMILARITY && similarity < farthest) return false;
  }
  return true;
}

function compare(
  { kernels, grey, width, height, sums, squares, similarities }: Templates,
  at: number,
  norm: number,
  offsets: Int32Array,
  from: number,
  end: number,
  limit: number,
): number {
  return kernels.correlate(
    grey,
    width,
    height,
    sums,
    squares,
    at,
    norm,
    offsets,
    from,
    end,
    limit,
    similarities,
  );
}
