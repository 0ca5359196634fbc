import { describe, expect, test } from "vitest";
import { Aligner } from "../../player/align.ts";
import { type Corners, imageToCorners } from "../../player/homography.ts";
import { createPyramid, fillPyramid } from "../../player/levels.ts";
import { cornerDistance, drawShapes, levelsOf, type Size, shake, show } from "./scene.ts";

const SIZE = { width: 400, height: 300 };

/** About 150 × 110 pixels of the frame, tilted. */
const CORNERS: Corners = [
  { x: 82.3, y: 60.1 },
  { x: 231.7, y: 71.4 },
  { x: 222.2, y: 178.6 },
  { x: 73.9, y: 176.2 },
];

/** Aligns from corners that are `off` pixels away, coarse to fine; returns the result and its largest error. */
function alignFrom(
  off: number,
  size: Size = SIZE,
  develop?: (value: number, x: number, y: number) => number,
  mask?: (aligner: Aligner) => Uint8Array,
) {
  const light = drawShapes(size);
  const { levels } = levelsOf(size, light);
  const { map, pyramid } = show(size, light, CORNERS, undefined, develop);
  let guess = imageToCorners(size, shake(CORNERS, off));
  const fine = levels.findIndex(({ height, width }) => Math.min(width, height) < 150);
  for (const level of [levels[fine + 2], levels[fine + 1], levels[fine]]) {
    const aligner = new Aligner(level);
    const result = aligner.align(pyramid, guess, { steps: 8, mask: mask?.(aligner) });
    guess = result.map.slice();
    if (level === levels[fine]) return { result, error: cornerDistance(size, map, guess) };
  }
  throw new Error("no levels");
}

describe("alignment", () => {
  test("converges to less than 0.05 pixels from corners that are 3 pixels off", () => {
    const { result, error } = alignFrom(3);
    expect(error).toBeLessThan(0.05);
    expect(result.correlation).toBeGreaterThan(0.99);
    expect(result.agreement).toBe(1);
    expect(result.visibility).toBe(1);
  });

  test("converges from 8 pixels", () => {
    expect(alignFrom(8).error).toBeLessThan(0.05);
  });

  test.each([
    ["dark", (value: number) => 0.2 * value],
    ["pale", (value: number) => 150 + 0.3 * value],
    ["bright", (value: number) => 20 + 0.9 * value],
    ["overexposed", (value: number) => 2 * value],
  ])("is not shifted by gain and bias: %s", (_name, develop) => {
    expect(alignFrom(3, SIZE, develop).error).toBeLessThan(0.08);
  });

  test("leaves an occluding object out", () => {
    const { result, error } = alignFrom(2, SIZE, (value, x) => (x > 150 ? 90 : value));
    expect(error).toBeLessThan(0.6);
    expect(result.agreement).toBeGreaterThan(0.3);
    expect(result.agreement).toBeLessThan(0.7);
  });

  test("counts no masked cell", () => {
    // The object moves with the frame, so the cells behind it correlate with nothing.
    const stripes = (value: number, x: number, y: number) =>
      y > 120 ? 128 + 90 * Math.sin(x / 3) * Math.sin(y / 4) : value;
    const upperHalf = ({ side }: Aligner) =>
      Uint8Array.from({ length: side * side }, (_, cell) => (cell < (side * side) / 2 ? 1 : 0));
    expect(alignFrom(2, SIZE, stripes, upperHalf).error).toBeLessThan(0.4);
  });

  test.each([
    ["odd sides", { width: 413, height: 287 }],
    ["a target smaller than 256 pixels", { width: 173, height: 128 }],
    ["a scale near 1", { width: 341, height: 257 }],
  ])("is exact for %s", (_name, size) => {
    expect(alignFrom(3, size).error).toBeLessThan(0.08);
  });

  test("does not agree with a frame that does not show the target", () => {
    const { levels } = levelsOf(SIZE, drawShapes(SIZE));
    const { pyramid } = show(SIZE, drawShapes(SIZE, 2), CORNERS);
    const { correlation, agreement } = new Aligner(levels[1]).align(pyramid, imageToCorners(SIZE, CORNERS), {
      steps: 8,
    });
    expect(agreement).toBeLessThan(0.3);
    expect(correlation).toBeLessThan(0.5);
  });

  test("only compares with 0 steps", () => {
    const light = drawShapes(SIZE);
    const { levels } = levelsOf(SIZE, light);
    const { pyramid } = show(SIZE, light, CORNERS);
    const off = imageToCorners(SIZE, shake(CORNERS, 3));
    const { map, steps } = new Aligner(levels[1]).align(pyramid, off, { steps: 0 });
    expect(steps).toBe(0);
    expect(cornerDistance(SIZE, map, off)).toBeLessThan(1e-9);
  });

  test("counts only cells in the frame", () => {
    const light = drawShapes(SIZE);
    const { levels } = levelsOf(SIZE, light);
    const left = CORNERS.map(({ x, y }) => ({ x: x - 155, y })) as unknown as Corners;
    const { map, pyramid } = show(SIZE, light, left);
    const result = new Aligner(levels[1]).align(pyramid, imageToCorners(SIZE, shake(left, 2)), { steps: 8 });
    expect(result.visibility).toBeGreaterThan(0.3);
    expect(result.visibility).toBeLessThan(0.7);
    expect(result.agreement).toBe(1);
    expect(cornerDistance(SIZE, result.map, map)).toBeLessThan(0.5);
  });

  test("takes a frame without contrast", () => {
    const { levels } = levelsOf(SIZE, drawShapes(SIZE));
    const pyramid = createPyramid(320, 240);
    fillPyramid(pyramid, new Uint8Array(320 * 240).fill(80));
    const result = new Aligner(levels[2]).align(pyramid, imageToCorners(SIZE, CORNERS), { steps: 8 });
    expect(result.agreement).toBe(0);
    expect(result.map.every(Number.isFinite)).toBe(true);
  });
});
