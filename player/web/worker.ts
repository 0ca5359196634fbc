// A player's worker: finds or follows targets off the page's thread.

import { decodeCompact, isCompact } from "../../compiler/compact.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import { decodeMind, InvalidMarkerError } from "../../compiler/mind.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { Tracker } from "../tracker.ts";
import type { Frame, PlayerReply, PlayerRequest } from "./protocol.ts";

const KERNELS = new URL("../../compiler/wasm/kernels.wasm", import.meta.url);

let tracker: Tracker;

async function load({ role, marker, frame }: Extract<PlayerRequest, { kind: "load" }>): Promise<PlayerReply> {
  // Browsers without WebAssembly SIMD use the TypeScript kernels: slower, but with the same result.
  loadKernels(await WebAssembly.compileStreaming(fetch(KERNELS)).catch(() => null));
  const bytes = new Uint8Array(marker);
  const targets = isCompact(bytes) ? decodeCompact(bytes) : decodeMind(bytes);
  tracker = new Tracker(targets);
  if (role === "follow") tracker.prepareToFollow(frame);
  else {
    tracker.prepareToFind(frame);
    improve();
  }
  return { kind: "loaded", targets: targets.map(({ width, height }) => ({ width, height })) };
}

/** Adds views of the targets while no request waits. */
function improve(): void {
  setTimeout(() => {
    if (tracker.improveFinder()) improve();
  });
}

function image({ buffer, width, height }: Frame): GreyImage {
  return { data: new Uint8Array(buffer, 0, width * height), width, height };
}

/** Handles a request; returns the reply, if it has one. */
function handle(request: Exclude<PlayerRequest, { kind: "load" }>): PlayerReply | undefined {
  switch (request.kind) {
    case "find": {
      const { frame, time, targets } = request;
      return { kind: "found", frame, time, found: tracker.find(image(frame), targets) };
    }
    case "follow": {
      const { frame, time } = request;
      return { kind: "followed", frame, targets: tracker.follow(image(frame), time) };
    }
    case "start":
      tracker.start(request.found, request.size, request.time);
      return undefined;
    case "reset":
      tracker.reset();
      return undefined;
  }
}

function refusal(error: unknown): PlayerReply {
  if (error instanceof InvalidMarkerError) {
    return { kind: "refused", fault: error.fault, message: error.message };
  }
  return { kind: "crashed", message: error instanceof Error ? error.message : String(error) };
}

self.onmessage = async ({ data }: MessageEvent<PlayerRequest>) => {
  try {
    const reply = data.kind === "load" ? await load(data) : handle(data);
    if (reply) self.postMessage(reply, "frame" in reply ? [reply.frame.buffer] : []);
  } catch (error) {
    self.postMessage(refusal(error));
  }
};
