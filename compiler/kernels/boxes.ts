// Source: mind-ar utils/images.js (resize).

/** Returns the bytes of scratch that `averageBoxes` needs for a source and a result of these widths. */
export function boxScratchBytes(width: number, outWidth: number): number {
  return 6 * width + 4 * outWidth + 512;
}

/**
 * Averages boxes of a grey plane (row-major, `width` pixels per row), rounded down, into `out` (row-major,
 * `outWidth` × `outHeight`).
 *
 * `columns` and `rows` hold the starts of the boxes in source pixels, and in one more entry the end of the last
 * box. Neighbouring boxes differ in size by at most a pixel. A box without pixels becomes 0.
 */
export function averageBoxes(
  grey: Uint8Array,
  width: number,
  columns: Int32Array,
  rows: Int32Array,
  outWidth: number,
  outHeight: number,
  scratch: Uint8Array,
  out: Uint8Array,
): void {
  /** Entry x: the sum of all pixels of the box's rows to the left of column x. */
  const sums = new Uint32Array(scratch.buffer, scratch.byteOffset, width + 1);
  const widest = Math.max(1, columns[1] - columns[0]) + 1;
  const reciprocals = new Float64Array(widest + 1);
  for (let y = 0, to = 0; y < outHeight; y++) {
    const boxHeight = rows[y + 1] - rows[y];
    sums.fill(0);
    for (let row = rows[y]; row < rows[y + 1]; row++) {
      for (let x = 0, from = row * width; x < width; x++, from++) sums[x + 1] += grey[from];
    }
    for (let x = 0; x < width; x++) sums[x + 1] += sums[x];
    // (sum + ½) / pixels is at least half a step from any integer, so the rounded product has the right floor.
    for (let w = 1; w <= widest; w++) reciprocals[w] = boxHeight === 0 ? 0 : 1 / (w * boxHeight);
    let left = columns[0];
    for (let x = 1; x <= outWidth; x++, to++) {
      const right = columns[x];
      out[to] = ((sums[right] - sums[left] + 0.5) * reciprocals[right - left]) | 0;
      left = right;
    }
  }
}
