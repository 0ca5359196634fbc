import { describe, expect, test } from "vitest";
import { frameSize, VideoFrameReader } from "../../../player/web/grey.ts";

const WIDTH = 16;
const HEIGHT = 12;
/** Bytes between the rows of a plane beyond its width. */
const GAP = 5;

interface Colors {
  readonly matrix: "smpte170m" | "bt709";
  readonly fullRange: boolean;
}

/** Red, green and blue of a pixel; each block of 2 × 2 pixels has one colour. */
function colorAt(x: number, y: number): [number, number, number] {
  const at = (x >> 1) + (y >> 1) * 8;
  return [40 + ((at * 37) % 180), 50 + ((at * 59) % 150), 30 + ((at * 83) % 190)];
}

/** Y, U and V by ITU-T H.273. */
function toYuv([r, g, b]: [number, number, number], { matrix, fullRange }: Colors): [number, number, number] {
  const [kr, kb] = matrix === "bt709" ? [0.2126, 0.0722] : [0.299, 0.114];
  const luma = kr * r + (1 - kr - kb) * g + kb * b;
  const u = (b - luma) / (2 * (1 - kb));
  const v = (r - luma) / (2 * (1 - kr));
  const [lumaScale, offset, chromaScale] = fullRange ? [1, 0, 1] : [219 / 255, 16, 224 / 255];
  return [offset + luma * lumaScale, 128 + u * chromaScale, 128 + v * chromaScale];
}

/** A stand-in for the part of a VideoFrame that is read. */
function aFrame(format: string, colors: Colors = { matrix: "smpte170m", fullRange: false }): VideoFrame {
  const stride = WIDTH + GAP;
  const half = WIDTH / 2 + GAP;
  const layouts: Record<string, PlaneLayout[]> = {
    I420: [
      { offset: 0, stride },
      { offset: stride * HEIGHT, stride: half },
      { offset: stride * HEIGHT + (half * HEIGHT) / 2, stride: half },
    ],
    NV12: [
      { offset: 0, stride },
      { offset: stride * HEIGHT, stride },
    ],
    RGBA: [{ offset: 0, stride: WIDTH * 4 }],
    BGRX: [{ offset: 0, stride: WIDTH * 4 }],
  };
  const layout = layouts[format];
  const isPacked = layout.length === 1;
  const bytes = new Uint8Array(stride * HEIGHT * 4);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const color = colorAt(x, y);
      if (isPacked) {
        bytes.set(
          format === "BGRX" ? color.toReversed() : color,
          layout[0].offset + y * layout[0].stride + x * 4,
        );
        continue;
      }
      const [luma, u, v] = toYuv(color, colors);
      bytes[y * stride + x] = Math.round(luma);
      const row = layout[1].stride * (y >> 1);
      if (format === "NV12") bytes.set([Math.round(u), Math.round(v)], layout[1].offset + row + (x & ~1));
      else {
        bytes[layout[1].offset + row + (x >> 1)] = Math.round(u);
        bytes[layout[2].offset + row + (x >> 1)] = Math.round(v);
      }
    }
  }
  return {
    format,
    visibleRect: { width: WIDTH, height: HEIGHT },
    colorSpace: colors,
    allocationSize: () => bytes.length,
    copyTo: async (into: Uint8Array) => {
      into.set(bytes);
      return layout;
    },
  } as unknown as VideoFrame;
}

async function largestError(frame: VideoFrame): Promise<number> {
  const { buffer, width, height } = await new VideoFrameReader().read(frame);
  expect({ width, height }).toEqual({ width: WIDTH, height: HEIGHT });
  const grey = new Uint8Array(buffer);
  const errors = Array.from(grey, (value, at) => {
    const [r, g, b] = colorAt(at % WIDTH, Math.floor(at / WIDTH));
    return Math.abs(value - (r + g + b) / 3);
  });
  return Math.max(...errors);
}

describe("VideoFrameReader", () => {
  test.each(["RGBA", "BGRX"])("reads %s as the mean of red, green and blue", async (format) => {
    expect(await largestError(aFrame(format))).toBeLessThan(1);
  });

  test.each([
    ["I420", "smpte170m", false],
    ["I420", "smpte170m", true],
    ["I420", "bt709", false],
    ["NV12", "bt709", true],
    ["NV12", "smpte170m", false],
  ] as const)("reads %s, %s, full range %s, as the same mean", async (format, matrix, fullRange) => {
    // Y, U and V are rounded: half a step of each.
    expect(await largestError(aFrame(format, { matrix, fullRange }))).toBeLessThan(2);
  });

  test("keeps values within a byte", async () => {
    const bright = {
      ...aFrame("I420"),
      copyTo: async (into: Uint8Array) => {
        into.fill(255);
        return [
          { offset: 0, stride: WIDTH },
          { offset: 0, stride: WIDTH },
          { offset: 0, stride: WIDTH },
        ];
      },
    } as unknown as VideoFrame;
    const { buffer } = await new VideoFrameReader().read(bright);
    expect(new Set(new Uint8Array(buffer))).toEqual(new Set([255]));
  });

  test("reduces a large picture to the frame's size by averaging", async () => {
    const large = {
      ...aFrame("RGBA"),
      visibleRect: { width: 1280, height: 960 },
      allocationSize: () => 1280 * 960 * 4,
      // Columns of 0 and 200 in turns.
      copyTo: async (into: Uint8Array) => {
        for (let at = 0; at < into.length; at += 8) into.fill(200, at + 4, at + 8);
        return [{ offset: 0, stride: 1280 * 4 }];
      },
    } as unknown as VideoFrame;
    const { buffer, width, height } = await new VideoFrameReader().read(large);
    expect({ width, height }).toEqual({ width: 640, height: 480 });
    expect(new Set(new Uint8Array(buffer))).toEqual(new Set([100]));
  });

  test("rejects when the browser cannot copy the picture", async () => {
    const refused = {
      ...aFrame("I420"),
      copyTo: async () => {
        throw new DOMException("for a test", "NotSupportedError");
      },
    } as unknown as VideoFrame;
    await expect(new VideoFrameReader().read(refused)).rejects.toThrow("for a test");
  });
});

test.each([
  [
    { width: 1280, height: 720 },
    { width: 852, height: 480 },
  ],
  [
    { width: 720, height: 1280 },
    { width: 480, height: 853 },
  ],
  [
    { width: 640, height: 480 },
    { width: 640, height: 480 },
  ],
])("a picture of %o has frames of %o", (picture, frame) => {
  expect(frameSize(picture)).toEqual(frame);
});
