import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { checkImageBytes } from "../compiler/image/inspect.ts";
import type { CompiledMarker, CompiledPhoto, ScoredPhoto, ScoreOptions } from "../compiler/photo.ts";
import { CompileError, type CompileOptions, type CompileProgress } from "../compiler/types.ts";
import { readCompileModules } from "./codecs.ts";
import type { JobKind, JobResults } from "./protocol.ts";
import { type Outcome, Threads } from "./threads.ts";

/** The code of a thread: TypeScript in the repository, JavaScript in the package. */
const JOB = new URL(import.meta.url.endsWith(".ts") ? "./job.ts" : "./job.js", import.meta.url);

/** The longest delay of a timer. A caller that needs a limit aborts. */
const NO_LIMIT_MILLISECONDS = 2 ** 31 - 1;

export interface CompilePhotosOptions extends CompileOptions {
  /** Number of photos at a time, each in a thread of its own. Default: the number of cores. */
  readonly threads?: number;
  /** Aborting ends the threads and rejects the unfinished photos. */
  readonly signal?: AbortSignal;
  /** Receives what `compilePhoto` reports, with the photo's index in the list. */
  readonly onProgress?: (photo: number, progress: CompileProgress) => void;
}

export type ScorePhotosOptions = ScoreOptions & Pick<CompilePhotosOptions, "threads" | "signal">;

/**
 * Compiles several photos at a time in threads, each like `compilePhoto`. Loads the codecs.
 *
 * @param photos paths of files, which are read when their turn comes, or the bytes of files
 * @returns one result per photo, in order, like Promise.allSettled. A photo is rejected with a CompileError
 * when it can never become a marker, with Node's own error when its file cannot be read, with the signal's
 * reason when the signal was aborted, and with any other Error when its thread crashed
 */
export function compilePhotos(
  photos: readonly (string | Uint8Array)[],
  options: CompilePhotosOptions = {},
): Promise<PromiseSettledResult<CompiledPhoto>[]> {
  return runJobs("compile", photos, options);
}

/** Compiles several photos at a time in threads, without pictures, each like `compileMarker`. */
export function compileMarkers(
  photos: readonly (string | Uint8Array)[],
  options: CompilePhotosOptions = {},
): Promise<PromiseSettledResult<CompiledMarker>[]> {
  return runJobs("marker", photos, options);
}

/** Scores several photos at a time in threads, each like `scorePhoto`. Otherwise works like `compilePhotos`. */
export function scorePhotos(
  photos: readonly (string | Uint8Array)[],
  options: ScorePhotosOptions = {},
): Promise<PromiseSettledResult<ScoredPhoto>[]> {
  return runJobs("score", photos, options);
}

async function runJobs<Kind extends JobKind>(
  kind: Kind,
  photos: readonly (string | Uint8Array)[],
  {
    threads: limit = availableParallelism(),
    signal,
    onProgress = () => {},
    ...options
  }: CompilePhotosOptions & ScoreOptions,
): Promise<PromiseSettledResult<JobResults[Kind]>[]> {
  if (!(limit >= 1)) throw new CompileError("invalid_option", `Got threads = ${limit}; expected 1 or more.`);
  const threads = new Threads(JOB, await readCompileModules());
  const control = new AbortController();
  const abort = () => control.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);

  const runOne = async (index: number): Promise<JobResults[Kind]> => {
    const photo = photos[index];
    control.signal.throwIfAborted();
    // Copy the bytes, because the buffer is transferred to the thread.
    const bytes = new Uint8Array(typeof photo === "string" ? await readPhoto(photo) : photo);
    const outcome = await threads.run(
      { kind, bytes, options },
      {
        milliseconds: NO_LIMIT_MILLISECONDS,
        signal: control.signal,
        onProgress: (progress) => onProgress(index, progress),
      },
    );
    return unwrap(outcome, control.signal);
  };

  const results: PromiseSettledResult<JobResults[Kind]>[] = [];
  let next = 0;
  const work = async () => {
    while (next < photos.length) {
      const index = next++;
      [results[index]] = await Promise.allSettled([runOne(index)]);
    }
  };
  try {
    const count = Math.min(limit, photos.length);
    await Promise.all(Array.from({ length: count }, work));
  } finally {
    signal?.removeEventListener("abort", abort);
    await threads.close();
  }
  return results;
}

/** Reads a photo's file. Refuses a file that is too large before reading it. */
export async function readPhoto(path: string): Promise<Uint8Array> {
  checkImageBytes((await stat(path)).size);
  return readFile(path);
}

function unwrap<Kind extends JobKind>(outcome: Outcome<Kind>, signal: AbortSignal): JobResults[Kind] {
  switch (outcome.kind) {
    case "done":
      return outcome.photo;
    case "refused":
      throw new CompileError(outcome.code, outcome.message);
    case "cancelled":
      throw signal.reason;
    case "crashed":
      throw new Error(`A compile thread crashed: ${outcome.message}`);
    case "timeout":
      throw new Error("A compile thread did not end.");
  }
}
