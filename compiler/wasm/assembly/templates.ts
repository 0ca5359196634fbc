// Twin of `correlate` in compiler/kernels/templates.ts.

const REACH = 6;
const SIDE = 13;
const PIXELS: f64 = 169;
const NO_TEMPLATE: f64 = -2;

/** A template in 16 bits. The last three of its 16 columns are 0, so that they do not count. */
const template = memory.data(SIDE * 32);

export function correlate(
  grey: usize,
  width: i32,
  height: i32,
  sums: usize,
  squares: usize,
  at: i32,
  norm: f64,
  offsets: usize,
  from: i32,
  end: i32,
  limit: f64,
  out: usize,
): i32 {
  const x = at % width;
  const y = at / width;
  const corner = grey + at - (REACH * width + REACH);
  const columns = i8x16(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0);
  for (let row: usize = 0; row < <usize>SIDE; row++) {
    const pixels = v128.and(v128.load(corner + row * width), columns);
    v128.store(template + row * 32, i16x8.extend_low_i8x16_u(pixels));
    v128.store(template + row * 32 + 16, i16x8.extend_high_i8x16_u(pixels));
  }
  const average = <f64>load<i32>(sums + ((<usize>at) << 2)) / PIXELS;
  for (let k = from; k < end; k++) {
    const dx = load<i32>(offsets + ((<usize>k) << 3));
    const dy = load<i32>(offsets + ((<usize>k) << 3), 4);
    let similarity = NO_TEMPLATE;
    if (x + dx >= REACH && x + dx < width - REACH && y + dy >= REACH && y + dy < height - REACH) {
      const other = dy * width + dx;
      const sum = <f64>load<i32>(sums + ((<usize>(at + other)) << 2));
      const otherNorm = sqrt<f64>(
        <f64>load<i32>(squares + ((<usize>(at + other)) << 2)) - (sum * sum) / PIXELS,
      );
      if (otherNorm !== 0) {
        similarity = (<f64>products(corner + other, width) - average * sum) / (norm * otherNorm);
      }
    }
    store<f64>(out + ((<usize>(k - from)) << 3), similarity);
    if (<f64>(<f32>similarity) >= limit) return k + 1;
  }
  return end;
}

/** Sums the products of the template's pixels and those of another template. */
function products(corner: usize, width: i32): i32 {
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  for (let row: usize = 0; row < <usize>SIDE; row++, corner += width) {
    const pixels = v128.load(corner);
    const at = template + row * 32;
    low = i32x4.add(low, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(pixels), v128.load(at)));
    high = i32x4.add(high, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(pixels), v128.load(at, 16)));
  }
  const sum = i32x4.add(low, high);
  return (
    i32x4.extract_lane(sum, 0) +
    i32x4.extract_lane(sum, 1) +
    i32x4.extract_lane(sum, 2) +
    i32x4.extract_lane(sum, 3)
  );
}
