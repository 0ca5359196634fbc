import { describe, expect, test } from "vitest";
import {
  compose,
  cover,
  fitFrame,
  type Homography,
  invertAffine,
  projectTarget,
  toMatrix3d,
} from "../../../web/viewer/projection.ts";

function apply(map: Homography, x: number, y: number): [number, number] {
  const w = map[6] * x + map[7] * y + map[8];
  return [(map[0] * x + map[1] * y + map[2]) / w, (map[3] * x + map[4] * y + map[5]) / w];
}

function expectPoint(received: number[], expected: number[]): void {
  expect(received[0]).toBeCloseTo(expected[0], 6);
  expect(received[1]).toBeCloseTo(expected[1], 6);
}

const IMAGE = { width: 640, height: 480 };
const FOCAL = 580;

/** MindAR's world matrix of a target whose lower left corner is at (x, y, −depth), turned by `yaw`. */
function world(x: number, y: number, depth: number, yaw = 0): number[] {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  return [c, 0, -s, 0, 0, 1, 0, 0, s, 0, c, 0, x, y, -depth, 1];
}

describe("projectTarget", () => {
  test("a target that faces the camera at the focal length keeps its size", () => {
    const map = projectTarget(world(-100, -50, FOCAL), 100, FOCAL, IMAGE);
    // 200 × 100 about the axis: its upper left corner is 100 left of and 50 above the centre.
    expectPoint(apply(map, 0, 0), [220, 190]);
    expectPoint(apply(map, 200, 0), [420, 190]);
    expectPoint(apply(map, 200, 100), [420, 290]);
    expectPoint(apply(map, 0, 100), [220, 290]);
  });

  test("twice as far is half as large", () => {
    const map = projectTarget(world(-100, -50, 2 * FOCAL), 100, FOCAL, IMAGE);
    expectPoint(apply(map, 0, 0), [270, 215]);
    expectPoint(apply(map, 200, 100), [370, 265]);
  });

  test("a turned target is foreshortened as a pinhole sees it", () => {
    const yaw = 0.6;
    const map = projectTarget(world(-100, -50, FOCAL, yaw), 100, FOCAL, IMAGE);
    // The right edge: 200 along (cos, −sin) from the left one, hence farther away.
    const depth = FOCAL + 200 * Math.sin(yaw);
    const x = -100 + 200 * Math.cos(yaw);
    expectPoint(apply(map, 200, 0), [320 + (FOCAL * x) / depth, 240 - (FOCAL * 50) / depth]);
    expectPoint(apply(map, 200, 100), [320 + (FOCAL * x) / depth, 240 + (FOCAL * 50) / depth]);
  });
});

describe("cover", () => {
  test.each([
    { outer: { width: 390, height: 844 }, scale: 844 / 480 },
    { outer: { width: 1280, height: 800 }, scale: 2 },
  ])("$outer.width × $outer.height is filled from the centre", ({ outer, scale }) => {
    const map = cover(IMAGE, outer);
    expectPoint(apply(map, 320, 240), [outer.width / 2, outer.height / 2]);
    expectPoint(apply(map, 321, 240), [outer.width / 2 + scale, outer.height / 2]);
    const [left, top] = apply(map, 0, 0);
    expect(Math.max(left, top)).toBeCloseTo(0, 6);
  });
});

describe("fitFrame", () => {
  test("a frame of the input's shape fills it", () => {
    const map = fitFrame({ width: 1280, height: 960 }, IMAGE);
    expectPoint(apply(map, 0, 0), [0, 0]);
    expectPoint(apply(map, 1280, 960), [640, 480]);
  });

  test("another shape fits inside, centred", () => {
    const map = fitFrame({ width: 1280, height: 720 }, IMAGE);
    expectPoint(apply(map, 0, 0), [0, 60]);
    expectPoint(apply(map, 1280, 720), [640, 420]);
  });

  test("a frame of a turned phone is turned a quarter clockwise", () => {
    const map = fitFrame({ width: 480, height: 640 }, IMAGE);
    expectPoint(apply(map, 0, 0), [640, 0]);
    expectPoint(apply(map, 480, 0), [640, 480]);
    expectPoint(apply(map, 480, 640), [0, 480]);
    expectPoint(apply(map, 0, 640), [0, 0]);
  });

  test.each([
    { width: 1280, height: 720 },
    { width: 480, height: 640 },
    { width: 33, height: 77 },
  ])("invertAffine leads back from the input of $width × $height", (frame) => {
    const there = fitFrame(frame, IMAGE);
    const round = compose(invertAffine(there), there);
    for (const [x, y] of [
      [0, 0],
      [frame.width, 3],
      [5, frame.height],
    ]) {
      expectPoint(apply(round, x, y), [x, y]);
    }
  });
});

test("toMatrix3d moves an element's points as the map does, by the rules of CSS", () => {
  const map: Homography = [1.2, 0.3, 40, -0.2, 0.9, 25, 0.0004, -0.0007, 2];
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
    expectPoint(moved, apply(map, x, y));
  }
});

test("compose applies its second argument first", () => {
  const shift: Homography = [1, 0, 10, 0, 1, 0, 0, 0, 1];
  const double: Homography = [2, 0, 0, 0, 2, 0, 0, 0, 1];
  expectPoint(apply(compose(double, shift), 1, 1), [22, 2]);
  expectPoint(apply(compose(shift, double), 1, 1), [12, 2]);
});
