// Twin of `describePoints` in compiler/kernels/freak.ts.

const SAMPLES = 37;
const DESCRIPTOR_BYTES: usize = 84;
const TOLERANCE: f64 = 0.01;

/** Largest distance of a sample from its point, in pixels, plus a reserve for its neighbours and rounding. */
const MARGIN = 9;

/** Samples in reverse order, and the upper bound of each for its comparisons. */
const samples = memory.data(40 * 4);
const bounds = memory.data(44 * 4);

export function describePoints(
  twices: usize,
  planes: usize,
  count: i32,
  octave: usize,
  x: usize,
  y: usize,
  cosines: usize,
  sines: usize,
  pattern: usize,
  descriptors: usize,
): void {
  for (let i: usize = 0; i < <usize>count; i++, descriptors += DESCRIPTOR_BYTES) {
    const plane = planes + ((<usize>load<u8>(octave + i) - 1) << 4);
    describePoint(
      twices + ((<usize>load<i32>(plane)) << 2),
      load<i32>(plane, 4),
      load<i32>(plane, 8),
      <f64>load<f32>(x + (i << 2)),
      <f64>load<f32>(y + (i << 2)),
      load<f64>(cosines + (i << 3)),
      load<f64>(sines + (i << 3)),
      pattern,
      descriptors,
    );
  }
}

function describePoint(
  plane: usize,
  width: i32,
  height: i32,
  x: f64,
  y: f64,
  cos: f64,
  sin: f64,
  pattern: usize,
  descriptor: usize,
): void {
  const inside = x >= MARGIN && y >= MARGIN && x < <f64>(width - MARGIN) && y < <f64>(height - MARGIN);
  if (inside) sampleInside(plane, width, x, y, cos, sin, pattern);
  else sampleClamped(plane, width, height, x, y, cos, sin, pattern);
  pack(descriptor);
}

/** Samples where all pixels are inside: x and y together, then the pixels of a row two at a time. */
function sampleInside(plane: usize, width: i32, x: f64, y: f64, cos: f64, sin: f64, pattern: usize): void {
  const center = f64x2.replace_lane(f64x2.splat(x), 1, y);
  const along = f64x2.replace_lane(f64x2.splat(cos), 1, sin);
  const across = f64x2.replace_lane(f64x2.splat(sin), 1, -cos);
  const one = f64x2.splat(1);
  for (let i = 0; i < SAMPLES; i++) {
    const u = f64x2.splat(<f64>load<f32>(pattern + ((<usize>i) << 3)));
    const v = f64x2.splat(<f64>load<f32>(pattern + ((<usize>i) << 3), 4));
    const place = f64x2.sub(f64x2.add(center, f64x2.mul(u, along)), f64x2.mul(v, across));
    const corner = f64x2.floor(place);
    const pixel = i32x4.trunc_sat_f64x2_s_zero(corner);
    // Weights of the pixels at the corner, and of the next ones, in x and y.
    const near = f64x2.sub(f64x2.add(corner, one), place);
    const next = f64x2.sub(place, corner);
    const columns = v128.shuffle<f64>(near, next, 0, 2);
    const index = i32x4.extract_lane(pixel, 1) * width + i32x4.extract_lane(pixel, 0);
    const upper = plane + ((<usize>index) << 2);
    const lower = upper + ((<usize>width) << 2);
    const above = f64x2.mul(
      f64x2.mul(columns, v128.shuffle<f64>(near, near, 1, 1)),
      f64x2.promote_low_f32x4(v128.load64_zero(upper)),
    );
    const below = f64x2.mul(
      f64x2.mul(columns, v128.shuffle<f64>(next, next, 1, 1)),
      f64x2.promote_low_f32x4(v128.load64_zero(lower)),
    );
    keep(
      i,
      <f32>(
        (f64x2.extract_lane(above, 0) +
          f64x2.extract_lane(above, 1) +
          f64x2.extract_lane(below, 0) +
          f64x2.extract_lane(below, 1))
      ),
    );
  }
}

function sampleClamped(
  plane: usize,
  width: i32,
  height: i32,
  x: f64,
  y: f64,
  cos: f64,
  sin: f64,
  pattern: usize,
): void {
  const right = width - 1;
  const bottom = height - 1;
  for (let i = 0; i < SAMPLES; i++) {
    const u = <f64>load<f32>(pattern + ((<usize>i) << 3));
    const v = <f64>load<f32>(pattern + ((<usize>i) << 3), 4);
    const sampleX = x + u * cos - v * sin;
    const sampleY = y + u * sin + v * cos;
    const floorX = floor<f64>(sampleX);
    const floorY = floor<f64>(sampleY);
    // A point may be far outside after a long step; one pixel outside clamps to the same value.
    const x0 = <i32>min(max(floorX, -1), <f64>right);
    const y0 = <i32>min(max(floorY, -1), <f64>bottom);
    const left = (<usize>max(x0, 0)) << 2;
    const next = (<usize>min(x0 + 1, right)) << 2;
    const upper = plane + ((<usize>max(y0, 0) * width) << 2);
    const lower = plane + ((<usize>min(y0 + 1, bottom) * width) << 2);
    const toRight = floorX + 1 - sampleX;
    const toBottom = floorY + 1 - sampleY;
    const toLeft = sampleX - floorX;
    const toTop = sampleY - floorY;
    const sample = <f32>(
      (toRight * toBottom * <f64>load<f32>(upper + left) +
        toLeft * toBottom * <f64>load<f32>(upper + next) +
        toRight * toTop * <f64>load<f32>(lower + left) +
        toLeft * toTop * <f64>load<f32>(lower + next))
    );
    keep(i, sample);
  }
}

/** A float32 is below the float64 bound exactly when it is below the first float32 that is not below it. */
function keep(i: i32, sample: f32): void {
  const to = (<usize>(SAMPLES - 1 - i)) << 2;
  const bound = <f64>sample + TOLERANCE;
  const rounded = <f32>bound;
  store<f32>(samples + to, sample);
  // Grey levels are not negative, so the bits of the next float32 are greater by 1.
  store<i32>(bounds + to, reinterpret<i32>(rounded) + i32(<f64>rounded < bound));
}

/**
 * Packs the comparisons of the first sample with all later ones, then of the second one, and so on. With the
 * samples in reverse order, the mask of a vector comparison has its first bit on top, as needed.
 */
function pack(descriptor: usize): void {
  let stream: u64 = 0;
  let bits = 0;
  for (let later = SAMPLES - 1; later > 0; later--) {
    const first = v128.load32_splat(samples + ((<usize>later) << 2));
    let mask: u64 = 0;
    for (let k = 0; k < later; k += 4) {
      const lanes = i32x4.bitmask(f32x4.lt(first, v128.load(bounds + ((<usize>k) << 2))));
      mask |= (<u64>lanes) << k;
    }
    mask &= ((<u64>1) << later) - 1;
    // At most 31 bits are pending, and at most 36 are added.
    if (bits + later > 63) {
      const high = later - 16;
      stream = (stream << high) | (mask >> 16);
      bits += high;
      while (bits >= 32) {
        bits -= 32;
        store<u32>(descriptor, <u32>(stream >> bits));
        descriptor += 4;
      }
      stream = (stream << 16) | (mask & 0xffff);
      bits += 16;
    } else {
      stream = (stream << later) | mask;
      bits += later;
    }
    while (bits >= 32) {
      bits -= 32;
      store<u32>(descriptor, <u32>(stream >> bits));
      descriptor += 4;
    }
  }
  store<u32>(descriptor, <u32>(stream << (32 - bits)));
}
