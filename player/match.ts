// Matches the feature points of a frame with those of all targets, exhaustively, by the Hamming distance of chosen
// bits of their descriptors.

import type { Room } from "../compiler/kernels/kernels.ts";
import { BITS, BLOCK } from "../compiler/kernels/matching.ts";
import { DESCRIPTOR_WORDS } from "../compiler/types.ts";
import type { Features } from "./features.ts";
import type { PlayerKernels } from "./kernels.ts";
import type { ReferencePoints } from "./reference.ts";

/**
 * The comparisons that tell points apart, most significant bit first. FREAK's 666 comparisons are far from
 * independent, and most maxima agree in hundreds of them. These 192 were chosen one after the other, each time the
 * one that best separates the distances of true matches from those of random pairs of the same polarity (largest
 * difference of means per deviation), on simulated views of half of the pictures in bench/pictures. Alone, they
 * separate better than all 666.
 */
const CHOSEN = [
  0x00048588, 0x0180a0f0, 0x5081c5c4, 0x2201c200, 0x012100c3, 0x40082c38, 0x68114101, 0xb6070112, 0x40309410,
  0x0a828978, 0x3088840e, 0x860b441e, 0x08623094, 0xd504147c, 0x80941904, 0x0809412c, 0x828181e1, 0x0834e161,
  0xd2000016, 0x1830141d, 0x87b803c0,
];

/** Bytes of the chosen bits of a descriptor. */
export const PACKED_BYTES = 24;

/** Of each chosen bit: its word, and the distance of its bit from the least significant one. */
const CHOSEN_BITS = CHOSEN.flatMap((mask, word) =>
  Array.from({ length: 32 }, (_, i) => 31 - i)
    .filter((shift) => (mask >>> shift) & 1)
    .map((shift) => ({ word, shift })),
);
const WORDS = Uint8Array.from(CHOSEN_BITS, ({ word }) => word);
const SHIFTS = Uint8Array.from(CHOSEN_BITS, ({ shift }) => shift);

/** Packs the chosen bits of the descriptor that begins at `from`; byte b goes to `out` at `to` + b × `step`. */
function packDescriptor(
  descriptors: Uint32Array,
  from: number,
  out: Uint8Array,
  to: number,
  step: number,
): void {
  for (let byte = 0, bit = 0; byte < PACKED_BYTES; byte++, to += step) {
    let value = 0;
    for (let end = bit + 8; bit < end; bit++) {
      value = (value << 1) | ((descriptors[from + WORDS[bit]] >>> SHIFTS[bit]) & 1);
    }
    out[to] = value;
  }
}

/** Largest distance of a match. */
const MAX_DISTANCE = 68;

/** A match is ambiguous if a point at another place of the target is nearer than distance / this. */
const MAX_RATIO = 0.95;

/** Points nearer to each other than this many times their own size are at the same place. */
const SAME_PLACE = 3;

/** The points of one view of a target, which lie together. */
interface Range {
  readonly target: number;
  readonly start: number;
  readonly end: number;
}

/** The points of one polarity of all targets, in columns. */
export interface PointSet {
  readonly capacity: number;
  count: number;
  readonly ranges: Range[];
  /** Index of the target. */
  readonly target: Uint16Array;
  /** Target pixels. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** See `ReferencePoints`. */
  readonly frame: Float32Array;
  /** See `nearestDescriptors`. */
  readonly columns: Uint8Array;
}

export function layPointSet(room: Room, capacity: number): PointSet {
  const blocks = Math.ceil(capacity / BLOCK);
  return {
    capacity,
    count: 0,
    ranges: [],
    target: room.uint16(capacity),
    x: room.float32(capacity),
    y: room.float32(capacity),
    frame: room.float32(4 * capacity),
    columns: room.uint8(blocks * BLOCK * PACKED_BYTES),
  };
}

/** Adds points of a target, as many as there is room for. */
export function addPoints(set: PointSet, target: number, points: ReferencePoints): void {
  const { columns } = set;
  const count = Math.min(points.count, set.capacity - set.count);
  for (let i = 0; i < count; i++) {
    const at = set.count + i;
    set.target[at] = target;
    set.x[at] = points.x[i];
    set.y[at] = points.y[i];
    for (let k = 0; k < 4; k++) set.frame[4 * at + k] = points.frame[4 * i + k];
    packDescriptor(points.descriptors, i * DESCRIPTOR_WORDS, columns, columnStart(at), BLOCK);
  }
  set.ranges.push({ target, start: set.count, end: set.count + count });
  set.count += count;
  if (set.count > 0) fillBlock(set);
}

function columnStart(point: number): number {
  return (point - (point % BLOCK)) * PACKED_BYTES + (point % BLOCK);
}

/** Fills the rest of the last block with its last point. */
function fillBlock({ count, columns }: PointSet): void {
  const last = columnStart(count - 1);
  for (let point = count; point % BLOCK !== 0; point++) {
    const to = columnStart(point);
    for (let byte = 0; byte < PACKED_BYTES; byte++) columns[to + byte * BLOCK] = columns[last + byte * BLOCK];
  }
}

/** Counts the differing bits of a feature, whose packed descriptor begins at `from`, and a reference point. */
export function packedDistance(
  packed: Uint8Array,
  from: number,
  { columns }: PointSet,
  point: number,
): number {
  let distance = 0;
  let at = columnStart(point);
  for (const end = from + PACKED_BYTES; from < end; from++, at += BLOCK) {
    distance += BITS[packed[from] ^ columns[at]];
  }
  return distance;
}

export interface MatchBuffers {
  readonly kernels: PlayerKernels;
  /** Packed descriptors of the features, PACKED_BYTES each. */
  readonly packed: Uint8Array;
  readonly distances: Uint8Array;
  readonly found: Int32Array;
  readonly matches: Matches;
}

/** Matches in columns. */
export interface Matches {
  count: number;
  /** Index of the feature. */
  readonly feature: Int32Array;
  /** Index of the reference point in the set of the feature's polarity. */
  readonly point: Int32Array;
  readonly target: Uint16Array;
  readonly distance: Uint8Array;
}

/** Allocates buffers for up to `features` features. A feature may match several targets. */
export function layMatches(
  room: Room,
  kernels: PlayerKernels,
  features: number,
  sets: readonly PointSet[],
): MatchBuffers {
  const most = Math.max(...sets.map(({ capacity }) => capacity));
  const capacity = 2 * features;
  return {
    kernels,
    packed: room.uint8(features * PACKED_BYTES),
    distances: room.uint8(most + BLOCK),
    found: room.int32(most),
    matches: {
      count: 0,
      feature: room.int32(capacity),
      point: room.int32(capacity),
      target: room.uint16(capacity),
      distance: room.uint8(capacity),
    },
  };
}

/** Packs the descriptors of all features. */
export function packFeatures({ count, descriptors }: Features, { packed }: MatchBuffers): void {
  for (let i = 0; i < count; i++) {
    packDescriptor(descriptors, i * DESCRIPTOR_WORDS, packed, i * PACKED_BYTES, 1);
  }
}

/** Matches all features, maxima with maxima and minima with minima, with the wanted targets or with all. */
export function matchFeatures(
  features: Features,
  maxima: PointSet,
  minima: PointSet,
  buffers: MatchBuffers,
  wanted: readonly number[] | undefined,
): Matches {
  const { matches } = buffers;
  packFeatures(features, buffers);
  matches.count = 0;
  for (let i = 0; i < features.count; i++) {
    matchFeature(i, i < features.maxima ? maxima : minima, buffers, wanted);
  }
  return matches;
}

function matchFeature(
  feature: number,
  set: PointSet,
  buffers: MatchBuffers,
  wanted: readonly number[] | undefined,
): void {
  const { kernels, packed, distances, found } = buffers;
  const near = kernels.nearestDescriptors(
    packed.subarray(feature * PACKED_BYTES, (feature + 1) * PACKED_BYTES),
    set.columns,
    set.count,
    PACKED_BYTES,
    MAX_DISTANCE,
    Math.round(256 / MAX_RATIO),
    distances,
    found,
  );
  // Each target has its own best point; points of a target lie together except for its tilted views.
  for (let k = 0; k < near; k++) {
    const point = found[k];
    const target = set.target[point];
    if (wanted && !wanted.includes(target)) continue;
    if (isBest(k, near, set, buffers)) addMatch(buffers.matches, feature, point, target, distances[point]);
  }
}

/** Returns whether a near point is its target's nearest one, and no point at another place is nearly as near. */
function isBest(k: number, near: number, set: PointSet, { distances, found }: MatchBuffers): boolean {
  const point = found[k];
  const distance = distances[point];
  const target = set.target[point];
  if (distance > MAX_DISTANCE) return false;
  for (let l = 0; l < near; l++) {
    const other = found[l];
    if (other === point || set.target[other] !== target) continue;
    if (distances[other] < distance || (distances[other] === distance && l < k)) return false;
    if (distances[other] * MAX_RATIO <= distance && !isSamePlace(set, point, other)) return false;
  }
  return true;
}

/** Returns whether two points of a target are, as seen by the first, at the same place. */
export function isSamePlace({ x, y, frame }: PointSet, a: number, b: number): boolean {
  const dx = x[a] - x[b];
  const dy = y[a] - y[b];
  const u = frame[4 * a] * dx + frame[4 * a + 1] * dy;
  const v = frame[4 * a + 2] * dx + frame[4 * a + 3] * dy;
  return u * u + v * v < SAME_PLACE * SAME_PLACE;
}

function addMatch(matches: Matches, feature: number, point: number, target: number, distance: number): void {
  const at = matches.count;
  if (at === matches.feature.length) return;
  matches.feature[at] = feature;
  matches.point[at] = point;
  matches.target[at] = target;
  matches.distance[at] = distance;
  matches.count++;
}
