/**
 * What the page asks of the marker worker: first to read the `.mind` at an address, then to draw its
 * feature points on a canvas that it is handed once.
 */
export type MarkerRequest =
  | { readonly kind: "read"; readonly url: string }
  | { readonly kind: "attach"; readonly canvas: OffscreenCanvas }
  | ({ readonly kind: "draw" } & Drawing);

export type MarkerReply =
  | { readonly kind: "read"; readonly keyframes: readonly KeyframeSummary[] }
  | { readonly kind: "unreadable"; readonly message: string };

/** A keyframe in numbers: the pixels of its image and its feature points. */
export interface KeyframeSummary {
  readonly width: number;
  readonly height: number;
  readonly maxima: number;
  readonly minima: number;
}

export interface Drawing {
  /** Index into the keyframes that were read. */
  readonly keyframe: number;
  /** Device pixels of the whole photo. */
  readonly width: number;
  readonly height: number;
  /** Device pixels per CSS pixel. */
  readonly density: number;
  readonly colours: PointColours;
}

export interface PointColours {
  readonly maxima: string;
  readonly minima: string;
}
