import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMPILER_VERSION } from "../../../compiler/compile.ts";
import { vivimark } from "./vivimark.ts";

const COMMANDS = ["compile", "inspect", "merge", "extract", "score"];

test.each([["--help"], ["-h"], ["help"]])("%s lists the commands and exit codes", async (...words) => {
  const { code, stdout, stderr } = await vivimark(words);
  expect([code, stderr]).toEqual([0, ""]);
  for (const command of COMMANDS) expect(stdout.toString()).toMatch(new RegExp(`^ {2}${command} `, "m"));
  for (const exit of [0, 1, 2, 3, 70]) expect(stdout.toString()).toMatch(new RegExp(`^ {2}${exit} +`, "m"));
});

test.each(COMMANDS)("%s --help prints the command's help", async (command) => {
  const { code, stdout, stderr } = await vivimark([command, "--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.toString()).toContain(`vivimark ${command} `);
  for (const line of stdout.toString().split("\n")) expect(line.length).toBeLessThanOrEqual(112);
  expect((await vivimark(["help", command])).stdout).toEqual(stdout);
  expect((await vivimark([command, "some.jpg", "-h"])).stdout).toEqual(stdout);
});

test("--version prints the versions of the package and the compiler", async () => {
  const { version } = JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, "../../../package.json"), "utf8"),
  );
  const { code, stdout } = await vivimark(["--version"]);
  expect([code, stdout.toString()]).toEqual([0, `vivimark ${version} (compiler ${COMPILER_VERSION})\n`]);
});

test.each([
  [[], "Expected a command: compile, inspect, merge, extract, score."],
  [["paint"], '"paint" is not a command; expected compile, inspect, merge, extract, score.'],
  [["paint", "--help"], '"paint" is not a command; expected compile, inspect, merge, extract, score.'],
  [["help", "toString"], '"toString" is not a command; expected compile, inspect, merge, extract, score.'],
  [["--json"], '"--json" is not a command; expected compile, inspect, merge, extract, score.'],
])("%j is an invalid command line", async (words, message) => {
  expect(await vivimark(words)).toMatchObject({ code: 2, stderr: `vivimark: ${message}\n` });
});
