/**
 * The compact form of a marker: the parts of a `.mind` file that our player needs, in a third of its bytes once it is
 * compressed in transfer.
 *
 * It holds the keyframes' points and the tracking images without loss. It leaves out the cluster trees and the
 * tracking points, which only MindAR's player uses. All numbers are little-endian.
 *
 *     file     = "VMC1" u32 bytes of the file, u16 targets, target…
 *     target   = u32 width, u32 height, u8 keyframes, keyframe…, u8 pictures, picture…
 *     keyframe = u32 width, u32 height, f64 scale, points (maxima), points (minima)
 *     points   = u16 count, u8 form, columns, u32 exceptions, exception…
 *     columns  = form 0: u8 octave[count], f32 x[count], f32 y[count], f32 angle[count], ranks[count]
 *                form 1: f64 x[count], f64 y[count], f64 scale[count], f64 angle[count], ranks[count]
 *     ranks    = 20 bytes: how many of the later samples are darker, for each sample but the last
 *     exception = u16 point, u16 bit
 *     picture  = u32 width, u32 height, f64 scale, width × height differences from the predicted grey level
 *
 * A descriptor's 666 bits say which of two samples is brighter, for all pairs of 37 samples. They follow from the
 * order of the samples by brightness, which takes 159 bits as a Lehmer code: the zeros in each row of comparisons.
 * Samples that are almost equal can contradict every order; those bits are listed as exceptions.
 *
 * Form 0 stores x and y in pixels of the point's octave, where the detector computes them as 32-bit floats. Form 1
 * stores the coordinates of other compilers as they are.
 */

import { InvalidMarkerError, MAX_TARGETS } from "./invalid-marker.ts";
import { packComparisons, SAMPLES } from "./kernels/freak.ts";
import {
  DESCRIPTOR_WORDS,
  type FeaturePoints,
  type GreyImage,
  type PlayerTarget,
  type ScaledImage,
} from "./types.ts";

/** "VMC1". */
const MAGIC = 0x31434d56;

/** Bytes at the start of the file that tell its length. */
const HEAD_BYTES = 8;

const RANK_BYTES = 20;
const MAX_OCTAVE = 10;

/** Bits of each sample's rank among the later ones. */
const RANK_BITS = Uint8Array.from({ length: SAMPLES - 1 }, (_, i) => 32 - Math.clz32(SAMPLES - 1 - i));

/**
 * Writes the compact form of a marker's targets.
 *
 * @throws InvalidMarkerError `malformed` for a marker whose compact form has over `maxBytes`: descriptors that contradict
 *   every order of the samples are listed bit by bit, which takes up to ten times the bytes of a `.mind` file
 */
export function encodeCompact(
  targets: readonly PlayerTarget[],
  maxBytes = Number.POSITIVE_INFINITY,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer(maxBytes);
  writer.u32(MAGIC);
  writer.u32(0);
  writer.u16(targets.length);
  for (const { width, height, keyframes, tracking } of targets) {
    writer.u32(width);
    writer.u32(height);
    writer.u8(keyframes.length);
    for (const keyframe of keyframes) {
      writer.u32(keyframe.width);
      writer.u32(keyframe.height);
      writer.f64(keyframe.scale);
      writePoints(writer, keyframe.maxima);
      writePoints(writer, keyframe.minima);
    }
    writer.u8(tracking.length);
    for (const picture of tracking) {
      writer.u32(picture.width);
      writer.u32(picture.height);
      writer.f64(picture.scale);
      writeDifferences(writer, picture);
    }
  }
  return writer.finish();
}

/**
 * Reads the compact form of a marker.
 *
 * @throws InvalidMarkerError `foreign_file`, `truncated` or `malformed`
 */
export function decodeCompact(bytes: Uint8Array): PlayerTarget[] {
  if (!isCompact(bytes)) {
    throw new InvalidMarkerError("foreign_file", "Not a compact marker: it does not start with VMC1.");
  }
  const length = compactLength(bytes);
  if (bytes.length < length) {
    throw new InvalidMarkerError(
      "truncated",
      `Got ${bytes.length} bytes of a compact marker, expected ${length}.`,
    );
  }
  const reader = new Reader(bytes);
  reader.bytes(HEAD_BYTES);
  const targets = Array.from({ length: reader.count(reader.u16(), MAX_TARGETS, 10) }, () => {
    const width = reader.u32();
    const height = reader.u32();
    const keyframes = Array.from({ length: reader.u8() }, () => ({
      width: reader.u32(),
      height: reader.u32(),
      scale: reader.f64(),
      maxima: readPoints(reader),
      minima: readPoints(reader),
    }));
    const tracking = Array.from({ length: reader.u8() }, () => readPicture(reader));
    return { width, height, keyframes, tracking };
  });
  reader.end();
  return targets;
}

/** Returns whether these are the first bytes of a compact marker, HEAD_BYTES of them or more. */
export function isCompact(start: Uint8Array): boolean {
  return start.length >= HEAD_BYTES && viewOf(start).getUint32(0, true) === MAGIC;
}

/** Returns the number of bytes of the compact marker that starts with these, HEAD_BYTES or more. */
export function compactLength(start: Uint8Array): number {
  return viewOf(start).getUint32(4, true);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Returns the coordinate in pixels of the point's octave; the inverse of `fromOctave`. */
function toOctave(coordinate: number, scale: number): number {
  return (coordinate + 0.5 - scale / 2) / scale;
}

/** Returns a coordinate in keyframe pixels, computed as the detector does. */
function fromOctave(coordinate: number, scale: number): number {
  return coordinate * scale + scale / 2 - 0.5;
}

/** Returns whether form 0 keeps every bit of these points. */
function isCompiledHere({ count, x, y, scale, angle }: FeaturePoints): boolean {
  const survives = (coordinate: number, scale: number) =>
    fromOctave(Math.fround(toOctave(coordinate, scale)), scale) === coordinate;
  for (let i = 0; i < count; i++) {
    const octave = Math.log2(scale[i]);
    const isWhole = Number.isInteger(octave) && octave >= 0 && octave <= MAX_OCTAVE;
    if (!isWhole || Math.fround(angle[i]) !== angle[i]) return false;
    if (!survives(x[i], scale[i]) || !survives(y[i], scale[i])) return false;
  }
  return true;
}

function writePoints(writer: Writer, points: FeaturePoints): void {
  const { count, x, y, scale, angle, descriptors } = points;
  const form = isCompiledHere(points) ? 0 : 1;
  writer.u16(count);
  writer.u8(form);
  if (form === 0) {
    for (let i = 0; i < count; i++) writer.u8(Math.log2(scale[i]));
    for (let i = 0; i < count; i++) writer.f32(toOctave(x[i], scale[i]));
    for (let i = 0; i < count; i++) writer.f32(toOctave(y[i], scale[i]));
    for (let i = 0; i < count; i++) writer.f32(angle[i]);
  } else {
    for (const column of [x, y, scale, angle]) for (let i = 0; i < count; i++) writer.f64(column[i]);
  }
  const exceptions: number[] = [];
  const ranks = new Uint8Array(SAMPLES - 1);
  const ordered = new Uint32Array(DESCRIPTOR_WORDS);
  for (let i = 0; i < count; i++) {
    const descriptor = descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS);
    rankSamples(descriptor, ranks);
    writeRanks(writer, ranks);
    compareRanks(ranks, ordered);
    for (let word = 0; word < DESCRIPTOR_WORDS; word++) {
      for (let differing = descriptor[word] ^ ordered[word]; differing !== 0; ) {
        const bit = Math.clz32(differing);
        exceptions.push(i, 32 * word + bit);
        differing &= ~(0x80000000 >>> bit);
      }
    }
  }
  writer.u32(exceptions.length / 2);
  for (const value of exceptions) writer.u16(value);
}

function readPoints(reader: Reader): FeaturePoints {
  const count = reader.u16();
  const form = reader.u8();
  if (form > 1) throw malformed(`the form of its points is ${form}, expected 0 or 1`);
  reader.count(count, 0xffff, RANK_BYTES + (form === 0 ? 13 : 32));
  const column = (read: (i: number) => number) => Float64Array.from({ length: count }, (_, i) => read(i));
  let points: Omit<FeaturePoints, "descriptors">;
  if (form === 0) {
    const scale = column(() => 2 ** Math.min(reader.u8(), MAX_OCTAVE));
    const x = column((i) => fromOctave(reader.f32(), scale[i]));
    const y = column((i) => fromOctave(reader.f32(), scale[i]));
    points = { count, x, y, scale, angle: column(() => reader.f32()) };
  } else {
    const [x, y, scale, angle] = [0, 1, 2, 3].map(() => column(() => reader.f64()));
    points = { count, x, y, scale, angle };
  }
  const descriptors = new Uint32Array(count * DESCRIPTOR_WORDS);
  const ranks = new Uint8Array(SAMPLES - 1);
  for (let i = 0; i < count; i++) {
    readRanks(reader, ranks);
    compareRanks(ranks, descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS));
  }
  for (let left = reader.u32(); left > 0; left--) {
    const point = reader.u16();
    const bit = reader.u16();
    if (point >= count || bit >= 32 * DESCRIPTOR_WORDS) throw malformed("an exception is out of range");
    descriptors[point * DESCRIPTOR_WORDS + (bit >> 5)] ^= 0x80000000 >>> (bit & 31);
  }
  return { ...points, descriptors };
}

/** Counts the zeros in each row of comparisons: how many of the later samples are darker. */
function rankSamples(descriptor: Uint32Array, ranks: Uint8Array): void {
  for (let i = 0, bit = 0; i < SAMPLES - 1; i++) {
    let darker = 0;
    for (const end = bit + SAMPLES - 1 - i; bit < end; bit++) {
      if ((descriptor[bit >> 5] & (0x80000000 >>> (bit & 31))) === 0) darker++;
    }
    ranks[i] = darker;
  }
}

const order = new Uint8Array(SAMPLES);
/** Places in the order, as brightnesses that differ by at least 1. */
const place = new Float32Array(SAMPLES);

/** Writes the comparisons of samples with these ranks; the inverse of `rankSamples`. */
function compareRanks(ranks: Uint8Array, descriptor: Uint32Array): void {
  // Insert the samples from the last to the first, each above as many of the later ones as it outranks.
  for (let i = SAMPLES - 1, length = 0; i >= 0; i--, length++) {
    const at = i === SAMPLES - 1 ? 0 : ranks[i];
    for (let k = length; k > at; k--) order[k] = order[k - 1];
    order[at] = i;
  }
  for (let k = 0; k < SAMPLES; k++) place[order[k]] = k;
  packComparisons(place, descriptor);
}

function writeRanks(writer: Writer, ranks: Uint8Array): void {
  let word = 0;
  let bits = 0;
  for (let i = 0; i < ranks.length; i++) {
    word = (word << RANK_BITS[i]) | ranks[i];
    bits += RANK_BITS[i];
    while (bits >= 8) {
      bits -= 8;
      writer.u8((word >>> bits) & 255);
    }
    word &= (1 << bits) - 1;
  }
  writer.u8((word << (8 - bits)) & 255);
}

function readRanks(reader: Reader, ranks: Uint8Array): void {
  let word = 0;
  let bits = 0;
  for (let i = 0; i < ranks.length; i++) {
    while (bits < RANK_BITS[i]) {
      word = ((word << 8) | reader.u8()) & 0xffff;
      bits += 8;
    }
    bits -= RANK_BITS[i];
    const rank = (word >>> bits) & ((1 << RANK_BITS[i]) - 1);
    if (rank > SAMPLES - 1 - i) throw malformed(`a rank is ${rank}, expected at most ${SAMPLES - 1 - i}`);
    ranks[i] = rank;
  }
}

/**
 * Writes each pixel less its prediction from the pixels to the left, above and to the upper left, modulo 256.
 * Source: the Paeth filter of PNG (https://www.w3.org/TR/png-3/#9Filter-type-4-Paeth).
 */
function writeDifferences(writer: Writer, { data, width, height }: GreyImage): void {
  const out = writer.bytes(width * height);
  for (let i = 0; i < width * height; i++) out[i] = data[i] - predict(data, i, width);
}

function readPicture(reader: Reader): ScaledImage {
  const width = reader.u32();
  const height = reader.u32();
  const scale = reader.f64();
  const data = Uint8Array.from(reader.bytes(width * height));
  for (let i = 0; i < data.length; i++) data[i] += predict(data, i, width);
  return { data, width, height, scale };
}

function predict(data: Uint8Array, i: number, width: number): number {
  const isFirst = i % width === 0;
  const left = isFirst ? 0 : data[i - 1];
  if (i < width) return left;
  const upper = data[i - width];
  const corner = isFirst ? 0 : data[i - width - 1];
  const toLeft = Math.abs(upper - corner);
  const toUpper = Math.abs(left - corner);
  const toCorner = Math.abs(left + upper - 2 * corner);
  if (toLeft <= toUpper && toLeft <= toCorner) return left;
  return toUpper <= toCorner ? upper : corner;
}

function malformed(sentence: string): InvalidMarkerError {
  return new InvalidMarkerError("malformed", `Not a valid compact marker: ${sentence}.`);
}

class Writer {
  readonly #maxBytes: number;
  #bytes = new Uint8Array(1 << 18);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns the place of the next `length` bytes. It may replace the buffer: call it before reading `#view`. */
  #take(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#maxBytes) {
      throw malformed(`it has over ${this.#maxBytes} bytes`);
    }
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  f32(value: number): void {
    const at = this.#take(4);
    this.#view.setFloat32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
  }

  /** Returns the next `length` bytes, to be written before the next call. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(4, this.#at, true);
    return this.#bytes.slice(0, this.#at);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  #take(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      throw malformed(`it needs more than its ${this.#bytes.length} bytes`);
    }
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Returns a count of elements that have at least `bytes` bytes each; refuses one that cannot be true. */
  count(value: number, most: number, bytes: number): number {
    if (value > most) throw malformed(`it has ${value} elements, expected at most ${most}`);
    if (value * bytes > this.#bytes.length - this.#at) this.#take(value * bytes);
    return value;
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw malformed(`${left} bytes follow its end`);
  }
}
