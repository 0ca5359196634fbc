import { CompileError, type GreyImage, type RgbaImage } from "../types.ts";
import { openDecoder } from "./codecs.ts";
import { inspectImage } from "./inspect.ts";
import { swapsSides, turnUpright } from "./orientation.ts";
import { assertNoSurplus } from "./png-pixels.ts";

/**
 * Decodes an image file to upright, un-premultiplied RGBA. Call `loadCodecs` first.
 *
 * @throws CompileError as `inspectImage` does, and `image_damaged` when the pixels cannot be decoded, or are fewer than
 * the data of a PNG
 */
export async function decodeImage(bytes: Uint8Array): Promise<RgbaImage> {
  const { format, orientation, width, height } = inspectImage(bytes);
  if (format === "png") assertNoSurplus(bytes);
  const decode = await openDecoder(format);
  const stored = await decode(bytes).catch(() => {
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
