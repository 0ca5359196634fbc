// A player's worker: finds or follows targets off the page's thread.

import { decodeCompact, isCompact } from "../../compiler/compact.ts";
import { InvalidMarkerError } from "../../compiler/invalid-marker.ts";
import { decodeMind } from "../../compiler/mind.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { loadPlayerKernels } from "../kernels.ts";
import { Tracker } from "../tracker.ts";
import { VideoFrameReader } from "./grey.ts";
import { type Frame, isVideoFrame, type Picture, type PlayerReply, type PlayerRequest } from "./protocol.ts";
import { createTracer } from "./trace.ts";

const KERNELS = new URL("../../compiler/wasm/player.wasm", import.meta.url);

const reader = new VideoFrameReader();
let tracker: Tracker;
let isTraced = false;

async function load(request: Extract<PlayerRequest, { kind: "load" }>): Promise<PlayerReply> {
  const { role, marker, frame } = request;
  isTraced = request.isTraced;
  // Browsers without WebAssembly SIMD use the TypeScript kernels: slower, but with the same result.
  loadPlayerKernels(await compileKernels().catch(() => null));
  const bytes = new Uint8Array(marker);
  const targets = isCompact(bytes) ? decodeCompact(bytes) : decodeMind(bytes);
  tracker = new Tracker(targets);
  if (role === "follow") {
    tracker.prepareToFollow(frame);
    tracker.warmUp(frame, role);
  } else {
    tracker.prepareToFind(frame);
    // The page waits for the finder, and then for the camera.
    setTimeout(() => {
      tracker.warmUp(frame, role);
      improve();
    });
  }
  return { kind: "loaded", targets: targets.map(({ width, height }) => ({ width, height })) };
}

async function compileKernels(): Promise<WebAssembly.Module> {
  const response = await fetch(KERNELS);
  // `compileStreaming` refuses the file of a server that does not know its type.
  return WebAssembly.compile(await response.arrayBuffer());
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

/** Returns the grey frame of a picture; null for a video frame that this browser cannot read. */
async function greyOf(picture: Picture): Promise<Frame | null> {
  if (!isVideoFrame(picture)) return picture;
  try {
    return await reader.read(picture);
  } catch {
    return null;
  } finally {
    picture.close();
  }
}

/** Handles a request; returns the reply, if it has one. */
async function handle(request: Exclude<PlayerRequest, { kind: "load" }>): Promise<PlayerReply | undefined> {
  switch (request.kind) {
    case "find":
    case "follow": {
      const { picture, time } = request;
      const tracer = isTraced ? createTracer() : null;
      const grey = await greyOf(picture);
      tracer?.end("read");
      if (!grey) return { kind: "unreadable", role: request.kind };
      const frame = { width: grey.width, height: grey.height };
      const buffer = isVideoFrame(picture) ? null : picture.buffer;
      if (request.kind === "find") {
        const found = tracker.find(image(grey), request.targets, request.seen, tracer?.observer);
        return { kind: "found", frame, buffer, time, found, trace: tracer?.trace() ?? null };
      }
      const targets = tracker.follow(image(grey), time, tracer?.observer);
      return { kind: "followed", frame, buffer, targets, trace: tracer?.trace() ?? null };
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

async function answer(request: PlayerRequest): Promise<void> {
  try {
    const reply = request.kind === "load" ? await load(request) : await handle(request);
    if (reply) self.postMessage(reply, "buffer" in reply && reply.buffer ? [reply.buffer] : []);
  } catch (error) {
    self.postMessage(refusal(error));
  }
}

/** Requests are handled one after the other: loading and reading a frame take a while. */
let last = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<PlayerRequest>) => {
  last = last.then(() => answer(data));
};
