import { open, writeFile } from "node:fs/promises";
import { type Corners, cornersOf, invert, type Map3, placePhoto } from "./pinhole.ts";

/**
 * A camera in front of a printed photo: frames of a pinhole camera with known poses, in a `.y4m` file that
 * Chromium plays as its camera. Every frame contains its number, so that a test knows which frame a page
 * shows and where the photo's corners are in it.
 */

export interface Photo {
  /** RGBA, row-major, `width * height * 4` bytes. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

export interface CameraFilm {
  readonly width: number;
  readonly height: number;
  /** The photo's corners in each frame, in pixels; null in frames without the photo. */
  readonly frames: readonly (Corners | null)[];
}

const FRAME_WIDTH = 640;
const FRAME_HEIGHT = 480;

interface Pace {
  readonly framesPerSecond: number;
  readonly seconds: number;
  /** The photo is out of sight at the end of each round of the film. */
  readonly absentSeconds: number;
}

/** Slow enough for a busy machine, which draws each frame of the page in software. */
const SLOW: Pace = { framesPerSecond: 5, seconds: 40, absentSeconds: 6 };

/** Focal length, in pixels, of a phone's camera that is 50° high. The player assumes 45°. */
export const FOCAL = FRAME_HEIGHT / 2 / Math.tan((25 * Math.PI) / 180);

/** The frame's number is a row of squares along the upper edge: the bits, then the inverted bits. */
export const CODE = { bits: 8, cell: 16 } as const;

/** Width of the photo in the middle of its path, in frame pixels. */
const PHOTO_WIDTH = 340;

/** One channel of an image: `width * height` bytes, row-major. */
interface Plane {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Y, U, V of BT.601, limited range; in a frame, U and V have half its width and height. */
type Planes = readonly [Plane, Plane, Plane];

/** Films `photo` and writes the film to `path`. */
export async function filmPhoto(photo: Photo, path: string, pace: Pace = SLOW): Promise<CameraFilm> {
  const { framesPerSecond, seconds, absentSeconds } = pace;
  const print = separate(shrink(photo));
  const table = paintTable();
  const total = framesPerSecond * seconds;
  const absentFrom = framesPerSecond * (seconds - absentSeconds);
  const frames: (Corners | null)[] = [];
  const file = await open(path, "w");
  try {
    await file.write(`YUV4MPEG2 W${FRAME_WIDTH} H${FRAME_HEIGHT} F${framesPerSecond}:1 Ip A1:1 C420\n`);
    for (let index = 0; index < total; index++) {
      const map = index < absentFrom ? poseAt(index / total, photo) : null;
      frames.push(map && cornersOf(map, photo));
      await file.write("FRAME\n");
      for (const [channel, background] of table.entries()) {
        const plane = { ...background, data: background.data.slice() };
        if (map) paintPhoto(plane, print[channel], map, photo);
        if (channel === 0) paintCode(plane, index);
        await file.write(plane.data);
      }
    }
  } finally {
    await file.close();
  }
  return { width: FRAME_WIDTH, height: FRAME_HEIGHT, frames };
}

/** Writes a small grey film, for tests that need a camera but not its picture. */
export async function filmNothing(path: string): Promise<void> {
  const grey = Buffer.alloc(320 * 240 * 1.5, 128);
  await writeFile(path, ["YUV4MPEG2 W320 H240 F5:1 Ip A1:1 C420\nFRAME\n", grey, "FRAME\n", grey]);
}

/** Reads the number of a frame from the first rows of its RGBA pixels; null if it cannot be read. */
export function readFrameNumber(rgba: ArrayLike<number>, width: number): number | null {
  let number = 0;
  for (let bit = 0; bit < CODE.bits; bit++) {
    const level = (cell: number) =>
      rgba[((CODE.cell >> 1) * width + cell * CODE.cell + (CODE.cell >> 1)) * 4 + 1];
    const difference = level(bit) - level(CODE.bits + bit);
    if (Math.abs(difference) < 64) return null;
    number = number * 2 + (difference > 0 ? 1 : 0);
  }
  return number;
}

/**
 * Returns the pose of the photo at `phase` (0 … 1) of the film. The photo sways about all three axes and moves
 * across and towards the camera. Phase 1 equals phase 0.
 */
function poseAt(phase: number, photo: Photo): Map3 {
  const wave = (cycles: number, shift: number) => Math.sin(2 * Math.PI * (cycles * phase + shift));
  const yaw = 0.38 * wave(1, 0);
  const pitch = 0.3 * wave(1, 0.3);
  const roll = 0.12 * wave(1, 0.6);
  const depth = ((FOCAL * photo.width) / PHOTO_WIDTH) * (1 + 0.1 * wave(1, 0.8));
  const tx = depth * (0.085 * wave(1, 0.15));
  const ty = depth * (0.02 + 0.05 * wave(1, 0.45));

  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, roll].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
  // R = Rz(roll) Ry(yaw) Rx(pitch): its first two columns span the photo.
  const right = [cr * cy, sr * cy, -sy];
  const down = [cr * sy * sp - sr * cp, sr * sy * sp + cr * cp, cy * sp];
  return placePhoto(right, down, [tx, ty, depth], photo, FOCAL, { width: FRAME_WIDTH, height: FRAME_HEIGHT });
}

/** Halves the photo (mean of 2 × 2) while it is twice as wide as in the film, to avoid moiré. */
function shrink(photo: Photo): Photo {
  let { data, width, height } = photo;
  while (width >= PHOTO_WIDTH * 2) {
    const half = { width: width >> 1, height: height >> 1 };
    const out = new Uint8ClampedArray(half.width * half.height * 4);
    for (let y = 0; y < half.height; y++) {
      for (let x = 0; x < half.width; x++) {
        for (let channel = 0; channel < 3; channel++) {
          const at = (2 * y * width + 2 * x) * 4 + channel;
          out[(y * half.width + x) * 4 + channel] =
            (data[at] + data[at + 4] + data[at + width * 4] + data[at + width * 4 + 4]) / 4;
        }
      }
    }
    data = out;
    width = half.width;
    height = half.height;
  }
  return { data, width, height };
}

/** Returns Y, U and V of an image, each in full size. */
function separate({ data, width, height }: Photo): Planes {
  const plane = (offset: number, red: number, green: number, blue: number) => ({
    data: Uint8Array.from(
      { length: width * height },
      (_, at) => offset + red * data[at * 4] + green * data[at * 4 + 1] + blue * data[at * 4 + 2] + 0.5,
    ),
    width,
    height,
  });
  return [
    plane(16, 0.257, 0.504, 0.098),
    plane(128, -0.148, -0.291, 0.439),
    plane(128, 0.439, -0.368, -0.071),
  ];
}

/** Paints one channel of the photo by inverse mapping, four bilinear samples a pixel. */
function paintPhoto(frame: Plane, print: Plane, map: Map3, photo: Photo): void {
  const { data, width, height } = print;
  const shrunk = frame.width / FRAME_WIDTH;
  const corners = cornersOf(map, photo);
  const left = Math.max(0, Math.floor(Math.min(...corners.map(({ x }) => x)) * shrunk));
  const right = Math.min(frame.width, Math.ceil(Math.max(...corners.map(({ x }) => x)) * shrunk));
  const top = Math.max(0, Math.floor(Math.min(...corners.map(({ y }) => y)) * shrunk));
  const bottom = Math.min(frame.height, Math.ceil(Math.max(...corners.map(({ y }) => y)) * shrunk));
  const [a, b, c, d, e, f, g, h, i] = invert(map);
  const scaleX = width / photo.width;
  const scaleY = height / photo.height;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * frame.width + x;
      let sum = 0;
      for (let sample = 0; sample < 4; sample++) {
        const px = (x + 0.25 + 0.5 * (sample & 1)) / shrunk;
        const py = (y + 0.25 + 0.5 * (sample >> 1)) / shrunk;
        const w = g * px + h * py + i;
        const u = ((a * px + b * py + c) / w) * scaleX - 0.5;
        const v = ((d * px + e * py + f) / w) * scaleY - 0.5;
        if (u < -0.5 || v < -0.5 || u > width - 0.5 || v > height - 0.5) {
          sum += frame.data[at];
          continue;
        }
        const x0 = Math.min(Math.max(Math.floor(u), 0), width - 2);
        const y0 = Math.min(Math.max(Math.floor(v), 0), height - 2);
        const fx = Math.min(Math.max(u - x0, 0), 1);
        const fy = Math.min(Math.max(v - y0, 0), 1);
        const upper = y0 * width + x0;
        const lower = upper + width;
        sum +=
          (data[upper] * (1 - fx) + data[upper + 1] * fx) * (1 - fy) +
          (data[lower] * (1 - fx) + data[lower + 1] * fx) * fy;
      }
      frame.data[at] = sum / 4 + 0.5;
    }
  }
}

/** Paints a wooden table: soft noise stretched into grain, the same in every film. */
function paintTable(): Planes {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const cell = { width: 64, height: 6 };
  const columns = FRAME_WIDTH / cell.width + 2;
  const rows = FRAME_HEIGHT / cell.height + 2;
  const knots = Float64Array.from({ length: columns * rows }, random);
  const wood = new Uint8Array(FRAME_WIDTH * FRAME_HEIGHT);
  for (let y = 0; y < FRAME_HEIGHT; y++) {
    for (let x = 0; x < FRAME_WIDTH; x++) {
      const column = Math.floor(x / cell.width);
      const row = Math.floor(y / cell.height);
      const fx = x / cell.width - column;
      const fy = y / cell.height - row;
      const at = row * columns + column;
      const upper = knots[at] * (1 - fx) + knots[at + 1] * fx;
      const lower = knots[at + columns] * (1 - fx) + knots[at + columns + 1] * fx;
      wood[y * FRAME_WIDTH + x] = 90 + 45 * (upper * (1 - fy) + lower * fy);
    }
  }
  const size = { width: FRAME_WIDTH / 2, height: FRAME_HEIGHT / 2 };
  const tint = (level: number) => ({ data: new Uint8Array(size.width * size.height).fill(level), ...size });
  return [{ data: wood, width: FRAME_WIDTH, height: FRAME_HEIGHT }, tint(112), tint(146)];
}

function paintCode(luma: Plane, index: number): void {
  for (let cell = 0; cell < CODE.bits * 2; cell++) {
    const bit = (index >> (CODE.bits - 1 - (cell % CODE.bits))) & 1;
    const level = cell < CODE.bits === (bit === 1) ? 235 : 16;
    for (let y = 0; y < CODE.cell; y++) {
      const at = y * luma.width + cell * CODE.cell;
      luma.data.fill(level, at, at + CODE.cell);
    }
  }
}
