// Explains what is wrong with a picture and how to improve it.

import type { Evidence } from "./model.ts";
import type { Tones } from "./tones.ts";

export type QualityPartName = "detail" | "spread" | "distinctness" | "contrast" | "sharpness";

export interface QualityPart {
  readonly name: QualityPartName;
  /** Whole, 0 … 100; 100 is as good as it needs to be. */
  readonly score: number;
}

export type QualityReasonCode =
  | "little_detail"
  | "repeating_pattern"
  | "blurred"
  | "too_dark"
  | "too_bright"
  | "low_contrast"
  | "empty_area"
  | "small_in_print";

export interface QualityReason {
  readonly code: QualityReasonCode;
  /** The problem. */
  readonly message: string;
  /** How to improve the picture. */
  readonly advice: string;
}

/** A third of a photo, along one of its edges. */
type Third = "left" | "right" | "upper" | "lower";

/** A map of the trackable detail: roughly square cells, row-major, each 0 (none) … 100 (plenty). */
export interface QualityMap {
  readonly columns: number;
  readonly rows: number;
  readonly cells: readonly number[];
}

// Values at which a part scores 100: those of pictures that MindAR finds in most views (bench/recall).
const GOOD_POINTS = 170;
const GOOD_SPREAD = 0.8;
const GOOD_DISTINCTNESS = 0.22;
const GOOD_RANGE = 160;
const GOOD_CRISPNESS = 0.6;
const SOFTEST = 0.1;

/** A part that scores less than this is a reason for a low score. */
const WEAK: Readonly<Record<QualityPartName, number>> = {
  detail: 35,
  spread: 35,
  distinctness: 35,
  contrast: 35,
  sharpness: 50,
};

/** Value from which a cell of the map counts as having detail. */
export const OCCUPIED = 20;

/** Longer side in print, in mm, from which a print is large: most photo prints are 10 × 15 cm. */
const LARGE_PRINT = 150;

export function rateParts({ near, tones }: Evidence): QualityPart[] {
  const points = near.reduce((sum, look) => sum + look.points, 0);
  const landmarks = near.reduce((sum, look) => sum + look.landmarks.length * look.stride, 0);
  const occupied = new Set(
    near.flatMap((look) => look.landmarks.map(({ x, y }) => Math.floor(y * 5) * 8 + Math.floor(x * 5))),
  );
  return [
    rate("detail", points / Math.max(1, near.length) / GOOD_POINTS),
    rate("spread", occupied.size / 25 / GOOD_SPREAD),
    rate("distinctness", landmarks / Math.max(1, points) / GOOD_DISTINCTNESS),
    rate("contrast", (tones.brightest - tones.darkest) / GOOD_RANGE),
    rate("sharpness", (tones.crispness - SOFTEST) / (GOOD_CRISPNESS - SOFTEST)),
  ];
}

function rate(name: QualityPartName, share: number): QualityPart {
  return { name, score: Math.round(100 * Math.min(Math.max(share, 0), 1)) };
}

/** Returns the reasons for a low score, the most important first. */
export function findReasons(
  parts: readonly QualityPart[],
  tones: Tones,
  map: QualityMap,
  print: number | null,
): QualityReason[] {
  const weak = (name: QualityPartName) => (parts.find((part) => part.name === name)?.score ?? 0) < WEAK[name];
  const reasons: QualityReason[] = [];
  if (weak("sharpness")) {
    reasons.push({
      code: "blurred",
      message: "The photo is blurred: it has no fine, sharp edges.",
      advice: "Use a sharper photo, or the original instead of an enlarged copy.",
    });
  }
  if (weak("contrast")) reasons.push(nameTones(tones));
  if (weak("distinctness") && !weak("detail")) {
    reasons.push({
      code: "repeating_pattern",
      message: "Many areas look alike, for example a repeating pattern or small print. Cameras confuse them.",
      advice: "Choose a crop with irregular detail, or add something unique to the photo.",
    });
  }
  const empty = findEmptyThirds(map);
  if (weak("detail") || (empty === null && reasons.length === 0)) {
    reasons.push({
      code: "little_detail",
      message: "The photo has few corners, spots and edges that a camera can track.",
      advice: "Choose a photo with more irregular detail, or crop out the flat areas.",
    });
  } else if (empty !== null && empty.length > 0) {
    reasons.push({
      code: "empty_area",
      message: `${nameThirds(empty)} no detail that can be tracked.`,
      advice:
        "Crop out the empty area. The rest is then printed larger, and cameras find it from farther away.",
    });
  }
  if (print !== null && print >= LARGE_PRINT) {
    reasons.push({
      code: "small_in_print",
      message: "Phones find the photo only when it fills much of the camera view.",
      advice: `Print it at least ${Math.ceil(print / 10)} cm long, or choose a crop with larger detail.`,
    });
  }
  return reasons;
}

function nameTones({ mean, darkest, brightest }: Tones): QualityReason {
  if (brightest < 110) {
    return {
      code: "too_dark",
      message: "The photo is too dark: it is almost entirely black.",
      advice: "Brighten it, or retake it in better light.",
    };
  }
  if (darkest > 160 && mean > 170) {
    return {
      code: "too_bright",
      message: "The photo is too bright: it is almost entirely white.",
      advice: "Darken it, or retake it with a shorter exposure.",
    };
  }
  return {
    code: "low_contrast",
    message: "The photo has low contrast: its tones are all similar.",
    advice: "Increase the contrast between dark and bright areas.",
  };
}

/** Returns the thirds of a photo without detail; null if no part of the photo has detail. */
export function findEmptyThirds({ columns, rows, cells }: QualityMap): Third[] | null {
  const occupied = (left: number, right: number, top: number, bottom: number) => {
    let [count, all] = [0, 0];
    for (let row = Math.round(top * rows); row < Math.round(bottom * rows); row++) {
      for (let column = Math.round(left * columns); column < Math.round(right * columns); column++) {
        all++;
        if (cells[row * columns + column] >= OCCUPIED) count++;
      }
    }
    return count / Math.max(1, all);
  };
  if (occupied(0, 1, 0, 1) < 0.08) return null;
  const [third, rest] = [1 / 3, 2 / 3];
  return (
    [
      ["left", 0, third, 0, 1],
      ["right", rest, 1, 0, 1],
      ["upper", 0, 1, 0, third],
      ["lower", 0, 1, rest, 1],
    ] as const
  )
    .filter(([, left, right, top, bottom]) => occupied(left, right, top, bottom) < 0.06)
    .map(([name]) => name);
}

/** Names thirds as the start of a sentence. */
function nameThirds(thirds: readonly Third[]): string {
  if (thirds.length === 1) return `The ${thirds[0]} third has`;
  if (thirds.length === 4) return "Everything but the middle has";
  return `The ${thirds.slice(0, -1).join(", ")} and ${thirds[thirds.length - 1]} thirds have`;
}
