// The scale space of one keyframe: per octave the image smoothed once and twice, and their difference.
// Source: mind-ar detector/detector.js (detect, _applyFilter, _downsampleBilinear) and its CPU kernels
// binomialFilter.js and downsampleBilinear.js, which round every stored value to float32.
//
// All planes are row-major, width × height of their octave, and borders clamp. Grey is in 0…255.
// Octave 0 is kept in integers: the filter's weights sum to 256, so its first result is a multiple of 1/256
// below 2^16 and its second one of 1/65536 below 2^24, which float32 holds exactly. Only from octave 1 on
// does rounding matter.

const MIN_OCTAVE_SIDE = 8;
const MAX_OCTAVES = 5;

/** Units of `twice` in octave 0, and of a difference of Gaussians there, per grey level. */
export const BASE_UNITS = 65536;

/** Octave 0 of a pyramid, in integers. */
export interface BaseOctave {
  readonly width: number;
  readonly height: number;
  /** Smoothed once, in 1/256 grey levels. */
  readonly once: Uint16Array;
  /** Smoothed twice, in 1/65536 grey levels. */
  readonly twice: Int32Array;
}

/** An octave above the first. */
export interface Octave {
  readonly width: number;
  readonly height: number;
  /** Smoothed twice, in grey levels. */
  readonly twice: Float32Array;
  /** Smoothed once minus smoothed twice, in grey levels. */
  readonly dog: Float32Array;
}

export interface Pyramid {
  readonly base: BaseOctave;
  /** Octave `i + 1` at index `i`; a pixel is 2^(i + 1) keyframe pixels wide. */
  readonly octaves: readonly Octave[];
}

/** Planes for pyramids of images of up to a number of pixels; the next pyramid overwrites the last. */
export interface PyramidBuffers {
  readonly once: Uint16Array;
  readonly twice: Int32Array;
  /** Rows and planes that hold intermediate results. */
  readonly column: Int32Array;
  readonly halved: Float32Array;
  readonly filtered: Float32Array;
  readonly octaves: readonly { readonly twice: Float32Array; readonly dog: Float32Array }[];
}

/** Allocates for images of at most `pixels` pixels and sides of at most `side`. */
export function allocatePyramid(pixels: number, side: number): PyramidBuffers {
  const quarter = pixels >> 2;
  return {
    once: new Uint16Array(pixels),
    twice: new Int32Array(pixels),
    column: new Int32Array(side + 4),
    halved: new Float32Array(quarter),
    filtered: new Float32Array(quarter),
    octaves: Array.from({ length: MAX_OCTAVES - 1 }, (_, i) => ({
      twice: new Float32Array(pixels >> (2 * (i + 1))),
      dog: new Float32Array(pixels >> (2 * (i + 1))),
    })),
  };
}

/** How many octaves an image has: at most 5, each with sides of 8 pixels or more. */
export function countOctaves(width: number, height: number): number {
  let side = Math.min(width, height);
  let octaves = 0;
  while (side >= MIN_OCTAVE_SIDE && octaves < MAX_OCTAVES) {
    side /= 2;
    octaves++;
  }
  return octaves;
}

/** Builds the pyramid of a grey image in `buffers`. */
export function buildPyramid(
  grey: Uint8Array,
  width: number,
  height: number,
  buffers: PyramidBuffers,
): Pyramid {
  const { once, twice, column, halved, filtered } = buffers;
  smoothGrey(grey, width, height, column, once);
  smoothAgain(once, width, height, column, twice);
  const octaves: Octave[] = [];
  let below: Float32Array | null = null;
  for (let i = 1, w = width, h = height; i < countOctaves(width, height); i++) {
    const octave = { width: w >> 1, height: h >> 1, ...buffers.octaves[i - 1] };
    if (below) halve(below, w, h, halved);
    else halveBase(twice, w, h, halved);
    smooth(halved, octave.width, octave.height, filtered, octave.twice);
    subtract(halved, octave.twice, octave.width * octave.height, octave.dog);
    octaves.push(octave);
    below = octave.twice;
    w = octave.width;
    h = octave.height;
  }
  return { base: { width, height, once, twice }, octaves };
}

/**
 * Binomial filter [1 4 6 4 1] in both directions, not divided: `out` is in 1/256 grey levels. Columns go
 * first, into `column` (a row with two more values at each end): in integers the order is free, and no
 * second plane is needed. `smoothAgain` is the same for other arrays: engines compile a loop well for one
 * type of each.
 */
export function smoothGrey(
  grey: Uint8Array,
  width: number,
  height: number,
  column: Int32Array,
  out: Uint16Array,
): void {
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const up2 = row - Math.max(y - 2, 0) * width;
    const up1 = row - Math.max(y - 1, 0) * width;
    const down1 = Math.min(y + 1, height - 1) * width - row;
    const down2 = Math.min(y + 2, height - 1) * width - row;
    for (let x = 0, i = row; x < width; x++, i++) {
      const center = grey[i];
      const next = grey[i - up1] + grey[i + down1] + center;
      column[x + 2] = grey[i - up2] + grey[i + down2] + (next << 2) + (center << 1);
    }
    column[0] = column[1] = column[2];
    column[width + 2] = column[width + 3] = column[width + 1];
    let a = column[0];
    let b = column[1];
    let c = column[2];
    let d = column[3];
    for (let x = 0, to = row; x < width; x++, to++) {
      const e = column[x + 4];
      out[to] = a + e + ((b + c + d) << 2) + (c << 1);
      a = b;
      b = c;
      c = d;
      d = e;
    }
  }
}

/** `smoothGrey` once more: `once` in 1/256 grey levels gives `out` in 1/65536. */
export function smoothAgain(
  once: Uint16Array,
  width: number,
  height: number,
  column: Int32Array,
  out: Int32Array,
): void {
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const up2 = row - Math.max(y - 2, 0) * width;
    const up1 = row - Math.max(y - 1, 0) * width;
    const down1 = Math.min(y + 1, height - 1) * width - row;
    const down2 = Math.min(y + 2, height - 1) * width - row;
    for (let x = 0, i = row; x < width; x++, i++) {
      const center = once[i];
      const next = once[i - up1] + once[i + down1] + center;
      column[x + 2] = once[i - up2] + once[i + down2] + (next << 2) + (center << 1);
    }
    column[0] = column[1] = column[2];
    column[width + 2] = column[width + 3] = column[width + 1];
    let a = column[0];
    let b = column[1];
    let c = column[2];
    let d = column[3];
    for (let x = 0, to = row; x < width; x++, to++) {
      const e = column[x + 4];
      out[to] = a + e + ((b + c + d) << 2) + (c << 1);
      a = b;
      b = c;
      c = d;
      d = e;
    }
  }
}

/**
 * Binomial filter [1 4 6 4 1]² / 256 of a float32 plane. Rows go first, into `rows`; both results are
 * rounded to float32 once, from sums that float64 holds exactly.
 */
export function smooth(
  from: Float32Array,
  width: number,
  height: number,
  rows: Float32Array,
  out: Float32Array,
): void {
  const last = width - 1;
  for (let y = 0; y < height; y++) {
    const start = y * width;
    let a = from[start];
    let b = a;
    let c = a;
    let d = from[start + Math.min(1, last)];
    for (let x = 0; x < width; x++) {
      const e = from[start + Math.min(x + 2, last)];
      rows[start + x] = a + e + 4 * (b + d) + 6 * c;
      a = b;
      b = c;
      c = d;
      d = e;
    }
  }
  for (let y = 0; y < height; y++) {
    let r0 = Math.max(y - 2, 0) * width;
    let r1 = Math.max(y - 1, 0) * width;
    let r2 = y * width;
    let r3 = Math.min(y + 1, height - 1) * width;
    let r4 = Math.min(y + 2, height - 1) * width;
    for (let end = r2 + width, to = r2; to < end; to++) {
      out[to] = (rows[r0++] + rows[r4++] + 4 * (rows[r1++] + rows[r3++]) + 6 * rows[r2++]) * (1 / 256);
    }
  }
}

/**
 * Mean of each 2 × 2 block of octave 0's `twice`, in grey levels, (width >> 1) × (height >> 1). The running
 * sum is rounded to float32 after each pixel, the left column first.
 */
export function halveBase(from: Int32Array, width: number, height: number, out: Float32Array): void {
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  for (let y = 0, to = 0; y < outHeight; y++) {
    let upper = 2 * y * width;
    let lower = upper + width;
    for (let x = 0; x < outWidth; x++, to++, upper += 2, lower += 2) {
      const left = Math.fround(from[upper] + from[lower]);
      out[to] = Math.fround(Math.fround(left + from[upper + 1]) + from[lower + 1]) * (0.25 / BASE_UNITS);
    }
  }
}

/** As `halveBase`, for a plane in grey levels. */
export function halve(from: Float32Array, width: number, height: number, out: Float32Array): void {
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  for (let y = 0, to = 0; y < outHeight; y++) {
    let upper = 2 * y * width;
    let lower = upper + width;
    for (let x = 0; x < outWidth; x++, to++, upper += 2, lower += 2) {
      const left = Math.fround(from[upper] + from[lower]);
      out[to] = Math.fround(Math.fround(left + from[upper + 1]) + from[lower + 1]) * 0.25;
    }
  }
}

/** Difference of two planes of `pixels` pixels, rounded to float32. */
export function subtract(a: Float32Array, b: Float32Array, pixels: number, out: Float32Array): void {
  for (let i = 0; i < pixels; i++) out[i] = a[i] - b[i];
}
