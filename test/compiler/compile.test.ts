import { decode as unpack } from "@msgpack/msgpack";
import { afterEach, describe, expect, test } from "vitest";
import { compile, compileTarget } from "../../compiler/compile.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import type { CompileProgress } from "../../compiler/types.ts";
import { PICTURES, readReference, SETS } from "../reference/pictures.ts";
import { kernelModule } from "./kernels.ts";
import { compareTargets, compileReference, type ReferenceTarget } from "./oracle.ts";
import { paint, paintBlobs, paintCollage } from "./pictures.ts";

describe("equals mind-ar's OfflineCompiler, byte for byte", () => {
  afterEach(() => loadKernels(kernelModule));

  test.each(Object.entries(PICTURES))("%s", async (name, picture) => {
    const image = await picture();
    const reference = readReference(name);
    // Compare value by value first, so that a difference has a name.
    const { dataList } = unpack(reference) as { dataList: ReferenceTarget[] };
    expect(compareTargets(compileTarget(image), dataList[0])).toEqual([]);
    for (const module of [kernelModule, null]) {
      loadKernels(module);
      expect(compile([image]), module ? "by WebAssembly" : "by TypeScript").toEqualBytes(reference);
    }
  });

  test.each(Object.entries(SETS))("several images in one file: %s", async (name, pictures) => {
    const images = await Promise.all(pictures.map((picture) => picture()));
    expect(compile(images)).toEqualBytes(readReference(name));
  });

  // test/reference makes the other stored files again.
  test("a stored file equals what mind-ar makes", async () => {
    const { bytes } = await compileReference(await PICTURES["1 octave"]());
    expect(bytes).toEqualBytes(readReference("1 octave"));
  });
});

test("an image of fewer than 8 pixels a side, which the reference cannot compile, has no points at its size", () => {
  const { keyframes } = compileTarget(paintCollage(7, 9));
  expect(keyframes.map(({ width, height }) => [width, height])).toEqual([
    [7, 9],
    [100, 129],
  ]);
  expect(keyframes[0].maxima.count + keyframes[0].minima.count).toBe(0);
});

describe("maxSize", () => {
  const image = paintCollage(300, 200);

  test("reduces the longer side before anything else", () => {
    const target = compileTarget(image, { maxSize: 150 });
    expect([target.width, target.height]).toEqual([150, 100]);
    expect(target.keyframes[0]).toMatchObject({ width: 150, height: 100, scale: 1 });
  });

  test("leaves smaller images alone", () => {
    expect(compile([image], { maxSize: 300 })).toEqual(compile([image], { maxSize: Infinity }));
  });
});

describe("maxFeatures", () => {
  const image = paintCollage(300, 200);
  const all = compileTarget(image);

  test("limits the points of each keyframe, and does not change tracking", () => {
    const some = compileTarget(image, { maxFeatures: 40 });
    const counts = all.keyframes.map(({ maxima, minima }) => maxima.count + minima.count);
    expect(Math.max(...counts)).toBeGreaterThan(40);
    expect(some.keyframes.map(({ maxima, minima }) => maxima.count + minima.count)).toEqual(
      counts.map((count) => Math.min(count, 40)),
    );
    expect(some.tracking).toEqual(all.tracking);
  });

  test("does not change points or their order", () => {
    const some = compileTarget(image, { maxFeatures: 40 });
    const { maxima } = all.keyframes[0];
    const places = Array.from(maxima.x, (x, i) => `${x},${maxima.y[i]},${maxima.angle[i]}`);
    const kept = some.keyframes[0].maxima;
    const indexes = Array.from(kept.x, (x, i) => places.indexOf(`${x},${kept.y[i]},${kept.angle[i]}`));
    expect(indexes).not.toContain(-1);
    expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
    indexes.forEach((from, to) => {
      expect(kept.descriptors.slice(21 * to, 21 * to + 21)).toEqual(
        maxima.descriptors.slice(21 * from, 21 * from + 21),
      );
    });
  });

  test("prefers the stronger of two blobs, whatever their polarity", () => {
    const strong = { x: 60, y: 70, sigma: 4, height: -100 };
    const weak = { x: 140, y: 70, sigma: 4, height: 60 };
    const { maxima, minima } = compileTarget(paintBlobs(200, 140, [strong, weak]), { maxFeatures: 1 })
      .keyframes[0];
    expect([maxima.count, minima.count]).toEqual([0, 1]);
    expect(Math.abs(minima.x[0] - strong.x)).toBeLessThan(1);
  });

  test("changes nothing when there are fewer points", () => {
    expect(compile([image], { maxFeatures: 500 })).toEqual(compile([image]));
  });
});

test("progress counts every stage up to a constant total", () => {
  const seen: CompileProgress[] = [];
  compile([paintCollage(130, 120), paintCollage(100, 200)], {}, (progress) => seen.push(progress));
  const stages = [...new Set(seen.map(({ stage }) => stage))];
  expect(stages).toEqual(["resize", "match", "track", "encode"]);
  for (const stage of stages) {
    const steps = seen.filter((progress) => progress.stage === stage);
    const { total } = steps[0];
    expect(steps.map(({ done }) => done)).toEqual(Array.from({ length: total + 1 }, (_, i) => i));
    expect(steps.every((step) => step.total === total)).toBe(true);
  }
  expect(seen.find(({ stage }) => stage === "track")?.total).toBe(4);
});

describe("refuses with invalid_option, naming the received and the expected value", () => {
  const image = paint(10, 10, () => 0);
  const refused: [string, () => unknown, RegExp][] = [
    ["no image", () => compile([]), /no image/],
    ["a size of 0", () => compileTarget(image, { maxSize: 0 }), /maxSize = 0; expected/],
    ["a size of NaN", () => compileTarget(image, { maxSize: Number.NaN }), /maxSize = NaN/],
    ["no features", () => compileTarget(image, { maxFeatures: 0 }), /maxFeatures = 0/],
    ["half a feature", () => compileTarget(image, { maxFeatures: 10.5 }), /maxFeatures = 10\.5/],
    ["pixels missing", () => compileTarget({ ...image, width: 11 }), /100 grey pixels .* 11 × 10/],
    ["no pixels", () => compileTarget({ data: new Uint8Array(0), width: 0, height: 0 }), /0 × 0/],
  ];
  for (const [name, call, message] of refused) {
    test(name, () => {
      expect(call).toThrow(
        expect.objectContaining({ code: "invalid_option", message: expect.stringMatching(message) }),
      );
    });
  }
});
