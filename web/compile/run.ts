import { CompileError, type CompileOptions, type CompileProgress } from "../../compiler/types.ts";
import type { CompiledPhoto, CompileReply, CompileRequest } from "./protocol.ts";

/** The worker failed. The photo was not refused: another executor may compile it. */
export class CompileCrash extends Error {
  override readonly name = "CompileCrash";
}

/** The part of a Worker that one compilation needs. */
type CompileWorker = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror">;

const startWorker = (): CompileWorker =>
  new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "compile" });

export interface CompileRun {
  readonly onProgress: (progress: CompileProgress) => void;
  readonly signal: AbortSignal;
  /** Starts the worker; replaced by tests. */
  readonly start?: () => CompileWorker;
}

/**
 * Decodes and compiles one photo in its own Web Worker. The worker ends with the job, to release its memory at once: a
 * 12 MP photo decodes to 48 MB. An abort terminates the worker, since the synchronous kernels cannot see a signal.
 *
 * @throws CompileError if the photo is refused; CompileCrash if the worker fails; the reason of the signal
 */
export function compileInWorker(
  photo: Blob,
  options: CompileOptions,
  { onProgress, signal, start = startWorker }: CompileRun,
): Promise<CompiledPhoto> {
  return new Promise<CompiledPhoto>((resolve, reject) => {
    signal.throwIfAborted();
    const worker = start();
    const finish = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      worker.terminate();
      settle();
    };
    const crash = (message: string) => finish(() => reject(new CompileCrash(message)));
    const abort = () => finish(() => reject(signal.reason));
    signal.addEventListener("abort", abort);

    worker.onmessage = ({ data: reply }: MessageEvent<CompileReply>) => {
      switch (reply.kind) {
        case "progress":
          return onProgress(reply.progress);
        case "done":
          return finish(() => resolve(reply.photo));
        case "refused":
          return finish(() => reject(new CompileError(reply.code, reply.message)));
        case "crashed":
          return crash(reply.message);
      }
    };
    worker.onerror = (event) => crash(event.message || "The compile worker could not start.");
    worker.onmessageerror = () => crash("The compile worker sent an unreadable message.");
    worker.postMessage({ kind: "compile", photo, options } satisfies CompileRequest);
  });
}
