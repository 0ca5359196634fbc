import { Matcher } from "mind-ar/src/image-target/matching/matcher.js";
import { describe, expect, test } from "vitest";
import { compileTarget } from "../../compiler/compile.ts";
import { assertTrackable } from "../../compiler/trackable.ts";
import { DESCRIPTOR_WORDS, type ImageTarget } from "../../compiler/types.ts";
import { loadPhoto, type ReferencePoint } from "./oracle.ts";
import { paint, paintBlobs } from "./pictures.ts";

const photo = await loadPhoto("dust-bowl-home", 480, 369);
const view = pointsOf(compileTarget(photo))[0];

/** Returns the points of each keyframe in the player's format. */
function pointsOf(target: ImageTarget): ReferencePoint[][] {
  return target.keyframes.map((keyframe) =>
    (["maxima", "minima"] as const).flatMap((polarity) => {
      const { count, x, y, scale, angle, descriptors } = keyframe[polarity];
      return Array.from({ length: count }, (_, i) => ({
        maxima: polarity === "maxima",
        x: x[i],
        y: y[i],
        scale: scale[i],
        angle: angle[i],
        descriptors: Array.from(descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS)),
      }));
    }),
  );
}

/** Returns whether MindAR's matcher finds the target in a frame that shows the photo itself. */
function isFound(target: ImageTarget): boolean {
  const keyframes = target.keyframes.map(({ width, height, scale, maximaCluster, minimaCluster }, k) => ({
    width,
    height,
    scale,
    maximaPoints: pointsOf(target)[k].filter(({ maxima }) => maxima),
    minimaPoints: pointsOf(target)[k].filter(({ maxima }) => !maxima),
    maximaPointsCluster: { rootNode: maximaCluster },
    minimaPointsCluster: { rootNode: minimaCluster },
  }));
  return new Matcher(photo.width, photo.height).matchDetection(keyframes, view).keyframeIndex !== -1;
}

describe("a photo reduced to its strongest points", () => {
  test("passes with 12 per keyframe, and MindAR's matcher finds it", () => {
    const target = compileTarget(photo, { maxFeatures: 12 });
    expect(() => assertTrackable(target)).not.toThrow();
    expect(isFound(target)).toBe(true);
  });

  test("is refused with 11", () => {
    expect(() => assertTrackable(compileTarget(photo, { maxFeatures: 11 }))).toThrow(
      expect.objectContaining({
        code: "too_few_features",
        message: expect.stringContaining("it has 11 feature points"),
      }),
    );
  });

  test("is not found by MindAR's matcher with 5", () => {
    expect(isFound(compileTarget(photo, { maxFeatures: 5 }))).toBe(false);
  });
});

test("tracking points are counted in the smaller tracking image", () => {
  const target = compileTarget(photo);
  const withPoints = (larger: number, smaller: number): ImageTarget => ({
    ...target,
    tracking: [larger, smaller].map((count, i) => ({
      ...target.tracking[i],
      points: target.tracking[i].points.slice(0, count),
    })),
  });
  expect(() => assertTrackable(withPoints(0, 6))).not.toThrow();
  expect(() => assertTrackable(withPoints(20, 5))).toThrow(/5 tracking points/);
});

test.each([
  ["flat grey", paint(200, 200, () => 120)],
  ["a ramp", paint(256, 200, (x) => x)],
  ["stripes", paint(256, 256, (x) => ((x >> 4) % 2) * 200)],
  ["one blob", paintBlobs(256, 256, [{ x: 128, y: 128, sigma: 9, height: 100 }])],
])("%s is refused", (_name, image) => {
  expect(() => assertTrackable(compileTarget(image))).toThrow(
    expect.objectContaining({ code: "too_few_features" }),
  );
});

test("a target without keyframes or tracking images is refused", () => {
  expect(() => assertTrackable({ width: 10, height: 10, keyframes: [], tracking: [] })).toThrow(
    /has 0 feature points/,
  );
});
