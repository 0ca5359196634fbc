// Makes image files for the tests: jSquash encodes the pixels, the code below writes the rest.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { crc32, deflateSync } from "node:zlib";
import encodeJpegFile, { init as initJpegEncoder } from "@jsquash/jpeg/encode.js";
import encodePngFile, { init as initPng } from "@jsquash/png/encode.js";
import encodeWebpFile, { init as initWebpEncoder } from "@jsquash/webp/encode.js";
import { loadCodecs } from "../../../compiler/image/codecs.ts";
import type { RgbaImage } from "../../../compiler/types.ts";

const require = createRequire(import.meta.url);

function wasm(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(require.resolve(path)));
}

/** Loads the codecs under test and the encoders below. */
export async function loadTestCodecs(): Promise<void> {
  const png = wasm("@jsquash/png/codec/pkg/squoosh_png_bg.wasm");
  const jpegEncode = wasm("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm");
  loadCodecs({
    jpegDecode: wasm("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
    pngDecode: png,
    webpDecode: wasm("@jsquash/webp/codec/dec/webp_dec.wasm"),
    jpegEncode,
  });
  await initPng(png);
  await (initJpegEncoder as unknown as (module: unknown) => Promise<void>)(jpegEncode);
  await (initWebpEncoder as unknown as (module: unknown) => Promise<void>)(
    wasm("@jsquash/webp/codec/enc/webp_enc_simd.wasm"),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: the encoders ask for a DOM ImageData and take any object like it
const loose = (image: object) => image as any;

export async function jpegFile(image: RgbaImage, options: object = { quality: 92 }): Promise<Buffer> {
  return Buffer.from(await encodeJpegFile(loose(image), options));
}

export async function pngFile(image: RgbaImage): Promise<Buffer> {
  return Buffer.from(await encodePngFile(loose(image)));
}

/** Encodes 16 bits per channel. Both bytes of a value repeat the 8-bit one. */
export async function png16File(image: RgbaImage): Promise<Buffer> {
  const data = Uint16Array.from(image.data, (value) => value * 257);
  return Buffer.from(await encodePngFile(loose({ ...image, data }), { bitDepth: 16 }));
}

export async function webpFile(image: RgbaImage, options: object = {}): Promise<Buffer> {
  return Buffer.from(await encodeWebpFile(loose(image), options));
}

/** Writes a PNG of any colour type and depth, with or without Adam7, and filter 0 on every row. */
export function rawPng(
  header: { width: number; height: number; depth: number; colorType: number; interlace?: boolean },
  rows: readonly Uint8Array[],
  palette?: Uint8Array,
): Buffer {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(header.width, 0);
  ihdr.writeUInt32BE(header.height, 4);
  ihdr.set([header.depth, header.colorType, 0, 0, header.interlace ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", ihdr),
    ...(palette ? [pngChunk("PLTE", palette)] : []),
    pngChunk("IDAT", deflateSync(Buffer.concat(rows.flatMap((row) => [Buffer.of(0), row])))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Returns an EXIF block (TIFF header and one directory). Orientation is the last of three entries. */
export function exif(orientation: number, littleEndian = false): Buffer {
  const bytes = Buffer.alloc(8 + 2 + 3 * 12 + 4);
  const u16 = (value: number, offset: number) =>
    littleEndian ? bytes.writeUInt16LE(value, offset) : bytes.writeUInt16BE(value, offset);
  const u32 = (value: number, offset: number) =>
    littleEndian ? bytes.writeUInt32LE(value, offset) : bytes.writeUInt32BE(value, offset);
  bytes.write(littleEndian ? "II" : "MM", "latin1");
  u16(42, 2);
  u32(8, 4);
  u16(3, 8);
  for (const [i, [tag, value]] of [
    [0x0100, 160],
    [0x0101, 130],
    [0x0112, orientation],
  ].entries()) {
    u16(tag, 10 + 12 * i);
    u16(3, 12 + 12 * i);
    u32(1, 14 + 12 * i);
    u16(value, 18 + 12 * i);
  }
  return bytes;
}

/** Puts an APP1 segment with the EXIF block right after the JFIF header. */
export function jpegWithExif(file: Buffer, block: Buffer): Buffer {
  const jfifEnd = 4 + file.readUInt16BE(4);
  return Buffer.concat([
    file.subarray(0, jfifEnd),
    jpegSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), block])),
    file.subarray(jfifEnd),
  ]);
}

export function jpegSegment(marker: number, data: Uint8Array): Buffer {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** Puts an eXIf chunk before the pixels, or after them. */
export function pngWithExif(file: Buffer, block: Buffer, afterPixels = false): Buffer {
  const at = afterPixels ? file.length - 12 : 33;
  return Buffer.concat([file.subarray(0, at), pngChunk("eXIf", block), file.subarray(at)]);
}

/** Wraps a simple WebP into the extended format: VP8X, pixels, EXIF. */
export function webpWithExif(file: Buffer, width: number, height: number, block: Buffer): Buffer {
  const header = Buffer.alloc(10);
  header[0] = 0x08;
  header.writeUIntLE(width - 1, 4, 3);
  header.writeUIntLE(height - 1, 7, 3);
  return riff(webpChunk("VP8X", header), file.subarray(12), webpChunk("EXIF", block));
}

export function webpChunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(type, "latin1"), length, data, Buffer.alloc(data.length & 1)]);
}

export function riff(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from("WEBP", "latin1"), ...chunks]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from("RIFF", "latin1"), length, body]);
}

/** Paints a gradient that looks different in each orientation, and that is smooth enough for JPEG. */
export function gradient(width: number, height: number): RgbaImage {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      data[i] = (255 * x) / width;
      data[i + 1] = (255 * y) / height;
      data[i + 2] = (128 * (x + y)) / (width + height);
      data[i + 3] = 255;
    }
  }
  return { data, width, height };
}

/** Returns the largest difference of two images of the same size, over all channels. */
export function largestDifference(a: RgbaImage, b: RgbaImage): number {
  if (a.width !== b.width || a.height !== b.height) {
    throw new Error(`${a.width} × ${a.height} against ${b.width} × ${b.height}`);
  }
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) largest = Math.max(largest, Math.abs(a.data[i] - b.data[i]));
  return largest;
}
