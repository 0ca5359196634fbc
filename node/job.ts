/** The code of a compile thread, which node/threads.ts starts with CompileModules as its worker data. */

import { parentPort, workerData } from "node:worker_threads";
import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { compilePhoto, scorePhoto } from "../compiler/photo.ts";
import { CompileError, type CompileOptions } from "../compiler/types.ts";
import type { CompileModules, Job, JobMessage } from "./protocol.ts";

if (!parentPort) throw new Error("node/job.ts runs in a worker thread only.");
const port = parentPort;
const { codecs, kernels } = workerData as CompileModules;
await loadCodecs(codecs);
loadKernels(kernels);

port.on("message", async ({ kind, bytes, options }: Job) => {
  try {
    if (kind === "score") post({ kind: "done", photo: await scorePhoto(bytes, options) });
    else await compile(bytes, options);
  } catch (error) {
    // Any other error is a bug: it ends the thread, and the owner reports a crash.
    if (!(error instanceof CompileError)) throw error;
    post({ kind: "refused", code: error.code, message: error.message });
  }
});

async function compile(bytes: Uint8Array, options: CompileOptions): Promise<void> {
  const photo = await compilePhoto(bytes, options, (progress) => post({ kind: "progress", progress }));
  const buffers = [photo.marker, photo.thumbnail].map((part) => part.buffer as ArrayBuffer);
  post({ kind: "done", photo }, buffers);
}

function post(message: JobMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
