// Films of the simulated camera: a photo that moves in front of a table. Each frame's motion blur comes from the
// motion while the shutter was open.

import { encodeJpeg } from "../../compiler/image/codecs.ts";
import { decodeImage, toGrey } from "../../compiler/image/decode.ts";
import { resizeGrey } from "../../compiler/image/resize.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { type Corners, cornersOf, invert, type Map3, type Point } from "../../test/e2e/pinhole.ts";

import { backgroundOf, FRAME, poseOf, seeded, soften, type View } from "./camera.ts";

/** Where the photo is. */
export type Place = Pick<View, "size" | "tilt" | "lean" | "roll" | "centre">;

/** A film's script. Times are in frames: frame i is exposed around time i. */
export interface Script {
  readonly frames: number;
  place(time: number): Place;
  /** Factor of the light. */
  exposure(time: number): number;
  /** The columns that an object in front of the photo covers; null for none. */
  cover(time: number): { readonly left: number; readonly right: number } | null;
  /** How long the shutter is open, as a share of the time between frames. */
  readonly shutter: number;
  /** Standard deviations of the lens's blur, in pixels, and of the noise, in grey levels. */
  readonly defocus: number;
  readonly noise: number;
  /** How long reading the rows takes, as a share of the time between frames: 0 reads all at once. */
  readonly readout: number;
  /** Radial distortion: the relative shift at half the frame's diagonal. */
  readonly distortion: number;
  /** Quality of JPEG compression; null for none. */
  readonly jpeg: number | null;
}

export interface FilmFrame {
  readonly index: number;
  readonly frame: GreyImage;
  readonly corners: Corners;
  /** Share of the photo that is in the frame, covered or not. */
  readonly visible: number;
}

const HALF_DIAGONAL = Math.hypot(FRAME.width, FRAME.height) / 2;

/** Shoots a film of `photo`. */
export async function* shoot(photo: GreyImage, script: Script, seed: number): AsyncGenerator<FilmFrame> {
  const background = backgroundOf(seed);
  const prints = new Map<number, GreyImage>();
  for (let index = 0; index < script.frames; index++) {
    const light = expose(photo, script, index, background, prints);
    const frame = develop(soften(light, script.defocus), script, index, seed);
    yield {
      index,
      frame: script.jpeg === null ? frame : await compress(frame, script.jpeg),
      corners: cornersAt(photo, script, index),
      visible: visibleShare(photo, script, index),
    };
  }
}

/** Returns the corners, each when its own row is read. */
export function cornersAt(photo: GreyImage, script: Script, time: number): Corners {
  const now = cornersOf(poseOf(photo, script.place(time)), photo);
  return now.map((corner, i) => {
    let place = distort(corner, script.distortion);
    for (let round = 0; script.readout > 0 && round < 4; round++) {
      const map = poseOf(photo, script.place(time + rowTime(place.y, script)));
      place = distort(cornersOf(map, photo)[i], script.distortion);
    }
    return place;
  }) as unknown as Corners;
}

/** Returns when a row is read, in frames after the middle row. */
function rowTime(y: number, { readout }: Script): number {
  return readout * (Math.min(Math.max(y / FRAME.height, 0), 1) - 0.5);
}

function distort({ x, y }: Point, distortion: number): Point {
  const [dx, dy] = [x - FRAME.width / 2, y - FRAME.height / 2];
  const radius = Math.min(Math.hypot(dx, dy) / HALF_DIAGONAL, 2);
  let scale = 1;
  for (let round = 0; round < 10; round++) scale = 1 / (1 + distortion * (radius * scale) ** 2);
  return { x: FRAME.width / 2 + dx * scale, y: FRAME.height / 2 + dy * scale };
}

function visibleShare(photo: GreyImage, script: Script, time: number): number {
  const map = poseOf(photo, script.place(time));
  let inside = 0;
  for (let i = 0; i < 400; i++) {
    const [u, v] = [(((i % 20) + 0.5) / 20) * photo.width, ((Math.floor(i / 20) + 0.5) / 20) * photo.height];
    const w = map[6] * u + map[7] * v + map[8];
    const [x, y] = [(map[0] * u + map[1] * v + map[2]) / w, (map[3] * u + map[4] * v + map[5]) / w];
    if (x >= 0 && y >= 0 && x < FRAME.width && y < FRAME.height) inside++;
  }
  return inside / 400;
}

/** Gathers the light while the shutter is open, from samples at different times and places in a pixel. */
function expose(
  photo: GreyImage,
  script: Script,
  time: number,
  background: Float32Array,
  prints: Map<number, GreyImage>,
): Float32Array {
  const { width, height } = FRAME;
  const light = background.slice();
  const place = script.place(time);
  const print = printOf(photo, place.size, prints);
  const open = script.shutter / 2;
  const [before, after] = [cornersAt(photo, script, time - open), cornersAt(photo, script, time + open)];
  const motion = Math.max(...before.map(({ x, y }, i) => Math.hypot(after[i].x - x, after[i].y - y)));
  const samples = Math.min(Math.max(4, Math.ceil(motion)), 32);
  const cover = script.cover(time);
  const early = script.readout / 2 + open;
  const all = [
    before,
    after,
    cornersAt(photo, script, time - early),
    cornersAt(photo, script, time + early),
  ].flat();
  const [xs, ys] = [all.map(({ x }) => x), all.map(({ y }) => y)];
  const left = Math.max(0, Math.floor(Math.min(...xs)) - 4);
  const right = Math.min(width, Math.ceil(Math.max(...xs)) + 4);
  const top = Math.max(0, Math.floor(Math.min(...ys)) - 4);
  const bottom = Math.min(height, Math.ceil(Math.max(...ys)) + 4);
  const [scaleX, scaleY] = [print.width / photo.width, print.height / photo.height];
  const lastX = print.width - 1.001;
  const lastY = print.height - 1.001;
  const stepX = coprime(samples, 0.618);
  const stepY = coprime(samples, 0.281);
  for (let sample = 0; sample < samples; sample++) {
    const at = time + ((sample + 0.5) / samples - 0.5) * script.shutter;
    // A lattice: each of the times has a column and a row of the pixel for itself.
    const placeX = (((sample * stepX) % samples) + 0.5) / samples;
    const placeY = (((sample * stepY) % samples) + 0.5) / samples;
    let map: Map3 | null = null;
    for (let y = top; y < bottom; y++) {
      if (map === null || script.readout > 0)
        map = invert(poseOf(photo, script.place(at + rowTime(y + 0.5, script))));
      const [a, b, c, d, e, f, g, h, i] = map;
      for (let x = left; x < right; x++) {
        let px = x + placeX;
        let py = y + placeY;
        if (script.distortion !== 0) {
          const dx = px - width / 2;
          const dy = py - height / 2;
          const scale = 1 + (script.distortion * (dx * dx + dy * dy)) / (HALF_DIAGONAL * HALF_DIAGONAL);
          px = width / 2 + dx * scale;
          py = height / 2 + dy * scale;
        }
        const w = g * px + h * py + i;
        const u = (a * px + b * py + c) / w;
        const v = (d * px + e * py + f) / w;
        if (!(u >= 0 && v >= 0 && u < photo.width && v < photo.height)) continue;
        const pu = Math.min(Math.max(u * scaleX - 0.5, 0), lastX);
        const pv = Math.min(Math.max(v * scaleY - 0.5, 0), lastY);
        const column = pu | 0;
        const row = pv | 0;
        const fx = pu - column;
        const fy = pv - row;
        const from = row * print.width + column;
        const upper = print.data[from] * (1 - fx) + print.data[from + 1] * fx;
        const lower = print.data[from + print.width] * (1 - fx) + print.data[from + print.width + 1] * fx;
        const to = y * width + x;
        // Paper is less white and ink less black than a screen.
        light[to] += (20 + 0.82 * (upper * (1 - fy) + lower * fy) - background[to]) / samples;
      }
    }
  }
  if (cover) {
    // A sleeve with stripes.
    for (let x = Math.max(0, Math.floor(cover.left)); x < Math.min(width, cover.right); x++) {
      for (let y = 0; y < height; y++) {
        light[y * width + x] = 110 + 60 * Math.sin((x - cover.left + 0.3 * y) / 9);
      }
    }
  }
  return light;
}

/** Returns the number nearest above `share` × `size` without a common factor with `size`. */
function coprime(size: number, share: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let step = Math.max(1, Math.round(share * size));
  while (divisor(size, step) !== 1) step++;
  return step;
}

/** Returns the photo at about the resolution of the frame. Sizes come in steps, so that films need few. */
function printOf(photo: GreyImage, size: number, prints: Map<number, GreyImage>): GreyImage {
  const step = Math.ceil(Math.log(Math.max(64, size * FRAME.height * 1.2)) / Math.log(1.1));
  const known = prints.get(step) ?? resizeGrey(photo, Math.round(1.1 ** step));
  prints.set(step, known);
  return known;
}

/** A prime number of samples of a normal distribution. */
const noise = (() => {
  const random = seeded(77);
  return Float32Array.from(
    { length: 1_000_003 },
    () => (random() + random() + random() + random() - 2) * Math.sqrt(3),
  );
})();

function develop(light: Float32Array, script: Script, index: number, seed: number): GreyImage {
  const exposure = script.exposure(index);
  const data = new Uint8Array(light.length);
  let at = Math.floor(seeded(seed * 1000 + index)() * noise.length);
  for (let i = 0; i < light.length; i++) {
    data[i] = Math.min(Math.max(light[i] * exposure + noise[at] * script.noise + 0.5, 0), 255);
    at = at + 1 === noise.length ? 0 : at + 1;
  }
  return { data, ...FRAME };
}

/** Returns the frame after JPEG compression. */
export async function compress({ data, width, height }: GreyImage, quality: number): Promise<GreyImage> {
  const rgba = new Uint8Array(4 * data.length);
  for (let i = 0; i < data.length; i++) rgba.set([data[i], data[i], data[i], 255], 4 * i);
  return toGrey(await decodeImage(await encodeJpeg({ data: rgba, width, height }, quality)));
}
