/** What the page asks of the marker reader: fetch the `.mind` at this address and lay it out for drawing. */
export interface ReadRequest {
  readonly kind: "read";
  readonly url: string;
}

export type ReadReply =
  | { readonly kind: "read"; readonly keyframes: readonly PlacedKeyframe[] }
  | { readonly kind: "unreadable"; readonly message: string };

/** A keyframe's feature points, placed on the photo at any size. */
export interface PlacedKeyframe {
  /** Pixels of the keyframe image. */
  readonly width: number;
  readonly height: number;
  readonly maxima: PlacedPoints;
  readonly minima: PlacedPoints;
}

/** Columns of `count` values. `x` is a fraction of the photo's width, `y` of its height. */
export interface PlacedPoints {
  readonly count: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Float32Array<ArrayBuffer>;
  /** Size of the octave's pixel, a fraction of the photo's width. */
  readonly size: Float32Array<ArrayBuffer>;
  /** Radians. */
  readonly angle: Float32Array<ArrayBuffer>;
}
