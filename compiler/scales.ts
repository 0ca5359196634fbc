// The scales at which MindAR looks at a target, and its box average.
// Source: mind-ar image-list.js, utils/images.js.

import { boxScratchBytes } from "./kernels/boxes.ts";
import { type Kernels, type Room, stageKernels } from "./kernels/kernels.ts";
import type { GreyImage, Size } from "./types.ts";

/** Shorter side, in pixels, of the smallest keyframe. */
const SMALLEST_KEYFRAME_SIDE = 100;

/** Shorter sides, in pixels, of the two images that the player tracks. */
const TRACKING_SIDES = [256, 128];

/** Returns the keyframes' scales in keyframe pixels per target pixel: a third of an octave apart, 1 first. */
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

/** Returns the tracking images' scales in image pixels per target pixel, the larger image first. */
export function trackingScales(width: number, height: number): number[] {
  return TRACKING_SIDES.map((side) => side / Math.min(width, height));
}

/** Returns the length, in pixels, of a side of `size` pixels at `scale`. */
export function scaledSize(size: number, scale: number): number {
  return Math.round(size * scale);
}

/** Buffers for scaling images of one size. */
export interface ScalerBuffers {
  readonly kernels: Kernels;
  /** The caller copies the image's pixels here first. */
  readonly source: Uint8Array;
  readonly columns: Int32Array;
  readonly rows: Int32Array;
  readonly scratch: Uint8Array;
}

/** Allocates buffers for an image of `width` × `height` pixels and results of at most `widest` × `tallest`. */
export function layScaler(
  room: Room,
  kernels: Kernels,
  { width, height }: Size,
  { width: widest, height: tallest }: Size,
): ScalerBuffers {
  return {
    kernels,
    source: room.uint8(width * height),
    columns: room.int32(widest + 1),
    rows: room.int32(tallest + 1),
    scratch: room.uint8(boxScratchBytes(width, widest)),
  };
}

/**
 * Averages boxes of a grey image, rounded down, into `out` (row-major, `scaledSize` of both sides), which lies
 * in the same memory as `buffers`.
 *
 * The borders of the boxes lie at round(i / scale), so neighbouring boxes differ in size by at most a pixel and
 * never overlap. Enlarging leaves some boxes without pixels: they become 0, as in the reference.
 */
export function resizeBox(image: Size, scale: number, buffers: ScalerBuffers, out: Uint8Array): void {
  const { kernels, source, columns, rows, scratch } = buffers;
  const width = scaledSize(image.width, scale);
  const height = scaledSize(image.height, scale);
  if (scale === 1) {
    out.set(source);
    return;
  }
  placeBoxes(image.width, width, scale, columns);
  placeBoxes(image.height, height, scale, rows);
  kernels.averageBoxes(source, image.width, columns, rows, width, height, scratch, out);
}

/** Writes where boxes begin, in source pixels; entry `count` is the end of the last box. */
function placeBoxes(size: number, count: number, scale: number, borders: Int32Array): void {
  for (let i = 0; i <= count; i++) borders[i] = Math.min(size, Math.round(i / scale));
}

/** Returns a grey image at several scales, each in an array of its own. */
export function scaleImage(
  image: GreyImage,
  scales: readonly number[],
  kernels: Kernels = stageKernels("match"),
): (GreyImage & { readonly scale: number })[] {
  const sizes = scales.map((scale) => ({
    width: scaledSize(image.width, scale),
    height: scaledSize(image.height, scale),
    scale,
  }));
  const widest = Math.max(...sizes.map(({ width }) => width));
  const tallest = Math.max(...sizes.map(({ height }) => height));
  const { scaler, out } = kernels.place((room) => ({
    scaler: layScaler(room, kernels, image, { width: widest, height: tallest }),
    out: room.uint8(widest * tallest),
  }));
  scaler.source.set(image.data);
  return sizes.map(({ width, height, scale }) => {
    resizeBox(image, scale, scaler, out);
    return { data: out.slice(0, width * height), width, height, scale };
  });
}
