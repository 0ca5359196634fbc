// Computes the dominant gradient direction around each extremum.

import type { Extrema } from "./extrema.ts";
import type { Pyramid } from "./pyramid.ts";

/** Returns the angle of each extremum in radians, -π…π, in `angles`. */
export function computeAngles(
  { count, octave, x, y }: Extrema,
  { kernels, twices, planes }: Pyramid,
  angles: Float32Array,
): Float32Array {
  kernels.findAngles(twices, planes, count, octave, x, y, angles);
  return angles.subarray(0, count);
}
