import type { RgbaImage } from "../types.ts";
import { hasAscii } from "./sniff.ts";

/**
 * An EXIF orientation: 1 upright; 2 mirrored; 3 turned by 180°; 4 flipped; 5 transposed; 6 needs a quarter
 * turn clockwise; 7 transversed; 8 needs a quarter turn anticlockwise. 5 to 8 swap width and height.
 * (CIPA DC-008, Exif 3.0, tag 0x0112)
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * Reads the orientation from an EXIF block: a TIFF header, with or without the `Exif\0\0` that JPEG puts before
 * it. Missing, damaged and out-of-range values count as upright, as in browsers.
 */
export function readOrientation(exif: Uint8Array): Orientation {
  const tiff = hasAscii(exif, 0, "Exif\0\0") ? exif.subarray(6) : exif;
  const littleEndian = hasAscii(tiff, 0, "II*\0");
  if (!littleEndian && !hasAscii(tiff, 0, "MM\0*")) return 1;
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, littleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue;
    if (view.getUint16(entry + 2, littleEndian) !== SHORT) return 1;
    const value = view.getUint16(entry + 8, littleEndian);
    return value >= 1 && value <= 8 ? (value as Orientation) : 1;
  }
  return 1;
}

/** Returns whether the upright image has the stored width as its height. */
export function swapsSides(orientation: Orientation): boolean {
  return orientation >= 5;
}

/** Turns stored pixels upright. Returns the same image for orientation 1. */
export function turnUpright(image: RgbaImage, orientation: Orientation): RgbaImage {
  if (orientation === 1) return image;
  const { width, height } = image;
  const source = pixels(image.data);
  const target = new Uint32Array(source.length);
  // The upright index of stored pixel (0, 0), and the index steps of one pixel right and one pixel down.
  const right = width - 1;
  const bottom = height - 1;
  const [origin, stepX, stepY] = [
    [right, -1, width],
    [right + bottom * width, -1, -width],
    [bottom * width, 1, -width],
    [0, height, 1],
    [bottom, height, -1],
    [bottom + right * height, -height, -1],
    [right * height, -height, 1],
  ][orientation - 2];
  for (let y = 0, from = 0; y < height; y++) {
    let to = origin + y * stepY;
    for (let x = 0; x < width; x++, from++, to += stepX) target[to] = source[from];
  }
  const data = new Uint8ClampedArray(target.buffer);
  return swapsSides(orientation) ? { data, width: height, height: width } : { data, width, height };
}

/** Returns RGBA bytes as one 32-bit word per pixel. */
function pixels(data: Uint8Array | Uint8ClampedArray): Uint32Array {
  const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
