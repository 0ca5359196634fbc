import decodeJpegFile, { init as initJpegDecoder } from "@jsquash/jpeg/decode.js";
import encodeJpegFile, { init as initJpegEncoder } from "@jsquash/jpeg/encode.js";
import decodePngFile, { init as initPngDecoder } from "@jsquash/png/decode.js";
import { init as initPngEncoder } from "@jsquash/png/encode.js";
import decodeWebpFile, { init as initWebpDecoder } from "@jsquash/webp/decode.js";
import type { RgbaImage } from "../types.ts";
import type { ImageFormat } from "./inspect.ts";

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

/** The modules, or functions that compile them when they are first needed. */
export type CodecSources = {
  readonly [Name in keyof CodecModules]: object | (() => Promise<object>);
};

// jSquash's types lack the module that `init` takes, and images other than a DOM ImageData.
type InitEmscripten = (module: object, options: EmscriptenOptions) => Promise<void>;
type InitBindgen = (module: object) => Promise<unknown>;
type Encode = (image: RgbaImage, options: { quality: number }) => Promise<ArrayBuffer>;
interface EmscriptenOptions {
  print(line: string): void;
  printErr(line: string): void;
}

/** The JPEG decoder's warnings about the current file. */
let jpegWarnings: string[] = [];

const silent: EmscriptenOptions = { print: () => {}, printErr: () => {} };
const attentive: EmscriptenOptions = { print: () => {}, printErr: (line) => jpegWarnings.push(line) };

type Codec = keyof CodecModules | "pngEncode";

const OPENERS: Record<Codec, (sources: CodecSources) => Promise<unknown>> = {
  jpegDecode: async ({ jpegDecode }) =>
    (initJpegDecoder as unknown as InitEmscripten)(await moduleOf(jpegDecode), attentive),
  jpegEncode: async ({ jpegEncode }) =>
    (initJpegEncoder as unknown as InitEmscripten)(await moduleOf(jpegEncode), silent),
  webpDecode: async ({ webpDecode }) =>
    (initWebpDecoder as unknown as InitEmscripten)(await moduleOf(webpDecode), silent),
  pngDecode: async ({ pngDecode }) => (initPngDecoder as unknown as InitBindgen)(await moduleOf(pngDecode)),
  pngEncode: async ({ pngDecode }) => (initPngEncoder as unknown as InitBindgen)(await moduleOf(pngDecode)),
};

let sources: CodecSources | null = null;

/** The codecs that are open, or being opened. */
const opened = new Map<Codec, Promise<unknown>>();

/**
 * Chooses the modules of the codecs, which open on first use. Call it once, before the first image. The codecs'
 * memory never shrinks, and a refused file may leak some of it, so a long-lived host should end the thread that runs
 * them from time to time.
 */
export function loadCodecs(modules: CodecSources): void {
  sources = modules;
  opened.clear();
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
}

function moduleOf(source: object | (() => Promise<object>)): object | Promise<object> {
  return typeof source === "function" ? (source as () => Promise<object>)() : source;
}

/** Opens a codec unless it is open. */
export async function openCodec(codec: Codec): Promise<void> {
  if (!sources) throw new Error("The image codecs are not loaded. Call loadCodecs first.");
  const opening = opened.get(codec) ?? OPENERS[codec](sources);
  opened.set(codec, opening);
  try {
    await opening;
  } catch (error) {
    // The next image tries again.
    opened.delete(codec);
    throw error;
  }
}

/** Decodes a file to the stored pixels. Rejects when the file is damaged. */
type Decoder = (file: Uint8Array) => Promise<RgbaImage>;

/** Opens the decoder of a format. It ignores EXIF orientation, which `decodeImage` applies. */
export async function openDecoder(format: ImageFormat): Promise<Decoder> {
  const { codec, decode } = DECODERS[format];
  await openCodec(codec);
  return decode;
}

const DECODERS: Record<ImageFormat, { readonly codec: keyof CodecModules; readonly decode: Decoder }> = {
  jpeg: { codec: "jpegDecode", decode: decodeJpeg },
  // To 8 bits per channel, including palette, grey, 16-bit and interlaced files.
  png: { codec: "pngDecode", decode: decodePngFile as unknown as Decoder },
  webp: { codec: "webpDecode", decode: decodeWebpFile as unknown as Decoder },
};

async function decodeJpeg(file: Uint8Array): Promise<RgbaImage> {
  jpegWarnings = [];
  const image = await (decodeJpegFile as unknown as Decoder)(file);
  // MozJPEG fills missing data with grey and reports success.
  const cutOff = jpegWarnings.find((line) => line.includes("Premature end"));
  if (cutOff) throw new Error(cutOff);
  return image;
}

/** Encodes a JPEG file and drops alpha. `quality` is 0 to 100. */
export async function encodeJpeg(image: RgbaImage, quality: number): Promise<Uint8Array> {
  await openCodec("jpegEncode");
  return new Uint8Array(await (encodeJpegFile as unknown as Encode)(image, { quality }));
}
