// Twins of `findPlaneExtrema` and `planeExtremum` in compiler/kernels/extrema.ts.

export const BORDER = 7;
const MAX_EDGE_SCORE: f64 = 6.25;
export const MIN_DETERMINANT: f64 = 0.0001;
export const IS_MAXIMUM = 1;
export const IS_MINIMUM = 2;

export function findPlaneExtrema(
  dog: usize,
  width: i32,
  firstRow: i32,
  endRow: i32,
  minResponse: f32,
  candidates: usize,
): i32 {
  const strong = f32x4.splat(minResponse);
  const stride = (<usize>width) << 2;
  let to = candidates;
  for (let y = firstRow; y < endRow; y++) {
    const first = y * width + BORDER;
    const end = (y + 1) * width - BORDER;
    for (let i = first; i < end; i += 4) {
      const center = dog + ((<usize>i) << 2);
      const value = v128.load(center);
      const reach = f32x4.ge(f32x4.abs(value), strong);
      if (!v128.any_true(reach)) continue;
      const left = v128.load(center - 4);
      const right = v128.load(center + 4);
      const a = v128.load(center - stride - 4);
      const b = v128.load(center - stride);
      const c = v128.load(center - stride + 4);
      const d = v128.load(center + stride - 4);
      const e = v128.load(center + stride);
      const f = v128.load(center + stride + 4);
      const greatest = f32x4.pmax(
        f32x4.pmax(f32x4.pmax(left, right), f32x4.pmax(a, b)),
        f32x4.pmax(f32x4.pmax(c, d), f32x4.pmax(e, f)),
      );
      const smallest = f32x4.pmin(
        f32x4.pmin(f32x4.pmin(left, right), f32x4.pmin(a, b)),
        f32x4.pmin(f32x4.pmin(c, d), f32x4.pmin(e, f)),
      );
      const inside = end - i < 4 ? (1 << (end - i)) - 1 : 15;
      const maxima = i32x4.bitmask(v128.and(f32x4.ge(value, greatest), reach)) & inside;
      const minima = i32x4.bitmask(v128.and(f32x4.le(value, smallest), reach)) & inside;
      for (let found = maxima | minima; found !== 0; found &= found - 1) {
        const lane = ctz(found);
        if (isEdge(center + ((<usize>lane) << 2), stride)) continue;
        const kind = ((maxima >> lane) & 1) | (((minima >> lane) & 1) << 1);
        store<i32>(to, ((i + lane) << 2) | kind);
        to += 4;
      }
    }
  }
  return <i32>((to - candidates) >> 2);
}

export function planeExtremum(center: usize, stride: usize, minResponse: f32): i32 {
  const value = load<f32>(center);
  if (abs(value) < minResponse) return 0;
  let kind = IS_MAXIMUM | IS_MINIMUM;
  for (let row = center - stride; row <= center + stride; row += stride) {
    for (let at = row - 4; at <= row + 4; at += 4) {
      const neighbour = load<f32>(at);
      if (value < neighbour) kind &= ~IS_MAXIMUM;
      if (value > neighbour) kind &= ~IS_MINIMUM;
    }
  }
  return kind === 0 || isEdge(center, stride) ? 0 : kind;
}

/** Tests trace² / determinant of the Hessian, in float64. */
function isEdge(center: usize, stride: usize): bool {
  const value = <f64>load<f32>(center);
  const upper = center - stride;
  const lower = center + stride;
  const dxx = <f64>load<f32>(center, 4) + <f64>load<f32>(center - 4) - 2 * value;
  const dyy = <f64>load<f32>(lower) + <f64>load<f32>(upper) - 2 * value;
  const dxy =
    0.25 *
    (<f64>load<f32>(upper - 4) +
      <f64>load<f32>(lower, 4) -
      <f64>load<f32>(upper, 4) -
      <f64>load<f32>(lower - 4));
  const determinant = dxx * dyy - dxy * dxy;
  if (abs(determinant) < MIN_DETERMINANT) return true;
  return abs(((dxx + dyy) * (dxx + dyy)) / determinant) >= MAX_EDGE_SCORE;
}
