// Finds extrema of the difference of Gaussians over position and scale: which ones an image keeps.
// Source: mind-ar detector/detector.js (_applyPrune).

import type { Room } from "../kernels/kernels.ts";
import type { GreyImage } from "../types.ts";
import { MAX_OCTAVES, type Pyramid } from "./pyramid.ts";

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

/** Columns of candidates and of extrema: see `chooseExtrema`. */
export interface ExtremaBuffers {
  readonly selection: Selection;
  readonly heads: Int32Array;
  readonly next: Int32Array;
  readonly place: Int32Array;
  readonly strength: Float32Array;
  readonly response: Float32Array;
  readonly octave: Uint8Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Allocates buffers for images of up to `pixels` pixels. */
export function layExtrema(room: Room, pixels: number, selection: Selection): ExtremaBuffers {
  const most = mostExtrema(selection);
  let candidates = 0;
  for (let octave = 1; octave < MAX_OCTAVES - 1; octave++) candidates += pixels >> (2 * octave);
  return {
    selection: { ...selection, minResponse: Math.fround(selection.minResponse) },
    heads: room.int32(selection.bucketsAcross * selection.bucketsDown),
    next: room.int32(candidates),
    place: room.int32(candidates),
    strength: room.float32(candidates),
    response: room.float32(most),
    octave: room.uint8(most),
    x: room.float32(most),
    y: room.float32(most),
  };
}

/** Returns the extrema of an image, at most `pointsPerBucket` in each bucket, in `buffers`. */
export function findExtrema(pyramid: Pyramid, buffers: ExtremaBuffers): Extrema {
  const { kernels, grey, width, octaves, dogs, planes } = pyramid;
  const { selection, heads, next, place, strength, response, octave, x, y } = buffers;
  const { bucketsAcross, bucketsDown, pointsPerBucket, minResponse } = selection;
  const count = kernels.chooseExtrema(
    grey,
    width,
    dogs,
    planes,
    octaves.length,
    bucketsAcross,
    bucketsDown,
    pointsPerBucket,
    minResponse,
    heads,
    next,
    place,
    strength,
    response,
    octave,
    x,
    y,
  );
  return {
    count,
    response: response.subarray(0, count),
    octave: octave.subarray(0, count),
    x: x.subarray(0, count),
    y: y.subarray(0, count),
  };
}

/**
 * Returns the `limit` strongest extrema by |response|, maxima and minima together, in their original order. Of
 * equals, the earlier one stays. Moves them to the front of the same memory.
 */
export function keepStrongest(extrema: Extrema, limit: number): Extrema {
  if (extrema.count <= limit) return extrema;
  const { response, octave, x, y } = extrema;
  const kept = Array.from({ length: extrema.count }, (_, i) => i)
    .sort((a, b) => Math.abs(response[b]) - Math.abs(response[a]) || a - b)
    .slice(0, limit)
    .sort((a, b) => a - b);
  for (const [to, from] of kept.entries()) {
    for (const column of [response, octave, x, y]) column[to] = column[from];
  }
  return { count: kept.length, response, octave, x, y };
}
