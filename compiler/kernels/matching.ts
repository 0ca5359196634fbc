// The nearest descriptors of a feature point.

/** Points whose bytes lie together in columns. */
export const BLOCK = 16;

/**
 * Finds the reference points whose descriptors differ least from `query`, which has `bytes` bytes.
 *
 * `columns` holds the descriptors of `count` points in blocks of BLOCK points: for each block the first byte of
 * all its points, then the second byte, and so on. In the last block, copies of the last point fill the rest.
 *
 * A distance is the number of differing bits, 255 at most. The indexes of all points whose distance is at most
 * the smallest distance × `slack` / 256, rounded down, are written to `found`, ascending; none if the smallest
 * distance exceeds `limit`. `distances` receives all distances, with room for whole blocks. Returns the number of
 * indexes.
 */
export function nearestDescriptors(
  query: Uint8Array,
  columns: Uint8Array,
  count: number,
  bytes: number,
  limit: number,
  slack: number,
  distances: Uint8Array,
  found: Int32Array,
): number {
  let least = 255;
  for (let i = 0; i < count; i++) {
    let at = (i - (i % BLOCK)) * bytes + (i % BLOCK);
    let distance = 0;
    for (let byte = 0; byte < bytes; byte++, at += BLOCK) distance += BITS[query[byte] ^ columns[at]];
    distances[i] = Math.min(distance, 255);
    least = Math.min(least, distance);
  }
  if (least > limit) return 0;
  const most = Math.min((least * slack) >> 8, 255);
  let written = 0;
  for (let i = 0; i < count; i++) {
    if (distances[i] <= most) found[written++] = i;
  }
  return written;
}

/** Number of bits that are set in each byte. */
export const BITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
});
