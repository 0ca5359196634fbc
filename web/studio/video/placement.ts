import type { VideoPlayback } from "../../../client/client.ts";

/** Where a video lies on a photo, and which part of it plays, as the person changes it. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns the part of a video that viewers see if it covers the photo, 0 to 1. */
export function visibleShare(photo: Size, video: Size): number {
  const ratio = (photo.width / photo.height) * (video.height / video.width);
  return Math.min(ratio, 1 / ratio);
}

/**
 * Returns what is left of a photo in each direction when a video is fitted into it, in the unit of the photo. Negative:
 * the video is larger, and cut off.
 */
export function slackOf(fit: VideoPlayback["fit"], photo: Size, video: Size): Size {
  const scales = [photo.width / video.width, photo.height / video.height];
  const scale = fit === "cover" ? Math.max(...scales) : Math.min(...scales);
  const rest = (side: number, length: number) => {
    const slack = side - length * scale;
    return Math.abs(slack) < 0.01 * side ? 0 : slack;
  };
  return { width: rest(photo.width, video.width), height: rest(photo.height, video.height) };
}

/** Returns the place of a video after it was dragged, by a distance in the unit of the slack. */
export function dragged(
  { x, y }: Pick<VideoPlayback, "x" | "y">,
  slack: Size,
  by: Size,
): Pick<VideoPlayback, "x" | "y"> {
  const along = (place: number, slack: number, distance: number) =>
    slack === 0 ? place : Math.min(1, Math.max(0, place + distance / slack));
  return { x: along(x, slack.width, by.width), y: along(y, slack.height, by.height) };
}

/** The shortest part that can be chosen, in seconds. */
const MIN_PART = 0.5;

/** Returns the settings with another start, which stays before the end. */
export function startedAt(settings: VideoPlayback, start: number, duration: number): VideoPlayback {
  const last = Math.max(0, (settings.end ?? duration) - MIN_PART);
  return { ...settings, start: Math.min(start, last) };
}

/** Returns the settings with another end, which stays after the start. */
export function endedAt(settings: VideoPlayback, end: number, duration: number): VideoPlayback {
  const least = Math.max(end, settings.start + MIN_PART);
  return { ...settings, end: least >= duration ? null : least };
}
