import encodePngFile, { init as initPng } from "@jsquash/png/encode.js";
import type { RgbaImage } from "../types.ts";

/**
 * Makes `encodePng` ready; once, before the first image.
 *
 * @param module compiled from `@jsquash/png/codec/pkg/squoosh_png_bg.wasm`: `CodecModules.pngDecode`
 */
export async function loadPngEncoder(module: object): Promise<void> {
  await (initPng as unknown as (module: object) => Promise<unknown>)(module);
}

/** A PNG file of the image. `loadPngEncoder` comes first. */
export async function encodePng({ data, width, height }: RgbaImage): Promise<Uint8Array> {
  // jSquash reads the whole buffer behind the pixels, whatever part of it they are.
  const pixels = data.byteLength === data.buffer.byteLength ? data : data.slice();
  const encode = encodePngFile as unknown as (image: RgbaImage) => Promise<ArrayBuffer>;
  return new Uint8Array(await encode({ data: pixels, width, height }));
}
