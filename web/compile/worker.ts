// The compile worker: decodes one photo and compiles its marker, off the page's thread.
import { COMPILER_VERSION } from "../../compiler/compile.ts";
import { compilePhoto } from "../../compiler/photo.ts";
import { CompileError, type CompileProgress } from "../../compiler/types.ts";
import { loadCompiler } from "./load.ts";
import type { CompileReply, CompileRequest } from "./protocol.ts";

const PROGRESS_INTERVAL_MS = 50;

const post = (reply: CompileReply, transfer: Transferable[] = []) => self.postMessage(reply, transfer);

async function compile({ photo, options }: CompileRequest): Promise<void> {
  const [bytes] = await Promise.all([photo.arrayBuffer(), loadCompiler()]);
  const compiled = await compilePhoto(new Uint8Array(bytes), options, throttled(reportProgress));
  const done = {
    marker: owned(compiled.marker),
    thumbnail: owned(compiled.thumbnail),
    picture: owned(compiled.picture),
    milliseconds: compiled.milliseconds,
    compilerVersion: COMPILER_VERSION,
  };
  post({ kind: "done", photo: done }, [done.marker.buffer, done.thumbnail.buffer, done.picture.buffer]);
}

function reportProgress(progress: CompileProgress): void {
  post({ kind: "progress", progress });
}

/** Passes on every new stage, otherwise one report per interval. */
function throttled(report: (progress: CompileProgress) => void): (progress: CompileProgress) => void {
  let stage = "";
  let reportedAt = 0;
  return (progress) => {
    const now = performance.now();
    if (progress.stage === stage && now - reportedAt < PROGRESS_INTERVAL_MS) return;
    stage = progress.stage;
    reportedAt = now;
    report(progress);
  };
}

/** Returns the bytes in their own buffer: a view into WASM memory cannot be transferred. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}

self.onmessage = async ({ data }: MessageEvent<CompileRequest>) => {
  try {
    await compile(data);
  } catch (error) {
    if (error instanceof CompileError) post({ kind: "refused", code: error.code, message: error.message });
    else post({ kind: "crashed", message: error instanceof Error ? error.message : String(error) });
  }
};
