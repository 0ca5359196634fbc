import { expect, test } from "vitest";
import { matchFeatures, PACKED_BYTES, packedDistance } from "../../player/match.ts";
import { changeBits, featuresOf, layTargets, type SeenPoint, scatter } from "./points.ts";

const points = scatter(60, 1);
const elsewhere = (point: SeenPoint) => ({ ...point, x: point.x + 100 });

/** Returns the matches as [feature, point, target]. */
function match(
  targets: Parameters<typeof layTargets>[0],
  [maxima, minima]: readonly (readonly SeenPoint[])[],
  wanted?: readonly number[],
): number[][] {
  const laid = layTargets(targets);
  const found = matchFeatures(featuresOf(maxima, minima), laid.maxima, laid.minima, laid.matches, wanted);
  return Array.from({ length: found.count }, (_, i) => [found.feature[i], found.point[i], found.target[i]]);
}

test("each feature matches the point whose descriptor it has, though some bits differ", () => {
  const seen = points.map((point) => changeBits(point, 5)).reverse();
  expect(match([{ maxima: points }], [seen])).toEqual(points.map((_, i) => [i, points.length - 1 - i, 0]));
});

test("a feature of no target matches nothing", () => {
  expect(match([{ maxima: points }], [scatter(20, 2)])).toEqual([]);
});

test("maxima match maxima only, and minima minima", () => {
  const [bright, dark] = [points.slice(0, 20), points.slice(20, 40)];
  expect(match([{ maxima: bright, minima: dark }], [dark, bright])).toEqual([]);
  expect(match([{ maxima: bright, minima: dark }], [bright.slice(0, 1), dark.slice(3, 4)])).toEqual([
    [0, 0, 0],
    [1, 3, 0],
  ]);
});

test("a feature that two places of a target have matches neither of them, two points at one place one", () => {
  const [point] = points;
  const near = { ...point, x: point.x + 1 };
  expect(match([{ maxima: [point, elsewhere(point)] }], [[point]])).toEqual([]);
  expect(match([{ maxima: [changeBits(point, 1), near] }], [[point]])).toEqual([[0, 1, 0]]);
});

test("a feature that two targets have matches both, or those that are wanted", () => {
  const targets = [{ maxima: points }, { maxima: points.slice(0, 1).map(elsewhere) }];
  const both = [
    [0, 0, 0],
    [0, points.length, 1],
  ];
  expect(match(targets, [points.slice(0, 1)])).toEqual(both);
  expect(match(targets, [points.slice(0, 1)], [1])).toEqual(both.slice(1));
});

test("distances count the chosen bits only: 192 of all, and none of the last six, which are padding", () => {
  const [point] = points;
  const opposite = { ...point, words: point.words.map((word) => ~word) };
  const padded = { ...point, words: point.words.map((word, i) => (i === 20 ? word ^ 0b111111 : word)) };
  const laid = layTargets([{ maxima: [point] }]);
  matchFeatures(featuresOf([point, opposite, padded]), laid.maxima, laid.minima, laid.matches, undefined);
  const distances = [0, 1, 2].map((i) =>
    packedDistance(laid.matches.packed, i * PACKED_BYTES, laid.maxima, 0),
  );
  expect(distances).toEqual([0, 192, 0]);
});

test("points beyond the room of a set are left out", () => {
  const { maxima } = layTargets([{ maxima: points }, { maxima: points }], 90);
  expect(maxima.count).toBe(90);
  expect(maxima.ranges).toEqual([
    { target: 0, start: 0, end: 60 },
    { target: 1, start: 60, end: 90 },
  ]);
});
