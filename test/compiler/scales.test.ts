import { buildImageList, buildTrackingImageList } from "mind-ar/src/image-target/image-list.js";
import { describe, expect, test } from "vitest";
import { keyframeScales, scaledSize, scaleImage, trackingScales } from "../../compiler/scales.ts";
import { paint, paintCollage } from "./pictures.ts";

// Enlarged, reduced, square, thin, and sides at which the ladder of scales gains a step.
const sizes = [
  [640, 480],
  [333, 1001],
  [257, 256],
  [126, 127],
  [105, 160],
  [100, 100],
  [99, 41],
  [13, 150],
];

describe.each(sizes)("%i × %i pixels", (width, height) => {
  const image = paintCollage(width, height);

  test("keyframes equal the reference's", () => {
    expect(scaleImage(image, keyframeScales(width, height))).toEqual(buildImageList(image));
  });

  test("tracking images equal the reference's", () => {
    expect(scaleImage(image, trackingScales(width, height))).toEqual(buildTrackingImageList(image));
  });
});

test("scales lie a third of an octave apart and the smallest keyframe has a side of 100", () => {
  const scales = keyframeScales(800, 1200);
  expect(scales[0]).toBe(1);
  expect(scaledSize(800, scales.at(-1)!)).toBe(100);
  const steps = scales.slice(1).map((scale, i, rest) => rest[i - 1] / scale);
  for (const step of steps.slice(1)) expect(step).toBeCloseTo(2 ** (1 / 3), 12);
});

test("a flat image stays flat, and the brightest one does not overflow", () => {
  const image = paint(1200, 901, () => 255);
  for (const { data } of scaleImage(image, keyframeScales(1200, 901))) {
    expect(data.every((value) => value === 255)).toBe(true);
  }
});

test("each pixel is the mean of its box, rounded down", () => {
  const image = { data: Uint8Array.of(1, 2, 30, 41, 2, 2, 30, 42), width: 4, height: 2 };
  const [{ data }] = scaleImage(image, [0.5]);
  expect(Array.from(data)).toEqual([1, 35]);
});
