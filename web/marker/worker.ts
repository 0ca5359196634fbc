// The marker reader: decodes a `.mind` file off the page's thread.
import { decodeMind } from "../../compiler/mind.ts";
import { placeKeyframes } from "./place.ts";
import type { PlacedPoints, ReadReply, ReadRequest } from "./protocol.ts";

const post = (reply: ReadReply, transfer: Transferable[] = []) => self.postMessage(reply, transfer);

const buffers = ({ x, y, size, angle }: PlacedPoints) => [x, y, size, angle].map(({ buffer }) => buffer);

self.onmessage = async ({ data }: MessageEvent<ReadRequest>) => {
  try {
    const response = await fetch(data.url);
    if (!response.ok) throw new Error(`The marker could not be read: status ${response.status}.`);
    const [target] = decodeMind(new Uint8Array(await response.arrayBuffer()));
    const keyframes = placeKeyframes(target);
    const transfer = keyframes.flatMap(({ maxima, minima }) => [...buffers(maxima), ...buffers(minima)]);
    post({ kind: "read", keyframes }, transfer);
  } catch (error) {
    post({ kind: "unreadable", message: error instanceof Error ? error.message : String(error) });
  }
};
