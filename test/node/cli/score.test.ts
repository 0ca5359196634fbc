import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { decodeImage } from "../../../compiler/image/decode.ts";
import { encodePng } from "../../../compiler/image/png.ts";
import { mergeMinds } from "../../../compiler/merge.ts";
import { decodeMind } from "../../../compiler/mind.ts";
import { compilePhoto, scorePhoto } from "../../../compiler/photo.ts";
import { scoreTarget } from "../../../compiler/quality.ts";
import { prepareCompiler } from "../../../node/library.ts";
import { photoPath, temporaryFolder, vivimark } from "./vivimark.ts";

const root = temporaryFolder();
const good = readFileSync(photoPath("airplane-from-above"));
let marker: Uint8Array;
let blank: Uint8Array;
let cwd: string;
let count = 0;
beforeAll(async () => {
  await prepareCompiler();
  ({ marker } = await compilePhoto(good));
  const data = new Uint8ClampedArray(300 * 200 * 4).fill(200);
  blank = await encodePng({ data, width: 300, height: 200 });
});
beforeEach(() => {
  cwd = path.join(root, String(count++));
  mkdirSync(cwd);
  copyFileSync(photoPath("airplane-from-above"), path.join(cwd, "good.jpg"));
  writeFileSync(path.join(cwd, "blank.png"), blank);
  writeFileSync(path.join(cwd, "two.mind"), mergeMinds([marker, marker]));
});

test("prints the score, its parts, the print size and advice", async () => {
  const { code, stdout, stderr } = await vivimark(["score", "good.jpg", "blank.png"], { cwd });
  expect([code, stderr]).toEqual([0, ""]);
  const [first, second] = stdout.toString().split("\n\n");
  const { quality } = await scorePhoto(good);
  expect(first).toMatch(new RegExp(`^good\\.jpg: ${quality.score} of 100  ★{3,5}½?☆*\n`));
  for (const { name, score } of quality.parts) {
    expect(first).toMatch(new RegExp(`^  ${name} +█*░* +${score}$`, "m"));
  }
  expect(first).toContain(`at a print size of ${Math.ceil((quality.print ?? 0) / 10)} cm`);
  expect(second).toMatch(/^blank\.png: [0-5] of 100 {2}[½☆]☆{4}\n/);
  expect(second).toMatch(/^ {2}little_detail: .+\. .+\.$/m);
});

test("prints JSON for standard input, photos and the targets of a .mind file", async () => {
  const words = ["score", "-", "blank.png", "two.mind", "--json", "--threads", "1"];
  const { code, stdout } = await vivimark(words, { cwd, input: good });
  expect(code).toBe(0);
  const { quality } = await scorePhoto(good);
  const stored = scoreTarget(decodeMind(marker)[0]);
  expect(JSON.parse(stdout.toString())).toEqual({
    scores: [
      { input: "-", target: null, ...quality },
      { input: "blank.png", target: null, ...(await scorePhoto(blank)).quality },
      { input: "two.mind", target: 0, ...stored },
      { input: "two.mind", target: 1, ...stored },
    ],
  });
  expect(stored).toEqual(quality);
});

test("scores photos and targets for MindAR's player with --player mindar", async () => {
  const words = ["score", "good.jpg", "two.mind", "--json", "--player", "mindar"];
  const { code, stdout } = await vivimark(words, { cwd });
  expect(code).toBe(0);
  const { quality } = await scorePhoto(good, { player: "mindar" });
  expect(quality.player).toBe("mindar");
  expect(quality.score).not.toBe((await scorePhoto(good)).quality.score);
  expect(JSON.parse(stdout.toString())).toEqual({
    scores: [
      { input: "good.jpg", target: null, ...quality },
      { input: "two.mind", target: 0, ...quality },
      { input: "two.mind", target: 1, ...quality },
    ],
  });
});

test("fails below --min, and prints the report and the reason", async () => {
  const { code, stdout, stderr } = await vivimark(["score", "good.jpg", "blank.png", "--min", "30"], { cwd });
  expect(code).toBe(1);
  expect(stdout.toString()).toContain("good.jpg: ");
  expect(stderr).toMatch(/^vivimark: blank\.png: scores \d, expected at least 30\.\n$/);
});

test("draws a map of the detail", async () => {
  const { code } = await vivimark(["score", "good.jpg", "two.mind", "--map", "map.png"], { cwd });
  expect(code).toBe(0);
  const sheet = await decodeImage(readFileSync(path.join(cwd, "map.png")));
  expect(sheet.width).toBeGreaterThan(2000);
  let warm = 0;
  for (let at = 0; at < sheet.data.length; at += 4) if (sheet.data[at] > sheet.data[at + 2] + 60) warm++;
  expect(warm / (sheet.width * sheet.height)).toBeGreaterThan(0.05);
});

test.each([
  [["score"], 2, "Expected a photo"],
  [["score", "good.jpg", "--map", "-"], 2, "--map needs a file name"],
  [["score", "good.jpg", "--map", "good.jpg"], 2, "would be overwritten"],
  [["score", "good.jpg", "--min", "many"], 2, '--min is "many"'],
  [["score", "good.jpg", "--player", "zappar"], 2, '--player is "zappar"; expected vivimark or mindar'],
  [["score", "missing.jpg", "good.jpg"], 3, "missing.jpg"],
  [["score", "page.jpg", "page.mind"], 1, "page.jpg: "],
])("%j is refused with %i", async (words, expected, message) => {
  writeFileSync(path.join(cwd, "page.jpg"), "<html>");
  writeFileSync(path.join(cwd, "page.mind"), "<html>");
  const { code, stdout, stderr } = await vivimark(words, { cwd });
  expect([code, stdout.toString()]).toEqual([expected, ""]);
  expect(stderr).toContain(message);
  expect(existsSync(path.join(cwd, "-"))).toBe(false);
});
