import { decodeMind, InvalidMarkerError, type MarkerFault } from "./mind.ts";
import { assertTrackable } from "./trackable.ts";
import { CompileError, type ImageTarget } from "./types.ts";

/** What a file that claims to be a `.mind` holds. */
export interface MarkerReport {
  /** Whether MindAR's player can load it. */
  readonly valid: boolean;
  readonly bytes: number;
  /** The version that the file gives itself, when it begins like a `.mind` file. */
  readonly version: number | null;
  /** In the order of the player's target indexes; none unless valid. */
  readonly targets: readonly TargetReport[];
  /** None for a file as it should be. */
  readonly problems: readonly MarkerProblem[];
}

export interface TargetReport {
  /** Size of the image that was compiled, pixels. */
  readonly width: number;
  readonly height: number;
  /** Feature points of all keyframes. */
  readonly points: number;
  readonly keyframes: readonly {
    readonly width: number;
    readonly height: number;
    readonly scale: number;
    readonly maxima: number;
    readonly minima: number;
  }[];
  readonly tracking: readonly {
    readonly width: number;
    readonly height: number;
    readonly scale: number;
    readonly points: number;
  }[];
}

export interface MarkerProblem {
  /** The fault that keeps the file from loading, or why a target that loads will hardly be found. */
  readonly code: MarkerFault | "too_few_features";
  readonly message: string;
  /** The target it is about, null when it is about the file. */
  readonly target: number | null;
}

/** Says what a `.mind` file holds and what is wrong with it. Whatever the bytes are, it gives a report. */
export function inspectMind(bytes: Uint8Array): MarkerReport {
  const version = readVersion(bytes);
  try {
    const targets = decodeMind(bytes);
    const problems = targets.flatMap(findProblem);
    return { valid: true, bytes: bytes.length, version, targets: targets.map(describe), problems };
  } catch (error) {
    if (!(error instanceof InvalidMarkerError)) throw error;
    const problem = { code: error.fault, message: error.message, target: null };
    return { valid: false, bytes: bytes.length, version, targets: [], problems: [problem] };
  }
}

/** Sizes and counts of one target. */
export function describe({ width, height, keyframes, tracking }: ImageTarget): TargetReport {
  return {
    width,
    height,
    points: keyframes.reduce((sum, { maxima, minima }) => sum + maxima.count + minima.count, 0),
    keyframes: keyframes.map(({ width, height, scale, maxima, minima }) => ({
      width,
      height,
      scale,
      maxima: maxima.count,
      minima: minima.count,
    })),
    tracking: tracking.map(({ width, height, scale, points }) => ({
      width,
      height,
      scale,
      points: points.length,
    })),
  };
}

function findProblem(target: ImageTarget, index: number): MarkerProblem[] {
  try {
    assertTrackable(target);
    return [];
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return [{ code: "too_few_features", message: error.message, target: index }];
  }
}

/** MessagePack of a map whose first key is "v" and whose first value is a small number, or null. */
function readVersion(bytes: Uint8Array): number | null {
  const map = bytes[0] >= 0x80 && bytes[0] <= 0x8f;
  return map && bytes[1] === 0xa1 && bytes[2] === 0x76 && bytes[3] < 0x80 ? bytes[3] : null;
}
