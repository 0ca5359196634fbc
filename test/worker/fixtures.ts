import { compileTarget } from "../../compiler/compile.ts";
import { encodeMind } from "../../compiler/mind.ts";
import type { CompileOptions, GreyImage, ImageTarget } from "../../compiler/types.ts";

/** Files for the tests of the Worker, which reads markers and the headers of images, but decodes no pixels. */

export const WIDTH = 240;
export const HEIGHT = 180;

/** Returns the headers of a PNG of this size, followed by bytes that make it unique. */
export function png(width = WIDTH, height = HEIGHT, salt = crypto.randomUUID()): Uint8Array<ArrayBuffer> {
  const tail = new TextEncoder().encode(salt);
  const bytes = new Uint8Array(8 + 25 + 12 + tail.length + 12);
  const view = new DataView(bytes.buffer);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  view.setUint32(8, 13);
  ascii(bytes, 12, "IHDR");
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2, 0, 0, 0], 24);
  view.setUint32(33, tail.length);
  ascii(bytes, 37, "tEXt");
  bytes.set(tail, 41);
  ascii(bytes, bytes.length - 8, "IEND");
  return bytes;
}

/** Returns a baseline JPEG of this size up to its frame header, padded to `length` bytes. */
export function jpeg(width: number, height: number, length = 64): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  bytes.set([0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3]);
  return bytes;
}

/** Paints blocks of random grey: a texture with many corners, the same for the same seed. */
export function texture(width = WIDTH, height = HEIGHT, seed = 7): GreyImage {
  const data = new Uint8Array(width * height);
  const block = 6;
  const columns = Math.ceil(width / block);
  const greys = new Uint8Array(columns * Math.ceil(height / block));
  let state = seed;
  for (let i = 0; i < greys.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    greys[i] = state >>> 24;
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[y * width + x] = greys[Math.floor(y / block) * columns + Math.floor(x / block)];
    }
  }
  return { data, width, height };
}

export function target(width = WIDTH, height = HEIGHT, options: CompileOptions = {}): ImageTarget {
  return compileTarget(texture(width, height), options);
}

/** Returns a marker made by the real compiler. */
export function mind(targets: readonly ImageTarget[] = [target()]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeMind(targets));
}

/** Returns the first bytes of a video, padded to `length`. */
export function video(type: "mp4" | "webm" | "mov", length = 5000): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31) & 255;
  if (type === "webm") bytes.set([0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x82, 0x84, 0x77, 0x65, 0x62, 0x6d]);
  else bytes.set(ftyp(type === "mp4" ? "isom" : "qt  "));
  return bytes;
}

/** Returns the first box of an MP4. */
export function ftyp(major: string, compatible: readonly string[] = [], size = 16 + 4 * compatible.length) {
  const bytes = new Uint8Array(16 + 4 * compatible.length);
  new DataView(bytes.buffer).setUint32(0, size);
  ascii(bytes, 4, `ftyp${major}\0\0\0\0${compatible.join("")}`);
  return bytes;
}

function ascii(bytes: Uint8Array, offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[offset + i] = text.charCodeAt(i);
}
