import { describe, expect, it } from "vitest";
import { DESCRIPTOR_WORDS, type FeaturePoints, type ImageTarget } from "../../../compiler/types.ts";
import { placeKeyframes } from "../../../web/marker/place.ts";

function points(...rows: [x: number, y: number, scale: number, angle: number][]): FeaturePoints {
  const column = (index: number) => Float64Array.from(rows, (row) => row[index]);
  return {
    count: rows.length,
    x: column(0),
    y: column(1),
    scale: column(2),
    angle: column(3),
    descriptors: new Uint32Array(rows.length * DESCRIPTOR_WORDS),
  };
}

const leaf = { leaf: true, centerPointIndex: null, pointIndexes: [] } as const;
const keyframe = (width: number, height: number, maxima: FeaturePoints) => ({
  width,
  height,
  scale: width / 400,
  maxima,
  minima: points(),
  maximaCluster: { ...leaf, pointIndexes: [] },
  minimaCluster: { ...leaf, pointIndexes: [] },
});

describe("placeKeyframes", () => {
  const target: ImageTarget = {
    width: 400,
    height: 200,
    keyframes: [
      keyframe(200, 100, points([50, 75, 2, 1.5])),
      keyframe(400, 200, points([100, 150, 4, -0.5], [400, 0, 1, 0])),
    ],
    tracking: [],
  };

  it("puts the same spot of the photo at the same fractions in every keyframe, largest first", () => {
    const [large, small] = placeKeyframes(target);
    expect([large.width, small.width]).toEqual([400, 200]);
    expect([large.maxima.x[0], large.maxima.y[0]]).toEqual([0.25, 0.75]);
    expect([small.maxima.x[0], small.maxima.y[0]]).toEqual([0.25, 0.75]);
    expect([large.maxima.x[1], large.maxima.y[1]]).toEqual([1, 0]);
  });

  it("keeps counts, angles, and sizes as fractions of the width", () => {
    const [large, small] = placeKeyframes(target);
    expect([large.maxima.count, large.minima.count, small.maxima.count]).toEqual([2, 0, 1]);
    expect(large.maxima.size[0]).toBeCloseTo(0.01);
    expect(small.maxima.size[0]).toBeCloseTo(0.01);
    expect(small.maxima.angle[0]).toBeCloseTo(1.5);
  });
});
