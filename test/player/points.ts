// Feature points whose descriptors are random: which reference point each one shows is known.

import { DESCRIPTOR_WORDS } from "../../compiler/types.ts";
import type { Features } from "../../player/features.ts";
import { type Homography, project } from "../../player/homography.ts";
import { openPlayerKernels } from "../../player/kernels.ts";
import { addPoints, layMatches, layPointSet } from "../../player/match.ts";
import type { ReferencePoints } from "../../player/reference.ts";
import { randomNumbers } from "../compiler/pictures.ts";

export const TARGET = { width: 400, height: 300 };

/** A feature or reference point: its place, scale, angle and descriptor. */
export interface SeenPoint {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly angle: number;
  readonly words: Uint32Array;
}

/** Returns `count` points all over a target. */
export function scatter(count: number, seed: number): SeenPoint[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => ({
    x: random() * TARGET.width,
    y: random() * TARGET.height,
    scale: random() < 0.5 ? 2 : 4,
    angle: 2 * Math.PI * random(),
    words: Uint32Array.from({ length: DESCRIPTOR_WORDS }, () => 2 ** 32 * random()),
  }));
}

/** Returns points as the frame shows them through a map, each with the scale and angle that it has there. */
export function see(points: readonly SeenPoint[], map: Homography): SeenPoint[] {
  return points.map((point) => {
    const { x, y } = project(map, point.x, point.y);
    const tip = project(map, point.x + 0.1 * Math.cos(point.angle), point.y + 0.1 * Math.sin(point.angle));
    const scale = 10 * point.scale * Math.hypot(tip.x - x, tip.y - y);
    return { ...point, x, y, scale, angle: Math.atan2(tip.y - y, tip.x - x) };
  });
}

/** Returns a point with the lowest `count` bits of each word of its descriptor changed. */
export function changeBits(point: SeenPoint, count: number): SeenPoint {
  return { ...point, words: point.words.map((word) => word ^ (2 ** count - 1)) };
}

/** Lays the points of both polarities out as the features of a frame. */
export function featuresOf(maxima: readonly SeenPoint[], minima: readonly SeenPoint[] = []): Features {
  const all = [...maxima, ...minima];
  return {
    count: all.length,
    maxima: maxima.length,
    x: Float32Array.from(all, ({ x }) => x),
    y: Float32Array.from(all, ({ y }) => y),
    scale: Float32Array.from(all, ({ scale }) => scale),
    angle: Float32Array.from(all, ({ angle }) => angle),
    descriptors: descriptorsOf(all),
  };
}

function descriptorsOf(points: readonly SeenPoint[]): Uint32Array {
  return Uint32Array.from(points.flatMap(({ words }) => Array.from(words)));
}

function referenceOf(points: readonly SeenPoint[]): ReferencePoints {
  return {
    count: points.length,
    x: Float32Array.from(points, ({ x }) => x),
    y: Float32Array.from(points, ({ y }) => y),
    frame: Float32Array.from(
      points.flatMap(({ scale, angle }) => {
        const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
        return [cos, sin, -sin, cos];
      }),
    ),
    descriptors: descriptorsOf(points),
  };
}

/** Lays the points of several targets out to be matched. */
export function layTargets(
  targets: readonly { readonly maxima: readonly SeenPoint[]; readonly minima?: readonly SeenPoint[] }[],
  room = 1000,
) {
  const kernels = openPlayerKernels();
  return kernels.place((place) => {
    const maxima = layPointSet(place, room);
    const minima = layPointSet(place, room);
    targets.forEach((target, index) => {
      addPoints(maxima, index, referenceOf(target.maxima));
      addPoints(minima, index, referenceOf(target.minima ?? []));
    });
    return { maxima, minima, matches: layMatches(place, kernels, 1000, [maxima, minima]) };
  });
}
