import { createCanvas } from "canvas";
import { mind, mp4, png, texture, webm } from "../worker/fixtures.ts";
import type { Random } from "./random.ts";

const SIDE = 128;

/** Valid files, which the tests spoil. */
export interface Corpus {
  readonly images: readonly Buffer[];
  readonly marker: Buffer;
  /** The photo of the marker. */
  readonly markedPhoto: Buffer;
  readonly videos: readonly Buffer[];
}

export async function readCorpus(): Promise<Corpus> {
  const { data } = texture(SIDE, SIDE);
  const canvas = createCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < data.length; i++) image.data.set([data[i], 255 - data[i], data[i], 255], 4 * i);
  context.putImageData(image, 0, 0);
  return {
    images: [canvas.toBuffer("image/jpeg"), canvas.toBuffer("image/png"), canvas.toBuffer("image/webp")],
    marker: Buffer.from(mind()),
    markedPhoto: Buffer.from(png()),
    videos: [
      Buffer.from(mp4({ length: 1500, sound: "mp4a" })),
      Buffer.from(mp4({ length: 1500, isFastStart: false })),
      Buffer.from(webm({ length: 1000, sound: "A_OPUS" })),
    ],
  };
}

/** Files of other kinds, some with an image's content type. */
const OTHERS = [
  "",
  "\0",
  '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  "<!doctype html><script>alert(1)</script>",
  "GIF89a\x01\0\x01\0\0\0\0;",
  "BM\x36\0\0\0",
  "%PDF-1.7",
  "PK\x03\x04",
  "#!/bin/sh\n",
  "RIFF\xff\xff\xff\xffWEBPVP8X",
  "\xff\xd8\xff",
  "\xff\xd8\xff\xe1\xff\xffExif\0\0",
  "\x89PNG\r\n\x1a\n",
].map((text) => Buffer.from(text, "latin1"));

const EDGES = [0, 1, 0x7f, 0x80, 0xff];

/** Returns a copy of the file with an error in it. */
export function spoilFile(good: Buffer, random: Random): Buffer {
  switch (random.below(9)) {
    case 0:
      return random.pick(OTHERS);
    case 1:
      return good.subarray(0, random.below(good.length));
    case 2:
      return Buffer.concat([good, random.bytes(random.below(400))]);
    case 3: {
      // Files have their sizes and offsets near the beginning.
      const bytes = Buffer.from(good);
      const at = random.below(Math.min(64, bytes.length - 4));
      bytes.writeUInt32BE(random.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff]), at);
      return bytes;
    }
    case 4: {
      const at = random.below(good.length);
      return Buffer.concat([good.subarray(0, at), random.bytes(random.below(64)), good.subarray(at)]);
    }
    case 5: {
      const [from, to] = [random.below(good.length), random.below(good.length)];
      return Buffer.concat([good.subarray(0, Math.min(from, to)), good.subarray(Math.max(from, to))]);
    }
    case 6:
      return Buffer.concat([good.subarray(0, random.below(32)), random.pick(OTHERS), good]);
    default: {
      const bytes = Buffer.from(good);
      for (let left = 1 + random.below(8); left > 0; left--) {
        const at = random.below(bytes.length);
        if (random.chance(0.5)) bytes[at] ^= 1 << random.below(8);
        else bytes[at] = random.pick(EDGES);
      }
      return bytes;
    }
  }
}
