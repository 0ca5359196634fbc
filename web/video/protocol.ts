import type { VideoPlan } from "./plan.ts";
import type { VideoProblem } from "./problem.ts";

/** Requests of the page to the video worker. A Blob is sent as a handle, without copying its bytes. */
export type VideoRequest =
  | { readonly kind: "inspect"; readonly file: Blob }
  | { readonly kind: "convert"; readonly file: Blob; readonly keepsSound: boolean };

/**
 * Replies of the worker: to `inspect` one `inspected`; to `convert` any number of `progress` and one `converted`.
 * `unreadable` and `failed` may come instead, and end the worker.
 */
export type VideoReply =
  | { readonly kind: "inspected"; readonly plan: VideoPlan }
  /** 0 to 1. */
  | { readonly kind: "progress"; readonly fraction: number }
  /** An MP4. */
  | { readonly kind: "converted"; readonly bytes: ArrayBuffer }
  | { readonly kind: "unreadable"; readonly reason: Unreadable }
  | { readonly kind: "failed"; readonly problem: VideoProblem };

/** `format`: the browser does not read the container, or the file is damaged. `cut_off`: its end is missing. */
export type Unreadable = "format" | "no_video" | "cut_off";
