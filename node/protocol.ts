/** What a compile thread and its owner say to each other. One job at a time. */

import type { CodecModules } from "../compiler/image/codecs.ts";
import type { CompiledPhoto } from "../compiler/photo.ts";
import type { CompileErrorCode, CompileOptions, CompileProgress } from "../compiler/types.ts";

/** Worker data of a thread: compiled `WebAssembly.Module`s. */
export interface CompileModules {
  readonly codecs: CodecModules;
  readonly kernels: object;
}

/** To the thread. The buffer of `bytes` is transferred. */
export interface Job {
  readonly kind: "compile";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly options: CompileOptions;
}

/** From the thread: any number of `progress`, then one of the others. A thread that crashes says nothing. */
export type JobMessage =
  | { readonly kind: "progress"; readonly progress: CompileProgress }
  | { readonly kind: "done"; readonly photo: CompiledPhoto }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string };
