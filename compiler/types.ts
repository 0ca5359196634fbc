/** The size of an image, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An 8-bit grey image, row-major, `width * height` bytes. */
export interface GreyImage extends Size {
  readonly data: Uint8Array;
}

/** An un-premultiplied 8-bit RGBA image, upright, row-major, `width * height * 4` bytes. */
export interface RgbaImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** Number of 32-bit words of one FREAK descriptor: 666 comparisons, most significant bit first, zero-padded. */
export const DESCRIPTOR_WORDS = 21;

/**
 * Feature points of one keyframe and one polarity, in columns. Coordinates are in pixels of the keyframe
 * image; `scale` is 2^octave; `angle` is in radians.
 */
export interface FeaturePoints {
  readonly count: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly scale: Float64Array;
  readonly angle: Float64Array;
  /** `count * DESCRIPTOR_WORDS` words, point after point. */
  readonly descriptors: Uint32Array;
}

/** A node of the k-medoids tree over the points of one polarity; indexes point into its `FeaturePoints`. */
export type ClusterNode =
  | { readonly leaf: true; readonly centerPointIndex: number | null; readonly pointIndexes: number[] }
  | { readonly leaf: false; readonly centerPointIndex: number | null; readonly children: ClusterNode[] };

/** Matching data of the target at one scale. */
export interface Keyframe {
  readonly width: number;
  readonly height: number;
  /** Keyframe pixels per target pixel, in (0, 1]. */
  readonly scale: number;
  readonly maxima: FeaturePoints;
  readonly minima: FeaturePoints;
  readonly maximaCluster: ClusterNode;
  readonly minimaCluster: ClusterNode;
}

/** A keyframe without the cluster trees, which are built from its points alone. */
export type KeyframePoints = Omit<Keyframe, "maximaCluster" | "minimaCluster">;

/** A grey image of the target at a scale, in image pixels per target pixel. */
export interface ScaledImage extends GreyImage {
  readonly scale: number;
}

/** The grey image that MindAR's player tracks at one scale, and the points whose templates it follows. */
export interface TrackingImage extends ScaledImage {
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** One entry of a `.mind` file. */
export interface ImageTarget {
  readonly width: number;
  readonly height: number;
  readonly keyframes: readonly Keyframe[];
  readonly tracking: readonly TrackingImage[];
}

/** The part of an image target that our own player needs. */
export interface PlayerTarget {
  readonly width: number;
  readonly height: number;
  readonly keyframes: readonly KeyframePoints[];
  readonly tracking: readonly ScaledImage[];
}

export interface CompileOptions {
  /** Most points per keyframe, the strongest first; all points when absent. */
  readonly maxFeatures?: number;
  /** Longer side in pixels; larger images are reduced by area averaging. `Infinity` keeps every pixel. */
  readonly maxSize?: number;
}

export type CompileStage = "decode" | "resize" | "match" | "track" | "encode";

/** The steps done in a stage; `total` is constant within a stage. */
export interface CompileProgress {
  readonly stage: CompileStage;
  readonly done: number;
  readonly total: number;
}

/** Why an image or a `.mind` file was refused. Hosts map codes to statuses; messages are for people. */
export type CompileErrorCode =
  | "empty_file"
  | "not_an_image"
  | "unsupported_format"
  | "image_damaged"
  | "image_too_many_bytes"
  | "image_too_many_pixels"
  | "image_too_many_scans"
  | "image_too_small"
  | "too_few_features"
  | "invalid_option"
  | "invalid_marker";

/** A refusal whose message says what was received and what was expected. Never retried. */
export class CompileError extends Error {
  readonly code: CompileErrorCode;

  constructor(code: CompileErrorCode, message: string) {
    super(message);
    this.name = "CompileError";
    this.code = code;
  }
}
