// The marker worker: decodes a `.mind` file and draws its feature points, off the page's thread.
import { decodeMind } from "../../compiler/mind.ts";
import { drawPoints } from "./draw.ts";
import { type PlacedKeyframe, placeKeyframes } from "./place.ts";
import type { Drawing, MarkerReply, MarkerRequest } from "./protocol.ts";

let keyframes: readonly PlacedKeyframe[] = [];
let context: OffscreenCanvasRenderingContext2D | null = null;

async function read(url: string): Promise<MarkerReply> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`The marker could not be read: status ${response.status}.`);
    const [target] = decodeMind(new Uint8Array(await response.arrayBuffer()));
    keyframes = placeKeyframes(target);
  } catch (error) {
    return { kind: "unreadable", message: error instanceof Error ? error.message : String(error) };
  }
  return {
    kind: "read",
    keyframes: keyframes.map(({ width, height, maxima, minima }) => ({
      width,
      height,
      maxima: maxima.count,
      minima: minima.count,
    })),
  };
}

function draw({ keyframe, width, height, density, colours }: Drawing): void {
  if (!context) return;
  context.canvas.width = width;
  context.canvas.height = height;
  drawPoints(context, keyframes[keyframe], density, colours);
}

self.onmessage = async ({ data: request }: MessageEvent<MarkerRequest>) => {
  switch (request.kind) {
    case "read":
      return self.postMessage(await read(request.url));
    case "attach":
      context = request.canvas.getContext("2d");
      return;
    case "draw":
      return draw(request);
  }
};
