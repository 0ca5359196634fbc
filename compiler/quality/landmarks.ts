// Where a picture can be recognised: the evidence for its quality, from nothing but the compiled target.
//
// Every keyframe is a look at the picture from another distance. What the player does with a camera's frame,
// it can be asked to do with a smaller keyframe against a larger one, and there the right answer is known.

import type { KeyframePoints } from "../compile.ts";
import { stageKernels } from "../kernels/kernels.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage } from "../types.ts";

/** Best over second-best distance that the player accepts (mind-ar matching/matching.js, HAMMING_THRESHOLD). */
const MOST_AMBIGUOUS = 0.7;

/** Pixels of the larger keyframe within which two points are the same one, as for the player's inliers. */
const NEAR = 3;

/** Points that the compiler gives a keyframe at most; a foreign file that has more shall not cost more. */
const MOST_KNOWN = 500;

/** Bits of 666 from the nearest other point: a camera changes some 80, and the right match must still be clear. */
const UNMISTAKABLE = 110;

/** Local contrast (standard deviation, grey levels) at which noise and bad light spoil half of the points. */
const HALF_CONTRAST = 20;

/** Points of a keyframe that are looked for, spread over all of them; enough to judge by. */
const MOST_POINTS = 64;

/** Pixels around a point of a tracking image whose contrast is its own. */
const CONTRAST_RADIUS = 4;

/** A point to hold on to. */
export interface Landmark {
  /** Shares of the picture's width and height. */
  readonly x: number;
  readonly y: number;
  /** 0 … 1: how well it survives noise and bad light, by the contrast around it. */
  readonly strength: number;
}

/** What one keyframe has to hold on to. */
export interface Look {
  /** Longer side of the keyframe, pixels: how large the picture was seen. */
  readonly size: number;
  /** All points of the keyframe. */
  readonly points: number;
  /** Of the points that were tried: one in `stride`. */
  readonly landmarks: readonly Landmark[];
  readonly stride: number;
}

/**
 * Looks for the points of each keyframe in the one that is `steps` larger: a landmark is found there in the right
 * place, and nothing else resembles it. From the smallest keyframe on.
 *
 * @param keyframes in any order
 * @param grey a tracking image
 */
export function lookAround(keyframes: readonly KeyframePoints[], grey: GreyImage, steps: number): Look[] {
  const rising = keyframes.toSorted((a, b) => a.width - b.width);
  return rising.slice(0, Math.max(0, rising.length - steps)).map((seen, i) => {
    const points = seen.maxima.count + seen.minima.count;
    const stride = strideOf(points);
    const landmarks = recognise(seen, rising[i + steps], grey, stride);
    return { size: Math.max(seen.width, seen.height), points, landmarks, stride };
  });
}

/** The points of each keyframe that no other point of it resembles. From the smallest keyframe on. */
export function findDistinct(keyframes: readonly KeyframePoints[], grey: GreyImage): Look[] {
  return keyframes
    .toSorted((a, b) => a.width - b.width)
    .map((keyframe) => {
      const { width, height, maxima, minima } = keyframe;
      const points = maxima.count + minima.count;
      const stride = strideOf(points);
      const landmarks: Landmark[] = [];
      for (const some of [maxima, minima]) {
        const distancesOf = compareWith(some);
        for (let i = 0; i < some.count; i += stride) {
          if (!standsAlone(i, distancesOf(some, i))) continue;
          landmarks.push(placeLandmark((some.x[i] + 0.5) / width, (some.y[i] + 0.5) / height, grey));
        }
      }
      return { size: Math.max(width, height), points, landmarks, stride };
    });
}

/** @param distances from point `i` to each of its own keyframe */
function standsAlone(i: number, distances: Uint16Array): boolean {
  return distances.every((distance, j) => j === i || distance >= UNMISTAKABLE);
}

function recognise(seen: KeyframePoints, known: KeyframePoints, grey: GreyImage, stride: number): Landmark[] {
  const zoom = known.scale / seen.scale;
  const landmarks: Landmark[] = [];
  for (const polarity of ["maxima", "minima"] as const) {
    const points = seen[polarity];
    const distancesOf = compareWith(known[polarity]);
    for (let i = 0; i < points.count; i += stride) {
      const match = findMatch(distancesOf(points, i));
      if (match === -1) continue;
      const dx = (points.x[i] + 0.5) * zoom - 0.5 - known[polarity].x[match];
      const dy = (points.y[i] + 0.5) * zoom - 0.5 - known[polarity].y[match];
      if (dx * dx + dy * dy >= NEAR * NEAR) continue;
      const x = (points.x[i] + 0.5) / seen.width;
      const y = (points.y[i] + 0.5) / seen.height;
      landmarks.push(placeLandmark(x, y, grey));
    }
  }
  return landmarks;
}

function strideOf(points: number): number {
  return Math.max(1, Math.ceil(points / MOST_POINTS));
}

function placeLandmark(x: number, y: number, grey: GreyImage): Landmark {
  const contrast = localContrast(grey, x, y);
  return { x, y, strength: contrast / (contrast + HALF_CONTRAST) };
}

/**
 * Bits by which point `i` of any keyframe differs from each point of this one. The array is the same one at
 * every call, and only the last comparison made is good for any.
 */
function compareWith(known: FeaturePoints): (points: FeaturePoints, i: number) => Uint16Array {
  const kernels = stageKernels("score");
  const count = Math.min(known.count, MOST_KNOWN);
  const { descriptor, others, distances } = kernels.place((room) => ({
    descriptor: room.uint32(DESCRIPTOR_WORDS),
    others: room.uint32(count * DESCRIPTOR_WORDS),
    distances: room.uint16(count),
  }));
  others.set(known.descriptors.subarray(0, others.length));
  return ({ descriptors }, i) => {
    descriptor.set(descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS));
    kernels.hammingRow(descriptor, others, count, distances);
    return distances;
  };
}

/** Index of the point that the player would take by these distances; -1 when two are too much alike. */
function findMatch(distances: Uint16Array): number {
  let best = Number.MAX_SAFE_INTEGER;
  let second = Number.MAX_SAFE_INTEGER;
  let at = -1;
  for (let j = 0; j < distances.length; j++) {
    const distance = distances[j];
    if (distance < best) {
      second = best;
      best = distance;
      at = j;
    } else if (distance < second) {
      second = distance;
    }
  }
  return best < MOST_AMBIGUOUS * second ? at : -1;
}

/** Standard deviation of the grey levels around a place given in shares of the picture. */
function localContrast({ data, width, height }: GreyImage, x: number, y: number): number {
  const left = Math.max(0, Math.round(x * width) - CONTRAST_RADIUS);
  const top = Math.max(0, Math.round(y * height) - CONTRAST_RADIUS);
  const right = Math.min(width - 1, Math.round(x * width) + CONTRAST_RADIUS);
  const bottom = Math.min(height - 1, Math.round(y * height) + CONTRAST_RADIUS);
  let sum = 0;
  let squares = 0;
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const grey = data[row * width + column];
      sum += grey;
      squares += grey * grey;
    }
  }
  const count = (right - left + 1) * (bottom - top + 1);
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
