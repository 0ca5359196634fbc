// Source: mind-ar tracker/extract.js.

/** A template reaches this many pixels to each side of its point. */
export const TEMPLATE_REACH = 6;
export const TEMPLATE_SIDE = 2 * TEMPLATE_REACH + 1;
export const TEMPLATE_PIXELS = TEMPLATE_SIDE * TEMPLATE_SIDE;

/** The similarity to a template that is flat or does not fit into the image. */
export const NO_TEMPLATE = -2;

/**
 * Writes the normalised cross-correlations, -1…1, of the template around the flat index `at` with the
 * templates at the offsets `from` to before `end`, into `out` from 0 on. Stops after one that is at least
 * `limit` in float32; returns the index of the next offset.
 *
 * `grey`, `sums` and `squares` are planes (row-major, width × height): the pixels, and the sums of each
 * template's pixels and of their squares. `norm` is the root of the template's sum of squared deviations.
 * `offsets` holds x and y alternating.
 */
export function correlate(
  grey: Uint8Array,
  width: number,
  height: number,
  sums: Int32Array,
  squares: Int32Array,
  at: number,
  norm: number,
  offsets: Int32Array,
  from: number,
  end: number,
  limit: number,
  out: Float64Array,
): number {
  const x = at % width;
  const y = (at - x) / width;
  const average = sums[at] / TEMPLATE_PIXELS;
  for (let k = from; k < end; k++) {
    const dx = offsets[2 * k];
    const dy = offsets[2 * k + 1];
    let similarity = NO_TEMPLATE;
    if (fits(x + dx, width) && fits(y + dy, height)) {
      const other = at + dy * width + dx;
      const sum = sums[other];
      const otherNorm = Math.sqrt(squares[other] - (sum * sum) / TEMPLATE_PIXELS);
      if (otherNorm !== 0) {
        similarity = (sumOfProducts(grey, width, at, other) - average * sum) / (norm * otherNorm);
      }
    }
    out[k - from] = similarity;
    if (Math.fround(similarity) >= limit) return k + 1;
  }
  return end;
}

/** Returns whether the template around a coordinate lies within the image. */
export function fits(at: number, size: number): boolean {
  return at >= TEMPLATE_REACH && at < size - TEMPLATE_REACH;
}

function sumOfProducts(grey: Uint8Array, width: number, at: number, other: number): number {
  const corner = TEMPLATE_REACH * width + TEMPLATE_REACH;
  let products = 0;
  for (let y = 0, p = at - corner, q = other - corner; y < TEMPLATE_SIDE; y++, p += width, q += width) {
    for (let x = 0; x < TEMPLATE_SIDE; x++) products += grey[p + x] * grey[q + x];
  }
  return products;
}
