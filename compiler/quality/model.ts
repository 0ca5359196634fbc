// Predicts the share of a camera's views in which a player finds a picture.

import { CompileError } from "../types.ts";
import type { Look } from "./landmarks.ts";
import type { Tones } from "./tones.ts";

/** The players whose success is predicted: ours and MindAR's. */
export const SCORED_PLAYERS = ["vivimark", "mindar"] as const;
export type ScoredPlayer = (typeof SCORED_PLAYERS)[number];

/** Throws a CompileError `invalid_option` for a name that is not a player's. */
export function checkPlayer(player: string): asserts player is ScoredPlayer {
  if ((SCORED_PLAYERS as readonly string[]).includes(player)) return;
  throw new CompileError(
    "invalid_option",
    `Got player = ${player}; expected ${SCORED_PLAYERS.join(" or ")}.`,
  );
}

/** The evidence for a prediction. */
export interface Evidence {
  /** Landmarks of each keyframe in the next larger one. */
  readonly near: readonly Look[];
  /** Landmarks of each keyframe in the one an octave larger: they survive a large change of scale. */
  readonly far: readonly Look[];
  /** Points that cannot be mistaken for another part of the picture, at each size. */
  readonly distinct: readonly Look[];
  /** Numbers of points that are recognised in bad frames. */
  readonly recognised: readonly number[];
  readonly tones: Tones;
}

/** A view of the picture, as bench/recall/camera.ts plans them. */
interface PlannedView {
  /** Longer side of the picture, in pixels of a camera frame of 640 × 480. */
  readonly size: number;
  /** Whether it is a poor view: far more tilt, blur, darkness and cover. */
  readonly isPoor: boolean;
}

interface Model {
  /** Coefficients of a logistic regression on single views. */
  readonly coefficients: readonly number[];
  /** Returns the values that the coefficients are multiplied by. */
  features(evidence: Evidence, view: PlannedView): readonly number[];
  /** The views whose mean is predicted. */
  readonly views: readonly PlannedView[];
  /** Share that earns five stars. No picture is found in all views, because some views are very poor. */
  readonly fiveStars: number;
  /** Share from which a picture needs no improvement. */
  readonly good: number;
}

/** Views at sizes from a fifth of the frame's height to nearly all of it. */
const VIEWS = [90, 135, 180, 225, 270, 315, 360, 405, 450].map((size) => ({ size, isPoor: false }));

/** Poor views at sizes from a tenth of the frame's height to nearly all of it: as many in each octave. */
const POOR_VIEWS = VIEWS.map((_, i) => ({ size: 48 * 9.5 ** ((i + 0.5) / VIEWS.length), isPoor: true }));

/**
 * `npm run bench:recall -- --fit` fits the coefficients to what the players find in simulated camera views.
 * bench/results.md shows how well they predict pictures that were not used for the fit.
 */
const MODELS: Readonly<Record<ScoredPlayer, Model>> = {
  vivimark: {
    // Constant, ln(size / 200 px), poor view, points recognised in bad frames, known points, contrast, slope.
    coefficients: [-8.02, 1.85, -2.66, 4.55, 7.1, 0.41, -0.27],
    features: ({ near, far, distinct, recognised, tones }, { size, isPoor }) => {
      const points = [near, far, distinct].reduce((sum, looks) => sum + interpolate(looks, countOf, size), 0);
      const share = recognised.reduce((sum, count) => sum + saturate(count, 4), 0) / recognised.length;
      return [
        1,
        Math.log(size / 200),
        isPoor ? 1 : 0,
        share,
        saturate(points, 2),
        Math.log1p(tones.deviation),
        Math.log1p(tones.slope),
      ];
    },
    views: [...VIEWS, ...POOR_VIEWS],
    fiveStars: 0.78,
    good: 0.72,
  },
  mindar: {
    // Constant, spread, landmarks across an octave, distinct points, ln(size / 200 px).
    coefficients: [-3.96, 0.55, 0.44, 0.64, 0.8],
    features: ({ near, far, distinct }, { size }) => [
      1,
      Math.log1p(interpolate(near, spreadOf, size)),
      Math.log1p(interpolate(far, strengthOf, size)),
      Math.log1p(interpolate(distinct, strengthOf, size)),
      Math.log(size / 200),
    ],
    views: VIEWS,
    fiveStars: 0.8,
    good: 0.72,
  },
};

/** Returns the model of a player. */
export function modelOf(player: ScoredPlayer): Model {
  return MODELS[player];
}

/** Predicts the share of all views, 0 … 1. */
export function predictShare(evidence: Evidence, model: Model): number {
  return model.views.reduce((sum, view) => sum + predictIn(evidence, view, model), 0) / model.views.length;
}

/** Predicts the share among the views like this one, 0 … 1. */
export function predictIn(evidence: Evidence, view: PlannedView, model: Model): number {
  const features = model.features(evidence, view);
  return 1 / (1 + Math.exp(-features.reduce((sum, feature, i) => sum + feature * model.coefficients[i], 0)));
}

/** Returns 0 for 0, a half for `half`, and nearly 1 for much more. */
function saturate(value: number, half: number): number {
  return value / (value + half);
}

/** Cells per side of the grid. Each cell counts by its strongest landmark. */
const GRID = 4;

/** Sums over the grid's cells the strength of each one's strongest landmark, 0 … 16. */
function spreadOf({ landmarks }: Look): number {
  const strongest = new Float64Array(GRID * GRID);
  for (const { x, y, strength } of landmarks) {
    const cell = Math.min(GRID - 1, Math.floor(y * GRID)) * GRID + Math.min(GRID - 1, Math.floor(x * GRID));
    strongest[cell] = Math.max(strongest[cell], strength);
  }
  return strongest.reduce((sum, strength) => sum + strength, 0);
}

/** Estimates the number of landmarks. */
function countOf({ landmarks, stride }: Look): number {
  return landmarks.length * stride;
}

/** Estimates the number of landmarks, each weighted by its strength. */
function strengthOf({ landmarks, stride }: Look): number {
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
