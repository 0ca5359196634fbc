import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { decodeImage, toGrey } from "../../../compiler/image/decode.ts";
import { encodePng } from "../../../compiler/image/png.ts";
import { inspectMind } from "../../../compiler/inspect.ts";
import { decodeMind } from "../../../compiler/mind.ts";
import { contactSheet, drawFeatures, sheetPictureSize } from "../../../compiler/preview.ts";
import type { CompileOptions } from "../../../compiler/types.ts";
import { prepareCompiler } from "../../../node/library.ts";
import { paintCollage } from "../../compiler/pictures.ts";
import { photoPath, start, temporaryFolder, vivimark } from "./vivimark.ts";

const home = photoPath("dust-bowl-home");
const alps = photoPath("french-alpine-landscape");
const cat = photoPath("locomotion-house-cat");

/** Small enough to be quick. */
const SMALL = ["--max-size", "256"];

const root = temporaryFolder();
let folder: string;
let count = 0;
beforeAll(prepareCompiler);
beforeEach(() => {
  folder = path.join(root, String(count++));
  mkdirSync(folder);
});

const inside = (name: string) => path.join(folder, name);

/** What the library makes of the same photos. */
async function library(photos: readonly string[], options: CompileOptions = { maxSize: 256 }) {
  const images = [];
  for (const photo of photos) images.push(toGrey(await decodeImage(readFileSync(photo))));
  return compile(images, options);
}

describe("output", () => {
  test("one photo; prints nothing without a terminal", async () => {
    const ended = await vivimark(["compile", "--input", home, "--output", inside("one.mind")]);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout.length).toBe(0);
    expect(readFileSync(inside("one.mind"))).toEqualBytes(await library([home], {}));
    expect(readdirSync(folder)).toEqual(["one.mind"]);
  });

  test("several photos as options and arguments, in order, give the library's bytes", async () => {
    const words = ["compile", cat, "-i", home, ...SMALL, alps, "-o", inside("all.mind"), "--threads", "2"];
    expect(await vivimark(words)).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(inside("all.mind"))).toEqualBytes(await library([cat, home, alps]));
  });

  test("the options equal those of the library", async () => {
    const options = ["--max-features", "40", "--max-size", "300"];
    await vivimark(["compile", home, ...options, "-o", inside("few.mind")]);
    expect(readFileSync(inside("few.mind"))).toEqualBytes(
      await library([home], { maxFeatures: 40, maxSize: 300 }),
    );
    const [target] = decodeMind(readFileSync(inside("few.mind")));
    expect(target.keyframes[0].maxima.count + target.keyframes[0].minima.count).toBe(40);
  });

  test("--max-size full", async () => {
    const { data, width, height } = paintCollage(1500, 200);
    const rgba = Uint8Array.from({ length: data.length * 4 }, (_, i) => data[i >> 2]);
    writeFileSync(inside("wide.png"), await encodePng({ data: rgba, width, height }));
    await vivimark(["compile", inside("wide.png"), "--max-size", "full", "-o", inside("full.mind")]);
    const expected = await library([inside("wide.png")], { maxSize: Infinity });
    expect(readFileSync(inside("full.mind"))).toEqualBytes(expected);
    expect(decodeMind(expected)[0].width).toBe(1500);
  });

  test("from standard input to standard output", async () => {
    const ended = await vivimark(["compile", "-", ...SMALL, "--output", "-"], { input: readFileSync(home) });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toEqualBytes(await library([home]));
  });

  test("standard input among files, with a preview", async () => {
    const words = ["compile", alps, "-", ...SMALL, "-o", "two.mind", "--preview", "two.png"];
    expect(await vivimark(words, { cwd: folder, input: readFileSync(home) })).toMatchObject({ code: 0 });
    expect(readFileSync(inside("two.mind"))).toEqualBytes(await library([alps, home]));
    expect(readdirSync(folder)).toEqual(["two.mind", "two.png"]);
  });

  test("a folder in natural order, only its photos", async () => {
    mkdirSync(inside("photos/inner"), { recursive: true });
    copyFileSync(home, inside("photos/10.jpg"));
    copyFileSync(alps, inside("photos/2.JPG"));
    copyFileSync(cat, inside("photos/inner/1.jpg"));
    writeFileSync(inside("photos/notes.txt"), "no photo");
    writeFileSync(inside("photos/._2.jpg"), "a resource fork of macOS");
    const ended = await vivimark(["compile", "photos", ...SMALL, "-o", "all.mind", "--json"], {
      cwd: folder,
    });
    expect(JSON.parse(ended.stdout.toString()).targets.map(({ input }: { input: string }) => input)).toEqual([
      path.join("photos", "2.JPG"),
      path.join("photos", "10.jpg"),
    ]);
    expect(readFileSync(inside("all.mind"))).toEqualBytes(await library([alps, home]));
  });

  test("a pattern that the shell has not expanded; a file of the same name takes precedence", async () => {
    mkdirSync(inside("a/b"), { recursive: true });
    copyFileSync(home, inside("a/b/10.jpg"));
    copyFileSync(alps, inside("a/9.jpg"));
    copyFileSync(cat, inside("a/[1].jpg"));
    const words = ["compile", "a/**/[0-9]*.jpg", "a/[1].jpg", ...SMALL, "-o", "all.mind"];
    expect(await vivimark(words, { cwd: folder })).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(inside("all.mind"))).toEqualBytes(await library([alps, home, cat]));
  });

  test("a JSON report", async () => {
    const { code, stdout, stderr } = await vivimark(
      ["compile", home, alps, ...SMALL, "-o", "all.mind", "--json", "--preview", "all.png"],
      { cwd: folder },
    );
    expect([code, stderr]).toEqual([0, ""]);
    const bytes = readFileSync(inside("all.mind"));
    const { targets } = inspectMind(bytes);
    expect(JSON.parse(stdout.toString())).toEqual({
      output: "all.mind",
      bytes: bytes.length,
      milliseconds: expect.any(Number),
      compiler_version: expect.any(String),
      preview: "all.png",
      targets: [
        { input: home, milliseconds: expect.any(Number), ...targets[0] },
        { input: alps, milliseconds: expect.any(Number), ...targets[1] },
      ],
    });
  });

  test.each([
    ["a preview of one photo", [home]],
    ["a sheet of several photos", [home, alps]],
  ])("%s", async (_, photos) => {
    await vivimark(["compile", ...photos, ...SMALL, "-o", inside("a.mind"), "--preview", inside("a.png")]);
    const targets = decodeMind(readFileSync(inside("a.mind")));
    const pictures = [];
    for (const [i, photo] of photos.entries()) {
      const picture = await decodeImage(readFileSync(photo));
      pictures.push(drawFeatures(picture, targets[i], sheetPictureSize(photos.length)));
    }
    const expected = contactSheet(pictures);
    const png = await decodeImage(readFileSync(inside("a.png")));
    expect([png.width, png.height]).toEqual([expected.width, expected.height]);
    expect(png.data).toEqualBytes(expected.data);
  });
});

describe("where the output goes", () => {
  test("an existing file is replaced and keeps its permissions, also behind a link", async () => {
    writeFileSync(inside("real.mind"), "old", { mode: 0o600 });
    symlinkSync("real.mind", inside("link.mind"));
    await vivimark(["compile", home, ...SMALL, "-o", inside("link.mind")]);
    expect(lstatSync(inside("link.mind")).isSymbolicLink()).toBe(true);
    expect(statSync(inside("real.mind")).mode & 0o777).toBe(0o600);
    expect(readFileSync(inside("real.mind"))).toEqualBytes(await library([home]));
    expect(readdirSync(folder)).toEqual(["link.mind", "real.mind"]);
  });

  test.skipIf(process.platform === "win32")("a pipe is written to, not replaced", async () => {
    execFileSync("mkfifo", [inside("pipe")]);
    const reader = start(["inspect", inside("pipe"), "--json"]);
    reader.child.stdin!.end();
    expect(await vivimark(["compile", home, ...SMALL, "-o", inside("pipe")])).toMatchObject({ code: 0 });
    const { code, stdout } = await reader.ended;
    expect([code, JSON.parse(stdout.toString()).valid]).toEqual([0, true]);
    expect(lstatSync(inside("pipe")).isFIFO()).toBe(true);
  });

  test("a refused photo leaves the existing file unchanged", async () => {
    writeFileSync(inside("all.mind"), "old");
    writeFileSync(inside("page.jpg"), "<!DOCTYPE html>");
    writeFileSync(inside("cut.jpg"), readFileSync(home).subarray(0, 50_000));
    const { code, stdout, stderr } = await vivimark(
      ["compile", home, "page.jpg", "cut.jpg", ...SMALL, "-o", "all.mind", "--preview", "all.png"],
      { cwd: folder },
    );
    expect(code).toBe(1);
    expect(stdout.length).toBe(0);
    expect(stderr.trim().split("\n")).toEqual([
      "vivimark: page.jpg: This is an HTML or XML page; expected a JPEG, PNG or WebP photo.",
      "vivimark: cut.jpg: The image is damaged or cut off: its JPEG data cannot be decoded.",
    ]);
    expect(readFileSync(inside("all.mind"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["all.mind", "cut.jpg", "page.jpg"]);
  });
});

/** Runs code before each call of a function of node:fs, which the command line imports by name. */
const beforeEachCall = (name: string, code: string) => `
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  const original = fs.${name};
  let calls = 0;
  fs.${name} = (...given) => { calls++; ${code}; return original(...given); };
  syncBuiltinESMExports();
`;

describe("when writing goes wrong", () => {
  const words = ["compile", home, ...SMALL, "-o", "a.mind", "--preview", "a.png"];

  test("a disk that is full after the first file leaves no file", async () => {
    const full =
      'if (calls === 2) throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" })';
    const before = beforeEachCall("writeFileSync", full);
    expect(await vivimark(words, { cwd: folder, before })).toMatchObject({
      code: 3,
      stderr: "vivimark: a.png: No space is left on the device.\n",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("Ctrl-C while writing leaves both files complete", async () => {
    const before = beforeEachCall("writeFileSync", 'process.kill(process.pid, "SIGINT")');
    expect(await vivimark(words, { cwd: folder, before })).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toEqual(["a.mind", "a.png"]);
    expect(readFileSync(inside("a.mind"))).toEqualBytes(await library([home]));
  });

  test("a bug has its own exit code", async () => {
    const before = 'WebAssembly.compile = () => Promise.reject(new TypeError("broken"));';
    expect(await vivimark(words, { cwd: folder, before })).toMatchObject({
      code: 70,
      stderr: expect.stringMatching(/^vivimark: this is a bug in Vivimark: TypeError: broken\n/),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("exit codes and messages", () => {
  test.each<[name: string, words: string[], code: number, message: string]>([
    ["a file that is not a photo", ["compile", "page.jpg", "-o", "x.mind"], 1, "page.jpg: This is an HTML"],
    ["no photo", ["compile", "-o", "x.mind"], 2, "Expected a photo. See --help."],
    ["no output", ["compile", "photo.jpg"], 2, "--output is missing. See --help."],
    ["an unknown option", ["compile", "photo.jpg", "--watch"], 2, "Unknown option '--watch'. See --help."],
    ["no value", ["compile", "photo.jpg", "-o"], 2, "Option '-o, --output <value>' argument missing."],
    [
      "no number",
      ["compile", "photo.jpg", "-o", "x.mind", "--max-size", "big"],
      2,
      '--max-size is "big", expected a whole number of 1 or more.',
    ],
    [
      "too small a number",
      ["compile", "photo.jpg", "-o", "x.mind", "--max-features", "0"],
      2,
      '--max-features is "0", expected a whole number of 1 or more.',
    ],
    ["two standard inputs", ["compile", "-", "-i", "-", "-o", "x.mind"], 2, "(-) was given twice"],
    [
      "two standard outputs",
      ["compile", "photo.jpg", "-o", "-", "--json"],
      2,
      "both write to standard output",
    ],
    [
      "a preview to standard output",
      ["compile", "photo.jpg", "-o", "x.mind", "--preview", "-"],
      2,
      "--preview needs a file name",
    ],
    ["the photo itself", ["compile", "photo.jpg", "-o", "./photo.jpg"], 2, "it would be overwritten"],
    [
      "the same output twice",
      ["compile", "photo.jpg", "-o", "x", "--preview", "./x"],
      2,
      "x: --output and --preview",
    ],
    ["a folder as output", ["compile", "photo.jpg", "-o", "empty"], 2, "empty: This is a folder"],
    [
      "a missing photo",
      ["compile", "none.jpg", "-o", "x.mind"],
      3,
      "none.jpg: The file or folder does not exist.",
    ],
    ["no match", ["compile", "*.webp", "-o", "x.mind"], 3, "*.webp: No files match."],
    [
      "an empty folder",
      ["compile", "empty", "-o", "x.mind"],
      3,
      "empty: The folder has no files that end in .jpg",
    ],
    [
      "a missing output folder",
      ["compile", "photo.jpg", "-o", "no/x.mind"],
      3,
      "no/x.mind: The file or folder does not exist.",
    ],
    [
      "a file in place of a folder",
      ["compile", "photo.jpg", "-o", "page.jpg/x"],
      3,
      "page.jpg/x: A part of the path is not a folder.",
    ],
  ])("%s", async (_, words, code, message) => {
    copyFileSync(home, inside("photo.jpg"));
    writeFileSync(inside("page.jpg"), "<html>");
    mkdirSync(inside("empty"));
    const ended = await vivimark(words, { cwd: folder });
    expect(ended.stderr).toContain(`vivimark: `);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr.trim().split("\n").length).toBe(1);
    expect(ended).toMatchObject({ code });
    expect(ended.stdout.length).toBe(0);
    expect(readdirSync(folder)).toEqual(["empty", "page.jpg", "photo.jpg"]);
  });

  test("a refusal as JSON", async () => {
    writeFileSync(inside("page.jpg"), "<html>");
    const { code, stdout } = await vivimark(["compile", "page.jpg", "-o", "x.mind", "--json"], {
      cwd: folder,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout.toString())).toEqual({
      errors: [{ code: "not_an_image", file: "page.jpg", message: expect.stringContaining("HTML") }],
    });
  });

  test("a refused photo from standard input", async () => {
    const empty = await vivimark(["compile", "-", "-o", "-"]);
    expect(empty).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("-: The file is empty (0 bytes)"),
    });
    const large = await vivimark(["compile", "-", "-o", "-"], { input: Buffer.alloc(21_000_000) });
    expect(large).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/-: The file is .* at most 20 MB/),
    });
  });
});

describe("a terminal", () => {
  test("shows a progress bar, and then a summary", async () => {
    const { code, stdout, stderr } = await vivimark(["compile", home, alps, ...SMALL, "-o", "a.mind"], {
      cwd: folder,
      terminal: true,
    });
    expect(code).toBe(0);
    expect(stdout.length).toBe(0);
    const [bars, result] = stderr.split("\r\x1b[K");
    for (const bar of bars.split("\x1b[K").slice(0, -1)) {
      expect(bar).toMatch(/^\r *\d+ % [█░]{24} Compiling 2 photos$/);
    }
    expect(bars).toContain("100 % ████████████████████████");
    expect(result).toMatch(
      /^a\.mind: 2 targets, [\d,]+ bytes, in \d+\.\d s\n {2}target {2}photo .*\n.*\n.*\n$/,
    );
  });

  test.skipIf(process.platform === "win32").each(["SIGINT", "SIGTERM"] as const)(
    "%s during the work: removes the bar, writes no file, and the shell sees the signal",
    async (signal) => {
      const photos = [home, alps, cat, home, alps, cat];
      const words = ["compile", ...photos, "--threads", "1", "-o", "a.mind"];
      const { child, ended } = start(words, { cwd: folder, terminal: true });
      child.stderr!.once("data", () => child.kill(signal));
      const result = await ended;
      expect(result).toMatchObject({ code: null, signal });
      expect(result.stderr.endsWith("\r\x1b[K")).toBe(true);
      expect(readdirSync(folder)).toEqual([]);
    },
  );
});
