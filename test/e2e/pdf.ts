import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { PDFiumLibrary } from "@hyzyla/pdfium";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import type { RgbaImage } from "../../compiler/types.ts";

/** A page of a PDF as PDFium, Chrome's renderer, shows it. */
export interface RenderedPage {
  /** In points. */
  readonly size: readonly [width: number, height: number];
  /** The text that can be selected. */
  readonly text: string;
  /** 300 dpi. */
  readonly image: RgbaImage;
  /** The contents of the QR codes, in the order in which they are found. */
  readonly codes: readonly string[];
}

const SCALE = 300 / 72;

/** Parses and renders a PDF, and reads its QR codes. */
export async function readPdf(file: Uint8Array): Promise<RenderedPage[]> {
  const wasm = createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm");
  await prepareZXingModule({
    overrides: { wasmBinary: (await readFile(wasm)).buffer },
    fireImmediately: true,
  });
  const library = await PDFiumLibrary.init();
  const document = await library.loadDocument(file);
  try {
    const pages: RenderedPage[] = [];
    for (const page of document.pages()) {
      const { originalWidth, originalHeight } = page.getOriginalSize();
      // Rendering closes the page.
      const text = page.getText();
      const { data, width, height } = await page.render({ scale: SCALE, render: "bitmap" });
      const image = { data: new Uint8Array(data), width, height };
      const found = await readBarcodes(
        { ...image, data: new Uint8ClampedArray(image.data), colorSpace: "srgb" } as ImageData,
        { formats: ["QRCode"] },
      );
      const codes = found.map(({ text }) => text);
      pages.push({ size: [originalWidth, originalHeight], text, image, codes });
    }
    return pages;
  } finally {
    document.destroy();
    library.destroy();
  }
}
