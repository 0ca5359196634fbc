// The share of a camera's views in which a picture is found, predicted from its landmarks.

import type { Look } from "./landmarks.ts";

/** Cells a side of the grid in which landmarks count once, by the strongest of them. */
const GRID = 4;

/**
 * Longer sides, in pixels of a camera's frame of 640 × 480, at which the picture is seen: from a fifth of the
 * frame's height to nearly all of it.
 */
const SIZES = [90, 135, 180, 225, 270, 315, 360, 405, 450];

/**
 * Of a logistic regression on single views: constant, spread, landmarks across an octave,
 * distinct points, ln(size / 200 px).
 *
 * Fitted by `npm run bench:recall -- --fit` to MindAR's own detection and matching over simulated camera
 * views; bench/results-recall.md shows how well it predicts pictures that it was not fitted to.
 */
export const COEFFICIENTS: Features = [-3.96, 0.55, 0.44, 0.64, 0.8];

type Features = readonly [number, number, number, number, number];

/** What speaks for a picture. */
export interface Evidence {
  /** Each keyframe looked for in the next larger one: what is there, and where. */
  readonly near: readonly Look[];
  /** The same across an octave: what survives a rough change of scale. */
  readonly far: readonly Look[];
  /** What cannot be mistaken for another part of the picture, at each size. */
  readonly distinct: readonly Look[];
}

/** Predicted share, 0 … 1, over all sizes. */
export function predictShare(evidence: Evidence): number {
  return SIZES.reduce((sum, size) => sum + predictAt(evidence, size), 0) / SIZES.length;
}

/** Predicted share of the views in which the picture's longer side has `size` pixels, 0 … 1. */
export function predictAt(evidence: Evidence, size: number): number {
  const features = featuresAt(evidence, size);
  return 1 / (1 + Math.exp(-features.reduce((sum, feature, i) => sum + feature * COEFFICIENTS[i], 0)));
}

/** What `COEFFICIENTS` are multiplied with. */
export function featuresAt({ near, far, distinct }: Evidence, size: number): Features {
  const spread = interpolate(near, spreadOf, size);
  const landmarks = interpolate(far, numberOf, size);
  const points = interpolate(distinct, numberOf, size);
  return [1, Math.log1p(spread), Math.log1p(landmarks), Math.log1p(points), Math.log(size / 200)];
}

/** 0 … 16: the cells of the grid that have a landmark, each by the strength of its strongest. */
function spreadOf({ landmarks }: Look): number {
  const strongest = new Float64Array(GRID * GRID);
  for (const { x, y, strength } of landmarks) {
    const cell = Math.min(GRID - 1, Math.floor(y * GRID)) * GRID + Math.min(GRID - 1, Math.floor(x * GRID));
    strongest[cell] = Math.max(strongest[cell], strength);
  }
  return strongest.reduce((sum, strength) => sum + strength, 0);
}

/** Landmarks, each by its strength. */
function numberOf({ landmarks, stride }: Look): number {
  return landmarks.reduce((sum, { strength }) => sum + strength, 0) * stride;
}

/**
 * A property of the look at `size` pixels, between those that there are. Larger than the largest: as there.
 * Smaller than the smallest: less, with the area, because nothing in the marker is that small.
 */
function interpolate(looks: readonly Look[], property: (look: Look) => number, size: number): number {
  if (looks.length === 0) return 0;
  const above = looks.findIndex((look) => look.size >= size);
  if (above === -1) return property(looks[looks.length - 1]);
  const upper = property(looks[above]);
  if (above === 0) return upper * (size / looks[0].size) ** 2;
  const lower = property(looks[above - 1]);
  const share = (size - looks[above - 1].size) / (looks[above].size - looks[above - 1].size);
  return lower + share * (upper - lower);
}
