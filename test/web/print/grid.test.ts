import { expect, test } from "vitest";
import { cropMarks, gapOf, markReach } from "../../../web/print/crop-marks.ts";
import { fillPaper, labelGrid, placeCount, placesOf } from "../../../web/print/grid.ts";
import { type Box, LABEL_SHEETS, type LabelSheetName, PAPERS } from "../../../web/print/paper.ts";

const NAMES = Object.keys(LABEL_SHEETS) as LabelSheetName[];

/** The published margins of the sheets, in millimetres, to a tenth. */
const MARGINS: Readonly<Record<LabelSheetName, readonly [left: number, top: number]>> = {
  L7160: [7.25, 15.15],
  L7163: [4.65, 15.15],
  L7165: [4.65, 13.1],
  L7651: [4.75, 10.7],
  "5160": [4.7625, 12.7],
  "5163": [3.96875, 12.7],
};

test.each(NAMES)("the labels of %s are where they are on the sheet", (name) => {
  const { columns, rows } = LABEL_SHEETS[name];
  const places = placesOf(labelGrid(LABEL_SHEETS[name]));
  expect(places).toHaveLength(columns * rows);
  expect(places[0].x).toBeCloseTo(MARGINS[name][0], 2);
  expect(places[0].y).toBeCloseTo(MARGINS[name][1], 2);
  const { width, height } = PAPERS[LABEL_SHEETS[name].paper];
  const last = places[places.length - 1];
  expect(last.x + last.width).toBeCloseTo(width - MARGINS[name][0], 2);
  expect(last.y + last.height).toBeCloseTo(height - MARGINS[name][1], 2);
});

test("the paper is turned when more prints fit on it then", () => {
  const photo = { width: 100, height: 150 };
  const grid = fillPaper(PAPERS.a4, photo, 5, 0)!;
  expect([grid.paper, placeCount(grid)]).toEqual([{ width: 297, height: 210 }, 2]);
  // Two fit either way.
  expect(fillPaper(PAPERS.a4, photo, 0, 0)).toMatchObject({
    paper: { width: 210, height: 297 },
    columns: 2,
    rows: 1,
  });
});

test("a print that fits exactly is placed; a larger one is not", () => {
  expect(fillPaper(PAPERS.a4, { width: 200, height: 287 }, 0, 0)).toMatchObject({ columns: 1, rows: 1 });
  expect(fillPaper(PAPERS.a4, { width: 200.1, height: 287.1 }, 0, 0)).toBeNull();
  expect(fillPaper(PAPERS.a4, { width: 200, height: 287 }, 0, 0.1)).toBeNull();
});

test.each([0, 3, 5])("crop marks with %s mm of bleed reach into no print, neighbour or edge", (bleed) => {
  const grid = fillPaper(PAPERS.a4, { width: 50, height: 40 }, gapOf(bleed, true), markReach(bleed))!;
  const places = placesOf(grid);
  expect(places.length).toBeGreaterThan(6);
  for (const place of places) {
    const marks = cropMarks(place, bleed);
    expect(marks).toHaveLength(8);
    for (const { x1, y1, x2, y2 } of marks) {
      const line = {
        x: Math.min(x1, x2),
        y: Math.min(y1, y2),
        width: Math.abs(x2 - x1),
        height: Math.abs(y2 - y1),
      };
      expect(line.x).toBeGreaterThanOrEqual(5 - 1e-9);
      expect(line.y + line.height).toBeLessThanOrEqual(grid.paper.height - 5 + 1e-9);
      expect(places.some((other) => overlaps(line, grown(other, bleed)))).toBe(false);
      // It is in line with an edge of its print.
      const isVertical = line.width === 0;
      const edges = isVertical ? [place.x, place.x + place.width] : [place.y, place.y + place.height];
      expect(edges).toContain(isVertical ? x1 : y1);
    }
  }
});

function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

function overlaps(a: Box, b: Box): boolean {
  const near = 1e-6;
  return (
    a.x + a.width > b.x + near &&
    b.x + b.width > a.x + near &&
    a.y + a.height > b.y + near &&
    b.y + b.height > a.y + near
  );
}
