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
  const released = new AbortController();
  const { signal } = released;
  let hasBegun = false;
  // A video whose duration was unknown when the part was chosen may be shorter.
  const first = () => (start < video.duration ? start : 0);
  const restart = () => {
    video.currentTime = first();
    if (isRepeated) video.play().catch(() => undefined);
    else video.pause();
  };
  const check = () => {
    if (end !== null && video.currentTime >= end && !video.paused) restart();
  };
  // More precise than `timeupdate`, which comes four times a second.
  const follow = () => {
    if (signal.aborted) return;
    check();
    video.requestVideoFrameCallback?.(follow);
  };
  const play = () => {
    // Until now, it may show another frame.
    if (!hasBegun || video.currentTime < first()) video.currentTime = first();
    hasBegun = true;
  };
  video.addEventListener("play", play, { signal });
  video.addEventListener("timeupdate", check, { signal });
  video.addEventListener("ended", restart, { signal });
  if (end !== null) follow();
  return () => released.abort();
}
