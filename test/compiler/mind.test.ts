import { encode as pack, decode as unpack } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { decodeMind, encodeMind } from "../../compiler/mind.ts";
import { type Quality, scoreTarget } from "../../compiler/quality.ts";
import {
  type ClusterNode,
  CompileError,
  DESCRIPTOR_WORDS,
  type FeaturePoints,
} from "../../compiler/types.ts";
import { readReference } from "../reference/pictures.ts";
import { compareTargets, type ReferenceTarget } from "./oracle.ts";
import { randomNumbers } from "./pictures.ts";

/** A file that mind-ar's own compiler wrote for two small pictures, and its parsed contents. */
const reference = readReference("two pictures of blocks");
const parsed = unpack(reference) as { v: number; dataList: ReferenceTarget[] };

describe("a file of mind-ar's compiler", () => {
  test("decodes to the same values", () => {
    const targets = decodeMind(reference);
    expect(targets.length).toBe(2);
    targets.forEach((target, i) => {
      expect(compareTargets(target, parsed.dataList[i])).toEqual([]);
    });
    // The file has inner cluster nodes, so string centres are read.
    expect(targets[0].keyframes.some((keyframe) => !keyframe.maximaCluster.leaf)).toBe(true);
  });

  test("is the same, byte for byte, when encoded again", () => {
    expect(encodeMind(decodeMind(reference))).toEqualBytes(reference);
  });

  test("may have its fields in another order", () => {
    const reordered = pack(reverseKeys(parsed));
    expect(reordered).not.toEqualBytes(reference);
    expect(decodeMind(reordered)).toEqual(decodeMind(reference));
  });

  test("may sit inside a larger buffer", () => {
    const padded = new Uint8Array(reference.length + 20).fill(0xc1);
    padded.set(reference, 7);
    expect(decodeMind(padded.subarray(7, 7 + reference.length))).toEqual(decodeMind(reference));
  });
});

test("@msgpack/msgpack reads what we write; the root's centre is null, other centres are decimal strings", () => {
  const file = unpack(encodeMind(decodeMind(reference)));
  expect(file).toEqual(parsed);
  const root = (file as typeof parsed).dataList[0].matchingData[0].maximaPointsCluster.rootNode;
  expect(root.centerPointIndex).toBeNull();
  expect(root.children?.map((child) => child.centerPointIndex)).toEqual(
    root.children?.map((child) => String(Number(child.centerPointIndex))),
  );
});

test("every number survives the round trip, at every width of the format", () => {
  const target = decodeMind(reference)[0];
  const keyframe = target.keyframes[0];
  const numbers = [
    0,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2 ** 32 - 1,
    2 ** 32,
    -1,
    -32,
    -33,
    -129,
    -32769,
    0.1,
    -1e300,
  ];
  const words = [0, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1];
  numbers.forEach((value, i) => {
    keyframe.maxima.x[i] = value;
  });
  words.forEach((value, i) => {
    keyframe.maxima.descriptors[i] = value;
  });
  const written = unpack(encodeMind([target])) as typeof parsed;
  expect(written).toEqual(unpack(pack(written)));
  const points = written.dataList[0].matchingData[0].maximaPoints as { x: number }[];
  expect(points.slice(0, numbers.length).map(({ x }) => x)).toEqual(numbers);
  // Coordinates outside of the image are not read.
  const inside = numbers.filter((value) => value >= 0 && value <= keyframe.width);
  keyframe.maxima.x.fill(1);
  keyframe.maxima.x.set(inside);
  const [back] = decodeMind(encodeMind([target]));
  expect(back).toEqual(target);
  expect(inside).toEqual([0, 127, 128, 0.1]);
});

describe("refuses, naming the received value", () => {
  const cases: [name: string, bytes: () => Uint8Array, sentence: RegExp][] = [
    ["nothing", () => new Uint8Array(0), /empty \(0 bytes\)/],
    ["a web page", () => text("<!DOCTYPE html><html>"), /HTML or XML page/],
    ["an indented web page", () => text("\n  <html>"), /HTML or XML page/],
    ["a web page behind a byte order mark", () => text("\ufeff<html>"), /HTML or XML page/],
    ["JSON", () => text(JSON.stringify({ v: 2, dataList: [] })), /JSON text/],
    ["a JPEG", () => new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), /JPEG image; compile/],
    ["a PNG", () => Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), /PNG image; compile/],
    ["a WebP", () => text("RIFF....WEBP"), /RIFF/],
    ["a ZIP", () => new Uint8Array([0x50, 0x4b, 3, 4]), /ZIP archive/],
    ["gzip", () => new Uint8Array([0x1f, 0x8b, 8]), /gzip/],
    ["half a file", () => reference.subarray(0, reference.length >> 1), /cut off after \d+ bytes/],
    ["two files", () => Buffer.concat([reference, reference]), /bytes follow after its end/],
    ["one byte more", () => Buffer.concat([reference, Buffer.of(0xc0)]), /1 bytes follow after its end/],
    ["version 1", () => change((file) => (file.v = 1)), /version 1, expected 2/],
    ["no version", () => change((file) => delete file.v), /lacks v/],
    [
      "a version in words",
      () => change((file) => (file.v = "2")),
      /the version is a string, expected a number/,
    ],
    ["no targets", () => change((file) => (file.dataList = [])), /has 0 elements, expected 1 to 256/],
    ["an unknown field", () => change((file) => (file.note = "x")), /unknown field "note"/],
    ["a field twice", () => Buffer.from([0x82, 0xa1, 0x76, 2, 0xa1, 0x76, 2]), /has the field "v" twice/],
    ["a list", () => pack([2, []]), /the file is an array, expected a map/],
    ...[1e308, -1e-3, 221, 2 ** 32].flatMap((value): [string, () => Uint8Array, RegExp][] => [
      [
        `a point at x = ${value}`,
        () => changePoint((point) => (point.x = value)),
        /a feature point at \([-\d.e+]+, [\d.]+\) lies outside its image of 220 × 160/,
      ],
      [
        `a point at y = ${value}`,
        () => changePoint((point) => (point.y = value)),
        /a feature point at \([\d.]+, [-\d.e+]+\) lies outside its image of 220 × 160/,
      ],
      [
        `a tracking point at ${value}`,
        () => change((f) => (f.dataList[0].trackingData[1].points[0].x = Math.min(value * 2, 1e308))),
        /a tracking point at \([-\d.e+]+, \d+\) lies outside its image of \d+ × 128/,
      ],
    ]),
    ...[0, 0.5, 3, 128, 1e308].map((value): [string, () => Uint8Array, RegExp] => [
      `a point of scale ${value}`,
      () => changePoint((point) => (point.scale = value)),
      /a feature point's scale is [\d.e+]+, expected a power of two from 1 to 64/,
    ]),
    ...[7, -7, 1e308].map((value): [string, () => Uint8Array, RegExp] => [
      `an angle of ${value}`,
      () => changePoint((point) => (point.angle = value)),
      /a feature point's angle is [-\d.e+]+, expected -2π to 2π/,
    ]),
    [
      "a fractional width",
      () => change((f) => (f.dataList[0].targetImage.width = 1.5)),
      /width is 1\.5, expected a whole/,
    ],
    [
      "a width of 0",
      () => change((f) => (f.dataList[0].targetImage.width = 0)),
      /width is 0, expected a whole/,
    ],
    [
      "a negative height",
      () => change((f) => (f.dataList[0].targetImage.height = -4)),
      /height is -4, expected a whole/,
    ],
    [
      "one tracking image",
      () => change((f) => f.dataList[0].trackingData.pop()),
      /trackingData has 1 elements, expected 2/,
    ],
    [
      "missing pixels",
      () => change((f) => (f.dataList[0].trackingData[1].data = new Uint8Array(9))),
      /has 9 bytes of pixels/,
    ],
    [
      "pixels as a list",
      () => change((f) => (f.dataList[0].trackingData[1].data = [1, 2])),
      /data is an array, expected bytes/,
    ],
    ["a scale of 0", () => changeKeyframe((k) => (k.scale = 0)), /scale is 0, expected more than 0/],
    [
      "a scale that does not fit the sizes",
      () => changeKeyframe((k) => (k.scale = 0.3)),
      /does not fit a target of 220 × 160/,
    ],
    [
      "an infinite scale",
      () => changeKeyframe((k) => (k.scale = Number.POSITIVE_INFINITY)),
      /scale is Infinity/,
    ],
    ["no keyframes", () => change((f) => (f.dataList[0].matchingData = [])), /matchingData has 0 elements/],
    [
      "null descriptors",
      () => changePoint((p) => (p.descriptors = null)),
      /descriptors is null, expected an array/,
    ],
    ["null descriptor words", () => changePoint((p) => (p.descriptors[3] = null)), /descriptor word is null/],
    [
      "a short descriptor",
      () => changePoint((p) => p.descriptors.pop()),
      /descriptors has 20 elements, expected 21/,
    ],
    [
      "a descriptor word over 32 bits",
      () => changePoint((p) => (p.descriptors[3] = 2 ** 32)),
      /is 4294967296, expected/,
    ],
    ["a negative descriptor word", () => changePoint((p) => (p.descriptors[3] = -1)), /is -1, expected/],
    [
      "a coordinate that is not a number",
      () => changePoint((p) => (p.x = "1")),
      /x is a string, expected a number/,
    ],
    ["a coordinate that is NaN", () => changePoint((p) => (p.y = Number.NaN)), /y is NaN, expected a finite/],
    [
      "an angle of infinity",
      () => changePoint((p) => (p.angle = Number.NEGATIVE_INFINITY)),
      /angle is -Infinity/,
    ],
    [
      "a minimum among the maxima",
      () => changePoint((p) => (p.maxima = false)),
      /minimum is among the maxima/,
    ],
    [
      "maxima that is 1",
      () => changePoint((p) => (p.maxima = 1)),
      /maxima is a number, expected true or false/,
    ],
    ["fewer points than its tree has", () => changeKeyframe((k) => k.maximaPoints.pop()), /of \d+\.$/],
    ["a centre at the root", () => changeRoot((node) => (node.centerPointIndex = "1")), /expected null/],
    [
      "no centre below the root",
      () => changeRoot((node) => (node.children[0].centerPointIndex = null)),
      /null below the root/,
    ],
    [
      "a centre that is not a point",
      () => changeRoot((node) => (node.children[0].centerPointIndex = "9999")),
      /centred on point 9999/,
    ],
    [
      "a centre in words",
      () => changeRoot((node) => (node.children[0].centerPointIndex = "1e1")),
      /is "1e1", expected a decimal/,
    ],
    ["a leaf with children", () => changeRoot((node) => (node.leaf = true)), /leaf has pointIndexes/],
    [
      "a node without points or children",
      () => changeRoot((node) => delete node.children),
      /has too few|lacks/,
    ],
    [
      "a point in two leaves",
      () => changeRoot((node) => firstLeaf(node).pointIndexes.push(firstLeaf(node).pointIndexes[0])),
      /names point \d+ twice/,
    ],
    [
      "a point in no leaf",
      () => changeRoot((node) => firstLeaf(node).pointIndexes.pop()),
      /cluster holds \d+ of \d+ points/,
    ],
    [
      "a leaf with a missing point",
      () => changeRoot((node) => (firstLeaf(node).pointIndexes[0] = 9998)),
      /names point 9998 of/,
    ],
    [
      "a negative point index",
      () => changeRoot((node) => (firstLeaf(node).pointIndexes[0] = -1)),
      /point index is -1/,
    ],
    ["a tree that is too deep", () => changeRoot((node) => deepen(node, 70)), /deeper than 64 levels/],
  ];

  test.each(cases)("%s", (_, bytes, sentence) => {
    const error = refusal(bytes());
    expect(error.code).toBe("invalid_marker");
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/\.$/);
  });
});

test("a centre may also be a number", () => {
  const numbers = changeRoot((node) => {
    for (const child of node.children) child.centerPointIndex = Number(child.centerPointIndex);
  });
  expect(decodeMind(numbers)).toEqual(decodeMind(reference));
});

describe("hostile bytes", () => {
  test("every prefix of a file is refused", () => {
    // Every length at the start, where the structure is, then strides through pixels and points.
    const lengths = [];
    for (
      let length = 0;
      length < reference.length;
      length += length < 300 || length > reference.length - 300 ? 1 : 211
    ) {
      lengths.push(length);
    }
    for (const length of lengths) expect(refusal(reference.subarray(0, length)).code).toBe("invalid_marker");
    expect(lengths.length).toBeGreaterThan(600);
  });

  test("a file with random changes decodes to valid targets, or is refused", () => {
    const random = randomNumbers(7);
    let refused = 0;
    for (let round = 0; round < 800; round++) {
      const bytes = reference.slice();
      const changes = 1 + Math.floor(random() * 4);
      for (let i = 0; i < changes; i++) {
        // Half of the changes are near the end, where points and trees are dense.
        const start = random() < 0.5 ? bytes.length >> 1 : 0;
        bytes[start + Math.floor(random() * (bytes.length - start))] = Math.floor(random() * 256);
      }
      try {
        for (const target of decodeMind(bytes)) {
          expectSound(target);
          if (round % 25 === 0) expectSoundQuality(scoreTarget(target));
        }
      } catch (error) {
        if (!(error instanceof CompileError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(800);
  });

  test("a file whose points lie on the borders of tiny keyframes has a score", () => {
    const [target] = decodeMind(reference);
    const bordered = target.keyframes.map((keyframe) => {
      for (const { x, y } of [keyframe.maxima, keyframe.minima]) {
        x.fill(keyframe.width);
        y.fill(keyframe.height);
      }
      return keyframe;
    });
    const tiny = (width: number, height: number, scale: number) => {
      const placed = (points: FeaturePoints) => ({
        ...points,
        x: new Float64Array(points.count).fill(width),
        y: new Float64Array(points.count).fill(height / 2),
      });
      const { maxima, minima } = bordered[0];
      const clusters = { maximaCluster: bordered[0].maximaCluster, minimaCluster: bordered[0].minimaCluster };
      return { width, height, scale, maxima: placed(maxima), minima: placed(minima), ...clusters };
    };
    for (const keyframes of [
      bordered,
      [...bordered, tiny(22, 16, 0.1)],
      [...bordered, tiny(1, 1, 1e-300), tiny(1, 1, 0.005)],
    ]) {
      for (const decoded of decodeMind(encodeMind([{ ...target, keyframes }])))
        expectSoundQuality(scoreTarget(decoded));
    }
  });

  test("random bytes are refused", () => {
    const random = randomNumbers(11);
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 200) }, () =>
        Math.floor(random() * 256),
      );
      bytes[0] = 0x82;
      expect(refusal(bytes).code).toBe("invalid_marker");
    }
  });

  test.each([
    ["array", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["array of points", [0xdd, 0x00, 0x00, 0x27, 0x10]],
    ["bytes", [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ["map", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["string", [0xdb, 0xff, 0xff, 0xff, 0xff]],
  ])("a false size does not allocate memory: %s", (_, head) => {
    for (let offset = 0; offset < 400; offset++) {
      const bytes = Buffer.concat([reference.subarray(0, offset), Buffer.from(head)]);
      expect(refusal(bytes).code).toBe("invalid_marker");
    }
  });
});

// biome-ignore lint/suspicious/noExplicitAny: these tests break the file in ways that no type allows
type Loose = any;

function change(edit: (file: Loose) => void): Uint8Array {
  const file = unpack(reference) as Loose;
  edit(file);
  return pack(file, { maxDepth: 1000 });
}

const changeKeyframe = (edit: (keyframe: Loose) => void) =>
  change((file) => edit(file.dataList[0].matchingData[0]));
const changePoint = (edit: (point: Loose) => void) =>
  changeKeyframe((keyframe) => edit(keyframe.maximaPoints[1]));
const changeRoot = (edit: (node: Loose) => void) =>
  changeKeyframe((keyframe) => edit(keyframe.maximaPointsCluster.rootNode));

function firstLeaf(node: Loose): Loose {
  return node.leaf ? node : firstLeaf(node.children[0]);
}

function deepen(node: Loose, levels: number): void {
  let children = node.children;
  for (let i = 0; i < levels; i++) children = [{ leaf: false, centerPointIndex: "0", children }];
  node.children = children;
}

function refusal(bytes: Uint8Array): CompileError {
  try {
    decodeMind(bytes);
  } catch (error) {
    if (error instanceof CompileError) return error;
    throw error;
  }
  throw new Error(`${bytes.length} bytes were accepted`);
}

/** Checks what every decoded target guarantees. */
function expectSound(target: ReturnType<typeof decodeMind>[number]): void {
  for (const image of target.tracking) expect(image.data.length).toBe(image.width * image.height);
  for (const keyframe of target.keyframes) {
    for (const [points, cluster] of [
      [keyframe.maxima, keyframe.maximaCluster],
      [keyframe.minima, keyframe.minimaCluster],
    ] as const) {
      expect(points.descriptors.length).toBe(points.count * DESCRIPTOR_WORDS);
      for (const column of [points.x, points.y, points.scale, points.angle]) {
        expect(column.length).toBe(points.count);
        expect(column.every(Number.isFinite)).toBe(true);
      }
      for (const [places, side] of [
        [points.x, keyframe.width],
        [points.y, keyframe.height],
      ] as const) {
        expect(places.every((place) => place >= 0 && place <= side)).toBe(true);
      }
      expect(leaves(cluster).sort((a, b) => a - b)).toEqual(
        Array.from({ length: points.count }, (_, i) => i),
      );
    }
  }
}

function expectSoundQuality({ score, stars, parts, map, print }: Quality): void {
  for (const value of [score, ...parts.map((part) => part.score), ...map.cells]) {
    expect(Number.isInteger(value) && value >= 0 && value <= 100).toBe(true);
  }
  expect(stars >= 0 && stars <= 5).toBe(true);
  expect(print === null || print > 0).toBe(true);
}

function leaves(node: ClusterNode): number[] {
  return node.leaf ? [...node.pointIndexes] : node.children.flatMap(leaves);
}

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reverseKeys(item)]),
  );
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
