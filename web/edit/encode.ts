import { encodeJpeg } from "../../compiler/image/codecs.ts";
import { inspectImage, MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import { encodePng } from "../../compiler/image/png.ts";
import type { RgbaImage } from "../../compiler/types.ts";
import { colourProfile, withColourProfile } from "./colour-profile.ts";
import type { MadeFile } from "./protocol.ts";

/** JPEG quality, 0 to 100: high enough that artefacts are not detected as feature points. */
const QUALITY = 95;

/**
 * Encodes a crop as a file for the upload. A PNG, or a WebP with transparency, becomes a PNG. All other images, and
 * PNGs that would be too large, become JPEGs. A file of the same format as the source keeps its colour profile.
 *
 * @param source the file from which the image was decoded
 */
export async function encodePhoto(image: RgbaImage, source: Uint8Array): Promise<MadeFile> {
  const { format } = inspectImage(source);
  const profile = (encoded: "jpeg" | "png") => (encoded === format ? colourProfile(source) : []);
  if (format === "png" || (format === "webp" && isTransparent(image))) {
    const bytes = withColourProfile(await encodePng(image), profile("png"));
    if (bytes.length <= MAX_IMAGE_BYTES) return { bytes, type: "image/png" };
  }
  const jpeg = (await encodeOnCanvas(image)) ?? (await encodeJpeg(image, QUALITY));
  return { bytes: withColourProfile(jpeg, profile("jpeg")), type: "image/jpeg" };
}

function isTransparent({ data }: RgbaImage): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}

/**
 * Encodes with the browser's encoder, ten times as fast as the codec, which optimises the file size. Returns null if
 * that is impossible: the image is too large for a canvas, or the browser adds noise to canvases against
 * fingerprinting.
 */
async function encodeOnCanvas({ data, width, height }: RgbaImage): Promise<Uint8Array | null> {
  try {
    if (!keepsPixels()) return null;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")!.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY / 100 });
    return blob.type === "image/jpeg" ? new Uint8Array(await blob.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

function keepsPixels(): boolean {
  const pixels = Uint8ClampedArray.from({ length: 4 * 256 }, (_, i) => (i % 4 === 3 ? 255 : (i * 7) % 256));
  const context = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true })!;
  context.putImageData(new ImageData(pixels, 16, 16), 0, 0);
  return context.getImageData(0, 0, 16, 16).data.every((value, i) => value === pixels[i]);
}
