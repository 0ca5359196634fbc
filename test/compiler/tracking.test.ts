import { extract } from "mind-ar/src/image-target/tracker/extract.js";
import { describe, expect, test } from "vitest";
import { scaleImage, trackingScales } from "../../compiler/scales.ts";
import { findTrackingPoints } from "../../compiler/tracking.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { loadPhoto } from "./oracle.ts";
import { paint, paintCollage, randomNumbers } from "./pictures.ts";

function trackingImages(image: GreyImage): GreyImage[] {
  return scaleImage(image, trackingScales(image.width, image.height));
}

describe("the points and their order equal the reference's", () => {
  const random = randomNumbers(3);
  const pictures: Record<string, () => GreyImage | Promise<GreyImage>> = {
    "a photo of an airplane": () => loadPhoto("airplane-from-above", 512, 358),
    "a photo of a flower": () => loadPhoto("allium-oreophilum", 404, 512),
    "a photo of a house": () => loadPhoto("dust-bowl-home", 340, 262),
    "a collage with ties": () => paintCollage(300, 280),
    "an image enlarged with gaps": () => paintCollage(150, 170),
    noise: () => paint(256, 256, () => 255 * random()),
    "flat grey": () => paint(256, 256, () => 90),
  };
  for (const [name, picture] of Object.entries(pictures)) {
    test(name, async () => {
      for (const { data, width, height } of trackingImages(await picture())) {
        expect(findTrackingPoints(data, width, height)).toEqual(extract({ data, width, height, scale: 1 }));
      }
    });
  }
});

test("points are a tenth of the shorter side apart, and a template from the border", async () => {
  const [{ data, width, height }] = trackingImages(await loadPhoto("airplane-from-above", 512, 358));
  const points = findTrackingPoints(data, width, height);
  expect(points.length).toBeGreaterThan(10);
  points.forEach(({ x, y }, i) => {
    expect(Math.min(x, y, width - 1 - x, height - 1 - y)).toBeGreaterThanOrEqual(6);
    for (const other of points.slice(0, i)) {
      expect(Math.max(Math.abs(x - other.x), Math.abs(y - other.y))).toBeGreaterThan(25);
    }
  });
});
