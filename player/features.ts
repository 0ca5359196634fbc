// Feature points of a camera's frame: the compiler's detector on the whole frame, tuned to give many points
// evenly spread, weak ones too.

import { type DetectorBuffers, detect, layDetector } from "../compiler/detector/detect.ts";
import { frameSelection } from "../compiler/detector/extrema.ts";
import type { DetectorKernels, Room } from "../compiler/kernels/kernels.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage, type Size } from "../compiler/types.ts";

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

export function layFeatures(room: Room, kernels: DetectorKernels, size: Size): FeatureBuffers {
  return layDetector(room, kernels, size, frameSelection(size));
}

/**
 * Finds the points of the middle of a frame, enlarged by `zoom`; of the whole frame for 1. The frame must be of the size
 * for which `buffers` were allocated.
 */
export function findFeatures(frame: GreyImage, zoom: number, buffers: FeatureBuffers): Features {
  const { width, height } = frame;
  const { grey } = buffers.pyramid;
  if (zoom === 1) grey.set(frame.data);
  else enlarge(frame, zoom, grey);
  brighten(grey.subarray(0, width * height));
  const { maxima, minima } = detect(grey, width, height, Number.POSITIVE_INFINITY, buffers);
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
  const left = (width - width / zoom) / 2;
  const top = (height - height / zoom) / 2;
  const copy = (points: FeaturePoints, first: number) => {
    for (let i = 0; i < points.count; i++) {
      // The compiler's points have the centers of pixels at whole numbers, the player's half a pixel further.
      features.x[first + i] = left + (points.x[i] + 0.5) / zoom;
      features.y[first + i] = top + (points.y[i] + 0.5) / zoom;
      features.scale[first + i] = points.scale[i] / zoom;
    }
    features.angle.set(points.angle, first);
    features.descriptors.set(points.descriptors, first * DESCRIPTOR_WORDS);
  };
  copy(maxima, 0);
  copy(minima, maxima.count);
  return features;
}

/** Writes the middle of an image, enlarged by `zoom`. */
function enlarge({ data, width, height }: GreyImage, zoom: number, out: Uint8Array): void {
  const columns = new Uint16Array(width);
  const shares = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const u = Math.min((x + 0.5 - width / 2) / zoom + width / 2 - 0.5, width - 1.001);
    columns[x] = u;
    shares[x] = u - columns[x];
  }
  for (let y = 0, to = 0; y < height; y++) {
    const v = Math.min((y + 0.5 - height / 2) / zoom + height / 2 - 0.5, height - 1.001);
    const row = Math.floor(v);
    const down = v - row;
    for (let x = 0; x < width; x++, to++) {
      const at = row * width + columns[x];
      const right = shares[x];
      const upper = data[at] + (data[at + 1] - data[at]) * right;
      const lower = data[at + width] + (data[at + width + 1] - data[at + width]) * right;
      out[to] = upper + (lower - upper) * down + 0.5;
    }
  }
}

/** Share of a dark image's pixels that become white. */
const DARK_SHARE = 0.002;

/** Multiplies a dark image's grey levels, so that its weak points pass. */
function brighten(grey: Uint8Array): void {
  const counts = new Uint32Array(256);
  for (let i = 0; i < grey.length; i++) counts[grey[i]]++;
  let level = 255;
  for (let above = counts[255]; level > 1 && above < DARK_SHARE * grey.length; ) above += counts[--level];
  const factor = Math.floor(255 / level);
  if (factor < 2) return;
  for (let i = 0; i < grey.length; i++) grey[i] = Math.min(factor * grey[i], 255);
}
