// Where a picture can be recognised: the evidence for its quality, from nothing but the compiled target.
//
// Every keyframe is a look at the picture from another distance. What the player does with a camera's frame,
// it can be asked to do with a smaller keyframe against a larger one, and there the right answer is known.

import type { KeyframePoints } from "../compile.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage } from "../types.ts";

/** Best over second-best distance that the player accepts (mind-ar matching/matching.js, HAMMING_THRESHOLD). */
const MOST_AMBIGUOUS = 0.7;

/** Pixels of the larger keyframe within which two points are the same one, as for the player's inliers. */
const NEAR = 3;

/** Local contrast (standard deviation, grey levels) at which noise and bad light spoil half of the points. */
const HALF_CONTRAST = 20;

/** Points of a keyframe that are looked for, spread over all of them; enough to judge by. */
const MOST_POINTS = 120;

/** Pixels around a point of a tracking image whose contrast is its own. */
const CONTRAST_RADIUS = 4;

/** A point that was recognised in another keyframe: the right one, and no other resembled it. */
export interface Landmark {
  /** Shares of the picture's width and height. */
  readonly x: number;
  readonly y: number;
  /** 0 … 1: how well it survives noise and bad light, by the contrast around it. */
  readonly strength: number;
}

/** What came of looking for the points of one keyframe in a larger one. */
export interface Look {
  /** Longer side of the smaller keyframe, pixels: how large the picture was seen. */
  readonly size: number;
  /** Points of the smaller keyframe. */
  readonly points: number;
  /** Of the points that were looked for: one in `stride`. */
  readonly landmarks: readonly Landmark[];
  readonly stride: number;
}

/**
 * Looks for the points of each keyframe in the one that is `steps` larger. From the smallest keyframe on.
 *
 * @param keyframes in any order
 * @param grey a tracking image
 */
export function lookAround(keyframes: readonly KeyframePoints[], grey: GreyImage, steps: number): Look[] {
  const rising = keyframes.toSorted((a, b) => a.width - b.width);
  return rising.slice(0, Math.max(0, rising.length - steps)).map((seen, i) => {
    const points = seen.maxima.count + seen.minima.count;
    const stride = Math.max(1, Math.ceil(points / MOST_POINTS));
    const landmarks = recognise(seen, rising[i + steps], grey, stride);
    return { size: Math.max(seen.width, seen.height), points, landmarks, stride };
  });
}

function recognise(seen: KeyframePoints, known: KeyframePoints, grey: GreyImage, stride: number): Landmark[] {
  const zoom = known.scale / seen.scale;
  const landmarks: Landmark[] = [];
  for (const polarity of ["maxima", "minima"] as const) {
    const points = seen[polarity];
    for (let i = 0; i < points.count; i += stride) {
      const match = findMatch(points, i, known[polarity]);
      if (match === -1) continue;
      const dx = (points.x[i] + 0.5) * zoom - 0.5 - known[polarity].x[match];
      const dy = (points.y[i] + 0.5) * zoom - 0.5 - known[polarity].y[match];
      if (dx * dx + dy * dy >= NEAR * NEAR) continue;
      const x = (points.x[i] + 0.5) / seen.width;
      const y = (points.y[i] + 0.5) / seen.height;
      const contrast = localContrast(grey, x, y);
      landmarks.push({ x, y, strength: contrast / (contrast + HALF_CONTRAST) });
    }
  }
  return landmarks;
}

/** Index of the point in `known` that the player would take for point `i`; -1 when two are too much alike. */
function findMatch({ descriptors }: FeaturePoints, i: number, known: FeaturePoints): number {
  const from = i * DESCRIPTOR_WORDS;
  let best = Number.MAX_SAFE_INTEGER;
  let second = Number.MAX_SAFE_INTEGER;
  let at = -1;
  for (let j = 0; j < known.count; j++) {
    const to = j * DESCRIPTOR_WORDS;
    let distance = 0;
    for (let word = 0; word < DESCRIPTOR_WORDS && distance < second; word++) {
      distance += countBits(descriptors[from + word] ^ known.descriptors[to + word]);
    }
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

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
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
