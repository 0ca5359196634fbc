/** The code of a compile thread, which node/threads.ts starts with CompileModules as its worker data. */

import { parentPort, workerData } from "node:worker_threads";
import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { compileMarker, compilePhoto, previewPhoto, scorePhoto } from "../compiler/photo.ts";
import { CompileError, type CompileProgress } from "../compiler/types.ts";
import type { CompileModules, Job, JobMessage } from "./protocol.ts";

if (!parentPort) throw new Error("node/job.ts runs in a worker thread only.");
const port = parentPort;
const { codecs, kernels } = workerData as CompileModules;
loadCodecs(codecs);
loadKernels(kernels);

port.on("message", async ({ kind, bytes, options }: Job) => {
  try {
    switch (kind) {
      case "score":
        return post({ kind: "done", photo: await scorePhoto(bytes, options) });
      case "preview": {
        const photo = await previewPhoto(bytes);
        return post({ kind: "done", photo }, [buffer(photo.thumbnail), buffer(photo.picture)]);
      }
      case "marker": {
        const photo = await compileMarker(bytes, options, report);
        return post({ kind: "done", photo }, [buffer(photo.marker)]);
      }
      case "compile": {
        const photo = await compilePhoto(bytes, options, report);
        const { marker, thumbnail, picture } = photo;
        return post({ kind: "done", photo }, [marker, thumbnail, picture].map(buffer));
      }
    }
  } catch (error) {
    // Any other error is a bug: it ends the thread, and the owner reports a crash.
    if (!(error instanceof CompileError)) throw error;
    post({ kind: "refused", code: error.code, message: error.message });
  }
});

function report(progress: CompileProgress): void {
  post({ kind: "progress", progress });
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer as ArrayBuffer;
}

function post(message: JobMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
