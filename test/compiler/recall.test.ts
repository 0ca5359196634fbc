import { beforeAll, describe, expect, test } from "vitest";
import { cornerError, takePicture } from "../../bench/recall/camera.ts";
import { readMeasured, viewsOf } from "../../bench/recall/measured.ts";
import * as mindar from "../../bench/recall/mindar.ts";
import { loadSubjects, type Subject } from "../../bench/recall/pictures.ts";
import { rankCorrelation } from "../../bench/recall/rank.ts";
import * as vivimark from "../../bench/recall/vivimark.ts";
import { compileTarget } from "../../compiler/compile.ts";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { scoreImage } from "../../compiler/quality.ts";
import { CODEC_SOURCES } from "../../node/codecs.ts";

let subjects: Subject[];
beforeAll(async () => {
  loadCodecs(CODEC_SOURCES);
  subjects = await loadSubjects();
});

describe.each([
  { player: "vivimark", load: vivimark.load, rank: 0.95, off: 6 },
  { player: "mindar", load: mindar.load, rank: 0.85, off: 9 },
] as const)("the score for the player $player", ({ player, load, rank, off }) => {
  const measured = readMeasured(player);

  test("predicts how often held-out pictures are found", () => {
    const shares = new Map(measured.pictures.map(({ name, share }) => [name, share]));
    const held = subjects.filter(({ heldOut }) => heldOut);
    expect(held.length).toBeGreaterThanOrEqual(40);
    const scores = held.map(({ image }) => scoreImage(image, undefined, player).score);
    const found = held.map(({ name }) => 100 * (shares.get(name) ?? Number.NaN));
    expect(Math.max(...found) - Math.min(...found)).toBeGreaterThan(75);
    expect(rankCorrelation(scores, found)).toBeGreaterThanOrEqual(rank);
    const errors = scores.map((score, i) => Math.abs(score - found[i]));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThanOrEqual(off);
  });

  test("is fitted to a measurement that can be reproduced", () => {
    const { name, image } = subjects[0];
    const finder = load(compileTarget(image));
    const views = viewsOf(measured);
    const some = [...views.slice(0, 6), ...views.slice(-2)];
    const marks = some.map((view) => {
      const { frame, corners } = takePicture(image, view);
      const found = finder.find(frame);
      if (!found) return ".";
      return cornerError(found, corners, view) < 0.1 ? "+" : "x";
    });
    const all = measured.pictures.find((picture) => picture.name === name)?.views ?? "";
    expect(marks.join("")).toBe(all.slice(0, 6) + all.slice(-2));
  });
});

test("the player's detector finds the same points as mind-ar's own", async () => {
  const [view] = viewsOf(readMeasured("mindar"));
  expect(await mindar.sameAsReference(takePicture(subjects[0].image, view).frame)).toBe(true);
});

test.each([
  [[1, 2, 3], [10, 20, 30], 1],
  [[1, 2, 3], [3, 2, 1], -1],
  [[1, 1, 2, 2], [1, 2, 1, 2], 0],
  [[5, 1, 1], [9, 3, 3], 1],
])("rank correlation of %j and %j is %d", (a, b, expected) => {
  expect(rankCorrelation(a, b)).toBeCloseTo(expected, 10);
});
