import type { VideoPlan } from "./plan.ts";
import { ConversionFailed, type VideoProblem } from "./problem.ts";
import type { Unreadable, VideoReply, VideoRequest } from "./protocol.ts";

/** Inspects and converts videos in a Web Worker, which is loaded on first use. */

/** The part of a Worker that a conversion needs. */
type VideoWorker = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror">;

/** The file is not a video, or not one that this browser can read. */
export class UnreadableVideo extends Error {
  override readonly name = "UnreadableVideo";
  readonly reason: Unreadable;

  constructor(reason: Unreadable) {
    super(`The video is unreadable: ${reason}.`);
    this.reason = reason;
  }
}

export interface ConversionOptions {
  readonly signal: AbortSignal;
  readonly start?: () => VideoWorker;
}

const startWorker = (): VideoWorker =>
  new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "video" });

/**
 * Decides what has to be done with a video before it is sent.
 *
 * @throws UnreadableVideo; ConversionFailed; the reason of the signal
 */
export async function inspectVideo(file: Blob, options: ConversionOptions): Promise<VideoPlan> {
  const { plan } = await ask({ kind: "inspect", file }, "inspected", options);
  return plan;
}

/**
 * Returns a video as H.264 with AAC in an MP4. Aborting the signal ends it at once.
 *
 * @param onProgress receives 0 to 1
 * @throws UnreadableVideo; ConversionFailed; the reason of the signal
 */
export async function convertVideo(
  file: File,
  {
    keepsSound,
    onProgress,
    ...options
  }: ConversionOptions & {
    readonly keepsSound: boolean;
    readonly onProgress: (fraction: number) => void;
  },
): Promise<File> {
  const request = { kind: "convert", file, keepsSound } as const;
  const { bytes } = await ask(request, "converted", { ...options, onProgress });
  return new File([bytes], `${file.name.replace(/\.[^.]*$/, "")}.mp4`, { type: "video/mp4" });
}

function ask<Kind extends "inspected" | "converted">(
  request: VideoRequest,
  kind: Kind,
  {
    signal,
    start = startWorker,
    onProgress,
  }: ConversionOptions & { readonly onProgress?: (fraction: number) => void },
): Promise<Extract<VideoReply, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = start();
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      worker.terminate();
      settle();
    };
    const abort = () => end(() => reject(signal.reason));
    const fail = (problem: VideoProblem) => end(() => reject(new ConversionFailed(problem)));
    signal.addEventListener("abort", abort);
    worker.onmessage = ({ data: reply }: MessageEvent<VideoReply>) => {
      if (reply.kind === "progress") onProgress?.(reply.fraction);
      else if (reply.kind === "unreadable") end(() => reject(new UnreadableVideo(reply.reason)));
      else if (reply.kind === "failed") fail(reply.problem);
      else if (reply.kind === kind) end(() => resolve(reply as Extract<VideoReply, { kind: Kind }>));
    };
    worker.onerror = ({ message }) => fail(message ? { kind: "other", message } : { kind: "worker_start" });
    worker.onmessageerror = () => fail({ kind: "worker_reply" });
    worker.postMessage(request);
  });
}
