import { type ReadonlySignal, signal } from "@preact/signals";
import { ViewerError } from "./problems.ts";
import type { Size } from "./projection.ts";
import type { Tracker } from "./tracker.ts";

/** Loads the player for one marker. Its code and the marker can be downloaded before the camera is open. */
export interface Engine {
  /** Fraction of the marker that has been downloaded, 0 … 1. */
  readonly progress: ReadonlySignal<number>;
  /**
   * Starts the downloads on the first call; resolves when they are complete.
   *
   * @throws {ViewerError} `offline` or `limited`; the next call starts again.
   */
  downloaded(): Promise<void>;
  /**
   * Returns the tracker, which the first call creates.
   *
   * @param frame Size of the camera's frames, pixels.
   * @throws {ViewerError} `offline`, `limited`, `no_webgl` or `bad_marker`; the next call tries again.
   */
  tracker(frame: Size): Promise<Tracker>;
}

export function createEngine(markerUrl: string): Engine {
  const progress = signal(0);
  let downloads: Promise<[ArrayBuffer, typeof import("./tracker.ts")]> | undefined;
  let tracker: Promise<Tracker> | undefined;

  function download() {
    if (downloads) return downloads;
    const started = Promise.all([
      downloadMarker(markerUrl, (fraction) => (progress.value = fraction)),
      import("./tracker.ts"),
    ]).catch((cause) => {
      downloads = undefined;
      throw cause instanceof ViewerError ? cause : new ViewerError("offline", { cause });
    });
    return (downloads = started);
  }

  return {
    progress,
    async downloaded() {
      await download();
    },
    tracker(frame) {
      tracker ??= download()
        .then(([marker, { createTracker }]) => createTracker(marker, frame))
        .catch((error) => {
          tracker = undefined;
          throw error;
        });
      return tracker;
    },
  };
}

async function downloadMarker(url: string, onProgress: (fraction: number) => void): Promise<ArrayBuffer> {
  onProgress(0);
  const response = await fetch(url);
  if (response.status === 429) throw new ViewerError("limited");
  if (!response.ok || !response.body) throw new Error(`${url} returned ${response.status}`);
  const expected = Number(response.headers.get("Content-Length")) || Number.POSITIVE_INFINITY;
  let received = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        received += chunk.byteLength;
        onProgress(Math.min(1, received / expected));
        controller.enqueue(chunk);
      },
    }),
  );
  const marker = await new Response(counted).arrayBuffer();
  onProgress(1);
  return marker;
}
