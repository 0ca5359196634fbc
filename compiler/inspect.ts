import { InvalidMarkerError, type MarkerFault } from "./invalid-marker.ts";
import { decodeMind } from "./mind.ts";
import { assertTrackable } from "./trackable.ts";
import { CompileError, type ImageTarget } from "./types.ts";

/** The contents and problems of a file that should be a `.mind` file. */
export interface MarkerReport {
  /** Whether MindAR's player can load it. */
  readonly valid: boolean;
  readonly bytes: number;
  /** The version in the file; null when the file does not begin like a `.mind` file. */
  readonly version: number | null;
  /** In the order of the player's target indexes; empty for an invalid file. */
  readonly targets: readonly TargetReport[];
  /** Empty for a file without problems. */
  readonly problems: readonly MarkerProblem[];
}

export interface TargetReport {
  /** Size of the compiled image, in pixels. */
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
  /** The fault that keeps the file from loading, or `too_few_features` for a target that is hard to find. */
  readonly code: MarkerFault | "too_few_features";
  readonly message: string;
  /** The index of the target with the problem; null when the problem is the file's. */
  readonly target: number | null;
}

/** Reports the contents and problems of a `.mind` file. Never throws, whatever the bytes are. */
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

/** Returns the sizes and point counts of one target. */
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

/** Reads the version if the bytes begin with a MessagePack map whose first key is "v"; otherwise null. */
function readVersion(bytes: Uint8Array): number | null {
  const map = bytes[0] >= 0x80 && bytes[0] <= 0x8f;
  return map && bytes[1] === 0xa1 && bytes[2] === 0x76 && bytes[3] < 0x80 ? bytes[3] : null;
}
