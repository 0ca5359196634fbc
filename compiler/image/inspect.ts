import { CompileError, type Size } from "../types.ts";
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
interface Header extends Size {
  readonly orientation: Orientation;
}

const EXPECTED = "expected a JPEG, PNG or WebP photo";

/** Bytes at the start of a file by which its format is recognised, or named if it is another one. */
const SNIFFED_BYTES = 8192;

/** Most bytes of EXIF data that are read. In a JPEG they cannot be more. */
const MAX_EXIF_BYTES = 65_536;

/**
 * Reads the headers of an image file, without decoding it, and checks the limits.
 *
 * @param bytes the whole file
 * @throws CompileError `empty_file`, `image_too_many_bytes`, `not_an_image`, `unsupported_format`,
 * `image_damaged`, `image_too_many_pixels`, `image_too_many_scans`, `image_too_small`
 */
export function inspectImage(bytes: Uint8Array): ImageInfo {
  const inspector = new ImageInspector(bytes.length);
  inspector.write(bytes);
  return inspector.end();
}

/** `inspectImage` for a file that arrives in chunks. Keeps at most a header's bytes and one chunk. */
export class ImageInspector {
  readonly #file: ArrivingFile;
  readonly #reading: Reading<ImageInfo>;
  #info: ImageInfo | undefined;

  /**
   * @param bytes of the whole file
   * @throws CompileError `empty_file`, `image_too_many_bytes`
   */
  constructor(bytes: number) {
    if (bytes === 0) throw new CompileError("empty_file", `The file is empty (0 bytes); ${EXPECTED}.`);
    checkImageBytes(bytes);
    this.#file = new ArrivingFile(bytes);
    this.#reading = readInfo(this.#file);
  }

  /** Null until the file's first bytes have arrived. */
  get mime(): ImageInfo["mime"] | null {
    const { format } = this.#file;
    return format && `image/${format}`;
  }

  /** Takes the next bytes, which the caller must not change afterwards. @throws CompileError as `inspectImage` does */
  write(chunk: Uint8Array): void {
    if (this.#info) return;
    this.#file.append(chunk);
    const step = this.#reading.next();
    if (step.done) this.#info = step.value;
  }

  /** Returns the result. @throws RangeError before all bytes were written */
  end(): ImageInfo {
    if (this.#info) return this.#info;
    throw new RangeError(`Expected ${this.#file.total} bytes, got ${this.#file.end}.`);
  }
}

/** Reads from a file; every step waits for its next chunk. */
type Reading<Result> = Generator<void, Result, void>;

/** A file whose bytes arrive in order. Forgets the bytes before `at`. */
class ArrivingFile {
  /** Bytes of the whole file. */
  readonly total: number;
  /** The offset from which the file is read next. It may be ahead of the bytes that have arrived. */
  at = 0;
  /** Null until it is known. */
  format: ImageFormat | null = null;
  #bytes = new Uint8Array(0);
  /** Offset of the first of `#bytes`. */
  #start = 0;

  constructor(total: number) {
    this.total = total;
  }

  /** The number of bytes that have arrived. */
  get end(): number {
    return this.#start + this.#bytes.length;
  }

  append(chunk: Uint8Array): void {
    const unread = this.#bytes.subarray(Math.min(this.at, this.end) - this.#start);
    this.#start = this.end - unread.length;
    this.#bytes = new Uint8Array(0);
    if (unread.length === 0) {
      this.#bytes = chunk as Uint8Array<ArrayBuffer>;
    } else {
      this.#bytes = new Uint8Array(unread.length + chunk.length);
      this.#bytes.set(unread);
      this.#bytes.set(chunk, unread.length);
    }
  }

  /** Returns the bytes from `at` on that have arrived: at least `count`, or all up to the end of the file. */
  *ahead(count: number): Reading<Uint8Array> {
    while (this.end < Math.min(this.at + count, this.total)) yield;
    return this.#bytes.subarray(this.at - this.#start);
  }
}

function* readInfo(file: ArrivingFile): Reading<ImageInfo> {
  const format = formatOf(yield* file.ahead(SNIFFED_BYTES));
  file.format = format;
  const { width, height, orientation } = yield* HEADERS[format](file);
  const turned = swapsSides(orientation);
  return {
    format,
    mime: `image/${format}`,
    width: turned ? height : width,
    height: turned ? width : height,
    orientation,
  };
}

/** Throws CompileError `image_too_many_pixels` or `image_too_small`, before more of the file is read. */
function checkSize({ width, height }: Size): void {
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
}

/** Throws CompileError `image_too_many_bytes` for a file of too many bytes, before it is read. */
export function checkImageBytes(bytes: number): void {
  if (bytes <= MAX_IMAGE_BYTES) return;
  throw new CompileError(
    "image_too_many_bytes",
    `The file is ${megabytes(bytes)}; expected at most ${megabytes(MAX_IMAGE_BYTES)}.`,
  );
}

const HEADERS: Record<ImageFormat, (file: ArrivingFile) => Reading<Header>> = {
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
function* jpegHeader(file: ArrivingFile): Reading<Header> {
  let orientation: Orientation | null = null;
  file.at = 2;
  for (;;) {
    const head = yield* file.ahead(4);
    let fill = 0;
    while (head[fill] === 0xff && head[fill + 1] === 0xff) fill++;
    if (fill > 0) {
      file.at += fill;
      continue;
    }
    if (head.length < 4) throw damaged("the JPEG ends before its frame header");
    const offset = file.at;
    const marker = head[1];
    const length = (head[2] << 8) | head[3];
    if (head[0] !== 0xff || marker === 0xda || marker === 0xd9) {
      throw damaged(`the JPEG has no frame header before byte ${offset}`);
    }
    // MozJPEG passes over such a marker, not over a segment, and would read another file than this.
    if (!isFrameHeader(marker) && !isSegment(marker)) {
      throw damaged(`the JPEG has no segment at byte ${offset}`);
    }
    const end = offset + 2 + length;
    if (length < 2 || end > file.total)
      throw damaged(`the JPEG segment at byte ${offset} is longer than the file`);
    const segment = (yield* file.ahead(2 + length)).subarray(4, 2 + length);
    file.at = end;
    if (marker === 0xe1 && orientation === null && hasAscii(segment, 0, "Exif\0\0")) {
      orientation = readOrientation(segment);
    } else if (isFrameHeader(marker)) {
      const frame = jpegFrame(marker, segment);
      checkSize(frame);
      yield* assertFewScans(file, frame);
      return { ...frame, orientation: orientation ?? 1 };
    }
  }
}

/** Returns whether a marker is SOF0 … SOF15; three markers in that range are not frame headers. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function jpegFrame(marker: number, segment: Uint8Array): Size {
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

function* assertFewScans(file: ArrivingFile, { width, height }: Size): Reading<void> {
  const most = Math.min(MAX_JPEG_SCANS, Math.max(1, Math.floor(MAX_SCANNED_PIXELS / (width * height))));
  if ((yield* countScans(file, most)) <= most) return;
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
function* countScans(file: ArrivingFile, most: number): Reading<number> {
  let scans = 0;
  while (file.at + 3 < file.total) {
    const bytes = yield* file.ahead(4);
    let at = 0;
    while (at + 3 < bytes.length) {
      if (bytes[at] !== 0xff) {
        at += 1;
        continue;
      }
      const marker = bytes[at + 1];
      if (marker === END_OF_IMAGE) return scans;
      if (marker === START_OF_SCAN && ++scans > most) return scans;
      if (marker === 0xff) at += 1;
      else if (isSegment(marker)) at += 2 + Math.max(2, (bytes[at + 2] << 8) | bytes[at + 3]);
      else at += 2;
    }
    file.at += at;
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
function* pngHeader(file: ArrivingFile): Reading<Header> {
  const head = yield* file.ahead(33);
  const view = viewOf(head);
  if (head.length < 33 || view.getUint32(8) !== 13 || !hasAscii(head, 12, "IHDR")) {
    throw damaged("the PNG does not begin with its header");
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  if (width === 0 || height === 0) throw damaged(`the PNG's header says ${width} × ${height} pixels`);
  checkSize({ width, height });
  file.at = 33;
  while (file.at + 12 <= file.total) {
    const chunk = yield* file.ahead(8);
    if (hasAscii(chunk, 4, "IEND")) break;
    const length = viewOf(chunk).getUint32(0);
    if (length > file.total - file.at - 12)
      throw damaged(`the PNG chunk at byte ${file.at} is longer than the file`);
    if (hasAscii(chunk, 4, "eXIf"))
      return { width, height, orientation: yield* exifOrientation(file, length) };
    file.at += 12 + length;
  }
  return { width, height, orientation: 1 };
}

/** Reads the RIFF chunks of a WebP (RFC 9649): the size from the first, the EXIF chunk after the pixels. */
function* webpHeader(file: ArrivingFile): Reading<Header> {
  const head = yield* file.ahead(30);
  if (head.length < 30) throw damaged("the WebP ends before its header");
  const end = 8 + viewOf(head).getUint32(4, true);
  if (end > file.total) throw damaged(`the WebP has ${file.total} bytes, but its header says ${end}`);
  const size = webpSize(head, viewOf(head));
  checkSize(size);
  file.at = 12;
  while (file.at + 8 <= end) {
    const chunk = yield* file.ahead(8);
    const length = viewOf(chunk).getUint32(4, true);
    if (length > end - file.at - 8)
      throw damaged(`the WebP chunk at byte ${file.at} is longer than the file`);
    if (hasAscii(chunk, 0, "EXIF")) return { ...size, orientation: yield* exifOrientation(file, length) };
    file.at += 8 + length + (length & 1);
  }
  return { ...size, orientation: 1 };
}

/** Reads the orientation from the PNG or WebP chunk at `file.at`, whose data begins after 8 bytes. */
function* exifOrientation(file: ArrivingFile, length: number): Reading<Orientation> {
  const end = 8 + Math.min(length, MAX_EXIF_BYTES);
  return readOrientation((yield* file.ahead(end)).subarray(8, end));
}

function webpSize(bytes: Uint8Array, view: DataView): Size {
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
