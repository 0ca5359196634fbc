import { ready } from "@tensorflow/tfjs";
import { Controller } from "mind-ar/src/image-target/controller.js";
import { compose, fitFrame, type Homography, invertAffine, projectTarget, type Size } from "./projection.ts";
import { Refused } from "./refusals.ts";

/** Shorter side of the player's input, pixels: enough for its 256 px search window, cheap for a phone. */
const INPUT_SHORTER_SIDE = 480;

export interface TrackerListener {
  /** The target's place, from target pixels to pixels of the camera's frame; null when it was lost. */
  onPose(pose: Homography | null): void;
  /** A frame was searched, whatever was found. */
  onFrame(): void;
  /** The player broke; no further call follows. */
  onError(error: unknown): void;
}

export interface Tracker {
  /** Size of the compiled target, pixels. */
  readonly target: Size;
  /** Searches the frames of a playing camera until `pause`. */
  follow(camera: HTMLVideoElement, listener: TrackerListener): void;
  pause(): void;
}

/**
 * Sets up MindAR's player for one marker and compiles its GPU programs, which blocks the page for a moment.
 *
 * @param frame Size of the camera's frames now; later frames may be turned or of another size.
 * @throws {Refused} `no_webgl` or `bad_marker`.
 */
export async function createTracker(marker: ArrayBuffer, frame: Size): Promise<Tracker> {
  const scale = Math.min(1, INPUT_SHORTER_SIDE / Math.min(frame.width, frame.height));
  const input = document.createElement("canvas");
  input.width = Math.round(frame.width * scale);
  input.height = Math.round(frame.height * scale);
  const context = input.getContext("2d", { alpha: false })!;

  let controller: Controller;
  try {
    await ready();
    controller = new Controller({
      inputWidth: input.width,
      inputHeight: input.height,
      onUpdate(update) {
        if (update.type === "processDone") finishRound();
        else reportPose(update.worldMatrix);
      },
    });
  } catch (cause) {
    throw new Refused("no_webgl", { cause });
  }

  let target: Size;
  try {
    const [[width, height]] = controller.addImageTargetsFromBuffer(marker).dimensions;
    target = { width, height };
  } catch (cause) {
    controller.worker.terminate();
    throw new Refused("bad_marker", { cause });
  }

  try {
    controller.dummyRun(input);
  } catch (cause) {
    controller.worker.terminate();
    throw new Refused("no_webgl", { cause });
  }

  const focal = controller.projectionTransform[0][0];
  let following: { camera: HTMLVideoElement; listener: TrackerListener } | null = null;
  let looping = false;
  let inputToFrame: Homography;

  /** The player reads a canvas, not the camera: frames may turn or shrink while its own input may not. */
  function drawFrame(camera: HTMLVideoElement): void {
    if (camera.videoWidth === 0) return;
    const size = { width: camera.videoWidth, height: camera.videoHeight };
    const map = fitFrame(size, input);
    inputToFrame = invertAffine(map);
    context.setTransform(map[0], map[3], map[1], map[4], map[2], map[5]);
    context.drawImage(camera, 0, 0, size.width, size.height);
  }

  function reportPose(world: number[] | null): void {
    following?.listener.onPose(
      world === null ? null : compose(inputToFrame, projectTarget(world, target.height, focal, input)),
    );
  }

  function finishRound(): void {
    following?.listener.onFrame();
    // This callback runs before the player asks for its next animation frame, so ours comes first: the
    // player finds the newest picture, or learns there that nobody follows any more.
    requestAnimationFrame(() => {
      if (following) return drawFrame(following.camera);
      controller.stopProcessVideo();
      // The player has left its loop once this frame's callbacks are done.
      requestAnimationFrame(() => {
        looping = false;
        if (following) startLoop();
      });
    });
  }

  function startLoop(): void {
    looping = true;
    drawFrame(following!.camera);
    controller.processVideo(input);
  }

  controller.worker.addEventListener("error", (event) =>
    following?.listener.onError(event.error ?? event.message),
  );

  return {
    target,
    follow(camera, listener) {
      following = { camera, listener };
      if (!looping) startLoop();
    },
    pause() {
      following = null;
    },
  };
}
