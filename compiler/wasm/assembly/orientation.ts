// Twin of `findAngles` in compiler/kernels/orientation.ts.
//
// Only the float32 of a gradient's direction matters. A polynomial computes two directions at a time to within
// 1e-10 bins; where that error could change the float32, the host's own atan2 is called.

declare function atan2(y: f64, x: f64): f64;

const BINS: i32 = 36;
const SMOOTHINGS = 5;
const SIDE_WEIGHT: f64 = 0.274068619061197;
const CENTER_WEIGHT: f64 = 0.451862761877606;
const SIGMA = 3;
const REACH = 5;
const PATCH = 2 * (REACH + 1) + 1;
const ONE_OVER_TWO_PI: f64 = 0.159154943091895;
const ONE_OVER_720: f64 = 0.0013888888;

/** Largest error of the polynomial and its roundings, in bins. */
const UNCERTAINTY: f64 = 4e-10;

/** Rows of the circle: y = -4…4. Each row is symmetric. */
const ROWS = 9;
function rowReach(row: i32): i32 {
  const y = abs(row - 4);
  return y === 4 ? 2 : y === 3 ? 3 : 4;
}

// Each row of the circle is written in pairs, so one extra value may follow the last one.
const weights = memory.data(72 * 4);
// Bin + 1 of each gradient, and the shares that this bin and the next one get.
const bins = memory.data(72 * 4);
const firsts = memory.data(72 * 8);
const seconds = memory.data(72 * 8);
// Two histograms with one bin repeated at either end, padded by 16 bytes on each side.
const histogram = memory.data((BINS + 4) * 8);
const smoothed = memory.data((BINS + 4) * 8);
const patch = memory.data((PATCH + 1) * (PATCH + 1) * 4);

let samples = 0;
for (let row = 0; row < ROWS; row++) {
  const reach = rowReach(row);
  for (let x = -reach; x <= reach; x++) {
    const squared = <f64>(x * x + (row - 4) * (row - 4));
    const t = squared * (-1.0 / (2 * SIGMA * SIGMA));
    const sum = 720 + t * (720 + t * (360 + t * (120 + t * (30 + t * (6 + t)))));
    store<f32>(weights + ((<usize>samples) << 2), <f32>(sum * ONE_OVER_720));
    samples++;
  }
}

export function findAngles(
  twices: usize,
  planes: usize,
  count: i32,
  octave: usize,
  x: usize,
  y: usize,
  angles: usize,
): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const plane = planes + ((<usize>load<u8>(octave + i) - 1) << 4);
    const angle = peakAngle(
      twices + ((<usize>load<i32>(plane)) << 2),
      load<i32>(plane, 4),
      load<i32>(plane, 8),
      <i32>load<f32>(x + (i << 2)),
      <i32>load<f32>(y + (i << 2)),
    );
    store<f32>(angles + (i << 2), <f32>angle);
  }
}

function peakAngle(plane: usize, width: i32, height: i32, x: i32, y: i32): f64 {
  const inside = x > REACH + 1 && y > REACH + 1 && x + REACH + 2 < width && y + REACH + 2 < height;
  if (inside) fillHistogram(plane + ((<usize>y * width + x) << 2), (<usize>width) << 2);
  else {
    copyPatch(plane, width, height, x, y);
    fillHistogram(patch + (((REACH + 1) * PATCH + REACH + 1) << 2), PATCH << 2);
  }
  smoothHistogram();
  return vertexAngle();
}

/** Copies the PATCH × PATCH pixels around (x, y). Pixels outside repeat the border. */
function copyPatch(plane: usize, width: i32, height: i32, x: i32, y: i32): void {
  let to = patch;
  for (let v = y - REACH - 1; v <= y + REACH + 1; v++) {
    const row = plane + ((<usize>min(max(v, 0), height - 1) * width) << 2);
    for (let u = x - REACH - 1; u <= x + REACH + 1; u++, to += 4) {
      store<f32>(to, load<f32>(row + ((<usize>min(max(u, 0), width - 1)) << 2)));
    }
  }
}

function pair(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

function fillHistogram(center: usize, stride: usize): void {
  let index: usize = 0;
  const half = f64x2.splat(0.5);
  const one = f64x2.splat(1);
  for (let row = 0; row < ROWS; row++) {
    const reach = rowReach(row);
    let at = center + <usize>(row - 4) * stride - ((<usize>reach) << 2);
    const end = index + 2 * reach + 1;
    for (let i = index; i < end; i += 2, at += 8) {
      const dy = f64x2.sub(pair(at + stride), pair(at - stride));
      const dx = f64x2.sub(pair(at + 4), pair(at - 4));
      const position = f64x2.promote_low_f32x4(directions(dy, dx));
      const length = f64x2.sqrt(f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy)));
      const weighted = f32x4.demote_f64x2_zero(f64x2.mul(pair(weights + (i << 2)), length));
      const magnitude = f64x2.promote_low_f32x4(weighted);
      // Positions are not negative, so this equals floor(position - ½) + 1.
      const nextBin = f64x2.floor(f64x2.add(position, half));
      const second = f64x2.sub(f64x2.sub(position, f64x2.sub(nextBin, one)), half);
      v128.store64_lane(bins + (i << 2), i32x4.trunc_sat_f64x2_s_zero(nextBin), 0);
      v128.store(firsts + (i << 3), f64x2.mul(f64x2.sub(one, second), magnitude));
      v128.store(seconds + (i << 3), f64x2.mul(second, magnitude));
    }
    index = end;
  }
  const sums = histogram + 16;
  for (let i: usize = 0; i < <usize>BINS * 8; i += 16) v128.store(sums + i, f64x2.splat(0));
  for (let i: usize = 0; i < index; i++) {
    const next = load<i32>(bins + (i << 2));
    const here = sums + ((<usize>(next === 0 ? BINS - 1 : next - 1)) << 3);
    const there = sums + ((<usize>(next === BINS ? 0 : next)) << 3);
    store<f64>(here, load<f64>(here) + load<f64>(firsts + (i << 3)));
    store<f64>(there, load<f64>(there) + load<f64>(seconds + (i << 3)));
  }
  for (let i: usize = 0; i < <usize>BINS; i += 2) {
    const at = sums + (i << 3);
    v128.store(at, f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(v128.load(at))));
  }
}

/** Returns the directions of two gradients in bins, as the lower two float32. */
function directions(dy: v128, dx: v128): v128 {
  const width = f64x2.abs(dx);
  const height = f64x2.abs(dy);
  const shorter = f64x2.pmin(width, height);
  const longer = f64x2.pmax(f64x2.pmax(width, height), f64x2.splat(1e-300));
  const q = f64x2.div(shorter, longer);
  let angle = f64x2.mul(q, arcTangentRatio(f64x2.mul(q, q)));
  angle = v128.bitselect(f64x2.sub(f64x2.splat(Math.PI / 2), angle), angle, f64x2.gt(height, width));
  const zero = f64x2.splat(0);
  angle = v128.bitselect(f64x2.sub(f64x2.splat(Math.PI), angle), angle, f64x2.lt(dx, zero));
  angle = v128.bitselect(f64x2.neg(angle), angle, f64x2.lt(dy, zero));
  const position = inBins(angle);
  const uncertainty = f64x2.splat(UNCERTAINTY);
  const lowest = f32x4.demote_f64x2_zero(f64x2.sub(position, uncertainty));
  const highest = f32x4.demote_f64x2_zero(f64x2.add(position, uncertainty));
  if (i32x4.all_true(f32x4.eq(lowest, highest))) return lowest;
  const exact = f64x2.replace_lane(
    f64x2.splat(atan2(f64x2.extract_lane(dy, 0), f64x2.extract_lane(dx, 0))),
    1,
    atan2(f64x2.extract_lane(dy, 1), f64x2.extract_lane(dx, 1)),
  );
  return f32x4.demote_f64x2_zero(inBins(exact));
}

function inBins(angle: v128): v128 {
  const turned = f64x2.mul(f64x2.add(angle, f64x2.splat(Math.PI)), f64x2.splat(<f64>BINS));
  return f64x2.mul(turned, f64x2.splat(ONE_OVER_TWO_PI));
}

/** Returns atan(√t) / √t on 0…1, to within 7e-12: Chebyshev nodes, degree 12. */
function arcTangentRatio(t: v128): v128 {
  let p = f64x2.splat(0.0004301649671246618);
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(-0.003261487038163442));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(0.01160232577837809));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(-0.026271578008502668));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(0.04390287177486518));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(-0.060385486348793024));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(0.07502231441184523));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(-0.09051137271068088));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(0.11105656192986631));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(-0.14285262492831374));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(0.19999980353708297));
  p = f64x2.add(f64x2.mul(p, t), f64x2.splat(-0.333333329950518));
  return f64x2.add(f64x2.mul(p, t), f64x2.splat(0.999999999990292));
}

function smoothHistogram(): void {
  let from = histogram + 16;
  let to = smoothed + 16;
  const side = f64x2.splat(SIDE_WEIGHT);
  const middle = f64x2.splat(CENTER_WEIGHT);
  for (let pass = 0; pass < SMOOTHINGS; pass++) {
    store<f64>(from - 8, load<f64>(from + (BINS - 1) * 8));
    store<f64>(from + BINS * 8, load<f64>(from));
    for (let i: usize = 0; i < <usize>BINS * 8; i += 16) {
      const sum = f64x2.add(
        f64x2.add(f64x2.mul(side, v128.load(from + i - 8)), f64x2.mul(middle, v128.load(from + i))),
        f64x2.mul(side, v128.load(from + i + 8)),
      );
      v128.store(to + i, f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(sum)));
    }
    const swap = from;
    from = to;
    to = swap;
  }
}

/** Reads `smoothed`, where the fifth smoothing ends. */
function vertexAngle(): f64 {
  const bins = smoothed + 16;
  let peak = 0;
  let highest = load<f64>(bins);
  for (let bin = 1; bin < BINS; bin++) {
    const value = load<f64>(bins + ((<usize>bin) << 3));
    if (value > highest) {
      peak = bin;
      highest = value;
    }
  }
  const previous = load<f64>(bins + ((<usize>((peak + BINS - 1) % BINS)) << 3)) - highest;
  const next = load<f64>(bins + ((<usize>((peak + 1) % BINS)) << 3)) - highest;
  const a = next / 2 + previous / 2;
  const b = -(previous + a * <f64>(peak * peak - (peak - 1) * (peak - 1)));
  const vertex = a === 0 && b === 0 ? 0 : -b / (2 * a);
  return (2 * Math.PI * (vertex + 0.5)) / BINS - Math.PI;
}
