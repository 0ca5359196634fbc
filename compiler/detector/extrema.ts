// Finds extrema of the difference of Gaussians over position and scale, thins them out and localises them.
// Source: mind-ar detector/detector.js (_applyPrune, _computeLocalization) and its CPU kernels
// buildExtremas.js and extremaReduction.js.

import { BORDER, IS_MAXIMUM, IS_MINIMUM, MIN_DETERMINANT, planeExtremum } from "../kernels/extrema.ts";
import type { Room } from "../kernels/kernels.ts";
import type { GreyImage } from "../types.ts";
import type { Octave, Pyramid } from "./pyramid.ts";

/** Which extrema of an image stay. */
export interface Selection {
  /** The image is divided into this many buckets along each side. */
  readonly bucketsAcross: number;
  readonly bucketsDown: number;
  /** Most extrema per bucket, over all octaves; the strongest ones stay. */
  readonly pointsPerBucket: number;
  /** Smallest |difference of Gaussians|, in grey levels. */
  readonly minResponse: number;
}

/** What the reference keeps of a keyframe. */
export const KEYFRAME_SELECTION: Selection = {
  bucketsAcross: 10,
  bucketsDown: 10,
  pointsPerBucket: 5,
  minResponse: 3,
};

/** Sides, in pixels of a camera's frame, of the buckets in which the strongest points stay. */
const FRAME_BUCKET_SIDE = 25.5;
const POINTS_PER_FRAME_BUCKET = 5;

/** Smallest |difference of Gaussians|, in grey levels: blurred and dark photos have weak points only. */
const MIN_FRAME_RESPONSE = 1.2;

/** Returns which points of a camera's frame of this size our player keeps. */
export function frameSelection({ width, height }: Pick<GreyImage, "width" | "height">): Selection {
  return {
    bucketsAcross: Math.max(1, Math.round(width / FRAME_BUCKET_SIDE)),
    bucketsDown: Math.max(1, Math.round(height / FRAME_BUCKET_SIDE)),
    pointsPerBucket: POINTS_PER_FRAME_BUCKET,
    minResponse: MIN_FRAME_RESPONSE,
  };
}

/** Returns the largest number of extrema that stay. */
export function mostExtrema({ bucketsAcross, bucketsDown, pointsPerBucket }: Selection): number {
  return bucketsAcross * bucketsDown * pointsPerBucket;
}

/** Candidates of a bucket that are sorted at a time, the strongest first. Usually the first 5 pass. */
const SHORTLIST = 16;

const FIRST_CAPACITY = 1 << 14;

/** Extrema of one keyframe in columns, bucket after bucket, the strongest of a bucket first. */
export interface Extrema {
  readonly count: number;
  /** Difference of Gaussians, in grey levels, never 0; positive for maxima. */
  readonly response: Float32Array;
  /** 1 or above. */
  readonly octave: Uint8Array;
  /** Pixels of the octave; sub-pixel once localised. */
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export interface ExtremaBuffers {
  readonly selection: Selection;
  /** Candidates of some rows of an octave. */
  readonly candidates: Int32Array;
  /** 3 × 3 differences of octave 0. */
  readonly below: Float32Array;
}

/** Allocates buffers for images of up to `width` pixels per row. */
export function layExtrema(room: Room, width: number, selection: Selection): ExtremaBuffers {
  return {
    selection: { ...selection, minResponse: Math.fround(selection.minResponse) },
    candidates: room.int32(32 * width),
    below: room.float32(9),
  };
}

/**
 * Returns the extrema of an image, at most `pointsPerBucket` in each bucket.
 *
 * Most candidates (extrema of their own plane) are weaker than those that their bucket already has. So the
 * strongest are checked first, and the planes below and above are computed only around them.
 */
export function findExtrema(pyramid: Pyramid, buffers: ExtremaBuffers): Extrema {
  const candidates = new Candidates(buffers.selection);
  for (let i = 0; i + 1 < pyramid.octaves.length; i++) collect(pyramid, i, buffers, candidates);
  const extrema = chooseStrongest(candidates, pyramid, buffers);
  localise(extrema, pyramid);
  return extrema;
}

/** Extrema of single planes, in columns. Those of one bucket form a linked list, the last found first. */
class Candidates {
  readonly head: Int32Array;
  /** Index of each octave's first candidate. */
  readonly octaveStart: number[] = [];
  count = 0;
  next = new Int32Array(FIRST_CAPACITY);
  /** 4 × flat index + kind. */
  place = new Int32Array(FIRST_CAPACITY);
  /** |response|; 0 once checked. */
  strength = new Float32Array(FIRST_CAPACITY);

  constructor({ bucketsAcross, bucketsDown }: Selection) {
    this.head = new Int32Array(bucketsAcross * bucketsDown).fill(-1);
  }

  add(bucket: number, place: number, strength: number): void {
    if (this.count === this.next.length) this.#grow();
    const at = this.count++;
    this.next[at] = this.head[bucket];
    this.head[bucket] = at;
    this.place[at] = place;
    this.strength[at] = strength;
  }

  #grow(): void {
    const { next, place, strength } = this;
    const capacity = 4 * next.length;
    this.next = new Int32Array(capacity);
    this.next.set(next);
    this.place = new Int32Array(capacity);
    this.place.set(place);
    this.strength = new Float32Array(capacity);
    this.strength.set(strength);
  }

  /** Returns the index of the candidate's octave among those above the first. */
  octaveOf(candidate: number): number {
    let octave = this.octaveStart.length - 1;
    while (candidate < this.octaveStart[octave]) octave--;
    return octave;
  }
}

/**
 * Returns a pixel's place in the order of an octave: 2 × 2 cells in row-major order; within a cell first the
 * lower left pixel, then the upper right, the lower right and the upper left one.
 */
function cellKey(x: number, y: number, width: number): number {
  const place = (y & 1) + 2 * (x & 1);
  return 4 * ((y >> 1) * (width >> 1) + (x >> 1)) + ((place + 3) & 3);
}

/** Adds the extrema of an octave's own plane. */
function collect(
  { kernels, octaves }: Pyramid,
  octave: number,
  { selection, candidates: found }: ExtremaBuffers,
  candidates: Candidates,
): void {
  const { dog, width, height } = octaves[octave];
  const { bucketsAcross, bucketsDown, minResponse } = selection;
  const bucketWidth = ((width >> 1) * 2) / bucketsAcross;
  const bucketHeight = ((height >> 1) * 2) / bucketsDown;
  const columnOf = Uint8Array.from({ length: width }, (_, x) => Math.floor(x / bucketWidth));
  const rows = Math.floor(found.length / width);
  candidates.octaveStart.push(candidates.count);
  for (let firstRow = BORDER; firstRow < height - BORDER; firstRow += rows) {
    const endRow = Math.min(firstRow + rows, height - BORDER);
    const count = kernels.findPlaneExtrema(dog, width, firstRow, endRow, minResponse, found);
    for (let i = 0, y = firstRow, end = (y + 1) * width; i < count; i++) {
      const index = found[i] >> 2;
      for (; index >= end; end += width) y++;
      const x = index - end + width;
      const bucket = Math.floor(y / bucketHeight) * bucketsAcross + columnOf[x];
      candidates.add(bucket, found[i], Math.abs(packedResponse(dog[index], x, y)));
    }
  }
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

/** Returns the strongest extrema of each bucket by |response|. Ties: the lower octave, then pixel order. */
function chooseStrongest(candidates: Candidates, pyramid: Pyramid, buffers: ExtremaBuffers): Extrema {
  const { place, strength } = candidates;
  const { octaves } = pyramid;
  const kept: number[] = [];
  const shortlist: number[] = [];
  for (const first of candidates.head) {
    let slots = buffers.selection.pointsPerBucket;
    do {
      listStrongest(candidates, first, octaves, shortlist);
      for (let i = 0; i < shortlist.length && slots > 0; i++) {
        const candidate = shortlist[i];
        strength[candidate] = 0;
        if (!isExtremum(pyramid, candidates.octaveOf(candidate), place[candidate], buffers)) continue;
        kept.push(candidate);
        slots--;
      }
    } while (slots > 0 && shortlist.length === SHORTLIST);
  }
  const extrema = {
    count: kept.length,
    response: new Float32Array(kept.length),
    octave: new Uint8Array(kept.length),
    x: new Float32Array(kept.length),
    y: new Float32Array(kept.length),
  };
  kept.forEach((candidate, i) => {
    const octave = candidates.octaveOf(candidate);
    const { dog, width } = octaves[octave];
    const index = place[candidate] >> 2;
    const y = Math.floor(index / width);
    const x = index - y * width;
    extrema.response[i] = packedResponse(dog[index], x, y);
    extrema.octave[i] = octave + 1;
    extrema.x[i] = x;
    extrema.y[i] = y;
  });
  return extrema;
}

/** Lists the SHORTLIST strongest candidates of a bucket that are not checked yet, in order. */
function listStrongest(
  candidates: Candidates,
  first: number,
  octaves: readonly Octave[],
  shortlist: number[],
): void {
  const { next, strength } = candidates;
  shortlist.length = 0;
  let least = 0;
  for (let i = first; i >= 0; i = next[i]) {
    const value = strength[i];
    if (value === 0 || value < least) continue;
    let at = shortlist.length;
    while (at > 0 && precedes(candidates, octaves, i, shortlist[at - 1])) at--;
    if (at === SHORTLIST) continue;
    if (shortlist.length === SHORTLIST) shortlist.pop();
    shortlist.splice(at, 0, i);
    if (shortlist.length === SHORTLIST) least = strength[shortlist[SHORTLIST - 1]];
  }
}

function precedes(candidates: Candidates, octaves: readonly Octave[], a: number, b: number): boolean {
  const { strength, place } = candidates;
  if (strength[a] !== strength[b]) return strength[a] > strength[b];
  const octave = candidates.octaveOf(a);
  if (octave !== candidates.octaveOf(b)) return octave < candidates.octaveOf(b);
  const { width } = octaves[octave];
  const key = (index: number) => cellKey(index % width, Math.floor(index / width), width);
  return key(place[a] >> 2) < key(place[b] >> 2);
}

/** Returns whether a candidate is an extremum over scale too, and the first one of its 2 × 2 cell. */
function isExtremum(
  pyramid: Pyramid,
  octave: number,
  candidate: number,
  { selection, below }: ExtremaBuffers,
): boolean {
  const { dog, width } = pyramid.octaves[octave];
  const index = candidate >> 2;
  const y = Math.floor(index / width);
  const x = index - y * width;
  if (!isScaleExtremum(pyramid, octave, x, y, candidate & 3, below)) return false;
  const key = cellKey(x, y, width);
  for (let v = y & ~1; v <= (y | 1); v++) {
    for (let u = x & ~1; u <= (x | 1); u++) {
      if (cellKey(u, v, width) >= key || !isInside(pyramid.octaves[octave], u, v)) continue;
      const kind = planeExtremum(dog, width, v * width + u, selection.minResponse);
      if (kind !== 0 && isScaleExtremum(pyramid, octave, u, v, kind, below)) return false;
    }
  }
  return true;
}

function isInside({ width, height }: Octave, x: number, y: number): boolean {
  return x >= BORDER && y >= BORDER && x < width - BORDER && y < height - BORDER;
}

/** Returns whether a candidate also stands out from its 9 neighbours above in scale and the 9 below. */
function isScaleExtremum(
  { kernels, grey, width: greyWidth, octaves }: Pyramid,
  octave: number,
  x: number,
  y: number,
  kind: number,
  below: Float32Array,
): boolean {
  const { dog, width } = octaves[octave];
  const value = dog[y * width + x];
  for (let v = y - 1; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++) {
      kind = standsOut(value, doubledDog(octaves[octave + 1], u, v), kind);
      if (kind === 0) return false;
    }
  }
  if (octave === 0) kernels.baseDifferences(grey, greyWidth, x, y, below);
  else halvedDogs(octaves[octave - 1], x, y, below);
  for (let i = 0; i < 9 && kind !== 0; i++) kind = standsOut(value, below[i], kind);
  return kind !== 0;
}

/** Returns the kind without what the neighbour's value rules out. */
function standsOut(value: number, neighbour: number, kind: number): number {
  if (value < neighbour) return kind & ~IS_MAXIMUM;
  return value > neighbour ? kind & ~IS_MINIMUM : kind;
}

/** Writes 2 × 2 means for the 3 × 3 pixels around (x, y); rounds each addition, the left column first. */
function halvedDogs({ dog, width }: Octave, x: number, y: number, out: Float32Array): void {
  for (let v = y - 1, to = 0; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++, to++) {
      const i = 2 * v * width + 2 * u;
      const left = Math.fround(dog[i] + dog[i + width]);
      out[to] = Math.fround(Math.fround(left + dog[i + 1]) + dog[i + width + 1]) * 0.25;
    }
  }
}

/** Samples the plane enlarged to twice its size (bilinear, weights ¼ and ¾), rounded to float32 once. */
function doubledDog({ dog, width }: Octave, x: number, y: number): number {
  const i = ((y - 1) >> 1) * width + ((x - 1) >> 1);
  const wx = x & 1 ? 0.25 : 0.75;
  const wy = y & 1 ? 0.25 : 0.75;
  const upper = dog[i] * (1 - wx) + dog[i + 1] * wx;
  const lower = dog[i + width] * (1 - wx) + dog[i + width + 1] * wx;
  return Math.fround(upper * (1 - wy) + lower * wy);
}

/**
 * Returns the `limit` strongest extrema by |response|, maxima and minima together, in their original order. Of
 * equals, the earlier one stays.
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
 * Moves each extremum to the vertex of the paraboloid through its 3 × 3 neighbours, in place. The length of the
 * step is not limited. An extremum stays where the Hessian's determinant is close to 0.
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
