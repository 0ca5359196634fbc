// Source: mind-ar detector/freak.js and its CPU kernels computeExtremaFreak.js and
// computeFreakDescriptors.js.

import { DESCRIPTOR_WORDS } from "../types.ts";
import { PLANE } from "./choice.ts";

/** A comparison also holds when the first sample is brighter by less than this, in grey levels. */
const TOLERANCE = 0.01;

/** Number of samples: six rings of six points and the centre. */
export const SAMPLES = 37;

const samples = new Float32Array(SAMPLES);

/**
 * Computes the descriptors of `count` points.
 *
 * `octave`, `x` and `y` are those of `chooseExtrema`; `twices` has the planes (row-major, non-negative grey levels) of
 * the octaves, where `planes` (see PLANE) says. `pattern` holds x and y of the samples, at most 1 from the centre.
 * `cosines` and `sines` are those of the points' angles, multiplied by the pattern's radius, which is 7 at most.
 * `descriptors` receives 21 words per point: 666 comparisons, most significant bit first, padded with zeros.
 */
export function describePoints(
  twices: Float32Array,
  planes: Int32Array,
  count: number,
  octave: Uint8Array,
  x: Float32Array,
  y: Float32Array,
  cosines: Float64Array,
  sines: Float64Array,
  pattern: Float32Array,
  descriptors: Uint32Array,
): void {
  for (let i = 0; i < count; i++) {
    const at = PLANE * (octave[i] - 1);
    const plane = twices.subarray(planes[at]);
    sample(plane, planes[at + 1], planes[at + 2], x[i], y[i], cosines[i], sines[i], pattern);
    packComparisons(samples, descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS));
  }
}

/** Samples the turned pattern around (x, y) bilinearly, rounded to float32. Outside, the border repeats. */
function sample(
  plane: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  cos: number,
  sin: number,
  pattern: Float32Array,
): void {
  const right = width - 1;
  const bottom = height - 1;
  for (let i = 0; i < SAMPLES; i++) {
    const u = pattern[2 * i];
    const v = pattern[2 * i + 1];
    const sampleX = x + u * cos - v * sin;
    const sampleY = y + u * sin + v * cos;
    const x0 = Math.floor(sampleX);
    const y0 = Math.floor(sampleY);
    const left = Math.min(Math.max(x0, 0), right);
    const next = Math.min(Math.max(x0 + 1, 0), right);
    const upper = Math.min(Math.max(y0, 0), bottom) * width;
    const lower = Math.min(Math.max(y0 + 1, 0), bottom) * width;
    samples[i] =
      (x0 + 1 - sampleX) * (y0 + 1 - sampleY) * plane[upper + left] +
      (sampleX - x0) * (y0 + 1 - sampleY) * plane[upper + next] +
      (x0 + 1 - sampleX) * (sampleY - y0) * plane[lower + left] +
      (sampleX - x0) * (sampleY - y0) * plane[lower + next];
  }
}

/** Compares every sample with every later one: the bit is 1 unless the first one is brighter. */
export function packComparisons(samples: Float32Array, descriptor: Uint32Array): void {
  let to = 0;
  let word = 0;
  let bits = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const first = samples[i];
    for (let j = i + 1; j < SAMPLES; j++) {
      word = (word << 1) | (first < samples[j] + TOLERANCE ? 1 : 0);
      if (++bits === 32) {
        descriptor[to++] = word;
        word = 0;
        bits = 0;
      }
    }
  }
  descriptor[to] = word << (32 - bits);
}
