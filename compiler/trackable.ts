// Checks whether MindAR's player can find and follow a target.

import { CompileError, type ImageTarget } from "./types.ts";

/**
 * Points that at least one keyframe must have. The player needs 6 matching points within one keyframe (mind-ar
 * matching/matching.js, MIN_NUM_INLIERS), and a camera never finds every point again. Of 30 simulated views of
 * photographs reduced to their strongest points, the player recognised 2 with 6 points, 8 with 8, 22 with 12
 * and all with 20.
 */
const MIN_MATCHING_POINTS = 12;

/**
 * Points that the tracking image must have. The player gives up below 4 (mind-ar controller.js,
 * _trackAndUpdate). It knows where to look for them, so two spare points are enough.
 */
const MIN_TRACKING_POINTS = 6;

/** The tracking image that the player uses, the smaller one (mind-ar tracker/tracker.js, TRACKING_KEYFRAME). */
const TRACKING_IMAGE = 1;

/**
 * Throws for a target that the player could hardly find or follow.
 *
 * @throws CompileError `too_few_features` unless some keyframe has 12 points, maxima and minima together, and
 * the smaller tracking image has 6
 */
export function assertTrackable(target: ImageTarget): void {
  const matching = Math.max(0, ...target.keyframes.map(({ maxima, minima }) => maxima.count + minima.count));
  const tracking = target.tracking[TRACKING_IMAGE]?.points.length ?? 0;
  if (matching >= MIN_MATCHING_POINTS && tracking >= MIN_TRACKING_POINTS) return;
  throw new CompileError(
    "too_few_features",
    `The photo has too little detail: it has ${matching} feature points and ${tracking} tracking points; expected ` +
      `at least ${MIN_MATCHING_POINTS} and ${MIN_TRACKING_POINTS}. Use a photo with many sharp, irregular details.`,
  );
}
