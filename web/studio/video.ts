import { megabytes } from "./format.ts";

export const VIDEO_TYPES = "video/mp4,video/webm";
/** The edge's limit: what one request can carry. */
export const MAX_VIDEO_BYTES = 95_000_000;

/** Why a file cannot be attached, as a sentence; null when it can. */
export function videoRefusal({ type, size }: Pick<File, "type" | "size">): string | null {
  if (!VIDEO_TYPES.split(",").includes(type)) {
    return `The file is ${type || "of an unknown type"}; an MP4 or WebM video is expected.`;
  }
  if (size === 0) return "The file is empty.";
  if (size > MAX_VIDEO_BYTES) {
    return `The video is ${megabytes(size)}; at most ${megabytes(MAX_VIDEO_BYTES)} can be attached.`;
  }
  return null;
}
