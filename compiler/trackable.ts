import type { ImageTarget } from "./types.ts";

/** Throws CompileError `too_few_features` when MindAR's player could never find or follow the target. */
export function assertTrackable(_target: ImageTarget): void {
  throw new Error("being written");
}
