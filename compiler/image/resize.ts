import { CompileError, type GreyImage } from "../types.ts";

/**
 * Returns the size, in whole pixels of at least 1, at which no side of the image exceeds `maxSize`. Never
 * enlarges the image.
 *
 * @param maxSize longer side in pixels; `Infinity` keeps the size
 * @throws CompileError `invalid_option` for a `maxSize` that is not a number of at least 1
 */
export function targetSize(
  width: number,
  height: number,
  maxSize: number,
): { width: number; height: number } {
  if (!(maxSize >= 1)) {
    throw new CompileError("invalid_option", `maxSize is ${maxSize}, expected at least 1 pixel or Infinity.`);
  }
  const longer = Math.max(width, height);
  const size = Math.floor(maxSize);
  if (longer <= size) return { width, height };
  return {
    width: Math.max(1, Math.round((width * size) / longer)),
    height: Math.max(1, Math.round((height * size) / longer)),
  };
}

/** Reduces a grey image to `targetSize`. Returns the same image when it is small enough. */
export function resizeGrey(grey: GreyImage, maxSize: number): GreyImage {
  const { width, height } = targetSize(grey.width, grey.height, maxSize);
  if (width === grey.width && height === grey.height) return grey;
  return { data: averageAreas(grey.data, grey.width, grey.height, 1, width, height), width, height };
}

/**
 * Reduces an image by area averaging: every pixel of the result is the mean of the source rectangle that it
 * covers; source pixels at the rectangle's border count by the area inside. All sums are integers below 2^53,
 * so the result is exact and the same everywhere: round((sum of value × area) / (sum of area)), halves up.
 *
 * @param data row-major, `width * height * channels` bytes, channels interleaved
 * @returns `outWidth * outHeight * channels` bytes; `outWidth <= width`, `outHeight <= height`
 */
export function averageAreas(
  data: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  channels: number,
  outWidth: number,
  outHeight: number,
): Uint8Array {
  // In units of length, a source pixel is `out` long and a result pixel is `in` long.
  const outStride = outWidth * channels;
  const area = width * height;
  const result = new Uint8Array(outStride * outHeight);
  const row = new Float64Array(outStride);
  const sums = new Float64Array(outStride);
  for (let y = 0, outY = 0; y < height; y++) {
    averageRow(data, y * width * channels, width, channels, outWidth, row);
    const top = y * outHeight;
    const boundary = (outY + 1) * height;
    const above = Math.min(outHeight, boundary - top);
    for (let i = 0; i < outStride; i++) sums[i] += row[i] * above;
    if (top + outHeight < boundary) continue;
    const start = outY * outStride;
    const below = outHeight - above;
    for (let i = 0; i < outStride; i++) {
      result[start + i] = Math.floor((2 * sums[i] + area) / (2 * area));
      sums[i] = row[i] * below;
    }
    outY++;
  }
  return result;
}

/** Sums value × length of one row over each result pixel, in units that make the sums whole numbers. */
function averageRow(
  data: Uint8Array | Uint8ClampedArray,
  start: number,
  width: number,
  channels: number,
  outWidth: number,
  row: Float64Array,
): void {
  for (let outX = 0, first = 0, into = 0, to = 0; outX < outWidth; outX++) {
    // The result pixel begins `into` units inside source pixel `first` and ends `out` units inside `last`.
    const end = (outX + 1) * width;
    const last = Math.floor(end / outWidth);
    const out = end - last * outWidth;
    const firstAt = start + first * channels;
    const lastAt = start + last * channels;
    for (let channel = 0; channel < channels; channel++, to++) {
      let whole = 0;
      for (let at = firstAt + channel; at < lastAt; at += channels) whole += data[at];
      const before = data[firstAt + channel] * into;
      const after = out === 0 ? 0 : data[lastAt + channel] * out;
      row[to] = whole * outWidth - before + after;
    }
    first = last;
    into = out;
  }
}
