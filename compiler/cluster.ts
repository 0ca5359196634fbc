// The k-medoids tree by which the player finds similar descriptors.
// Source: mind-ar matching/hierarchical-clustering.js, matching/hamming-distance.js, utils/randomizer.js.

import { type ClusterNode, DESCRIPTOR_WORDS, type FeaturePoints } from "./types.ts";

/** Points that a leaf may hold; more are divided. */
const MAX_LEAF_POINTS = 16;

/** Medoids of a node. */
const CENTERS = 8;

/** Random choices of medoids, of which the best one stays. */
const HYPOTHESES = 128;

const SEED = 1234;

/** The reference's linear congruential generator, modulo 2^31; every draw counts for the next. */
class Random {
  #state = SEED;

  /** An integer in 0…limit - 1, from the upper 15 bits. */
  below(limit: number): number {
    this.#state = (Math.imul(214013, this.#state) + 2531011) & 0x7fffffff;
    return (this.#state >> 16) % limit;
  }
}

/** Builds the tree over all points of one polarity. No points give an empty leaf. */
export function buildClusters({
  count,
  descriptors,
}: Pick<FeaturePoints, "count" | "descriptors">): ClusterNode {
  const indexes = Int32Array.from({ length: count }, (_, i) => i);
  const distances = count > MAX_LEAF_POINTS ? hammingDistances(descriptors, count) : new Uint16Array(0);
  return buildNode(indexes, null, distances, count, new Random());
}

/** `indexes`: the node's points, ascending; `distances`: the table of all `count` points. */
function buildNode(
  indexes: Int32Array,
  centerPointIndex: number | null,
  distances: Uint16Array,
  count: number,
  random: Random,
): ClusterNode {
  if (indexes.length > MAX_LEAF_POINTS) {
    const clusters = divide(indexes, distances, count, random);
    if (clusters.length > 1) {
      const children = clusters.map(({ center, points }) =>
        buildNode(Int32Array.from(points), center, distances, count, random),
      );
      return { leaf: false, centerPointIndex, children };
    }
  }
  return { leaf: true, centerPointIndex, pointIndexes: Array.from(indexes) };
}

/**
 * Divides points among the best of 128 random choices of 8 medoids, best by the sum of distances. A point
 * goes to the nearest medoid, of equally near ones to the one drawn first. Ascending medoids; those without
 * a point are left out.
 */
function divide(
  indexes: Int32Array,
  distances: Uint16Array,
  count: number,
  random: Random,
): { center: number; points: number[] }[] {
  const size = indexes.length;
  // The order persists over the hypotheses: each shuffles the first 8 places again.
  const order = Int32Array.from({ length: size }, (_, i) => i);
  const best = new Int32Array(CENTERS);
  let bestSum = Infinity;
  for (let hypothesis = 0; hypothesis < HYPOTHESES; hypothesis++) {
    for (let i = 0; i < CENTERS; i++) {
      const k = random.below(size);
      const swapped = order[i];
      order[i] = order[k];
      order[k] = swapped;
    }
    const sum = sumOfDistances(indexes, order, distances, count, bestSum);
    if (sum < bestSum) {
      bestSum = sum;
      for (let i = 0; i < CENTERS; i++) best[i] = indexes[order[i]];
    }
  }

  const clusters = new Map<number, number[]>();
  for (const index of indexes) {
    let nearest = best[0];
    for (let i = 1; i < CENTERS; i++) {
      if (distances[best[i] * count + index] < distances[nearest * count + index]) nearest = best[i];
    }
    const points = clusters.get(nearest);
    if (points) points.push(index);
    else clusters.set(nearest, [index]);
  }
  return Array.from(clusters, ([center, points]) => ({ center, points })).sort((a, b) => a.center - b.center);
}

/** Sum over all points of the distance to the nearest of the first 8 in `order`; stops at `limit`. */
function sumOfDistances(
  indexes: Int32Array,
  order: Int32Array,
  distances: Uint16Array,
  count: number,
  limit: number,
): number {
  const r0 = indexes[order[0]] * count;
  const r1 = indexes[order[1]] * count;
  const r2 = indexes[order[2]] * count;
  const r3 = indexes[order[3]] * count;
  const r4 = indexes[order[4]] * count;
  const r5 = indexes[order[5]] * count;
  const r6 = indexes[order[6]] * count;
  const r7 = indexes[order[7]] * count;
  let sum = 0;
  for (let i = 0; i < indexes.length && sum < limit; i++) {
    const index = indexes[i];
    const a = Math.min(distances[r0 + index], distances[r1 + index]);
    const b = Math.min(distances[r2 + index], distances[r3 + index]);
    const c = Math.min(distances[r4 + index], distances[r5 + index]);
    const d = Math.min(distances[r6 + index], distances[r7 + index]);
    sum += Math.min(Math.min(a, b), Math.min(c, d));
  }
  return sum;
}

/** Differing bits between every two descriptors: `count * count`, symmetric. */
export function hammingDistances(descriptors: Uint32Array, count: number): Uint16Array {
  const words = new Int32Array(descriptors.buffer, descriptors.byteOffset, descriptors.length);
  const distances = new Uint16Array(count * count);
  for (let i = 0; i < count; i++) {
    const first = i * DESCRIPTOR_WORDS;
    for (let j = i + 1; j < count; j++) {
      let distance = 0;
      for (let a = first, b = j * DESCRIPTOR_WORDS, end = a + DESCRIPTOR_WORDS; a < end; a += 3, b += 3) {
        // A full adder folds three words into their sum bits and, worth double, their carry bits.
        const x = words[a] ^ words[b];
        const y = words[a + 1] ^ words[b + 1];
        const z = words[a + 2] ^ words[b + 2];
        const half = x ^ y;
        distance += countBits(half ^ z) + 2 * countBits((x & y) | (half & z));
      }
      distances[i * count + j] = distance;
      distances[j * count + i] = distance;
    }
  }
  return distances;
}

/** Bits set in a 32-bit word, summed in ever wider fields. */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
