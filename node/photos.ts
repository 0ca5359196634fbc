import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { checkImageBytes } from "../compiler/image/inspect.ts";
import type { CompiledPhoto, ScoredPhoto } from "../compiler/photo.ts";
import { CompileError, type CompileOptions, type CompileProgress } from "../compiler/types.ts";
import { readCompileModules } from "./codecs.ts";
import type { JobKind, JobResults } from "./protocol.ts";
import { type Outcome, Threads } from "./threads.ts";

/** TypeScript in the repository, JavaScript in the package. */
const JOB = new URL(import.meta.url.endsWith(".ts") ? "./job.ts" : "./job.js", import.meta.url);

/** The longest time that a timer can wait; a caller that wants less aborts. */
const NO_LIMIT_MILLISECONDS = 2 ** 31 - 1;

export interface CompilePhotosOptions extends CompileOptions {
  /** Photos at once, each in a thread of its own; the number of cores when absent. */
  readonly threads?: number;
  /** Aborting ends the threads and rejects the photos that are not done. */
  readonly signal?: AbortSignal;
  /** Hears of each photo, by its place in the list, what `compilePhoto` reports. */
  readonly onProgress?: (photo: number, progress: CompileProgress) => void;
}

export type ScorePhotosOptions = Pick<CompilePhotosOptions, "maxSize" | "threads" | "signal">;

/**
 * Compiles photos in threads, several at once: each as `compilePhoto` does, its codecs included.
 *
 * @param photos paths of files, which are read when their turn comes, or the bytes of files
 * @returns one result a photo, in order, as Promise.allSettled gives them. A photo is rejected with a
 * CompileError when it can never become a marker, with Node's own error when its file cannot be read, with
 * the signal's reason when that was aborted, and with any other Error when a thread crashed
 */
export function compilePhotos(
  photos: readonly (string | Uint8Array)[],
  options: CompilePhotosOptions = {},
): Promise<PromiseSettledResult<CompiledPhoto>[]> {
  return runJobs("compile", photos, options);
}

/** Scores photos in threads, several at once: each as `scorePhoto` does. Photos and results as above. */
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
  }: CompilePhotosOptions,
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
    // A copy: the thread gets the buffer itself.
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

/** Reads a photo's file, but not one that is too long to be refused for anything else. */
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
