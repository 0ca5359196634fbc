import { beforeAll, describe, expect, test } from "vitest";
import { decodeImage, toGrey } from "../../../compiler/image/decode.ts";
import { inspectImage } from "../../../compiler/image/inspect.ts";
import { makePreviews, PICTURE_SIZE, THUMBNAIL_SIZE } from "../../../compiler/image/previews.ts";
import { CompileError, type RgbaImage } from "../../../compiler/types.ts";
import {
  exif,
  gradient,
  jpegFile,
  jpegWithExif,
  largestDifference,
  loadTestCodecs,
  png16File,
  pngChunk,
  pngFile,
  pngWithExif,
  rawPng,
  webpFile,
  webpWithExif,
} from "./files.ts";

const width = 160;
const height = 130;
const image = gradient(width, height);
/** JPEG and lossy WebP may change a channel of the gradient by this much. */
const LOSSY = 12;

beforeAll(loadTestCodecs);

/** The visible sides of the stored first row and first column: CIPA DC-008 (Exif 3.0), 4.6.5.1.6. */
const SIDES = {
  1: ["top", "left"],
  2: ["top", "right"],
  3: ["bottom", "right"],
  4: ["bottom", "left"],
  5: ["left", "top"],
  6: ["right", "top"],
  7: ["right", "bottom"],
  8: ["left", "bottom"],
} as const;

/** Places every stored pixel by the two sides of the table. */
function seen(stored: RgbaImage, orientation: keyof typeof SIDES): RgbaImage {
  const [rowSide, columnSide] = SIDES[orientation];
  const turned = rowSide === "left" || rowSide === "right";
  const upright = {
    width: turned ? stored.height : stored.width,
    height: turned ? stored.width : stored.height,
    data: new Uint8ClampedArray(stored.data.length),
  };
  const position = { x: 0, y: 0 };
  const place = (side: string, distance: number) => {
    if (side === "left") position.x = distance;
    if (side === "right") position.x = upright.width - 1 - distance;
    if (side === "top") position.y = distance;
    if (side === "bottom") position.y = upright.height - 1 - distance;
  };
  for (let y = 0; y < stored.height; y++) {
    for (let x = 0; x < stored.width; x++) {
      place(rowSide, y);
      place(columnSide, x);
      const from = 4 * (y * stored.width + x);
      upright.data.set(stored.data.subarray(from, from + 4), 4 * (position.y * upright.width + position.x));
    }
  }
  return upright;
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8] as const)("orientation %i", (orientation) => {
  const upright = seen(image, orientation);

  async function check(file: Buffer, tolerance: number): Promise<void> {
    expect(inspectImage(file)).toMatchObject({ width: upright.width, height: upright.height, orientation });
    expect(largestDifference(await decodeImage(file), upright)).toBeLessThanOrEqual(tolerance);
  }

  test.each(["II", "MM"])("JPEG, %s", async (order) => {
    await check(jpegWithExif(await jpegFile(image), exif(orientation, order === "II")), LOSSY);
  });

  test("PNG, eXIf before and after the pixels", async () => {
    const file = await pngFile(image);
    await check(pngWithExif(file, exif(orientation)), 0);
    await check(pngWithExif(file, exif(orientation, true), true), 0);
  });

  test("WebP, lossless and lossy, with and without the JPEG prefix", async () => {
    const lossless = await webpFile(image, { lossless: 1, exact: 1 });
    const prefixed = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exif(orientation)]);
    await check(webpWithExif(lossless, width, height, exif(orientation, true)), 0);
    await check(webpWithExif(lossless, width, height, prefixed), 0);
    await check(webpWithExif(await webpFile(image), width, height, exif(orientation)), LOSSY);
  });
});

test("the gradient tells all eight orientations apart", () => {
  for (const a of [1, 2, 3, 4] as const) {
    for (const b of [1, 2, 3, 4] as const) {
      if (a !== b) expect(largestDifference(seen(image, a), seen(image, b))).toBeGreaterThan(100);
    }
  }
  for (const a of [5, 6, 7, 8] as const) {
    for (const b of [5, 6, 7, 8] as const) {
      if (a !== b) expect(largestDifference(seen(image, a), seen(image, b))).toBeGreaterThan(100);
    }
  }
});

describe("pixels", () => {
  const opaque = (grey: (x: number, y: number) => number): RgbaImage => {
    const data = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) {
      data.fill(grey(i % width, Math.floor(i / width)), 4 * i, 4 * i + 3);
    }
    return { data, width, height };
  };

  test("PNG with 16 bits a channel becomes 8", async () => {
    expect(largestDifference(await decodeImage(await png16File(image)), image)).toBe(0);
  });

  test("PNG with a palette", async () => {
    const palette = Uint8Array.from({ length: 16 * 3 }, (_, i) => (i * 37) % 256);
    const rows = Array.from({ length: height }, (_, y) =>
      Uint8Array.from({ length: width / 2 }, (_, i) => (((2 * i + y) & 15) << 4) | ((2 * i + 1 + y) & 15)),
    );
    const decoded = await decodeImage(rawPng({ width, height, depth: 4, colorType: 3 }, rows, palette));
    const expected = opaque(() => 0);
    for (let i = 0; i < width * height; i++) {
      const index = ((i % width) + Math.floor(i / width)) & 15;
      expected.data.set(palette.subarray(3 * index, 3 * index + 3), 4 * i);
    }
    expect(largestDifference(decoded, expected)).toBe(0);
  });

  test("PNG of one bit", async () => {
    const rows = Array.from({ length: height }, (_, y) =>
      new Uint8Array(width / 8).fill(y & 1 ? 0x0f : 0xf0),
    );
    const decoded = await decodeImage(rawPng({ width, height, depth: 1, colorType: 0 }, rows));
    const expected = opaque((x, y) => (x % 8 < 4 === (y & 1) > 0 ? 0 : 255));
    expect(largestDifference(decoded, expected)).toBe(0);
  });

  test("PNG interlaced by Adam7", async () => {
    const grey = (x: number, y: number) => (3 * x + 5 * y) % 256;
    const passes = [
      [0, 0, 8, 8],
      [4, 0, 8, 8],
      [0, 4, 4, 8],
      [2, 0, 4, 4],
      [0, 2, 2, 4],
      [1, 0, 2, 2],
      [0, 1, 1, 2],
    ];
    const rows = passes.flatMap(([left, top, stepX, stepY]) =>
      Array.from({ length: Math.ceil((height - top) / stepY) }, (_, row) =>
        Uint8Array.from({ length: Math.ceil((width - left) / stepX) }, (_, column) =>
          grey(left + column * stepX, top + row * stepY),
        ),
      ),
    );
    const file = rawPng({ width, height, depth: 8, colorType: 0, interlace: true }, rows);
    expect(largestDifference(await decodeImage(file), opaque(grey))).toBe(0);
  });

  test("grey JPEG", async () => {
    const source = opaque((x, y) => (x + y) / 2);
    const file = await jpegFile(source, { quality: 95, color_space: 1 });
    expect(file.includes(Buffer.of(0xff, 0xc2, 0, 11, 8, 0, height, 0, width, 1))).toBe(true);
    expect(largestDifference(await decodeImage(file), source)).toBeLessThanOrEqual(LOSSY);
  });

  test.each([
    ["baseline", { progressive: false }],
    ["progressive", { progressive: true }],
    ["without chroma subsampling", { auto_subsample: false, chroma_subsample: 1 }],
  ])("JPEG %s", async (_, options) => {
    const decoded = await decodeImage(await jpegFile(image, { quality: 95, ...options }));
    expect(largestDifference(decoded, image)).toBeLessThanOrEqual(LOSSY);
  });

  test("transparent pixels keep their colour, and grey ignores alpha", async () => {
    const data = image.data.slice();
    for (let i = 3; i < data.length; i += 4) data[i] = i % 256;
    const transparent = { ...image, data };
    for (const file of [await pngFile(transparent), await webpFile(transparent, { lossless: 1, exact: 1 })]) {
      const decoded = await decodeImage(file);
      expect(largestDifference(decoded, transparent)).toBe(0);
      expect(toGrey(decoded)).toEqual(toGrey(image));
    }
  });

  test("grey is the floor of the mean", () => {
    const data = Uint8Array.of(255, 255, 255, 0, 0, 0, 1, 9, 1, 0, 1, 9, 254, 255, 255, 9);
    expect([...toGrey({ data, width: 4, height: 1 }).data]).toEqual([255, 0, 0, 254]);
  });
});

describe("PNG data that inflates to more than the pixels", () => {
  const withSurplus = (bytes: number, interlace: boolean) => {
    const rows = interlace
      ? [Uint8Array.from({ length: (width * height * 15) / 8 }), new Uint8Array(bytes)]
      : [...Array.from({ length: height }, () => new Uint8Array(width)), new Uint8Array(bytes)];
    return rawPng({ width, height, depth: 8, colorType: 0, interlace }, rows);
  };

  test.each([false, true])("is refused before it is decoded (interlaced: %s)", async (interlace) => {
    await expect(decodeImage(withSurplus(2_000_000, interlace))).rejects.toThrow(
      new CompileError("image_damaged", "The image is damaged: its PNG data is larger than its pixels."),
    );
  });

  test("is accepted in several chunks, if it is a little more", async () => {
    const file = withSurplus(1000, false);
    const data = file.subarray(file.indexOf("IDAT") + 4, -16);
    const chunks = [data.subarray(0, 1), data.subarray(1, 50), data.subarray(50)].map((part) =>
      pngChunk("IDAT", part),
    );
    const parts = Buffer.concat([file.subarray(0, 33), ...chunks, file.subarray(-12)]);
    expect(await decodeImage(parts)).toEqual(await decodeImage(file));
  });
});

describe("damaged files", () => {
  const kinds: [name: string, make: () => Promise<Buffer>][] = [
    ["baseline JPEG", () => jpegFile(image, { progressive: false })],
    ["progressive JPEG", () => jpegFile(image, { progressive: true })],
    ["PNG", () => pngFile(image)],
    ["lossy WebP", () => webpFile(image)],
    ["lossless WebP", () => webpFile(image, { lossless: 1 })],
  ];

  test.each(kinds)("%s, cut off anywhere: refused, and the next file still decodes", async (_, make) => {
    const file = await make();
    const whole = await decodeImage(file);
    for (let i = 1; i < 40; i++) {
      const length = Math.floor((file.length * i) / 40);
      const error = await refusal(file.subarray(0, length));
      expect(["image_damaged", "not_an_image"]).toContain(error.code);
    }
    expect(largestDifference(await decodeImage(file), whole)).toBe(0);
  });

  test.each(kinds)("%s, bytes changed at random: an image of its size or a refusal", async (_, make) => {
    const file = await make();
    let state = 5;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.from(file);
      for (let i = 0; i < 3; i++) bytes[random(bytes.length)] = random(256);
      const decoded = await decodeImage(bytes).catch((error: unknown) => {
        if (!(error instanceof CompileError)) throw error;
        return null;
      });
      if (decoded) expect(decoded.data.length).toBe(decoded.width * decoded.height * 4);
    }
    expect((await decodeImage(file)).width).toBe(width);
  });

  test("WebP whose canvas is not its image", async () => {
    const file = webpWithExif(await webpFile(image), width, height + 40, exif(1));
    expect((await refusal(file)).code).toBe("image_damaged");
  });
});

describe("previews", () => {
  test("fit their boxes and look like the photo", async () => {
    const { thumbnail, picture } = await makePreviews(gradient(2000, 800));
    expect(inspectImage(thumbnail)).toMatchObject({ format: "jpeg", width: THUMBNAIL_SIZE, height: 192 });
    expect(inspectImage(picture)).toMatchObject({ format: "jpeg", width: PICTURE_SIZE, height: 640 });
    expect(largestDifference(await decodeImage(picture), gradient(1600, 640))).toBeLessThanOrEqual(LOSSY);
  });

  test("are not enlarged", async () => {
    const { thumbnail, picture } = await makePreviews(image);
    for (const file of [thumbnail, picture]) expect(inspectImage(file)).toMatchObject({ width, height });
  });

  test("have pixels only", async () => {
    const withPlace = jpegWithExif(await jpegFile(image), exif(1));
    const { picture } = await makePreviews(await decodeImage(withPlace));
    expect(Buffer.from(withPlace).includes("Exif")).toBe(true);
    expect(Buffer.from(picture).includes("Exif")).toBe(false);
  });

  test("put transparency on white", async () => {
    const data = new Uint8ClampedArray(200 * 200 * 4);
    const { picture } = await makePreviews({ data, width: 200, height: 200 });
    const decoded = await decodeImage(picture);
    expect([...decoded.data.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
  });
});

async function refusal(bytes: Uint8Array): Promise<CompileError> {
  const error = await decodeImage(bytes).then(
    () => new Error(`${bytes.length} bytes were decoded`),
    (reason: unknown) => reason,
  );
  if (error instanceof CompileError) return error;
  throw error;
}
