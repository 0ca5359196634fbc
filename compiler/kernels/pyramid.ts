// The filters of one keyframe's scale space.
// Source: mind-ar detector/detector.js (detect, _applyFilter, _downsampleBilinear) and its CPU kernels
// binomialFilter.js and downsampleBilinear.js, which round every stored value to float32.
//
// All planes are row-major, and borders clamp. Grey is in 0…255. Octave 0 is computed in integers: the filter's
// weights sum to 256, so its first result is below 2^16 in units of 1/256 and its second below 2^24 in units of
// 1/65536, which float32 holds exactly. Rounding matters from octave 1 on.

/** Units of octave 0 smoothed twice, and of a difference of Gaussians there, per grey level. */
const BASE_UNITS = 65536;

/** Rows of a ring, a power of two: a filter needs 5 rows or, for two rows at a time, 6. */
const RING_ROWS = 8;

/** Returns the bytes of scratch that the kernels need for rows of this width. */
export function pyramidScratchBytes(width: number): number {
  return 80 * width + 4096;
}

/**
 * Applies the binomial filter [1 4 6 4 1] in both directions to one row, without dividing: `out` from `to` on
 * is in 1/256 grey levels. Columns go first, into `column` (a row with two more values at each end); with
 * integers the order does not matter. `smoothAgainRow` does the same with other array types, because engines
 * compile a loop best for one type of each array.
 */
export function smoothGreyRow(
  grey: Uint8Array,
  width: number,
  height: number,
  y: number,
  column: Int32Array,
  out: Uint16Array,
  to: number,
): void {
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
  for (let x = 0; x < width; x++) {
    const next = column[x + 1] + column[x + 2] + column[x + 3];
    out[to + x] = column[x] + column[x + 4] + (next << 2) + (column[x + 2] << 1);
  }
}

/**
 * Applies the filter of `smoothGreyRow` again: from the 5 rows of `once` that begin at `rows`, in 1/256 grey
 * levels, to a row `out` in 1/65536 grey levels.
 */
export function smoothAgainRow(
  once: Uint16Array,
  rows: readonly number[],
  width: number,
  column: Int32Array,
  out: Int32Array,
): void {
  const [a, b, c, d, e] = rows;
  for (let x = 0; x < width; x++) {
    const center = once[c + x];
    const next = once[b + x] + once[d + x] + center;
    column[x + 2] = once[a + x] + once[e + x] + (next << 2) + (center << 1);
  }
  column[0] = column[1] = column[2];
  column[width + 2] = column[width + 3] = column[width + 1];
  for (let x = 0; x < width; x++) {
    const next = column[x + 1] + column[x + 2] + column[x + 3];
    out[x] = column[x] + column[x + 4] + (next << 2) + (column[x + 2] << 1);
  }
}

/** Returns the offsets, in a ring of rows, of the 5 rows that the filter needs around row `y`. */
function ringRows(y: number, width: number, height: number): number[] {
  return [-2, -1, 0, 1, 2].map(
    (offset) => (Math.min(Math.max(y + offset, 0), height - 1) & (RING_ROWS - 1)) * width,
  );
}

/**
 * Smooths octave 0 twice and reduces it to the mean of each 2 × 2 block, in grey levels, (width >> 1) ×
 * (height >> 1). The result is image 1 of octave 1. The running sum of a block is rounded to float32 after each
 * pixel, the left column first. Only a few rows of octave 0 are kept at a time.
 */
export function halveSmoothed(
  grey: Uint8Array,
  width: number,
  height: number,
  scratch: Uint8Array,
  out: Float32Array,
): void {
  const { buffer, byteOffset } = scratch;
  const column = new Int32Array(buffer, byteOffset, width + 4);
  const upper = new Int32Array(buffer, byteOffset + 4 * (width + 4), width);
  const lower = new Int32Array(buffer, byteOffset + 4 * (2 * width + 4), width);
  const once = new Uint16Array(buffer, byteOffset + 4 * (3 * width + 4), RING_ROWS * width);
  const outWidth = width >> 1;
  for (let y = 0, next = 0, to = 0; y + 1 < height; y += 2) {
    for (; next <= Math.min(y + 3, height - 1); next++) {
      smoothGreyRow(grey, width, height, next, column, once, (next & (RING_ROWS - 1)) * width);
    }
    smoothAgainRow(once, ringRows(y, width, height), width, column, upper);
    smoothAgainRow(once, ringRows(y + 1, width, height), width, column, lower);
    for (let x = 0; x < 2 * outWidth; x += 2, to++) {
      const left = Math.fround(upper[x] + lower[x]);
      out[to] = Math.fround(Math.fround(left + upper[x + 1]) + lower[x + 1]) * (0.25 / BASE_UNITS);
    }
  }
}

/**
 * Computes the differences of octave 0's two images, reduced as in `halveSmoothed`, at the 3 × 3 pixels around
 * (x, y) of octave 1, which is at least 4 pixels from its borders; row-major, in grey levels. Octave 0 is not
 * stored, so it is computed again.
 */
export function baseDifferences(
  grey: Uint8Array,
  width: number,
  x: number,
  y: number,
  out: Float32Array,
): void {
  for (let v = 0, to = 0; v < 3; v++) {
    for (let u = 0; u < 3; u++, to++) {
      const at = 2 * (y - 1 + v) * width + 2 * (x - 1 + u);
      const left = Math.fround(baseDifference(grey, width, at) + baseDifference(grey, width, at + width));
      const right = Math.fround(left + baseDifference(grey, width, at + 1));
      const sum = Math.fround(right + baseDifference(grey, width, at + width + 1));
      out[to] = sum * (0.25 / BASE_UNITS);
    }
  }
}

/** Weights of the filter applied once, and applied twice. */
const ONCE = [0, 0, 1, 4, 6, 4, 1, 0, 0];
const TWICE = [1, 8, 28, 56, 70, 56, 28, 8, 1];

/** Returns smoothed once minus twice at a flat index away from the borders, in 1/65536 grey levels. */
function baseDifference(grey: Uint8Array, width: number, at: number): number {
  let once = 0;
  let twice = 0;
  for (let v = 0; v < 9; v++) {
    let rowOnce = 0;
    let rowTwice = 0;
    for (let u = 0, from = at + (v - 4) * width - 4; u < 9; u++, from++) {
      rowOnce += ONCE[u] * grey[from];
      rowTwice += TWICE[u] * grey[from];
    }
    once += ONCE[v] * rowOnce;
    twice += TWICE[v] * rowTwice;
  }
  return 256 * once - twice;
}

/**
 * Computes image 2 of an octave, and replaces image 1 in `dog` by the difference of Gaussians: `twice` =
 * binomial filter [1 4 6 4 1]² / 256 of `dog`, then `dog` = `dog` - `twice`. Rows go first. Both results are
 * rounded to float32 once, from sums that float64 holds exactly.
 */
export function smoothAndSubtract(
  dog: Float32Array,
  width: number,
  height: number,
  scratch: Uint8Array,
  twice: Float32Array,
): void {
  const rows = new Float32Array(scratch.buffer, scratch.byteOffset, RING_ROWS * width);
  for (let y = 0, next = 0; y < height; y++) {
    for (; next <= Math.min(y + 2, height - 1); next++) {
      filterRow(dog, next * width, width, rows, (next & (RING_ROWS - 1)) * width);
    }
    let [r0, r1, r2, r3, r4] = ringRows(y, width, height);
    for (let to = y * width, end = to + width; to < end; to++) {
      twice[to] = (rows[r0++] + rows[r4++] + 4 * (rows[r1++] + rows[r3++]) + 6 * rows[r2++]) * (1 / 256);
      dog[to] -= twice[to];
    }
  }
}

function filterRow(from: Float32Array, start: number, width: number, out: Float32Array, to: number): void {
  const last = width - 1;
  let a = from[start];
  let b = a;
  let c = a;
  let d = from[start + Math.min(1, last)];
  for (let x = 0; x < width; x++) {
    const e = from[start + Math.min(x + 2, last)];
    out[to + x] = a + e + 4 * (b + d) + 6 * c;
    a = b;
    b = c;
    c = d;
    d = e;
  }
}

/** Writes the mean of each 2 × 2 block of a plane in grey levels, rounded as in `halveSmoothed`. */
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

/**
 * Writes the mean of each 2 × 2 block of a grey image, rounded, halves up. An odd last row or column is left out.
 * The image has at least two rows and columns.
 */
export function halveGrey(from: Uint8Array, width: number, height: number, out: Uint8Array): void {
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  for (let y = 0, to = 0; y < outHeight; y++) {
    let at = 2 * y * width;
    for (let x = 0; x < outWidth; x++, at += 2) {
      out[to++] = (from[at] + from[at + 1] + from[at + width] + from[at + width + 1] + 2) >> 2;
    }
  }
}
