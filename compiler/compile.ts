// From grey pixels to MindAR image targets. Read `compileTargets` as the table of contents.

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
  type TrackingImage,
} from "./types.ts";

/** Changes whenever the same image and options may give other bytes. Part of a marker's identity. */
export const COMPILER_VERSION = "1";

/**
 * Longer side, in pixels, that a photo is reduced to unless the caller says otherwise.
 *
 * A phone's camera shows the player some 640 to 1280 pixels across, so keyframes beyond that are never met
 * at their own scale, while time, memory and the marker's size grow with the pixels.
 */
export const DEFAULT_MAX_SIZE = 1280;

type OnProgress = (progress: CompileProgress) => void;

/**
 * Compiles one grey image into an image target.
 *
 * The result equals that of mind-ar 1.2.5's OfflineCompiler for the same pixels once `maxSize` has reduced
 * them; with `maxFeatures`, each keyframe keeps only its strongest points by |difference of Gaussians|,
 * maxima and minima together, and their order.
 *
 * Progress runs through the stages resize, match and track. Throws CompileError `invalid_option`.
 */
export function compileTarget(
  image: GreyImage,
  options: CompileOptions = {},
  onProgress: OnProgress = () => {},
): ImageTarget {
  return compileTargets([image], options, onProgress)[0];
}

/**
 * Compiles several grey images into the bytes of one `.mind` file, one target each, in order. As
 * `compileTarget`, with the stage encode at the end.
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

/** Reports 0 of `total` now, and one more after each step. */
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

/** Feature points and their cluster trees at every scale, the largest first. */
function extractKeyframes(image: GreyImage, maxFeatures: number, step: Step): Keyframe[] {
  const detectAt = layKeyframes(image, maxFeatures);
  return keyframeScales(image.width, image.height).map((scale) =>
    step(() => {
      const points = detectAt(scale);
      return {
        ...points,
        maximaCluster: buildClusters(points.maxima),
        minimaCluster: buildClusters(points.minima),
      };
    }),
  );
}

/** A keyframe's points; their cluster trees are built from nothing else. */
export type KeyframePoints = Omit<Keyframe, "maximaCluster" | "minimaCluster">;

/**
 * The points of those keyframes of `image` (reduced by the caller) whose longer side has at most `largest`
 * pixels, the largest first: the same as in the compiled target.
 */
export function detectKeyframes(image: GreyImage, largest: number): KeyframePoints[] {
  checkImage(image);
  const { width, height } = image;
  const longer = Math.max(width, height);
  const scales = keyframeScales(width, height).filter((scale) => scaledSize(longer, scale) <= largest);
  return scales.length === 0 ? [] : scales.map(layKeyframes(image, Number.POSITIVE_INFINITY, scales));
}

/** Room to detect at any of `scales`, one after the other. */
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
    detector: layDetector(room, kernels, widest, tallest),
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

/** The two images that the player tracks, and the points to follow in them. */
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
