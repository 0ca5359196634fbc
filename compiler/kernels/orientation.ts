// Source: mind-ar detector/detector.js (_computeOrientationHistograms) and its CPU kernels
// computeOrientationHistograms.js, smoothHistograms.js and computeExtremaAngles.js.

import { PLANE } from "./choice.ts";

const BINS = 36;
const SMOOTHINGS = 5;

/** Gaussian of σ = 1 bin. */
const SIDE_WEIGHT = 0.274068619061197;
const CENTER_WEIGHT = 0.451862761877606;

const SIGMA = 3;
const RADIUS = 1.5 * SIGMA;

/** Pixels to each side whose gradients count. */
const REACH = Math.ceil(RADIUS);

/** Side, in pixels, of the patch that the gradients are computed from. */
const PATCH = 2 * (REACH + 1) + 1;

/** The reference's constants, which have fewer digits than a float64. */
const ONE_OVER_TWO_PI = 0.159154943091895;
const ONE_OVER_720 = 0.0013888888;

/** Offsets within the circle, row-major, as indexes into the patch, and their Gaussian weights. */
const { offsets: OFFSETS, weights: WEIGHTS } = circle();

function circle(): { offsets: Int32Array; weights: Float32Array } {
  const offsets: number[] = [];
  const weights: number[] = [];
  for (let y = -REACH; y <= REACH; y++) {
    for (let x = -REACH; x <= REACH; x++) {
      const squared = x * x + y * y;
      if (squared > RADIUS * RADIUS) continue;
      // e^t by its Taylor polynomial of degree 6.
      const t = squared * (-1 / (2 * SIGMA * SIGMA));
      const sum = 720 + t * (720 + t * (360 + t * (120 + t * (30 + t * (6 + t)))));
      offsets.push((y + REACH + 1) * PATCH + x + REACH + 1);
      weights.push(sum * ONE_OVER_720);
    }
  }
  return { offsets: Int32Array.from(offsets), weights: Float32Array.from(weights) };
}

const patch = new Float32Array(PATCH * PATCH);
const histogram = new Float64Array(BINS);

/**
 * Writes the dominant gradient direction around each of `count` points, in radians, -π…π: the peak of a histogram of
 * 36 bins over a circle of radius 4.5 around the point's whole pixel.
 *
 * `octave`, `x` and `y` are those of `chooseExtrema`; `twices` has the planes (row-major, grey levels) of the octaves,
 * where `planes` (see PLANE) says.
 */
export function findAngles(
  twices: Float32Array,
  planes: Int32Array,
  count: number,
  octave: Uint8Array,
  x: Float32Array,
  y: Float32Array,
  angles: Float32Array,
): void {
  for (let i = 0; i < count; i++) {
    const at = PLANE * (octave[i] - 1);
    const plane = twices.subarray(planes[at]);
    copyPatch(plane, planes[at + 1], planes[at + 2], Math.trunc(x[i]), Math.trunc(y[i]));
    fillHistogram();
    smoothHistogram();
    angles[i] = vertexAngle();
  }
}

/** Copies the PATCH × PATCH pixels around (x, y). Pixels outside repeat the border. */
function copyPatch(plane: Float32Array, width: number, height: number, x: number, y: number): void {
  const left = x - REACH - 1;
  const top = y - REACH - 1;
  const inside = left >= 0 && left + PATCH <= width;
  for (let v = 0, to = 0; v < PATCH; v++) {
    const row = Math.min(Math.max(top + v, 0), height - 1) * width;
    if (inside) {
      for (let from = row + left, end = from + PATCH; from < end; ) patch[to++] = plane[from++];
    } else {
      for (let u = 0; u < PATCH; u++) patch[to++] = plane[row + Math.min(Math.max(left + u, 0), width - 1)];
    }
  }
}

/** Adds gradient directions, weighted by magnitude and distance, each to its two nearest bins. */
function fillHistogram(): void {
  histogram.fill(0);
  for (let i = 0; i < OFFSETS.length; i++) {
    const at = OFFSETS[i];
    const dy = patch[at + PATCH] - patch[at - PATCH];
    const dx = patch[at + 1] - patch[at - 1];
    const position = Math.fround((Math.atan2(dy, dx) + Math.PI) * BINS * ONE_OVER_TWO_PI);
    const magnitude = Math.fround(WEIGHTS[i] * Math.sqrt(dx * dx + dy * dy));
    const bin = Math.floor(position - 0.5);
    const second = position - bin - 0.5;
    const first = 1 - second;
    histogram[bin < 0 ? bin + BINS : bin] += first * magnitude;
    histogram[bin + 1 === BINS ? 0 : bin + 1] += second * magnitude;
  }
  roundToFloat32();
}

/** Smooths the histogram five times with a circular Gaussian, each time rounded to float32. */
function smoothHistogram(): void {
  for (let pass = 0; pass < SMOOTHINGS; pass++) {
    const first = histogram[0];
    let previous = histogram[BINS - 1];
    for (let bin = 0; bin < BINS; bin++) {
      const center = histogram[bin];
      const next = bin + 1 === BINS ? first : histogram[bin + 1];
      histogram[bin] = SIDE_WEIGHT * previous + CENTER_WEIGHT * center + SIDE_WEIGHT * next;
      previous = center;
    }
    roundToFloat32();
  }
}

function roundToFloat32(): void {
  for (let i = 0; i < BINS; i++) histogram[i] = Math.fround(histogram[i]);
}

/** Returns the angle at the vertex of the parabola through the highest bin and its neighbours. */
function vertexAngle(): number {
  let peak = 0;
  for (let bin = 1; bin < BINS; bin++) {
    if (histogram[bin] > histogram[peak]) peak = bin;
  }
  const previous = histogram[(peak + BINS - 1) % BINS] - histogram[peak];
  const next = histogram[(peak + 1) % BINS] - histogram[peak];
  const a = next / 2 + previous / 2;
  const b = -(previous + a * (peak * peak - (peak - 1) * (peak - 1)));
  // A flat histogram has no vertex: the reference treats 0 / 0 as bin 0.
  const vertex = a === 0 && b === 0 ? 0 : -b / (2 * a);
  return (2 * Math.PI * (vertex + 0.5)) / BINS - Math.PI;
}
