import type { Size } from "./paper.ts";

/** More is not visible in print, and would make the file as large as all originals. */
const DOTS_PER_MM = 300 / 25.4;
const QUALITY = 0.92;

/**
 * Returns a photo as a JPEG of the size at which it is printed, upright and without metadata. It covers the box: what
 * does not fit is cut off on both sides.
 */
export async function printFile(photo: Blob, box: Size): Promise<Uint8Array<ArrayBuffer>> {
  const bitmap = await createImageBitmap(photo);
  try {
    const scale = Math.min(bitmap.width / box.width, bitmap.height / box.height);
    const [width, height] = [box.width * scale, box.height * scale];
    const reduction = Math.min(1, DOTS_PER_MM / scale);
    const canvas = new OffscreenCanvas(Math.round(width * reduction), Math.round(height * reduction));
    const context = canvas.getContext("2d", { alpha: false })!;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    const [left, top] = [(bitmap.width - width) / 2, (bitmap.height - height) / 2];
    context.drawImage(bitmap, left, top, width, height, 0, 0, canvas.width, canvas.height);
    const file = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    return new Uint8Array(await file.arrayBuffer());
  } finally {
    bitmap.close();
  }
}
