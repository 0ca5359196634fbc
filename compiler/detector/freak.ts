// FREAK descriptors (Alahi, Ortiz, Vandergheynst: Fast Retina Keypoint, CVPR 2012) with MindAR's pattern.
// Source: mind-ar detector/freak.js.

import type { Room } from "../kernels/kernels.ts";
import { DESCRIPTOR_WORDS } from "../types.ts";
import type { Extrema } from "./extrema.ts";
import type { Pyramid } from "./pyramid.ts";

/** Radius of the outermost ring, in pixels of the point's octave. */
const EXPANSION = 7;

/** Six rings of six points from the outside in, then the centre: x, y at radius 1. */
const PATTERN = Float32Array.of(
  ...[-1, 0, -0.5, -0.866025, 0.5, -0.866025, 1, 0, 0.5, 0.866025, -0.5, 0.866025],
  ...[0, 0.930969, -0.806243, 0.465485, -0.806243, -0.465485, 0, -0.930969, 0.806243, -0.465485, 0.806243],
  ...[0.465485, 0.847306, 0, 0.423653, 0.733789, -0.423653, 0.733789, -0.847306, 0, -0.423653, -0.733789],
  ...[0.423653, -0.733789, 0, -0.741094, 0.641806, -0.370547, 0.641806, 0.370547, 0, 0.741094, -0.641806],
  ...[0.370547, -0.641806, -0.370547, -0.595502, 0, -0.297751, -0.51572, 0.297751, -0.51572, 0.595502, 0],
  ...[0.297751, 0.51572, -0.297751, 0.51572, 0, 0.362783, -0.314179, 0.181391, -0.314179, -0.181391],
  ...[0, -0.362783, 0.314179, -0.181391, 0.314179, 0.181391, 0, 0],
);

export interface DescriptorBuffers {
  readonly pattern: Float32Array;
  readonly angles: Float32Array;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  readonly descriptors: Uint32Array;
}

/** Allocates room for the descriptors of `count` points. */
export function layDescriptors(room: Room, count: number): DescriptorBuffers {
  return {
    pattern: room.float32(PATTERN.length),
    angles: room.float32(count),
    cosines: room.float64(count),
    sines: room.float64(count),
    descriptors: room.uint32(count * DESCRIPTOR_WORDS),
  };
}

/** Returns the descriptors of all extrema, DESCRIPTOR_WORDS words each, in `buffers`. `angles` are in radians. */
export function describe(
  { count, octave, x, y }: Extrema,
  angles: Float32Array,
  { kernels, twices, planes }: Pyramid,
  { pattern, cosines, sines, descriptors }: DescriptorBuffers,
): Uint32Array {
  pattern.set(PATTERN);
  for (let i = 0; i < count; i++) {
    cosines[i] = EXPANSION * Math.cos(angles[i]);
    sines[i] = EXPANSION * Math.sin(angles[i]);
  }
  kernels.describePoints(twices, planes, count, octave, x, y, cosines, sines, pattern, descriptors);
  return descriptors.subarray(0, count * DESCRIPTOR_WORDS);
}
