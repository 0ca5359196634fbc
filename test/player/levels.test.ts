import { describe, expect, test } from "vitest";
import { project } from "../../player/homography.ts";
import { createPyramid, fillPyramid } from "../../player/levels.ts";
import { randomNumbers } from "../compiler/pictures.ts";
import { capture, drawShapes, levelsOf } from "./scene.ts";

describe("levels of a target", () => {
  test("halve from 256 pixels on the shorter side to 16", () => {
    const { levels } = levelsOf({ width: 641, height: 480 }, () => 100);
    expect(levels.map(({ width, height }) => [width, height])).toEqual([
      [342, 256],
      [171, 128],
      [85, 64],
      [42, 32],
      [21, 16],
    ]);
  });

  test.each([
    ["a multiple of the level", 1024, 512],
    ["boxes of 1 or 2 pixels", 641, 480],
    ["a scale near 1", 257, 300],
  ])("lie where the compiler's boxes lie: %s", (_name, width, height) => {
    // A ramp shows the place of every pixel. Noise and a second ramp in the other direction cancel the rounding to
    // whole grey levels.
    const random = randomNumbers(3);
    const ramp = (place: number) => 200 * place + 40 * random();
    const [right, left, down, up] = [
      (x: number) => ramp(x / width),
      (x: number) => ramp(1 - x / width),
      (_x: number, y: number) => ramp(y / height),
      (_x: number, y: number) => ramp(1 - y / height),
    ].map((light) => levelsOf({ width, height }, light).levels);
    for (const [i, { width: columns, height: rows, data, toTarget }] of right.entries()) {
      let offX = 0;
      let offY = 0;
      for (let row = 0, at = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, at++) {
          const { x, y } = project(toTarget, column + 0.5, row + 0.5);
          offX += ((data[at] - left[i].data[at]) / 400 + 0.5) * width - x;
          offY += ((down[i].data[at] - up[i].data[at]) / 400 + 0.5) * height - y;
        }
      }
      // The compiler's boxes are off by up to half a target pixel, a quarter on average.
      expect(Math.abs(offX / data.length)).toBeLessThan(0.1);
      expect(Math.abs(offY / data.length)).toBeLessThan(0.1);
    }
  });

  test("of a target smaller than 256 pixels are its own pixels, without rows or columns of zeros", () => {
    const size = { width: 150, height: 211 };
    const light = drawShapes(size);
    const [largest] = levelsOf(size, light).levels;
    expect(largest).toMatchObject(size);
    expect(Uint8Array.from(largest.data)).toEqualBytes(capture(size, light).data);
    const { x, y } = project(largest.toTarget, 20.5, 100.5);
    expect(x).toBeCloseTo(20.5, 9);
    expect(y).toBeCloseTo(100.5, 9);
  });
});

describe("pyramid of a frame", () => {
  test("averages blocks of 2 × 2, rounded, and leaves out an odd last row and column", () => {
    const pyramid = createPyramid(99, 51);
    const frame = new Uint8Array(99 * 51).fill(7);
    frame.set([10, 20, 1, 2], 0);
    frame.set([31, 40, 3, 5], 99);
    fillPyramid(pyramid, frame);
    expect(pyramid.levels.map(({ width, height }) => [width, height])).toEqual([
      [99, 51],
      [49, 25],
    ]);
    expect(pyramid.levels[0].data).toEqualBytes(frame);
    // (10 + 20 + 31 + 40) / 4 = 25.25, and (1 + 2 + 3 + 5) / 4 = 2.75.
    expect([...pyramid.levels[1].data.subarray(0, 3)]).toEqual([25, 3, 7]);
  });
});
