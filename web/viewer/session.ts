import { type ReadonlySignal, signal } from "@preact/signals";
import { closeCamera, openCamera } from "./camera.ts";
import type { Engine } from "./engine.ts";
import type { Homography, Size } from "./projection.ts";
import { type Refusal, Refused } from "./refusals.ts";
import type { Tracker } from "./tracker.ts";

/** A round of the player takes milliseconds, on the slowest machines a second; after this long it is broken. */
const STALL_MILLISECONDS = 15_000;

export type Phase =
  | { readonly name: "camera" | "marker" | "warm-up" | "searching" | "found" }
  | { readonly name: "refused"; readonly refusal: Refusal };

export interface Session {
  readonly phase: ReadonlySignal<Phase>;
  /** Size of the compiled target; null until the marker is read. */
  readonly target: ReadonlySignal<Size | null>;
  /** Releases the camera and stops the player. */
  close(): void;
}

/**
 * Runs the camera side of the viewer: opens the camera into `view`, has the engine made, then follows the
 * target until `close`. While the page is hidden the camera is off; it comes back with the page.
 *
 * @param onPose Called with the target's place in the camera's frame, and with null when it is lost.
 */
export function openSession(
  view: HTMLVideoElement,
  engine: Engine,
  onPose: (pose: Homography | null) => void,
): Session {
  const phase = signal<Phase>({ name: "camera" });
  const target = signal<Size | null>(null);
  let closed = false;
  let stream: MediaStream | null = null;
  let tracker: Tracker | null = null;
  let wakeLock: WakeLockSentinel | null = null;
  let lastRound = 0;

  function refuse(error: unknown): void {
    if (closed) return;
    const refusal = error instanceof Refused ? error.refusal : "player_stopped";
    if (!(error instanceof Refused)) console.error(error);
    close();
    phase.value = { name: "refused", refusal };
  }

  /** Answers the stream that now plays in `view`, or null if the page was hidden or left meanwhile. */
  async function switchOn(): Promise<MediaStream | null> {
    const opened = await openCamera();
    if (closed || document.hidden || stream) {
      closeCamera(opened);
      return null;
    }
    stream = opened;
    for (const track of opened.getVideoTracks()) {
      track.addEventListener("ended", () => refuse(new Refused("camera_stopped")));
    }
    view.srcObject = opened;
    await view.play().catch((cause) => {
      if (stream === opened) throw new Refused("camera_failed", { cause });
    });
    return stream === opened ? opened : null;
  }

  function switchOff(): void {
    tracker?.pause();
    if (stream) closeCamera(stream);
    stream = null;
    view.srcObject = null;
    wakeLock?.release().catch(() => undefined);
    wakeLock = null;
    onPose(null);
  }

  async function run(): Promise<void> {
    phase.value = { name: "camera" };
    const opened = await switchOn();
    // A page that was hidden and came back has a run of its own; this one ends where it sees another stream.
    if (!opened) return;
    keepAwake();
    phase.value = { name: "marker" };
    await engine.downloaded();
    if (stream !== opened) return;
    phase.value = { name: "warm-up" };
    await painted();
    if (stream !== opened) return;
    tracker = await engine.tracker({ width: view.videoWidth, height: view.videoHeight });
    if (stream !== opened) return;
    target.value = tracker.target;
    phase.value = { name: "searching" };
    lastRound = performance.now();
    tracker.follow(view, {
      onPose(pose) {
        const name = pose ? "found" : "searching";
        if (phase.value.name !== name) phase.value = { name };
        onPose(pose);
      },
      onFrame() {
        lastRound = performance.now();
      },
      onError: refuse,
    });
  }

  async function keepAwake(): Promise<void> {
    const lock = await navigator.wakeLock?.request("screen").catch(() => null);
    if (stream) wakeLock = lock ?? null;
    else lock?.release();
  }

  function followPage(): void {
    if (document.hidden) switchOff();
    else if (!stream) run().catch(refuse);
  }

  const watchdog = setInterval(() => {
    const watching = phase.value.name === "searching" || phase.value.name === "found";
    if (!watching || document.hidden || !stream) lastRound = performance.now();
    else if (performance.now() - lastRound > STALL_MILLISECONDS) refuse(new Refused("player_stopped"));
  }, 1000);

  function close(): void {
    closed = true;
    clearInterval(watchdog);
    document.removeEventListener("visibilitychange", followPage);
    removeEventListener("pagehide", switchOff);
    removeEventListener("pageshow", followPage);
    switchOff();
  }

  document.addEventListener("visibilitychange", followPage);
  addEventListener("pagehide", switchOff);
  addEventListener("pageshow", followPage);
  run().catch(refuse);
  return { phase, target, close };
}

/** Resolves once the browser has had the chance to show what was rendered before. */
function painted(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
