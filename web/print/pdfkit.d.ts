// What the print worker uses of two packages without types of their own.

declare module "fontkit" {
  export interface Font {
    hasGlyphForCodePoint(codePoint: number): boolean;
  }
  export function create(file: Uint8Array): Font;
}

declare module "pdfkit" {
  import type { Font } from "fontkit";

  /** An embedded picture, to be drawn any number of times. */
  export interface PdfImage {
    readonly width: number;
    readonly height: number;
  }

  type Colour = readonly [cyan: number, magenta: number, yellow: number, key: number] | string;

  /** A PDF that is written while it is drawn. Lengths are in points, from the upper left corner. */
  export default class PDFDocument {
    constructor(options: {
      readonly autoFirstPage: boolean;
      readonly displayTitle: boolean;
      readonly info: { readonly Creator: string };
      readonly font: null;
    });
    /** Is written at the end. */
    readonly info: { Title?: string };
    /** The document's catalogue. */
    readonly _root: {
      readonly data: { readonly ViewerPreferences: { readonly data: Record<string, unknown> } };
    };
    on(event: "data", listen: (bytes: Uint8Array<ArrayBuffer>) => void): this;
    on(event: "end", listen: () => void): this;
    on(event: "error", listen: (error: Error) => void): this;
    addPage(options: { readonly size: readonly [number, number]; readonly margin: number }): this;
    end(): void;

    save(): this;
    restore(): this;
    translate(x: number, y: number): this;
    scale(factor: number): this;
    rotate(degrees: number): this;

    rect(x: number, y: number, width: number, height: number): this;
    path(svg: string): this;
    moveTo(x: number, y: number): this;
    lineTo(x: number, y: number): this;
    lineWidth(width: number): this;
    fill(colour: Colour): this;
    stroke(colour: Colour): this;

    registerFont(name: string, font: Font): this;
    font(name: string): this;
    fontSize(size: number): this;
    fillColor(colour: Colour): this;
    text(
      text: string,
      x: number,
      y: number,
      options: { readonly lineBreak: false; readonly baseline: "alphabetic" },
    ): this;

    openImage(file: Uint8Array): PdfImage;
    image(
      image: PdfImage,
      x: number,
      y: number,
      options: { readonly width: number; readonly height: number },
    ): this;
  }
}
