// Twins of the kernels in compiler/kernels/pyramid.ts.

/** Bytes before and after a scratch row: room for clamped pixels and for whole vectors. */
const PAD: usize = 64;

// Mask of a ring of 8 scratch rows: a filter needs 5 or 6.
const RING = 7;

function at(row: i32, height: i32): i32 {
  return min(max(row, 0), height - 1);
}

/** Applies [1 4 6 4 1] to five vectors of 16-bit integers, modulo 2^16. */
function filter16(a: v128, b: v128, c: v128, d: v128, e: v128): v128 {
  return i16x8.add(i16x8.add(i16x8.add(a, e), i16x8.shl(c, 1)), i16x8.shl(i16x8.add(i16x8.add(b, c), d), 2));
}

/** Applies [1 4 6 4 1] to five vectors of 32-bit integers. */
function filter32(a: v128, b: v128, c: v128, d: v128, e: v128): v128 {
  return i32x4.add(i32x4.add(i32x4.add(a, e), i32x4.shl(c, 1)), i32x4.shl(i32x4.add(i32x4.add(b, c), d), 2));
}

/** Smooths one row of octave 0 once: 16-bit, in 1/256 grey levels. */
function smoothGreyRow(grey: usize, width: i32, height: i32, y: i32, column: usize, out: usize): void {
  const a = grey + <usize>at(y - 2, height) * width;
  const b = grey + <usize>at(y - 1, height) * width;
  const c = grey + <usize>y * width;
  const d = grey + <usize>at(y + 1, height) * width;
  const e = grey + <usize>at(y + 2, height) * width;
  for (let x: usize = 0; x < <usize>width; x += 8) {
    const sum = filter16(
      v128.load8x8_u(a + x),
      v128.load8x8_u(b + x),
      v128.load8x8_u(c + x),
      v128.load8x8_u(d + x),
      v128.load8x8_u(e + x),
    );
    v128.store(column + (x << 1), sum);
  }
  const last = column + ((<usize>width - 1) << 1);
  store<u32>(column - 4, <u32>load<u16>(column) * 0x10001);
  store<u32>(last + 2, <u32>load<u16>(last) * 0x10001);
  for (let x: usize = 0; x < <usize>width; x += 8) {
    const from = column + (x << 1);
    const sum = filter16(
      v128.load(from - 4),
      v128.load(from - 2),
      v128.load(from),
      v128.load(from + 2),
      v128.load(from + 4),
    );
    v128.store(out + (x << 1), sum);
  }
}

/** Writes the column sums of the second smoothing for a 4-pixel half of two rows. */
function storeColumns(
  r0: v128,
  r1: v128,
  r2: v128,
  r3: v128,
  r4: v128,
  r5: v128,
  upper: usize,
  lower: usize,
): void {
  const middle = i32x4.add(r2, r3);
  const above = i32x4.shl(i32x4.add(r1, middle), 2);
  const below = i32x4.shl(i32x4.add(middle, r4), 2);
  v128.store(upper, i32x4.add(i32x4.add(i32x4.add(r0, r4), i32x4.shl(r2, 1)), above));
  v128.store(lower, i32x4.add(i32x4.add(i32x4.add(r1, r5), i32x4.shl(r3, 1)), below));
}

/** Filters four pixels of a row of 32-bit column sums along the row, as exact float32. */
function smoothedRow(from: usize): v128 {
  return f32x4.convert_i32x4_s(
    filter32(
      v128.load(from - 8),
      v128.load(from - 4),
      v128.load(from),
      v128.load(from + 4),
      v128.load(from + 8),
    ),
  );
}

/** Repeats a row's first and last value twice beyond its ends. */
function clampRow(row: usize, width: i32): void {
  const first = load<i32>(row);
  store<i32>(row - 8, first);
  store<i32>(row - 4, first);
  const end = row + ((<usize>width) << 2);
  const last = load<i32>(end - 4);
  store<i32>(end, last);
  store<i32>(end + 4, last);
}

/** Sums 2 × 2 blocks of eight pixels in two rows: three float32 additions, the left column first. */
function addBlocks(upper0: v128, upper1: v128, lower0: v128, lower1: v128): v128 {
  const sum0 = f32x4.add(upper0, lower0);
  const sum1 = f32x4.add(upper1, lower1);
  const left = v128.shuffle<f32>(sum0, sum1, 0, 2, 4, 6);
  const upper = v128.shuffle<f32>(upper0, upper1, 1, 3, 5, 7);
  const lower = v128.shuffle<f32>(lower0, lower1, 1, 3, 5, 7);
  return f32x4.add(f32x4.add(left, upper), lower);
}

export function halveSmoothed(grey: usize, width: i32, height: i32, scratch: usize, out: usize): void {
  const stride16 = ((<usize>width * 2 + 15) & ~15) + 2 * PAD;
  const stride32 = ((<usize>width * 4 + 15) & ~15) + 2 * PAD;
  const column = scratch + PAD;
  const ring = column + stride16;
  const upper = ring + 8 * stride16;
  const lower = upper + stride32;
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  const scale = f32x4.splat(0.25 / 65536);
  let next = 0;
  for (let k = 0; k < outHeight; k++) {
    const y = 2 * k;
    const needed = at(y + 3, height);
    for (; next <= needed; next++) {
      smoothGreyRow(grey, width, height, next, column, ring + <usize>(next & RING) * stride16);
    }
    const a0 = ring + <usize>(at(y - 2, height) & RING) * stride16;
    const a1 = ring + <usize>(at(y - 1, height) & RING) * stride16;
    const a2 = ring + <usize>(y & RING) * stride16;
    const a3 = ring + <usize>((y + 1) & RING) * stride16;
    const a4 = ring + <usize>(at(y + 2, height) & RING) * stride16;
    const a5 = ring + <usize>(at(y + 3, height) & RING) * stride16;
    for (let x: usize = 0; x < <usize>width; x += 8) {
      const i = x << 1;
      const r0 = v128.load(a0 + i);
      const r1 = v128.load(a1 + i);
      const r2 = v128.load(a2 + i);
      const r3 = v128.load(a3 + i);
      const r4 = v128.load(a4 + i);
      const r5 = v128.load(a5 + i);
      const to = x << 2;
      storeColumns(
        i32x4.extend_low_i16x8_u(r0),
        i32x4.extend_low_i16x8_u(r1),
        i32x4.extend_low_i16x8_u(r2),
        i32x4.extend_low_i16x8_u(r3),
        i32x4.extend_low_i16x8_u(r4),
        i32x4.extend_low_i16x8_u(r5),
        upper + to,
        lower + to,
      );
      storeColumns(
        i32x4.extend_high_i16x8_u(r0),
        i32x4.extend_high_i16x8_u(r1),
        i32x4.extend_high_i16x8_u(r2),
        i32x4.extend_high_i16x8_u(r3),
        i32x4.extend_high_i16x8_u(r4),
        i32x4.extend_high_i16x8_u(r5),
        upper + to + 16,
        lower + to + 16,
      );
    }
    clampRow(upper, width);
    clampRow(lower, width);
    for (let x: usize = 0, to = out + ((<usize>k * outWidth) << 2); x < <usize>outWidth; x += 4, to += 16) {
      const u = upper + (x << 3);
      const l = lower + (x << 3);
      const blocks = addBlocks(smoothedRow(u), smoothedRow(u + 16), smoothedRow(l), smoothedRow(l + 16));
      v128.store(to, f32x4.mul(blocks, scale));
    }
  }
}

export function halve(from: usize, width: i32, height: i32, out: usize): void {
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  const quarter = f32x4.splat(0.25);
  for (let y = 0; y < outHeight; y++) {
    let upper = from + ((2 * <usize>y * width) << 2);
    let lower = upper + ((<usize>width) << 2);
    let to = out + ((<usize>y * outWidth) << 2);
    for (const end = to + ((<usize>outWidth) << 2); to < end; to += 16, upper += 32, lower += 32) {
      const blocks = addBlocks(
        v128.load(upper),
        v128.load(upper, 16),
        v128.load(lower),
        v128.load(lower, 16),
      );
      v128.store(to, f32x4.mul(blocks, quarter));
    }
  }
}

export function halveGrey(from: usize, width: i32, height: i32, out: usize): void {
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  const two = i16x8.splat(2);
  for (let y = 0; y < outHeight; y++) {
    let upper = from + 2 * <usize>y * width;
    let lower = upper + width;
    let to = out + <usize>y * outWidth;
    for (const end = to + outWidth; to < end; to += 8, upper += 16, lower += 16) {
      const sum = i16x8.add(
        i16x8.extadd_pairwise_i8x16_u(v128.load(upper)),
        i16x8.extadd_pairwise_i8x16_u(v128.load(lower)),
      );
      const mean = i16x8.shr_u(i16x8.add(sum, two), 2);
      v128.store64_lane(to, i8x16.narrow_i16x8_u(mean, mean), 0);
    }
  }
}

/** Filters one row, rounded to float32 and stored as float64; `padded` has room for the row's pixels. */
function filterRow(from: usize, width: i32, padded: usize, out: usize): void {
  memory.copy(padded, from, (<usize>width) << 2);
  clampRow(padded, width);
  const four = f64x2.splat(4);
  const six = f64x2.splat(6);
  // Pairs of pixels: the two before, the current two, the two after.
  let ab = f64x2.promote_low_f32x4(v128.load64_zero(padded - 8));
  let cd = f64x2.promote_low_f32x4(v128.load64_zero(padded));
  for (let at = padded, end = padded + ((<usize>width) << 2); at < end; at += 8, out += 16) {
    const ef = f64x2.promote_low_f32x4(v128.load64_zero(at + 8));
    const bc = v128.shuffle<f64>(ab, cd, 1, 2);
    const de = v128.shuffle<f64>(cd, ef, 1, 2);
    const sum = f64x2.add(
      f64x2.add(f64x2.add(ab, ef), f64x2.mul(four, f64x2.add(bc, de))),
      f64x2.mul(six, cd),
    );
    v128.store(out, f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(sum)));
    ab = cd;
    cd = ef;
  }
}

/** Filters two pixels along the columns. */
function filterColumns(r0: usize, r1: usize, r2: usize, r3: usize, r4: usize): v128 {
  const sum = f64x2.add(
    f64x2.add(
      f64x2.add(v128.load(r0), v128.load(r4)),
      f64x2.mul(f64x2.splat(4), f64x2.add(v128.load(r1), v128.load(r3))),
    ),
    f64x2.mul(f64x2.splat(6), v128.load(r2)),
  );
  return f32x4.demote_f64x2_zero(f64x2.mul(sum, f64x2.splat(1.0 / 256)));
}

export function smoothAndSubtract(dog: usize, width: i32, height: i32, scratch: usize, twice: usize): void {
  const stride = ((<usize>width * 8 + 31) & ~31) + 2 * PAD;
  const padded = scratch + PAD;
  const ring = padded + ((<usize>width * 4 + 15) & ~15) + 2 * PAD;
  let next = 0;
  for (let y = 0; y < height; y++) {
    const needed = at(y + 2, height);
    for (; next <= needed; next++) {
      filterRow(dog + ((<usize>next * width) << 2), width, padded, ring + <usize>(next & RING) * stride);
    }
    const r0 = ring + <usize>(at(y - 2, height) & RING) * stride;
    const r1 = ring + <usize>(at(y - 1, height) & RING) * stride;
    const r2 = ring + <usize>(y & RING) * stride;
    const r3 = ring + <usize>(at(y + 1, height) & RING) * stride;
    const r4 = ring + <usize>(at(y + 2, height) & RING) * stride;
    const once = dog + ((<usize>y * width) << 2);
    const out = twice + ((<usize>y * width) << 2);
    // Only vectors that fit into the row: the data after this row of `dog` is still needed.
    const whole = <usize>width & ~3;
    let x: usize = 0;
    for (; x < whole; x += 4) {
      const i = x << 3;
      const low = filterColumns(r0 + i, r1 + i, r2 + i, r3 + i, r4 + i);
      const high = filterColumns(r0 + i + 16, r1 + i + 16, r2 + i + 16, r3 + i + 16, r4 + i + 16);
      const smoothed = v128.shuffle<f64>(low, high, 0, 2);
      v128.store(out + (x << 2), smoothed);
      v128.store(once + (x << 2), f32x4.sub(v128.load(once + (x << 2)), smoothed));
    }
    for (; x < <usize>width; x++) {
      const i = x << 3;
      const smoothed = f32x4.extract_lane(filterColumns(r0 + i, r1 + i, r2 + i, r3 + i, r4 + i), 0);
      store<f32>(out + (x << 2), smoothed);
      store<f32>(once + (x << 2), load<f32>(once + (x << 2)) - smoothed);
    }
  }
}

// Buffers for the 14 × 14 grey pixels under 3 × 3 pixels of octave 1, all in rows of 16: columns summed once,
// 10 × 10 pixels smoothed once, columns summed again.
const columns16 = memory.data(10 * 32 + 32);
const once16 = memory.data(10 * 32 + 32);
const columns32 = memory.data(6 * 64 + 32);

export function baseDifferences(grey: usize, width: i32, x: i32, y: i32, out: usize): void {
  const corner = grey + <usize>(2 * y - 6) * width + (2 * x - 6);
  for (let row: usize = 0; row < 10; row++) {
    for (let half: usize = 0; half < 16; half += 8) {
      const from = corner + row * width + half;
      const sum = filter16(
        v128.load8x8_u(from),
        v128.load8x8_u(from + width),
        v128.load8x8_u(from + 2 * width),
        v128.load8x8_u(from + 3 * width),
        v128.load8x8_u(from + 4 * width),
      );
      v128.store(columns16 + row * 32 + half * 2, sum);
    }
    for (let half: usize = 0; half < 32; half += 16) {
      const from = columns16 + row * 32 + half;
      const sum = filter16(
        v128.load(from),
        v128.load(from + 2),
        v128.load(from + 4),
        v128.load(from + 6),
        v128.load(from + 8),
      );
      v128.store(once16 + row * 32 + half, sum);
    }
  }
  for (let row: usize = 0; row < 6; row++) {
    for (let part: usize = 0; part < 12; part += 4) {
      const from = once16 + row * 32 + part * 2;
      const sum = filter32(
        v128.load16x4_u(from),
        v128.load16x4_u(from + 32),
        v128.load16x4_u(from + 64),
        v128.load16x4_u(from + 96),
        v128.load16x4_u(from + 128),
      );
      v128.store(columns32 + row * 64 + part * 4, sum);
    }
  }
  for (let row: usize = 0; row < 6; row += 2) {
    for (let column: usize = 0; column < 6; column += 2) {
      let left: f32 = 0;
      let upper: f32 = 0;
      let lower: f32 = 0;
      left = <f32>baseDifference(row, column) + <f32>baseDifference(row + 1, column);
      upper = <f32>baseDifference(row, column + 1);
      lower = <f32>baseDifference(row + 1, column + 1);
      store<f32>(out, (left + upper + lower) * <f32>(0.25 / 65536));
      out += 4;
    }
  }
}

/** Returns 65536 × (smoothed once - smoothed twice), which is below 2^24. */
function baseDifference(row: usize, column: usize): i32 {
  const from = columns32 + row * 64 + column * 4;
  const twice =
    load<i32>(from) +
    load<i32>(from, 16) +
    4 * (load<i32>(from, 4) + load<i32>(from, 12)) +
    6 * load<i32>(from, 8);
  return 256 * <i32>load<u16>(once16 + (row + 2) * 32 + (column + 2) * 2) - twice;
}
