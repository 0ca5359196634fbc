import { MAX_BYTES_IN_MEMORY, type Obstacle } from "../../video/plan.ts";
import { ConversionFailed } from "../../video/problem.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { byteSize } from "../ui/format.ts";

/** What file dialogs offer. Some systems do not know the type of a .mkv. */
export const VIDEO_FILES = "video/*,.mov,.mkv";

/** The limit of the API. */
export const MAX_VIDEO_BYTES = 5_000_000_000;

/** Larger videos are sent in parts, so that a broken connection costs one part at most. */
export const MAX_BYTES_AT_ONCE = 32_000_000;

/** Returns why a file is refused before it is sent; null: it is not. */
export function refusalOf({ size }: Pick<File, "size">): string | null {
  if (size === 0) return t.video.empty;
  return size <= MAX_VIDEO_BYTES ? null : t.video.tooLarge(byteSize(size), byteSize(MAX_VIDEO_BYTES));
}

/** Returns why this browser does not convert a video, and what to do. */
export function obstacleText({ kind, track, codec }: Obstacle): string {
  const texts = t.video.cannotConvert;
  return kind === "too_large" ? texts.tooLarge(byteSize(MAX_BYTES_IN_MEMORY)) : texts[kind][track](codec);
}

/** Returns why the conversion of a video failed. */
export function failureText(error: unknown): string {
  if (!(error instanceof ConversionFailed) || error.problem.kind === "other") return messageOf(error);
  const { problem } = error;
  const texts = t.video.problems;
  return "reason" in problem ? texts[problem.kind](problem.reason) : texts[problem.kind];
}
