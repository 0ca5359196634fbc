// What the benchmarks of finding have in common: one player's result in one frame.

import { loadCodecs } from "../../compiler/image/codecs.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import { CODEC_SOURCES, readKernelModule } from "../../node/codecs.ts";
import { loadPlayerKernels } from "../../player/kernels.ts";
import type { Corners } from "../../test/e2e/pinhole.ts";
import type { Subject } from "../recall/pictures.ts";
import { readPlayerModule } from "./module.ts";

/** Largest error of the corners that counts as found, per longer side of the photo. */
const MOST_ERROR = 0.1;

/** The result in one frame: the corners' error in pixels, null if nothing was found, and whether it is right. */
export interface Trial {
  readonly bin: number;
  readonly error: number | null;
  readonly right: boolean;
}

export async function loadModules(): Promise<void> {
  loadCodecs(CODEC_SOURCES);
  loadKernels(await readKernelModule());
  loadPlayerKernels(await readPlayerModule());
}

/** Returns the pictures as they are: no patterns, no worse versions. */
export function originalsOf(subjects: readonly Subject[]): Subject[] {
  return subjects.filter(({ name, kind }) => kind !== "pattern" && !name.includes(","));
}

/** Returns whether one picture shows a part of another one, or is the same: `astronaut-face` and `astronaut`. */
export function isPartOf(part: Subject, whole: Subject): boolean {
  return part.name.startsWith(whole.name);
}

/** @param longer side of the photo, in frame pixels */
export function judge(found: Corners | null, corners: Corners, longer: number): Omit<Trial, "bin"> {
  if (!found) return { error: null, right: false };
  const squares = found.map(({ x, y }, i) => (x - corners[i].x) ** 2 + (y - corners[i].y) ** 2);
  const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 4);
  return { error, right: error < MOST_ERROR * longer };
}

/** Formats the share of frames in which the photo was found. */
export function percent(trials: readonly Trial[]): string {
  if (trials.length === 0) return "–";
  return `${((100 * trials.filter(({ right }) => right).length) / trials.length).toFixed(1)} %`;
}

/** Formats the median and the 90 % quantile of the errors of the found photos. */
export function errors(trials: readonly Trial[]): string {
  const values = trials.flatMap(({ error, right }) => (right && error !== null ? [error] : []));
  if (values.length === 0) return "–";
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))];
  return `${at(0.5).toFixed(2)} / ${at(0.9).toFixed(1)}`;
}
