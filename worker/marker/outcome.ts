import type { Failure } from "../errors.ts";

/** An original that the compiler reads. */
export interface ImageJob {
  /** For the compiler's log, as in ours. `requestId` is of this attempt. */
  readonly taskId: string | null;
  readonly requestId: string;
  readonly image: ReadableStream;
  readonly imageBytes: number;
}

/** The end of a job that did not succeed. */
export type FailedOutcome =
  /** The compiler refuses the image; another attempt would fail too. */
  | { readonly kind: "fatal"; readonly failure: Failure }
  /** Another attempt may succeed. */
  | { readonly kind: "retryable"; readonly failure: Failure; readonly retryAfterSeconds: number | null };

/** The smaller pictures of a photo; null: one that is too large. */
export interface DeliveredPreviews {
  readonly thumbnail: Uint8Array<ArrayBuffer> | null;
  readonly picture: Uint8Array<ArrayBuffer> | null;
}

export type PreviewOutcome =
  | { readonly kind: "previewed"; readonly previews: DeliveredPreviews }
  | FailedOutcome;

export type RetryableOutcome = FailedOutcome & { kind: "retryable" };
