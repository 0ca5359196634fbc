import { create, type Font } from "fontkit";
import PDFDocument, { type PdfImage } from "pdfkit";
import { drawCode } from "./code.ts";
import type { Line } from "./crop-marks.ts";
import { cssFont, type FontFiles } from "./fonts.ts";
import type { PlacedPiece, PrintPage } from "./lay-out.ts";
import type { Box } from "./paper.ts";
import { printFile } from "./photo-file.ts";
import type { Mark } from "./piece.ts";
import { PrintFailed } from "./problem.ts";
import type { Weight } from "./text.ts";

const POINTS_PER_MM = 72 / 25.4;
/** Black ink alone, so that the edges of codes and letters are sharp. */
const BLACK = [0, 0, 0, 100] as const;
const LINE_WIDTH = 0.1;
/** Bytes that are kept in memory before they become a Blob, which browsers may keep on disk. */
const MAX_KEPT_BYTES = 8_000_000;
/** Of text that is drawn as a picture: 600 dpi. */
const TEXT_DOTS_PER_MM = 600 / 25.4;

/** A PDF that is written page by page. Photos are released once they are written. */
export class PdfFile {
  readonly #pdf: PDFDocument;
  readonly #fonts: Readonly<Record<Weight, Font>>;
  readonly #file: Promise<Blob>;
  /** The photo that was drawn last, for its copies. */
  #last: { readonly photo: number; readonly image: PdfImage } | null = null;

  constructor(fonts: FontFiles) {
    const info = { Creator: "Vivimark" };
    this.#pdf = new PDFDocument({ autoFirstPage: false, displayTitle: true, info, font: null });
    // Labels are off their places if a program scales the page.
    this.#pdf._root.data.ViewerPreferences.data.PrintScaling = "None";
    this.#fonts = { regular: create(fonts.regular), bold: create(fonts.bold) };
    for (const weight of ["regular", "bold"] as const) this.#pdf.registerFont(weight, this.#fonts[weight]);
    this.#file = collect(this.#pdf);
  }

  /** @throws PrintFailed if a photo cannot be read */
  async addPage(page: PrintPage, photos: ReadonlyMap<number, Blob>): Promise<void> {
    const pdf = this.#pdf;
    pdf.addPage({ size: [page.width * POINTS_PER_MM, page.height * POINTS_PER_MM], margin: 0 });
    pdf.scale(POINTS_PER_MM);
    for (const piece of page.pieces) await this.#drawPiece(piece, photos);
    for (const line of page.lines) drawLine(pdf, line);
  }

  async #drawPiece({ piece, photo, box }: PlacedPiece, photos: ReadonlyMap<number, Blob>): Promise<void> {
    this.#pdf.save();
    if (piece.isTurned) this.#pdf.translate(box.x + box.width, box.y).rotate(90);
    else this.#pdf.translate(box.x, box.y);
    for (const mark of piece.marks) {
      if (mark.kind === "photo") await this.#drawPhoto(photo, photos.get(photo), mark.box);
      else if (mark.kind === "code") drawCodeIn(this.#pdf, mark.address, mark.box);
      else await this.#drawText(mark);
    }
    this.#pdf.restore();
  }

  async #drawPhoto(photo: number, original: Blob | undefined, { x, y, width, height }: Box): Promise<void> {
    if (this.#last?.photo !== photo) {
      try {
        const file = await printFile(original!, { width, height });
        this.#last = { photo, image: this.#pdf.openImage(file) };
      } catch {
        throw new PrintFailed({ kind: "photo", photo });
      }
    }
    this.#pdf.image(this.#last!.image, x, y, { width, height });
  }

  async #drawText(mark: Mark & { readonly kind: "text" }): Promise<void> {
    const { text, weight, size, x, y } = mark;
    const font = this.#fonts[weight];
    if (![...text].every((letter) => font.hasGlyphForCodePoint(letter.codePointAt(0)!)))
      return this.#drawTextAsPicture(mark);
    this.#pdf
      .font(weight)
      .fontSize(size)
      .fillColor(BLACK)
      .text(text, x, y, { lineBreak: false, baseline: "alphabetic" });
  }

  /** Draws text in other scripts with the fonts of the system. */
  async #drawTextAsPicture({
    text,
    weight,
    size,
    x,
    y,
    width,
  }: Mark & { readonly kind: "text" }): Promise<void> {
    const [ascent, descent] = [1.1 * size, 0.4 * size];
    const dots = (length: number) => Math.max(1, Math.round(length * TEXT_DOTS_PER_MM));
    const canvas = new OffscreenCanvas(dots(width), dots(ascent + descent));
    const context = canvas.getContext("2d", { alpha: false })!;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = "#000";
    context.font = cssFont(weight, size * TEXT_DOTS_PER_MM);
    context.fillText(text, 0, ascent * TEXT_DOTS_PER_MM, canvas.width);
    const png = await canvas.convertToBlob({ type: "image/png" });
    const image = this.#pdf.openImage(new Uint8Array(await png.arrayBuffer()));
    this.#pdf.image(image, x, y - ascent, { width, height: ascent + descent });
  }

  finish(title: string): Promise<Blob> {
    this.#pdf.info.Title = title;
    this.#pdf.end();
    return this.#file;
  }
}

function collect(pdf: PDFDocument): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const parts: Blob[] = [];
    let chunks: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    pdf.on("data", (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < MAX_KEPT_BYTES) return;
      parts.push(new Blob(chunks));
      [chunks, bytes] = [[], 0];
    });
    pdf.on("end", () => resolve(new Blob([...parts, ...chunks], { type: "application/pdf" })));
    pdf.on("error", reject);
  });
}

function drawCodeIn(pdf: PDFDocument, address: string, { x, y, width, height }: Box): void {
  const { size, path } = drawCode(address);
  pdf.rect(x, y, width, height).fill([0, 0, 0, 0]);
  pdf
    .save()
    .translate(x, y)
    .scale(width / size);
  pdf.path(path).fill(BLACK).restore();
}

function drawLine(pdf: PDFDocument, { x1, y1, x2, y2 }: Line): void {
  pdf.moveTo(x1, y1).lineTo(x2, y2).lineWidth(LINE_WIDTH).stroke(BLACK);
}
