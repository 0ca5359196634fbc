import * as api from "../api/content.ts";
import { t } from "../language.ts";

/** Side of the PNG, pixels: 85 mm at 300 dpi. */
const PNG_SIDE = 1_024;

/** Returns the QR code as a PNG. */
export async function downloadPng(id: string, signal?: AbortSignal): Promise<Blob> {
  const source = URL.createObjectURL(await api.downloadQrCode(id, signal));
  try {
    const image = new Image(PNG_SIDE, PNG_SIDE);
    image.src = source;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = PNG_SIDE;
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, PNG_SIDE, PNG_SIDE);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((png) => (png ? resolve(png) : reject(new Error(t.photo.share.pngFailed)))),
    );
  } finally {
    URL.revokeObjectURL(source);
  }
}
