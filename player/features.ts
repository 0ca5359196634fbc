// Feature points of a camera's frame: the compiler's detector on the whole frame, tuned to give many points
// evenly spread, weak ones too.

import { type DetectorBuffers, detect, layDetector } from "../compiler/detector/detect.ts";
import type { Selection } from "../compiler/detector/extrema.ts";
import type { Kernels, Room } from "../compiler/kernels/kernels.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage } from "../compiler/types.ts";

/** Sides, in frame pixels, of the buckets in which the strongest points stay. */
const BUCKET_SIDE = 25.5;
const POINTS_PER_BUCKET = 5;

/** Smallest |difference of Gaussians|, in grey levels: blurred and dark photos have weak points only. */
const MIN_RESPONSE = 1.2;

/**
 * Feature points in columns, first the maxima and then the minima. Coordinates and scales are in frame pixels,
 * angles in radians.
 */
export interface Features {
  readonly count: number;
  readonly maxima: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly scale: Float32Array;
  readonly angle: Float32Array;
  /** DESCRIPTOR_WORDS words each. */
  readonly descriptors: Uint32Array;
}

export type FeatureBuffers = DetectorBuffers;

type Size = Pick<GreyImage, "width" | "height">;

/** Returns which points of a frame of this size stay. */
export function frameSelection({ width, height }: Size): Selection {
  return {
    bucketsAcross: Math.max(1, Math.round(width / BUCKET_SIDE)),
    bucketsDown: Math.max(1, Math.round(height / BUCKET_SIDE)),
    pointsPerBucket: POINTS_PER_BUCKET,
    minResponse: MIN_RESPONSE,
  };
}

export function layFeatures(room: Room, kernels: Kernels, size: Size): FeatureBuffers {
  return layDetector(room, kernels, size, frameSelection(size));
}

/** Finds the points of a frame of the size for which `buffers` were allocated. */
export function findFeatures({ data, width, height }: GreyImage, buffers: FeatureBuffers): Features {
  const { maxima, minima } = detect(data, width, height, Number.POSITIVE_INFINITY, buffers);
  const count = maxima.count + minima.count;
  const features = {
    count,
    maxima: maxima.count,
    x: new Float32Array(count),
    y: new Float32Array(count),
    scale: new Float32Array(count),
    angle: new Float32Array(count),
    descriptors: new Uint32Array(count * DESCRIPTOR_WORDS),
  };
  copyPoints(maxima, features, 0);
  copyPoints(minima, features, maxima.count);
  return features;
}

/** The compiler's points have the centers of pixels at whole numbers, the player's half a pixel further. */
function copyPoints(points: FeaturePoints, features: Features, first: number): void {
  for (let i = 0; i < points.count; i++) {
    features.x[first + i] = points.x[i] + 0.5;
    features.y[first + i] = points.y[i] + 0.5;
  }
  features.scale.set(points.scale, first);
  features.angle.set(points.angle, first);
  features.descriptors.set(points.descriptors, first * DESCRIPTOR_WORDS);
}
