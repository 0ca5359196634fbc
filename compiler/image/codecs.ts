import decodeJpegFile, { init as initJpegDecoder } from "@jsquash/jpeg/decode.js";
import encodeJpegFile, { init as initJpegEncoder } from "@jsquash/jpeg/encode.js";
import decodePngFile, { init as initPngDecoder } from "@jsquash/png/decode.js";
import decodeWebpFile, { init as initWebpDecoder } from "@jsquash/webp/decode.js";
import type { RgbaImage } from "../types.ts";

/**
 * The image codecs: jSquash's builds of MozJPEG, the png crate and libwebp, the same WebAssembly in every
 * host, so that one file gives one set of pixels in a browser, in Node and at the edge.
 */

/**
 * Compiled `WebAssembly.Module`s, each loaded in the host's own way, of these files:
 * `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm`, `@jsquash/png/codec/pkg/squoosh_png_bg.wasm`,
 * `@jsquash/webp/codec/dec/webp_dec.wasm`, `@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm`.
 * Typed as objects because this room has no host's types.
 */
export interface CodecModules {
  readonly jpegDecode: object;
  readonly pngDecode: object;
  readonly webpDecode: object;
  readonly jpegEncode: object;
}

// jSquash declares neither the module that its `init` takes nor pixels that are no DOM ImageData.
type InitEmscripten = (module: object, options: EmscriptenOptions) => Promise<void>;
type InitBindgen = (module: object) => Promise<unknown>;
type Decode = (file: Uint8Array) => Promise<RgbaImage>;
type Encode = (image: RgbaImage, options: { quality: number }) => Promise<ArrayBuffer>;
interface EmscriptenOptions {
  print(line: string): void;
  printErr(line: string): void;
}

/** What the JPEG decoder said about the file that it is decoding. */
let jpegWarnings: string[] = [];

const silent: EmscriptenOptions = { print: () => {}, printErr: () => {} };
const attentive: EmscriptenOptions = { print: () => {}, printErr: (line) => jpegWarnings.push(line) };

/**
 * Makes the codecs ready; once, before the first image. Their memory never shrinks and a refused file may
 * leave some of it behind: a host that lives long gives them up with the thread that they run in.
 */
export async function loadCodecs(modules: CodecModules): Promise<void> {
  // The codecs construct their result as an ImageData, which Node and workerd lack.
  (globalThis as { ImageData?: unknown }).ImageData ??= class {
    readonly data: Uint8ClampedArray;
    readonly width: number;
    readonly height: number;
    constructor(data: Uint8ClampedArray, width: number, height: number) {
      this.data = data;
      this.width = width;
      this.height = height;
    }
  };
  await Promise.all([
    (initJpegDecoder as unknown as InitEmscripten)(modules.jpegDecode, attentive),
    (initJpegEncoder as unknown as InitEmscripten)(modules.jpegEncode, silent),
    (initWebpDecoder as unknown as InitEmscripten)(modules.webpDecode, silent),
    (initPngDecoder as unknown as InitBindgen)(modules.pngDecode),
  ]);
}

/** Stored pixels: the decoder's own turning by EXIF stays off, because orientation is applied in one place. */
export async function decodeJpeg(file: Uint8Array): Promise<RgbaImage> {
  jpegWarnings = [];
  const image = await (decodeJpegFile as unknown as Decode)(file);
  // MozJPEG fills what is missing with grey and calls it a success.
  const cutOff = jpegWarnings.find((line) => line.includes("Premature end"));
  if (cutOff) throw new Error(cutOff);
  return image;
}

/** 8 bits a channel whatever the file has: palette, grey, 16-bit and interlaced files included. */
export function decodePng(file: Uint8Array): Promise<RgbaImage> {
  return (decodePngFile as unknown as Decode)(file);
}

export function decodeWebp(file: Uint8Array): Promise<RgbaImage> {
  return (decodeWebpFile as unknown as Decode)(file);
}

/** Alpha is dropped. `quality` is 0 to 100. */
export async function encodeJpeg(image: RgbaImage, quality: number): Promise<Uint8Array> {
  return new Uint8Array(await (encodeJpegFile as unknown as Encode)(image, { quality }));
}
