/** The messages between a compile thread and its owner. A thread runs one job at a time. */

import type { CodecModules } from "../compiler/image/codecs.ts";
import type {
  CompiledMarker,
  CompiledPhoto,
  PreviewedPhoto,
  ScoredPhoto,
  ScoreOptions,
} from "../compiler/photo.ts";
import type { CompileErrorCode, CompileOptions, CompileProgress } from "../compiler/types.ts";

/** The worker data of a thread: compiled `WebAssembly.Module`s. */
export interface CompileModules {
  readonly codecs: CodecModules;
  readonly kernels: object;
}

/** The result of each kind of job. */
export interface JobResults {
  readonly compile: CompiledPhoto;
  readonly marker: CompiledMarker;
  readonly preview: PreviewedPhoto;
  readonly score: ScoredPhoto;
}
export type JobKind = keyof JobResults;

/** A message to the thread. The buffer of `bytes` is transferred. */
export interface Job<Kind extends JobKind = JobKind> {
  readonly kind: Kind;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly options: CompileOptions & ScoreOptions;
}

/** A message from the thread: any number of `progress`, then one other. A crashed thread sends none. */
export type JobMessage<Kind extends JobKind = JobKind> =
  | { readonly kind: "progress"; readonly progress: CompileProgress }
  | { readonly kind: "done"; readonly photo: JobResults[Kind] }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string };
