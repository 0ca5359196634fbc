// The k-medoids tree in which the player looks up similar descriptors.
// Source: mind-ar matching/hierarchical-clustering.js.

import { type Kernels, stageKernels } from "./kernels/kernels.ts";
import { CENTERS, distanceStride } from "./kernels/medoids.ts";
import { type ClusterNode, DESCRIPTOR_WORDS, type FeaturePoints } from "./types.ts";

/** Most points of a leaf; a node with more is divided. */
const MAX_LEAF_POINTS = 16;

/** Initial state of the reference's random number generator. Every draw changes the next one. */
const SEED = 1234;

/** The state of a tree while it is built. */
interface Builder {
  readonly kernels: Kernels;
  /** Hamming distances between all points, `stride` entries per row. */
  readonly distances: Uint16Array;
  readonly stride: number;
  readonly indexes: Int32Array;
  readonly order: Int32Array;
  readonly scratch: Uint16Array;
  readonly best: Int32Array;
  /** State of the random number generator. */
  random: number;
}

/** Builds the tree over all points of one polarity. Returns an empty leaf when there are no points. */
export function buildClusters(
  { count, descriptors }: Pick<FeaturePoints, "count" | "descriptors">,
  kernels: Kernels = stageKernels("cluster"),
): ClusterNode {
  const indexes = Int32Array.from({ length: count }, (_, i) => i);
  if (count <= MAX_LEAF_POINTS) return leafOf(indexes, null);
  const stride = distanceStride(count);
  const { words, ...buffers } = kernels.place((room) => ({
    words: room.uint32(count * DESCRIPTOR_WORDS),
    distances: room.uint16(count * stride),
    indexes: room.int32(count),
    order: room.int32(count),
    scratch: room.uint16(count * stride),
    best: room.int32(CENTERS),
  }));
  words.set(descriptors);
  kernels.hammingDistances(words, count, stride, buffers.distances);
  return buildNode(indexes, null, { kernels, stride, ...buffers, random: SEED });
}

function leafOf(indexes: Int32Array, centerPointIndex: number | null): ClusterNode {
  return { leaf: true, centerPointIndex, pointIndexes: Array.from(indexes) };
}

/** Builds the node of the points `indexes`, which are in ascending order. */
function buildNode(indexes: Int32Array, centerPointIndex: number | null, builder: Builder): ClusterNode {
  if (indexes.length > MAX_LEAF_POINTS) {
    const clusters = divide(indexes, builder);
    if (clusters.length > 1) {
      const children = clusters.map(({ center, points }) =>
        buildNode(Int32Array.from(points), center, builder),
      );
      return { leaf: false, centerPointIndex, children };
    }
  }
  return leafOf(indexes, centerPointIndex);
}

/**
 * Divides points among 8 medoids. Each point goes to the nearest medoid; ties go to the medoid drawn first.
 * Returns the medoids that have points, in ascending order.
 */
function divide(indexes: Int32Array, builder: Builder): { center: number; points: number[] }[] {
  const { kernels, distances, stride, order, scratch, best } = builder;
  const size = indexes.length;
  builder.indexes.set(indexes);
  builder.random = kernels.chooseMedoids(
    distances,
    stride,
    builder.indexes,
    size,
    builder.random,
    order,
    scratch,
    best,
  );
  const centers = Array.from(best, (place) => indexes[place]);
  const clusters = new Map<number, number[]>();
  for (const index of indexes) {
    let nearest = centers[0];
    let smallest = distances[nearest * stride + index];
    for (let i = 1; i < CENTERS; i++) {
      const distance = distances[centers[i] * stride + index];
      if (distance >= smallest) continue;
      nearest = centers[i];
      smallest = distance;
    }
    const points = clusters.get(nearest);
    if (points) points.push(index);
    else clusters.set(nearest, [index]);
  }
  return Array.from(clusters, ([center, points]) => ({ center, points })).sort((a, b) => a.center - b.center);
}
