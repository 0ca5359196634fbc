import { expect, test } from "vitest";
import { matchFeatures } from "../../player/match.ts";
import { createVoteBuffers, vote } from "../../player/vote.ts";
import { randomNumbers } from "../compiler/pictures.ts";
import { featuresOf, layTargets, type SeenPoint, scatter, see } from "./points.ts";

/** Turned by an angle, scaled and moved. */
function similarity(angle: number, scale: number, x: number, y: number): Float64Array {
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return Float64Array.of(cos, -sin, x, sin, cos, y, 0, 0, 1);
}

const points = scatter(60, 3);
const PLACE = similarity(0.7, 0.5, 300, 100);
const OTHER_PLACE = similarity(-2, 0.4, 200, 400);

/** Moves and turns features at random, so that their matches are wrong. */
function misplace(seen: readonly SeenPoint[], seed: number): SeenPoint[] {
  const random = randomNumbers(seed);
  return seen.map((point) => ({
    ...point,
    x: 640 * random(),
    y: 480 * random(),
    angle: 2 * Math.PI * random(),
  }));
}

function hypothesesOf(targets: readonly (readonly SeenPoint[])[], seen: readonly SeenPoint[]) {
  const features = featuresOf(seen);
  const { maxima, minima, matches } = layTargets(targets.map((maxima) => ({ maxima })));
  const found = matchFeatures(features, maxima, minima, matches, undefined);
  expect(found.count).toBe(seen.length);
  return vote(found, features, maxima, minima, createVoteBuffers());
}

test("matches that agree outvote twice as many that do not", () => {
  const [right, wrong] = [points.slice(0, 20), points.slice(20)];
  const [best, second] = hypothesesOf([points], [...see(right, PLACE), ...misplace(see(wrong, PLACE), 4)]);
  expect(best.target).toBe(0);
  expect(best.votes).toBeGreaterThanOrEqual(20 - 1e-3);
  expect(best.votes).toBeLessThan(25);
  expect([...best.members].sort((a, b) => a - b).slice(0, 20)).toEqual(right.map((_, i) => i));
  for (const [i, value] of best.map.entries()) expect(value).toBeCloseTo(PLACE[i], 2);
  if (second) expect(second.votes).toBeLessThan(10);
});

test("each target has a hypothesis of its own, the one with more votes first", () => {
  const others = scatter(30, 5);
  const found = hypothesesOf(
    [points, others],
    [...see(points.slice(0, 12), PLACE), ...see(others, OTHER_PLACE)],
  );
  expect(found.map(({ target, members }) => [target, members.length])).toEqual([
    [1, 30],
    [0, 12],
  ]);
});

test("two places of one target are two hypotheses, without common matches", () => {
  const seen = [...see(points.slice(0, 20), PLACE), ...see(points.slice(20), OTHER_PLACE)];
  const [first, second] = hypothesesOf([points], seen);
  expect(new Set([...first.members, ...second.members]).size).toBe(60);
  for (const [i, value] of first.map.entries()) expect(value).toBeCloseTo(OTHER_PLACE[i], 2);
  for (const [i, value] of second.map.entries()) expect(value).toBeCloseTo(PLACE[i], 2);
});

test("a wrong scale or a wrong angle is not a vote", () => {
  const turned = see(points, PLACE).map((point, i) => ({
    ...point,
    angle: point.angle + (i % 3 === 0 ? 2 : 0),
  }));
  const scaled = turned.map((point, i) => ({ ...point, scale: point.scale * (i % 3 === 1 ? 3 : 1) }));
  const [best] = hypothesesOf([points], scaled);
  expect(best.members.length).toBe(20);
  expect(best.members.every((match) => match % 3 === 2)).toBe(true);
});

test("two matches are not a hypothesis", () => {
  expect(hypothesesOf([points], see(points.slice(0, 2), PLACE))).toEqual([]);
  expect(hypothesesOf([points], [])).toEqual([]);
});
