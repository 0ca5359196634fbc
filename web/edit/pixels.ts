import { turnUpright } from "../../compiler/image/orientation.ts";
import { resizeGrey, targetSize } from "../../compiler/image/resize.ts";
import { type Kernels, openKernels } from "../../compiler/kernels/kernels.ts";
import { sampleLine } from "../../compiler/kernels/sampling.ts";
import type { GreyImage, RgbaImage } from "../../compiler/types.ts";
import { type Cut, direction, type Size } from "./geometry.ts";

const KERNELS = { sampleLine };

/** A grey photo at decreasing sizes in its own memory, with a buffer for crops. */
export interface GreyLevels {
  /** The first one is the photo itself. */
  readonly images: readonly GreyImage[];
  readonly kernels: Kernels<typeof KERNELS>;
  readonly out: Uint8Array;
}

/**
 * Reduces a photo by √2 repeatedly, until its longer side is less than √2 `smallest`. For every crop of that size or
 * larger, one of the levels is at most √2 too fine.
 *
 * @param largest the maximum of a crop's longer side, in pixels
 */
export function layLevels(photo: GreyImage, smallest: number, largest: number): GreyLevels {
  const sizes: Size[] = [photo];
  for (;;) {
    const { width, height } = sizes.at(-1)!;
    const longer = Math.max(width, height) * Math.SQRT1_2;
    if (longer < smallest) break;
    sizes.push(targetSize(width, height, longer));
  }
  const kernels = openKernels(KERNELS);
  const { images, out } = kernels.place((room) => ({
    images: sizes.map(({ width, height }) => ({ data: room.uint8(width * height), width, height })),
    out: room.uint8(largest * largest),
  }));
  images[0].data.set(photo.data);
  for (let i = 1; i < images.length; i++) {
    const { width, height } = images[i];
    images[i].data.set(resizeGrey(images[i - 1], Math.max(width, height)).data);
  }
  return { images, kernels, out };
}

/**
 * Returns a grey crop, reduced to `maxSize`. Samples the coarsest sufficient level bilinearly. The result is close to
 * cropping and then averaging, which is much slower.
 */
export function cutGrey({ images, kernels, out }: GreyLevels, cut: Cut, maxSize: number): GreyImage {
  const [photo] = images;
  const { width, height } = targetSize(cut.width, cut.height, maxSize);
  const reduction = cut.width / width;
  const level = images.findLast((image) => photo.width / image.width <= reduction * 1.001) ?? photo;
  const { bits, rightX, rightY, startX, startY } = walk(level, photo, cut, { width, height });
  for (let row = 0; row < height; row++) {
    const line = out.subarray(row * width, (row + 1) * width);
    kernels.sampleLine(
      level.data,
      level.width,
      level.height,
      bits,
      startX(row),
      startY(row),
      rightX,
      rightY,
      width,
      line,
    );
  }
  return { data: out.slice(0, width * height), width, height };
}

/** Returns a crop in full size: a copy of the pixels after quarter turns, bilinear samples otherwise. */
export function cutRgba(photo: RgbaImage, cut: Cut): RgbaImage {
  const quarters = cut.degrees / 90;
  if (!Number.isInteger(quarters)) return sampleRgba(photo, walk(photo, photo, cut, cut), cut);
  const turned = quarters % 2 !== 0;
  const [width, height] = turned ? [cut.height, cut.width] : [cut.width, cut.height];
  const crop = copyOut(photo, { x: cut.x - width / 2, y: cut.y - height / 2, width, height });
  return turnUpright(crop, ([1, 6, 3, 8] as const)[quarters % 4]);
}

/** @param area its top left corner and size, in whole pixels */
function copyOut(photo: RgbaImage, area: Size & { readonly x: number; readonly y: number }): RgbaImage {
  const { x, y, width, height } = area;
  const data = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 4 * ((y + row) * photo.width + x);
    data.set(photo.data.subarray(from, from + 4 * width), 4 * row * width);
  }
  return { data, width, height };
}

/**
 * Where the pixels of a result lie in a source, in fixed point: `1 << bits` is a source pixel. One pixel to the right
 * in the result is (`rightX`, `rightY`) in the source.
 */
interface Walk {
  readonly bits: number;
  readonly rightX: number;
  readonly rightY: number;
  /** The start of a row of the result. */
  readonly startX: (row: number) => number;
  readonly startY: (row: number) => number;
}

/** @param photo the size in which the crop is given; the source is the whole photo at another size */
function walk(source: Size, photo: Size, cut: Cut, size: Size): Walk {
  const { cos, sin } = direction(cut.degrees);
  const zoomX = source.width / photo.width;
  const zoomY = source.height / photo.height;
  const stepX = cut.width / size.width;
  const stepY = cut.height / size.height;
  const [rightX, rightY] = [stepX * cos * zoomX, -stepX * sin * zoomY];
  const [downX, downY] = [stepY * sin * zoomX, stepY * cos * zoomY];
  const middle = { column: (size.width - 1) / 2, row: (size.height - 1) / 2 };
  const firstX = cut.x * zoomX - 0.5 - middle.column * rightX - middle.row * downX;
  const firstY = cut.y * zoomY - 0.5 - middle.column * rightY - middle.row * downY;
  const bits = Math.max(source.width, source.height) < 0x7000 ? 16 : 10;
  const fixed = (value: number) => Math.round(value * 2 ** bits) | 0;
  return {
    bits,
    rightX: fixed(rightX),
    rightY: fixed(rightY),
    startX: (row) => fixed(firstX + row * downX),
    startY: (row) => fixed(firstY + row * downY),
  };
}

/** Returns bilinear samples like those of the grey photo: of each channel separately, not premultiplied, as the compiler reads them. */
function sampleRgba(source: RgbaImage, path: Walk, size: Size): RgbaImage {
  const { data, width, height } = source;
  const { bits, rightX, rightY } = path;
  const toWeight = bits - 8;
  const right = (width - 1) << bits;
  const bottom = (height - 1) << bits;
  const stride = 4 * width;
  const result = new Uint8ClampedArray(4 * size.width * size.height);
  for (let row = 0, to = 0; row < size.height; row++) {
    let x = path.startX(row);
    let y = path.startY(row);
    for (const end = to + 4 * size.width; to < end; ) {
      const insideX = x < 0 ? 0 : x > right ? right : x;
      const insideY = y < 0 ? 0 : y > bottom ? bottom : y;
      const column = insideX === right ? width - 2 : insideX >> bits;
      const line = insideY === bottom ? height - 2 : insideY >> bits;
      const weightX = (insideX - (column << bits)) >> toWeight;
      const weightY = (insideY - (line << bits)) >> toWeight;
      let at = (Math.imul(line, stride) + 4 * column) | 0;
      for (let channel = 0; channel < 4; channel++, at++, to++) {
        const a = data[at];
        const c = data[at + stride];
        const upper = (a << 8) + Math.imul(data[at + 4] - a, weightX);
        const lower = (c << 8) + Math.imul(data[at + stride + 4] - c, weightX);
        result[to] = ((upper << 8) + Math.imul(lower - upper, weightY) + 0x8000) >> 16;
      }
      x = (x + rightX) | 0;
      y = (y + rightY) | 0;
    }
  }
  return { data: result, width: size.width, height: size.height };
}
