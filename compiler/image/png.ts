import encodePngFile from "@jsquash/png/encode.js";
import type { RgbaImage } from "../types.ts";
import { openCodec } from "./codecs.ts";

/** Encodes the image as a PNG file. Call `loadCodecs` first. */
export async function encodePng({ data, width, height }: RgbaImage): Promise<Uint8Array> {
  await openCodec("pngEncode");
  // jSquash reads the whole buffer behind the array, even when the array covers only a part of it.
  const pixels = data.byteLength === data.buffer.byteLength ? data : data.slice();
  const encode = encodePngFile as unknown as (image: RgbaImage) => Promise<ArrayBuffer>;
  return new Uint8Array(await encode({ data: pixels, width, height }));
}
