// Predicts the share of a camera's views in which a picture is found, from its landmarks.

import type { Look } from "./landmarks.ts";

/** Cells per side of the grid. Each cell counts by its strongest landmark. */
const GRID = 4;

/**
 * Longer sides of the picture in the predicted views, in pixels of a camera frame of 640 × 480: from a fifth of
 * the frame's height to nearly all of it.
 */
const SIZES = [90, 135, 180, 225, 270, 315, 360, 405, 450];

/**
 * Coefficients of a logistic regression on single views: constant, spread, landmarks across an octave,
 * distinct points, ln(size / 200 px).
 *
 * `npm run bench:recall -- --fit` fits them to MindAR's own detection and matching over simulated camera views.
 * bench/results.md shows how well they predict pictures that were not used for the fit.
 */
export const COEFFICIENTS: Features = [-3.96, 0.55, 0.44, 0.64, 0.8];

type Features = readonly [number, number, number, number, number];

/** The evidence for a prediction. */
export interface Evidence {
  /** Landmarks of each keyframe in the next larger one. */
  readonly near: readonly Look[];
  /** Landmarks of each keyframe in the one an octave larger: they survive a large change of scale. */
  readonly far: readonly Look[];
  /** Points that cannot be mistaken for another part of the picture, at each size. */
  readonly distinct: readonly Look[];
}

/** Predicts the share of views over all sizes, 0 … 1. */
export function predictShare(evidence: Evidence): number {
  return SIZES.reduce((sum, size) => sum + predictAt(evidence, size), 0) / SIZES.length;
}

/** Predicts the share among the views in which the picture's longer side has `size` pixels, 0 … 1. */
export function predictAt(evidence: Evidence, size: number): number {
  const features = featuresAt(evidence, size);
  return 1 / (1 + Math.exp(-features.reduce((sum, feature, i) => sum + feature * COEFFICIENTS[i], 0)));
}

/** Returns the values that `COEFFICIENTS` are multiplied by. */
export function featuresAt({ near, far, distinct }: Evidence, size: number): Features {
  const spread = interpolate(near, spreadOf, size);
  const landmarks = interpolate(far, numberOf, size);
  const points = interpolate(distinct, numberOf, size);
  return [1, Math.log1p(spread), Math.log1p(landmarks), Math.log1p(points), Math.log(size / 200)];
}

/** Sums over the grid's cells the strength of each one's strongest landmark, 0 … 16. */
function spreadOf({ landmarks }: Look): number {
  const strongest = new Float64Array(GRID * GRID);
  for (const { x, y, strength } of landmarks) {
    const cell = Math.min(GRID - 1, Math.floor(y * GRID)) * GRID + Math.min(GRID - 1, Math.floor(x * GRID));
    strongest[cell] = Math.max(strongest[cell], strength);
  }
  return strongest.reduce((sum, strength) => sum + strength, 0);
}

/** Estimates the number of landmarks, each weighted by its strength. */
function numberOf({ landmarks, stride }: Look): number {
  return landmarks.reduce((sum, { strength }) => sum + strength, 0) * stride;
}

/**
 * Interpolates a property at `size` pixels between the two nearest looks. Above the largest look it stays
 * constant. Below the smallest it decreases with the area, because the marker has no keyframe that small.
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
