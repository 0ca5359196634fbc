import type { Quality } from "../../compiler/quality.ts";
import type { CompileErrorCode } from "../../compiler/types.ts";
import type { Cut } from "./geometry.ts";

/** Requests of the page to the edit worker: first to open a photo, then to score and make crops. */
export type EditRequest =
  /** A Blob is sent as a handle, without copying its bytes. */
  | { readonly kind: "open"; readonly photo: Blob }
  | { readonly kind: "score"; readonly cut: Cut }
  | { readonly kind: "make"; readonly cut: Cut };

/**
 * Replies of the worker: `opened` once; to each `score` a `scored`, followed by a `checked` unless another request
 * came first; to each `make` a `made`. `refused` means that the photo is unusable, `crashed` that the worker failed.
 * Both end the worker.
 */
export type EditReply =
  | { readonly kind: "opened" }
  | { readonly kind: "scored"; readonly cut: Cut; readonly quality: Quality }
  | { readonly kind: "checked"; readonly cut: Cut; readonly refusal: string | null }
  | { readonly kind: "made"; readonly file: MadeFile }
  | { readonly kind: "refused"; readonly code: CompileErrorCode; readonly message: string }
  | { readonly kind: "crashed"; readonly message: string };

/** An image file in memory. */
export interface MadeFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: "image/jpeg" | "image/png";
}
