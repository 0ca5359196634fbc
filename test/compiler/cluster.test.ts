import { build } from "mind-ar/src/image-target/matching/hierarchical-clustering.js";
import { describe, expect, test } from "vitest";
import { buildClusters } from "../../compiler/cluster.ts";
import { hammingDistances } from "../../compiler/kernels/medoids.ts";
import { type ClusterNode, DESCRIPTOR_WORDS } from "../../compiler/types.ts";
import { compareClusters, Differences, type ReferenceCluster } from "./oracle.ts";
import { randomNumbers } from "./pictures.ts";

/** Returns random descriptors in `kinds` groups; within a group they differ by `flips` random bits. */
function randomDescriptors(count: number, kinds: number, flips: number): Uint32Array {
  const random = randomNumbers(count + kinds + flips);
  const word = () => Math.floor(random() * 2 ** 32);
  const prototypes = Array.from({ length: kinds }, () => Array.from({ length: DESCRIPTOR_WORDS }, word));
  const descriptors = new Uint32Array(count * DESCRIPTOR_WORDS);
  for (let i = 0; i < count; i++) {
    const first = i * DESCRIPTOR_WORDS;
    descriptors.set(prototypes[Math.floor(random() * kinds)], first);
    for (let k = 0; k < flips; k++) {
      const bit = Math.floor(random() * 32 * DESCRIPTOR_WORDS);
      descriptors[first + (bit >> 5)] ^= 1 << (bit & 31);
    }
  }
  return descriptors;
}

function differences(count: number, descriptors: Uint32Array) {
  const points = Array.from({ length: count }, (_, i) => ({
    descriptors: Array.from(descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS)),
  }));
  const found = new Differences();
  const tree = buildClusters({ count, descriptors });
  compareClusters(found, "root", tree, build({ points }).rootNode as ReferenceCluster);
  return found.list;
}

describe("the tree equals the reference's", () => {
  test.each([0, 1, 8, 9, 16, 17, 18, 60, 250, 500])("on %i random descriptors", (count) => {
    expect(differences(count, randomDescriptors(count, count + 1, 0))).toEqual([]);
  });

  test("on groups of similar ones", () => {
    expect(differences(300, randomDescriptors(300, 12, 40))).toEqual([]);
  });

  test("on many equal ones, whose distances tie", () => {
    expect(differences(200, randomDescriptors(200, 5, 0))).toEqual([]);
  });

  test("on equal ones only, which cannot be divided", () => {
    expect(differences(100, randomDescriptors(100, 1, 0))).toEqual([]);
  });
});

function leafPoints(node: ClusterNode): number[] {
  return node.leaf ? node.pointIndexes : node.children.flatMap(leafPoints);
}

test("every point is in exactly one leaf", () => {
  const count = 137;
  const points = leafPoints(buildClusters({ count, descriptors: randomDescriptors(count, 9, 60) }));
  expect(points.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
});

test("Hamming distances count differing bits, over all 21 words", () => {
  const descriptors = new Uint32Array(3 * DESCRIPTOR_WORDS);
  descriptors.fill(0xffffffff, DESCRIPTOR_WORDS, 2 * DESCRIPTOR_WORDS);
  for (let i = 0; i < DESCRIPTOR_WORDS; i++) descriptors[2 * DESCRIPTOR_WORDS + i] = 2 ** i + 0x80000000;
  const bits = 32 * DESCRIPTOR_WORDS;
  const few = 2 * DESCRIPTOR_WORDS;
  const distances = new Uint16Array(9);
  hammingDistances(descriptors, 3, 3, distances);
  expect(Array.from(distances)).toEqual([0, bits, few, bits, 0, bits - few, few, bits - few, 0]);
});
