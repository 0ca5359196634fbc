// A page that shows the same pictures of a camera to MindAR's Controller and to ours, one after the other.

import { Controller as Stock } from "mind-ar/src/image-target/controller.js";
import { type ControllerUpdate, Controller as Ours } from "../../../player/web/controller.ts";

/** What a controller said of one picture. */
interface Seen {
  /** RGBA of the rows that hold the picture's number. */
  readonly code: number[];
  readonly stock: number[] | null;
  readonly ours: number[] | null;
}

export interface Seeing {
  readonly projections: { readonly stock: number[]; readonly ours: number[] };
  readonly dimensions: { readonly stock: [number, number][]; readonly ours: [number, number][] };
  readonly seen: Seen[];
}

/** Times that a controller processes a picture, so that MindAR's filter comes to rest. */
const ROUNDS = 20;

async function see(pictures: number, code: { width: number; height: number }): Promise<Seeing> {
  const video = document.createElement("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  await video.play();
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const size = { inputWidth: canvas.width, inputHeight: canvas.height };

  const run = async (Controller: typeof Ours) => {
    let matrix: number[] | null = null;
    let processed = 0;
    const onUpdate = (update: ControllerUpdate) => {
      if (update.type === "updateMatrix") matrix = update.worldMatrix;
      else processed++;
    };
    const controller = new Controller({ ...size, onUpdate });
    const { dimensions } = await controller.addImageTargets("/marker.mind");
    await controller.dummyRun(canvas);
    return {
      dimensions,
      projection: controller.getProjectionMatrix(),
      async look() {
        controller.processVideo(canvas);
        for (const end = processed + ROUNDS; processed < end; ) await new Promise(requestAnimationFrame);
        const last = matrix;
        controller.stopProcessVideo();
        // MindAR's loop ends after its current frame.
        await new Promise((resolve) => setTimeout(resolve, 1000));
        return last;
      },
    };
  };
  context.drawImage(video, 0, 0);
  const stock = await run(Stock);
  const ours = await run(Ours);
  const seen: Seen[] = [];
  for (let i = 0; i < pictures; i++) {
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, code.width, code.height);
    seen.push({ code: Array.from(data), stock: await stock.look(), ours: await ours.look() });
  }
  return {
    projections: { stock: stock.projection, ours: ours.projection },
    dimensions: { stock: stock.dimensions, ours: ours.dimensions },
    seen,
  };
}

Object.assign(globalThis, { see });
