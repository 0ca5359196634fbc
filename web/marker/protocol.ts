/**
 * Requests of the page to the marker worker: to read the `.mind` file at a URL, to take over a canvas, and to draw
 * feature points on it.
 */
export type MarkerRequest =
  | { readonly kind: "read"; readonly url: string }
  | { readonly kind: "attach"; readonly canvas: OffscreenCanvas }
  | ({ readonly kind: "draw" } & Drawing);

export type MarkerReply =
  | { readonly kind: "read"; readonly keyframes: readonly KeyframeSummary[] }
  | { readonly kind: "unreadable"; readonly message: string };

/** The size of a keyframe in pixels, and its numbers of feature points. */
export interface KeyframeSummary {
  readonly width: number;
  readonly height: number;
  readonly maxima: number;
  readonly minima: number;
}

export interface Drawing {
  /** The index of the keyframe. */
  readonly keyframe: number;
  /** The photo in device pixels. */
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
