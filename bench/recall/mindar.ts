// The recognition of MindAR's player: detection in the moving window, matching, pose.

import { allocateDetector, detect } from "../../compiler/detector/detect.ts";
import { encodeMind } from "../../compiler/mind.ts";
import {
  DESCRIPTOR_WORDS,
  type FeaturePoints,
  type GreyImage,
  type ImageTarget,
} from "../../compiler/types.ts";
import { detectReference, type ReferencePoint } from "../../test/compiler/oracle.ts";
import type { Corners, Point } from "../../test/e2e/pinhole.ts";
import { FOCAL, FRAME } from "./camera.ts";

/** Side, in pixels, of the window in which the player detects (mind-ar detector/crop-detector.js). */
const WINDOW = 2 ** Math.round(Math.log2(Math.min(FRAME.width, FRAME.height) / 2));

export const PROJECTION = [
  [FOCAL, 0, FRAME.width / 2],
  [0, FOCAL, FRAME.height / 2],
  [0, 0, 1],
];

const { OfflineCompiler } = await import("mind-ar/src/image-target/offline-compiler.js");
const { Matcher } = await import("mind-ar/src/image-target/matching/matcher.js");
const { Estimator } = await import("mind-ar/src/image-target/estimation/estimator.js");

const matcher = new Matcher(FRAME.width, FRAME.height);
export const estimator = new Estimator(PROJECTION);
const buffers = allocateDetector(WINDOW, WINDOW);

export interface Player {
  /** Returns the model-view transform of the photo in one of the nine windows, by its index in `windows`. */
  recognize(frame: GreyImage, window: number): number[][] | null;
  /** Returns the photo's corners as the player finds them; null when it does not find the photo. */
  find(frame: GreyImage): Corners | null;
}

/** Returns a player that has loaded the marker of one target. */
export function load(target: ImageTarget): Player {
  const [{ matchingData, targetImage }] = new OfflineCompiler().importData(encodeMind([target]));
  const places = windows();
  const recognize = (frame: GreyImage, window: number): number[][] | null => {
    const { left, top } = places[window];
    const points = detectIn(frame, left, top);
    const { keyframeIndex, screenCoords, worldCoords } = matcher.matchDetection(matchingData, points);
    return keyframeIndex === -1 ? null : estimator.estimate({ screenCoords, worldCoords });
  };
  return {
    recognize,
    find(frame) {
      for (let window = 0; window < places.length; window++) {
        const pose = recognize(frame, window);
        if (pose) return placeCorners(pose, targetImage);
      }
      return null;
    },
  };
}

/** Returns the nine positions of the window in the player's order, the centre first. */
export function windows(): { left: number; top: number }[] {
  const place = (size: number, index: number) => {
    const start = Math.max(0, Math.floor(size / 2 - WINDOW + (index * WINDOW) / 2));
    return start >= size - WINDOW ? size - WINDOW - 1 : start;
  };
  return Array.from({ length: 9 }, (_, i) => {
    const index = (i + 4) % 9;
    return { left: place(FRAME.width, index % 3), top: place(FRAME.height, Math.floor(index / 3)) };
  });
}

/** Detects the points of one window with our detector, which finds mind-ar's points: see `sameAsReference`. */
function detectIn(frame: GreyImage, left: number, top: number): ReferencePoint[] {
  const { maxima, minima } = detect(crop(frame, left, top), WINDOW, WINDOW, Infinity, buffers);
  return [...pointsOf(maxima, true, left, top), ...pointsOf(minima, false, left, top)];
}

function pointsOf(points: FeaturePoints, maxima: boolean, left: number, top: number): ReferencePoint[] {
  return Array.from({ length: points.count }, (_, i) => ({
    maxima,
    x: points.x[i] + left,
    y: points.y[i] + top,
    scale: points.scale[i],
    angle: points.angle[i],
    descriptors: Array.from(points.descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS)),
  }));
}

function crop(frame: GreyImage, left: number, top: number): Uint8Array {
  const data = new Uint8Array(WINDOW * WINDOW);
  for (let y = 0; y < WINDOW; y++) {
    const from = (top + y) * frame.width + left;
    data.set(frame.data.subarray(from, from + WINDOW), y * WINDOW);
  }
  return data;
}

/** Returns where a model-view transform places the corners of a target of this size. */
export function placeCorners(
  pose: number[][],
  { width, height }: { width: number; height: number },
): Corners {
  const place = (x: number, y: number): Point => {
    const [u, v, w] = pose.map((row) => row[0] * x + row[1] * y + row[3]);
    return { x: (FOCAL * u) / w + FRAME.width / 2, y: (FOCAL * v) / w + FRAME.height / 2 };
  };
  return [place(0, 0), place(width, 0), place(width, height), place(0, height)];
}

/** Returns whether mind-ar's own detector finds the same points and descriptors in the middle window. */
export async function sameAsReference(frame: GreyImage): Promise<boolean> {
  const [{ left, top }] = windows();
  const ours = detectIn(frame, left, top);
  const { points } = await detectReference({ data: crop(frame, left, top), width: WINDOW, height: WINDOW });
  const name = ({ maxima, x, y, descriptors }: ReferencePoint, dx: number, dy: number) =>
    `${maxima} ${(x - dx).toFixed(2)} ${(y - dy).toFixed(2)} ${descriptors.join(",")}`;
  const theirs = new Set(points.map((point) => name(point, 0, 0)));
  return ours.length === points.length && ours.every((point) => theirs.has(name(point, left, top)));
}
