import type { VideoUpload } from "../../../client/client.ts";
import { byteSize } from "../ui/format.ts";

export const VIDEO_TYPES = "video/mp4,video/webm";
type VideoType = VideoUpload["content_type"];

/** The edge's limit. */
export const MAX_VIDEO_BYTES = 5_000_000_000;

/** Larger videos are sent in parts: of those, a line that breaks costs a part, and a pause or a reload nothing. */
export const MAX_BYTES_AT_ONCE = 32_000_000;

/** A file that can be attached; else the reason as a sentence. */
export function checkVideo({
  type,
  size,
}: Pick<File, "type" | "size">): { readonly type: VideoType } | { readonly refusal: string } {
  if (!isVideoType(type)) {
    return { refusal: `The file is ${type || "of an unknown type"}; an MP4 or WebM video is expected.` };
  }
  if (size === 0) return { refusal: "The file is empty." };
  if (size > MAX_VIDEO_BYTES) {
    const most = byteSize(MAX_VIDEO_BYTES);
    return { refusal: `The video is ${byteSize(size)}; at most ${most} can be attached.` };
  }
  return { type };
}

function isVideoType(type: string): type is VideoType {
  return VIDEO_TYPES.split(",").includes(type);
}
