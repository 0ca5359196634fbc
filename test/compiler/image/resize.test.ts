import { describe, expect, test } from "vitest";
import { averageAreas, resizeGrey, targetSize } from "../../../compiler/image/resize.ts";
import type { GreyImage } from "../../../compiler/types.ts";

describe("targetSize", () => {
  test.each([
    [4000, 3000, 1280, 1280, 960],
    [3000, 4000, 1280, 960, 1280],
    [1280, 720, 1280, 1280, 720],
    [640, 480, 1280, 640, 480],
    [1281, 1281, 1280, 1280, 1280],
    [100_000, 130, 1280, 1280, 2],
    [1_000_000, 130, 1000, 1000, 1],
    [5000, 4999, Number.POSITIVE_INFINITY, 5000, 4999],
    [4000, 3000, 1280.9, 1280, 960],
  ])("%i × %i within %d is %i × %i", (width, height, maxSize, outWidth, outHeight) => {
    expect(targetSize(width, height, maxSize)).toEqual({ width: outWidth, height: outHeight });
  });

  test.each([0, -1, 0.5, Number.NaN])("refuses a maxSize of %d", (maxSize) => {
    expect(() => targetSize(10, 10, maxSize)).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(`${maxSize}`) }),
    );
  });
});

describe("area average", () => {
  const sizes = [
    [13, 7, 13, 7],
    [13, 7, 12, 7],
    [13, 7, 5, 3],
    [12, 8, 6, 4],
    [31, 29, 30, 28],
    [40, 3, 1, 1],
    [64, 64, 9, 63],
  ];

  test.each(sizes)("%i × %i to %i × %i equals its definition, in exact fractions", (...size) => {
    const [width, height, outWidth, outHeight] = size;
    const data = noise(width * height);
    expect(averageAreas(data, width, height, 1, outWidth, outHeight)).toEqual(
      byDefinition(data, width, height, outWidth, outHeight),
    );
  });

  test("channels do not mix", () => {
    const [width, height] = [23, 17];
    const planes = [noise(width * height), noise(width * height, 2), noise(width * height, 3)];
    const mixed = Uint8Array.from({ length: 3 * width * height }, (_, i) => planes[i % 3][Math.floor(i / 3)]);
    const result = averageAreas(mixed, width, height, 3, 10, 6);
    for (const [channel, plane] of planes.entries()) {
      const expected = averageAreas(plane, width, height, 1, 10, 6);
      expect(result.filter((_, i) => i % 3 === channel)).toEqual(expected);
    }
  });

  test.each([0, 1, 127, 255])("a flat image of %i stays flat", (value) => {
    const data = new Uint8Array(977 * 331).fill(value);
    expect(new Set(averageAreas(data, 977, 331, 1, 301, 102))).toEqual(new Set([value]));
  });

  test("sums stay exact at the largest photo", () => {
    const width = 50_000;
    const height = 1000;
    const data = new Uint8Array(width * height).fill(255);
    data[0] = 128;
    expect([...averageAreas(data, width, height, 1, 1, 1)]).toEqual([255]);
    data.fill(254, 0, (width * height) / 2);
    // Exactly half way between 254 and 255: up.
    expect([...averageAreas(data, width, height, 1, 1, 1)]).toEqual([255]);
    data[width * height - 1] = 254;
    expect([...averageAreas(data, width, height, 1, 1, 1)]).toEqual([254]);
  });

  test("resizeGrey gives back an image that is small enough", () => {
    const grey: GreyImage = { data: noise(200), width: 20, height: 10 };
    expect(resizeGrey(grey, 20)).toBe(grey);
    const half = resizeGrey(grey, 10);
    expect(half).toEqual({ data: averageAreas(grey.data, 20, 10, 1, 10, 5), width: 10, height: 5 });
  });
});

/** The mean of the covered rectangle, halves up, from whole numbers alone. */
function byDefinition(
  data: Uint8Array,
  width: number,
  height: number,
  outWidth: number,
  outHeight: number,
): Uint8Array {
  const overlap = (out: number, at: number, outSize: number, size: number) =>
    Math.max(0, Math.min((out + 1) * size, (at + 1) * outSize) - Math.max(out * size, at * outSize));
  const result = new Uint8Array(outWidth * outHeight);
  for (let outY = 0; outY < outHeight; outY++) {
    for (let outX = 0; outX < outWidth; outX++) {
      let sum = 0n;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const area = overlap(outX, x, outWidth, width) * overlap(outY, y, outHeight, height);
          sum += BigInt(area * data[y * width + x]);
        }
      }
      const total = BigInt(width * height);
      result[outY * outWidth + outX] = Number((2n * sum + total) / (2n * total));
    }
  }
  return result;
}

function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
