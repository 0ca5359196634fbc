import { CompileError, type CompileOptions, type CompileProgress } from "../../compiler/types.ts";
import type { CompiledPhoto, CompileReply, CompileRequest } from "./protocol.ts";

/** The executor broke; the photo itself was not refused, so another executor may compile it. */
export class CompileCrash extends Error {
  override readonly name = "CompileCrash";
}

/** The part of a Worker that one compilation needs. */
export type CompileWorker = Pick<
  Worker,
  "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror"
>;

const startWorker = (): CompileWorker =>
  new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "compile" });

/**
 * Decodes and compiles one photo in a Web Worker of its own, which ends with the job: its memory (a 12 MP
 * photo decodes to 48 MB) goes back at once. An abort terminates it: the kernels are synchronous and see
 * no signal.
 *
 * Rejects with CompileError when the photo is refused, CompileCrash when the worker breaks, and the
 * signal's reason when aborted.
 */
export function compileInWorker(
  photo: Blob,
  options: CompileOptions,
  onProgress: (progress: CompileProgress) => void,
  signal: AbortSignal,
  start: () => CompileWorker = startWorker,
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
    worker.onmessageerror = () => crash("The compile worker sent a message that could not be read.");
    worker.postMessage({ kind: "compile", photo, options } satisfies CompileRequest);
  });
}
