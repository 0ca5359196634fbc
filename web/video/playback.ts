import type { VideoPlayback } from "../../client/client.ts";

/** How a video plays on a photo: for viewers, and for the preview in the studio. */

/** The settings of a video whose owner has not changed any. */
export const WHOLE: VideoPlayback = {
  start: 0,
  end: null,
  poster: null,
  is_muted: false,
  fit: "cover",
  x: 0.5,
  y: 0.5,
};

/** Returns how a video lies on the photo, as CSS. */
export function fitOf({ fit, x, y }: VideoPlayback) {
  return { objectFit: fit, objectPosition: `${100 * x}% ${100 * y}%` };
}

/** Returns the address of a video that shows the frame at `seconds` before it plays. */
export function shownAt(url: string, seconds: number): string {
  return seconds > 0 ? `${url}#t=${seconds}` : url;
}

/**
 * Keeps a video within the part that its owner chose. At the end of the part, it begins again, and stops there unless
 * it is repeated.
 *
 * @returns a function that releases the video
 */
export function keepToPart(
  video: HTMLVideoElement,
  { start, end }: VideoPlayback,
  isRepeated: boolean,
): () => void {
  let hasBegun = false;
  let isReleased = false;
  // A video whose duration was unknown when the part was chosen may be shorter.
  const first = () => (start < video.duration ? start : 0);
  const restart = () => {
    video.currentTime = first();
    if (isRepeated) video.play().catch(() => undefined);
    else video.pause();
  };
  const on = {
    play: () => {
      // Until now, it may show another frame.
      if (!hasBegun || video.currentTime < first()) video.currentTime = first();
      hasBegun = true;
    },
    timeupdate: () => {
      if (!video.paused && end !== null && video.currentTime >= end) restart();
    },
    ended: restart,
  };
  // More precise than `timeupdate`, which comes four times a second.
  const follow = () => {
    if (isReleased) return;
    on.timeupdate();
    video.requestVideoFrameCallback(follow);
  };
  for (const [type, listener] of Object.entries(on)) video.addEventListener(type, listener);
  if (end !== null && "requestVideoFrameCallback" in video) follow();
  return () => {
    isReleased = true;
    for (const [type, listener] of Object.entries(on)) video.removeEventListener(type, listener);
  };
}
