import type { CompileErrorCode, CompileOptions, CompileProgress } from "../../compiler/types.ts";

/** What the page asks of the compile worker. The photo travels as a Blob: a handle, no copied bytes. */
export interface CompileRequest {
  readonly kind: "compile";
  readonly photo: Blob;
  readonly options: CompileOptions;
}

/** A photo's finished work: `.mind` bytes, JPEG thumbnail, and how they came about. */
export interface CompiledPhoto {
  readonly marker: Uint8Array<ArrayBuffer>;
  readonly thumbnail: Uint8Array<ArrayBuffer>;
  readonly milliseconds: number;
  readonly compilerVersion: string;
}

/**
 * What the worker answers: any number of `progress`, then exactly one of the others. `refused` is the
 * photo's fault and final; `crashed` is ours, and another executor may still succeed.
 */
export type CompileReply =
  | { readonly kind: "progress"; readonly progress: CompileProgress }
  | { readonly kind: "done"; readonly photo: CompiledPhoto }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string }
  | { readonly kind: "crashed"; readonly message: string };
