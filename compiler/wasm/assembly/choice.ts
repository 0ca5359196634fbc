// Twin of `chooseExtrema` in compiler/kernels/choice.ts.

import { BORDER, findPlaneExtrema, IS_MAXIMUM, IS_MINIMUM, MIN_DETERMINANT, planeExtremum } from "./extrema";
import { baseDifferences } from "./pyramid";

const SHORTLIST = 16;

const shortlist = memory.data(SHORTLIST * 4);
const below = memory.data(16 * 4);

// What all functions need of the current image.
let grey: usize = 0;
let greyWidth: i32 = 0;
let dogs: usize = 0;
let planes: usize = 0;
let octaves: i32 = 0;
let minResponse: f32 = 0;
let next: usize = 0;
let place: usize = 0;
let strength: usize = 0;

function planeOf(octave: i32): usize {
  return dogs + ((<usize>load<i32>(planes + ((<usize>octave) << 4))) << 2);
}

function widthOf(octave: i32): i32 {
  return load<i32>(planes + ((<usize>octave) << 4), 4);
}

function heightOf(octave: i32): i32 {
  return load<i32>(planes + ((<usize>octave) << 4), 8);
}

export function chooseExtrema(
  grey_: usize,
  greyWidth_: i32,
  dogs_: usize,
  planes_: usize,
  octaves_: i32,
  bucketsAcross: i32,
  bucketsDown: i32,
  pointsPerBucket: i32,
  minResponse_: f32,
  heads: usize,
  next_: usize,
  place_: usize,
  strength_: usize,
  response: usize,
  octave: usize,
  x: usize,
  y: usize,
): i32 {
  grey = grey_;
  greyWidth = greyWidth_;
  dogs = dogs_;
  planes = planes_;
  octaves = octaves_ - 1;
  minResponse = minResponse_;
  next = next_;
  place = place_;
  strength = strength_;
  const buckets = bucketsAcross * bucketsDown;
  memory.fill(heads, 0xff, (<usize>buckets) << 2);
  let candidates = 0;
  for (let i = 0; i < octaves; i++) {
    store<i32>(planes + ((<usize>i) << 4), candidates, 12);
    candidates = collect(i, bucketsAcross, bucketsDown, heads, candidates);
  }
  let count = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const end = count + pointsPerBucket;
    const first = load<i32>(heads + ((<usize>bucket) << 2));
    let listed: i32;
    do {
      listed = listStrongest(first);
      for (let i = 0; i < listed && count < end; i++) {
        const candidate = load<i32>(shortlist + ((<usize>i) << 2));
        store<f32>(strength + ((<usize>candidate) << 2), 0);
        const plane = octaveOf(candidate);
        const found = load<i32>(place + ((<usize>candidate) << 2));
        if (!isExtremum(plane, found)) continue;
        const width = widthOf(plane);
        const index = found >> 2;
        const column = index % width;
        const row = index / width;
        const center = planeOf(plane) + ((<usize>index) << 2);
        const to = (<usize>count) << 2;
        store<f32>(response + to, <f32>packedResponse(<f64>load<f32>(center), column, row));
        store<u8>(octave + <usize>count, <u8>(plane + 1));
        localise(center, (<usize>width) << 2, column, row, x + to, y + to);
        count++;
      }
    } while (count < end && listed === SHORTLIST);
  }
  return count;
}

function collect(plane: i32, bucketsAcross: i32, bucketsDown: i32, heads: usize, first: i32): i32 {
  const dog = planeOf(plane);
  const width = widthOf(plane);
  const height = heightOf(plane);
  const bucketWidth = <f64>((width >> 1) * 2) / <f64>bucketsAcross;
  const bucketHeight = <f64>((height >> 1) * 2) / <f64>bucketsDown;
  const to = place + ((<usize>first) << 2);
  const end = first + findPlaneExtrema(dog, width, BORDER, height - BORDER, minResponse, to);
  for (let i = first; i < end; i++) {
    const at = (<usize>i) << 2;
    const index = load<i32>(place + at) >> 2;
    const x = index % width;
    const y = index / width;
    const bucket = <i32>(<f64>y / bucketHeight) * bucketsAcross + <i32>(<f64>x / bucketWidth);
    const value = <f64>load<f32>(dog + ((<usize>index) << 2));
    store<f32>(strength + at, <f32>abs(packedResponse(value, x, y)));
    const head = heads + ((<usize>bucket) << 2);
    store<i32>(next + at, load<i32>(head));
    store<i32>(head, i);
  }
  return end;
}

function packedResponse(value: f64, x: i32, y: i32): f64 {
  const shift = <f64>(((y & 1) + 2 * (x & 1)) * (value < 0 ? -1000 : 1000));
  return <f64>(<f32>(shift + value)) - shift;
}

function octaveOf(candidate: i32): i32 {
  let octave = octaves - 1;
  while (candidate < load<i32>(planes + ((<usize>octave) << 4), 12)) octave--;
  return octave;
}

function listStrongest(first: i32): i32 {
  let count = 0;
  let least: f32 = 0;
  for (let i = first; i >= 0; i = load<i32>(next + ((<usize>i) << 2))) {
    const value = load<f32>(strength + ((<usize>i) << 2));
    if (value === 0 || value < least) continue;
    let at = shortlist + ((<usize>count) << 2);
    while (at > shortlist && precedes(i, load<i32>(at - 4))) at -= 4;
    if (at === shortlist + SHORTLIST * 4) continue;
    if (count < SHORTLIST) count++;
    for (let k = shortlist + ((<usize>count - 1) << 2); k > at; k -= 4) store<i32>(k, load<i32>(k - 4));
    store<i32>(at, i);
    if (count === SHORTLIST) {
      least = load<f32>(strength + ((<usize>load<i32>(shortlist, (SHORTLIST - 1) * 4)) << 2));
    }
  }
  return count;
}

function precedes(a: i32, b: i32): bool {
  const strongA = load<f32>(strength + ((<usize>a) << 2));
  const strongB = load<f32>(strength + ((<usize>b) << 2));
  if (strongA !== strongB) return strongA > strongB;
  const octave = octaveOf(a);
  const other = octaveOf(b);
  if (octave !== other) return octave < other;
  const width = widthOf(octave);
  return (
    indexKey(load<i32>(place + ((<usize>a) << 2)) >> 2, width) <
    indexKey(load<i32>(place + ((<usize>b) << 2)) >> 2, width)
  );
}

function indexKey(index: i32, width: i32): i32 {
  return cellKey(index % width, index / width, width);
}

function cellKey(x: i32, y: i32, width: i32): i32 {
  return 4 * ((y >> 1) * (width >> 1) + (x >> 1)) + (((y & 1) + 2 * (x & 1) + 3) & 3);
}

function isExtremum(plane: i32, candidate: i32): bool {
  const width = widthOf(plane);
  const height = heightOf(plane);
  const index = candidate >> 2;
  const x = index % width;
  const y = index / width;
  const key = cellKey(x, y, width);
  // The candidate itself first: most fail.
  if (!isScaleExtremum(plane, x, y, candidate & 3)) return false;
  for (let cell = 0; cell < 4; cell++) {
    const u = (x & ~1) + (cell & 1);
    const v = (y & ~1) + (cell >> 1);
    if (cellKey(u, v, width) >= key) continue;
    if (u < BORDER || v < BORDER || u >= width - BORDER || v >= height - BORDER) continue;
    const center = planeOf(plane) + ((<usize>(v * width + u)) << 2);
    const kind = planeExtremum(center, (<usize>width) << 2, minResponse);
    if (kind !== 0 && isScaleExtremum(plane, u, v, kind)) return false;
  }
  return true;
}

function isScaleExtremum(plane: i32, x: i32, y: i32, kind: i32): bool {
  const value = load<f32>(planeOf(plane) + ((<usize>(y * widthOf(plane) + x)) << 2));
  for (let v = y - 1; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++) {
      kind = standsOut(value, doubledDog(planeOf(plane + 1), widthOf(plane + 1), u, v), kind);
      if (kind === 0) return false;
    }
  }
  if (plane === 0) baseDifferences(grey, greyWidth, x, y, below);
  else halvedDogs(planeOf(plane - 1), widthOf(plane - 1), x, y);
  for (let i: usize = 0; i < 36 && kind !== 0; i += 4) kind = standsOut(value, load<f32>(below + i), kind);
  return kind !== 0;
}

function standsOut(value: f32, neighbour: f32, kind: i32): i32 {
  if (value < neighbour) return kind & ~IS_MAXIMUM;
  return value > neighbour ? kind & ~IS_MINIMUM : kind;
}

function halvedDogs(dog: usize, width: i32, x: i32, y: i32): void {
  const stride = (<usize>width) << 2;
  let to = below;
  for (let v = y - 1; v <= y + 1; v++) {
    for (let u = x - 1; u <= x + 1; u++, to += 4) {
      const at = dog + ((<usize>(2 * v * width + 2 * u)) << 2);
      const left = load<f32>(at) + load<f32>(at + stride);
      store<f32>(to, (left + load<f32>(at, 4) + load<f32>(at + stride, 4)) * 0.25);
    }
  }
}

function doubledDog(dog: usize, width: i32, x: i32, y: i32): f32 {
  const at = dog + ((<usize>(((y - 1) >> 1) * width + ((x - 1) >> 1))) << 2);
  const lowerAt = at + ((<usize>width) << 2);
  const wx: f64 = x & 1 ? 0.25 : 0.75;
  const wy: f64 = y & 1 ? 0.25 : 0.75;
  const upper = <f64>load<f32>(at) * (1 - wx) + <f64>load<f32>(at, 4) * wx;
  const lower = <f64>load<f32>(lowerAt) * (1 - wx) + <f64>load<f32>(lowerAt, 4) * wx;
  return <f32>(upper * (1 - wy) + lower * wy);
}

function localise(center: usize, stride: usize, column: i32, row: i32, x: usize, y: usize): void {
  const upper = center - stride;
  const lower = center + stride;
  const value = <f64>load<f32>(center);
  const left = <f64>load<f32>(center - 4);
  const right = <f64>load<f32>(center, 4);
  const above = <f64>load<f32>(upper);
  const under = <f64>load<f32>(lower);
  const dx = 0.5 * (right - left);
  const dy = 0.5 * (under - above);
  const dxx = right + left - 2 * value;
  const dyy = under + above - 2 * value;
  const dxy =
    0.25 *
    (<f64>load<f32>(upper - 4) +
      <f64>load<f32>(lower, 4) -
      <f64>load<f32>(upper, 4) -
      <f64>load<f32>(lower - 4));
  const determinant = dxx * dyy - dxy * dxy;
  const moves = abs(determinant) >= MIN_DETERMINANT;
  store<f32>(x, <f32>(<f64>column + (moves ? (dxy * dy - dyy * dx) / determinant : 0)));
  store<f32>(y, <f32>(<f64>row + (moves ? (dxy * dx - dxx * dy) / determinant : 0)));
}
