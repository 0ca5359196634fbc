import { describe, expect, it } from "vitest";
import { resizeGrey } from "../../../compiler/image/resize.ts";
import type { GreyImage, RgbaImage } from "../../../compiler/types.ts";
import { type Cut, cutOf, type Edit, type Size } from "../../../web/edit/geometry.ts";
import { cutGrey, cutRgba, layLevels } from "../../../web/edit/pixels.ts";
import { paint, randomNumbers } from "../../compiler/pictures.ts";

/** Returns a photo with a different colour in every pixel, including transparency. */
function confetti({ width, height }: Size): RgbaImage {
  const random = randomNumbers(3);
  return { data: Uint8Array.from({ length: width * height * 4 }, () => 256 * random()), width, height };
}

const pixel = ({ data, width }: RgbaImage, x: number, y: number) => [
  ...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4),
];

describe("cutRgba", () => {
  const photo = confetti({ width: 201, height: 150 });
  const { width: right, height: bottom } = photo;
  // Where a pixel of the turned photo was, `x` and `y` from the turned photo's top left corner.
  const sources: ((x: number, y: number) => [number, number])[] = [
    (x, y) => [x, y],
    (x, y) => [y, bottom - 1 - x],
    (x, y) => [right - 1 - x, bottom - 1 - y],
    (x, y) => [right - 1 - y, x],
  ];

  it.each([0, 1, 2, 3])("copies pixels, after %i quarter turns", (quarters) => {
    const turned = quarters % 2 === 0 ? photo : { width: bottom, height: right };
    // Columns 7 to 136 and rows 5 to 133 of the turned photo.
    const wanted = { x: 72 - turned.width / 2, y: 69.5 - turned.height / 2, width: 130, height: 129 };
    const cut = cutOf(photo, { turn: { quarters, tilt: 0 }, wanted });
    const piece = cutRgba(photo, cut);
    expect([piece.width, piece.height]).toEqual([130, 129]);
    const places = Array.from({ length: 130 * 129 }, (_, i) => [i % 130, Math.floor(i / 130)]);
    expect([...piece.data]).toEqual(
      places.flatMap(([x, y]) => pixel(photo, ...sources[quarters](x + 7, y + 5))),
    );
  });

  it("returns an uncut photo bit for bit", () => {
    const cut: Cut = { x: right / 2, y: bottom / 2, width: right, height: bottom, degrees: 0 };
    expect([...cutRgba(photo, cut).data]).toEqual([...photo.data]);
  });

  it("interpolates tilted pixels", () => {
    // Red rises by a half from column to column, green by one from row to row.
    const ramp = { data: new Uint8Array(400 * 250 * 4), width: 400, height: 250 };
    for (let i = 0; i < 400 * 250; i++) ramp.data.set([(i % 400) / 2, Math.floor(i / 400), 9, 255], 4 * i);
    const piece = cutRgba(ramp, { x: 200, y: 125, width: 101, height: 101, degrees: 10 });
    // Turning the photo clockwise moves to a point what was anticlockwise of it.
    const { cos, sin } = { cos: Math.cos(Math.PI / 18), sin: Math.sin(Math.PI / 18) };
    for (const [x, y] of [
      [0, 0],
      [100, 0],
      [50, 50],
      [13, 88],
    ]) {
      const [dx, dy] = [x - 50, y - 50];
      const [red, green, blue, alpha] = pixel(piece, x, y);
      expect(Math.abs(red - (199.5 + dx * cos + dy * sin) / 2)).toBeLessThan(1.3);
      expect(Math.abs(green - (124.5 - dx * sin + dy * cos))).toBeLessThan(1.3);
      expect([blue, alpha]).toEqual([9, 255]);
    }
  });
});

describe("cutGrey", () => {
  const photo = paint(
    1500,
    1100,
    (x, y) => 128 + 60 * Math.sin(x / 5 + 3 * Math.sin(y / 31)) + 60 * Math.cos(y / 6 + 2 * Math.sin(x / 43)),
  );
  const levels = layLevels(photo, 300, 600);

  const cropped = ({ data, width }: GreyImage, left: number, top: number, size: Size): GreyImage =>
    paint(size.width, size.height, (x, y) => data[(top + y) * width + left + x]);

  const difference = (a: GreyImage, b: GreyImage) =>
    a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]), 0) / a.data.length;

  const cutAt = (left: number, top: number, size: Size): Edit => ({
    turn: { quarters: 0, tilt: 0 },
    wanted: {
      x: left + size.width / 2 - photo.width / 2,
      y: top + size.height / 2 - photo.height / 2,
      ...size,
    },
  });

  it("keeps levels from the photo down to the requested size, half an octave apart", () => {
    const sides = levels.images.map(({ width }) => width);
    expect(sides[0]).toBe(1500);
    for (let i = 1; i < sides.length; i++) expect(sides[i - 1] / sides[i]).toBeCloseTo(Math.SQRT2, 1);
    expect(sides.at(-1)).toBeGreaterThanOrEqual(300);
    expect(sides.at(-1)! / Math.SQRT2).toBeLessThan(300);
    expect(layLevels(photo, 1500, 1500).images).toEqual([photo]);
  });

  it.each<[string, number, number, Size]>([
    ["a large piece", 100, 50, { width: 1300, height: 1000 }],
    ["a piece between two levels", 301, 207, { width: 777, height: 613 }],
    ["a piece that is hardly reduced", 640, 480, { width: 320, height: 290 }],
  ])("is near to averaging %s", (_, left, top, size) => {
    const exact = resizeGrey(cropped(photo, left, top, size), 300);
    const cut = cutGrey(levels, cutOf(photo, cutAt(left, top, size)), 300);
    expect([cut.width, cut.height]).toEqual([exact.width, exact.height]);
    expect(difference(cut, exact)).toBeLessThan(6);
    // A shift by one pixel of the photo makes a larger difference.
    const shifted = resizeGrey(cropped(photo, left + 1, top + 1, size), 300);
    expect(difference(cut, shifted)).toBeGreaterThan(1.2 * difference(cut, exact));
  });

  it("gives the pixels themselves without a reduction", () => {
    const size = { width: 280, height: 200 };
    expect(cutGrey(levels, cutOf(photo, cutAt(33, 44, size)), 300)).toEqual(cropped(photo, 33, 44, size));
  });
});
