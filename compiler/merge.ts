import { MAX_TARGETS } from "./invalid-marker.ts";
import { decodeMind, encodeMind } from "./mind.ts";
import { CompileError, type ImageTarget } from "./types.ts";

/**
 * Joins `.mind` files into one that has all their targets, in order, without compiling anything again.
 * Compiling each image alone and merging the files gives the same bytes as compiling all images into one file.
 *
 * @throws CompileError `invalid_marker` for an invalid file, `invalid_option` for no files or more than
 * 256 targets
 */
export function mergeMinds(files: readonly Uint8Array[]): Uint8Array {
  const targets = files.flatMap(decodeMind);
  checkTargetCount(targets.length);
  return encodeMind(targets);
}

/**
 * Copies targets of a `.mind` file into a new file, without compiling anything again.
 *
 * @param indexes the player's target indexes (`targetIndex`): the first target is 0. The new file has the
 * targets in this order, so passing all indexes in another order rearranges a file.
 * @throws CompileError `invalid_marker` for an invalid file, `invalid_option` for no indexes, a repeated
 * index, or an index that the file does not have
 */
export function extractTargets(file: Uint8Array, indexes: readonly number[]): Uint8Array {
  const targets = decodeMind(file);
  checkTargetCount(indexes.length);
  return encodeMind(indexes.map((index, i) => pick(targets, index, indexes.indexOf(index) < i)));
}

/** Throws CompileError `invalid_option` when a `.mind` file cannot have this many targets. */
export function checkTargetCount(count: number): void {
  if (count >= 1 && count <= MAX_TARGETS) return;
  throw new CompileError(
    "invalid_option",
    `Got ${count} targets for one file; expected 1 to ${MAX_TARGETS}.`,
  );
}

function pick(targets: readonly ImageTarget[], index: number, again: boolean): ImageTarget {
  if (again) throw new CompileError("invalid_option", `Got target ${index} twice; expected it once.`);
  const target = targets[index];
  if (target) return target;
  const has =
    targets.length === 1 ? "one target, 0" : `${targets.length} targets, 0 to ${targets.length - 1}`;
  throw new CompileError("invalid_option", `Got target ${index}; the file has ${has}.`);
}
