// Photos in real photographs: each photograph shows a chessboard, whose place is known to a fifth of a pixel, and a
// photo is pasted over it in the light, with the blur and the noise of the photograph. README.md has the sources.

import { readFile } from "node:fs/promises";
import { decodeImage, toGrey } from "../../compiler/image/decode.ts";
import { resizeGrey } from "../../compiler/image/resize.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { cornersOf, invert, type Map3 } from "../../test/e2e/pinhole.ts";
import { FRAME, type Picture, seeded, soften } from "../recall/camera.ts";
import { compress } from "../recall/film.ts";

interface Camera {
  /** Focal lengths and principal point in pixels whose centres are whole numbers: fx, fy, cx, cy. */
  readonly matrix: readonly number[];
  /** OpenCV's k1, k2, p1, p2, k3. */
  readonly distortion: readonly number[];
}

/** What is known of a photograph. Places on the board are in squares; the first inner corner is at (0, 0). */
interface Shot {
  readonly name: string;
  readonly camera: string;
  /** From the board to the plane at distance 1 from the camera: row-major 3 × 3. */
  readonly board: Map3;
  /** Grey levels of the white and the black squares: coefficients of 1, x, y, x², xy, y². */
  readonly white: readonly number[];
  readonly black: readonly number[];
  /** Standard deviations of the blur, in pixels, and of the noise, in grey levels. */
  readonly blur: number;
  readonly noise: number;
}

export interface Photograph extends Shot {
  /** Without the distortion of the lens, which phones correct. */
  readonly frame: GreyImage;
  /** From the board to the frame. */
  readonly map: Map3;
  /** Angle between the camera's axis and the board's normal, in degrees. */
  readonly tilt: number;
}

/** Inner corners of the board, and squares of paper around them. */
export const BOARD = { columns: 9, rows: 6, margin: 0.75 } as const;

/** Quality of JPEG compression. */
const JPEG_QUALITY = 90;

/** Samples of a pixel along each side. */
const SAMPLES = 3;

/** Loads all photographs. Call `loadCodecs` first. */
export async function loadPhotographs(): Promise<Photograph[]> {
  const { cameras, photographs }: { cameras: Record<string, Camera>; photographs: Shot[] } = JSON.parse(
    await readFile(new URL("cameras.json", import.meta.url), "utf8"),
  );
  return Promise.all(
    photographs.map(async (shot) => {
      const camera = cameras[shot.camera];
      const bytes = await readFile(new URL(`${shot.name}.jpg`, import.meta.url));
      const frame = straighten(toGrey(await decodeImage(bytes)), camera);
      return { ...shot, frame, map: mapOf(shot, camera), tilt: tiltOf(shot) };
    }),
  );
}

/**
 * Pastes a photo on the middle of the board, its longer side along the board's.
 *
 * @param share of the length at which it fills the board
 */
export async function paste(
  photo: GreyImage,
  photograph: Photograph,
  { share, seed }: { readonly share: number; readonly seed: number },
): Promise<Picture> {
  const onBoard = placeOnBoard(photo, share);
  const map = multiply(photograph.map, onBoard);
  const corners = cornersOf(map, photo);
  const side = Math.hypot(corners[1].x - corners[0].x, corners[1].y - corners[0].y);
  const print = resizeGrey(
    photo,
    Math.ceil((1.2 * side * Math.max(photo.width, photo.height)) / photo.width),
  );
  const { light, cover } = paint(photo, print, photograph, { map, onBoard });
  const [softLight, softCover] = [soften(light, photograph.blur), soften(cover, photograph.blur)];
  const random = seeded(seed);
  const data = photograph.frame.data.map((grey, i) => {
    const noise = (random() + random() + random() + random() - 2) * Math.sqrt(3) * photograph.noise;
    const level = grey * (1 - softCover[i]) + softLight[i] + noise * softCover[i];
    return Math.min(Math.max(level + 0.5, 0), 255);
  });
  return { frame: await compress({ data, ...FRAME }, JPEG_QUALITY), corners };
}

/** Returns the light of the pasted photo, and the share of each pixel that it covers. */
function paint(
  photo: GreyImage,
  print: GreyImage,
  photograph: Photograph,
  { map, onBoard }: { readonly map: Map3; readonly onBoard: Map3 },
) {
  const light = new Float32Array(FRAME.width * FRAME.height);
  const cover = new Float32Array(light.length);
  const [a, b, c, d, e, f, g, h, i] = invert(map);
  const corners = cornersOf(map, photo);
  const [left, right] = rangeOf(
    corners.map(({ x }) => x),
    FRAME.width,
  );
  const [top, bottom] = rangeOf(
    corners.map(({ y }) => y),
    FRAME.height,
  );
  const [scaleX, scaleY] = [print.width / photo.width, print.height / photo.height];
  const samples = SAMPLES * SAMPLES;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * FRAME.width + x;
      for (let sample = 0; sample < samples; sample++) {
        const px = x + ((sample % SAMPLES) + 0.5) / SAMPLES;
        const py = y + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
        const w = g * px + h * py + i;
        const u = (a * px + b * py + c) / w;
        const v = (d * px + e * py + f) / w;
        if (!(u >= 0 && v >= 0 && u < photo.width && v < photo.height)) continue;
        const black = levelAt(photograph.black, onBoard, u, v);
        const white = levelAt(photograph.white, onBoard, u, v);
        light[at] += (black + ((white - black) * sampleAt(print, u * scaleX, v * scaleY)) / 255) / samples;
        cover[at] += 1 / samples;
      }
    }
  }
  return { light, cover };
}

/** Returns the first whole number inside the frame that values reach, and the one after the last. */
function rangeOf(values: readonly number[], size: number): [number, number] {
  return [Math.max(0, Math.floor(Math.min(...values))), Math.min(size, Math.ceil(Math.max(...values)))];
}

/** Returns the map from photo pixels to the board. */
function placeOnBoard({ width, height }: GreyImage, share: number): Map3 {
  const long = BOARD.columns - 1 + 2 * BOARD.margin;
  const short = BOARD.rows - 1 + 2 * BOARD.margin;
  const scale = share * Math.min(long / Math.max(width, height), short / Math.min(width, height));
  const [x, y] = [(BOARD.columns - 1) / 2, (BOARD.rows - 1) / 2];
  const [dx, dy] = [(width * scale) / 2, (height * scale) / 2];
  return width >= height
    ? [scale, 0, x - dx, 0, scale, y - dy, 0, 0, 1]
    : [0, -scale, x + dy, scale, 0, y - dx, 0, 0, 1];
}

function levelAt([one, x, y, xx, xy, yy]: readonly number[], onBoard: Map3, u: number, v: number): number {
  const p = onBoard[0] * u + onBoard[1] * v + onBoard[2];
  const q = onBoard[3] * u + onBoard[4] * v + onBoard[5];
  return one + x * p + y * q + xx * p * p + xy * p * q + yy * q * q;
}

/** Returns the grey level at a place, whose pixel (0, 0) covers [0, 1) × [0, 1), between the pixels around it. */
function sampleAt({ data, width, height }: GreyImage, x: number, y: number): number {
  const u = Math.min(Math.max(x - 0.5, 0), width - 1.001);
  const v = Math.min(Math.max(y - 0.5, 0), height - 1.001);
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const at = top * width + left;
  const upper = data[at] + (data[at + 1] - data[at]) * (u - left);
  const lower = data[at + width] + (data[at + width + 1] - data[at + width]) * (u - left);
  return upper + (lower - upper) * (v - top);
}

/** Removes the distortion of the lens. */
function straighten(image: GreyImage, { matrix: [fx, fy, cx, cy], distortion }: Camera): GreyImage {
  const [k1, k2, p1, p2, k3] = distortion;
  const data = new Uint8Array(image.data.length);
  for (let row = 0; row < image.height; row++) {
    for (let column = 0; column < image.width; column++) {
      const [x, y] = [(column - cx) / fx, (row - cy) / fy];
      const square = x * x + y * y;
      const radial = 1 + square * (k1 + square * (k2 + square * k3));
      const u = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x);
      const v = y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y;
      data[row * image.width + column] = sampleAt(image, u * fx + cx + 0.5, v * fy + cy + 0.5) + 0.5;
    }
  }
  return { ...image, data };
}

function mapOf({ board }: Shot, { matrix: [fx, fy, cx, cy] }: Camera): Map3 {
  return multiply([fx, 0, cx + 0.5, 0, fy, cy + 0.5, 0, 0, 1], board);
}

function tiltOf({ board: [a, b, , d, e, , g, h] }: Shot): number {
  // The board's rows and columns as the camera sees them; the normal is their cross product.
  const normal = [d * h - g * e, g * b - a * h, a * e - d * b];
  return (Math.acos(Math.abs(normal[2]) / Math.hypot(...normal)) * 180) / Math.PI;
}

/** Returns the map that applies `first`, then `second`. */
function multiply(second: Map3, first: Map3): Map3 {
  return Array.from({ length: 9 }, (_, at) => {
    const [row, column] = [3 * Math.floor(at / 3), at % 3];
    return (
      second[row] * first[column] + second[row + 1] * first[column + 3] + second[row + 2] * first[column + 6]
    );
  });
}
