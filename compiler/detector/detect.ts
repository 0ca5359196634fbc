// Detects the feature points of one keyframe, or of a camera's frame.
// Source: mind-ar detector/detector.js (detect).

import { DETECTOR_KERNELS, type DetectorKernels, openKernels, type Room } from "../kernels/kernels.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage } from "../types.ts";
import {
  type Extrema,
  type ExtremaBuffers,
  findExtrema,
  KEYFRAME_SELECTION,
  keepStrongest,
  layExtrema,
  mostExtrema,
  type Selection,
} from "./extrema.ts";
import { type DescriptorBuffers, describe, layDescriptors } from "./freak.ts";
import { computeAngles } from "./orientation.ts";
import { buildPyramid, layPyramid, type PyramidBuffers } from "./pyramid.ts";

export interface DetectorBuffers {
  readonly pyramid: PyramidBuffers;
  readonly extrema: ExtremaBuffers;
  readonly descriptors: DescriptorBuffers;
}

export interface DetectedPoints {
  readonly maxima: FeaturePoints;
  readonly minima: FeaturePoints;
}

/** Allocates buffers to detect in keyframes of up to `width` × `height` pixels, one after the other. */
export function layDetector(
  room: Room,
  kernels: DetectorKernels,
  { width, height }: Pick<GreyImage, "width" | "height">,
  selection: Selection = KEYFRAME_SELECTION,
): DetectorBuffers {
  return {
    pyramid: layPyramid(room, kernels, width * height, width),
    extrema: layExtrema(room, width * height, selection),
    descriptors: layDescriptors(room, mostExtrema(selection)),
  };
}

/** Allocates the same buffers in a memory of their own. */
export function allocateDetector(width: number, height: number): DetectorBuffers {
  const kernels = openKernels(DETECTOR_KERNELS);
  return kernels.place((room) => layDetector(room, kernels, { width, height }));
}

/**
 * Detects the points of a grey keyframe (row-major, width × height), at most `maxFeatures` of them: the
 * strongest by |difference of Gaussians|, maxima and minima together. `grey` may be `buffers.pyramid.grey`.
 */
export function detect(
  grey: Uint8Array,
  width: number,
  height: number,
  maxFeatures: number,
  buffers: DetectorBuffers,
): DetectedPoints {
  if (grey !== buffers.pyramid.grey) buffers.pyramid.grey.set(grey);
  const pyramid = buildPyramid(width, height, buffers.pyramid);
  const extrema = keepStrongest(findExtrema(pyramid, buffers.extrema), maxFeatures);
  const angles = computeAngles(extrema, pyramid, buffers.descriptors.angles);
  const descriptors = describe(extrema, angles, pyramid, buffers.descriptors);
  return {
    maxima: selectPolarity(1, extrema, angles, descriptors),
    minima: selectPolarity(-1, extrema, angles, descriptors),
  };
}

/** Returns the points whose response has this sign, in keyframe pixels. */
function selectPolarity(
  sign: 1 | -1,
  extrema: Extrema,
  angles: Float32Array,
  descriptors: Uint32Array,
): FeaturePoints {
  const indexes: number[] = [];
  for (let i = 0; i < extrema.count; i++) {
    if (Math.sign(extrema.response[i]) === sign) indexes.push(i);
  }
  const count = indexes.length;
  const points = {
    count,
    x: new Float64Array(count),
    y: new Float64Array(count),
    scale: new Float64Array(count),
    angle: new Float64Array(count),
    descriptors: new Uint32Array(count * DESCRIPTOR_WORDS),
  };
  indexes.forEach((from, to) => {
    const scale = 2 ** extrema.octave[from];
    points.x[to] = extrema.x[from] * scale + scale / 2 - 0.5;
    points.y[to] = extrema.y[from] * scale + scale / 2 - 0.5;
    points.scale[to] = scale;
    points.angle[to] = angles[from];
    const words = descriptors.subarray(from * DESCRIPTOR_WORDS, (from + 1) * DESCRIPTOR_WORDS);
    points.descriptors.set(words, to * DESCRIPTOR_WORDS);
  });
  return points;
}
