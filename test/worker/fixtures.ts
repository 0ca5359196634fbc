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

/** Returns a video of `length` bytes whose header can be read, and whose frames are noise. */
export function video(type: "mp4" | "webm" | "mov", length = 5000): Uint8Array<ArrayBuffer> {
  if (type === "webm") return webm({ length });
  return mp4({ length, ftyp: ftyp(type === "mp4" ? "isom" : "qt  ") });
}

/** What the tests' videos contain. */
export interface VideoTraits {
  readonly length?: number;
  /** The file's own name of the codec; null: no video track. */
  readonly codec?: string | null;
  /** Likewise of the sound. */
  readonly sound?: string | null;
  readonly width?: number;
  readonly height?: number;
  /** Seconds; 0: unknown. */
  readonly duration?: number;
}

export function mp4({
  length = 5000,
  codec = "avc1",
  sound = null,
  width = 320,
  height = 240,
  duration = 3,
  isTurned = false,
  isFastStart = true,
  ftyp: start = ftyp("isom"),
}: VideoTraits & {
  /** Whether players turn it by 90°. */
  readonly isTurned?: boolean;
  readonly isFastStart?: boolean;
  readonly ftyp?: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const unit = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
  const turned = [0, 0x10000, 0, -0x10000, 0, 0, height << 16, 0, 0x40000000];
  const track = (id: number, handler: string, entry: Uint8Array, matrix: readonly number[]) =>
    box(
      "trak",
      box("tkhd", u32(1, 0, 0, id, 0, duration * 1000, 0, 0, 0, 0, ...matrix, width << 16, height << 16)),
      box(
        "mdia",
        box("mdhd", u32(0, 0, 0, 1000, duration * 1000, 0x55c40000)),
        box("hdlr", u32(0, 0), latin1(handler), new Uint8Array(13)),
        box("minf", box("stbl", box("stsd", u32(0, 1), entry))),
      ),
    );
  const tracks: Uint8Array[] = [];
  if (codec) {
    const size = u32((width << 16) | height, 0x480000, 0x480000, 0);
    const entry = box(codec, u32(0, 1, 0, 0, 0, 0), size, u32(0x10000), new Uint8Array(28), u32(0x18ffff));
    tracks.push(track(1, "vide", entry, isTurned ? turned : unit));
  }
  if (sound) {
    const entry = box(sound, u32(0, 1, 0, 0, 0x20010, 0, 48_000 * 65_536), sound === "mp4a" ? AAC : u32());
    tracks.push(track(2, "soun", entry, unit));
  }
  const header = u32(0, 0, 0, 1000, duration * 1000, 0x10000, 0x1000000, 0, 0, ...unit, 0, 0, 0, 0, 0, 0, 3);
  const moov = box("moov", box("mvhd", header), ...tracks);
  const mdat = box("mdat", noise(length - start.length - moov.length - 8));
  return joined(isFastStart ? [start, moov, mdat] : [start, mdat, moov]);
}

/** The box of a sound track that says that it is AAC. */
const AAC = box(
  "esds",
  Uint8Array.of(0, 0, 0, 0, 3, 25, 0, 2, 0, 4, 17, 0x40, 0x15),
  new Uint8Array(11),
  Uint8Array.of(5, 2, 0x11, 0x90, 6, 1, 2),
);

export function webm({
  length = 5000,
  codec = "V_VP8",
  sound = null,
  width = 320,
  height = 240,
  duration = 3,
  isOpen = false,
}: VideoTraits & {
  /** Whether its segment has no length, as a browser records it. */
  readonly isOpen?: boolean;
}): Uint8Array<ArrayBuffer> {
  const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
  const seconds = new Uint8Array(8);
  new DataView(seconds.buffer).setFloat64(0, duration * 1000);
  const track = (number: number, id: string, ...rest: Uint8Array[]) =>
    element(
      [0xae],
      element([0xd7], Uint8Array.of(number)),
      element([0x73, 0xc5], Uint8Array.of(number)),
      element([0x83], Uint8Array.of(number)),
      element([0x86], latin1(id)),
      ...rest,
    );
  const tracks: Uint8Array[] = [];
  if (codec)
    tracks.push(track(1, codec, element([0xe0], element([0xb0], u16(width)), element([0xba], u16(height)))));
  if (sound) tracks.push(track(2, sound, element([0xe1], element([0x9f], Uint8Array.of(2)))));
  const head = element([0x1a, 0x45, 0xdf, 0xa3], element([0x42, 0x82], latin1("webm")));
  const info = element([0x15, 0x49, 0xa9, 0x66], ...(duration > 0 ? [element([0x44, 0x89], seconds)] : []));
  const tracksElement = element([0x16, 0x54, 0xae, 0x6b], ...tracks);
  // The lengths of the segment and the cluster take 8 bytes each.
  const rest = length - head.length - 12 - info.length - tracksElement.length - 12;
  const cluster = element([0x1f, 0x43, 0xb6, 0x75], noise(rest));
  const segment = element([0x18, 0x53, 0x80, 0x67], info, tracksElement, cluster);
  if (isOpen) segment.fill(0xff, 5, 12);
  return joined([head, segment]);
}

/** Returns a box of an MP4. */
export function box(type: string, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, part) => sum + part.length, 8);
  return joined([u32(length), latin1(type), ...contents]);
}

/** Returns an element of a WebM, whose length takes 1 byte or 8. */
export function element(id: readonly number[], ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const size = length < 127 ? Uint8Array.of(0x80 | length) : u32(0x01000000, length);
  return joined([Uint8Array.from(id), size, ...contents]);
}

function u32(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, i) => {
    new DataView(bytes.buffer).setUint32(4 * i, value);
  });
  return bytes;
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31) & 255;
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
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
