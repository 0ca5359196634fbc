import { ready } from "@tensorflow/tfjs";
import { Controller } from "mind-ar/src/image-target/controller.js";
import { ViewerError } from "./problems.ts";
import { compose, fitFrame, type Homography, invertAffine, projectTarget, type Size } from "./projection.ts";

/** Shorter side of the player's input, pixels: larger than its 256 px search window, small enough for a phone. */
const INPUT_SHORTER_SIDE = 480;

export interface TrackerListener {
  /** Receives the map from target pixels to camera pixels; null when the target is lost. */
  onPose(pose: Homography | null): void;
  /** Called after every processed frame. */
  onFrame(): void;
  /** Called when the player fails. No further calls follow. */
  onError(error: unknown): void;
}

export interface Tracker {
  /** Size of the compiled target, pixels. */
  readonly target: Size;
  /** Tracks the target in the frames of a playing camera until `pause`. */
  follow(camera: HTMLVideoElement, listener: TrackerListener): void;
  pause(): void;
}

/**
 * Sets up MindAR's player for one marker and compiles its GPU programs, which briefly blocks the page.
 *
 * @param frame Current size of the camera's frames, pixels. Later frames may be rotated or have another size.
 * @throws {ViewerError} `no_webgl` or `bad_marker`.
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
        if (update.type === "processDone") finishFrame();
        else reportPose(update.worldMatrix);
      },
    });
  } catch (cause) {
    throw new ViewerError("no_webgl", { cause });
  }

  let target: Size;
  try {
    const [[width, height]] = controller.addImageTargetsFromBuffer(marker).dimensions;
    target = { width, height };
  } catch (cause) {
    controller.worker.terminate();
    throw new ViewerError("bad_marker", { cause });
  }

  try {
    controller.dummyRun(input);
  } catch (cause) {
    controller.worker.terminate();
    throw new ViewerError("no_webgl", { cause });
  }

  const focal = controller.projectionTransform[0][0];
  let following: { camera: HTMLVideoElement; listener: TrackerListener } | null = null;
  let looping = false;
  let inputToFrame: Homography;

  /** Draws the camera into a canvas of fixed size: the camera may rotate, the player's input size may not change. */
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

  function finishFrame(): void {
    following?.listener.onFrame();
    // Requested before the player's own animation frame, so this callback runs first and either draws the
    // newest frame for the player or stops it.
    requestAnimationFrame(() => {
      if (following) return drawFrame(following.camera);
      controller.stopProcessVideo();
      // The player leaves its loop in this frame.
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
