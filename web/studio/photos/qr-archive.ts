import { zipSync } from "fflate";
import { createSlots } from "../../compile/slots.ts";
import * as api from "../api/content.ts";
import { downloadPng } from "../photo/qr-code.ts";
import { qrFileNames } from "../photo/qr-file-name.ts";
import type { SelectedPhoto } from "./selection.ts";

export type QrFormat = "svg" | "png";

/** Downloads at the same time. */
const DOWNLOADS = 4;

/** Returns a ZIP archive with the QR code of each photo. */
export async function qrArchive(
  photos: readonly SelectedPhoto[],
  format: QrFormat,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (done: number) => void },
): Promise<Blob> {
  const slots = createSlots(DOWNLOADS);
  const names = qrFileNames(photos, format);
  let done = 0;
  const files = await Promise.all(
    photos.map(({ id }, at) =>
      slots.run(async () => {
        const code = await (format === "png" ? downloadPng(id, signal) : api.downloadQrCode(id, signal));
        onProgress((done += 1));
        return [names[at], new Uint8Array(await code.arrayBuffer())] as const;
      }, signal),
    ),
  );
  // PNG is compressed already.
  const archive = zipSync(Object.fromEntries(files), { level: format === "png" ? 0 : 6 });
  return new Blob([new Uint8Array(archive)], { type: "application/zip" });
}
