import type { PrintPage } from "./lay-out.ts";
import type { PrintProblem } from "./problem.ts";

/** Requests of the page to the print worker: pages one after the other, then the file. */
export type PrintRequest =
  | {
      readonly kind: "page";
      readonly page: PrintPage;
      /** The photos that were on no page before, by index. A Blob is sent as a handle, without copying its bytes. */
      readonly photos: ReadonlyMap<number, Blob>;
    }
  /** `title` is that of the document. */
  | { readonly kind: "finish"; readonly title: string };

/** Replies: `drawn` to each page, `made` to `finish`. After `failed`, none follows. */
export type PrintReply =
  | { readonly kind: "drawn" }
  | { readonly kind: "made"; readonly file: Blob }
  | { readonly kind: "failed"; readonly problem: PrintProblem };
