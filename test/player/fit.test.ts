import { expect, test } from "vitest";
import { createGrid, type Fit, Fitter, fillGrid } from "../../player/fit.ts";
import { imageToCorners } from "../../player/homography.ts";
import { matchFeatures } from "../../player/match.ts";
import { createVoteBuffers, vote } from "../../player/vote.ts";
import { randomNumbers } from "../compiler/pictures.ts";
import { featuresOf, layTargets, type SeenPoint, scatter, see, TARGET } from "./points.ts";
import { cornerDistance } from "./scene.ts";

const FRAME = { width: 640, height: 480 };

/** With perspective: the right side is nearer. */
const PLACE = imageToCorners(TARGET, [
  { x: 210, y: 150 },
  { x: 465, y: 110 },
  { x: 480, y: 350 },
  { x: 205, y: 310 },
]);

const points = scatter(80, 6);

function fit(seen: readonly SeenPoint[]): { readonly result: Fit | null; readonly fitter: Fitter } {
  const features = featuresOf(seen);
  const { maxima, minima, matches: buffers } = layTargets([{ maxima: points }]);
  const matches = matchFeatures(features, maxima, minima, buffers, undefined);
  const [hypothesis] = vote(matches, features, maxima, minima, createVoteBuffers());
  const grid = createGrid(FRAME, features.count);
  fillGrid(grid, features);
  const fitter = new Fitter(features.count);
  const scene = { features, packed: buffers.packed, grid, matches, maxima, minima };
  return { result: fitter.fit(hypothesis, TARGET, scene), fitter };
}

/** Moves features by up to `distance` pixels along each axis. */
function disturb(seen: readonly SeenPoint[], distance: number, seed: number): SeenPoint[] {
  const random = randomNumbers(seed);
  const move = () => distance * (2 * random() - 1);
  return seen.map((point) => ({ ...point, x: point.x + move(), y: point.y + move() }));
}

test("exact points give the exact place", () => {
  const { result } = fit(see(points, PLACE));
  expect(cornerDistance(TARGET, result?.map as Float64Array, PLACE)).toBeLessThan(0.1);
  expect(result?.inliers).toBe(80);
});

test("points that lie elsewhere do not count", () => {
  const seen = see(points, PLACE);
  const wrong = disturb(seen.slice(40), 60, 7);
  const far = wrong.filter(({ x, y }, i) => Math.hypot(x - seen[40 + i].x, y - seen[40 + i].y) > 20);
  const { result } = fit([...seen.slice(0, 40), ...far]);
  expect(far.length).toBeGreaterThan(25);
  expect(cornerDistance(TARGET, result?.map as Float64Array, PLACE)).toBeLessThan(0.1);
  expect(result?.inliers).toBe(40);
});

test("points of half of the target, each up to a pixel off, give its place", () => {
  const half = points.filter(({ x }) => x < TARGET.width / 2);
  const { result } = fit(disturb(see(half, PLACE), 1, 8));
  expect(cornerDistance(TARGET, result?.map as Float64Array, PLACE)).toBeLessThan(6);
});

test("four points are too few", () => {
  expect(fit(see(points.slice(0, 4), PLACE)).result).toBe(null);
});

test("a mirrored target is not a place", () => {
  const mirrored = imageToCorners(TARGET, [
    { x: 465, y: 110 },
    { x: 210, y: 150 },
    { x: 205, y: 310 },
    { x: 480, y: 350 },
  ]);
  expect(fit(see(points, mirrored)).result).toBe(null);
});

test("a map keeps the inliers that lie where it predicts them", () => {
  const { fitter } = fit(see(points, PLACE));
  expect(fitter.kept(PLACE)).toBe(1);
  const moved = PLACE.slice();
  for (let column = 0; column < 3; column++) moved[column] += 30 * moved[6 + column];
  expect(fitter.kept(moved)).toBe(0);
});

test("the cells with inliers are marked", () => {
  const left = points.filter(({ x }) => x < TARGET.width / 4);
  const { fitter } = fit(see(left, PLACE));
  const cells = new Uint8Array(64);
  fitter.markCells(cells, 8);
  const expected = new Uint8Array(64);
  for (const { x, y } of left) {
    expected[8 * Math.floor((8 * y) / TARGET.height) + Math.floor((8 * x) / TARGET.width)] = 1;
  }
  expect(cells).toEqual(expected);
});

test("a grid has every feature once, in its cell or, outside the frame, in the nearest one", () => {
  const random = randomNumbers(9);
  const place = () => ({ ...points[0], x: 700 * random() - 30, y: 540 * random() - 30 });
  const features = featuresOf(Array.from({ length: 300 }, place));
  const grid = createGrid(FRAME, features.count);
  fillGrid(grid, features);
  expect([...grid.order].sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  for (let cell = 0; cell < grid.columns * grid.rows; cell++) {
    for (const i of grid.order.subarray(grid.starts[cell], grid.starts[cell + 1])) {
      const column = Math.min(Math.max(Math.floor(features.x[i] / 16), 0), grid.columns - 1);
      const row = Math.min(Math.max(Math.floor(features.y[i] / 16), 0), grid.rows - 1);
      expect(row * grid.columns + column).toBe(cell);
    }
  }
});
