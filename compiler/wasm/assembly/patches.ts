// Twin of compiler/kernels/patches.ts: eight pixels, one row of a patch, at a time.

const SIDE = 8;
const TEMPLATE_BYTES: usize = 3 * 64 * 2;
const GEOMETRY_BYTES: usize = 6 * 4;
const SUMS_BYTES: usize = 5 * 4;

/** Sums the four integers of a vector. */
function sumOf(values: v128): i32 {
  const pairs = i32x4.add(values, v128.shuffle<i64>(values, values, 1, 0));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

export function samplePatches(
  grey: usize,
  width: i32,
  geometry: usize,
  count: i32,
  templates: usize,
  sums: usize,
): void {
  const lanes = i32x4(0, 1, 2, 3);
  const bytes = i32x4.splat(255);
  const low = i16x8.splat(255);
  const half = i32x4.splat(0x800);
  const columns = i32x4.splat(width);
  for (let patch = 0; patch < count; patch++) {
    if (load<i32>(sums) >= 0) {
      const ux = load<i32>(geometry, 8);
      const uy = load<i32>(geometry, 12);
      let x0 = i32x4.add(i32x4.splat(load<i32>(geometry)), i32x4.mul(lanes, i32x4.splat(ux)));
      let y0 = i32x4.add(i32x4.splat(load<i32>(geometry, 4)), i32x4.mul(lanes, i32x4.splat(uy)));
      const x4 = i32x4.splat(4 * ux);
      const y4 = i32x4.splat(4 * uy);
      const vx = i32x4.splat(load<i32>(geometry, 16));
      const vy = i32x4.splat(load<i32>(geometry, 20));
      let sum = i32x4.splat(0);
      let squares = i32x4.splat(0);
      let products = i32x4.splat(0);
      let productsX = i32x4.splat(0);
      let productsY = i32x4.splat(0);
      let template = templates;
      for (let row = 0; row < SIDE; row++, template += 16) {
        const x1 = i32x4.add(x0, x4);
        const y1 = i32x4.add(y0, y4);
        const at0 = i32x4.add(i32x4.mul(i32x4.shr_s(y0, 16), columns), i32x4.shr_s(x0, 16));
        const at1 = i32x4.add(i32x4.mul(i32x4.shr_s(y1, 16), columns), i32x4.shr_s(x1, 16));
        const a = grey + <usize>i32x4.extract_lane(at0, 0);
        const b = grey + <usize>i32x4.extract_lane(at0, 1);
        const c = grey + <usize>i32x4.extract_lane(at0, 2);
        const d = grey + <usize>i32x4.extract_lane(at0, 3);
        const e = grey + <usize>i32x4.extract_lane(at1, 0);
        const f = grey + <usize>i32x4.extract_lane(at1, 1);
        const g = grey + <usize>i32x4.extract_lane(at1, 2);
        const h = grey + <usize>i32x4.extract_lane(at1, 3);
        // Each lane holds two neighbors: the left one in the low byte.
        let above = v128.load16_lane(a, low, 0);
        above = v128.load16_lane(b, above, 1);
        above = v128.load16_lane(c, above, 2);
        above = v128.load16_lane(d, above, 3);
        above = v128.load16_lane(e, above, 4);
        above = v128.load16_lane(f, above, 5);
        above = v128.load16_lane(g, above, 6);
        above = v128.load16_lane(h, above, 7);
        let below = v128.load16_lane(a + width, low, 0);
        below = v128.load16_lane(b + width, below, 1);
        below = v128.load16_lane(c + width, below, 2);
        below = v128.load16_lane(d + width, below, 3);
        below = v128.load16_lane(e + width, below, 4);
        below = v128.load16_lane(f + width, below, 5);
        below = v128.load16_lane(g + width, below, 6);
        below = v128.load16_lane(h + width, below, 7);
        const weightX = i16x8.narrow_i32x4_u(
          v128.and(i32x4.shr_u(x0, 8), bytes),
          v128.and(i32x4.shr_u(x1, 8), bytes),
        );
        // Exact modulo 2^16, and the results are below it.
        const aboveLeft = v128.and(above, low);
        const belowLeft = v128.and(below, low);
        const upper = i16x8.add(
          i16x8.shl(aboveLeft, 8),
          i16x8.mul(i16x8.sub(i16x8.shr_u(above, 8), aboveLeft), weightX),
        );
        const lower = i16x8.add(
          i16x8.shl(belowLeft, 8),
          i16x8.mul(i16x8.sub(i16x8.shr_u(below, 8), belowLeft), weightX),
        );
        const upper0 = i32x4.extend_low_i16x8_u(upper);
        const upper1 = i32x4.extend_high_i16x8_u(upper);
        const step0 = i32x4.sub(i32x4.extend_low_i16x8_u(lower), upper0);
        const step1 = i32x4.sub(i32x4.extend_high_i16x8_u(lower), upper1);
        const weight0 = v128.and(i32x4.shr_u(y0, 8), bytes);
        const weight1 = v128.and(i32x4.shr_u(y1, 8), bytes);
        const pixels = i16x8.narrow_i32x4_s(
          i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(upper0, 8), i32x4.mul(step0, weight0)), half), 12),
          i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(upper1, 8), i32x4.mul(step1, weight1)), half), 12),
        );
        sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(pixels));
        squares = i32x4.add(squares, i32x4.dot_i16x8_s(pixels, pixels));
        products = i32x4.add(products, i32x4.dot_i16x8_s(pixels, v128.load(template)));
        productsX = i32x4.add(productsX, i32x4.dot_i16x8_s(pixels, v128.load(template, 128)));
        productsY = i32x4.add(productsY, i32x4.dot_i16x8_s(pixels, v128.load(template, 256)));
        x0 = i32x4.add(x0, vx);
        y0 = i32x4.add(y0, vy);
      }
      store<i32>(sums, sumOf(sum));
      store<i32>(sums, sumOf(squares), 4);
      store<i32>(sums, sumOf(products), 8);
      store<i32>(sums, sumOf(productsX), 12);
      store<i32>(sums, sumOf(productsY), 16);
    }
    geometry += GEOMETRY_BYTES;
    templates += TEMPLATE_BYTES;
    sums += SUMS_BYTES;
  }
}
