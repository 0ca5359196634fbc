// FREAK descriptors (Alahi, Ortiz, Vandergheynst: Fast Retina Keypoint, CVPR 2012) with MindAR's pattern.
// Source: mind-ar detector/freak.js and its CPU kernels computeExtremaFreak.js and
// computeFreakDescriptors.js.

import { DESCRIPTOR_WORDS } from "../types.ts";
import type { Extrema } from "./extrema.ts";
import type { Pyramid } from "./pyramid.ts";

/** Radius of the outermost ring, in pixels of the point's octave. */
const EXPANSION = 7;

/** A comparison also holds when the first sample is brighter by less than this. */
const TOLERANCE = 0.01;

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

const SAMPLES = PATTERN.length / 2;

/** Descriptors of all extrema, DESCRIPTOR_WORDS words each. `angles` are in radians. */
export function describe(extrema: Extrema, angles: Float32Array, { octaves }: Pyramid): Uint32Array {
  const { count, octave, x, y } = extrema;
  const descriptors = new Uint32Array(count * DESCRIPTOR_WORDS);
  const samples = new Float32Array(SAMPLES);
  for (let i = 0; i < count; i++) {
    const { twice, width, height } = octaves[octave[i] - 1];
    sample(twice, width, height, x[i], y[i], angles[i], samples);
    packComparisons(samples, descriptors, i * DESCRIPTOR_WORDS);
  }
  return descriptors;
}

/** Bilinear samples of the turned pattern around (x, y), rounded to float32; outside the border repeats. */
function sample(
  plane: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  angle: number,
  samples: Float32Array,
): void {
  const cos = EXPANSION * Math.cos(angle);
  const sin = EXPANSION * Math.sin(angle);
  const right = width - 1;
  const bottom = height - 1;
  for (let i = 0; i < SAMPLES; i++) {
    const u = PATTERN[2 * i];
    const v = PATTERN[2 * i + 1];
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

/**
 * Compares every sample with every later one: bit 1 where the first is not the brighter one. Most
 * significant bit first, from word `to` on; the last word is padded with zeros.
 */
function packComparisons(samples: Float32Array, descriptors: Uint32Array, to: number): void {
  let word = 0;
  let bits = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const first = samples[i];
    for (let j = i + 1; j < SAMPLES; j++) {
      word = (word << 1) | (first < samples[j] + TOLERANCE ? 1 : 0);
      if (++bits === 32) {
        descriptors[to++] = word;
        word = 0;
        bits = 0;
      }
    }
  }
  descriptors[to] = word << (32 - bits);
}
