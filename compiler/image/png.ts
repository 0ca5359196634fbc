import encodePngFile, { init as initPng } from "@jsquash/png/encode.js";
import type { RgbaImage } from "../types.ts";

/**
 * Loads the encoder of `encodePng`. Call it once, before the first image.
 *
 * @param module compiled from `@jsquash/png/codec/pkg/squoosh_png_bg.wasm`: `CodecModules.pngDecode`
 */
export async function loadPngEncoder(module: object): Promise<void> {
  await (initPng as unknown as (module: object) => Promise<unknown>)(module);
}

/** Encodes the image as a PNG file. Call `loadPngEncoder` first. */
export async function encodePng({ data, width, height }: RgbaImage): Promise<Uint8Array> {
  // jSquash reads the whole buffer behind the array, even when the array covers only a part of it.
  const pixels = data.byteLength === data.buffer.byteLength ? data : data.slice();
  const encode = encodePngFile as unknown as (image: RgbaImage) => Promise<ArrayBuffer>;
  return new Uint8Array(await encode({ data: pixels, width, height }));
}
