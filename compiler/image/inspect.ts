import { CompileError } from "../types.ts";
import { type Orientation, readOrientation, swapsSides } from "./orientation.ts";
import { hasAscii, SIGNATURES, sniffForeignFile } from "./sniff.ts";

export const MAX_IMAGE_BYTES = 20_000_000;
/** A photo of 50 megapixels is 200 MB of RGBA, which still fits into a phone's browser. */
export const MAX_IMAGE_PIXELS = 50_000_000;
/**
 * Most scans of a JPEG. Cameras and editors write up to about 15; MozJPEG decodes each one over the whole image, so
 * a small file with thousands of them takes minutes.
 */
const MAX_JPEG_SCANS = 100;
/** Scans × pixels: 30 scans of the largest image, and all 100 up to 15 megapixels. */
const MAX_SCANNED_PIXELS = 1_500_000_000;
/** Smaller images have too few points for the player. */
export const MIN_IMAGE_SIDE = 128;

export type ImageFormat = "jpeg" | "png" | "webp";

export interface ImageInfo {
  readonly format: ImageFormat;
  readonly mime: `image/${ImageFormat}`;
  /** Upright size, pixels. */
  readonly width: number;
  readonly height: number;
  /** The turn that makes the stored pixels upright. */
  readonly orientation: Orientation;
}

/** The stored size and orientation from the file's headers. */
interface Header {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

const EXPECTED = "expected a JPEG, PNG or WebP photo";

/**
 * Reads the headers of an image file, without decoding it, and checks the limits.
 *
 * @param bytes the whole file
 * @throws CompileError `empty_file`, `image_too_many_bytes`, `not_an_image`, `unsupported_format`,
 * `image_damaged`, `image_too_many_pixels`, `image_too_many_scans`, `image_too_small`
 */
export function inspectImage(bytes: Uint8Array): ImageInfo {
  if (bytes.length === 0) throw new CompileError("empty_file", `The file is empty (0 bytes); ${EXPECTED}.`);
  checkImageBytes(bytes.length);
  const format = formatOf(bytes);
  const { width, height, orientation } = HEADERS[format](bytes);
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new CompileError(
      "image_too_many_pixels",
      `The image has ${width} × ${height} = ${megapixels(width * height)}; expected at most ${megapixels(MAX_IMAGE_PIXELS)}.`,
    );
  }
  if (Math.min(width, height) < MIN_IMAGE_SIDE) {
    throw new CompileError(
      "image_too_small",
      `The image has ${width} × ${height} pixels; expected at least ${MIN_IMAGE_SIDE} on its shorter side.`,
    );
  }
  const turned = swapsSides(orientation);
  return {
    format,
    mime: `image/${format}`,
    width: turned ? height : width,
    height: turned ? width : height,
    orientation,
  };
}

/** Throws CompileError `image_too_many_bytes` for a file of too many bytes, before it is read. */
export function checkImageBytes(bytes: number): void {
  if (bytes <= MAX_IMAGE_BYTES) return;
  throw new CompileError(
    "image_too_many_bytes",
    `The file is ${megabytes(bytes)}; expected at most ${megabytes(MAX_IMAGE_BYTES)}.`,
  );
}

const HEADERS: Record<ImageFormat, (bytes: Uint8Array) => Header> = {
  jpeg: jpegHeader,
  png: pngHeader,
  webp: webpHeader,
};

function formatOf(bytes: Uint8Array): ImageFormat {
  if (hasAscii(bytes, 0, SIGNATURES.jpeg)) return "jpeg";
  if (hasAscii(bytes, 0, SIGNATURES.png)) return "png";
  if (hasAscii(bytes, 0, SIGNATURES.riff) && hasAscii(bytes, 8, "WEBP")) return "webp";
  const foreign = sniffForeignFile(bytes);
  if (foreign?.visual) throw unsupported(foreign.name);
  const what = foreign ? `This is ${foreign.name}` : "This is not an image of a known format";
  throw new CompileError("not_an_image", `${what}; ${EXPECTED}.`);
}

function unsupported(name: string): CompileError {
  return new CompileError("unsupported_format", `This is ${name}; ${EXPECTED}.`);
}

function damaged(sentence: string): CompileError {
  return new CompileError("image_damaged", `The image is damaged or cut off: ${sentence}.`);
}

/**
 * Reads the segments of a JPEG (ITU-T T.81, annex B) up to the frame header, and counts the scans after it. Accepts the frames that every
 * browser decodes: sequential and progressive Huffman frames of 8 bits with one or three components.
 */
function jpegHeader(bytes: Uint8Array): Header {
  let orientation: Orientation | null = null;
  let offset = 2;
  for (;;) {
    while (bytes[offset] === 0xff && bytes[offset + 1] === 0xff) offset++;
    if (offset + 4 > bytes.length) throw damaged("the JPEG ends before its frame header");
    const marker = bytes[offset + 1];
    const length = (bytes[offset + 2] << 8) | bytes[offset + 3];
    if (bytes[offset] !== 0xff || marker === 0xda || marker === 0xd9) {
      throw damaged(`the JPEG has no frame header before byte ${offset}`);
    }
    // MozJPEG passes over such a marker, not over a segment, and would read another file than this.
    if (!isFrameHeader(marker) && !isSegment(marker)) {
      throw damaged(`the JPEG has no segment at byte ${offset}`);
    }
    const end = offset + 2 + length;
    if (length < 2 || end > bytes.length)
      throw damaged(`the JPEG segment at byte ${offset} is longer than the file`);
    const segment = bytes.subarray(offset + 4, end);
    if (marker === 0xe1 && orientation === null && hasAscii(segment, 0, "Exif\0\0")) {
      orientation = readOrientation(segment);
    } else if (isFrameHeader(marker)) {
      const frame = jpegFrame(marker, segment);
      assertFewScans(bytes, end, frame);
      return { ...frame, orientation: orientation ?? 1 };
    }
    offset = end;
  }
}

/** Returns whether a marker is SOF0 … SOF15; three markers in that range are not frame headers. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function jpegFrame(marker: number, segment: Uint8Array): { width: number; height: number } {
  if (segment.length < 6) throw damaged("the JPEG's frame header is too short");
  const precision = segment[0];
  const height = (segment[1] << 8) | segment[2];
  const width = (segment[3] << 8) | segment[4];
  const components = segment[5];
  if (marker > 0xc2) {
    const kind = marker === 0xc3 ? "a lossless" : marker >= 0xc9 ? "an arithmetic-coded" : "a hierarchical";
    throw unsupported(`${kind} JPEG image`);
  }
  if (precision !== 8) throw unsupported(`a JPEG image of ${precision} bits a channel`);
  if (components === 4) throw unsupported("a CMYK JPEG image, made for printing presses");
  if (components !== 1 && components !== 3) throw unsupported(`a JPEG image of ${components} components`);
  if (width === 0 || height === 0) throw damaged(`the JPEG's header says ${width} × ${height} pixels`);
  return { width, height };
}

function assertFewScans(
  bytes: Uint8Array,
  from: number,
  { width, height }: { width: number; height: number },
): void {
  const most = Math.min(MAX_JPEG_SCANS, Math.max(1, Math.floor(MAX_SCANNED_PIXELS / (width * height))));
  if (countScans(bytes, from, most) <= most) return;
  throw new CompileError(
    "image_too_many_scans",
    `The JPEG of ${width} × ${height} pixels has more than ${most} scans; expected at most ${most}. Save it again.`,
  );
}

/**
 * Counts the scans after a JPEG's frame header, up to one more than `most`. Reads markers as MozJPEG does: it passes
 * over segments whose length it knows and searches everything else for the next marker. Where the two could differ
 * this searches, so that it may count a scan too many but never one too few.
 */
function countScans(bytes: Uint8Array, from: number, most: number): number {
  let scans = 0;
  for (let at = from; at + 3 < bytes.length; ) {
    if (bytes[at] !== 0xff) {
      at += 1;
      continue;
    }
    const marker = bytes[at + 1];
    if (marker === END_OF_IMAGE) break;
    if (marker === START_OF_SCAN && ++scans > most) break;
    if (marker === 0xff) at += 1;
    else if (isSegment(marker)) at += 2 + Math.max(2, (bytes[at + 2] << 8) | bytes[at + 3]);
    else at += 2;
  }
  return scans;
}

const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;

/** Returns whether a marker begins a segment other than the frame header: tables, a scan, APPn, a comment. */
function isSegment(marker: number): boolean {
  const isTable = marker === 0xc4 || marker === 0xcc || (marker >= 0xdb && marker <= 0xdd);
  return isTable || marker === START_OF_SCAN || (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
}

/** Reads IHDR and eXIf of a PNG (W3C, third edition). eXIf may come after the pixels. */
function pngHeader(bytes: Uint8Array): Header {
  const view = viewOf(bytes);
  if (bytes.length < 33 || view.getUint32(8) !== 13 || !hasAscii(bytes, 12, "IHDR")) {
    throw damaged("the PNG does not begin with its header");
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  if (width === 0 || height === 0) throw damaged(`the PNG's header says ${width} × ${height} pixels`);
  let orientation: Orientation = 1;
  let offset = 33;
  while (offset + 12 <= bytes.length && !hasAscii(bytes, offset + 4, "IEND")) {
    const length = view.getUint32(offset);
    if (length > bytes.length - offset - 12)
      throw damaged(`the PNG chunk at byte ${offset} is longer than the file`);
    if (hasAscii(bytes, offset + 4, "eXIf")) {
      orientation = readOrientation(bytes.subarray(offset + 8, offset + 8 + length));
      break;
    }
    offset += 12 + length;
  }
  return { width, height, orientation };
}

/** Reads the RIFF chunks of a WebP (RFC 9649): the size from the first, the EXIF chunk after the pixels. */
function webpHeader(bytes: Uint8Array): Header {
  if (bytes.length < 30) throw damaged("the WebP ends before its header");
  const view = viewOf(bytes);
  const end = 8 + view.getUint32(4, true);
  if (end > bytes.length) throw damaged(`the WebP has ${bytes.length} bytes, but its header says ${end}`);
  const size = webpSize(bytes, view);
  let orientation: Orientation = 1;
  let offset = 12;
  while (offset + 8 <= end) {
    const length = view.getUint32(offset + 4, true);
    if (length > end - offset - 8) throw damaged(`the WebP chunk at byte ${offset} is longer than the file`);
    if (hasAscii(bytes, offset, "EXIF")) {
      orientation = readOrientation(bytes.subarray(offset + 8, offset + 8 + length));
      break;
    }
    offset += 8 + length + (length & 1);
  }
  return { ...size, orientation };
}

function webpSize(bytes: Uint8Array, view: DataView): { width: number; height: number } {
  if (hasAscii(bytes, 12, "VP8 ") && hasAscii(bytes, 23, "\x9d\x01\x2a")) {
    const width = view.getUint16(26, true) & 0x3fff;
    const height = view.getUint16(28, true) & 0x3fff;
    if (width > 0 && height > 0) return { width, height };
  } else if (hasAscii(bytes, 12, "VP8L") && bytes[20] === 0x2f) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  } else if (hasAscii(bytes, 12, "VP8X")) {
    if (bytes[20] & 0x02) throw unsupported("an animated WebP image");
    const width = view.getUint16(24, true) + (bytes[26] << 16) + 1;
    const height = view.getUint16(27, true) + (bytes[29] << 16) + 1;
    return { width, height };
  }
  throw damaged("the WebP does not begin with an image");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function megabytes(bytes: number): string {
  return `${(Math.ceil(bytes / 10_000) / 100).toLocaleString("en-US")} MB`;
}

function megapixels(pixels: number): string {
  const hundredths = Math.ceil(pixels / 10_000) / 100;
  return `${(hundredths < 1000 ? hundredths : Math.round(hundredths)).toLocaleString("en-US")} megapixels`;
}
