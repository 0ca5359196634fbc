import type { PrintPage } from "./lay-out.ts";

/** Requests of the page to the print worker: pages one after the other, then the file. */
export type PrintRequest =
  | {
      readonly kind: "page";
      readonly page: PrintPage;
      /** The photos that were on no page before, by index. A Blob is sent as a handle, without copying its bytes. */
      readonly photos: ReadonlyMap<number, Blob>;
    }
  | { readonly kind: "finish" };

/** Replies: `drawn` to each page, `made` to `finish`. After `failed`, none follows. */
export type PrintReply =
  | { readonly kind: "drawn" }
  | { readonly kind: "made"; readonly file: Blob }
  /** `photo` is the index of the photo that cannot be read; null if that is not the reason. */
  | { readonly kind: "failed"; readonly photo: number | null; readonly message: string };
