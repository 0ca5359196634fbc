import { type ReadonlySignal, signal } from "@preact/signals";
import type { Homography } from "../../player/homography.ts";
import type { Player } from "../../player/web/player.ts";
import { closeCamera, openCamera } from "./camera.ts";
import type { Engine } from "./engine.ts";
import { type Problem, ViewerError } from "./problems.ts";
import type { Size } from "./projection.ts";

/** The player processes a frame in milliseconds, or half a second on the slowest devices. After this long it has failed. */
const STALL_MILLISECONDS = 15_000;

export type Phase =
  | { readonly name: "camera" | "marker" | "searching" | "found" }
  | { readonly name: "failed"; readonly problem: Problem };

export interface Session {
  readonly phase: ReadonlySignal<Phase>;
  /** Size of the compiled target, pixels; null until the marker has been read. */
  readonly target: ReadonlySignal<Size | null>;
  /** Releases the camera and stops the player. */
  close(): void;
}

/**
 * Opens the camera in `view`, loads the player and tracks the target until `close`. The camera is off while
 * the page is hidden.
 *
 * @param onPose Called with the map from target pixels to camera pixels, and with null when the target is lost.
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
  let player: Player | null = null;
  let wakeLock: WakeLockSentinel | null = null;
  let lastFrame = 0;

  function fail(error: unknown): void {
    if (closed) return;
    const problem = error instanceof ViewerError ? error.problem : "player_stopped";
    if (!(error instanceof ViewerError)) console.error(error);
    close();
    phase.value = { name: "failed", problem };
  }

  /** Returns the stream that plays in `view`, or null if the page was hidden or left while the camera opened. */
  async function switchOn(): Promise<MediaStream | null> {
    const opened = await openCamera();
    if (closed || document.hidden || stream) {
      closeCamera(opened);
      return null;
    }
    stream = opened;
    for (const track of opened.getVideoTracks()) {
      track.addEventListener("ended", () => fail(new ViewerError("camera_stopped")));
    }
    view.srcObject = opened;
    await view.play().catch((cause) => {
      if (stream === opened) throw new ViewerError("camera_failed", { cause });
    });
    return stream === opened ? opened : null;
  }

  function switchOff(): void {
    player?.pause();
    if (stream) closeCamera(stream);
    stream = null;
    view.srcObject = null;
    wakeLock?.release().catch(() => undefined);
    wakeLock = null;
    onPose(null);
  }

  async function run(): Promise<void> {
    phase.value = { name: "camera" };
    // The camera and the player start side by side. The player's failure is reported once the camera is open.
    const loading = engine.player();
    loading.catch(() => undefined);
    const opened = await switchOn();
    // Hiding and showing the page starts another run. This run ends when it sees that run's stream.
    if (!opened) return;
    keepAwake();
    phase.value = { name: "marker" };
    const loaded = await loading;
    if (stream !== opened) return;
    if (player !== loaded) listen(loaded);
    player = loaded;
    target.value = loaded.targets[0];
    phase.value = { name: "searching" };
    lastFrame = performance.now();
    loaded.start(view);
  }

  function listen(to: Player): void {
    to.on("found", () => (phase.value = { name: "found" }));
    to.on("lost", () => {
      onPose(null);
      if (phase.value.name === "found") phase.value = { name: "searching" };
    });
    to.on("pose", ({ homography }) => onPose(homography));
    to.on("frame", () => (lastFrame = performance.now()));
    to.on("error", fail);
  }

  async function keepAwake(): Promise<void> {
    const lock = await navigator.wakeLock?.request("screen").catch(() => null);
    if (stream) wakeLock = lock ?? null;
    else lock?.release();
  }

  function followVisibility(): void {
    if (document.hidden) switchOff();
    else if (!stream) run().catch(fail);
  }

  const watchdog = setInterval(() => {
    const watching = phase.value.name === "searching" || phase.value.name === "found";
    if (!watching || document.hidden || !stream) lastFrame = performance.now();
    else if (performance.now() - lastFrame > STALL_MILLISECONDS) fail(new ViewerError("player_stopped"));
  }, 1000);

  function close(): void {
    closed = true;
    engine.close();
    clearInterval(watchdog);
    document.removeEventListener("visibilitychange", followVisibility);
    removeEventListener("pagehide", switchOff);
    removeEventListener("pageshow", followVisibility);
    switchOff();
  }

  document.addEventListener("visibilitychange", followVisibility);
  addEventListener("pagehide", switchOff);
  addEventListener("pageshow", followVisibility);
  run().catch(fail);
  return { phase, target, close };
}
