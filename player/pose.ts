// The place of a target in space, as the camera sees it.

import type { Size } from "../compiler/types.ts";
import { solve } from "./equations.ts";
import { type Homography, normalize } from "./homography.ts";

/** A pinhole camera without distortion, in frame pixels; its axis meets the frame at (x, y). */
export interface Camera {
  readonly focal: number;
  readonly x: number;
  readonly y: number;
}

/**
 * Where a target lies: X = R (x, y, 0) + t, with target pixels as units, x to the right, y down and z away from the
 * camera.
 */
export interface Pose {
  /** R, row-major 3 × 3. */
  readonly rotation: Float64Array;
  readonly translation: Float64Array;
}

/** Vertical field of view that MindAR's player assumes for every camera, in radians. */
const STOCK_FIELD_OF_VIEW = Math.PI / 4;

/** Returns the camera that MindAR's player assumes for frames of this size. */
export function stockCamera({ width, height }: Size): Camera {
  return { focal: height / 2 / Math.tan(STOCK_FIELD_OF_VIEW / 2), x: width / 2, y: height / 2 };
}

/** Points per side of the grid on the target whose distances in the frame are minimized. */
const GRID = 3;
const STEPS = 10;
/** Smallest pivot of a step that can be solved, as a share of its diagonal entry. */
const LEAST_PIVOT = 1e-12;
/** Steps end when no rotation, in radians, or translation, in target sides, is above this. */
const SMALLEST_STEP = 1e-9;

/**
 * Returns the pose of a target of this size whose map to the frame is given: that with the least squared distances, in
 * the frame, over a grid of points of the target. The map of another camera than the given one fits no pose exactly.
 *
 * Source: the columns of K⁻¹ H give the start (Zhang, A Flexible New Technique for Camera Calibration, 2000), and
 * Gauss–Newton steps over rotation and translation improve it.
 */
export function estimatePose(map: Homography, size: Size, camera: Camera): Pose {
  const unit = Math.max(size.width, size.height) / 2;
  const points = grid(map, size, unit, camera);
  const { rotation, translation } = startingPose(map, size, unit, camera);
  const equations = new Float64Array(6 * 9);
  for (let step = 0; step < STEPS; step++) {
    accumulate(points, rotation, translation, equations);
    if (!solve(equations, 6, LEAST_PIVOT)) break;
    turn(rotation, equations[8], equations[17], equations[26]);
    let largest = 0;
    for (let i = 0; i < 6; i++) largest = Math.max(largest, Math.abs(equations[9 * i + 8]));
    for (let i = 0; i < 3; i++) translation[i] += equations[9 * (i + 3) + 8];
    if (largest < SMALLEST_STEP) break;
  }
  // From the middle of the target, in half sides, to its upper left corner, in pixels.
  for (let i = 0; i < 3; i++) {
    translation[i] =
      translation[i] * unit - (rotation[3 * i] * size.width + rotation[3 * i + 1] * size.height) / 2;
  }
  return { rotation, translation };
}

/** Returns the map of a pose; the inverse of `estimatePose`. */
export function projectPose({ rotation, translation }: Pose, { focal, x, y }: Camera): Homography {
  const map = new Float64Array(9);
  for (let column = 0; column < 3; column++) {
    const [u, v, w] = [0, 1, 2].map((row) => (column === 2 ? translation[row] : rotation[3 * row + column]));
    map[column] = focal * u + x * w;
    map[column + 3] = focal * v + y * w;
    map[column + 6] = w;
  }
  return normalize(map);
}

/**
 * Returns points of the target, in half sides from its middle, and where they are in the frame, in focal lengths from
 * the axis: x, y, u, v of each.
 */
function grid(map: Homography, { width, height }: Size, unit: number, camera: Camera): Float64Array {
  const points = new Float64Array(4 * GRID * GRID);
  for (let i = 0, to = 0; i < GRID * GRID; i++, to += 4) {
    const x = (width * (i % GRID)) / (GRID - 1);
    const y = (height * Math.floor(i / GRID)) / (GRID - 1);
    const w = map[6] * x + map[7] * y + map[8];
    points[to] = (x - width / 2) / unit;
    points[to + 1] = (y - height / 2) / unit;
    points[to + 2] = ((map[0] * x + map[1] * y + map[2]) / w - camera.x) / camera.focal;
    points[to + 3] = ((map[3] * x + map[4] * y + map[5]) / w - camera.y) / camera.focal;
  }
  return points;
}

function startingPose(map: Homography, { width, height }: Size, unit: number, { focal, x, y }: Camera) {
  // K⁻¹ H, from half sides around the middle.
  const column = (at: number) => {
    const [a, b, c] = at === 2 ? middle() : [map[at] * unit, map[at + 3] * unit, map[at + 6] * unit];
    return [(a - x * c) / focal, (b - y * c) / focal, c];
  };
  const middle = () =>
    [0, 3, 6].map((row) => (map[row] * width) / 2 + (map[row + 1] * height) / 2 + map[row + 2]);
  let [right, down, center] = [column(0), column(1), column(2)];
  // The target is in front of the camera.
  const sign = center[2] < 0 ? -1 : 1;
  const scale = (sign * 2) / (Math.hypot(...right) + Math.hypot(...down));
  [right, down, center] = [right, down, center].map((vector) => vector.map((value) => value * scale));
  // The nearest pair of perpendicular unit vectors, symmetric in both.
  const along = unitVector(right.map((value, i) => value + down[i]));
  const away = cross(right, down);
  const across = unitVector(cross(away, along));
  const half = Math.SQRT1_2;
  right = along.map((value, i) => half * (value - across[i]));
  down = along.map((value, i) => half * (value + across[i]));
  const normal = cross(right, down);
  const rotation = Float64Array.from(
    { length: 9 },
    (_, i) => [right, down, normal][i % 3][Math.floor(i / 3)],
  );
  return { rotation, translation: Float64Array.from(center) };
}

function cross([a, b, c]: readonly number[], [d, e, f]: readonly number[]): number[] {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function unitVector(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Writes the normal equations of a step, as `solve` takes them. */
function accumulate(points: Float64Array, r: Float64Array, t: Float64Array, equations: Float64Array): void {
  equations.fill(0);
  const row = new Float64Array(7);
  for (let at = 0; at < points.length; at += 4) {
    const [x, y] = [points[at], points[at + 1]];
    // The point, turned; moved by the translation it is in front of the camera.
    const px = r[0] * x + r[1] * y;
    const py = r[3] * x + r[4] * y;
    const pz = r[6] * x + r[7] * y;
    const depth = 1 / (pz + t[2]);
    const u = (px + t[0]) * depth;
    const v = (py + t[1]) * depth;
    // Derivatives by a small turn about the camera's axes, then by the translation.
    row[0] = -u * py * depth;
    row[1] = (pz + u * px) * depth;
    row[2] = -py * depth;
    row[3] = depth;
    row[4] = 0;
    row[5] = -u * depth;
    row[6] = points[at + 2] - u;
    add(row, equations);
    row[0] = (-pz - v * py) * depth;
    row[1] = v * px * depth;
    row[2] = px * depth;
    row[3] = 0;
    row[4] = depth;
    row[5] = -v * depth;
    row[6] = points[at + 3] - v;
    add(row, equations);
  }
}

function add(row: Float64Array, equations: Float64Array): void {
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j <= i; j++) equations[9 * i + j] += row[i] * row[j];
    equations[9 * i + 8] += row[i] * row[6];
  }
}

/** Turns a rotation further, by a vector of radians about the camera's axes (Rodrigues' formula). */
function turn(rotation: Float64Array, x: number, y: number, z: number): void {
  const angle = Math.hypot(x, y, z);
  const a = angle < 1e-8 ? 1 : Math.sin(angle) / angle;
  const b = angle < 1e-8 ? 0.5 : (1 - Math.cos(angle)) / angle ** 2;
  for (let column = 0; column < 3; column++) {
    const p = rotation[column];
    const q = rotation[column + 3];
    const s = rotation[column + 6];
    const dot = x * p + y * q + z * s;
    const scale = 1 - b * angle ** 2;
    rotation[column] = p * scale + a * (y * s - z * q) + b * dot * x;
    rotation[column + 3] = q * scale + a * (z * p - x * s) + b * dot * y;
    rotation[column + 6] = s * scale + a * (x * q - y * p) + b * dot * z;
  }
}
