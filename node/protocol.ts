/** What a compile thread and its owner say to each other. One job at a time. */

import type { CodecModules } from "../compiler/image/codecs.ts";
import type { CompiledPhoto, ScoredPhoto } from "../compiler/photo.ts";
import type { CompileErrorCode, CompileOptions, CompileProgress } from "../compiler/types.ts";

/** Worker data of a thread: compiled `WebAssembly.Module`s. */
export interface CompileModules {
  readonly codecs: CodecModules;
  readonly kernels: object;
}

/** What a job is for, and what comes of it. */
export interface JobResults {
  readonly compile: CompiledPhoto;
  readonly score: ScoredPhoto;
}
export type JobKind = keyof JobResults;

/** To the thread. The buffer of `bytes` is transferred. */
export interface Job<Kind extends JobKind = JobKind> {
  readonly kind: Kind;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly options: CompileOptions;
}

/** From the thread: any number of `progress`, then one of the others. A thread that crashes says nothing. */
export type JobMessage<Kind extends JobKind = JobKind> =
  | { readonly kind: "progress"; readonly progress: CompileProgress }
  | { readonly kind: "done"; readonly photo: JobResults[Kind] }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string };
