// Tries to recognise a picture in bad frames: small, pale and noisy, as a camera far away and in little light gives
// them. The points are detected as our player does, and their right places are known.

import { detect, layDetector } from "../detector/detect.ts";
import { frameSelection } from "../detector/extrema.ts";
import { averageAreas } from "../image/resize.ts";
import { stageKernels } from "../kernels/kernels.ts";
import type { FeaturePoints, GreyImage, KeyframePoints } from "../types.ts";
import { compareWith, findMatch } from "./landmarks.ts";

/** Longer sides of the picture in the frames, in pixels. */
const SIZES = [90, 128, 180];

/** Standard deviation of the noise, in grey levels, for a picture in full light. */
const NOISE = 25;

/** Grey levels of ink and of paper less ink: those of the camera in bench/recall. */
const INK = 20;
const CONTRAST = 0.82;

/** Pixels of a frame around the picture, and their grey level. */
const MARGIN = 12;
const AROUND = 128;

/** Largest best over second-best distance of a match: about that of our player. */
const MOST_AMBIGUOUS = 0.85;

/** Distance, in frame pixels, within which a match is in the right place. */
const NEAR = 3;

/** A power of two. */
const NOISE_VALUES = 2 ** 16;

/** Returns how many points are recognised in each frame. Points of any keyframe may match. */
export function tryFrames(keyframes: readonly KeyframePoints[], grey: GreyImage): number[] {
  return SIZES.map((size) => {
    const share = Math.min(1, size / Math.max(grey.width, grey.height));
    const width = Math.max(1, Math.round(grey.width * share));
    const height = Math.max(1, Math.round(grey.height * share));
    const seen = detectIn(takeFrame(grey, width, height));
    const countOf = (polarity: "maxima" | "minima") => {
      const known = keyframes.map((keyframe) => ({ ...keyframe, points: keyframe[polarity] }));
      return countRight(seen[polarity], known, width, height);
    };
    return countOf("maxima") + countOf("minima");
  });
}

function takeFrame(grey: GreyImage, width: number, height: number): GreyImage {
  const photo = averageAreas(grey.data, grey.width, grey.height, 1, width, height);
  const frame = { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
  const data = new Uint8Array(frame.width * frame.height).fill(AROUND);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[(y + MARGIN) * frame.width + x + MARGIN] = INK + CONTRAST * photo[y * width + x];
    }
  }
  const noise = noiseValues();
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.min(Math.max(data[i] + NOISE * noise[i & (NOISE_VALUES - 1)], 0), 255);
  }
  return { data, ...frame };
}

let noiseKept: Float32Array | null = null;

/** Returns values of mean 0 and standard deviation 1, the same on every host. */
function noiseValues(): Float32Array {
  if (noiseKept) return noiseKept;
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  noiseKept = Float32Array.from(
    { length: NOISE_VALUES },
    () => (random() + random() + random() + random() - 2) * Math.sqrt(3),
  );
  return noiseKept;
}

function detectIn(frame: GreyImage) {
  const kernels = stageKernels("match");
  const buffers = kernels.place((room) => layDetector(room, kernels, frame, frameSelection(frame)));
  return detect(frame.data, frame.width, frame.height, Number.POSITIVE_INFINITY, buffers);
}

interface KnownPoints {
  readonly width: number;
  readonly height: number;
  readonly points: FeaturePoints;
}

/** Counts the points of a frame that a keyframe has in the same place of the picture, `width` × `height` in it. */
function countRight(
  seen: FeaturePoints,
  keyframes: readonly KnownPoints[],
  width: number,
  height: number,
): number {
  const right = new Uint8Array(seen.count);
  for (const known of keyframes) {
    const distancesOf = compareWith(known.points);
    for (let i = 0; i < seen.count; i++) {
      if (right[i]) continue;
      const match = findMatch(distancesOf(seen, i), MOST_AMBIGUOUS);
      if (match === -1) continue;
      const dx = ((known.points.x[match] + 0.5) / known.width) * width + MARGIN - 0.5 - seen.x[i];
      const dy = ((known.points.y[match] + 0.5) / known.height) * height + MARGIN - 0.5 - seen.y[i];
      if (dx * dx + dy * dy < NEAR * NEAR) right[i] = 1;
    }
  }
  return right.reduce((sum, one) => sum + one, 0);
}
