// Turns pictures into the grey frames in which the player looks for targets.
//
// Grey is the mean of red, green and blue, as in the compiler. A frame is scaled down so that its shorter side has
// at most SHORTER_SIDE pixels.

import { averageAreas } from "../../compiler/image/resize.ts";
import type { Frame, Size } from "./protocol.ts";

const SHORTER_SIDE = 480;

/** Returns the size of the frames of a picture. Widths are multiples of 4: the shader packs four pixels into one. */
export function frameSize({ width, height }: Size): Size {
  const scale = Math.min(1, SHORTER_SIDE / Math.min(width, height));
  return { width: Math.max(4, Math.round((width * scale) / 4) * 4), height: Math.round(height * scale) };
}

/** Converts RGBA or BGRA pixels, 4 bytes each, of as many pixels as `grey` has. */
export function greyOfPixels(pixels: Uint8Array | Uint8ClampedArray, grey: Uint8Array): void {
  // The division by 3 as a multiplication: exact for sums up to 765.
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
    grey[i] = ((pixels[at] + pixels[at + 1] + pixels[at + 2]) * 21846) >> 16;
  }
}

/** The bytes of a plane: rows of `stride` bytes from `offset` on. */
type Plane = PlaneLayout;

/** A frame of these formats has the planes Y, U and V, of which U and V have half the width and height. */
const PLANAR = ["I420", "I420A"];
/** The same with U and V in turns. */
const SEMIPLANAR = ["NV12"];
const INTERLEAVED = ["RGBA", "RGBX", "BGRA", "BGRX"];

/** Reads grey frames from video frames. Reuses its buffers. */
export class VideoFrameReader {
  #bytes = new Uint8Array(0);
  #grey = new Uint8Array(0);

  /**
   * Reads a video frame; the caller closes it.
   *
   * @throws DOMException or TypeError for a frame that cannot be read
   */
  async read(picture: VideoFrame): Promise<Frame> {
    const { width, height } = picture.visibleRect!;
    const size = frameSize({ width, height });
    const grey = await this.#convert(picture, width, height);
    const isSmall = size.width === width && size.height === height;
    const data = isSmall ? grey : averageAreas(grey, width, height, 1, size.width, size.height);
    return { buffer: data.buffer as ArrayBuffer, ...size };
  }

  async #convert(picture: VideoFrame, width: number, height: number): Promise<Uint8Array> {
    const format = picture.format ?? "";
    const isYuv = PLANAR.includes(format) || SEMIPLANAR.includes(format);
    // Only some browsers convert other formats, and those that are on the graphics card.
    const options = isYuv || INTERLEAVED.includes(format) ? {} : { format: "RGBA" as const };
    const length = picture.allocationSize(options);
    if (this.#bytes.length !== length) this.#bytes = new Uint8Array(length);
    if (this.#grey.length !== width * height) this.#grey = new Uint8Array(width * height);
    const planes = await picture.copyTo(this.#bytes, options);
    if (isYuv) this.#convertYuv(planes, picture.colorSpace, width);
    else greyOfPixels(this.#bytes, this.#grey);
    return this.#grey;
  }

  #convertYuv(planes: readonly Plane[], colors: VideoColorSpace, width: number): void {
    const bytes = this.#bytes;
    const grey = this.#grey;
    const { gain, offset, u, v } = weightsOf(colors);
    const isPlanar = planes.length > 2;
    const step = isPlanar ? 1 : 2;
    const [luma, first] = planes;
    const second = isPlanar ? planes[2] : { offset: first.offset + 1, stride: first.stride };
    for (let y = 0, at = 0; at < grey.length; y++) {
      let lumaAt = luma.offset + y * luma.stride;
      let uAt = first.offset + (y >> 1) * first.stride;
      let vAt = second.offset + (y >> 1) * second.stride;
      for (let x = 0; x < width; x += 2) {
        const rest = offset + u * bytes[uAt] + v * bytes[vAt];
        uAt += step;
        vAt += step;
        grey[at++] = clamp((gain * bytes[lumaAt++] + rest) >> 16);
        if (x + 1 < width) grey[at++] = clamp((gain * bytes[lumaAt++] + rest) >> 16);
      }
    }
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Shares of red and blue in luma, by the names of VideoColorSpace; of BT.601 for all others. */
const LUMA: Partial<Record<string, { red: number; blue: number }>> = {
  bt709: { red: 0.2126, blue: 0.0722 },
  "bt2020-ncl": { red: 0.2627, blue: 0.0593 },
};
const BT601 = { red: 0.299, blue: 0.114 };

/**
 * Returns how the mean of red, green and blue depends on the bytes Y, U and V, in units of 1 / 65536:
 * gain × Y + u × U + v × V + offset.
 */
function weightsOf({ matrix, fullRange }: VideoColorSpace) {
  const { red, blue } = LUMA[matrix ?? ""] ?? BT601;
  const green = 1 - red - blue;
  const scale = 65536 * (fullRange ? 1 : 255 / 219);
  const chroma = (65536 * (fullRange ? 1 : 255 / 224)) / 3;
  const gain = Math.round(scale);
  // What a step of U adds to blue and takes from green; and one of V to red and from green.
  const u = Math.round(chroma * 2 * (1 - blue) * (1 - blue / green));
  const v = Math.round(chroma * 2 * (1 - red) * (1 - red / green));
  const offset = 32768 - 128 * (u + v) - (fullRange ? 0 : 16 * gain);
  return { gain, offset, u, v };
}
