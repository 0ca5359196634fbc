// Takes the pictures of a playing <video> or a <canvas> as they come.
//
// Where the browser has a MediaStreamTrackProcessor, a camera's pictures are taken from its track and handed to the
// workers as they are: the page neither reads pixels nor waits for the graphics card. Other pictures are read on the
// page.

import { frameSize } from "./grey.ts";
import type { Picture } from "./protocol.ts";
import { createFrameReader, type FrameSource, sourceSize } from "./readers.ts";

/** A picture that is there to be taken. Each is taken or dropped. */
export interface Shot {
  /** Seconds. */
  readonly time: number;
  take(): Promise<Picture>;
  drop(): void;
}

export interface FrameStream {
  /** Resolves with the next picture, or with null when no more come. One call at a time. */
  next(): Promise<Shot | null>;
  close(): void;
}

/** What browsers have of https://www.w3.org/TR/mediacapture-transform/ on pages. */
interface TrackProcessor {
  readonly readable: ReadableStream<VideoFrame>;
}

type TrackProcessorClass = new (init: {
  readonly track: MediaStreamTrack;
  readonly maxBufferSize: number;
}) => TrackProcessor;

/** Returns the track of the camera that a video plays; a stream may be of another frame of the page. */
export function trackOf(source: FrameSource): MediaStreamTrack | undefined {
  const stream = "srcObject" in source ? source.srcObject : null;
  return stream && "getVideoTracks" in stream ? stream.getVideoTracks()[0] : undefined;
}

/** Returns the pictures of the track that a video plays; null where they cannot be taken. */
export function openTrack(source: FrameSource): FrameStream | null {
  const { MediaStreamTrackProcessor: Processor } = globalThis as {
    MediaStreamTrackProcessor?: TrackProcessorClass;
  };
  const track = trackOf(source);
  if (!Processor || track?.readyState !== "live") return null;
  const reader = new Processor({ track, maxBufferSize: 1 }).readable.getReader();
  const close = () => void reader.cancel().catch(() => undefined);
  return {
    async next() {
      const { value: picture } = await reader.read();
      if (!picture) return null;
      if (!isPlain(picture)) {
        picture.close();
        close();
        return null;
      }
      return {
        time: picture.timestamp / 1e6,
        take: async () => picture,
        drop: () => picture.close(),
      };
    },
    close,
  };
}

/** Returns whether the pixels of a picture are those that are shown: not turned, mirrored or stretched. */
function isPlain(picture: VideoFrame & { readonly rotation?: number; readonly flip?: boolean }): boolean {
  const { visibleRect, displayWidth, displayHeight, rotation = 0, flip = false } = picture;
  const isStretched = visibleRect?.width !== displayWidth || visibleRect.height !== displayHeight;
  return !isStretched && rotation === 0 && !flip;
}

/** Returns the pictures that a source shows, beginning with the current one. */
export function openSource(source: FrameSource, takeBuffer: (bytes: number) => ArrayBuffer): FrameStream {
  const reader = createFrameReader();
  let isFirst = true;

  /** Resolves when the source shows a new picture, with its time in seconds. */
  function shown(): Promise<number> {
    if (isFirst) {
      isFirst = false;
      // A page that is busy with its own start may draw its next frame late.
      return Promise.resolve("currentTime" in source ? source.currentTime : performance.now() / 1000);
    }
    return new Promise((resolve) => {
      if ("requestVideoFrameCallback" in source) {
        source.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime));
      } else requestAnimationFrame((milliseconds) => resolve(milliseconds / 1000));
    });
  }

  return {
    async next() {
      let time = await shown();
      while (sourceSize(source).width === 0) time = await shown();
      return {
        time,
        take() {
          const size = frameSize(sourceSize(source));
          return reader.read(source, size, takeBuffer(size.width * size.height));
        },
        drop() {},
      };
    },
    close: reader.close,
  };
}
