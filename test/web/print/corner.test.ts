import { describe, expect, test } from "vitest";
import { boxInCorner, CORNERS, chooseCorner, detailBelow } from "../../../web/print/corner.ts";

/** Detail everywhere but in the upper left quarter. */
const map = { columns: 4, rows: 4, cells: [0, 0, 90, 90, 0, 0, 90, 90, ...Array(8).fill(60)] };
const photo = { width: 100, height: 100 };
const options = { map, photo, side: 20, distance: 5 };

test("detail counts by the part of each cell that the code covers", () => {
  expect(detailBelow(map, photo, { x: 40, y: 0, width: 20, height: 20 })).toBeCloseTo(45, 6);
  expect(detailBelow(map, photo, { x: 50, y: 40, width: 25, height: 20 })).toBeCloseTo(75, 6);
  expect(detailBelow(map, photo, { x: 0, y: 0, width: 50, height: 50 })).toBe(0);
});

describe("a code", () => {
  test("goes into the corner with the least detail", () => {
    expect(chooseCorner({ ...options, wanted: "auto" })).toEqual({
      corner: "top-left",
      box: { x: 5, y: 5, width: 20, height: 20 },
      coversDetail: false,
    });
  });

  test("covers detail in a corner that was chosen, which is reported", () => {
    expect(chooseCorner({ ...options, wanted: "top-right" })).toMatchObject({
      corner: "top-right",
      coversDetail: true,
    });
  });

  test("covers detail when every corner has it", () => {
    const full = { ...map, cells: Array(16).fill(50) };
    expect(chooseCorner({ ...options, map: full, wanted: "auto" }).coversDetail).toBe(true);
  });

  test("goes to the lower right without a map, unchecked", () => {
    expect(chooseCorner({ ...options, map: null, wanted: "auto" })).toMatchObject({
      corner: "bottom-right",
      coversDetail: null,
    });
  });

  test.each(CORNERS)("keeps its distance from both edges, %s", (corner) => {
    const { x, y, width, height } = boxInCorner(corner, { width: 90, height: 60 }, 20, 4);
    expect([Math.min(x, 90 - x - width), Math.min(y, 60 - y - height)]).toEqual([4, 4]);
  });
});
