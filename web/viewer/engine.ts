import { type ReadonlySignal, signal } from "@preact/signals";
import { compactLength, isCompact } from "../../compiler/compact.ts";
import { InvalidMarkerError } from "../../compiler/invalid-marker.ts";
import type { Player } from "../../player/web/player.ts";
import { ViewerError } from "./problems.ts";

/** Loads the player of one marker, before or while the camera opens. */
export interface Engine {
  /** Fraction of the marker that has been downloaded, 0 … 1. */
  readonly progress: ReadonlySignal<number>;
  /**
   * Returns the player, which is ready to find the photo. The first call starts the download.
   *
   * @throws {ViewerError} `offline`, `limited`, `bad_marker` or `player_failed`; the next call tries again.
   */
  player(): Promise<Player>;
  /** Ends the player, if it was started. A later call of `player` starts another. */
  close(): void;
}

/** @param isTraced whether the player emits what it sees, for the debug view */
export function createEngine(markerUrl: string, isTraced: boolean): Engine {
  const progress = signal(0);
  let player: Promise<Player> | undefined;

  function close(): void {
    player?.then((started) => started.close()).catch(() => undefined);
    player = undefined;
  }

  return {
    progress,
    player() {
      const started = (player ??= load(markerUrl, isTraced, (fraction) => (progress.value = fraction)));
      started.catch(() => {
        if (player === started) player = undefined;
      });
      return started;
    },
    close,
  };
}

async function load(url: string, isTraced: boolean, onProgress: (fraction: number) => void): Promise<Player> {
  // Loaded here, so that the start page does not wait for it. Its failure is reported after the marker's.
  const script = import("../../player/web/player.ts");
  script.catch(() => undefined);
  const marker = await downloadMarker(url, onProgress).catch((cause) => {
    throw cause instanceof ViewerError ? cause : new ViewerError("offline", { cause });
  });
  try {
    return await (await script).createPlayer({ marker, isTraced });
  } catch (cause) {
    throw new ViewerError(cause instanceof InvalidMarkerError ? "bad_marker" : "player_failed", { cause });
  }
}

/** Downloads the compact form of a marker. */
async function downloadMarker(url: string, onProgress: (fraction: number) => void): Promise<ArrayBuffer> {
  onProgress(0);
  const address = new URL(url, location.href);
  address.searchParams.set("form", "compact");
  const response = await fetch(address);
  if (response.status === 429) throw new ViewerError("limited");
  if (!response.ok || !response.body) throw new Error(`${url} returned ${response.status}`);
  // The length of a compressed response says nothing about the bytes that arrive here; the marker's head does.
  let expected = Number.POSITIVE_INFINITY;
  let received = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        if (received === 0 && isCompact(chunk)) expected = compactLength(chunk);
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
