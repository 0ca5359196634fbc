import type { RgbaImage } from "../types.ts";
import { encodeJpeg } from "./codecs.ts";
import { averageAreas, targetSize } from "./resize.ts";

/** Longer side of a thumbnail, in pixels: enough for a card of the grid on a screen of double density. */
export const THUMBNAIL_SIZE = 480;

/** Longer side of the picture that viewers get, in pixels: enough for the screen of a phone, too little for a print. */
export const PICTURE_SIZE = 1600;

/** JPEG quality, 0 to 100. */
const QUALITY = 80;

/** Two JPEGs of a photo, on white. They have its pixels only, without what its file says about place and camera. */
export interface Previews {
  /** For lists. */
  readonly thumbnail: Uint8Array;
  /** For viewers. */
  readonly picture: Uint8Array;
}

/** Makes JPEGs with longer sides of at most `THUMBNAIL_SIZE` and `PICTURE_SIZE`. Call `loadCodecs` first. */
export async function makePreviews(image: RgbaImage): Promise<Previews> {
  const flat = onWhite(image);
  return { thumbnail: await reduced(flat, THUMBNAIL_SIZE), picture: await reduced(flat, PICTURE_SIZE) };
}

function reduced(image: RgbaImage, size: number): Promise<Uint8Array> {
  const { width, height } = targetSize(image.width, image.height, size);
  const data = averageAreas(image.data, image.width, image.height, 4, width, height);
  return encodeJpeg({ data, width, height }, QUALITY);
}

/** Returns the image composed on white; the same image when it is opaque. */
function onWhite(image: RgbaImage): RgbaImage {
  const { data: rgba, width, height } = image;
  let opaque = true;
  for (let i = 3; opaque && i < rgba.length; i += 4) opaque = rgba[i] === 255;
  if (opaque) return image;
  const data = new Uint8ClampedArray(rgba.length);
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    const white = 255 * (255 - alpha);
    data[i] = (rgba[i] * alpha + white) / 255;
    data[i + 1] = (rgba[i + 1] * alpha + white) / 255;
    data[i + 2] = (rgba[i + 2] * alpha + white) / 255;
    data[i + 3] = 255;
  }
  return { data, width, height };
}
