import { beforeAll, describe, expect, test } from "vitest";
import {
  allocateDetector,
  type DetectorBuffers,
  detect,
  layDetector,
} from "../../compiler/detector/detect.ts";
import {
  type Extrema,
  findExtrema,
  KEYFRAME_SELECTION,
  mostExtrema,
  type Selection,
} from "../../compiler/detector/extrema.ts";
import { describe as describeExtrema } from "../../compiler/detector/freak.ts";
import { computeAngles } from "../../compiler/detector/orientation.ts";
import { buildPyramid, countOctaves, type Pyramid } from "../../compiler/detector/pyramid.ts";
import { BORDER } from "../../compiler/kernels/extrema.ts";
import { DETECTOR_KERNELS, openKernels } from "../../compiler/kernels/kernels.ts";
import { hammingDistances } from "../../compiler/kernels/medoids.ts";
import { smoothAgainRow, smoothGreyRow } from "../../compiler/kernels/pyramid.ts";
import { DESCRIPTOR_WORDS, type FeaturePoints, type GreyImage } from "../../compiler/types.ts";
import { comparePoints, Differences, detectReference, loadPhoto, type ReferenceStages } from "./oracle.ts";
import { paint, paintBlobs, paintCollage, randomNumbers } from "./pictures.ts";

function pyramidOf({ data, width, height }: GreyImage): Pyramid & { buffers: DetectorBuffers } {
  const buffers = allocateDetector(width, height);
  buffers.pyramid.grey.set(data);
  return { ...buildPyramid(width, height, buffers.pyramid), buffers };
}

function extremaOf(pyramid: ReturnType<typeof pyramidOf>) {
  return findExtrema(pyramid, pyramid.buffers.extrema);
}

function anglesOf(extrema: Extrema, pyramid: ReturnType<typeof pyramidOf>) {
  return computeAngles(extrema, pyramid, pyramid.buffers.descriptors.angles);
}

function describePoints(extrema: Extrema, angles: Float32Array, pyramid: ReturnType<typeof pyramidOf>) {
  return describeExtrema(extrema, angles, pyramid, pyramid.buffers.descriptors);
}

function pointsOf({ data, width, height }: GreyImage, maxFeatures = Infinity) {
  return detect(data, width, height, maxFeatures, allocateDetector(width, height));
}

/** Returns octave 0 in integers, of which the compiler keeps only a few rows at a time. */
function baseOf({ data, width, height }: GreyImage): { once: Uint16Array; twice: Int32Array } {
  const once = new Uint16Array(width * height);
  const twice = new Int32Array(width * height);
  const column = new Int32Array(width + 4);
  for (let y = 0; y < height; y++) smoothGreyRow(data, width, height, y, column, once, y * width);
  for (let y = 0; y < height; y++) {
    const rows = [-2, -1, 0, 1, 2].map((v) => Math.min(Math.max(y + v, 0), height - 1) * width);
    smoothAgainRow(once, rows, width, column, twice.subarray(y * width, (y + 1) * width));
  }
  return { once, twice };
}

describe.each<[string, () => GreyImage | Promise<GreyImage>]>([
  ["a photo with odd sides", () => loadPhoto("french-alpine-landscape", 231, 167)],
  ["a collage with ties and borders", () => paintCollage(160, 142)],
])("stage by stage equal to the reference: %s", (_name, picture) => {
  let stages: ReferenceStages;
  let image: GreyImage;
  let pyramid: ReturnType<typeof pyramidOf>;
  let points: ReturnType<typeof pointsOf>;
  let expected: Awaited<ReturnType<typeof detectReference>>["points"];

  beforeAll(async () => {
    image = await picture();
    ({ stages, points: expected } = await detectReference(image));
    pyramid = pyramidOf(image);
    points = pointsOf(image);
  });

  test("octave 0, in integers", () => {
    const { once, twice } = baseOf(image);
    const [onceExpected, twiceExpected] = stages.pyramidImages[0].map((rows) => rows.flat());
    expect(Array.from(once, (value) => value / 256)).toEqual(onceExpected);
    expect(Array.from(twice, (value) => value / 65536)).toEqual(twiceExpected);
  });

  test("the octaves above it, and their differences", () => {
    expect(pyramid.octaves.length).toBe(stages.pyramidImages.length - 1);
    pyramid.octaves.forEach(({ width, height, twice, dog }, i) => {
      expect(Array.from(twice.subarray(0, width * height))).toEqual(stages.pyramidImages[i + 1][1].flat());
      expect(Array.from(dog.subarray(0, width * height))).toEqual(stages.dogPyramidImages[i + 1].flat());
    });
  });

  test("extrema, bucket after bucket, localised", () => {
    const { count, response, octave, x, y } = extremaOf(pyramid);
    const rows = Array.from({ length: count }, (_, i) => [response[i], octave[i], y[i], x[i]]);
    expect(count).toBeGreaterThan(50);
    expect(rows).toEqual(stages.localizedExtremas.filter(([score]) => score !== 0));
  });

  test("angles", () => {
    const angles = anglesOf(extremaOf(pyramid), pyramid);
    const used = stages.extremaAngles.filter((_, i) => stages.localizedExtremas[i][0] !== 0);
    expect(Array.from(angles)).toEqual(used);
  });

  test("points and descriptors", () => {
    const found = new Differences();
    comparePoints(
      found,
      "maxima",
      points.maxima,
      expected.filter(({ maxima }) => maxima),
    );
    comparePoints(
      found,
      "minima",
      points.minima,
      expected.filter(({ maxima }) => !maxima),
    );
    expect(found.list).toEqual([]);
  });
});

describe("pyramid", () => {
  test("an impulse becomes the products of 1 4 6 4 1, and then of 1 8 28 56 70 56 28 8 1", () => {
    const size = 13;
    const impulse = paint(size, size, (x, y) => (x === 6 && y === 6 ? 255 : 0));
    const { once, twice } = baseOf(impulse);
    const product = (weights: number[], at: number) =>
      Array.from({ length: size }, (_, x) => 255 * weights[at] * (weights[x - 2] ?? 0));
    const four = [0, 0, 1, 4, 6, 4, 1, 0, 0];
    const eight = [1, 8, 28, 56, 70, 56, 28, 8, 1];
    for (let y = 2; y <= 10; y++) {
      expect(Array.from(once.subarray(y * size, (y + 1) * size))).toEqual(product(four, y - 2));
      expect(Array.from(twice.subarray(y * size, (y + 1) * size))).toEqual(product(eight, y - 2));
    }
  });

  test("borders clamp: flat white stays white to the corners, without overflow", () => {
    const white = paint(37, 50, () => 255);
    const base = baseOf(white);
    const { octaves } = pyramidOf(white);
    expect(base.once.every((value) => value === 255 * 256)).toBe(true);
    expect(base.twice.every((value) => value === 255 * 65536)).toBe(true);
    for (const { width, height, twice, dog } of octaves) {
      expect(twice.subarray(0, width * height).every((value) => value === 255)).toBe(true);
      expect(dog.subarray(0, width * height).every((value) => value === 0)).toBe(true);
    }
  });

  test.each([
    [7, 900, 0],
    [8, 8, 1],
    [15, 99, 1],
    [16, 31, 2],
    [100, 100, 4],
    [128, 127, 4],
    [5000, 4000, 5],
  ])("%i × %i pixels have %i octaves", (width, height, octaves) => {
    expect(countOctaves(width, height)).toBe(octaves);
  });

  test("buffers of a larger image serve a smaller one", () => {
    const large = paintCollage(220, 190);
    const small = paintCollage(101, 120);
    const buffers = allocateDetector(220, 190);
    detect(large.data, 220, 190, Infinity, buffers);
    expect(detect(small.data, 101, 120, Infinity, buffers)).toEqual(pointsOf(small));
  });
});

describe("extrema", () => {
  test("Gaussian blobs: points at their centres only, with the response that theory gives", () => {
    // Variance, in keyframe pixels², of the smoothing behind each octave's two images: every filter adds
    // one squared pixel of its octave, every halving a quarter of one.
    const variances = [
      [2.25, 6.25],
      [7.25, 23.25],
      [27.25, 91.25],
    ];
    const blobs = [
      { x: 60.3, y: 70.6, sigma: Math.sqrt(3), height: 120, octave: 1 },
      { x: 200.2, y: 64.9, sigma: Math.sqrt(10), height: -110, octave: 2 },
      { x: 120.4, y: 200.7, sigma: Math.sqrt(40), height: 100, octave: 3 },
      { x: 250.8, y: 210.1, sigma: Math.sqrt(40), height: -120, octave: 3 },
    ];
    const pyramid = pyramidOf(paintBlobs(320, 288, blobs));
    const { count, response, octave, x, y } = extremaOf(pyramid);
    const strongest = new Set<number>();
    for (let i = 0; i < count; i++) {
      const scale = 2 ** octave[i];
      const toKeyframe = (value: number) => value * scale + scale / 2 - 0.5;
      const distances = blobs.map((blob) => Math.hypot(toKeyframe(x[i]) - blob.x, toKeyframe(y[i]) - blob.y));
      const nearest = distances.indexOf(Math.min(...distances));
      const blob = blobs[nearest];
      expect(distances[nearest]).toBeLessThan(0.2 * scale);
      expect(Math.sign(response[i])).toBe(Math.sign(blob.height));
      if (octave[i] !== blob.octave) continue;
      strongest.add(nearest);
      // The response is that of the whole pixel; only the position is refined.
      const away = Math.hypot(toKeyframe(Math.round(x[i])) - blob.x, toKeyframe(Math.round(y[i])) - blob.y);
      const [once, twice] = variances[blob.octave - 1].map((variance) => {
        const sum = blob.sigma ** 2 + variance;
        return (blob.height * blob.sigma ** 2 * Math.exp((-away * away) / (2 * sum))) / sum;
      });
      expect(Math.abs(response[i] / (once - twice) - 1)).toBeLessThan(0.03);
    }
    expect(strongest.size).toBe(blobs.length);
  });

  /** Returns the extrema of a plane of `value` with some pixels set: [x, y, value]. */
  function planeExtrema(width: number, height: number, pixels: readonly (readonly number[])[]) {
    const kernels = openKernels(DETECTOR_KERNELS);
    const { plane, candidates } = kernels.place((room) => ({
      plane: room.float32(width * height),
      candidates: room.int32(width * height),
    }));
    plane.fill(0);
    for (const [x, y, value] of pixels) plane[y * width + x] = value;
    const count = kernels.findPlaneExtrema(plane, width, BORDER, height - BORDER, 3, candidates);
    return Array.from(candidates.subarray(0, count), (candidate) => {
      const index = candidate >> 2;
      return [index % width, Math.floor(index / width), candidate & 3];
    });
  }

  test("of one plane: from ±3 on, of both kinds, row by row", () => {
    const weak = Math.fround(3 - 1e-6);
    const pixels = [
      [10, 9, 3],
      [20, 9, -3],
      [10, 18, weak],
      [20, 18, -weak],
      [30, 20, 200],
    ];
    expect(planeExtrema(40, 30, pixels)).toEqual([
      [10, 9, 1],
      [20, 9, 2],
      [30, 20, 1],
    ]);
  });

  test("of one plane: 7 pixels from every border", () => {
    const inside = [
      [7, 7, 1],
      [24, 7, 1],
      [7, 20, 1],
      [24, 20, 1],
    ];
    const outside = [
      [6, 10],
      [25, 14],
      [10, 6],
      [14, 21],
    ];
    const pixels = [...inside, ...outside].map(([x, y]) => [x, y, 9]);
    expect(planeExtrema(32, 28, pixels)).toEqual(inside);
  });

  test("of one plane: equal neighbours are both kept, a ridge and a greater neighbour are not", () => {
    const twins = [
      [10, 10, 8],
      [11, 11, 8],
    ];
    expect(planeExtrema(40, 40, twins)).toEqual([
      [10, 10, 1],
      [11, 11, 1],
    ]);
    const ridge = Array.from({ length: 40 }, (_, i) => [10, i, 8]);
    expect(planeExtrema(40, 40, ridge)).toEqual([]);
    expect(planeExtrema(40, 40, [...twins, [10, 11, 9]])).toEqual([[10, 11, 1]]);
  });

  /** Returns the extrema of an image that a selection keeps. */
  function select(image: GreyImage, selection: Selection): Extrema {
    const kernels = openKernels(DETECTOR_KERNELS);
    const buffers = kernels.place((room) => layDetector(room, kernels, image, selection));
    buffers.pyramid.grey.set(image.data);
    return findExtrema(buildPyramid(image.width, image.height, buffers.pyramid), buffers.extrema);
  }

  function strengthsOf({ response }: Extrema): number[] {
    return Array.from(response, Math.abs);
  }

  const random = randomNumbers(11);
  const noise = paint(400, 400, () => 255 * Math.round(random()));

  // The buckets of every octave hold whole pixels.
  test.each<[string, Selection, number]>([
    ["a keyframe's", KEYFRAME_SELECTION, 200],
    ["few buckets", { bucketsAcross: 8, bucketsDown: 5, pointsPerBucket: 3, minResponse: 3 }, 80],
    ["one bucket", { bucketsAcross: 1, bucketsDown: 1, pointsPerBucket: 40, minResponse: 3 }, 39],
  ])("at most as many in each bucket as selected, the strongest first: %s", (_name, selection, least) => {
    const { bucketsAcross, bucketsDown, pointsPerBucket } = selection;
    const { count, response, octave, x, y } = select(noise, selection);
    const buckets = new Map<number, number[]>();
    for (let i = 0; i < count; i++) {
      // The refinement is rounded away.
      const place = (value: number, size: number) => Math.floor((Math.round(value) * 2 ** octave[i]) / size);
      const bucket = bucketsAcross * place(y[i], 400 / bucketsDown) + place(x[i], 400 / bucketsAcross);
      buckets.set(bucket, [...(buckets.get(bucket) ?? []), Math.abs(response[i])]);
    }
    expect(count).toBeGreaterThan(least);
    expect(count).toBeLessThanOrEqual(mostExtrema(selection));
    for (const strengths of buckets.values()) {
      expect(strengths.length).toBeLessThanOrEqual(pointsPerBucket);
      expect(strengths).toEqual(strengths.toSorted((a, b) => b - a));
    }
  });

  test("fewer per bucket are the strongest of more", () => {
    const all = { bucketsAcross: 1, bucketsDown: 1, pointsPerBucket: 200, minResponse: 3 };
    const few = strengthsOf(select(noise, { ...all, pointsPerBucket: 20 }));
    expect(few).toEqual(strengthsOf(select(noise, all)).slice(0, 20));
  });

  test("a smaller least response adds weaker ones", () => {
    const blobs = [
      { x: 60.3, y: 70.6, sigma: 3.2, height: 100 },
      { x: 200.2, y: 64.9, sigma: 3.2, height: -6 },
    ];
    const image = paintBlobs(260, 140, blobs);
    const strong = strengthsOf(select(image, KEYFRAME_SELECTION));
    const more = strengthsOf(select(image, { ...KEYFRAME_SELECTION, minResponse: 1.2 }));
    const weak = more.filter((strength) => strength < 3);
    expect(Math.min(...strong)).toBeGreaterThanOrEqual(3);
    expect(weak.length).toBeGreaterThan(0);
    expect(Math.min(...weak)).toBeGreaterThanOrEqual(Math.fround(1.2));
    expect(more.filter((strength) => strength >= 3)).toEqual(strong);
  });
});

describe("orientation and FREAK", () => {
  /** One extremum in the middle of octave 1 of an image of 64 × 64 pixels. */
  function middleOf({ buffers }: ReturnType<typeof pyramidOf>): Extrema {
    const { response, octave, x, y } = buffers.extrema;
    octave[0] = 1;
    x[0] = 15.5;
    y[0] = 15.5;
    return { count: 1, response, octave, x, y };
  }
  const ramp = (angle: number) =>
    paint(64, 64, (x, y) => 128 + 2.5 * ((x - 31.5) * Math.cos(angle) + (y - 31.5) * Math.sin(angle)));

  test.each([-3, -2.2, -1.1, 0, 0.4, 1.3, 2.9])("a ramp that rises at %d radians points there", (angle) => {
    const pyramid = pyramidOf(ramp(angle));
    expect(Math.abs(anglesOf(middleOf(pyramid), pyramid)[0] - angle)).toBeLessThan(0.03);
  });

  test("on flat ground every comparison holds: 666 ones and 6 zeros", () => {
    const pyramid = pyramidOf(paint(64, 64, () => 99));
    const words = Array.from(describePoints(middleOf(pyramid), Float32Array.of(0.7), pyramid));
    expect(words).toEqual([...Array(20).fill(0xffffffff), 0xffffffc0]);
  });

  test("on a ramp the brighter sample of each pair decides, the outer ring's first", () => {
    // The first sample lies at -1 along x, the next five at -½, ½, 1, ½, -½: on a ramp to the right all are
    // brighter, so the descriptor begins with five ones; seen the other way round, with five zeros.
    const pyramid = pyramidOf(ramp(0));
    expect(describePoints(middleOf(pyramid), Float32Array.of(0), pyramid)[0] >>> 27).toBe(0b11111);
    expect(describePoints(middleOf(pyramid), Float32Array.of(Math.PI), pyramid)[0] >>> 27).toBe(0b00000);
  });

  test("points of a picture turned by 90° are the turned points, with much the same descriptors", async () => {
    const size = 256;
    const image = await loadPhoto("airplane-from-above", size, size);
    const turned = paint(size, size, (x, y) => image.data[(size - 1 - x) * size + y]);
    const sides = [pointsOf(image), pointsOf(turned)];
    const distances = new Uint16Array(4);
    let compared = 0;
    let alike = 0;
    for (const polarity of ["maxima", "minima"] as const) {
      const [upright, rotated]: FeaturePoints[] = sides.map((side) => side[polarity]);
      for (let i = 0; i < upright.count; i++) {
        // (x, y) of the upright picture is (size - 1 - y, x) of the turned one.
        const j = rotated.x.findIndex(
          (x, k) => Math.hypot(x - (size - 1 - upright.y[i]), rotated.y[k] - upright.x[i]) < 0.01,
        );
        if (j === -1) continue;
        const pair = new Uint32Array(2 * DESCRIPTOR_WORDS);
        pair.set(upright.descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS), 0);
        pair.set(
          rotated.descriptors.subarray(j * DESCRIPTOR_WORDS, (j + 1) * DESCRIPTOR_WORDS),
          DESCRIPTOR_WORDS,
        );
        compared++;
        hammingDistances(pair, 2, 2, distances);
        if (distances[1] < 40) alike++;
      }
    }
    const total = sides[0].maxima.count + sides[0].minima.count;
    expect(total).toBeGreaterThan(60);
    expect(compared / total).toBeGreaterThan(0.9);
    expect(alike / compared).toBeGreaterThan(0.75);
  });
});
