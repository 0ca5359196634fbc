import { MAX_BYTES_IN_MEMORY, type Obstacle } from "../../video/plan.ts";
import type { Unreadable } from "../../video/protocol.ts";
import { byteSize } from "../ui/format.ts";

/** What file dialogs offer. Some systems do not know the type of a .mkv. */
export const VIDEO_FILES = "video/*,.mov,.mkv";

/** The limit of the API. */
export const MAX_VIDEO_BYTES = 5_000_000_000;

/** Larger videos are sent in parts, so that a broken connection costs one part at most. */
export const MAX_BYTES_AT_ONCE = 32_000_000;

/** Returns why a file is refused before it is sent; null: it is not. */
export function refusalOf({ size }: Pick<File, "size">): string | null {
  if (size === 0) return "The file is empty.";
  if (size <= MAX_VIDEO_BYTES) return null;
  return `The video is ${byteSize(size)}. The limit is ${byteSize(MAX_VIDEO_BYTES)}.`;
}

/** The browsers that create what phones play. */
const ENCODERS = {
  video: "Chrome, Edge or Safari",
  sound: "Safari, or in Chrome or Edge on Windows, macOS or Android",
} as const;

const EXPORT = "export the video as MP4 with H.264";

/** Returns why this browser does not convert a video, and what to do. */
export function obstacleText({ kind, track, codec }: Obstacle): string {
  const what = track === "sound" ? `${codec} sound` : codec;
  switch (kind) {
    case "decode":
      return `This browser cannot read ${what}. Open this page in another browser, such as Safari, or ${EXPORT}.`;
    case "encode":
      return `This browser cannot create ${what}. Open this page in ${ENCODERS[track]}, or ${EXPORT}.`;
    case "too_large":
      return `Videos over ${byteSize(MAX_BYTES_IN_MEMORY)} are too large to convert in a browser. Instead, ${EXPORT}.`;
  }
}

const UNREADABLE: Readonly<Record<Unreadable, string>> = {
  no_video: "The file has no video track. Choose a video.",
  cut_off: "The video is cut off: the end of the file is missing. Copy the file again.",
  format: "The file is not a video that this browser can read. Choose an MP4, MOV or WebM video.",
};

export function unreadableText(reason: Unreadable): string {
  return UNREADABLE[reason];
}
