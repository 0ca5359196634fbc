// Predicts how well a camera will find a printed picture. bench/recall measures the same.

import { DEFAULT_MAX_SIZE, detectKeyframes } from "./compile.ts";
import { resizeGrey } from "./image/resize.ts";
import { findDistinct, type Landmark, lookAround } from "./quality/landmarks.ts";
import {
  checkPlayer,
  type Evidence,
  modelOf,
  predictIn,
  predictShare,
  type ScoredPlayer,
} from "./quality/model.ts";
import {
  findReasons,
  type QualityMap,
  type QualityPart,
  type QualityReason,
  rateParts,
} from "./quality/reasons.ts";
import { measureTones } from "./quality/tones.ts";
import { tryFrames } from "./quality/trials.ts";
import { scaleImage, trackingScales } from "./scales.ts";
import type { GreyImage, ImageTarget, KeyframePoints, TrackingImage } from "./types.ts";

export type { ScoredPlayer } from "./quality/model.ts";
export type {
  QualityMap,
  QualityPart,
  QualityPartName,
  QualityReason,
  QualityReasonCode,
} from "./quality/reasons.ts";

/** The quality of a picture; the same object in every host and on the wire. */
export interface Quality {
  /** Whose success the score predicts. The parts and the map are the same for each player. */
  readonly player: ScoredPlayer;
  /** Predicted share of a camera's views in which the player finds the picture: whole percent, 0 … 100. */
  readonly score: number;
  /** 0 … 5 in halves. */
  readonly stars: number;
  readonly parts: readonly QualityPart[];
  /** The most important first; empty when nothing needs to be improved. */
  readonly reasons: readonly QualityReason[];
  /**
   * Smallest longer side in print, in mm, at which a phone at arm's length finds the picture in half of its
   * views; null when no size is enough.
   */
  readonly print: number | null;
  readonly map: QualityMap;
}

/** Longer side, in pixels, of the largest keyframe that counts: a camera rarely sees a picture larger. */
const LARGEST_KEYFRAME = 640;

/** Keyframes between 100 pixels and LARGEST_KEYFRAME. The limit bounds the cost of foreign files with more. */
const MOST_KEYFRAMES = 10;

/** Keyframes in an octave. */
const OCTAVE = 3;

/** Cells of the map along the picture's longer side. */
const MAP_CELLS = 16;

/** Strength of the landmarks in a cell at which it counts as 63 of 100. */
const PLENTY = 1.2;

/** Frame pixels of 1 mm in print at arm's length (400 mm), for a camera that is 45° and 480 pixels high. */
const PIXELS_PER_MILLIMETRE = 480 / (2 * Math.tan(Math.PI / 8) * 400);

/**
 * Scores a compiled target, or one that was decoded from a `.mind` file.
 *
 * @throws CompileError `invalid_option` for an unknown player
 */
export function scoreTarget(target: ImageTarget, player: ScoredPlayer = "vivimark"): Quality {
  checkPlayer(player);
  return judge(target, gatherEvidence(target), player);
}

/**
 * Scores grey pixels without a full compilation. The score equals that of the compiled target.
 *
 * @param maxSize as for `compile`
 * @throws CompileError `invalid_option` for an unknown player
 */
export function scoreImage(
  image: GreyImage,
  maxSize: number = DEFAULT_MAX_SIZE,
  player: ScoredPlayer = "vivimark",
): Quality {
  checkPlayer(player);
  const reduced = resizeGrey(image, maxSize);
  const tracking = scaleImage(reduced, trackingScales(reduced.width, reduced.height));
  const keyframes = detectKeyframes(reduced, LARGEST_KEYFRAME);
  return judge(reduced, gatherEvidence({ keyframes, tracking }), player);
}

/** Returns the evidence on which a prediction is based. */
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
    recognised: tryFrames(seen, grey),
    tones: measureTones(grey),
  };
}

/** Returns the largest tracking image that was not enlarged: enlarging leaves black lines between pixels. */
function greyOf(tracking: readonly ScaledImage[]): ScaledImage {
  return tracking.find(({ scale }) => scale <= 1) ?? tracking[tracking.length - 1];
}

type ScaledImage = Omit<TrackingImage, "points">;

function judge(
  { width, height }: Pick<GreyImage, "width" | "height">,
  evidence: Evidence,
  player: ScoredPlayer,
): Quality {
  const model = modelOf(player);
  const share = predictShare(evidence, model);
  const parts = rateParts(evidence);
  const map = drawMap(width, height, evidence);
  const print = smallestPrint((size) => predictIn(evidence, { size, isPoor: false }, model));
  return {
    player,
    score: Math.round(100 * share),
    stars: Math.min(5, Math.round((10 * share) / model.fiveStars) / 2),
    parts,
    reasons: share >= model.good ? [] : findReasons(parts, evidence.tones, map, print),
    print,
    map,
  };
}

function smallestPrint(predictAt: (size: number) => number): number | null {
  for (let size = 60; size <= 460; size += 10) {
    if (predictAt(size) >= 0.5) return Math.round(size / PIXELS_PER_MILLIMETRE);
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
