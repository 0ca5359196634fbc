import { beforeAll, expect, test } from "vitest";
import { compileTarget } from "../../compiler/compile.ts";
import { decodeImage } from "../../compiler/image/decode.ts";
import { encodePng } from "../../compiler/image/png.ts";
import {
  contactSheet,
  drawFeatures,
  MAXIMA_COLOUR,
  MINIMA_COLOUR,
  sheetPictureSize,
  targetPicture,
} from "../../compiler/preview.ts";
import type { FeaturePoints, ImageTarget, RgbaImage } from "../../compiler/types.ts";
import { loadTestCodecs } from "./image/files.ts";
import { paint, paintCollage } from "./pictures.ts";

beforeAll(loadTestCodecs);

/** Returns a target of one keyframe with the given points, each a maximum or a minimum. */
function targetWith(
  width: number,
  height: number,
  points: readonly { maximum: boolean; x: number; y: number; scale: number; angle: number }[],
): ImageTarget {
  const columns = (maximum: boolean): FeaturePoints => {
    const some = points.filter((point) => point.maximum === maximum);
    return {
      count: some.length,
      x: Float64Array.from(some, ({ x }) => x),
      y: Float64Array.from(some, ({ y }) => y),
      scale: Float64Array.from(some, ({ scale }) => scale),
      angle: Float64Array.from(some, ({ angle }) => angle),
      descriptors: new Uint32Array(0),
    };
  };
  const leaf = { leaf: true, centerPointIndex: null, pointIndexes: [] } as const;
  const small = { width: width / 2, height: height / 2, scale: 0.5 };
  const clusters = {
    maximaCluster: { ...leaf, pointIndexes: [] },
    minimaCluster: { ...leaf, pointIndexes: [] },
  };
  const none = { maxima: columns(true), minima: columns(true) };
  return {
    width,
    height,
    keyframes: [
      { ...small, ...none, ...clusters },
      { width, height, scale: 1, maxima: columns(true), minima: columns(false), ...clusters },
    ],
    tracking: [],
  };
}

function grey(width: number, height: number, level = 128): RgbaImage {
  return { data: new Uint8ClampedArray(width * height * 4).fill(level), width, height };
}

function pixel({ data, width }: RgbaImage, x: number, y: number): number[] {
  return Array.from(data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4));
}

test("a maximum is a circle of two pixels of its octave, with a tick along its angle", () => {
  const picture = grey(200, 100);
  const drawn = drawFeatures(
    picture,
    targetWith(200, 100, [{ maximum: true, x: 60, y: 50, scale: 8, angle: 0 }]),
  );
  for (const [x, y] of [
    [60, 34],
    [60, 66],
    [44, 50],
    [76, 50],
    [90, 50],
  ]) {
    expect(pixel(drawn, x, y)).toEqual([...MAXIMA_COLOUR, 255]);
  }
  expect(pixel(drawn, 60, 50)).toEqual([128, 128, 128, 255]);
  expect(pixel(drawn, 34, 50)).toEqual([128, 128, 128, 255]);
  // The halo: 55 % black beside the line.
  expect(pixel(drawn, 60, 33)[2]).toBeLessThan(60);
  expect(picture.data.every((value) => value === 128)).toBe(true);
});

test("a minimum is a square of the same area, and its tick follows the angle downwards", () => {
  const drawn = drawFeatures(
    grey(200, 100),
    targetWith(200, 100, [{ maximum: false, x: 60, y: 40, scale: 8, angle: Math.PI / 2 }]),
  );
  const half = Math.round(8 * Math.sqrt(Math.PI));
  for (const [x, y] of [
    [60 - half, 40],
    [60 + half, 40],
    [60, 40 - half],
    [60 + half, 40 - half],
    [60, 70],
  ]) {
    expect(pixel(drawn, x, y)[2]).toBeGreaterThan(MINIMA_COLOUR[2] - 40);
    expect(pixel(drawn, x, y)[0]).toBeLessThan(80);
  }
  expect(pixel(drawn, 60, 10)).toEqual([128, 128, 128, 255]);
});

test("points are in the right place on a picture of any size, also at its border", () => {
  const target = targetWith(100, 50, [
    { maximum: true, x: 40, y: 25, scale: 4, angle: 0 },
    { maximum: true, x: 0, y: 0, scale: 8, angle: 0 },
    { maximum: false, x: 99, y: 49, scale: 8, angle: 0 },
  ]);
  const drawn = drawFeatures(grey(400, 200), target, 200);
  expect([drawn.width, drawn.height]).toEqual([200, 100]);
  // The centre of keyframe pixel 40 is at 80.5 in a picture of twice the size; the radius is 16.
  expect(pixel(drawn, 80, 51 - 16)[0]).toBeGreaterThan(180);
  expect(pixel(drawn, 80, 51)).toEqual([128, 128, 128, 255]);
});

test("transparent pixels show their compiled colour", () => {
  const picture = grey(128, 128, 90);
  for (let i = 3; i < picture.data.length; i += 4) picture.data[i] = 0;
  expect(pixel(drawFeatures(picture, targetWith(128, 128, [])), 5, 5)).toEqual([90, 90, 90, 255]);
});

test("every point of a compiled picture is marked", () => {
  const image = paintCollage(300, 200);
  const target = compileTarget(image);
  const data = new Uint8ClampedArray(300 * 200 * 4);
  for (let i = 0; i < image.data.length; i++) data.fill(image.data[i], i * 4, i * 4 + 3);
  const drawn = drawFeatures({ data, width: 300, height: 200 }, target);
  // The largest keyframe is drawn; later marks cover earlier ones.
  const { maxima } = target.keyframes[0];
  let found = 0;
  for (let i = 0; i < maxima.count; i++) {
    const radius = Math.max(2.5, 2 * maxima.scale[i]);
    const x = Math.round(maxima.x[i]);
    const y = Math.round(maxima.y[i] - radius);
    if (y < 0) found++;
    else if (pixel(drawn, x, y)[0] > 150 && pixel(drawn, x, y)[2] < 120) found++;
  }
  expect(maxima.count).toBeGreaterThan(20);
  expect(found).toBeGreaterThan(0.9 * maxima.count);
});

test("the picture in a target is the enlarged grey image", () => {
  const image = paint(640, 480, (x, y) => 128 + 100 * Math.sin(x / 40) * Math.cos(y / 30));
  const picture = targetPicture(compileTarget(image));
  expect([picture.width, picture.height]).toEqual([1280, 961]);
  let difference = 0;
  for (let y = 8; y < 480; y += 16) {
    for (let x = 8; x < 640; x += 16) {
      const [red, green, blue, alpha] = pixel(picture, 2 * x, 2 * y);
      expect([green, blue, alpha]).toEqual([red, red, 255]);
      difference += Math.abs(red - image.data[y * 640 + x]);
    }
  }
  expect(difference / (40 * 30)).toBeLessThan(2);
});

test("a tracking image that was enlarged is shown without its gaps", () => {
  const target = compileTarget(paintCollage(200, 160));
  expect(target.tracking[0].scale).toBeGreaterThan(1);
  const picture = targetPicture(target);
  expect([picture.width, picture.height]).toEqual([1280, 1024]);
});

test("a sheet has its pictures in rows; a single picture is its own sheet", () => {
  const one = grey(10, 20);
  expect(contactSheet([one])).toBe(one);
  const sheet = contactSheet([grey(100, 60, 10), grey(80, 90, 20), grey(100, 50, 30)]);
  expect([sheet.width, sheet.height]).toEqual([16 + 2 * 116, 16 + 106 + 66]);
  expect(pixel(sheet, 20, 20)[0]).toBe(10);
  expect(pixel(sheet, 16 + 116 + 79, 16 + 89)[0]).toBe(20);
  expect(pixel(sheet, 16, 16 + 106)[0]).toBe(30);
  expect(pixel(sheet, 0, 0)).toEqual(pixel(sheet, 16 + 116, 16 + 106 + 10));
});

test("sheets stay below 4000 pixels for any number of pictures", () => {
  for (const count of [1, 2, 4, 5, 9, 100, 256]) {
    const size = sheetPictureSize(count);
    const pictures = Array.from({ length: count }, () => ({
      data: new Uint8Array(0),
      width: size,
      height: 0,
    }));
    expect(contactSheet(pictures).width).toBeLessThan(4000);
    expect(size).toBeGreaterThan(200);
  }
});

test("a PNG decodes to the same pixels, also from a part of a buffer", async () => {
  const image = drawFeatures(
    grey(150, 130),
    targetWith(150, 130, [{ maximum: true, x: 60, y: 60, scale: 4, angle: 1 }]),
  );
  const padded = new Uint8ClampedArray(image.data.length + 40);
  padded.set(image.data, 12);
  const part = padded.subarray(12, 12 + image.data.length);
  for (const data of [image.data, part]) {
    const back = await decodeImage(await encodePng({ ...image, data }));
    expect(back.data).toEqualBytes(image.data);
  }
});
