// Source: mind-ar matching/hierarchical-clustering.js, matching/hamming-distance.js, utils/randomizer.js.

import { DESCRIPTOR_WORDS } from "../types.ts";

/** Number of medoids of a node. */
export const CENTERS = 8;

/** Number of random choices of medoids; the best one stays. */
const HYPOTHESES = 128;

/** Returns the entries of a row of distances: whole vectors of 8. */
export function distanceStride(count: number): number {
  return (count + 7) & ~7;
}

/**
 * Counts the differing bits between every two of `count` descriptors: `count` rows of `stride` entries (see
 * `distanceStride`), symmetric, with zeros after the last point.
 */
export function hammingDistances(
  descriptors: Uint32Array,
  count: number,
  stride: number,
  distances: Uint16Array,
): void {
  const words = asInt32(descriptors);
  for (let i = 0; i < count; i++) {
    distances[i * stride + i] = 0;
    distances.fill(0, i * stride + count, (i + 1) * stride);
    for (let j = i + 1; j < count; j++) {
      const distance = countDifferences(words, i * DESCRIPTOR_WORDS, words, j * DESCRIPTOR_WORDS);
      distances[i * stride + j] = distance;
      distances[j * stride + i] = distance;
    }
  }
}

/** Counts the differing bits between one descriptor and each of `count` others. */
export function hammingRow(
  descriptor: Uint32Array,
  others: Uint32Array,
  count: number,
  distances: Uint16Array,
): void {
  const one = asInt32(descriptor);
  const words = asInt32(others);
  for (let i = 0; i < count; i++) distances[i] = countDifferences(one, 0, words, i * DESCRIPTOR_WORDS);
}

function asInt32({ buffer, byteOffset, length }: Uint32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

/** Counts the differing bits between the descriptors that begin at `i` in `a` and at `j` in `b`. */
function countDifferences(a: Int32Array, i: number, b: Int32Array, j: number): number {
  let distance = 0;
  for (const end = i + DESCRIPTOR_WORDS; i < end; i += 3, j += 3) {
    // A full adder reduces three words to their sum bits and their carry bits, which count double.
    const x = a[i] ^ b[j];
    const y = a[i + 1] ^ b[j + 1];
    const z = a[i + 2] ^ b[j + 2];
    const half = x ^ y;
    distance += countBits(half ^ z) + 2 * countBits((x & y) | (half & z));
  }
  return distance;
}

/** Counts the set bits of a 32-bit word in ever wider fields. */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Chooses 8 medoids for a node's points: the best of 128 random choices by the sum of all points' distances
 * to their nearest medoid. Of equals, the earlier choice wins.
 *
 * `indexes` are the node's `size` points, which are rows and columns of `distances`. `best` receives places
 * in `indexes`. `state` is that of the reference's linear congruential generator, of which the upper 15 bits
 * count. Returns the next state. `order` has room for `size` places, `scratch` for `size` rows of `size`
 * distances.
 */
export function chooseMedoids(
  distances: Uint16Array,
  stride: number,
  indexes: Int32Array,
  size: number,
  state: number,
  order: Int32Array,
  _scratch: Uint16Array,
  best: Int32Array,
): number {
  // The order persists between hypotheses: each shuffles the first 8 places again.
  for (let i = 0; i < size; i++) order[i] = i;
  let bestSum = Infinity;
  for (let hypothesis = 0; hypothesis < HYPOTHESES; hypothesis++) {
    for (let i = 0; i < CENTERS; i++) {
      state = (Math.imul(214013, state) + 2531011) & 0x7fffffff;
      const k = (state >> 16) % size;
      const swapped = order[i];
      order[i] = order[k];
      order[k] = swapped;
    }
    const sum = sumOfDistances(distances, stride, indexes, size, order, bestSum);
    if (sum < bestSum) {
      bestSum = sum;
      for (let i = 0; i < CENTERS; i++) best[i] = order[i];
    }
  }
  return state;
}

/** Sums all points' distances to the nearest of the first 8 in `order`; stops at `limit`. */
function sumOfDistances(
  distances: Uint16Array,
  stride: number,
  indexes: Int32Array,
  size: number,
  order: Int32Array,
  limit: number,
): number {
  const r0 = indexes[order[0]] * stride;
  const r1 = indexes[order[1]] * stride;
  const r2 = indexes[order[2]] * stride;
  const r3 = indexes[order[3]] * stride;
  const r4 = indexes[order[4]] * stride;
  const r5 = indexes[order[5]] * stride;
  const r6 = indexes[order[6]] * stride;
  const r7 = indexes[order[7]] * stride;
  let sum = 0;
  for (let i = 0; i < size && sum < limit; i++) {
    const index = indexes[i];
    const a = Math.min(distances[r0 + index], distances[r1 + index]);
    const b = Math.min(distances[r2 + index], distances[r3 + index]);
    const c = Math.min(distances[r4 + index], distances[r5 + index]);
    const d = Math.min(distances[r6 + index], distances[r7 + index]);
    sum += Math.min(Math.min(a, b), Math.min(c, d));
  }
  return sum;
}
