import { type ReadonlySignal, signal } from "@preact/signals";
import type { Size } from "./projection.ts";
import { Refused } from "./refusals.ts";
import type { Tracker } from "./tracker.ts";

/** The player of one marker: its code and bytes can be fetched before there is a camera. */
export interface Engine {
  /** Bytes of the marker that have arrived, 0 … 1. */
  readonly progress: ReadonlySignal<number>;
  /**
   * Begins the downloads if they have not begun, and ends when all is here.
   *
   * @throws {Refused} `offline` or `limited`; the next call tries afresh.
   */
  downloaded(): Promise<void>;
  /**
   * The tracker, made on the first call and kept.
   *
   * @throws {Refused} `offline`, `limited`, `no_webgl` or `bad_marker`; the next call tries afresh.
   */
  tracker(frame: Size): Promise<Tracker>;
}

export function createEngine(markerUrl: string): Engine {
  const progress = signal(0);
  let downloads: Promise<[ArrayBuffer, typeof import("./tracker.ts")]> | undefined;
  let made: Promise<Tracker> | undefined;

  function download() {
    if (downloads) return downloads;
    const started = Promise.all([
      downloadMarker(markerUrl, (fraction) => (progress.value = fraction)),
      import("./tracker.ts"),
    ]).catch((cause) => {
      downloads = undefined;
      throw cause instanceof Refused ? cause : new Refused("offline", { cause });
    });
    return (downloads = started);
  }

  return {
    progress,
    async downloaded() {
      await download();
    },
    tracker(frame) {
      made ??= download()
        .then(([marker, { createTracker }]) => createTracker(marker, frame))
        .catch((error) => {
          made = undefined;
          throw error;
        });
      return made;
    },
  };
}

async function downloadMarker(url: string, onProgress: (fraction: number) => void): Promise<ArrayBuffer> {
  onProgress(0);
  const response = await fetch(url);
  if (response.status === 429) throw new Refused("limited");
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
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
