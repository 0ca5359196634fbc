// A simulated camera in front of a printed photo: single frames with known poses, and all degradations
// between paper and sensor. Seeds make every frame reproducible.

import { resizeGrey } from "../../compiler/image/resize.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { type Corners, cornersOf, invert, type Map3, placePhoto } from "../../test/e2e/pinhole.ts";

/** Pixels of a frame: a browser's default resolution of a phone's camera. */
export const FRAME = { width: 640, height: 480 } as const;

/** Focal length, in pixels, of a frame that is 45° high: MindAR's player assumes it for every camera. */
export const FOCAL = FRAME.height / 2 / Math.tan(Math.PI / 8);

/** One view of the photo. Angles are in radians, lengths in frame pixels. */
export interface View {
  /** The photo's longer side as a share of the frame's height: a measure of distance. */
  readonly size: number;
  /** The angle between the camera's axis and the photo's normal, and the direction of the tilt. */
  readonly tilt: number;
  readonly lean: number;
  readonly roll: number;
  /** The position of the photo's centre: 0 is the middle of the frame, ±1 its edges. */
  readonly centre: readonly [number, number];
  /** Standard deviation of the lens's blur. */
  readonly defocus: number;
  /** Length and direction of the hand's motion while the shutter was open. */
  readonly motion: number;
  readonly motionAngle: number;
  /** Factor of the light, and standard deviation of the noise in grey levels. */
  readonly exposure: number;
  readonly noise: number;
  /** Share of the photo that is covered from one edge, and the direction of that edge. */
  readonly covered: number;
  readonly coveredFrom: number;
  /** Seed of the background and the noise. */
  readonly seed: number;
}

export interface Picture {
  readonly frame: GreyImage;
  readonly corners: Corners;
}

export type Random = () => number;

/** Returns a generator of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The properties of one view, each 0…1. */
type Shares = Readonly<
  Record<
    | "size"
    | "tilt"
    | "lean"
    | "roll"
    | "x"
    | "y"
    | "defocus"
    | "motion"
    | "motionAngle"
    | "exposure"
    | "noise"
    | "covered"
    | "coveredFrom",
    number
  >
>;

/**
 * Returns `count` views, the same for every photo, as most people hold a phone. Each property is spread evenly over
 * its range (a Latin hypercube), so that few views cover much.
 */
export function planViews(count: number, seed: number): View[] {
  return planShares(count, seed).map((shares, i) => ({
    ...aimed(shares),
    size: 0.18 + 0.77 * shares.size,
    tilt: (shares.tilt * 60 * Math.PI) / 180,
    defocus: 0.4 + 2 * shares.defocus ** 2,
    motion: 10 * shares.motion ** 3,
    exposure: 0.3 + shares.exposure,
    noise: 1 + 8 * shares.noise ** 2,
    covered: Math.max(0, shares.covered - 0.5) * 0.9,
    seed: seed * 1000 + i,
  }));
}

/**
 * Returns `count` poor views, planned like `planViews`: farther away, more tilted, more blurred, in less and more
 * light, and covered by more. In them, also pictures differ that are found in all views of `planViews`.
 */
export function planPoorViews(count: number, seed: number): View[] {
  return planShares(count, seed).map((shares, i) => ({
    ...aimed(shares),
    size: 0.1 * 9.5 ** shares.size,
    tilt: (shares.tilt * 78 * Math.PI) / 180,
    defocus: 0.4 + 3.6 * shares.defocus ** 2,
    motion: 24 * shares.motion ** 3,
    exposure: 0.1 * 22 ** shares.exposure,
    noise: 1 + 9 * shares.noise ** 2,
    covered: Math.max(0, shares.covered - 0.5) * 1.3,
    seed: seed * 1000 + i,
  }));
}

function planShares(count: number, seed: number): Shares[] {
  const random = seeded(seed);
  const column = () => {
    const values = Array.from({ length: count }, (_, i) => (i + random()) / count);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [values[i], values[j]] = [values[j], values[i]];
    }
    return values;
  };
  const [size, tilt, lean, roll, x, y] = [column(), column(), column(), column(), column(), column()];
  const [defocus, motion, motionAngle] = [column(), column(), column()];
  const [exposure, noise, covered, coveredFrom] = [column(), column(), column(), column()];
  return Array.from({ length: count }, (_, i) => ({
    size: size[i],
    tilt: tilt[i],
    lean: lean[i],
    roll: roll[i],
    x: x[i],
    y: y[i],
    defocus: defocus[i],
    motion: motion[i],
    motionAngle: motionAngle[i],
    exposure: exposure[i],
    noise: noise[i],
    covered: covered[i],
    coveredFrom: coveredFrom[i],
  }));
}

/** Returns where the camera points, and the directions of tilt, motion and cover. */
function aimed({ lean, roll, x, y, motionAngle, coveredFrom }: Shares) {
  return {
    lean: lean * 2 * Math.PI,
    // Most people hold the phone roughly upright; one in five holds it at any angle.
    roll: (roll < 0.2 ? roll * 5 - 0.5 : (roll - 0.6) / 4) * 2 * Math.PI,
    centre: [(x - 0.5) * 0.5, (y - 0.5) * 0.5] as const,
    motionAngle: motionAngle * Math.PI,
    coveredFrom: coveredFrom * 2 * Math.PI,
  };
}

/** Returns the root mean square error of the corners, as a share of the photo's longer side in the view. */
export function cornerError(found: Corners, corners: Corners, { size }: Pick<View, "size">): number {
  const squares = found.map(({ x, y }, i) => (x - corners[i].x) ** 2 + (y - corners[i].y) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 4) / (size * FRAME.height);
}

/** Takes a picture of `photo`. */
export function takePicture(photo: GreyImage, view: View): Picture {
  const map = poseOf(photo, view);
  const light = backgroundOf(view.seed).slice();
  paintPhoto(light, photo, map, view);
  const blurred = smear(soften(light, view.defocus), view.motion, view.motionAngle);
  return { frame: expose(blurred, view), corners: cornersOf(map, photo) };
}

/** Returns the map from photo pixels to frame pixels. */
export function poseOf(
  photo: GreyImage,
  view: Pick<View, "size" | "tilt" | "lean" | "roll" | "centre">,
): Map3 {
  const longer = Math.max(photo.width, photo.height);
  const depth = (FOCAL * longer) / (view.size * FRAME.height);
  const [tx, ty] = [
    (view.centre[0] * FRAME.width * depth) / 2 / FOCAL,
    (view.centre[1] * FRAME.height * depth) / 2 / FOCAL,
  ];
  // Tilt about an axis in the photo's plane, then turn by `roll` (Rodrigues' formula).
  const [c, s] = [Math.cos(view.tilt), Math.sin(view.tilt)];
  const [ax, ay] = [Math.cos(view.lean), Math.sin(view.lean)];
  const leaning = [
    [c + ax * ax * (1 - c), ax * ay * (1 - c), -ay * s],
    [ax * ay * (1 - c), c + ay * ay * (1 - c), ax * s],
  ];
  const [cr, sr] = [Math.cos(view.roll), Math.sin(view.roll)];
  const [right, down] = leaning.map(([x, y, z]) => [cr * x - sr * y, sr * x + cr * y, z]);
  return placePhoto(right, down, [tx, ty, depth], photo, FOCAL, FRAME);
}

const backgrounds = new Map<number, Float32Array>();

/** Returns the light of a cluttered table in front of the camera. */
export function backgroundOf(seed: number): Float32Array {
  const known = backgrounds.get(seed) ?? paintBackground(seed);
  backgrounds.set(seed, known);
  return known;
}

/** Paints a cluttered table: patches of soft noise, with papers and objects of even brightness. */
function paintBackground(seed: number): Float32Array {
  const { width, height } = FRAME;
  const random = seeded(seed);
  const out = new Float32Array(width * height).fill(90 + 80 * random());
  for (const cell of [160, 40, 12]) {
    const columns = Math.ceil(width / cell) + 2;
    const knots = Float32Array.from({ length: columns * (Math.ceil(height / cell) + 2) }, random);
    const strength = 10 + 0.15 * cell;
    for (let y = 0; y < height; y++) {
      const row = Math.floor(y / cell);
      const fy = y / cell - row;
      for (let x = 0; x < width; x++) {
        const left = Math.floor(x / cell);
        const fx = x / cell - left;
        const at = row * columns + left;
        const upper = knots[at] * (1 - fx) + knots[at + 1] * fx;
        const lower = knots[at + columns] * (1 - fx) + knots[at + columns + 1] * fx;
        out[y * width + x] += (upper * (1 - fy) + lower * fy - 0.5) * strength;
      }
    }
  }
  for (let thing = 0; thing < 14; thing++) {
    const [cx, cy] = [random() * width, random() * height];
    const [half, long] = [4 + 40 * random(), 10 + 90 * random()];
    const angle = random() * Math.PI;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const grey = 30 + 200 * random();
    const reach = Math.ceil(half + long);
    for (let y = Math.max(0, Math.floor(cy - reach)); y < Math.min(height, cy + reach); y++) {
      for (let x = Math.max(0, Math.floor(cx - reach)); x < Math.min(width, cx + reach); x++) {
        const along = (x - cx) * c + (y - cy) * s;
        const across = (y - cy) * c - (x - cx) * s;
        if (Math.abs(along) <= long && Math.abs(across) <= half) out[y * width + x] = grey;
      }
    }
  }
  return out;
}

/** Paints the photo over `light` by inverse mapping, with four bilinear samples per pixel. */
function paintPhoto(light: Float32Array, photo: GreyImage, map: Map3, view: View): void {
  const print = resizeGrey(photo, Math.max(64, Math.ceil(view.size * FRAME.height * 1.2)));
  const { data, width, height } = print;
  const [scaleX, scaleY] = [width / photo.width, height / photo.height];
  const corners = cornersOf(map, photo);
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  const [left, right] = [
    Math.max(0, Math.floor(Math.min(...xs))),
    Math.min(FRAME.width, Math.max(...xs) + 1),
  ];
  const [top, bottom] = [
    Math.max(0, Math.floor(Math.min(...ys))),
    Math.min(FRAME.height, Math.max(...ys) + 1),
  ];
  const [a, b, c, d, e, f, g, h, i] = invert(map);
  const cover = coverOf(photo, view);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * FRAME.width + x;
      let sum = 0;
      for (let sample = 0; sample < 4; sample++) {
        const px = x + 0.25 + 0.5 * (sample & 1);
        const py = y + 0.25 + 0.5 * (sample >> 1);
        const w = g * px + h * py + i;
        const photoX = (a * px + b * py + c) / w;
        const photoY = (d * px + e * py + f) / w;
        if (photoX < 0 || photoY < 0 || photoX >= photo.width || photoY >= photo.height) {
          sum += light[at];
          continue;
        }
        if (cover(photoX, photoY)) {
          sum += 140;
          continue;
        }
        const u = Math.min(Math.max(photoX * scaleX - 0.5, 0), width - 1.001);
        const v = Math.min(Math.max(photoY * scaleY - 0.5, 0), height - 1.001);
        const [x0, y0] = [Math.floor(u), Math.floor(v)];
        const [fx, fy] = [u - x0, v - y0];
        const upper = y0 * width + x0;
        const lower = upper + width;
        // Paper is less white and ink less black than a screen.
        const level =
          (data[upper] * (1 - fx) + data[upper + 1] * fx) * (1 - fy) +
          (data[lower] * (1 - fx) + data[lower + 1] * fx) * fy;
        sum += 20 + 0.82 * level;
      }
      light[at] = sum / 4;
    }
  }
}

/** Returns a function that says whether an object, such as a hand, covers a place of the photo. */
function coverOf({ width, height }: GreyImage, { covered, coveredFrom }: View) {
  if (covered === 0) return () => false;
  const [c, s] = [Math.cos(coveredFrom), Math.sin(coveredFrom)];
  const reach = (Math.abs(c) * width + Math.abs(s) * height) / 2;
  const edge = reach * (1 - 2 * covered);
  return (x: number, y: number) => (x - width / 2) * c + (y - height / 2) * s > edge;
}

/** Applies a Gaussian blur of standard deviation `sigma`. */
export function soften(light: Float32Array, sigma: number): Float32Array {
  const reach = Math.ceil(3 * sigma);
  const weights = Float32Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const { width, height } = FRAME;
  const across = new Float32Array(light.length);
  const line = new Float32Array(width + 2 * reach);
  for (let y = 0; y < height; y++) {
    const row = light.subarray(y * width, (y + 1) * width);
    line.fill(row[0], 0, reach).fill(row[width - 1], reach + width);
    line.set(row, reach);
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * line[x + k];
      across[y * width + x] = sum / total;
    }
  }
  const out = new Float32Array(light.length);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < weights.length; k++) {
      const from = Math.min(Math.max(y + k - reach, 0), height - 1) * width;
      const weight = weights[k] / total;
      for (let x = 0; x < width; x++) out[y * width + x] += weight * across[from + x];
    }
  }
  return out;
}

/** Applies motion blur along a straight line of `length` pixels. */
function smear(light: Float32Array, length: number, angle: number): Float32Array {
  const steps = Math.ceil(length);
  if (steps < 2) return light;
  const { width, height } = FRAME;
  const out = new Float32Array(light.length);
  for (let step = 0; step < steps; step++) {
    const along = ((step + 0.5) / steps - 0.5) * length;
    const dx = Math.round(along * Math.cos(angle));
    const dy = Math.round(along * Math.sin(angle));
    for (let y = 0; y < height; y++) {
      const row = Math.min(Math.max(y + dy, 0), height - 1) * width;
      for (let x = 0; x < width; x++) {
        out[y * width + x] += light[row + Math.min(Math.max(x + dx, 0), width - 1)] / steps;
      }
    }
  }
  return out;
}

/** Converts light to 8-bit grey levels: exposure, noise, clipping. */
function expose(light: Float32Array, { exposure, noise, seed }: View): GreyImage {
  const random = seeded(seed ^ 0x5bd1e995);
  const data = new Uint8Array(light.length);
  for (let i = 0; i < light.length; i++) {
    // The sum of four uniform numbers approximates a normal distribution.
    const normal = (random() + random() + random() + random() - 2) * Math.sqrt(3);
    data[i] = Math.min(Math.max(light[i] * exposure + normal * noise, 0), 255);
  }
  return { data, ...FRAME };
}
