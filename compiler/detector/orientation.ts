// Computes the dominant gradient direction around each extremum.

import type { Extrema } from "./extrema.ts";
import type { Pyramid } from "./pyramid.ts";

/** Returns the angle of each extremum in radians, -π…π. */
export function computeAngles({ count, octave, x, y }: Extrema, { kernels, octaves }: Pyramid): Float32Array {
  const angles = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const { twice, width, height } = octaves[octave[i] - 1];
    angles[i] = kernels.peakAngle(twice, width, height, Math.trunc(x[i]), Math.trunc(y[i]));
  }
  return angles;
}
