import type { VideoUpload } from "../../../client/client.ts";
import { byteSize } from "../ui/format.ts";

export const VIDEO_TYPES = "video/mp4,video/webm";
type VideoType = VideoUpload["content_type"];

/** The limit of the API. */
export const MAX_VIDEO_BYTES = 5_000_000_000;

/** Larger videos are sent in parts, so that a broken connection costs one part at most. */
export const MAX_BYTES_AT_ONCE = 32_000_000;

/** Returns the type of a valid video, or why the file is refused. */
export function checkVideo({
  type,
  size,
}: Pick<File, "type" | "size">): { readonly type: VideoType } | { readonly refusal: string } {
  if (!isVideoType(type)) {
    return { refusal: `The file type is ${type || "unknown"}. Expected an MP4 or WebM video.` };
  }
  if (size === 0) return { refusal: "The file is empty." };
  if (size > MAX_VIDEO_BYTES) {
    const most = byteSize(MAX_VIDEO_BYTES);
    return { refusal: `The video is ${byteSize(size)}. The limit is ${most}.` };
  }
  return { type };
}

function isVideoType(type: string): type is VideoType {
  return VIDEO_TYPES.split(",").includes(type);
}
