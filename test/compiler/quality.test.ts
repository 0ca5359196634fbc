import { beforeAll, describe, expect, it } from "vitest";
import { compile, compileTarget } from "../../compiler/compile.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { type Quality, scoreImage, scoreTarget } from "../../compiler/quality.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { readKernelModule } from "../../node/codecs.ts";
import { loadPhoto } from "./oracle.ts";

beforeAll(async () => loadKernels(await readKernelModule()));

const codes = ({ reasons }: Quality) => reasons.map(({ code }) => code);
const part = ({ parts }: Quality, name: string) => parts.find((one) => one.name === name)?.score;

function paint(width: number, height: number, grey: (x: number, y: number) => number): GreyImage {
  const data = new Uint8Array(width * height);
  for (let at = 0; at < data.length; at++) data[at] = grey(at % width, Math.floor(at / width));
  return { data, width, height };
}

function change({ data, width, height }: GreyImage, grey: (value: number) => number): GreyImage {
  return { data: data.map(grey), width, height };
}

/** Replaces each pixel by the mean of the square of 2 × `radius` + 1 pixels around it. */
function soften({ data, width, height }: GreyImage, radius: number): GreyImage {
  const inside = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1);
  return paint(width, height, (x, y) => {
    let sum = 0;
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        sum += data[inside(y + dy, height) * width + inside(x + dx, width)];
      }
    }
    return sum / (2 * radius + 1) ** 2;
  });
}

describe("the quality score", () => {
  it("is for our player, and for MindAR's on request: the same parts and map, but other scores", async () => {
    const photo = await loadPhoto("dust-bowl-home", 640, 480);
    const ours = scoreImage(photo);
    const stock = scoreImage(photo, undefined, "mindar");
    expect([ours.player, stock.player]).toEqual(["vivimark", "mindar"]);
    expect(ours).toEqual(scoreImage(photo, undefined, "vivimark"));
    expect(stock).toEqual(scoreTarget(compileTarget(photo), "mindar"));
    expect([ours.parts, ours.map]).toEqual([stock.parts, stock.map]);
    expect(ours.score).toBeGreaterThan(stock.score);
    for (const score of [
      () => scoreImage(photo, undefined, "zappar" as "mindar"),
      () => scoreTarget(compileTarget(photo), "toString" as "mindar"),
    ]) {
      expect(score).toThrow(/^Got player = \w+; expected vivimark or mindar\.$/);
    }
  });

  it("keeps the scores for MindAR's player as they were before it was scored beside ours", async () => {
    const photos = ["dust-bowl-home", "airplane-from-above", "allium-oreophilum"];
    const scores = photos.map(async (name) =>
      scoreImage(await loadPhoto(name, 640, 480), undefined, "mindar"),
    );
    expect((await Promise.all(scores)).map(({ score, stars, print }) => [score, stars, print])).toEqual([
      [58, 3.5, 138],
      [64, 4, 117],
      [60, 4, 110],
    ]);
  });

  it.each([
    ["a photo", 640, 480],
    ["a large one, which is reduced first", 1500, 1100],
    ["a small one, whose tracking image is enlarged", 240, 180],
    ["a panorama without any keyframe small enough", 1400, 140],
  ])("is the same from the pixels, the target and the file: %s", async (_name, width, height) => {
    const photo = await loadPhoto("dust-bowl-home", width, height);
    const fromTarget = scoreTarget(compileTarget(photo));
    expect(scoreImage(photo)).toEqual(fromTarget);
    expect(scoreTarget(decodeMind(compile([photo]))[0])).toEqual(fromTarget);
    expect(fromTarget.score).toBeGreaterThanOrEqual(0);
    expect(fromTarget.score).toBeLessThanOrEqual(100);
    expect(fromTarget.map.cells).toHaveLength(fromTarget.map.columns * fromTarget.map.rows);
  });

  it("gives a good photo few reasons", async () => {
    const good = scoreImage(await loadPhoto("airplane-from-above", 640, 480));
    expect(good.score).toBeGreaterThan(55);
    expect(good.stars).toBeGreaterThanOrEqual(3.5);
    expect(good.reasons.filter(({ code }) => code !== "small_in_print")).toEqual([]);
    expect(good.print).toBeGreaterThan(40);
    expect(good.print).toBeLessThan(200);
    expect(good.stars % 0.5).toBe(0);
  });

  it("does not change when the photo is turned by a right angle, except for rounding", async () => {
    const photo = await loadPhoto("airplane-from-above", 480, 480);
    const turned = paint(480, 480, (x, y) => photo.data[(479 - x) * 480 + y]);
    expect(Math.abs(scoreImage(turned).score - scoreImage(photo).score)).toBeLessThanOrEqual(8);
  });

  it("is close to 0 for a flat area and for a gradient, because of little detail", () => {
    for (const image of [paint(480, 360, () => 128), paint(480, 360, (x, y) => x / 4 + y / 4)]) {
      const quality = scoreImage(image);
      expect(quality.score).toBeLessThan(6);
      expect(quality.stars).toBeLessThanOrEqual(0.5);
      expect(quality.print).toBeNull();
      expect(codes(quality)).toContain("little_detail");
      expect(quality.map.cells.every((cell) => cell === 0)).toBe(true);
    }
  });

  it("recognises a repeating pattern", () => {
    const quality = scoreImage(
      paint(480, 480, (x, y) => ((Math.floor(x / 60) + Math.floor(y / 60)) % 2) * 255),
    );
    expect(quality.score).toBeLessThan(10);
    expect(part(quality, "detail")).toBeGreaterThan(80);
    expect(part(quality, "distinctness")).toBeLessThan(10);
    expect(codes(quality)).toContain("repeating_pattern");
  });

  it.each([
    ["too_dark", "contrast", (photo: GreyImage) => change(photo, (grey) => grey / 8)],
    ["too_bright", "contrast", (photo: GreyImage) => change(photo, (grey) => 210 + grey / 10)],
    ["low_contrast", "contrast", (photo: GreyImage) => change(photo, (grey) => 110 + grey / 10)],
    ["blurred", "sharpness", (photo: GreyImage) => soften(photo, 7)],
  ])("gives advice for MindAR's player: %s", async (code, name, worsen) => {
    const photo = await loadPhoto("airplane-from-above", 480, 360);
    const good = scoreImage(photo, undefined, "mindar");
    const bad = scoreImage(worsen(photo), undefined, "mindar");
    expect(bad.score).toBeLessThan(good.score - 20);
    expect(part(bad, name)).toBeLessThan((part(good, name) ?? 0) - 40);
    const reason = bad.reasons.find((one) => one.code === code);
    expect(reason?.message.length).toBeGreaterThan(20);
    expect(reason?.advice.length).toBeGreaterThan(20);
  });

  it.each([
    ["too_dark", (photo: GreyImage) => change(photo, (grey) => grey / 10)],
    ["too_bright", (photo: GreyImage) => change(photo, (grey) => 215 + grey / 12)],
    ["low_contrast", (photo: GreyImage) => change(photo, (grey) => 110 + grey / 10)],
  ])("gives advice for our player: %s", async (code, worsen) => {
    const photo = await loadPhoto("airplane-from-above", 480, 360);
    const bad = scoreImage(worsen(photo));
    expect(bad.score).toBeLessThan(scoreImage(photo).score - 20);
    expect(codes(bad)).toContain(code);
  });

  it("expects less of MindAR's player than of ours in a blurred photo", async () => {
    const blurred = soften(await loadPhoto("airplane-from-above", 480, 360), 7);
    expect(scoreImage(blurred).score).toBeGreaterThan(scoreImage(blurred, undefined, "mindar").score + 30);
  });

  it.each([
    ["left", "right", (x: number, y: number) => [x - 320, y]],
    ["upper", "lower", (x: number, y: number) => [x, y - 320]],
  ])("maps the detail, and names the %s third when it is empty", async (empty, full, move) => {
    const photo = await loadPhoto("airplane-from-above", 640, 640);
    const image = paint(640, 640, (x, y) => {
      const [u, v] = move(x, y);
      return u < 0 || v < 0 ? 235 : photo.data[v * 640 + u];
    });
    const { reasons, map } = scoreImage(image, undefined, "mindar");
    const reason = reasons.find(({ code }) => code === "empty_area");
    expect(reason?.message).toContain(empty);
    expect(reason?.message).not.toContain(full);
    const mean = (inside: (column: number, row: number) => boolean) => {
      const some = map.cells.filter((_, i) => inside(i % map.columns, Math.floor(i / map.columns)));
      return some.reduce((sum, cell) => sum + cell, 0) / some.length;
    };
    const third = map.columns / 3;
    const blank = mean((column, row) => (empty === "left" ? column : row) < third);
    const rich = mean((column, row) => (empty === "left" ? column : row) >= 2 * third);
    expect(blank).toBeLessThan(2);
    expect(rich).toBeGreaterThan(30);
  });
});
