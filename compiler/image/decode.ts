import { CompileError, type GreyImage, type RgbaImage } from "../types.ts";
import { decodeJpeg, decodePng, decodeWebp } from "./codecs.ts";
import { type ImageFormat, inspectImage } from "./inspect.ts";
import { swapsSides, turnUpright } from "./orientation.ts";
import { assertNoSurplus } from "./png-pixels.ts";

const DECODERS: Record<ImageFormat, (file: Uint8Array) => Promise<RgbaImage>> = {
  jpeg: decodeJpeg,
  png: decodePng,
  webp: decodeWebp,
};

/**
 * Decodes an image file to upright, un-premultiplied RGBA. Call `loadCodecs` first.
 *
 * @throws CompileError as `inspectImage` does, and `image_damaged` when the pixels cannot be decoded, or are fewer than
 * the data of a PNG
 */
export async function decodeImage(bytes: Uint8Array): Promise<RgbaImage> {
  const { format, orientation, width, height } = inspectImage(bytes);
  if (format === "png") assertNoSurplus(bytes);
  const stored = await DECODERS[format](bytes).catch(() => {
    throw new CompileError(
      "image_damaged",
      `The image is damaged or cut off: its ${format.toUpperCase()} data cannot be decoded.`,
    );
  });
  const [storedWidth, storedHeight] = swapsSides(orientation) ? [height, width] : [width, height];
  if (stored.width !== storedWidth || stored.height !== storedHeight) {
    throw new CompileError(
      "image_damaged",
      `The image is damaged: its header says ${storedWidth} × ${storedHeight} pixels, its data ${stored.width} × ${stored.height}.`,
    );
  }
  return turnUpright(stored, orientation);
}

/** Converts to MindAR's grey: floor((R + G + B) / 3) of the un-premultiplied channels. Ignores alpha. */
export function toGrey({ data: rgba, width, height }: RgbaImage): GreyImage {
  const data = new Uint8Array(width * height);
  for (let i = 0, j = 0; i < data.length; i++, j += 4) {
    data[i] = ((rgba[j] + rgba[j + 1] + rgba[j + 2]) / 3) | 0;
  }
  return { data, width, height };
}
