import { describe, expect, test } from "vitest";
import { type Homography, project } from "../../../player/homography.ts";
import { cover, toMatrix3d } from "../../../web/viewer/projection.ts";

function at(map: Homography, x: number, y: number): [number, number] {
  const point = project(map, x, y);
  return [point.x, point.y];
}

function expectPoint(received: number[], expected: number[]): void {
  expect(received[0]).toBeCloseTo(expected[0], 6);
  expect(received[1]).toBeCloseTo(expected[1], 6);
}

const IMAGE = { width: 640, height: 480 };

describe("cover", () => {
  test.each([
    { outer: { width: 390, height: 844 }, scale: 844 / 480 },
    { outer: { width: 1280, height: 800 }, scale: 2 },
  ])("$outer.width × $outer.height is filled from the centre", ({ outer, scale }) => {
    const map = cover(IMAGE, outer);
    expectPoint(at(map, 320, 240), [outer.width / 2, outer.height / 2]);
    expectPoint(at(map, 321, 240), [outer.width / 2 + scale, outer.height / 2]);
    const [left, top] = at(map, 0, 0);
    expect(Math.max(left, top)).toBeCloseTo(0, 6);
  });
});

test("toMatrix3d moves an element's points as the map does, by the rules of CSS", () => {
  const map = Float64Array.of(1.2, 0.3, 40, -0.2, 0.9, 25, 0.0004, -0.0007, 2);
  const m = /^matrix3d\((.*)\)$/.exec(toMatrix3d(map))![1].split(",").map(Number);
  expect(m).toHaveLength(16);
  for (const [x, y] of [
    [0, 0],
    [300, 0],
    [300, 200],
    [17, 111],
  ]) {
    // Column-major 4 × 4 on (x, y, 0, 1).
    const w = m[3] * x + m[7] * y + m[15];
    const moved = [(m[0] * x + m[4] * y + m[12]) / w, (m[1] * x + m[5] * y + m[13]) / w];
    expectPoint(moved, at(map, x, y));
  }
});
