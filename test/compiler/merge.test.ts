import { expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { extractTargets, mergeMinds } from "../../compiler/merge.ts";
import { decodeMind } from "../../compiler/mind.ts";
import type { CompileErrorCode, GreyImage } from "../../compiler/types.ts";
import { paintCollage } from "./pictures.ts";

const images = [paintCollage(200, 160), paintCollage(140, 180), paintCollage(150, 150)];
const all = compile(images);
const each = images.map((image) => compile([image]));

test("merging files of single images gives the file of all images, byte for byte", () => {
  expect(mergeMinds(each)).toEqualBytes(all);
});

test("merging extracted targets gives the original file, byte for byte", () => {
  expect(mergeMinds([0, 1, 2].map((i) => extractTargets(all, [i])))).toEqualBytes(all);
  expect(mergeMinds([extractTargets(all, [0, 1]), extractTargets(all, [2])])).toEqualBytes(all);
  expect(extractTargets(all, [0, 1, 2])).toEqualBytes(all);
});

test("an extracted target equals the file of its image", () => {
  for (const [i, file] of each.entries()) expect(extractTargets(all, [i])).toEqualBytes(file);
});

test("targets have the order of the indexes", () => {
  const swapped = extractTargets(all, [2, 0]);
  expect(swapped).toEqualBytes(compile([images[2], images[0]] as GreyImage[]));
  expect(decodeMind(swapped).map(({ width }) => width)).toEqual([150, 200]);
});

test.each<[string, () => Uint8Array, CompileErrorCode, RegExp]>([
  ["nothing to merge", () => mergeMinds([]), "invalid_option", /Got 0 targets/],
  ["no target", () => extractTargets(all, []), "invalid_option", /Got 0 targets/],
  ["a target too many", () => extractTargets(all, [3]), "invalid_option", /target 3; .* 3 targets, 0 to 2/],
  ["one of one", () => extractTargets(each[0], [1]), "invalid_option", /target 1; .* one target, 0/],
  ["no number", () => extractTargets(all, [0.5]), "invalid_option", /target 0\.5/],
  ["the same twice", () => extractTargets(all, [1, 0, 1]), "invalid_option", /target 1 twice/],
  ["a broken file", () => mergeMinds([all, all.subarray(9)]), "invalid_marker", /Not a valid \.mind/],
])("refuses %s", (_, work, code, message) => {
  expect(work).toThrow(message);
  expect(work).toThrow(expect.objectContaining({ code }));
});

test("refuses more targets than a reader accepts", () => {
  expect(() => mergeMinds(Array.from({ length: 86 }, () => all))).toThrow("Got 258 targets");
});
