// Everything that a frame's feature points are compared with: the points of a target's keyframes, and those of
// the target seen from the side and in motion, because descriptors do not survive a tilt of more than about 50° or
// a strong blur.

import { type DetectorBuffers, detect, layDetector } from "../compiler/detector/detect.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type PlayerTarget } from "../compiler/types.ts";
import { openPlayerKernels } from "./kernels.ts";

/**
 * Points of one view of a target, in columns. A point's `frame` is the 2 × 2 matrix (row-major) that takes
 * offsets from the point, in target pixels, to offsets in the descriptor's own frame, in which the point has
 * scale 1 and angle 0. With it, a single match predicts an affine map from the target to the camera's frame.
 */
export interface ReferencePoints {
  readonly count: number;
  /** Target pixels. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly frame: Float32Array;
  /** DESCRIPTOR_WORDS words each. */
  readonly descriptors: Uint32Array;
}

/** The points of one view. */
export interface ReferenceView {
  readonly maxima: ReferencePoints;
  readonly minima: ReferencePoints;
}

export interface Reference {
  readonly target: PlayerTarget;
  /** One view per keyframe. */
  readonly views: readonly ReferenceView[];
}

/** A view of the target that is made from its larger tracking picture. */
interface MadeView {
  /** The direction of the tilt or motion, in radians, in which the view is compressed and blurred. */
  readonly angle: number;
  /** Scale along that direction and across it, in view pixels per picture pixel. */
  readonly along: number;
  readonly across: number;
  /** Standard deviation of the blur along the direction, in view pixels. */
  readonly blur: number;
}

function spread(directions: number, view: Omit<MadeView, "angle">): MadeView[] {
  return Array.from({ length: directions }, (_, i) => ({ angle: (i * Math.PI) / directions, ...view }));
}

/**
 * Scale of the tilted views. Their points have scales an octave apart, and the keyframes' lie between: of the
 * scales tried, this one finds the most.
 */
const TILTED_SCALE = 0.84;

function tilted(degrees: number, directions: number): MadeView[] {
  const along = TILTED_SCALE * Math.cos((degrees * Math.PI) / 180);
  return spread(directions, { along, across: TILTED_SCALE, blur: 0 });
}

/**
 * The steeper the tilt, the closer its directions. The blurred views match frames in motion, and small photos, whose
 * details are blurred by the camera.
 */
const MADE_VIEWS = [
  ...tilted(63, 5),
  ...tilted(45, 4),
  ...spread(4, { along: 1, across: 1, blur: 4 }),
  ...tilted(72, 7),
  ...spread(4, { along: 0.6, across: 0.6, blur: 3 }),
];

/** Number of views that are made of a target. */
export const MADE_VIEW_COUNT = MADE_VIEWS.length;

/** Most points of a made view; the strongest stay. */
export const MADE_VIEW_POINTS = 200;

type ScaledImage = PlayerTarget["tracking"][number];

/** Row-major 2 × 2. */
type Matrix = readonly [number, number, number, number];

/** Returns the points of a target's keyframes. */
export function createReference(target: PlayerTarget): Reference {
  const views = target.keyframes.map(({ scale, maxima, minima }) => {
    const map: Matrix = [scale, 0, 0, scale];
    return { maxima: placePoints(maxima, map, 0, 0), minima: placePoints(minima, map, 0, 0) };
  });
  return { target, views };
}

/**
 * Places the points of a picture of the target.
 *
 * The target point p lies at `map` p + (originX, originY) in the picture. For a keyframe the map is its scale, not
 * the ratio of the sizes: the boxes of the compiler's scaling begin at the target's upper left corner and have the
 * scale's size, whether or not they fill the target.
 */
function placePoints(
  { count, x, y, scale, angle, descriptors }: FeaturePoints,
  [a, b, c, d]: Matrix,
  originX: number,
  originY: number,
): ReferencePoints {
  const determinant = a * d - b * c;
  const points = {
    count,
    x: new Float32Array(count),
    y: new Float32Array(count),
    frame: new Float32Array(4 * count),
    descriptors,
  };
  for (let i = 0; i < count; i++) {
    const u = x[i] + 0.5 - originX;
    const v = y[i] + 0.5 - originY;
    points.x[i] = (d * u - b * v) / determinant;
    points.y[i] = (a * v - c * u) / determinant;
    const cos = Math.cos(angle[i]) / scale[i];
    const sin = Math.sin(angle[i]) / scale[i];
    points.frame[4 * i] = cos * a + sin * c;
    points.frame[4 * i + 1] = cos * b + sin * d;
    points.frame[4 * i + 2] = cos * c - sin * a;
    points.frame[4 * i + 3] = cos * d - sin * b;
  }
  return points;
}

/** Makes views of targets, one after the other, in the same buffers. */
export interface ViewMaker {
  /** Returns the points of a view; `index` is below MADE_VIEW_COUNT. */
  make(target: PlayerTarget, index: number): ReferenceView;
}

export function createViewMaker(): ViewMaker {
  const kernels = openPlayerKernels();
  let side = 0;
  let buffers: DetectorBuffers | null = null;
  return {
    make(target, index) {
      const picture = largerPicture(target);
      const diagonal = Math.ceil(Math.hypot(picture.width, picture.height)) + 1;
      if (!buffers || diagonal > side) {
        side = diagonal;
        buffers = kernels.place((room) => layDetector(room, kernels, { width: side, height: side }));
      }
      return makeView(picture, target, MADE_VIEWS[index], buffers);
    },
  };
}

/** Returns the larger tracking picture that was not enlarged, or the smaller one. */
function largerPicture({ tracking }: PlayerTarget): ScaledImage {
  const [larger, smaller] = tracking;
  return larger.scale <= 1 ? larger : smaller;
}

function makeView(
  picture: ScaledImage,
  target: PlayerTarget,
  { angle, along, across, blur }: MadeView,
  buffers: DetectorBuffers,
): ReferenceView {
  const { width: fromWidth, height: fromHeight, scale } = picture;
  // The direction of the tilt becomes the view's x axis.
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const width = Math.ceil(along * (fromWidth * Math.abs(cos) + fromHeight * Math.abs(sin)));
  const height = Math.ceil(across * (fromWidth * Math.abs(sin) + fromHeight * Math.abs(cos)));
  // The picture's upper left corner in the view: the center of the view lies on that of the picture.
  const originX = width / 2 - along * ((fromWidth / 2) * cos + (fromHeight / 2) * sin);
  const originY = height / 2 - across * ((fromHeight / 2) * cos - (fromWidth / 2) * sin);
  const u = (0.5 - originX) / along;
  const v = (0.5 - originY) / across;
  const { grey } = buffers.pyramid;
  warp(picture, {
    width,
    height,
    stepX: [cos / along, sin / along],
    stepY: [-sin / across, cos / across],
    startX: u * cos - v * sin,
    startY: u * sin + v * cos,
    out: grey,
  });
  if (blur > 0) blurRows(grey, width, height, blur);
  const { maxima, minima } = detect(grey, width, height, MADE_VIEW_POINTS, buffers);
  const map: Matrix = [scale * along * cos, scale * along * sin, -scale * across * sin, scale * across * cos];
  const place = (points: FeaturePoints) => inside(placePoints(points, map, originX, originY), target);
  return { maxima: place(maxima), minima: place(minima) };
}

interface Warp {
  readonly width: number;
  readonly height: number;
  /** Step in the picture for one pixel to the right and one pixel down in the view. */
  readonly stepX: readonly [number, number];
  readonly stepY: readonly [number, number];
  /** Place in the picture of the center of the view's first pixel. */
  readonly startX: number;
  readonly startY: number;
  readonly out: Uint8Array;
}

/** Samples along a step to the right, in steps, and their weights: a Gaussian of 0.4 steps. */
const TAPS = [-0.8, -0.4, 0, 0.4, 0.8];
const TAP_WEIGHTS = normalized(TAPS.map((at) => Math.exp(-(at * at) / (2 * 0.4 * 0.4))));

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Samples a picture, smoothed along the steps to the right. Outside, its border repeats. */
function warp({ data, width, height }: ScaledImage, { stepX, stepY, startX, startY, ...view }: Warp): void {
  const [right, bottom] = [width - 1, height - 1];
  for (let y = 0, to = 0; y < view.height; y++) {
    for (let x = 0; x < view.width; x++, to++) {
      const centerX = startX + x * stepX[0] + y * stepY[0] - 0.5;
      const centerY = startY + x * stepX[1] + y * stepY[1] - 0.5;
      let sum = 0.5;
      for (let tap = 0; tap < TAPS.length; tap++) {
        const u = Math.min(Math.max(centerX + TAPS[tap] * stepX[0], 0), right);
        const v = Math.min(Math.max(centerY + TAPS[tap] * stepX[1], 0), bottom);
        const left = Math.min(u | 0, right - 1);
        const top = Math.min(v | 0, bottom - 1);
        const at = top * width + left;
        const fx = u - left;
        const upper = data[at] + (data[at + 1] - data[at]) * fx;
        const lower = data[at + width] + (data[at + width + 1] - data[at + width]) * fx;
        sum += TAP_WEIGHTS[tap] * (upper + (lower - upper) * (v - top));
      }
      view.out[to] = sum;
    }
  }
}

/** Blurs each row by a Gaussian of standard deviation `sigma`, in place. Outside, the border repeats. */
function blurRows(grey: Uint8Array, width: number, height: number, sigma: number): void {
  const reach = Math.ceil(2.5 * sigma);
  const weights = normalized(
    Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma))),
  );
  const row = new Float32Array(width + 2 * reach);
  for (let y = 0, start = 0; y < height; y++, start += width) {
    row.set(grey.subarray(start, start + width), reach);
    row.fill(grey[start], 0, reach);
    row.fill(grey[start + width - 1], reach + width);
    for (let x = 0; x < width; x++) {
      let sum = 0.5;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * row[x + k];
      grey[start + x] = sum;
    }
  }
}

/** Returns the points that lie in the target. */
function inside(points: ReferencePoints, { width, height }: PlayerTarget): ReferencePoints {
  const kept: number[] = [];
  for (let i = 0; i < points.count; i++) {
    if (points.x[i] >= 0 && points.y[i] >= 0 && points.x[i] < width && points.y[i] < height) kept.push(i);
  }
  const descriptors = new Uint32Array(kept.length * DESCRIPTOR_WORDS);
  kept.forEach((from, to) => {
    const words = points.descriptors.subarray(from * DESCRIPTOR_WORDS, (from + 1) * DESCRIPTOR_WORDS);
    descriptors.set(words, to * DESCRIPTOR_WORDS);
  });
  return {
    count: kept.length,
    x: Float32Array.from(kept, (i) => points.x[i]),
    y: Float32Array.from(kept, (i) => points.y[i]),
    frame: Float32Array.from({ length: 4 * kept.length }, (_, k) => points.frame[4 * kept[k >> 2] + (k & 3)]),
    descriptors,
  };
}
