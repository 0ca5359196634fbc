// Patches of a target compared with a frame, for the player.

/** Pixels per side of a patch. */
export const PATCH_SIDE = 8;
const PIXELS = PATCH_SIDE * PATCH_SIDE;

/** Numbers of a template: the pixels, then the horizontal and the vertical gradients. */
export const TEMPLATE_LENGTH = 3 * PIXELS;

/** Largest entry of a template: sums of 64 products with 12-bit pixels must stay below 2^31. */
export const LARGEST_ENTRY = 2047;

/** Sums of a patch: its pixels, their squares, and their products with the template's pixels and gradients. */
export const PATCH_SUMS = 5;

/** Units of a sampled pixel per grey level. */
export const PIXEL_UNITS = 16;

/** Numbers of a patch's geometry, and their fractional bits. */
export const GEOMETRY_LENGTH = 6;
export const GEOMETRY_BITS = 16;

const sampled = new Int16Array(PIXELS);

/**
 * Samples patches bilinearly and sums their pixels, in 1/16 grey levels, the squares, and the products with the
 * template's pixels and gradients. Patches whose first sum is negative are left out.
 *
 * @param geometry for each patch in 1/65536 pixels: x and y of the first sample from the center of the first
 * pixel, the step along a row, the step along a column
 */
export function samplePatches(
  data: Uint8Array,
  width: number,
  geometry: Int32Array,
  count: number,
  templates: Int16Array,
  sums: Int32Array,
): void {
  for (let patch = 0; patch < count; patch++) {
    const s = patch * PATCH_SUMS;
    if (sums[s] < 0) continue;
    const g = patch * GEOMETRY_LENGTH;
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
        const at = (Math.imul(y >> GEOMETRY_BITS, width) + (x >> GEOMETRY_BITS)) | 0;
        const weightX = (x >> (GEOMETRY_BITS - 8)) & 255;
        const weightY = (y >> (GEOMETRY_BITS - 8)) & 255;
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
    for (let i = 0, t = patch * TEMPLATE_LENGTH; i < PIXELS; i++, t++) {
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
