// The scales at which MindAR looks at a target, and its box average.
// Source: mind-ar image-list.js, utils/images.js.

import type { GreyImage } from "./types.ts";

/** Shorter side, in pixels, of the smallest keyframe. */
const SMALLEST_KEYFRAME_SIDE = 100;

/** Shorter sides, in pixels, of the two images that the player tracks. */
const TRACKING_SIDES = [256, 128];

/** Keyframe pixels per target pixel: a third of an octave apart, the original size first. */
export function keyframeScales(width: number, height: number): number[] {
  const scales: number[] = [];
  let scale = SMALLEST_KEYFRAME_SIDE / Math.min(width, height);
  do {
    scales.unshift(scale);
    scale *= 2 ** (1 / 3);
  } while (scale < 0.95);
  scales.unshift(1);
  return scales;
}

/** Tracking image pixels per target pixel, the larger image first. */
export function trackingScales(width: number, height: number): number[] {
  return TRACKING_SIDES.map((side) => side / Math.min(width, height));
}

/** Pixels of a side of `size` pixels at `scale`. */
export function scaledSize(size: number, scale: number): number {
  return Math.round(size * scale);
}

/** An image prepared for box averages at any scale. */
export interface SummedImage {
  readonly image: GreyImage;
  /** `(width + 1) * (height + 1)`: the sum of all pixels above and left, modulo 2^32. */
  readonly sums: Int32Array;
}

/** Summed-area table of the image. A difference of its entries is exact while a box sums to less than 2^31. */
export function sumImage(image: GreyImage): SummedImage {
  const { data, width, height } = image;
  const stride = width + 1;
  const sums = new Int32Array(stride * (height + 1));
  for (let y = 0, from = 0; y < height; y++) {
    let row = 0;
    let to = (y + 1) * stride + 1;
    for (let x = 0; x < width; x++, from++, to++) {
      row = (row + data[from]) | 0;
      sums[to] = (sums[to - stride] + row) | 0;
    }
  }
  return { image, sums };
}

/**
 * Box average of a grey image, rounded down, into `out` (row-major, scaledSize of both sides).
 *
 * Borders of the boxes lie at round(i / scale), so neighbouring boxes differ by a pixel in size and never
 * overlap. Enlarging leaves boxes without a pixel: they are 0, as in the reference.
 */
export function resizeBox({ image, sums }: SummedImage, scale: number, out: Uint8Array): void {
  const { data } = image;
  const width = scaledSize(image.width, scale);
  const height = scaledSize(image.height, scale);
  if (scale === 1) {
    out.set(data);
    return;
  }
  const columns = boxBorders(image.width, width, scale);
  const rows = boxBorders(image.height, height, scale);
  const stride = image.width + 1;
  const reciprocals = new Float64Array(Math.ceil(1 / scale) + 2);
  for (let y = 0, to = 0; y < height; y++) {
    const top = rows[y] * stride;
    const bottom = rows[y + 1] * stride;
    const boxHeight = rows[y + 1] - rows[y];
    // (sum + ½) / pixels is half a step or more away from an integer, so the rounded product still floors right.
    for (let w = 1; w < reciprocals.length; w++) reciprocals[w] = boxHeight === 0 ? 0 : 1 / (w * boxHeight);
    let left = columns[0];
    let sumLeft = (sums[bottom + left] - sums[top + left]) | 0;
    for (let x = 1; x <= width; x++, to++) {
      const right = columns[x];
      const sumRight = (sums[bottom + right] - sums[top + right]) | 0;
      out[to] = ((((sumRight - sumLeft) | 0) + 0.5) * reciprocals[right - left]) | 0;
      left = right;
      sumLeft = sumRight;
    }
  }
}

/** Where boxes begin, in source pixels; entry `count` is where the last one ends. */
function boxBorders(size: number, count: number, scale: number): Int32Array {
  return Int32Array.from({ length: count + 1 }, (_, i) => Math.min(size, Math.round(i / scale)));
}
