import decodeJpegFile, { init as initJpegDecoder } from "@jsquash/jpeg/decode.js";
import encodeJpegFile, { init as initJpegEncoder } from "@jsquash/jpeg/encode.js";
import decodePngFile, { init as initPngDecoder } from "@jsquash/png/decode.js";
import decodeWebpFile, { init as initWebpDecoder } from "@jsquash/webp/decode.js";
import type { RgbaImage } from "../types.ts";

/**
 * The image codecs: jSquash's builds of MozJPEG, the png crate and libwebp. Every host runs the same
 * WebAssembly, so a file has the same pixels in a browser, in Node and at the edge.
 */

/**
 * The compiled `WebAssembly.Module`s, which each host loads in its own way, of these files:
 * `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm`, `@jsquash/png/codec/pkg/squoosh_png_bg.wasm`,
 * `@jsquash/webp/codec/dec/webp_dec.wasm`, `@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm`.
 * They have the type object because compiler/ uses no host's types.
 */
export interface CodecModules {
  readonly jpegDecode: object;
  readonly pngDecode: object;
  readonly webpDecode: object;
  readonly jpegEncode: object;
}

// jSquash's types lack the module that `init` takes, and images other than a DOM ImageData.
type InitEmscripten = (module: object, options: EmscriptenOptions) => Promise<void>;
type InitBindgen = (module: object) => Promise<unknown>;
type Decode = (file: Uint8Array) => Promise<RgbaImage>;
type Encode = (image: RgbaImage, options: { quality: number }) => Promise<ArrayBuffer>;
interface EmscriptenOptions {
  print(line: string): void;
  printErr(line: string): void;
}

/** The JPEG decoder's warnings about the current file. */
let jpegWarnings: string[] = [];

const silent: EmscriptenOptions = { print: () => {}, printErr: () => {} };
const attentive: EmscriptenOptions = { print: () => {}, printErr: (line) => jpegWarnings.push(line) };

/**
 * Loads the codecs. Call it once, before the first image. The codecs' memory never shrinks, and a refused
 * file may leak some of it, so a long-lived host should end the thread that runs them from time to time.
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

/** Decodes the stored pixels. The decoder ignores EXIF orientation, which `decodeImage` applies. */
export async function decodeJpeg(file: Uint8Array): Promise<RgbaImage> {
  jpegWarnings = [];
  const image = await (decodeJpegFile as unknown as Decode)(file);
  // MozJPEG fills missing data with grey and reports success.
  const cutOff = jpegWarnings.find((line) => line.includes("Premature end"));
  if (cutOff) throw new Error(cutOff);
  return image;
}

/** Decodes to 8 bits per channel, including palette, grey, 16-bit and interlaced files. */
export function decodePng(file: Uint8Array): Promise<RgbaImage> {
  return (decodePngFile as unknown as Decode)(file);
}

export function decodeWebp(file: Uint8Array): Promise<RgbaImage> {
  return (decodeWebpFile as unknown as Decode)(file);
}

/** Encodes a JPEG file and drops alpha. `quality` is 0 to 100. */
export async function encodeJpeg(image: RgbaImage, quality: number): Promise<Uint8Array> {
  return new Uint8Array(await (encodeJpegFile as unknown as Encode)(image, { quality }));
}
