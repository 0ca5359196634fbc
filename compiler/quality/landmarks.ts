// Finds the places where a picture can be recognised. They are the evidence for its quality, and come from the
// compiled target alone.
//
// Every keyframe shows the picture from another distance. Matching a smaller keyframe against a larger one is
// what the player does with a camera's frame, but with a known correct answer.

import { stageKernels } from "../kernels/kernels.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage, type KeyframePoints } from "../types.ts";

/** Largest best over second-best distance of a match (mind-ar matching/matching.js, HAMMING_THRESHOLD). */
const MOST_AMBIGUOUS = 0.7;

/** Distance, in pixels of the larger keyframe, within which two points are the same, as for inliers. */
const NEAR = 3;

/** Most points that the compiler gives a keyframe. The limit bounds the cost of foreign files with more. */
const MOST_KNOWN = 500;

/** Bits, of 666, that separate a point from all others. A camera changes about 80, so the match stays clear. */
const UNMISTAKABLE = 110;

/** Local contrast (standard deviation in grey levels) at which noise and bad light spoil half the points. */
const HALF_CONTRAST = 20;

/** Most points of a keyframe that are tried, spread evenly over all of them. */
const MOST_POINTS = 64;

/** Radius, in pixels of a tracking image, in which a point's contrast is measured. */
const CONTRAST_RADIUS = 4;

/** A point that the player can recognise. */
export interface Landmark {
  /** Shares of the picture's width and height. */
  readonly x: number;
  readonly y: number;
  /** 0 … 1: how well it survives noise and bad light, by the contrast around it. */
  readonly strength: number;
}

/** The landmarks of one keyframe. */
export interface Look {
  /** Longer side of the keyframe, in pixels. */
  readonly size: number;
  /** Number of points of the keyframe. */
  readonly points: number;
  /** The landmarks among the tried points. Every `stride`-th point is tried. */
  readonly landmarks: readonly Landmark[];
  readonly stride: number;
}

/**
 * Matches the points of each keyframe with the keyframe that is `steps` larger. A landmark is a point that is
 * found there in the right place and has no similar point. Returns the smallest keyframe first.
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

/** Returns the points of each keyframe that resemble no other point in it; the smallest keyframe first. */
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

/** @param distances from point `i` to each point of its keyframe */
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
      const match = findMatch(distancesOf(points, i), MOST_AMBIGUOUS);
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

function placeLandmark(right: number, down: number, grey: GreyImage): Landmark {
  // The middle of a pixel at the border of a tiny keyframe may lie outside.
  const [x, y] = [Math.min(right, 1), Math.min(down, 1)];
  const contrast = localContrast(grey, x, y);
  return { x, y, strength: contrast / (contrast + HALF_CONTRAST) };
}

/**
 * Returns a function that counts the bits by which point `i` of any keyframe differs from each point of this
 * one. Every call returns the same array, so each result is valid until the next call of any such function.
 */
export function compareWith(known: FeaturePoints): (points: FeaturePoints, i: number) => Uint16Array {
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

/**
 * Returns the index of the point that a player would match; -1 when the two nearest are too similar.
 *
 * @param mostAmbiguous largest distance of the nearest over that of the second
 */
export function findMatch(distances: Uint16Array, mostAmbiguous: number): number {
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
  return best < mostAmbiguous * second ? at : -1;
}

/** Returns the standard deviation of the grey levels around a place, given in shares of the picture. */
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
