import { describe, expect, test } from "vitest";
import {
  type Corners,
  compose,
  imageToCorners,
  invert,
  normalize,
  project,
  projectCorners,
} from "../../player/homography.ts";

const SIZE = { width: 640, height: 427 };

/** A photo seen from the side, turned by about 100°. */
const CORNERS: Corners = [
  { x: 412.5, y: 80.25 },
  { x: 455, y: 390 },
  { x: 130.75, y: 352.5 },
  { x: 188, y: 61 },
];

describe("homography", () => {
  test("takes the image's corners to the given corners", () => {
    const map = imageToCorners(SIZE, CORNERS);
    projectCorners(map, SIZE).forEach((corner, i) => {
      expect(corner.x).toBeCloseTo(CORNERS[i].x, 9);
      expect(corner.y).toBeCloseTo(CORNERS[i].y, 9);
    });
  });

  test("the inverse takes points back", () => {
    const map = imageToCorners(SIZE, CORNERS);
    const { x, y } = project(map, 123.25, 311);
    const back = project(invert(map), x, y);
    expect(back.x).toBeCloseTo(123.25, 8);
    expect(back.y).toBeCloseTo(311, 8);
  });

  test("composing applies the second argument first", () => {
    const shift = Float64Array.of(1, 0, 10, 0, 1, 0, 0, 0, 1);
    const double = Float64Array.of(2, 0, 0, 0, 2, 0, 0, 0, 1);
    expect(project(compose(double, shift), 1, 1)).toEqual({ x: 22, y: 2 });
    expect(project(compose(shift, double), 1, 1)).toEqual({ x: 12, y: 2 });
  });

  test("composing with the inverse in place gives the identity", () => {
    const map = imageToCorners(SIZE, CORNERS);
    const inverse = invert(map);
    normalize(compose(inverse, map, inverse));
    [1, 0, 0, 0, 1, 0, 0, 0, 1].forEach((entry, i) => {
      expect(inverse[i]).toBeCloseTo(entry, 8);
    });
  });
});
