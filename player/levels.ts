// The target at several resolutions, and the frame at several resolutions.

import type { Room } from "../compiler/kernels/kernels.ts";
import type { GreyImage, PlayerTarget } from "../compiler/types.ts";
import type { Homography } from "./homography.ts";
import { openPlayerKernels, type PlayerKernels } from "./kernels.ts";

/** Shorter side, in pixels, of the smallest level of a target. */
const SMALLEST_LEVEL_SIDE = 16;

/** The target at one resolution. */
export interface Level {
  readonly width: number;
  readonly height: number;
  /** Grey levels 0…255, row-major. */
  readonly data: Float32Array;
  /** From level pixels to target pixels: a scale per axis. */
  readonly toTarget: Homography;
}

/** The target at several resolutions, the largest first; each level halves the one before. */
export interface Levels {
  /** Pixels of the target. */
  readonly width: number;
  readonly height: number;
  readonly levels: readonly Level[];
}

/**
 * Builds the levels from the larger tracking image, which has 256 pixels on its shorter side or, for a smaller
 * target, the target's own pixels.
 */
export function buildLevels({
  width,
  height,
  tracking: [image],
}: Pick<PlayerTarget, "width" | "height" | "tracking">): Levels {
  let level = restoreTrackingImage(image, width, height);
  const levels = [level];
  while (Math.min(level.width, level.height) >= 2 * SMALLEST_LEVEL_SIDE) {
    level = halveLevel(level);
    levels.push(level);
  }
  return { width, height, levels };
}

/**
 * Returns a tracking image on an even grid that covers the target exactly.
 *
 * The compiler's boxes do not lie evenly, because their borders are rounded to target pixels: a level pixel is
 * interpolated between the two boxes whose centers are nearest. Boxes without pixels, which enlarging leaves at
 * 0, are left out; then the level has the target's own pixels.
 */
function restoreTrackingImage(
  { data, width, scale, height }: PlayerTarget["tracking"][number],
  targetWidth: number,
  targetHeight: number,
): Level {
  const columns = placeBoxes(width, scale, targetWidth);
  const rows = placeBoxes(height, scale, targetHeight);
  const out = new Float32Array(columns.length * rows.length);
  let to = 0;
  for (const row of rows) {
    const upper = row.first * width;
    const lower = row.second * width;
    for (const { first, second, share } of columns) {
      const above = data[upper + first] + share * (data[upper + second] - data[upper + first]);
      const below = data[lower + first] + share * (data[lower + second] - data[lower + first]);
      out[to++] = above + row.share * (below - above);
    }
  }
  return {
    width: columns.length,
    height: rows.length,
    data: out,
    toTarget: Float64Array.of(targetWidth / columns.length, 0, 0, 0, targetHeight / rows.length, 0, 0, 0, 1),
  };
}

/** Two boxes, and the share of the second in a pixel between them. */
interface Between {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

/** Returns between which boxes each pixel of the even grid lies along one axis. */
function placeBoxes(count: number, scale: number, targetSize: number): Between[] {
  const border = (i: number) => Math.min(targetSize, Math.round(i / scale));
  const boxes = Array.from({ length: count }, (_, i) => i).filter((i) => border(i) < border(i + 1));
  const center = (i: number) => (border(boxes[i]) + border(boxes[i] + 1)) / 2;
  let next = 0;
  return boxes.map((_, i) => {
    const place = ((i + 0.5) * targetSize) / boxes.length;
    while (next < boxes.length - 1 && center(next) < place) next++;
    const first = Math.max(0, next - 1);
    const share = first === next ? 0 : (place - center(first)) / (center(next) - center(first));
    return { first: boxes[first], second: boxes[next], share: Math.min(Math.max(share, 0), 1) };
  });
}

/** Averages blocks of 2 × 2 pixels. An odd last row or column is left out. */
function halveLevel({ data, width, height, toTarget }: Level): Level {
  const halfWidth = width >> 1;
  const halfHeight = height >> 1;
  const out = new Float32Array(halfWidth * halfHeight);
  for (let y = 0, to = 0; y < halfHeight; y++) {
    for (let x = 0, from = 2 * y * width; x < halfWidth; x++, from += 2) {
      out[to++] = (data[from] + data[from + 1] + data[from + width] + data[from + width + 1]) / 4;
    }
  }
  return {
    width: halfWidth,
    height: halfHeight,
    data: out,
    toTarget: Float64Array.of(2 * toTarget[0], 0, 0, 0, 2 * toTarget[4], 0, 0, 0, 1),
  };
}

/** Returns a level with softer edges: filtered with [share, 1 - 2 share, share] in both directions. */
export function softenLevel(level: Level, share: number): Level {
  const { width, height, data } = level;
  const across = new Float32Array(data.length);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const before = data[column === 0 ? at : at - 1];
      const after = data[column === width - 1 ? at : at + 1];
      across[at] = data[at] + share * (before - 2 * data[at] + after);
    }
  }
  const out = new Float32Array(data.length);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const above = across[row === 0 ? at : at - width];
      const below = across[row === height - 1 ? at : at + width];
      out[at] = across[at] + share * (above - 2 * across[at] + below);
    }
  }
  return { ...level, data: out };
}

/** A frame at several resolutions. */
export interface FramePyramid {
  /** In whose memory the levels lie. */
  readonly kernels: PlayerKernels;
  /** The frame and its halved copies, the frame first. A point of level i is at 1 / 2^i of its place in the frame. */
  readonly levels: readonly GreyImage[];
}

/** Shorter side, in pixels, of the smallest level of a frame. */
const SMALLEST_FRAME_SIDE = 24;

/** Allocates the pyramid of frames of one size. */
export function createPyramid(width: number, height: number): FramePyramid {
  const kernels = openPlayerKernels();
  return { kernels, levels: kernels.place((room) => layOctaves(room, { width, height })) };
}

/** Allocates the levels of a pyramid. */
export function layOctaves(room: Room, { width, height }: Pick<GreyImage, "width" | "height">): GreyImage[] {
  const levels: GreyImage[] = [];
  for (let scale = 1; ; scale /= 2) {
    const size = { width: Math.floor(width * scale), height: Math.floor(height * scale) };
    if (scale < 1 && Math.min(size.width, size.height) < SMALLEST_FRAME_SIDE) return levels;
    levels.push({ ...size, data: room.uint8(size.width * size.height) });
  }
}

/** Copies a frame of the pyramid's size into it and halves it. */
export function fillPyramid({ kernels, levels }: FramePyramid, frame: Uint8Array): void {
  levels[0].data.set(frame);
  for (let i = 1; i < levels.length; i++) {
    const { data, width, height } = levels[i - 1];
    kernels.halveGrey(data, width, height, levels[i].data);
  }
}
