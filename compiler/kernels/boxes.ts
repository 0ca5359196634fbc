// Source: mind-ar utils/images.js (resize).

/** Bytes of scratch that `averageBoxes` needs for a source and a result of these widths. */
export function boxScratchBytes(width: number, outWidth: number): number {
  return 6 * width + 4 * outWidth + 512;
}

/**
 * Box averages of a grey plane (row-major, `width` pixels a row), rounded down, into `out` (row-major,
 * `outWidth` × `outHeight`).
 *
 * `columns` and `rows` say where boxes begin in source pixels, and in one more entry where the last one ends;
 * neighbouring boxes differ by a pixel in size at most. A box without a pixel is 0.
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
  /** Sums of all pixels of the box's rows to the left. */
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
    // (sum + ½) / pixels is half a step or more away from an integer, so the rounded product still floors right.
    for (let w = 1; w <= widest; w++) reciprocals[w] = boxHeight === 0 ? 0 : 1 / (w * boxHeight);
    let left = columns[0];
    for (let x = 1; x <= outWidth; x++, to++) {
      const right = columns[x];
      out[to] = ((sums[right] - sums[left] + 0.5) * reciprocals[right - left]) | 0;
      left = right;
    }
  }
}
