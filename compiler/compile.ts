// Compiles grey pixels into MindAR image targets. `compileTargets` shows the stages in order.

import { buildClusters } from "./cluster.ts";
import { detect, layDetector } from "./detector/detect.ts";
import { resizeGrey } from "./image/resize.ts";
import { stageKernels } from "./kernels/kernels.ts";
import { encodeMind } from "./mind.ts";
import { keyframeScales, layScaler, resizeBox, scaledSize, scaleImage, trackingScales } from "./scales.ts";
import { findTrackingPoints } from "./tracking.ts";
import {
  CompileError,
  type CompileOptions,
  type CompileProgress,
  type GreyImage,
  type ImageTarget,
  type Keyframe,
  type KeyframePoints,
  type TrackingImage,
} from "./types.ts";

/** Changes whenever the same image and options may compile to different bytes. Part of a marker's identity. */
export const COMPILER_VERSION = "1";

/**
 * Default longer side, in pixels, to which a photo is reduced.
 *
 * A phone's camera gives the player frames of about 640 to 1280 pixels, so larger keyframes are never seen at
 * their own scale, while time, memory and the marker's size grow with the number of pixels.
 */
export const DEFAULT_MAX_SIZE = 1280;

type OnProgress = (progress: CompileProgress) => void;

/**
 * Compiles one grey image into an image target.
 *
 * After the reduction to `maxSize`, the result equals that of mind-ar 1.2.5's OfflineCompiler for the same
 * pixels. With `maxFeatures`, each keyframe keeps only its strongest points by |difference of Gaussians|,
 * maxima and minima together, in their original order.
 *
 * Reports progress through the stages resize, match and track.
 *
 * @throws CompileError `invalid_option`
 */
export function compileTarget(
  image: GreyImage,
  options: CompileOptions = {},
  onProgress: OnProgress = () => {},
): ImageTarget {
  return compileTargets([image], options, onProgress)[0];
}

/**
 * Compiles grey images into the bytes of one `.mind` file, one target per image, in order. Works like
 * `compileTarget`, and reports the stage encode at the end.
 */
export function compile(
  images: readonly GreyImage[],
  options: CompileOptions = {},
  onProgress: OnProgress = () => {},
): Uint8Array {
  if (images.length === 0) throw new CompileError("invalid_option", "Got no image; expected at least one.");
  const targets = compileTargets(images, options, onProgress);
  onProgress({ stage: "encode", done: 0, total: 1 });
  const bytes = encodeMind(targets);
  onProgress({ stage: "encode", done: 1, total: 1 });
  return bytes;
}

function compileTargets(
  images: readonly GreyImage[],
  options: CompileOptions,
  onProgress: OnProgress,
): ImageTarget[] {
  const { maxSize, maxFeatures } = checkOptions(options);
  images.forEach(checkImage);

  const resize = countSteps("resize", images.length, onProgress);
  const reduced = images.map((image) => resize(() => resizeGrey(image, maxSize)));

  const keyframeCount = reduced.reduce((n, image) => n + keyframeScales(image.width, image.height).length, 0);
  const match = countSteps("match", keyframeCount, onProgress);
  const keyframes = reduced.map((image) => extractKeyframes(image, maxFeatures, match));

  const trackingCount = reduced.reduce((n, image) => n + trackingScales(image.width, image.height).length, 0);
  const track = countSteps("track", trackingCount, onProgress);
  const tracking = reduced.map((image) => extractTracking(image, track));

  return reduced.map(({ width, height }, i) => ({
    width,
    height,
    keyframes: keyframes[i],
    tracking: tracking[i],
  }));
}

type Step = <Result>(work: () => Result) => Result;

/** Reports 0 of `total` at once, and one more after each step. */
function countSteps(stage: CompileProgress["stage"], total: number, onProgress: OnProgress): Step {
  let done = 0;
  onProgress({ stage, done, total });
  return (work) => {
    const result = work();
    done++;
    onProgress({ stage, done, total });
    return result;
  };
}

/** Returns the feature points and their cluster trees at every scale, the largest first. */
function extractKeyframes(image: GreyImage, maxFeatures: number, step: Step): Keyframe[] {
  const detectAt = layKeyframes(image, maxFeatures);
  // The smallest first: while they are compiled, engines optimise the code for the largest.
  const keyframes = keyframeScales(image.width, image.height)
    .reverse()
    .map((scale) =>
      step(() => {
        const points = detectAt(scale);
        return {
          ...points,
          maximaCluster: buildClusters(points.maxima),
          minimaCluster: buildClusters(points.minima),
        };
      }),
    );
  return keyframes.reverse();
}

/**
 * Returns the points of the keyframes of `image` whose longer side is at most `largest` pixels, the largest
 * first. They equal those of the compiled target. The caller has reduced `image` to its `maxSize`.
 */
export function detectKeyframes(image: GreyImage, largest: number): KeyframePoints[] {
  checkImage(image);
  const { width, height } = image;
  const longer = Math.max(width, height);
  const scales = keyframeScales(width, height).filter((scale) => scaledSize(longer, scale) <= largest);
  return scales.length === 0 ? [] : scales.map(layKeyframes(image, Number.POSITIVE_INFINITY, scales));
}

/** Allocates buffers for the largest of `scales` and returns a function that detects points at one of them. */
function layKeyframes(
  image: GreyImage,
  maxFeatures: number,
  scales: readonly number[] = keyframeScales(image.width, image.height),
): (scale: number) => KeyframePoints {
  const largest = Math.max(...scales);
  const widest = scaledSize(image.width, largest);
  const tallest = scaledSize(image.height, largest);
  const kernels = stageKernels("match");
  const { scaler, detector } = kernels.place((room) => ({
    scaler: layScaler(room, kernels, image, { width: widest, height: tallest }),
    detector: layDetector(room, kernels, { width: widest, height: tallest }),
  }));
  const { grey } = detector.pyramid;
  scaler.source.set(image.data);
  return (scale) => {
    const width = scaledSize(image.width, scale);
    const height = scaledSize(image.height, scale);
    resizeBox(image, scale, scaler, grey);
    return { width, height, scale, ...detect(grey, width, height, maxFeatures, detector) };
  };
}

/** Returns the two images that the player tracks, with the points to follow in them. */
function extractTracking(image: GreyImage, step: Step): TrackingImage[] {
  return scaleImage(image, trackingScales(image.width, image.height)).map((scaled) =>
    step(() => ({ ...scaled, points: findTrackingPoints(scaled.data, scaled.width, scaled.height) })),
  );
}

function checkOptions({ maxSize = DEFAULT_MAX_SIZE, maxFeatures = Infinity }: CompileOptions) {
  return { maxSize: checkCount("maxSize", maxSize), maxFeatures: checkCount("maxFeatures", maxFeatures) };
}

function checkCount(name: string, value: number): number {
  if (value === Infinity || (Number.isInteger(value) && value >= 1)) return value;
  throw new CompileError("invalid_option", `Got ${name} = ${value}; expected a whole number of 1 or more.`);
}

function checkImage({ data, width, height }: GreyImage): void {
  const sized = Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1;
  if (sized && data.length === width * height) return;
  throw new CompileError(
    "invalid_option",
    `Got ${data.length} grey pixels for an image of ${width} × ${height}; expected width × height of them.`,
  );
}
