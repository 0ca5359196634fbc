// Whether MindAR's player has a chance with a target.

import { CompileError, type ImageTarget } from "./types.ts";

/** Inliers without which the player rejects a match (mind-ar matching/matching.js, MIN_NUM_INLIERS). */
const MATCHED_POINTS = 6;

/** Points without which it gives up tracking (mind-ar controller.js, _trackAndUpdate). */
const TRACKED_POINTS = 4;

/** The tracking image that it uses, the smaller one (mind-ar tracker/tracker.js, TRACKING_KEYFRAME). */
const TRACKING_IMAGE = 1;

/**
 * Points wanted for each one needed. A camera never finds all of them again: those that the light, the angle
 * and the blur leave have to be enough.
 */
const SPARE = 2;

/**
 * Throws CompileError `too_few_features` unless some keyframe has twice the 6 points that a match takes and
 * the tracking image twice the 4 points that tracking takes. A match is made within one keyframe, so points
 * of several do not add up.
 */
export function assertTrackable(target: ImageTarget): void {
  const matchable = Math.max(0, ...target.keyframes.map(({ maxima, minima }) => maxima.count + minima.count));
  const trackable = target.tracking[TRACKING_IMAGE]?.points.length ?? 0;
  if (matchable >= SPARE * MATCHED_POINTS && trackable >= SPARE * TRACKED_POINTS) return;
  throw new CompileError(
    "too_few_features",
    `The picture has too few details to be recognised: ${matchable} points to find it by and ${trackable} ` +
      `to follow it by; at least ${SPARE * MATCHED_POINTS} and ${SPARE * TRACKED_POINTS} are needed. ` +
      "Pictures with many small, sharp, irregular details work best.",
  );
}
