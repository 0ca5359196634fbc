// Twin of `averageBoxes` in compiler/kernels/boxes.ts. Adds the rows of a box sixteen pixels at a time into
// sums of 16 bits (boxes of up to 257 rows) or one by one into sums of 32 bits, then sums up from the left.

const MAX_ROWS_16 = 257;

/** 8 columns of this many rows have a sum below 2^16. */
const MAX_ROWS_IN_VECTOR = 32;

/** For boxes of up to this many pixels, (sum + ½) / pixels in float32 is off by less than ½ / pixels. */
const MAX_PIXELS_FLOAT32 = 8192;

export function averageBoxes(
  grey: usize,
  width: i32,
  columns: usize,
  rows: usize,
  outWidth: i32,
  outHeight: i32,
  scratch: usize,
  out: usize,
): void {
  // 16-bit sums of the columns, 32-bit sums of all columns to the left, 1 / width of each box.
  const column = scratch;
  const sums = column + (((<usize>width * 2 + 15) & ~15) + 64);
  const reciprocals = sums + (((<usize>width * 4 + 15) & ~15) + 64);
  let widest = 0;
  for (let x = 0; x < outWidth; x++) {
    const boxWidth = load<i32>(columns + ((<usize>x) << 2), 4) - load<i32>(columns + ((<usize>x) << 2));
    widest = max(widest, boxWidth);
    store<f32>(reciprocals + ((<usize>x) << 2), boxWidth === 0 ? 0 : <f32>(1 / <f64>boxWidth));
  }
  for (let y = 0; y < outHeight; y++, out += outWidth) {
    const top = load<i32>(rows + ((<usize>y) << 2));
    const boxHeight = load<i32>(rows + ((<usize>y) << 2), 4) - top;
    if (boxHeight === 0) {
      memory.fill(out, 0, outWidth);
      continue;
    }
    sumColumns(grey + <usize>top * width, width, boxHeight, column, sums);
    if (widest * boxHeight <= MAX_PIXELS_FLOAT32) {
      averageRow(columns, reciprocals, sums, boxHeight, outWidth, out);
    } else averageWideRow(columns, sums, boxHeight, outWidth, out);
  }
}

/** Writes to entry x of `sums` the sum of all pixels of `boxHeight` rows left of column x. */
function sumColumns(first: usize, width: i32, boxHeight: i32, column: usize, sums: usize): void {
  if (boxHeight <= MAX_ROWS_IN_VECTOR) {
    sumFewRows(first, width, boxHeight, sums);
    return;
  }
  let sum: u32 = 0;
  let to = sums + 4;
  store<u32>(sums, 0);
  if (boxHeight <= MAX_ROWS_16) {
    addRows(first, width, boxHeight, column);
    for (let at = column, end = column + ((<usize>width) << 1); at < end; at += 2, to += 4) {
      sum += load<u16>(at);
      store<u32>(to, sum);
    }
  } else {
    for (let x = 0; x < width; x++, to += 4) {
      for (let at = first + x, end = at + <usize>boxHeight * width; at < end; at += width)
        sum += load<u8>(at);
      store<u32>(to, sum);
    }
  }
}

/** Does the same for few rows, where the sum of eight columns fits into 16 bits. */
function sumFewRows(first: usize, width: i32, boxHeight: i32, sums: usize): void {
  let carry = i32x4.splat(0);
  store<u32>(sums, 0);
  for (let x = 0; x < width; x += 16) {
    let from = first + x;
    let pixels = v128.load(from);
    let low = i16x8.extend_low_i8x16_u(pixels);
    let high = i16x8.extend_high_i8x16_u(pixels);
    for (let row = 1; row < boxHeight; row++) {
      from += width;
      pixels = v128.load(from);
      low = i16x8.add(low, i16x8.extend_low_i8x16_u(pixels));
      high = i16x8.add(high, i16x8.extend_high_i8x16_u(pixels));
    }
    const to = sums + ((<usize>x) << 2);
    carry = storeSums(low, carry, to + 4);
    carry = storeSums(high, carry, to + 36);
  }
}

/** Adds eight sums from the left to `carry`; returns the last one in every lane. */
function storeSums(columns: v128, carry: v128, to: usize): v128 {
  const zero = i16x8.splat(0);
  let sums = i16x8.add(columns, v128.shuffle<i16>(zero, columns, 7, 8, 9, 10, 11, 12, 13, 14));
  sums = i16x8.add(sums, v128.shuffle<i16>(zero, sums, 6, 7, 8, 9, 10, 11, 12, 13));
  sums = i16x8.add(sums, v128.shuffle<i16>(zero, sums, 4, 5, 6, 7, 8, 9, 10, 11));
  v128.store(to, i32x4.add(i32x4.extend_low_i16x8_u(sums), carry));
  const last = i32x4.add(i32x4.extend_high_i16x8_u(sums), carry);
  v128.store(to, last, 16);
  return v128.shuffle<i32>(last, last, 3, 3, 3, 3);
}

/** Adds the pixels of `boxHeight` rows, column by column. */
function addRows(first: usize, width: i32, boxHeight: i32, column: usize): void {
  for (let x = 0; x < width; x += 16) {
    let low = i16x8.splat(0);
    let high = i16x8.splat(0);
    let from = first + x;
    for (let row = 0; row < boxHeight; row++, from += width) {
      const pixels = v128.load(from);
      low = i16x8.add(low, i16x8.extend_low_i8x16_u(pixels));
      high = i16x8.add(high, i16x8.extend_high_i8x16_u(pixels));
    }
    v128.store(column + ((<usize>x) << 1), low);
    v128.store(column + ((<usize>x) << 1), high, 16);
  }
}

/** Averages four boxes at a time: the difference of two sums over the box's pixels. */
function averageRow(
  columns: usize,
  reciprocals: usize,
  sums: usize,
  boxHeight: i32,
  outWidth: i32,
  out: usize,
): void {
  const half = f32x4.splat(0.5);
  const perRow = f32x4.splat(<f32>(1 / <f64>boxHeight));
  let left = i32x4.splat(load<i32>(sums + ((<usize>load<i32>(columns)) << 2)));
  let x = 0;
  for (; x + 4 <= outWidth; x += 4, columns += 16, reciprocals += 16) {
    let right = v128.load32_zero(sums + ((<usize>load<i32>(columns, 4)) << 2));
    right = v128.load32_lane(sums + ((<usize>load<i32>(columns, 8)) << 2), right, 1);
    right = v128.load32_lane(sums + ((<usize>load<i32>(columns, 12)) << 2), right, 2);
    right = v128.load32_lane(sums + ((<usize>load<i32>(columns, 16)) << 2), right, 3);
    const sum = f32x4.convert_i32x4_s(i32x4.sub(right, v128.shuffle<i32>(left, right, 3, 4, 5, 6)));
    const pixels = f32x4.mul(v128.load(reciprocals), perRow);
    const average = i32x4.trunc_sat_f32x4_s(f32x4.mul(f32x4.add(sum, half), pixels));
    const words = i16x8.narrow_i32x4_u(average, average);
    store<u32>(out + x, i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0));
    left = right;
  }
  let sumLeft = i32x4.extract_lane(left, 3);
  for (; x < outWidth; x++, columns += 4, reciprocals += 4) {
    const sumRight = load<i32>(sums + ((<usize>load<i32>(columns, 4)) << 2));
    const sum = <f32>(sumRight - sumLeft) + <f32>0.5;
    store<u8>(out + x, <i32>(sum * (load<f32>(reciprocals) * f32x4.extract_lane(perRow, 0))));
    sumLeft = sumRight;
  }
}

/** Does the same one by one in float64. */
function averageWideRow(columns: usize, sums: usize, boxHeight: i32, outWidth: i32, out: usize): void {
  for (let x = 0; x < outWidth; x++, columns += 4) {
    const left = load<i32>(columns);
    const right = load<i32>(columns, 4);
    const sum = load<u32>(sums + ((<usize>right) << 2)) - load<u32>(sums + ((<usize>left) << 2));
    const pixels = (right - left) * boxHeight;
    store<u8>(out + x, pixels === 0 ? 0 : <i32>((<f64>sum + 0.5) / <f64>pixels));
  }
}
