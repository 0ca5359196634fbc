import type { CompileErrorCode, CompileOptions, CompileProgress } from "../../compiler/types.ts";

/** The request of the page to the compile worker. A Blob is sent as a handle, without copying its bytes. */
export interface CompileRequest {
  readonly kind: "compile";
  readonly photo: Blob;
  readonly options: CompileOptions;
}

/** A compiled photo: `.mind` bytes, two JPEGs, and how they were made. */
export interface CompiledPhoto {
  readonly marker: Uint8Array<ArrayBuffer>;
  readonly thumbnail: Uint8Array<ArrayBuffer>;
  readonly picture: Uint8Array<ArrayBuffer>;
  readonly milliseconds: number;
  readonly compilerVersion: string;
}

/**
 * Replies of the worker: any number of `progress`, then exactly one of the others. `refused` means that the photo is
 * unusable. `crashed` means that the worker failed; another executor may still succeed.
 */
export type CompileReply =
  | { readonly kind: "progress"; readonly progress: CompileProgress }
  | { readonly kind: "done"; readonly photo: CompiledPhoto }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string }
  | { readonly kind: "crashed"; readonly message: string };
