import type { Quality } from "../../compiler/quality.ts";
import type { CompileErrorCode } from "../../compiler/types.ts";
import type { Cut } from "./geometry.ts";

/** What the page asks of the edit worker: first to open a photo, then anything about cuts of it. */
export type EditRequest =
  /** The photo travels as a Blob: a handle, no copied bytes. */
  | { readonly kind: "open"; readonly photo: Blob }
  | { readonly kind: "score"; readonly cut: Cut }
  | { readonly kind: "make"; readonly cut: Cut };

/**
 * What the worker answers: `opened` once; to each `score` a `scored`, and a `checked` after it unless another
 * request came first; to each `make` a `made`. `refused` is the photo's fault, `crashed` is ours; after
 * either of them the worker is of no more use.
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
