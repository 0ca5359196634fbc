import type { FeaturePoints, ImageTarget } from "../../compiler/types.ts";

/** A keyframe's feature points, independent of the size of the photo. */
export interface PlacedKeyframe {
  /** In pixels of the keyframe image. */
  readonly width: number;
  readonly height: number;
  readonly maxima: PlacedPoints;
  readonly minima: PlacedPoints;
}

/** Columns of `count` values. `x` is a fraction of the photo's width, `y` of its height. */
export interface PlacedPoints {
  readonly count: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** The size of a pixel of the octave, as a fraction of the photo's width. */
  readonly size: Float32Array;
  /** In radians. */
  readonly angle: Float32Array;
}

/** Returns the keyframes of a target, largest first, with coordinates as fractions of the photo. */
export function placeKeyframes(target: ImageTarget): PlacedKeyframe[] {
  return target.keyframes
    .map(({ width, height, maxima, minima }) => ({
      width,
      height,
      maxima: place(maxima, width, height),
      minima: place(minima, width, height),
    }))
    .sort((a, b) => b.width - a.width);
}

function place({ count, x, y, scale, angle }: FeaturePoints, width: number, height: number): PlacedPoints {
  return {
    count,
    x: Float32Array.from(x.subarray(0, count), (value) => value / width),
    y: Float32Array.from(y.subarray(0, count), (value) => value / height),
    size: Float32Array.from(scale.subarray(0, count), (value) => value / width),
    angle: Float32Array.from(angle.subarray(0, count)),
  };
}
