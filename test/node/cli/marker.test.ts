// inspect, merge and extract.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { decodeImage } from "../../../compiler/image/decode.ts";
import { inspectMind } from "../../../compiler/inspect.ts";
import { extractTargets } from "../../../compiler/merge.ts";
import { decodeMind } from "../../../compiler/mind.ts";
import { drawFeatures, targetPicture } from "../../../compiler/preview.ts";
import { prepareCompiler } from "../../../node/library.ts";
import { paint, paintCollage } from "../../compiler/pictures.ts";
import { start, temporaryFolder, vivimark } from "./vivimark.ts";

const all = compile([paintCollage(400, 320), paintCollage(280, 360), paintCollage(300, 300)]);
const parts = [0, 1, 2].map((i) => extractTargets(all, [i]));

const root = temporaryFolder();
let cwd: string;
let count = 0;
beforeAll(prepareCompiler);
beforeEach(() => {
  cwd = path.join(root, String(count++));
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, "all.mind"), all);
  for (const [i, part] of parts.entries()) writeFileSync(path.join(cwd, `${i}.mind`), part);
});

const written = (name: string) => readFileSync(path.join(cwd, name));

describe("inspect", () => {
  test("prints a report", async () => {
    const { code, stdout, stderr } = await vivimark(["inspect", "all.mind"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    const [head, titles, ...rows] = stdout.toString().trimEnd().split("\n");
    expect(head).toBe(`all.mind: .mind version 2, 3 targets, ${all.length.toLocaleString("en-US")} bytes`);
    expect(titles.trim().split(/ {2,}/)).toEqual([
      "target",
      "size",
      "keyframes",
      "points",
      "tracking points",
    ]);
    const { targets } = inspectMind(all);
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual(
      targets.map(({ width, height, keyframes, points, tracking }, i) => [
        `${i}`,
        `${width} × ${height}`,
        `${keyframes.length}`,
        points.toLocaleString("en-US"),
        `${tracking[1].points}`,
      ]),
    );
  });

  test("prints JSON, also for standard input", async () => {
    const { code, stdout } = await vivimark(["inspect", "-", "--json"], { cwd, input: all });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toEqual({ file: "-", ...inspectMind(all) });
  });

  test.each<[string, Uint8Array | string, string]>([
    ["a web page", "<!DOCTYPE html>", "html"],
    ["JSON", '{"v":2}', "json"],
    ["an older version", Buffer.from(all).fill(1, 3, 4), "wrong_version"],
    ["half a file", all.subarray(0, all.length / 2), "truncated"],
    ["nothing", "", "empty"],
  ])("names %s", async (_, bytes, fault) => {
    writeFileSync(path.join(cwd, "bad.mind"), bytes);
    const text = await vivimark(["inspect", "bad.mind", "--preview", "pictures"], { cwd });
    expect(text).toMatchObject({ code: 1, stderr: "" });
    expect(text.stdout.toString()).toMatch(
      new RegExp(`^bad.mind: MindAR's player cannot load this file, .*\nproblem: ${fault}: .*\n$`),
    );
    expect(readdirSync(cwd)).not.toContain("pictures");
    const json = await vivimark(["inspect", "bad.mind", "--json"], { cwd });
    expect(json).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(json.stdout.toString())).toMatchObject({ valid: false, problems: [{ code: fault }] });
  });

  test("names a target that loads but is hard to find", async () => {
    const flat = compile([paintCollage(200, 160), paint(200, 160, () => 90)]);
    const { code, stdout } = await vivimark(["inspect", "-"], { input: flat });
    expect(code).toBe(1);
    expect(stdout.toString()).toMatch(
      /version 2, 2 targets.*\nproblem: too_few_features in target 1: .*\n$/s,
    );
  });

  test("draws each target into a folder that it makes", async () => {
    const two = extractTargets(all, [0, 1]);
    writeFileSync(path.join(cwd, "two.mind"), two);
    const { code } = await vivimark(["inspect", "two.mind", "--preview", "deep/pictures"], { cwd });
    expect(code).toBe(0);
    expect(readdirSync(path.join(cwd, "deep/pictures"))).toEqual(["target-0.png", "target-1.png"]);
    for (const [i, target] of decodeMind(two).entries()) {
      const png = await decodeImage(readFileSync(path.join(cwd, `deep/pictures/target-${i}.png`)));
      const expected = drawFeatures(targetPicture(target), target);
      expect(png.data).toEqualBytes(expected.data);
    }
  });

  test.each<[string, string[], number, string]>([
    ["no file", [], 2, "Got 0 files"],
    ["two files", ["a", "b"], 2, "Got 2 files"],
    ["a missing file", ["none.mind"], 3, "none.mind: The file or folder does not exist"],
    ["a folder", ["."], 3, "vivimark: .: This is a folder, expected a file.\n"],
    ["a preview into a file", ["all.mind", "--preview", "0.mind"], 3, "vivimark: 0.mind: "],
  ])("refuses %s", async (_, words, code, message) => {
    const ended = await vivimark(["inspect", ...words], { cwd });
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });
});

describe("merge and extract", () => {
  test("merging extracted targets gives the same file", async () => {
    for (const i of [0, 1, 2]) {
      const words = ["extract", "all.mind", "--target", `${i}`, "--output", `part-${i}.mind`];
      expect(await vivimark(words, { cwd })).toMatchObject({ code: 0, stderr: "" });
      expect(written(`part-${i}.mind`)).toEqualBytes(parts[i]);
    }
    const words = ["merge", "part-0.mind", "--input", "part-1.mind", "part-2.mind", "-o", "again.mind"];
    expect(await vivimark(words, { cwd })).toMatchObject({ code: 0, stderr: "" });
    expect(written("again.mind")).toEqualBytes(all);
  });

  test("extract keeps the order of --target", async () => {
    await vivimark(["extract", "all.mind", "-t", "2,0", "-t", "1", "-o", "turned.mind"], { cwd });
    expect(written("turned.mind")).toEqualBytes(extractTargets(all, [2, 0, 1]));
  });

  test("the output may be one of the inputs", async () => {
    await vivimark(["merge", "0.mind", "1.mind", "-o", "0.mind"], { cwd });
    expect(written("0.mind")).toEqualBytes(extractTargets(all, [0, 1]));
    expect(readdirSync(cwd)).toEqual(["0.mind", "1.mind", "2.mind", "all.mind"]);
  });

  test("patterns, pipes, and reports", async () => {
    const merged = await vivimark(["merge", "[0-9].mind", "-o", "-"], { cwd });
    expect(merged).toMatchObject({ code: 0, stderr: "" });
    expect(merged.stdout).toEqualBytes(all);
    const extracted = await vivimark(["extract", "-", "--target", "1", "-o", "-"], { input: merged.stdout });
    expect(extracted.stdout).toEqualBytes(parts[1]);
    const { stdout } = await vivimark(["merge", "2.mind", "0.mind", "-o", "x.mind", "--json"], { cwd });
    const { targets } = inspectMind(all);
    expect(JSON.parse(stdout.toString())).toEqual({
      output: "x.mind",
      bytes: readFileSync(path.join(cwd, "x.mind")).length,
      targets: [
        { input: "2.mind", index: 0, ...targets[2] },
        { input: "0.mind", index: 0, ...targets[0] },
      ],
    });
  });

  test("a terminal shows the origin of each target", async () => {
    const { stderr } = await vivimark(["extract", "all.mind", "-t", "2", "-o", "x.mind"], {
      cwd,
      terminal: true,
    });
    expect(stderr).toMatch(
      /^x\.mind: 1 target, [\d,]+ bytes\n {2}target .*\n +0 {2}2 of all\.mind {2}300 × 300\n$/,
    );
  });

  test.each<[string, string[], number, string]>([
    ["nothing to merge", ["merge", "-o", "x.mind"], 2, "Expected a .mind file."],
    ["no output", ["merge", "0.mind"], 2, "--output is missing."],
    [
      "a broken file",
      ["merge", "0.mind", "page.mind", "-o", "x.mind"],
      1,
      "page.mind: Not a valid .mind file",
    ],
    [
      "a missing file",
      ["merge", "0.mind", "none.mind", "-o", "x.mind"],
      3,
      "none.mind: The file or folder does not exist",
    ],
    ["no target", ["extract", "all.mind", "-o", "x.mind"], 2, "--target is missing."],
    [
      "no number",
      ["extract", "all.mind", "-t", "one", "-o", "x.mind"],
      2,
      '--target is "one", expected a whole number of 0 or more.',
    ],
    [
      "a target too many",
      ["extract", "all.mind", "-t", "3", "-o", "x.mind"],
      2,
      "all.mind: Got target 3; the file has 3 targets, 0 to 2.",
    ],
    ["no file", ["extract", "-t", "0", "-o", "x.mind"], 2, "Got 0 files, expected one."],
    ["an invalid file", ["extract", "page.mind", "-t", "0", "-o", "x.mind"], 1, "HTML or XML page"],
    ["two standard outputs", ["merge", "0.mind", "-o", "-", "--json"], 2, "both write to standard output"],
  ])("refuses %s", async (_, words, code, message) => {
    writeFileSync(path.join(cwd, "page.mind"), "<html>");
    const ended = await vivimark(words, { cwd });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toMatch(/^vivimark: .*\n$/);
    expect(ended.code).toBe(code);
    expect(readdirSync(cwd)).not.toContain("x.mind");
  });
});

test("a reader that closes the pipe is not a failure", async () => {
  for (const words of [
    ["inspect", "all.mind", "--json"],
    ["merge", "all.mind", "-o", "-"],
  ]) {
    const { child, ended } = start(words, { cwd });
    child.stdout!.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  }
});
