import { Worker } from "node:worker_threads";
import type { CompileErrorCode, CompileProgress } from "../compiler/types.ts";
import type { Job, JobKind, JobMessage, JobResults } from "./protocol.ts";

/**
 * Most pixels of a photo after which its thread is reused: a thread never releases the memory of its largest
 * photo. Phone photos of 12 megapixels are below.
 */
const MAX_KEPT_PIXELS = 16_000_000;

/** Codes of refusals that come from a file's headers, before it is decoded. */
const UNREAD: ReadonlySet<CompileErrorCode> = new Set([
  "empty_file",
  "not_an_image",
  "unsupported_format",
  "image_too_many_bytes",
  "image_too_many_pixels",
  "image_too_many_scans",
  "image_too_small",
]);

/** The end of a job. Only `done` and `refused` depend on the photo. */
export type Outcome<Kind extends JobKind = "compile"> =
  | { readonly kind: "done"; readonly photo: JobResults[Kind] }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string }
  | { readonly kind: "crashed"; readonly message: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "cancelled" };

/** The limits and listeners of one job. */
export interface JobControl {
  readonly milliseconds: number;
  /** Aborting terminates the thread, because its kernels are synchronous and cannot check the signal. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CompileProgress) => void;
}

/**
 * Compile threads, started on demand and kept warm: a thread's second job is about three times as fast as its
 * first, because its code is compiled. A job that ends early also ends its thread, so that it cannot affect
 * later jobs. The caller limits the number of jobs at a time.
 */
export class Threads {
  readonly #entry: URL;
  readonly #workerData: unknown;
  readonly #idle: Worker[] = [];

  /**
   * @param entry module that implements node/protocol.ts
   * @param workerData the worker data of each thread
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
    // Without a listener, an error between jobs would end the process.
    thread.on("error", () => {});
    thread.once("exit", () => {
      const index = this.#idle.indexOf(thread);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    return thread;
  }
}

/** Returns whether a job left its thread fit for reuse. */
function isClean(outcome: Outcome<JobKind>): boolean {
  if (outcome.kind === "refused") return UNREAD.has(outcome.code);
  return outcome.kind === "done" && outcome.photo.width * outcome.photo.height <= MAX_KEPT_PIXELS;
}
