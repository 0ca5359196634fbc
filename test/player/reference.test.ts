import { describe, expect, test } from "vitest";
import { compileTarget } from "../../compiler/compile.ts";
import {
  createReference,
  createViewMaker,
  MADE_VIEW_COUNT,
  MADE_VIEW_POINTS,
  type ReferencePoints,
} from "../../player/reference.ts";
import { paintBlobs } from "../compiler/pictures.ts";

/** Bright blobs far apart: all maxima lie at their centers, whatever the view. */
const SIZE = { width: 620, height: 430 };
const blobs = Array.from({ length: 12 }, (_, i) => ({
  x: 100 + 140 * (i % 4) + 7 * Math.floor(i / 4),
  y: 90 + 120 * Math.floor(i / 4) + 5 * (i % 4),
  sigma: 9 + (i % 3) * 2,
  height: 110,
}));
const target = compileTarget(paintBlobs(SIZE.width, SIZE.height, blobs));

/** Returns the distance, in target pixels, of each point from the nearest blob. */
function errors({ count, x, y }: ReferencePoints): number[] {
  // Pixel centers of the painted picture are at whole numbers.
  return Array.from({ length: count }, (_, i) =>
    Math.min(...blobs.map((blob) => Math.hypot(x[i] - blob.x - 0.5, y[i] - blob.y - 0.5))),
  );
}

describe("points lie where the target has them", () => {
  test("in the keyframes", () => {
    for (const { maxima } of createReference(target).views) {
      for (const error of errors(maxima)) expect(error).toBeLessThan(2.5);
    }
  });

  test("in the made views", () => {
    const maker = createViewMaker();
    let found = 0;
    for (let index = 0; index < MADE_VIEW_COUNT; index++) {
      const { maxima, minima } = maker.make(target, index);
      expect(maxima.count + minima.count).toBeLessThanOrEqual(MADE_VIEW_POINTS);
      for (const error of errors(maxima)) expect(error).toBeLessThan(4);
      found += maxima.count;
    }
    expect(found).toBeGreaterThan(5 * MADE_VIEW_COUNT);
  });
});

test("a point's own frame has the scale of its picture", () => {
  const { views } = createReference(target);
  views.forEach(({ maxima: { count, frame } }, view) => {
    const { scale, maxima } = target.keyframes[view];
    for (let i = 0; i < count; i++) {
      const [a, b, c, d] = frame.slice(4 * i);
      expect(Math.sqrt(a * d - b * c)).toBeCloseTo(scale / maxima.scale[i], 5);
    }
  });
});
