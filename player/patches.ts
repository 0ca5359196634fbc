// Patches of a level, compared with the frame one by one.
//
// A patch measures by how much it is displaced, and how well it correlates, whatever the light on it: gain and bias
// are its own. The map follows from all displacements together (follow.ts).
//
// Inverse compositional: the gradients are the target's, so that they are computed once.
// Source: Baker and Matthews, Lucas-Kanade 20 years on (2004); Hager and Belhumeur, Efficient region tracking with
// parametric models of geometry and illumination (1998), for the light.

import type { GreyImage } from "../compiler/types.ts";
import type { Homography } from "./homography.ts";
import type { Level } from "./levels.ts";

/** Pixels per side of a patch. */
const PATCH_SIDE = 8;
const PIXELS = PATCH_SIDE * PATCH_SIDE;

/** Numbers of a template: the pixels, their horizontal and their vertical gradients. */
const TEMPLATE = 3 * PIXELS;

/** Largest entry of a template: sums of 64 products with 12-bit pixels must stay below 2^31. */
const LARGEST = 2047;

/** Sums of a patch: pixels, squares of them, products with the template's pixels and its gradients. */
const SUMS = 5;

/** Units of a sampled pixel per grey level. */
const UNITS = 16;

/** Fractional bits of places in the frame. */
const BITS = 16;

/** Numbers of a patch's geometry: the place of the first pixel, and the steps along a row and a column. */
const GEOMETRY = 6;

/** The least standard deviation, in grey levels, of a patch. */
const LEAST_DEVIATION = 3;

/** Standard deviation, in grey levels, of what frame and target never share: noise, and the resampling. */
const NOISE = 1.5;

/** Distance, in pixels, between the places at which patches are tried. */
const STRIDE = 4;

export interface Patches {
  readonly count: number;
  /** Centers in level pixels. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** For each patch, `TEMPLATE` numbers. */
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
 * Chooses patches with texture: `cells` × `cells` parts of the level get at most `quota` each, which do not
 * overlap by more than half.
 */
export function choosePatches(level: Level, cells: number, quota: number): Patches {
  const chosen = cells > 0 ? choosePlaces(level, cells, quota) : [];
  const count = chosen.length;
  const patches: Patches = {
    count,
    x: new Float64Array(count),
    y: new Float64Array(count),
    templates: new Int16Array(count * TEMPLATE),
    facts: new Float64Array(count * TEMPLATE_FACTS),
    geometry: new Int32Array(count * GEOMETRY),
    sums: new Int32Array(count * SUMS),
    correlation: new Float64Array(count),
    dx: new Float64Array(count),
    dy: new Float64Array(count),
    information: new Float64Array(3 * count),
  };
  chosen.forEach(({ left, top }, i) => {
    patches.x[i] = left + PATCH_SIDE / 2;
    patches.y[i] = top + PATCH_SIDE / 2;
    describe(level, left, top, patches, i);
  });
  return patches;
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly score: number;
}

function choosePlaces(level: Level, cells: number, quota: number): Place[] {
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

/**
 * Writes the template of a patch. Its gradients are made orthogonal to its pixels and to a constant, so that
 * neither gain nor bias displaces it.
 */
function describe({ data, width }: Level, left: number, top: number, patches: Patches, patch: number): void {
  const pixels = new Float64Array(PIXELS);
  const gx = new Float64Array(PIXELS);
  const gy = new Float64Array(PIXELS);
  for (let i = 0; i < PIXELS; i++) {
    const at = (top + (i >> 3)) * width + left + (i & 7);
    pixels[i] = data[at];
    gx[i] = (data[at + 1] - data[at - 1]) / 2;
    gy[i] = (data[at + width] - data[at - width]) / 2;
  }
  const constant = new Float64Array(PIXELS).fill(1);
  subtractPart(pixels, constant);
  for (const gradient of [gx, gy]) {
    subtractPart(gradient, constant);
    subtractPart(gradient, pixels);
  }
  const pixelUnits = LARGEST / largest(pixels);
  const gradientUnits = LARGEST / Math.max(largest(gx), largest(gy), 1e-3);
  const template = patches.templates.subarray(patch * TEMPLATE, (patch + 1) * TEMPLATE);
  const facts = patches.facts.subarray(patch * TEMPLATE_FACTS, (patch + 1) * TEMPLATE_FACTS).fill(0);
  for (let i = 0; i < PIXELS; i++) {
    const r = Math.round(pixels[i] * pixelUnits);
    const x = Math.round(gx[i] * gradientUnits);
    const y = Math.round(gy[i] * gradientUnits);
    template[i] = r;
    template[PIXELS + i] = x;
    template[2 * PIXELS + i] = y;
    facts[0] += r * r;
    facts[1] += x;
    facts[2] += y;
    facts[3] += x * r;
    facts[4] += y * r;
    facts[5] += (x * x) / gradientUnits ** 2;
    facts[6] += (x * y) / gradientUnits ** 2;
    facts[7] += (y * y) / gradientUnits ** 2;
  }
  facts[8] = Math.sqrt(facts[0]) / pixelUnits;
  facts[9] = 1 / gradientUnits;
}

function subtractPart(values: Float64Array, direction: Float64Array): void {
  let product = 0;
  let square = 0;
  for (let i = 0; i < PIXELS; i++) {
    product += values[i] * direction[i];
    square += direction[i] ** 2;
  }
  for (let i = 0; i < PIXELS; i++) values[i] -= (product / square) * direction[i];
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/**
 * Compares all patches with an image, which `map` takes level pixels to. Writes correlations, displacements and
 * their information.
 */
export function measurePatches(patches: Patches, map: Homography, image: GreyImage): void {
  placePatches(patches, map, image.width, image.height);
  samplePatches(image.data, image.width, patches.geometry, patches.count, patches.templates, patches.sums);
  const { facts, sums, correlation, dx, dy, information } = patches;
  for (let patch = 0; patch < patches.count; patch++) {
    const s = patch * SUMS;
    const f = patch * TEMPLATE_FACTS;
    correlation[patch] = OUTSIDE;
    if (sums[s] < 0) continue;
    const sum = sums[s] / UNITS;
    const variance = sums[s + 1] / (UNITS * UNITS) - (sum * sum) / PIXELS;
    const norm = facts[f + 8];
    const noise = PIXELS * NOISE * NOISE;
    const product = sums[s + 2] / UNITS;
    const c = product / Math.sqrt(facts[f] * (variance + noise));
    correlation[patch] = c;
    // The gain by deviations; the frame's noise is not the patch's contrast.
    const gain = norm / Math.sqrt(Math.max(variance - noise, noise));
    const x =
      gain *
      facts[f + 9] *
      (sums[s + 3] / UNITS - (facts[f + 1] * sum) / PIXELS - (facts[f + 3] * product) / facts[f]);
    const y =
      gain *
      facts[f + 9] *
      (sums[s + 4] / UNITS - (facts[f + 2] * sum) / PIXELS - (facts[f + 4] * product) / facts[f]);
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
  width: number,
  height: number,
): void {
  const [a, b, c, d, e, f, g, h, i] = map;
  const unit = 2 ** BITS;
  const reach = (PATCH_SIDE - 1) / 2;
  for (let patch = 0, to = 0; patch < count; patch++, to += GEOMETRY) {
    const u = x[patch];
    const v = y[patch];
    const w = 1 / (g * u + h * v + i);
    const px = (a * u + b * v + c) * w;
    const py = (d * u + e * v + f) * w;
    const ux = (a - g * px) * w;
    const uy = (d - g * py) * w;
    const vx = (b - h * px) * w;
    const vy = (e - h * py) * w;
    const reachX = reach * (Math.abs(ux) + Math.abs(vx));
    const reachY = reach * (Math.abs(uy) + Math.abs(vy));
    const inside =
      px - reachX >= 0.6 && py - reachY >= 0.6 && px + reachX <= width - 1.6 && py + reachY <= height - 1.6;
    sums[patch * SUMS] = inside ? 0 : -1;
    if (!inside) continue;
    geometry[to] = Math.round((px - 0.5 - reach * (ux + vx)) * unit);
    geometry[to + 1] = Math.round((py - 0.5 - reach * (uy + vy)) * unit);
    geometry[to + 2] = Math.round(ux * unit);
    geometry[to + 3] = Math.round(uy * unit);
    geometry[to + 4] = Math.round(vx * unit);
    geometry[to + 5] = Math.round(vy * unit);
  }
}

const sampled = new Int16Array(PIXELS);

/**
 * Samples patches bilinearly and sums their pixels, in 1/16 grey levels, the squares, and the products with the
 * template's pixels and gradients. Patches whose first sum is negative are left out.
 *
 * @param geometry for each patch in 1/65536 pixels: x and y of the first sample from the center of the first
 * pixel, the step along a row, the step along a column
 */
function samplePatches(
  data: Uint8Array,
  width: number,
  geometry: Int32Array,
  count: number,
  templates: Int16Array,
  sums: Int32Array,
): void {
  for (let patch = 0; patch < count; patch++) {
    const s = patch * SUMS;
    if (sums[s] < 0) continue;
    const g = patch * GEOMETRY;
    let left = geometry[g];
    let top = geometry[g + 1];
    const ux = geometry[g + 2];
    const uy = geometry[g + 3];
    const vx = geometry[g + 4];
    const vy = geometry[g + 5];
    for (let row = 0, i = 0; row < PATCH_SIDE; row++) {
      let x = left;
      let y = top;
      for (let column = 0; column < PATCH_SIDE; column++, i++) {
        const at = (Math.imul(y >> BITS, width) + (x >> BITS)) | 0;
        const weightX = (x >> (BITS - 8)) & 255;
        const weightY = (y >> (BITS - 8)) & 255;
        const a = data[at];
        const c = data[(at + width) | 0];
        const upper = ((a << 8) + Math.imul(data[(at + 1) | 0] - a, weightX)) | 0;
        const lower = ((c << 8) + Math.imul(data[(at + width + 1) | 0] - c, weightX)) | 0;
        sampled[i] = ((upper << 8) + Math.imul(lower - upper, weightY) + 0x800) >> 12;
        x = (x + ux) | 0;
        y = (y + uy) | 0;
      }
      left = (left + vx) | 0;
      top = (top + vy) | 0;
    }
    let sum = 0;
    let squares = 0;
    let products = 0;
    let productsX = 0;
    let productsY = 0;
    for (let i = 0, t = patch * TEMPLATE; i < PIXELS; i++, t++) {
      const value = sampled[i];
      sum = (sum + value) | 0;
      squares = (squares + Math.imul(value, value)) | 0;
      products = (products + Math.imul(value, templates[t])) | 0;
      productsX = (productsX + Math.imul(value, templates[t + PIXELS])) | 0;
      productsY = (productsY + Math.imul(value, templates[t + 2 * PIXELS])) | 0;
    }
    sums[s] = sum;
    sums[s + 1] = squares;
    sums[s + 2] = products;
    sums[s + 3] = productsX;
    sums[s + 4] = productsY;
  }
}
