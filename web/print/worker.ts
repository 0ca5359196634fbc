// The print worker: writes a PDF, off the page's thread.
import { loadFonts } from "./fonts.ts";
import { PdfFile } from "./pdf.ts";
import { PrintFailed, type PrintProblem } from "./problem.ts";
import type { PrintReply, PrintRequest } from "./protocol.ts";

let pdf: PdfFile | null = null;

async function answer(request: PrintRequest): Promise<PrintReply> {
  try {
    pdf ??= new PdfFile(await loadFonts(self.fonts));
    if (request.kind === "finish") return { kind: "made", file: await pdf.finish(request.title) };
    await pdf.addPage(request.page, request.photos);
    return { kind: "drawn" };
  } catch (error) {
    return { kind: "failed", problem: problemOf(error) };
  }
}

function problemOf(error: unknown): PrintProblem {
  if (error instanceof PrintFailed) return error.problem;
  return { kind: "other", message: error instanceof Error ? error.message : String(error) };
}

self.onmessage = async ({ data: request }: MessageEvent<PrintRequest>) =>
  self.postMessage(await answer(request));
