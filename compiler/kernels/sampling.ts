/**
 * Writes bilinear samples along a straight line through a grey plane (row-major, `width` × `height`) into
 * `out`. Samples beyond the outermost pixel centres repeat the outermost pixels.
 *
 * Places and steps are in fixed point: `1 << bits` is a pixel, 0 is the centre of the first pixel, and `bits`
 * is at least 8. Each side has at least 2 pixels, and `side << bits` must stay below 2^31. Weights have 8
 * bits.
 */
export function sampleLine(
  plane: Uint8Array,
  width: number,
  height: number,
  bits: number,
  x: number,
  y: number,
  stepX: number,
  stepY: number,
  count: number,
  out: Uint8Array,
): void {
  const toWeight = bits - 8;
  const right = (width - 1) << bits;
  const bottom = (height - 1) << bits;
  for (let i = 0; i < count; i++) {
    const insideX = x < 0 ? 0 : x > right ? right : x;
    const insideY = y < 0 ? 0 : y > bottom ? bottom : y;
    const column = insideX === right ? width - 2 : insideX >> bits;
    const line = insideY === bottom ? height - 2 : insideY >> bits;
    const weightX = (insideX - (column << bits)) >> toWeight;
    const weightY = (insideY - (line << bits)) >> toWeight;
    // Keep 32-bit integers: with fractions, an engine takes twice as long.
    const at = (Math.imul(line, width) + column) | 0;
    const below = (at + width) | 0;
    const a = plane[at];
    const c = plane[below];
    const upper = ((a << 8) + Math.imul(plane[(at + 1) | 0] - a, weightX)) | 0;
    const lower = ((c << 8) + Math.imul(plane[(below + 1) | 0] - c, weightX)) | 0;
    out[i] = ((upper << 8) + Math.imul(lower - upper, weightY) + 0x8000) >> 16;
    x = (x + stepX) | 0;
    y = (y + stepY) | 0;
  }
}
