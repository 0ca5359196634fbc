// MindAR's player on films: detection in one window per frame, tracking, pose, filter and state, as in mind-ar 1.2.5's
// image-target/controller.js and tracker/tracker.js. The tracker's WebGL programs are written out for the CPU.

import type { GreyImage, ImageTarget } from "../../compiler/types.ts";
import type { Corners } from "../../test/e2e/pinhole.ts";
import { estimator, load, PROJECTION, placeCorners, windows } from "../recall/mindar.ts";

const { OneEuroFilter } = await import("mind-ar/src/libs/one-euro-filter.js");

/** Index of the tracking image that the player uses: 128 pixels on its shorter side. */
const TRACKED = 1;

const TEMPLATE_REACH = 6;
const TEMPLATE_SIDE = 2 * TEMPLATE_REACH + 1;
const SEARCH_REACH = 10;
const LEAST_SIMILARITY = 0.8;
const LEAST_POINTS = 4;

/** Frames that must be exceeded before the photo is shown, and before it is hidden. */
const WARM_UP = 5;
const MOST_MISSES = 5;

const FILTER = { minCutOff: 0.001, beta: 1000 };

type Pose = number[][];

export interface StockPlayer {
  /** @param time of the frame in milliseconds */
  see(frame: GreyImage, time: number): { readonly corners: Corners | null; readonly milliseconds: number };
}

export function loadStock(target: ImageTarget): StockPlayer {
  const detector = load(target);
  const follow = createTracker(target);
  const filter = new OneEuroFilter(FILTER);
  const windowCount = windows().length;
  let window = 0;
  let pose: Pose | null = null;
  let showing = false;
  let found = 0;
  let missed = 0;
  let shown: Corners | null = null;
  return {
    see(frame, time) {
      if (!pose) {
        pose = detector.recognize(frame, window);
        window = (window + 1) % windowCount;
      }
      let milliseconds = 0;
      if (pose) {
        const start = process.cpuUsage();
        pose = follow(frame, pose);
        const { user, system } = process.cpuUsage(start);
        milliseconds = (user + system) / 1000;
      }
      if (!showing && pose) {
        missed = 0;
        found++;
        if (found > WARM_UP) {
          showing = true;
          filter.reset();
        }
      }
      if (showing && pose) missed = 0;
      if (showing && !pose) {
        found = 0;
        missed++;
        if (missed > MOST_MISSES) showing = false;
      }
      // While misses are tolerated, the page keeps what it got last.
      if (showing && pose) shown = cornersOf(filter.filter(time, worldMatrix(pose, target.height)), target);
      return { corners: showing ? shown : null, milliseconds };
    },
  };
}

/** Returns the transform for WebGL, column by column. */
function worldMatrix([a, b, c]: Pose, height: number): number[] {
  return [
    ...[a[0], -b[0], -c[0], 0],
    ...[-a[1], b[1], c[1], 0],
    ...[-a[2], b[2], c[2], 0],
    ...[a[1] * height + a[3], -(b[1] * height + b[3]), -(c[1] * height + c[3]), 1],
  ];
}

function cornersOf(m: number[], target: ImageTarget): Corners {
  const { height } = target;
  const rows = [
    [m[0], -m[4], -m[8], m[12] + m[4] * height],
    [-m[1], m[5], m[9], -m[13] - m[5] * height],
    [-m[2], m[6], m[10], -m[14] - m[6] * height],
  ];
  return placeCorners(rows, target);
}

/** Returns a function that moves a pose to the next frame, or returns null. */
function createTracker({ tracking }: ImageTarget) {
  const { data, width, height, scale, points } = tracking[TRACKED];
  const warped = new Uint8Array(width * height);
  const templates = points.map(({ x, y }) => sumsAt(data, width, x, y));
  return (frame: GreyImage, pose: Pose): Pose | null => {
    const projection = multiply(PROJECTION, pose);
    const place = (x: number, y: number) => {
      const [u, v, w] = projection.map((row) => row[0] * x + row[1] * y + row[3]);
      return { x: u / w, y: v / w };
    };
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at++) {
        const { x, y } = place(column / scale, row / scale);
        const u = Math.min(Math.max(Math.floor(x + 0.5), 0), frame.width - 1) || 0;
        const v = Math.min(Math.max(Math.floor(y + 0.5), 0), frame.height - 1) || 0;
        warped[at] = frame.data[v * frame.width + u];
      }
    }
    const screenCoords: { x: number; y: number }[] = [];
    const worldCoords: { x: number; y: number; z: number }[] = [];
    for (const [i, { x, y }] of points.entries()) {
      const best = search(data, warped, width, height, x, y, templates[i]);
      if (best.similarity <= LEAST_SIMILARITY) continue;
      screenCoords.push(place((x + best.dx) / scale, (y + best.dy) / scale));
      worldCoords.push({ x: x / scale, y: y / scale, z: 0 });
    }
    if (worldCoords.length < LEAST_POINTS) return null;
    return estimator.refineEstimate({ initialModelViewTransform: pose, worldCoords, screenCoords });
  };
}

function multiply(first: readonly (readonly number[])[], second: Pose): Pose {
  return first.map((row) =>
    [0, 1, 2, 3].map((column) => row.reduce((sum, value, k) => sum + value * second[k][column], 0)),
  );
}

function sumsAt(data: Uint8Array, width: number, x: number, y: number): { sum: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let row = -TEMPLATE_REACH; row <= TEMPLATE_REACH; row++) {
    for (let column = -TEMPLATE_REACH; column <= TEMPLATE_REACH; column++) {
      const value = data[(y + row) * width + x + column];
      sum += value;
      squares += value * value;
    }
  }
  return { sum, deviation: Math.sqrt(squares - (sum * sum) / TEMPLATE_SIDE ** 2) };
}

function search(
  data: Uint8Array,
  warped: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  { sum, deviation }: { sum: number; deviation: number },
) {
  const best = { similarity: -Infinity, dx: 0, dy: 0 };
  const count = TEMPLATE_SIDE ** 2;
  for (let dy = -SEARCH_REACH; dy <= SEARCH_REACH; dy++) {
    for (let dx = -SEARCH_REACH; dx <= SEARCH_REACH; dx++) {
      const [left, top] = [x + dx - TEMPLATE_REACH, y + dy - TEMPLATE_REACH];
      if (left < 0 || top < 0 || left + TEMPLATE_SIDE > width || top + TEMPLATE_SIDE > height) continue;
      let seen = 0;
      let squares = 0;
      let products = 0;
      for (let row = 0; row < TEMPLATE_SIDE; row++) {
        let at = (top + row) * width + left;
        let of = (y - TEMPLATE_REACH + row) * width + x - TEMPLATE_REACH;
        for (const end = at + TEMPLATE_SIDE; at < end; at++, of++) {
          const value = warped[at];
          seen += value;
          squares += value * value;
          products += value * data[of];
        }
      }
      const spread = Math.sqrt(squares - (seen * seen) / count);
      if (spread < 1e-7 || deviation < 1e-7) continue;
      const similarity = (products - (seen / count) * sum) / spread / deviation;
      if (similarity > best.similarity) {
        best.similarity = similarity;
        best.dx = dx;
        best.dy = dy;
      }
    }
  }
  return best;
}
