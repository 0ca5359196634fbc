// Projective maps of the plane.
//
// Everywhere in the player, coordinates are continuous: the pixel in column i and row j covers
// [i, i + 1) × [j, j + 1), so its center is at (i + 0.5, j + 0.5). Maps are row-major 3 × 3 matrices in nine
// consecutive floats, up to scale. Functions write into `out`, which may be one of their inputs.

import type { Size } from "../compiler/types.ts";

export type Homography = Float64Array;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Upper left, upper right, lower right, lower left. */
export type Corners = readonly [Point, Point, Point, Point];

/** Writes the map that applies `first`, then `second`. */
export function compose(
  second: Homography,
  first: Homography,
  out: Homography = new Float64Array(9),
): Homography {
  const [a, b, c, d, e, f, g, h, i] = second;
  const [j, k, l, m, n, o, p, q, r] = first;
  out[0] = a * j + b * m + c * p;
  out[1] = a * k + b * n + c * q;
  out[2] = a * l + b * o + c * r;
  out[3] = d * j + e * m + f * p;
  out[4] = d * k + e * n + f * q;
  out[5] = d * l + e * o + f * r;
  out[6] = g * j + h * m + i * p;
  out[7] = g * k + h * n + i * q;
  out[8] = g * l + h * o + i * r;
  return out;
}

/** Writes the adjugate, which is the inverse up to scale. A singular map gives a map that is not invertible. */
export function invert(map: Homography, out: Homography = new Float64Array(9)): Homography {
  const [a, b, c, d, e, f, g, h, i] = map;
  out[0] = e * i - f * h;
  out[1] = c * h - b * i;
  out[2] = b * f - c * e;
  out[3] = f * g - d * i;
  out[4] = a * i - c * g;
  out[5] = c * d - a * f;
  out[6] = d * h - e * g;
  out[7] = b * g - a * h;
  out[8] = a * e - b * d;
  return out;
}

/** Divides by the last entry, so that a map near the identity has entries near 1. */
export function normalize(map: Homography): Homography {
  const scale = 1 / map[8];
  for (let i = 0; i < 9; i++) map[i] *= scale;
  return map;
}

export function project(map: Homography, x: number, y: number): Point {
  const w = map[6] * x + map[7] * y + map[8];
  return { x: (map[0] * x + map[1] * y + map[2]) / w, y: (map[3] * x + map[4] * y + map[5]) / w };
}

/** Returns where the corners of an image of this size lie. */
export function projectCorners(map: Homography, { width, height }: Size): Corners {
  return [project(map, 0, 0), project(map, width, 0), project(map, width, height), project(map, 0, height)];
}

/**
 * Writes the map from the unit square (0, 0), (1, 0), (1, 1), (0, 1) to four corners.
 * Source: Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), section 2.2.3.
 */
function squareToCorners(corners: Corners, out: Homography = new Float64Array(9)): Homography {
  const [p, q, r, s] = corners;
  const sumX = p.x - q.x + r.x - s.x;
  const sumY = p.y - q.y + r.y - s.y;
  const dx1 = q.x - r.x;
  const dx2 = s.x - r.x;
  const dy1 = q.y - r.y;
  const dy2 = s.y - r.y;
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sumX * dy2 - dx2 * sumY) / determinant;
  const h = (dx1 * sumY - sumX * dy1) / determinant;
  out[0] = q.x - p.x + g * q.x;
  out[1] = s.x - p.x + h * s.x;
  out[2] = p.x;
  out[3] = q.y - p.y + g * q.y;
  out[4] = s.y - p.y + h * s.y;
  out[5] = p.y;
  out[6] = g;
  out[7] = h;
  out[8] = 1;
  return out;
}

/** Writes the map that takes the corners of an image of this size to four corners. */
export function imageToCorners(
  { width, height }: Size,
  corners: Corners,
  out: Homography = new Float64Array(9),
): Homography {
  squareToCorners(corners, out);
  for (let row = 0; row < 9; row += 3) {
    out[row] /= width;
    out[row + 1] /= height;
  }
  return out;
}
