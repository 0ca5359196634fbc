import { describe, expect, test } from "vitest";
import { type Corners, imageToCorners } from "../../player/homography.ts";
import { Smoother } from "../../player/smooth.ts";
import { randomNumbers } from "../compiler/pictures.ts";
import { cornerDistance } from "./scene.ts";

const SIZE = { width: 400, height: 300 };

const CORNERS: Corners = [
  { x: 182.3, y: 60.1 },
  { x: 431.7, y: 71.4 },
  { x: 422.2, y: 278.6 },
  { x: 173.9, y: 276.2 },
];

function mapAt(dx: number, dy: number, tremble: () => number = () => 0) {
  const places = CORNERS.map(({ x, y }) => ({ x: x + dx + tremble(), y: y + dy + tremble() }));
  return imageToCorners(SIZE, places as unknown as Corners);
}

const RATE = 30;

describe("smoothing", () => {
  test("takes most of the tremble out of a target at rest", () => {
    const random = randomNumbers(1);
    const smoother = new Smoother(SIZE);
    let raw = 0;
    let smoothed = 0;
    for (let i = 0; i < 120; i++) {
      const map = mapAt(0, 0, () => 0.06 * (random() - 0.5));
      const result = smoother.smooth(map, i / RATE);
      if (i < 30) continue;
      raw += cornerDistance(SIZE, map, mapAt(0, 0)) ** 2;
      smoothed += cornerDistance(SIZE, result, mapAt(0, 0)) ** 2;
    }
    expect(Math.sqrt(smoothed)).toBeLessThan(0.3 * Math.sqrt(raw));
  });

  test.each([1, 3, 10, 30, 300, 900])("lags by at most 0.08 px at %i pixels a second", (speed) => {
    const smoother = new Smoother(SIZE);
    for (let i = 0; i < 90; i++) {
      const map = mapAt((speed * i) / RATE, 0);
      expect(cornerDistance(SIZE, smoother.smooth(map, i / RATE), map)).toBeLessThan(0.08);
    }
  });

  test("shows the first frame of a motion, and its turns", () => {
    const smoother = new Smoother(SIZE);
    for (let i = 0; i < 60; i++) {
      const map = mapAt(i < 20 ? 0 : 4 * Math.sin(1.5 * i), 0);
      expect(cornerDistance(SIZE, smoother.smooth(map, i / RATE), map)).toBeLessThan(0.08);
    }
  });

  test.each([
    ["after a reset", (smoother: Smoother) => smoother.reset(), 0.1],
    ["after a gap", () => {}, 1],
    ["if time does not advance", () => {}, 0],
  ])("begins anew %s", (_name, interrupt, time) => {
    const smoother = new Smoother(SIZE);
    smoother.smooth(mapAt(0, 0), 0);
    interrupt(smoother);
    const map = mapAt(5, 3);
    expect(cornerDistance(SIZE, smoother.smooth(map, time), map)).toBeLessThan(1e-9);
  });

  test("uses the frames' own times", () => {
    const move = (elapsed: number) => {
      const smoother = new Smoother(SIZE);
      smoother.smooth(mapAt(0, 0), 0);
      return cornerDistance(SIZE, smoother.smooth(mapAt(0.05, 0), elapsed), mapAt(0, 0));
    };
    expect(move(1 / 15)).toBeGreaterThan(1.3 * move(1 / 60));
  });
});
