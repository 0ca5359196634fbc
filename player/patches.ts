// Patches of a level, compared with the frame one by one.
//
// A patch measures by how much it is displaced, and how well it correlates, whatever the light on it: gain and bias
// are its own. The map follows from all displacements together (follow.ts).
//
// Inverse compositional: the gradients are the target's, so that they are computed once.
// Source: Baker and Matthews, Lucas-Kanade 20 years on (2004); Hager and Belhumeur, Efficient region tracking with
// parametric models of geometry and illumination (1998), for the light.

import type { Room } from "../compiler/kernels/kernels.ts";
import {
  GEOMETRY_BITS,
  GEOMETRY_LENGTH,
  LARGEST_ENTRY,
  PATCH_SIDE,
  PATCH_SUMS,
  PIXEL_UNITS,
  TEMPLATE_LENGTH,
} from "../compiler/kernels/patches.ts";
import type { GreyImage, Size } from "../compiler/types.ts";
import type { Homography } from "./homography.ts";
import type { PlayerKernels } from "./kernels.ts";
import type { Level } from "./levels.ts";

const PIXELS = PATCH_SIDE * PATCH_SIDE;

/** The least standard deviation, in grey levels, of a patch. */
const LEAST_DEVIATION = 3;

/** Standard deviation, in grey levels, of what frame and target never share: noise, and the resampling. */
const NOISE = 1.5;

/** Distance, in pixels, between the places at which patches are tried. */
const STRIDE = 4;

export interface Patches {
  readonly kernels: PlayerKernels;
  readonly count: number;
  /** Centers in level pixels. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** For each patch, `TEMPLATE_LENGTH` numbers. */
  readonly templates: Int16Array;
  /** For each patch: corrections and scales, see `TEMPLATE_FACTS`. */
  readonly facts: Float64Array;
  readonly geometry: Int32Array;
  readonly sums: Int32Array;
  /** Results: correlation, -1…1, and -2 outside the frame; displacement in level pixels; its information matrix. */
  readonly correlation: Float64Array;
  readonly dx: Float64Array;
  readonly dy: Float64Array;
  readonly information: Float64Array;
}

/** Sum of the squares of the template's pixels, sums of its gradients, products of those with its pixels, gradients' matrix, deviation. */
const TEMPLATE_FACTS = 10;

/** The correlation of a patch that is not in the frame. */
export const OUTSIDE = -2;

/**
 * Chooses places with texture: `cells` × `cells` parts of the level get at most `quota` patches each, which do not
 * overlap by more than half. The best of a part come first.
 */
export function choosePlaces(level: Level, cells: number, quota: number): Place[] {
  const { width, height } = level;
  const byCell: Place[][] = Array.from({ length: cells * cells }, () => []);
  for (let top = 1; top + PATCH_SIDE < height; top += STRIDE) {
    for (let left = 1; left + PATCH_SIDE < width; left += STRIDE) {
      const score = rate(level, left, top);
      if (score === 0) continue;
      const column = Math.floor(((left + PATCH_SIDE / 2) * cells) / width);
      const row = Math.floor(((top + PATCH_SIDE / 2) * cells) / height);
      byCell[row * cells + column].push({ left, top, score });
    }
  }
  const chosen: Place[] = [];
  for (const places of byCell) {
    places.sort((a, b) => b.score - a.score);
    const first = chosen.length;
    for (const place of places) {
      if (chosen.length - first === quota) break;
      const free = chosen.every(
        ({ left, top }) => Math.abs(left - place.left) + Math.abs(top - place.top) >= PATCH_SIDE,
      );
      if (free) chosen.push(place);
    }
  }
  return chosen;
}

/** Allocates patches at these places. */
export function layPatches(room: Room, kernels: PlayerKernels, places: readonly Place[]): Patches {
  const count = places.length;
  return {
    kernels,
    count,
    x: Float64Array.from(places, ({ left }) => left + PATCH_SIDE / 2),
    y: Float64Array.from(places, ({ top }) => top + PATCH_SIDE / 2),
    templates: room.int16(count * TEMPLATE_LENGTH),
    facts: new Float64Array(count * TEMPLATE_FACTS),
    geometry: room.int32(count * GEOMETRY_LENGTH),
    sums: room.int32(count * PATCH_SUMS),
    correlation: new Float64Array(count),
    dx: new Float64Array(count),
    dy: new Float64Array(count),
    information: new Float64Array(3 * count),
  };
}

/** Writes the templates of patches, as the level shows them. */
export function describePatches(level: Level, patches: Patches): void {
  for (let patch = 0; patch < patches.count; patch++) {
    cut(level, patches.x[patch] - PATCH_SIDE / 2, patches.y[patch] - PATCH_SIDE / 2);
    describe(patches, patch);
  }
}

export interface Place {
  readonly left: number;
  readonly top: number;
  readonly score: number;
}

/** Returns how well a patch can be located: 0 without texture. */
function rate({ data, width }: Level, left: number, top: number): number {
  let sum = 0;
  let squares = 0;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let row = 0; row < PATCH_SIDE; row++) {
    for (let column = 0, at = (top + row) * width + left; column < PATCH_SIDE; column++, at++) {
      const gx = (data[at + 1] - data[at - 1]) / 2;
      const gy = (data[at + width] - data[at - width]) / 2;
      sum += data[at];
      squares += data[at] ** 2;
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
    }
  }
  if (squares / PIXELS - (sum / PIXELS) ** 2 < LEAST_DEVIATION ** 2) return 0;
  const root = Math.hypot(xx - yy, 2 * xy);
  return xx + yy - root + 0.1 * (xx + yy + root);
}

/** A patch with a border of one pixel, for its gradients. */
const CUT_SIDE = PATCH_SIDE + 2;
const piece = new Float64Array(CUT_SIDE * CUT_SIDE);

function cut({ data, width }: Level, left: number, top: number): void {
  for (let row = 0, to = 0; row < CUT_SIDE; row++) {
    for (let column = 0, at = (top + row - 1) * width + left - 1; column < CUT_SIDE; column++, at++) {
      piece[to++] = data[at];
    }
  }
}

/** Cuts a patch from the level smeared along a line of this length, in level pixels. */
function cutSmeared({ data, width, height }: Level, left: number, top: number, dx: number, dy: number): void {
  piece.fill(0);
  const taps = Math.ceil(Math.hypot(dx, dy)) + 1;
  for (let tap = 0; tap < taps; tap++) {
    const along = (tap + 0.5) / taps - 0.5;
    const x = Math.min(Math.max(left - 1 + along * dx, 0), width - CUT_SIDE - 1.001);
    const y = Math.min(Math.max(top - 1 + along * dy, 0), height - CUT_SIDE - 1.001);
    const [x0, y0] = [x | 0, y | 0];
    const [fx, fy] = [x - x0, y - y0];
    const a = ((1 - fx) * (1 - fy)) / taps;
    const b = (fx * (1 - fy)) / taps;
    const c = ((1 - fx) * fy) / taps;
    const d = (fx * fy) / taps;
    for (let row = 0, to = 0; row < CUT_SIDE; row++) {
      for (let column = 0, at = (y0 + row) * width + x0; column < CUT_SIDE; column++, at++, to++) {
        piece[to] += a * data[at] + b * data[at + 1] + c * data[at + width] + d * data[at + width + 1];
      }
    }
  }
}

/**
 * Writes templates as a camera sees them that moved from the map `before` to the map `now` between two frames.
 *
 * @param shutter how long the shutter was open, as a share of the time between the frames
 * @param now and @param before take level pixels to the frame
 */
export function smearPatches(
  level: Level,
  now: Homography,
  before: Homography,
  shutter: number,
  out: Patches,
): void {
  const [a, b, c, d, e, f, g, h, i] = now;
  for (let patch = 0; patch < out.count; patch++) {
    const u = out.x[patch];
    const v = out.y[patch];
    const w = 1 / (g * u + h * v + i);
    const x = (a * u + b * v + c) * w;
    const y = (d * u + e * v + f) * w;
    const ux = (a - g * x) * w;
    const uy = (d - g * y) * w;
    const vx = (b - h * x) * w;
    const vy = (e - h * y) * w;
    const past = 1 / (before[6] * u + before[7] * v + before[8]);
    const moveX = x - (before[0] * u + before[1] * v + before[2]) * past;
    const moveY = y - (before[3] * u + before[4] * v + before[5]) * past;
    const scale = shutter / (ux * vy - uy * vx);
    const dx = scale * (vy * moveX - vx * moveY);
    const dy = scale * (ux * moveY - uy * moveX);
    const shrink = Math.min(1, LONGEST_SMEAR / Math.hypot(dx, dy)) || 0;
    cutSmeared(level, u - PATCH_SIDE / 2, v - PATCH_SIDE / 2, shrink * dx, shrink * dy);
    describe(out, patch);
  }
}

/** Pixels of the longest smear: details along it are gone long before. */
const LONGEST_SMEAR = 12;

const pixels = new Float64Array(PIXELS);
const gx = new Float64Array(PIXELS);
const gy = new Float64Array(PIXELS);
const constant = new Float64Array(PIXELS).fill(1);

/**
 * Writes the template of the patch that was cut. Its gradients are made orthogonal to its pixels and to a
 * constant, so that neither gain nor bias displaces it.
 */
function describe(patches: Patches, patch: number): void {
  for (let i = 0; i < PIXELS; i++) {
    const at = ((i >> 3) + 1) * CUT_SIDE + (i & 7) + 1;
    pixels[i] = piece[at];
    gx[i] = (piece[at + 1] - piece[at - 1]) / 2;
    gy[i] = (piece[at + CUT_SIDE] - piece[at - CUT_SIDE]) / 2;
  }
  subtractPart(pixels, constant);
  subtractPart(gx, constant);
  subtractPart(gy, constant);
  subtractPart(gx, pixels);
  subtractPart(gy, pixels);
  const pixelUnits = LARGEST_ENTRY / Math.max(largest(pixels), 1e-3);
  const gradientUnits = LARGEST_ENTRY / Math.max(largest(gx), largest(gy), 1e-3);
  const { templates, facts } = patches;
  const t = patch * TEMPLATE_LENGTH;
  const f = patch * TEMPLATE_FACTS;
  facts.fill(0, f, f + TEMPLATE_FACTS);
  for (let i = 0; i < PIXELS; i++) {
    const r = Math.round(pixels[i] * pixelUnits);
    const x = Math.round(gx[i] * gradientUnits);
    const y = Math.round(gy[i] * gradientUnits);
    templates[t + i] = r;
    templates[t + PIXELS + i] = x;
    templates[t + 2 * PIXELS + i] = y;
    facts[f] += r * r;
    facts[f + 1] += x;
    facts[f + 2] += y;
    facts[f + 3] += x * r;
    facts[f + 4] += y * r;
    facts[f + 5] += (x * x) / gradientUnits ** 2;
    facts[f + 6] += (x * y) / gradientUnits ** 2;
    facts[f + 7] += (y * y) / gradientUnits ** 2;
  }
  facts[f + 8] = Math.sqrt(facts[f]) / pixelUnits;
  facts[f + 9] = 1 / gradientUnits;
}

function subtractPart(values: Float64Array, direction: Float64Array): void {
  let product = 0;
  let square = 0;
  for (let i = 0; i < PIXELS; i++) {
    product += values[i] * direction[i];
    square += direction[i] ** 2;
  }
  if (square > 0) for (let i = 0; i < PIXELS; i++) values[i] -= (product / square) * direction[i];
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

/**
 * Compares all patches with an image in the kernels' memory, to which `map` takes level pixels. Writes correlations, displacements and
 * their information.
 *
 * @param bend of the lens: see lens.ts
 */
export function measurePatches(patches: Patches, map: Homography, image: GreyImage, bend: number): void {
  placePatches(patches, map, image, bend);
  const { kernels, count, geometry, templates, facts, sums, correlation, dx, dy, information } = patches;
  kernels.samplePatches(image.data, image.width, geometry, count, templates, sums);
  for (let patch = 0; patch < patches.count; patch++) {
    const s = patch * PATCH_SUMS;
    const f = patch * TEMPLATE_FACTS;
    correlation[patch] = OUTSIDE;
    if (sums[s] < 0) continue;
    const sum = sums[s] / PIXEL_UNITS;
    const variance = sums[s + 1] / (PIXEL_UNITS * PIXEL_UNITS) - (sum * sum) / PIXELS;
    const norm = facts[f + 8];
    const noise = PIXELS * NOISE * NOISE;
    const product = sums[s + 2] / PIXEL_UNITS;
    const c = product / Math.sqrt(facts[f] * (variance + noise));
    correlation[patch] = c;
    // The gain by deviations; the frame's noise is not the patch's contrast.
    const gain = norm / Math.sqrt(Math.max(variance - noise, noise));
    const x =
      gain *
      facts[f + 9] *
      (sums[s + 3] / PIXEL_UNITS - (facts[f + 1] * sum) / PIXELS - (facts[f + 3] * product) / facts[f]);
    const y =
      gain *
      facts[f + 9] *
      (sums[s + 4] / PIXEL_UNITS - (facts[f + 2] * sum) / PIXELS - (facts[f + 4] * product) / facts[f]);
    // Damped, because a patch with one edge knows its place across the edge only.
    const damping = 0.02 * (facts[f + 5] + facts[f + 7]);
    const xx = facts[f + 5] + damping;
    const xy = facts[f + 6];
    const yy = facts[f + 7] + damping;
    const determinant = xx * yy - xy * xy;
    dx[patch] = (xy * y - yy * x) / determinant;
    dy[patch] = (xy * x - xx * y) / determinant;
    // What remains is noise of this variance per pixel.
    const remaining = ((1 - c * c) * (norm * norm)) / PIXELS + NOISE * NOISE * gain * gain * 0.25 + 0.25;
    information[3 * patch] = facts[f + 5] / remaining;
    information[3 * patch + 1] = facts[f + 6] / remaining;
    information[3 * patch + 2] = facts[f + 7] / remaining;
  }
}

/** Writes where the patches lie in an image of this size. Within a patch, the map is affine. */
function placePatches(
  { count, x, y, geometry, sums }: Patches,
  map: Homography,
  { width, height }: Size,
  bend: number,
): void {
  const [a, b, c, d, e, f, g, h, i] = map;
  const unit = 2 ** GEOMETRY_BITS;
  const reach = (PATCH_SIDE - 1) / 2;
  const perSquare = (4 * bend) / (width * width + height * height);
  for (let patch = 0, to = 0; patch < count; patch++, to += GEOMETRY_LENGTH) {
    const u = x[patch];
    const v = y[patch];
    const w = 1 / (g * u + h * v + i);
    let px = (a * u + b * v + c) * w;
    let py = (d * u + e * v + f) * w;
    let ux = (a - g * px) * w;
    let uy = (d - g * py) * w;
    let vx = (b - h * px) * w;
    let vy = (e - h * py) * w;
    if (bend !== 0) {
      const right = px - width / 2;
      const down = py - height / 2;
      const scale = 1 + perSquare * (right * right + down * down);
      px = width / 2 + right * scale;
      py = height / 2 + down * scale;
      const alongU = 2 * perSquare * (right * ux + down * uy);
      const alongV = 2 * perSquare * (right * vx + down * vy);
      ux = ux * scale + right * alongU;
      uy = uy * scale + down * alongU;
      vx = vx * scale + right * alongV;
      vy = vy * scale + down * alongV;
    }
    const reachX = reach * (Math.abs(ux) + Math.abs(vx));
    const reachY = reach * (Math.abs(uy) + Math.abs(vy));
    const inside =
      px - reachX >= 0.6 && py - reachY >= 0.6 && px + reachX <= width - 1.6 && py + reachY <= height - 1.6;
    sums[patch * PATCH_SUMS] = inside ? 0 : -1;
    if (!inside) continue;
    geometry[to] = Math.round((px - 0.5 - reach * (ux + vx)) * unit);
    geometry[to + 1] = Math.round((py - 0.5 - reach * (uy + vy)) * unit);
    geometry[to + 2] = Math.round(ux * unit);
    geometry[to + 3] = Math.round(uy * unit);
    geometry[to + 4] = Math.round(vx * unit);
    geometry[to + 5] = Math.round(vy * unit);
  }
}
