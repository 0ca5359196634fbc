// How well a printed picture will be found by a camera: a prediction of what bench/recall measures.

import { DEFAULT_MAX_SIZE, detectKeyframes, type KeyframePoints } from "./compile.ts";
import { resizeGrey } from "./image/resize.ts";
import { findDistinct, type Landmark, lookAround } from "./quality/landmarks.ts";
import { type Evidence, predictAt, predictShare } from "./quality/model.ts";
import {
  findReasons,
  measureTones,
  type QualityMap,
  type QualityPart,
  type QualityReason,
  rateParts,
} from "./quality/reasons.ts";
import { scaleImage, trackingScales } from "./scales.ts";
import type { GreyImage, ImageTarget, TrackingImage } from "./types.ts";

export type {
  QualityMap,
  QualityPart,
  QualityPartName,
  QualityReason,
  QualityReasonCode,
} from "./quality/reasons.ts";

/** The same object in every host and on the wire. */
export interface Quality {
  /** Whole, 0 … 100: predicted share of a camera's views in which MindAR finds the picture, in percent. */
  readonly score: number;
  /** 0 … 5 in halves. */
  readonly stars: number;
  readonly parts: readonly QualityPart[];
  /** The most important first; none when there is nothing to mend. */
  readonly reasons: readonly QualityReason[];
  /**
   * Longer side in print, mm, from which on a phone at arm's length finds it in every other view; null when
   * it does so at no size.
   */
  readonly print: number | null;
  readonly map: QualityMap;
}

/** Keyframes up to this many pixels on their longer side matter: a camera hardly ever sees a picture larger. */
const LARGEST_KEYFRAME = 640;

/** Keyframes from the smallest, 100 pixels, to there; a foreign file that has more shall not cost more. */
const MOST_KEYFRAMES = 10;

/** Keyframes in an octave. */
const OCTAVE = 3;

/** No picture is found in all of the views, some of which are very poor: this share has all the stars. */
const FIVE_STARS = 0.8;

/** Cells of the map along the picture's longer side. */
const MAP_CELLS = 16;

/** Strength of the landmarks in a cell at which it counts as 63 of 100. */
const PLENTY = 1.2;

/** A frame's pixels for a print of 1 mm at arm's length, 400 mm, with a camera 45° and 480 pixels high. */
const PIXELS_PER_MILLIMETRE = 480 / (2 * Math.tan(Math.PI / 8) * 400);

/** Scores a target, just compiled or decoded from a `.mind` file. */
export function scoreTarget(target: ImageTarget): Quality {
  return judge(target.width, target.height, gatherEvidence(target), greyOf(target.tracking));
}

/**
 * Scores grey pixels: the score of the target that they compile to, without compiling more than that needs.
 *
 * @param maxSize as for `compile`
 */
export function scoreImage(image: GreyImage, maxSize: number = DEFAULT_MAX_SIZE): Quality {
  const reduced = resizeGrey(image, maxSize);
  const { width, height } = reduced;
  const tracking = scaleImage(reduced, trackingScales(width, height));
  const keyframes = detectKeyframes(reduced, LARGEST_KEYFRAME);
  return judge(width, height, gatherEvidence({ keyframes, tracking }), greyOf(tracking));
}

/** What a prediction rests on. */
export function gatherEvidence({
  keyframes,
  tracking,
}: {
  readonly keyframes: readonly KeyframePoints[];
  readonly tracking: readonly ScaledImage[];
}): Evidence {
  const grey = greyOf(tracking);
  const seen = keyframes
    .filter(({ width, height }) => Math.max(width, height) <= LARGEST_KEYFRAME)
    .slice(-MOST_KEYFRAMES);
  return {
    near: lookAround(seen, grey, 1),
    far: lookAround(seen, grey, OCTAVE),
    distinct: findDistinct(seen, grey),
  };
}

/** The larger tracking image, unless it was enlarged: then it has black lines where the photo has no pixel. */
function greyOf(tracking: readonly ScaledImage[]): ScaledImage {
  return tracking.find(({ scale }) => scale <= 1) ?? tracking[tracking.length - 1];
}

type ScaledImage = Omit<TrackingImage, "points">;

function judge(width: number, height: number, evidence: Evidence, grey: GreyImage): Quality {
  const tones = measureTones(grey);
  const share = predictShare(evidence);
  const parts = rateParts(evidence, tones);
  const map = drawMap(width, height, evidence);
  const print = smallestPrint(evidence);
  return {
    score: Math.round(100 * share),
    stars: Math.min(5, Math.round((10 * share) / FIVE_STARS) / 2),
    parts,
    reasons: findReasons(share, parts, tones, map, print),
    print,
    map,
  };
}

function smallestPrint(evidence: Evidence): number | null {
  for (let size = 60; size <= 460; size += 10) {
    if (predictAt(evidence, size) >= 0.5) return Math.round(size / PIXELS_PER_MILLIMETRE);
  }
  return null;
}

function drawMap(width: number, height: number, { near }: Evidence): QualityMap {
  const cell = Math.max(width, height) / MAP_CELLS;
  const columns = Math.max(1, Math.round(width / cell));
  const rows = Math.max(1, Math.round(height / cell));
  const strengths = new Float64Array(columns * rows);
  for (const { landmarks, stride } of near) {
    for (const landmark of landmarks) spread(landmark, stride, strengths, columns, rows);
  }
  const cells = Array.from(strengths, (strength) => Math.round(100 * (1 - Math.exp(-strength / PLENTY))));
  return { columns, rows, cells };
}

/** Divides a landmark among the four cells around it. */
function spread(
  { x, y, strength }: Landmark,
  stride: number,
  strengths: Float64Array,
  columns: number,
  rows: number,
) {
  const [u, v] = [x * columns - 0.5, y * rows - 0.5];
  const [left, top] = [Math.floor(u), Math.floor(v)];
  for (const [column, row] of [
    [left, top],
    [left + 1, top],
    [left, top + 1],
    [left + 1, top + 1],
  ]) {
    const share = (1 - Math.abs(u - column)) * (1 - Math.abs(v - row));
    const at = Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1);
    strengths[at] += share * strength * stride;
  }
}
