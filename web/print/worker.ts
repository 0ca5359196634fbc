// The print worker: writes a PDF, off the page's thread.
import { loadFonts } from "./fonts.ts";
import { PdfFile, UnreadablePhoto } from "./pdf.ts";
import type { PrintReply, PrintRequest } from "./protocol.ts";

let pdf: PdfFile | null = null;

async function answer(request: PrintRequest): Promise<PrintReply> {
  try {
    pdf ??= new PdfFile(await loadFonts(self.fonts));
    if (request.kind === "finish") return { kind: "made", file: await pdf.finish() };
    await pdf.addPage(request.page, request.photos);
    return { kind: "drawn" };
  } catch (error) {
    const photo = error instanceof UnreadablePhoto ? error.photo : null;
    return { kind: "failed", photo, message: error instanceof Error ? error.message : String(error) };
  }
}

self.onmessage = async ({ data: request }: MessageEvent<PrintRequest>) =>
  self.postMessage(await answer(request));
