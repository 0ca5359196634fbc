// Twins of the kernels in compiler/kernels/tracking.ts.

import { correlate } from "./templates";

const REACH = 6;
const SIDE = 13;
const PIXELS: f64 = 169;
const NO_TEMPLATE: f64 = -2;
const BINS = 1000;
const MIN_DEVIATION: f64 = 8;
const MAX_SIMILARITY: f64 = 0.9;
const MIN_NEAR_SIMILARITY: f64 = 0.2;
const MAX_NEAR_SIMILARITY: f64 = 0.99;
const BATCH = 24;

export function sumTemplates(
  grey: usize,
  width: i32,
  height: i32,
  columns: usize,
  sums: usize,
  squares: usize,
): void {
  const row = (<usize>width) << 2;
  memory.fill(columns, 0, 2 * row);
  memory.fill(sums, 0, row * height);
  memory.fill(squares, 0, row * height);
  for (let y = 0; y < height; y++) {
    const first = grey + <usize>y * width;
    const old = first - <usize>SIDE * width;
    for (let x: usize = 0, at = columns; x < <usize>width; x++, at += 4) {
      const value = <i32>load<u8>(first + x);
      const gone = y >= SIDE ? <i32>load<u8>(old + x) : 0;
      store<i32>(at, load<i32>(at) + value - gone);
      store<i32>(at + row, load<i32>(at + row) + value * value - gone * gone);
    }
    if (y < SIDE - 1) continue;
    let s = 0;
    let q = 0;
    let to: usize = (<usize>((y - REACH) * width + REACH)) << 2;
    const end = columns + row;
    for (let at = columns; at < columns + (SIDE - 1) * 4; at += 4) {
      s += load<i32>(at);
      q += load<i32>(at + row);
    }
    for (let at = columns + (SIDE - 1) * 4; at < end; at += 4, to += 4) {
      s += load<i32>(at);
      q += load<i32>(at + row);
      store<i32>(sums + to, s);
      store<i32>(squares + to, q);
      const left = at - (SIDE - 1) * 4;
      s -= load<i32>(left);
      q -= load<i32>(left + row);
    }
  }
}

export function findCorners(
  grey: usize,
  width: i32,
  height: i32,
  most: f64,
  sums: usize,
  squares: usize,
  gradient: usize,
  histogram: usize,
  candidates: usize,
): i32 {
  writeGradients(grey, width, height, gradient);
  memory.fill(histogram, 0, BINS * 4);
  const stride = (<usize>width) << 2;
  let to = candidates;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const at = gradient + ((<usize>i) << 2);
      const value = load<f32>(at);
      if (value <= load<f32>(at - 4) || value <= load<f32>(at + 4)) continue;
      if (value <= load<f32>(at - stride) || value <= load<f32>(at + stride)) continue;
      store<i32>(to, i);
      to += 4;
      const bin = histogram + ((<usize>min(<i32>(<f64>value * BINS), BINS - 1)) << 2);
      store<i32>(bin, load<i32>(bin) + 1);
    }
  }
  let bin = BINS - 1;
  for (let total = 0; bin >= 0; bin--) {
    total += load<i32>(histogram + ((<usize>bin) << 2));
    if (<f64>total > most) break;
  }
  let kept = candidates;
  for (let from = candidates; from < to; from += 4) {
    const at = load<i32>(from);
    if (<f64>load<f32>(gradient + ((<usize>at) << 2)) * BINS < <f64>bin) continue;
    if (!fits(at % width, width) || !fits(at / width, height)) continue;
    if (!(templateNorm(sums, squares, at) / SIDE >= MIN_DEVIATION)) continue;
    store<i32>(kept, at);
    kept += 4;
  }
  return <i32>((kept - candidates) >> 2);
}

function fits(at: i32, size: i32): bool {
  return at >= REACH && at < size - REACH;
}

function writeGradients(grey: usize, width: i32, height: i32, out: usize): void {
  const count = width * height;
  for (let i = 0; i < count; i++) store<f32>(out + ((<usize>i) << 2), -1);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const at = grey + <usize>i;
      const u = at - <usize>width;
      const l = at + <usize>width;
      const corners = <i32>load<u8>(l + 1) - <i32>load<u8>(u - 1);
      const others = <i32>load<u8>(u + 1) - <i32>load<u8>(l - 1);
      const dx = <f64>(corners + others + <i32>load<u8>(at + 1) - <i32>load<u8>(at - 1)) / (3 * 256);
      const dy = <f64>(corners - others + <i32>load<u8>(l) - <i32>load<u8>(u)) / (3 * 256);
      store<f32>(out + ((<usize>i) << 2), <f32>sqrt<f64>((dx * dx + dy * dy) / 2));
    }
  }
}

function templateNorm(sums: usize, squares: usize, at: i32): f64 {
  const sum = <f64>load<i32>(sums + ((<usize>at) << 2));
  const average = sum / PIXELS;
  return sqrt<f64>(
    <f64>load<i32>(squares + ((<usize>at) << 2)) - 2 * average * sum + PIXELS * average * average,
  );
}

export function choosePoints(
  grey: usize,
  width: i32,
  height: i32,
  sums: usize,
  squares: usize,
  near: usize,
  nearCount: i32,
  far: usize,
  farCount: i32,
  candidates: usize,
  count: i32,
  bounds: usize,
  compared: usize,
  similarities: usize,
  barred: usize,
  reach: i32,
  limit: i32,
  points: usize,
): i32 {
  memory.fill(barred, 0, <usize>width * height);
  memory.fill(compared, 0, (<usize>count) << 2);
  for (let i = 0; i < count; i++) store<f32>(bounds + ((<usize>i) << 2), -1);
  let chosen = 0;
  while (count > 0 && chosen < limit) {
    const at = load<i32>(candidates);
    const bound = <f64>load<f32>(bounds);
    const from = load<i32>(compared);
    const complete = from >= farCount;
    let drop = load<u8>(barred + <usize>at) !== 0 || bound >= MAX_SIMILARITY;
    let choose = false;
    if (!drop) {
      const norm = templateNorm(sums, squares, at);
      if (complete || from === BATCH) {
        correlate(grey, width, height, sums, squares, at, norm, near, 0, nearCount, Infinity, similarities);
        drop = !surroundingsAgree(similarities, nearCount, bound);
      }
      if (complete) {
        choose = !drop;
        drop = true;
      } else if (!drop) {
        const end = min(from + BATCH, farCount);
        const next = correlate(
          grey,
          width,
          height,
          sums,
          squares,
          at,
          norm,
          far,
          from,
          end,
          MAX_SIMILARITY,
          similarities,
        );
        let largest = bound;
        for (let k = 0; k < next - from; k++) {
          largest = max(largest, load<f64>(similarities + ((<usize>k) << 3)));
        }
        sink(candidates, bounds, compared, count, at, <f32>largest, from + BATCH);
      }
    }
    if (drop) {
      count--;
      const last = (<usize>count) << 2;
      sink(
        candidates,
        bounds,
        compared,
        count,
        load<i32>(candidates + last),
        load<f32>(bounds + last),
        load<i32>(compared + last),
      );
    }
    if (!choose) continue;
    store<i32>(points + ((<usize>chosen) << 2), at);
    chosen++;
    const x = at % width;
    const y = at / width;
    const left = max(x - reach, 0);
    const right = min(x + reach, width - 1);
    for (let v = max(y - reach, 0), end = min(y + reach, height - 1); v <= end; v++) {
      memory.fill(barred + <usize>(v * width + left), 1, right + 1 - left);
    }
  }
  return chosen;
}

function surroundingsAgree(similarities: usize, count: i32, farthest: f64): bool {
  for (let k = 0; k < count; k++) {
    const similarity = load<f64>(similarities + ((<usize>k) << 3));
    if (similarity === NO_TEMPLATE) continue;
    if (similarity > MAX_NEAR_SIMILARITY) return false;
    if (similarity < MIN_NEAR_SIMILARITY && similarity < farthest) return false;
  }
  return true;
}

function sink(
  indexes: usize,
  bounds: usize,
  compared: usize,
  size: i32,
  index: i32,
  bound: f32,
  done: i32,
): void {
  let at: usize = 0;
  for (let child = 1; child < size; child = 2 * <i32>(at >> 2) + 1) {
    let from = (<usize>child) << 2;
    if (
      child + 1 < size &&
      precedes(indexes, bounds, from + 4, load<f32>(bounds + from), load<i32>(indexes + from))
    ) {
      from += 4;
    }
    if (!precedes(indexes, bounds, from, bound, index)) break;
    store<i32>(indexes + at, load<i32>(indexes + from));
    store<f32>(bounds + at, load<f32>(bounds + from));
    store<i32>(compared + at, load<i32>(compared + from));
    at = from;
  }
  store<i32>(indexes + at, index);
  store<f32>(bounds + at, bound);
  store<i32>(compared + at, done);
}

function precedes(indexes: usize, bounds: usize, at: usize, bound: f32, index: i32): bool {
  const other = load<f32>(bounds + at);
  return other < bound || (other === bound && load<i32>(indexes + at) < index);
}
