import { Worker } from "node:worker_threads";
import type { CompileErrorCode, CompileProgress } from "../compiler/types.ts";
import type { Job, JobKind, JobMessage, JobResults } from "./protocol.ts";

/**
 * A thread keeps the memory of its largest photo for good, so one that decoded more than this is not kept.
 * Phone photos of 12 megapixels stay below.
 */
const MAX_KEPT_PIXELS = 16_000_000;

/** Refusals by what a file says of itself, before anything of it is decoded. */
const UNREAD: ReadonlySet<CompileErrorCode> = new Set([
  "empty_file",
  "not_an_image",
  "unsupported_format",
  "image_too_many_bytes",
  "image_too_many_pixels",
  "image_too_small",
]);

/** How a job ended. Only `done` and `refused` are about the photo. */
export type Outcome<Kind extends JobKind = "compile"> =
  | { readonly kind: "done"; readonly photo: JobResults[Kind] }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string }
  | { readonly kind: "crashed"; readonly message: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/** Limits and listeners of one job. */
export interface JobControl {
  readonly milliseconds: number;
  /** Aborting terminates the thread: its kernels are synchronous and see no signal. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CompileProgress) => void;
}

/**
 * Compile threads, started when needed and kept warm: compiled code makes the second job of a thread about
 * three times as fast as its first. A job that ended in the middle of something ends its thread too, so that no
 * job meets what another one left behind. The caller bounds how many jobs run at once.
 */
export class Threads {
  readonly #entry: URL;
  readonly #workerData: unknown;
  readonly #idle: Worker[] = [];

  /**
   * @param entry module that speaks the protocol of node/protocol.ts
   * @param workerData what it finds as its worker data
   */
  constructor(entry: URL, workerData: unknown) {
    this.#entry = entry;
    this.#workerData = workerData;
  }

  /** Runs one job. Never rejects. */
  run<Kind extends JobKind>(
    job: Job<Kind>,
    { milliseconds, signal, onProgress }: JobControl,
  ): Promise<Outcome<Kind>> {
    if (signal.aborted) return Promise.resolve({ kind: "cancelled" });
    const thread = this.#idle.pop() ?? this.#start();
    return new Promise((resolve) => {
      const end = (outcome: Outcome<Kind>) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", cancel);
        thread.off("message", hear).off("error", crash).off("messageerror", crash).off("exit", exit);
        if (isClean(outcome)) this.#idle.push(thread);
        else void thread.terminate();
        resolve(outcome);
      };
      const hear = (message: JobMessage<Kind>) => {
        if (message.kind === "progress") onProgress(message.progress);
        else end(message);
      };
      const crash = (error: Error) => end({ kind: "crashed", message: error.message });
      const exit = (code: number) =>
        end({ kind: "crashed", message: `The thread exited with code ${code}.` });
      const cancel = () => end({ kind: "cancelled" });
      const timer = setTimeout(() => end({ kind: "timeout" }), milliseconds);
      signal.addEventListener("abort", cancel);
      thread.on("message", hear).on("error", crash).on("messageerror", crash).on("exit", exit);
      thread.postMessage(job, [job.bytes.buffer]);
    });
  }

  /** Ends the idle threads. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }

  #start(): Worker {
    const thread = new Worker(this.#entry, { workerData: this.#workerData, execArgv: [] });
    // Between jobs no caller waits for an error; without a listener it would end the process.
    thread.on("error", () => {});
    thread.once("exit", () => {
      const index = this.#idle.indexOf(thread);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    return thread;
  }
}

/** Whether a job left its thread as it found it. */
function isClean(outcome: Outcome<JobKind>): boolean {
  if (outcome.kind === "refused") return UNREAD.has(outcome.code);
  return outcome.kind === "done" && outcome.photo.width * outcome.photo.height <= MAX_KEPT_PIXELS;
}
