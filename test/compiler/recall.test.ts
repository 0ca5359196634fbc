import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { planViews, takePicture } from "../../bench/recall/camera.ts";
import { loadSubjects, type Subject } from "../../bench/recall/pictures.ts";
import { cornerError, load, sameAsReference } from "../../bench/recall/player.ts";
import { rankCorrelation } from "../../bench/recall/rank.ts";
import { compileTarget } from "../../compiler/compile.ts";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { scoreImage } from "../../compiler/quality.ts";
import { readCodecModules } from "../../node/codecs.ts";

/** The measurement that `npm run bench:recall` wrote. */
const measured: { views: number; seed: number; pictures: { name: string; share: number; views: string }[] } =
  JSON.parse(readFileSync(new URL("../../bench/recall/measured.json", import.meta.url), "utf8"));

let subjects: Subject[];
beforeAll(async () => {
  await loadCodecs(await readCodecModules());
  subjects = await loadSubjects();
});

test("the score ranks held-out pictures like MindAR's recognition", () => {
  const shares = new Map(measured.pictures.map(({ name, share }) => [name, share]));
  const held = subjects.filter(({ heldOut }) => heldOut);
  expect(held.length).toBeGreaterThanOrEqual(40);
  const scores = held.map(({ image }) => scoreImage(image).score);
  const found = held.map(({ name }) => shares.get(name) ?? Number.NaN);
  expect(Math.max(...found) - Math.min(...found)).toBeGreaterThan(0.75);
  expect(rankCorrelation(scores, found)).toBeGreaterThanOrEqual(0.85);
});

test("the measurement can be reproduced", () => {
  const { name, image } = subjects[0];
  const player = load(compileTarget(image));
  const views = planViews(measured.views, measured.seed).slice(0, 8);
  const marks = views.map((view) => {
    const { frame, corners } = takePicture(image, view);
    const found = player.find(frame);
    if (!found) return ".";
    return cornerError(found, corners, view) < 0.1 ? "+" : "x";
  });
  expect(marks.join("")).toBe(measured.pictures.find((picture) => picture.name === name)?.views.slice(0, 8));
});

test("the player's detector finds the same points as mind-ar's own", async () => {
  const [view] = planViews(measured.views, measured.seed);
  expect(await sameAsReference(takePicture(subjects[0].image, view).frame)).toBe(true);
});

test.each([
  [[1, 2, 3], [10, 20, 30], 1],
  [[1, 2, 3], [3, 2, 1], -1],
  [[1, 1, 2, 2], [1, 2, 1, 2], 0],
  [[5, 1, 1], [9, 3, 3], 1],
])("rank correlation of %j and %j is %d", (a, b, expected) => {
  expect(rankCorrelation(a, b)).toBeCloseTo(expected, 10);
});
