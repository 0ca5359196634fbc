// Chooses the points whose templates the player follows from frame to frame: strong corners that do not look
// like anything near them.
// Source: mind-ar tracker/extract.js, utils/cumsum.js.

import { type Kernels, stageKernels } from "./kernels/kernels.ts";
import { TEMPLATE_SIDE } from "./kernels/templates.ts";
import { GRADIENT_BINS, similarityCount } from "./kernels/tracking.ts";

/** Largest share of the image's pixels that the first selection, by gradient, keeps. */
const MAX_CANDIDATE_SHARE = 0.02;

/** Templates up to this many pixels away, in each direction, are compared. */
const SEARCH_REACH = 10;

/** Templates within this many pixels are near: they are bound to be similar. All others are distant. */
const NEAR_REACH = 2;

/** Offsets of templates, x and y alternating, the nearest first, because they are the most similar. */
const NEAR_OFFSETS = offsets((squared) => squared > 0 && squared <= NEAR_REACH * NEAR_REACH);
const FAR_OFFSETS = offsets((squared) => squared > NEAR_REACH * NEAR_REACH);
const NEAR_COUNT = NEAR_OFFSETS.length / 2;
const FAR_COUNT = FAR_OFFSETS.length / 2;

function offsets(selects: (squaredDistance: number) => boolean): Int32Array {
  const found: { x: number; y: number; squared: number }[] = [];
  for (let y = -SEARCH_REACH; y <= SEARCH_REACH; y++) {
    for (let x = -SEARCH_REACH; x <= SEARCH_REACH; x++) found.push({ x, y, squared: x * x + y * y });
  }
  found.sort((a, b) => a.squared - b.squared);
  return Int32Array.from(found.filter(({ squared }) => selects(squared)).flatMap(({ x, y }) => [x, y]));
}

/** Returns the tracking points of a grey image (row-major, width × height), in the order of their choice. */
export function findTrackingPoints(
  grey: Uint8Array,
  width: number,
  height: number,
  kernels: Kernels = stageKernels("track"),
): { x: number; y: number }[] {
  const pixels = width * height;
  const reach = Math.floor(Math.min(width, height) / 10);
  const cell = 3 * TEMPLATE_SIDE;
  const limit =
    Math.floor(width / reach) * Math.floor(height / reach) +
    Math.floor(width / cell) * Math.floor(height / cell);
  // No two candidates are neighbours.
  const most = (pixels + 1) >> 1;
  const buffers = kernels.place((room) => ({
    grey: room.uint8(pixels),
    columns: room.int32(2 * width),
    sums: room.int32(pixels),
    squares: room.int32(pixels),
    gradient: room.float32(pixels),
    histogram: room.int32(GRADIENT_BINS),
    candidates: room.int32(most),
    bounds: room.float32(most),
    compared: room.int32(most),
    near: room.int32(NEAR_OFFSETS.length),
    far: room.int32(FAR_OFFSETS.length),
    similarities: room.float64(similarityCount(NEAR_COUNT)),
    barred: room.uint8(pixels),
    points: room.int32(Math.min(limit, most)),
  }));
  const { sums, squares, candidates, points } = buffers;
  buffers.grey.set(grey);
  buffers.near.set(NEAR_OFFSETS);
  buffers.far.set(FAR_OFFSETS);
  kernels.sumTemplates(buffers.grey, width, height, buffers.columns, sums, squares);
  const count = kernels.findCorners(
    buffers.grey,
    width,
    height,
    MAX_CANDIDATE_SHARE * width * height,
    sums,
    squares,
    buffers.gradient,
    buffers.histogram,
    candidates,
  );
  const chosen = kernels.choosePoints(
    buffers.grey,
    width,
    height,
    sums,
    squares,
    buffers.near,
    NEAR_COUNT,
    buffers.far,
    FAR_COUNT,
    candidates,
    count,
    buffers.bounds,
    buffers.compared,
    buffers.similarities,
    buffers.barred,
    reach,
    points.length,
    points,
  );
  return Array.from(points.subarray(0, chosen), (at) => ({ x: at % width, y: Math.floor(at / width) }));
}
