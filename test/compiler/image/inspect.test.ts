import { beforeAll, describe, expect, test } from "vitest";
import {
  ImageInspector,
  inspectImage,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_PIXELS,
  MIN_IMAGE_SIDE,
} from "../../../compiler/image/inspect.ts";
import { CompileError, type CompileErrorCode } from "../../../compiler/types.ts";
import {
  exif,
  gradient,
  jpegFile,
  jpegSegment,
  jpegWithExif,
  loadTestCodecs,
  pngChunk,
  pngFile,
  pngWithExif,
  riff,
  webpChunk,
  webpFile,
  webpWithExif,
} from "./files.ts";

const width = 160;
const height = 130;
let jpeg: Buffer;
let png: Buffer;
let webp: Buffer;

beforeAll(async () => {
  await loadTestCodecs();
  const image = gradient(width, height);
  [jpeg, png, webp] = await Promise.all([jpegFile(image), pngFile(image), webpFile(image)]);
});

/** Returns a progressive JPEG of `count` scans, each with bytes of data that follow it. */
function scans(count: number, side = 1000, data: readonly number[] = [0x12, 0xff, 0, 0x34]): Buffer {
  const sides = [side >> 8, side & 255, side >> 8, side & 255];
  const header = Buffer.of(0xff, 0xd8, 0xff, 0xc2, 0, 17, 8, ...sides, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0);
  const scan = Buffer.of(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, ...data);
  return Buffer.concat([header, ...Array(count).fill(scan), Buffer.of(0xff, 0xd9)]);
}

describe("the scans of a JPEG", () => {
  const accepted = { width: 1000, height: 1000 };
  const refuses = (bytes: Buffer) =>
    expect(() => inspectImage(bytes)).toThrow(expect.objectContaining({ code: "image_too_many_scans" }));

  test("up to 100 are accepted", () => {
    expect(inspectImage(scans(100))).toMatchObject(accepted);
    expect(inspectImage(scans(30, 7000))).toMatchObject({ width: 7000 });
  });

  test("those in a segment or after the end of the image do not count", () => {
    const comment = [0xff, 0xfe, 0, 6, 0xff, 0xda, 0xff, 0xda];
    expect(inspectImage(scans(90, 1000, comment))).toMatchObject(accepted);
    expect(inspectImage(Buffer.concat([scans(60), scans(60), scans(60)]))).toMatchObject(accepted);
  });

  test.each([
    ["fill bytes", [0xff, 0xff, 0xff]],
    ["restart markers", [0xff, 0xd0, 0x12, 0xff, 0xd7]],
    ["bytes that belong to no segment", [0xff, 0, 0x12, 0x34]],
    ["an end of image in a comment", [0xff, 0xfe, 0, 4, 0xff, 0xd9]],
    ["a segment of length 0", [0xff, 0xe1, 0, 0]],
    // MozJPEG passes over the marker, not over a segment.
    ["an unknown marker before a large number", [0xff, 0x02, 0xff, 0xf0]],
  ])("are counted behind %s", (_, data) => refuses(scans(101, 1000, data)));

  test("are counted in a file that is cut off", () => {
    refuses(scans(120).subarray(0, -3));
    expect(inspectImage(scans(90).subarray(0, -3))).toMatchObject(accepted);
  });

  test.each([0x01, 0xd0, 0xd8, 0x00, 0x02])(
    "cannot hide behind the marker %d before the frame header",
    (marker) => {
      // A length follows, which MozJPEG ignores.
      const hidden = jpegSegment(marker, scans(120).subarray(2));
      const file = Buffer.concat([Buffer.of(0xff, 0xd8), hidden, scans(1).subarray(2)]);
      expect(() => inspectImage(file)).toThrow(expect.objectContaining({ code: "image_damaged" }));
    },
  );

  test("of a real photo are few", async () => {
    const file = await jpegFile(gradient(width, height), { progressive: true });
    expect(inspectImage(file)).toMatchObject({ width, height });
    const tail = file.lastIndexOf(Buffer.of(0xff, 0xda));
    const scan = file.subarray(tail, -2);
    refuses(Buffer.concat([file.subarray(0, -2), ...Array(3000).fill(scan), Buffer.of(0xff, 0xd9)]));
  });
});

describe("the headers", () => {
  const upright = { width, height, orientation: 1 };

  test("JPEG", () => {
    expect(inspectImage(jpeg)).toEqual({ format: "jpeg", mime: "image/jpeg", ...upright });
  });

  test("PNG", () => {
    expect(inspectImage(png)).toEqual({ format: "png", mime: "image/png", ...upright });
  });

  test("WebP, lossy and lossless", async () => {
    expect(inspectImage(webp)).toEqual({ format: "webp", mime: "image/webp", ...upright });
    const lossless = await webpFile(gradient(1234, 567), { lossless: 1 });
    expect(inspectImage(lossless)).toMatchObject({ width: 1234, height: 567 });
  });

  test("a quarter turn swaps the sides", () => {
    const turned = { width: height, height: width, orientation: 6 };
    expect(inspectImage(jpegWithExif(jpeg, exif(6)))).toMatchObject(turned);
    expect(inspectImage(pngWithExif(png, exif(6)))).toMatchObject(turned);
    expect(inspectImage(webpWithExif(webp, width, height, exif(6)))).toMatchObject(turned);
  });

  test("a JPEG may carry other segments, fill bytes and a second EXIF after the first", () => {
    const file = Buffer.concat([
      Buffer.of(0xff, 0xd8),
      jpegSegment(0xe1, Buffer.from("http://ns.adobe.com/xap/1.0/\0<x/>", "latin1")),
      Buffer.of(0xff, 0xff, 0xff),
      jpegSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exif(3)])),
      jpegSegment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exif(6)])),
      jpegSegment(0xfe, Buffer.from("a comment")),
      jpeg.subarray(2),
    ]);
    expect(inspectImage(file)).toMatchObject({ width, height, orientation: 3 });
  });

  test.each([0, 9, 255, 65535])("orientation %i counts as upright", (value) => {
    expect(inspectImage(jpegWithExif(jpeg, exif(value)))).toMatchObject(upright);
  });

  test("an EXIF block that is cut off anywhere counts as upright", () => {
    const block = exif(6);
    // After the value, the block has 4 bytes of padding and a 4-byte link.
    for (let length = 0; length < block.length - 6; length++) {
      expect(inspectImage(jpegWithExif(jpeg, block.subarray(0, length)))).toMatchObject(upright);
    }
  });

  test("EXIF with an offset outside the block counts as upright", () => {
    for (const directory of [0, 1, 46, 47, 1000, 0x7fffffff, 0xffffffff]) {
      const block = exif(6);
      block.writeUInt32BE(directory, 4);
      expect(inspectImage(jpegWithExif(jpeg, block))).toMatchObject(upright);
    }
    const endless = exif(1);
    endless.writeUInt16BE(0xffff, 8);
    expect(inspectImage(jpegWithExif(jpeg, endless))).toMatchObject(upright);
  });

  test("an image may sit inside a larger buffer", () => {
    for (const file of [jpegWithExif(jpeg, exif(8)), pngWithExif(png, exif(8))]) {
      const padded = Buffer.concat([Buffer.alloc(3, 0xff), file, Buffer.alloc(9, 0xff)]);
      expect(inspectImage(padded.subarray(3, 3 + file.length))).toEqual(inspectImage(file));
    }
  });
});

describe("refuses, naming the received and the expected value", () => {
  const latin1 = (text: string) => Buffer.from(text.padEnd(64, "\0"), "latin1");
  const jpegFrame = (marker: number, ...frame: number[]) =>
    Buffer.concat([Buffer.of(0xff, 0xd8), jpegSegment(marker, Buffer.from(frame))]);
  const pngOf = (w: number, h: number) => {
    const header = Buffer.alloc(13, 8);
    header.writeUInt32BE(w, 0);
    header.writeUInt32BE(h, 4);
    return Buffer.concat([png.subarray(0, 8), pngChunk("IHDR", header)]);
  };
  const canvas = (flags: number, w: number, h: number) => {
    const header = Buffer.alloc(10);
    header[0] = flags;
    header.writeUIntLE(w - 1, 4, 3);
    header.writeUIntLE(h - 1, 7, 3);
    return riff(webpChunk("VP8X", header), Buffer.alloc(0));
  };

  const cases: [name: string, bytes: () => Uint8Array, code: CompileErrorCode, sentence: RegExp][] = [
    ["nothing", () => new Uint8Array(0), "empty_file", /empty \(0 bytes\); expected a JPEG, PNG or WebP/],
    [
      "20 MB and a byte",
      () => Buffer.concat([jpeg, Buffer.alloc(MAX_IMAGE_BYTES + 1 - jpeg.length)]),
      "image_too_many_bytes",
      /is 20\.01 MB; expected at most 20 MB/,
    ],
    ["noise", () => Buffer.alloc(999, 0x55), "not_an_image", /not an image of a known format; expected/],
    ["one byte", () => Buffer.of(0xff), "not_an_image", /expected a JPEG/],
    ["a web page", () => latin1("<!doctype html><p>not found"), "not_an_image", /an HTML or XML page/],
    ["JSON", () => latin1('{"error":"not found"}'), "not_an_image", /JSON text/],
    ["a ZIP", () => latin1("PK\x03\x04"), "not_an_image", /a ZIP archive/],
    ["a WAV", () => latin1("RIFF\x08\0\0\0WAVE"), "not_an_image", /a WAV sound/],
    ["a marker", () => latin1("\x82\xa1v\x02"), "not_an_image", /a compiled \.mind marker/],
    ["a GIF", () => latin1("GIF89a"), "unsupported_format", /This is a GIF image; expected/],
    ["a BMP", () => latin1("BM"), "unsupported_format", /a BMP image/],
    ["a TIFF, II", () => latin1("II*\0"), "unsupported_format", /a TIFF image/],
    ["a TIFF, MM", () => latin1("MM\0*"), "unsupported_format", /a TIFF image/],
    ["an ICO", () => latin1("\0\0\x01\0"), "unsupported_format", /an ICO icon/],
    ["a PDF", () => latin1("%PDF-1.7"), "unsupported_format", /a PDF document/],
    ["an SVG", () => latin1("<?xml version='1.0'?><svg >"), "unsupported_format", /an SVG drawing/],
    ["a HEIC", () => latin1("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "unsupported_format", /a HEIC image/],
    [
      "a HEIC by its second brand",
      () => latin1("\0\0\0\x18ftypmif1\0\0\0\0heic"),
      "unsupported_format",
      /a HEIC/,
    ],
    ["an AVIF", () => latin1("\0\0\0\x1cftypavif\0\0\0\0avifmif1"), "unsupported_format", /an AVIF image/],
    ["an MP4", () => latin1("\0\0\0\x18ftypisom\0\0\0\0isommp42"), "unsupported_format", /an MP4 video/],
    [
      "a QuickTime film",
      () => latin1("\0\0\0\x14ftypqt  \0\0\0\0"),
      "unsupported_format",
      /a QuickTime video/,
    ],
    ["a WebM", () => latin1("\x1a\x45\xdf\xa3"), "unsupported_format", /a WebM or Matroska video/],
    ["a JPEG XL", () => latin1("\xff\x0a"), "unsupported_format", /a JPEG XL image/],
    ["a Photoshop file", () => latin1("8BPS\0\x01"), "unsupported_format", /a Photoshop document/],
    ["an animated WebP", () => canvas(0x02, 200, 200), "unsupported_format", /an animated WebP image/],
    ["a CMYK JPEG", () => jpegFrame(0xc0, 8, 1, 0, 1, 0, 4), "unsupported_format", /a CMYK JPEG image/],
    ["a 12-bit JPEG", () => jpegFrame(0xc1, 12, 1, 0, 1, 0, 3), "unsupported_format", /of 12 bits a channel/],
    ["a lossless JPEG", () => jpegFrame(0xc3, 8, 1, 0, 1, 0, 3), "unsupported_format", /a lossless JPEG/],
    [
      "an arithmetic JPEG",
      () => jpegFrame(0xc9, 8, 1, 0, 1, 0, 3),
      "unsupported_format",
      /an arithmetic-coded JPEG/,
    ],
    [
      "a hierarchical JPEG",
      () => jpegFrame(0xc5, 8, 1, 0, 1, 0, 3),
      "unsupported_format",
      /a hierarchical JPEG/,
    ],
    [
      "a JPEG of two components",
      () => jpegFrame(0xc0, 8, 1, 0, 1, 0, 2),
      "unsupported_format",
      /2 components/,
    ],
    ["a JPEG without a height", () => jpegFrame(0xc0, 8, 0, 0, 1, 0, 3), "image_damaged", /256 × 0 pixels/],
    [
      "a JPEG of 101 scans",
      () => scans(101),
      "image_too_many_scans",
      /more than 100 scans; expected at most 100/,
    ],
    [
      "a large JPEG of 31 scans",
      () => scans(31, 7000),
      "image_too_many_scans",
      /7000 × 7000 pixels has more than 30 scans/,
    ],
    ["a JPEG of one segment", () => jpeg.subarray(0, 20), "image_damaged", /ends before its frame header/],
    [
      "a JPEG segment of length 1",
      () => Buffer.of(0xff, 0xd8, 0xff, 0xe0, 0, 1, 0, 0),
      "image_damaged",
      /at byte 2/,
    ],
    [
      "a JPEG segment too long",
      () => Buffer.of(0xff, 0xd8, 0xff, 0xe0, 9, 9, 0, 0),
      "image_damaged",
      /at byte 2/,
    ],
    [
      "a JPEG of fill bytes",
      () => Buffer.concat([Buffer.of(0xff, 0xd8), Buffer.alloc(99, 0xff)]),
      "image_damaged",
      /./,
    ],
    ["a PNG without a header", () => png.subarray(0, 12), "image_damaged", /does not begin with its header/],
    ["a PNG of width 0", () => pngOf(0, 300), "image_damaged", /0 × 300 pixels/],
    [
      "a PNG cut in a chunk",
      () => png.subarray(0, 80),
      "image_damaged",
      /chunk at byte \d+ is longer than the file/,
    ],
    ["half a WebP", () => webp.subarray(0, webp.length >> 1), "image_damaged", /its header says/],
    [
      "a WebP of nothing",
      () => riff(webpChunk("NOPE", Buffer.alloc(40))),
      "image_damaged",
      /begin with an image/,
    ],
    [
      "60 megapixels",
      () => pngOf(10_000, 6_000),
      "image_too_many_pixels",
      /10000 × 6000 = 60 megapixels; expected at most 50 megapixels/,
    ],
    ["a PNG bomb", () => pngOf(0x7fffffff, 0x7fffffff), "image_too_many_pixels", /megapixels/],
    ["a WebP bomb", () => canvas(0, 1 << 24, 1 << 24), "image_too_many_pixels", /megapixels/],
    [
      "127 pixels of width",
      () => pngOf(127, 4000),
      "image_too_small",
      /127 × 4000 pixels; expected at least 128/,
    ],
    ["127 pixels of height", () => pngOf(4000, 127), "image_too_small", /4000 × 127/],
  ];

  test.each(cases)("%s", (_, bytes, code, sentence) => {
    const error = refusal(bytes());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/\.$/);
  });

  test("the limits themselves are allowed", () => {
    const side = Math.sqrt(MAX_IMAGE_PIXELS / 2);
    expect(inspectImage(pngOf(side, 2 * side))).toMatchObject({ width: side, height: 2 * side });
    expect(inspectImage(pngOf(MIN_IMAGE_SIDE, MIN_IMAGE_SIDE))).toMatchObject({ width: MIN_IMAGE_SIDE });
    expect(inspectImage(Buffer.concat([jpeg, Buffer.alloc(MAX_IMAGE_BYTES - jpeg.length)])).width).toBe(
      width,
    );
  });
});

describe("hostile bytes", () => {
  test("prefixes and changed bytes are accepted or refused, and never cause another error", () => {
    const files = [
      jpegWithExif(jpeg, exif(6)),
      pngWithExif(png, exif(6)),
      webpWithExif(webp, width, height, exif(6)),
    ];
    for (const file of files) {
      const head = file.subarray(0, 700);
      for (let length = 0; length < head.length; length++) attempt(file.subarray(0, length));
      for (let offset = 0; offset < head.length; offset++) {
        for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
          const changed = Buffer.from(file);
          changed[offset] = value;
          attempt(changed);
        }
      }
    }
  });
});

/** Accepts an answer within the limits or a CompileError. */
function attempt(bytes: Uint8Array): void {
  try {
    const info = inspectImage(bytes);
    expect(info.width * info.height).toBeLessThanOrEqual(MAX_IMAGE_PIXELS);
    expect(Math.min(info.width, info.height)).toBeGreaterThanOrEqual(MIN_IMAGE_SIDE);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
  }
}

function refusal(bytes: Uint8Array): CompileError {
  try {
    inspectImage(bytes);
  } catch (error) {
    if (error instanceof CompileError) return error;
    throw error;
  }
  throw new Error(`${bytes.length} bytes were accepted`);
}

describe("a file that arrives in chunks", () => {
  const outcome = (inspect: () => unknown) => {
    try {
      return inspect();
    } catch (error) {
      return error;
    }
  };
  function inChunks(file: Buffer, bytes: number) {
    const inspector = new ImageInspector(file.length);
    for (let at = 0; at < file.length; at += bytes) inspector.write(file.subarray(at, at + bytes));
    return inspector.end();
  }

  test.each<[string, () => Buffer]>([
    ["a JPEG with EXIF", () => jpegWithExif(jpeg, exif(6))],
    ["a PNG with EXIF", () => pngWithExif(png, exif(6))],
    ["a WebP with EXIF", () => webpWithExif(webp, width, height, exif(6))],
    ["a JPEG with many scans", () => scans(101)],
    ["a JPEG with as many scans as are accepted", () => scans(100)],
    ["a JPEG that is cut off in a scan", () => scans(90).subarray(0, -3)],
    ["a JPEG that is cut off in its header", () => jpeg.subarray(0, 100)],
    ["a JPEG of fill bytes", () => Buffer.alloc(9000, 0xff).fill(0xd8, 1, 2)],
    ["a PNG that is cut off", () => png.subarray(0, -20)],
    ["a WebP that is cut off", () => webp.subarray(0, -20)],
    ["a JPEG that is too small", () => scans(1, 100)],
    ["a JPEG that is too large", () => scans(1, 9000)],
    ["text", () => Buffer.from(`${" ".repeat(100)}<svg xmlns="http://www.w3.org/2000/svg"/>`)],
  ])("is inspected as in one piece: %s", (_, make) => {
    const file = make();
    const whole = outcome(() => inspectImage(file));
    for (const bytes of [1, 7, 1000]) expect(outcome(() => inChunks(file, bytes))).toEqual(whole);
  });

  test("has a format before all of it has arrived", () => {
    const inspector = new ImageInspector(20_000);
    expect(inspector.mime).toBeNull();
    inspector.write(Buffer.concat([jpeg.subarray(0, 200), Buffer.alloc(9800)]));
    expect(inspector.mime).toBe("image/jpeg");
    expect(() => inspector.end()).toThrow(RangeError);
  });

  test("is refused as soon as its headers tell that it must be", () => {
    const inspector = new ImageInspector(20_000_000);
    expect(() => inspector.write(Buffer.alloc(8192, "GIF89a"))).toThrow(
      expect.objectContaining({ code: "unsupported_format" }),
    );
    expect(() => new ImageInspector(20_000_001)).toThrow(
      expect.objectContaining({ code: "image_too_many_bytes" }),
    );
  });
});
