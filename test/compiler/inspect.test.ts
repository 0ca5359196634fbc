import { encode as pack, decode as unpack } from "@msgpack/msgpack";
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { inspectMind } from "../../compiler/inspect.ts";
import type { MarkerFault } from "../../compiler/invalid-marker.ts";
import { decodeMind, encodeMind } from "../../compiler/mind.ts";
import { paint, paintCollage } from "./pictures.ts";

const file = compile([paintCollage(200, 160), paintCollage(140, 180)]);

test("reports the contents of a valid file", () => {
  const report = inspectMind(file);
  expect(report).toMatchObject({ valid: true, bytes: file.length, version: 2, problems: [] });
  const decoded = decodeMind(file);
  expect(report.targets.map(({ width, height }) => [width, height])).toEqual([
    [200, 160],
    [140, 180],
  ]);
  for (const [i, target] of report.targets.entries()) {
    expect(target.keyframes.map(({ maxima }) => maxima)).toEqual(
      decoded[i].keyframes.map(({ maxima }) => maxima.count),
    );
    expect(target.points).toBe(target.keyframes.reduce((sum, k) => sum + k.maxima + k.minima, 0));
    expect(target.tracking.map(({ points }) => points)).toEqual(
      decoded[i].tracking.map(({ points }) => points.length),
    );
    expect(target.tracking.map(({ width, height }) => Math.min(width, height))).toEqual([256, 128]);
  }
});

test("names a target that is hard to find", () => {
  const flat = compile([paintCollage(200, 160), paint(200, 160, () => 128)]);
  const { valid, problems } = inspectMind(flat);
  expect(valid).toBe(true);
  expect(problems).toEqual([
    { code: "too_few_features", target: 1, message: expect.stringContaining("too little detail") },
  ]);
});

// biome-ignore lint/suspicious/noExplicitAny: files that break their types
const change = (edit: (file: any) => void): Uint8Array => {
  const parsed = unpack(encodeMind(decodeMind(file)));
  edit(parsed);
  return pack(parsed);
};
const text = (content: string) => new TextEncoder().encode(content);

test.each<[string, () => Uint8Array, MarkerFault, number | null]>([
  ["an empty file", () => new Uint8Array(0), "empty", null],
  ["a web page", () => text("<!DOCTYPE html><title>404</title>"), "html", null],
  ["JSON", () => text('{"v":2,"dataList":[]}'), "json", null],
  ["a photo", () => new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), "foreign_file", null],
  ["an older version", () => change((file) => (file.v = 1)), "wrong_version", 1],
  ["a newer version", () => change((file) => (file.v = 3)), "wrong_version", 3],
  ["half a file", () => file.subarray(0, file.length >> 1), "truncated", 2],
  ["one byte less", () => file.subarray(0, -1), "truncated", 2],
  [
    "null descriptors",
    () => change((file) => (file.dataList[0].matchingData[0].maximaPoints[0].descriptors = null)),
    "null_descriptors",
    2,
  ],
  [
    "descriptors of nulls",
    () => change((file) => file.dataList[1].matchingData[1].minimaPoints[2].descriptors.fill(null)),
    "null_descriptors",
    2,
  ],
  ["no targets", () => change((file) => (file.dataList = [])), "malformed", 2],
  ["a byte too many", () => Buffer.concat([file, Buffer.of(0)]), "malformed", 2],
])("names %s for what it is", (_, make, code, version) => {
  const bytes = make();
  expect(inspectMind(bytes)).toEqual({
    valid: false,
    bytes: bytes.length,
    version,
    targets: [],
    problems: [{ code, target: null, message: expect.stringMatching(/\.mind file/) }],
  });
});
