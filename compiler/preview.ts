// Draws a target's feature points and detail over an image, and puts several such pictures on one sheet.

import { averageAreas, targetSize } from "./image/resize.ts";
import type { QualityMap } from "./quality.ts";
import type { FeaturePoints, ImageTarget, RgbaImage } from "./types.ts";

type Colour = readonly [red: number, green: number, blue: number];

/** Maxima, which are bright spots, are warm circles; minima, which are dark spots, are cold squares. */
export const MAXIMA_COLOUR: Colour = [255, 178, 36];
export const MINIMA_COLOUR: Colour = [47, 216, 255];

const HALO: Colour = [0, 0, 0];
const HALO_OPACITY = 0.55;
const SHEET_COLOUR: Colour = [29, 27, 24];

/** Radius of a point, in pixels of its octave, and the smallest visible radius, in pixels of the picture. */
const RADIUS = 2;
const MIN_RADIUS = 2.5;

/** Widths of the lines, pixels. */
const LINE = 1.5;
const HALO_LINE = 3.5;

/** Share of the picture's light that remains where it has no detail, and the colour's opacity where it has. */
const DIM = 0.4;
const HEAT_OPACITY = 0.5;

/** Space between and around the pictures of a sheet, pixels. */
const GAP = 16;

/** Longer side of one picture, and of a sheet of many, in pixels. Pictures shrink to fit the sheet. */
const PICTURE_SIZE = 1280;
const SHEET_SIZE = 3840;

/**
 * Draws the feature points of the largest keyframe over a picture of the target: maxima as circles, minima as
 * squares, each as large as its octave, with a tick in its orientation.
 *
 * @param picture the compiled image, in any size; not modified
 * @param maxSize longer side of the result, pixels
 */
export function drawFeatures(picture: RgbaImage, target: ImageTarget, maxSize = PICTURE_SIZE): RgbaImage {
  const canvas = copyReduced(picture, maxSize);
  const keyframe = target.keyframes.reduce((a, b) => (b.width > a.width ? b : a));
  const scale = canvas.width / keyframe.width;
  drawMarks(canvas, keyframe.minima, scale, squareDistance, MINIMA_COLOUR);
  drawMarks(canvas, keyframe.maxima, scale, circleDistance, MAXIMA_COLOUR);
  return canvas;
}

/**
 * Draws a map of the trackable detail over a picture of the target: warm and bright where there is plenty, dim
 * where there is little.
 *
 * @param picture the scored image, in any size; not modified
 * @param maxSize longer side of the result, pixels
 */
export function drawDetail(picture: RgbaImage, map: QualityMap, maxSize = PICTURE_SIZE): RgbaImage {
  const canvas = copyReduced(picture, maxSize);
  const { data, width, height } = canvas;
  const cells = Uint8Array.from(map.cells, (cell) => cell * 2.55);
  const heat = enlargeGrey(cells, map.columns, map.rows, width, height);
  for (let at = 0; at < data.length; at += 4) {
    const warmth = heat.data[at] / 255;
    const grey = (data[at] + data[at + 1] + data[at + 2]) / 3;
    for (let channel = 0; channel < 3; channel++) {
      const dim = grey * DIM;
      const warm = grey + (MAXIMA_COLOUR[channel] - grey) * HEAT_OPACITY;
      data[at + channel] = dim + (warm - dim) * warmth;
    }
  }
  return canvas;
}

/**
 * Returns the grey image that the player tracks, enlarged to 1280 px at most. A `.mind` file contains no other
 * pixels of the photo.
 */
export function targetPicture({ tracking }: ImageTarget): RgbaImage {
  // An enlarged tracking image has black lines where the photo has no pixels.
  const image = tracking.find(({ scale }) => scale <= 1) ?? tracking[tracking.length - 1];
  const factor = Math.max(1, PICTURE_SIZE / Math.max(image.width, image.height));
  return enlargeGrey(
    image.data,
    image.width,
    image.height,
    Math.round(image.width * factor),
    Math.round(image.height * factor),
  );
}

/** Returns the longer side, in pixels, of each of `count` pictures that share a sheet. */
export function sheetPictureSize(count: number): number {
  return Math.min(PICTURE_SIZE, Math.floor((SHEET_SIZE - GAP) / sheetColumns(count)) - GAP);
}

function sheetColumns(count: number): number {
  return Math.ceil(Math.sqrt(count));
}

/** Puts pictures of `sheetPictureSize` on one sheet, row by row. Returns a single picture as it is. */
export function contactSheet(pictures: readonly RgbaImage[]): RgbaImage {
  if (pictures.length === 1) return pictures[0];
  const columns = sheetColumns(pictures.length);
  const columnWidth = Math.max(...pictures.map(({ width }) => width)) + GAP;
  const rows: RgbaImage[][] = [];
  for (let i = 0; i < pictures.length; i += columns) rows.push(pictures.slice(i, i + columns));
  const heights = rows.map((row) => Math.max(...row.map(({ height }) => height)) + GAP);
  const width = columns * columnWidth + GAP;
  const height = heights.reduce((sum, each) => sum + each, GAP);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i += 4) data.set([...SHEET_COLOUR, 255], i);
  const sheet = { data, width, height };
  let top = GAP;
  for (const [y, row] of rows.entries()) {
    for (const [x, picture] of row.entries()) paste(sheet, picture, GAP + x * columnWidth, top);
    top += heights[y];
  }
  return sheet;
}

/** Returns an opaque copy whose longer side is at most `maxSize`. Drops alpha, as compiling does. */
function copyReduced(image: RgbaImage, maxSize: number): RgbaImage {
  const { width, height } = targetSize(image.width, image.height, maxSize);
  const reduced =
    width === image.width
      ? image.data
      : averageAreas(image.data, image.width, image.height, 4, width, height);
  const data = Uint8ClampedArray.from(reduced);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return { data, width, height };
}

/** Enlarges a grey image bilinearly into opaque RGBA. No side gets smaller. */
function enlargeGrey(
  grey: Uint8Array,
  width: number,
  height: number,
  outWidth: number,
  outHeight: number,
): RgbaImage {
  const data = new Uint8ClampedArray(outWidth * outHeight * 4);
  for (let y = 0, to = 0; y < outHeight; y++) {
    const v = Math.min(Math.max(((y + 0.5) * height) / outHeight - 0.5, 0), height - 1);
    const top = Math.floor(v);
    const upper = top * width;
    const lower = Math.min(top + 1, height - 1) * width;
    for (let x = 0; x < outWidth; x++, to += 4) {
      const u = Math.min(Math.max(((x + 0.5) * width) / outWidth - 0.5, 0), width - 1);
      const left = Math.floor(u);
      const right = Math.min(left + 1, width - 1);
      const above = grey[upper + left] + (grey[upper + right] - grey[upper + left]) * (u - left);
      const below = grey[lower + left] + (grey[lower + right] - grey[lower + left]) * (u - left);
      data.fill(above + (below - above) * (v - top), to, to + 3);
      data[to + 3] = 255;
    }
  }
  return { data, width: outWidth, height: outHeight };
}

function paste(sheet: RgbaImage, picture: RgbaImage, left: number, top: number): void {
  const stride = picture.width * 4;
  for (let y = 0; y < picture.height; y++) {
    const row = picture.data.subarray(y * stride, (y + 1) * stride);
    sheet.data.set(row, ((top + y) * sheet.width + left) * 4);
  }
}

/** Returns the distance of (x, y) from the outline of a mark of `radius` around the origin. */
type OutlineDistance = (x: number, y: number, radius: number) => number;

const circleDistance: OutlineDistance = (x, y, radius) => Math.abs(Math.hypot(x, y) - radius);

/** Measures the distance from a square that has the circle's area. */
const squareDistance: OutlineDistance = (x, y, radius) => {
  const half = (radius * Math.sqrt(Math.PI)) / 2;
  const outX = Math.abs(x) - half;
  const outY = Math.abs(y) - half;
  return outX > 0 && outY > 0 ? Math.hypot(outX, outY) : Math.abs(Math.max(outX, outY));
};

/** Draws each point's outline and tick on a dark halo. `scale` is in canvas pixels per keyframe pixel. */
function drawMarks(
  canvas: RgbaImage,
  points: FeaturePoints,
  scale: number,
  outline: OutlineDistance,
  colour: Colour,
): void {
  for (let i = 0; i < points.count; i++) {
    // Coordinates refer to the centres of pixels.
    const x = (points.x[i] + 0.5) * scale - 0.5;
    const y = (points.y[i] + 0.5) * scale - 0.5;
    const radius = Math.max(MIN_RADIUS, RADIUS * points.scale[i] * scale);
    const dx = Math.cos(points.angle[i]);
    const dy = Math.sin(points.angle[i]);
    const distance = (u: number, v: number) =>
      Math.min(outline(u, v, radius), tickDistance(u * dx + v * dy, v * dx - u * dy, radius));
    const reach = 2 * radius + HALO_LINE;
    stroke(canvas, x, y, reach, HALO_LINE, distance, HALO, HALO_OPACITY);
    stroke(canvas, x, y, reach, LINE, distance, colour, 1);
  }
}

/** Returns the distance of a place from the tick; `along` and `across` are relative to the tick's direction. */
function tickDistance(along: number, across: number, radius: number): number {
  return Math.hypot(along - Math.min(Math.max(along, radius), 2 * radius), across);
}

/** Blends in a colour where the distance is within half the line's width, with soft edges. */
function stroke(
  { data, width, height }: RgbaImage,
  x: number,
  y: number,
  reach: number,
  line: number,
  distance: (u: number, v: number) => number,
  colour: Colour,
  opacity: number,
): void {
  const right = Math.min(Math.ceil(x + reach), width - 1);
  const bottom = Math.min(Math.ceil(y + reach), height - 1);
  for (let v = Math.max(Math.floor(y - reach), 0); v <= bottom; v++) {
    for (let u = Math.max(Math.floor(x - reach), 0); u <= right; u++) {
      const cover = Math.min(Math.max(line / 2 + 0.5 - distance(u - x, v - y), 0), 1) * opacity;
      if (cover === 0) continue;
      const at = (v * width + u) * 4;
      for (let c = 0; c < 3; c++) data[at + c] += (colour[c] - data[at + c]) * cover;
    }
  }
}
