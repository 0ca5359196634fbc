/**
 * Bilinear samples along a straight line through a grey plane (row-major, `width` × `height`, both 2 or more
 * and with `bits` below 2^15), into `out`. Those beyond the outermost pixel centres repeat these pixels.
 *
 * Places and steps are in fixed point: `1 << bits` is a pixel, 0 the centre of the first one, and `bits` are
 * 8 or more. A weight has 8 bits.
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
    // As 32-bit integers, or an engine thinks of fractions and takes twice as long.
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
