// A picture as a formula, seen by an ideal camera: places are exact to a fraction of a thousandth of a pixel.

import { scaleImage, trackingScales } from "../../compiler/scales.ts";
import type { GreyImage } from "../../compiler/types.ts";
import {
  type Corners,
  type Homography,
  imageToCorners,
  invert,
  projectCorners,
} from "../../player/homography.ts";
import {
  buildLevels,
  createPyramid,
  type FramePyramid,
  fillPyramid,
  type Levels,
} from "../../player/levels.ts";
import type { Pose } from "../../player/pose.ts";
import { paint, randomNumbers } from "../compiler/pictures.ts";

/** Light at a place, in grey levels. */
export type Light = (x: number, y: number) => number;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns smooth shapes of several sizes on a target of this size. */
export function drawShapes({ width, height }: Size, seed = 1): Light {
  const random = randomNumbers(seed);
  const shorter = Math.min(width, height);
  const blobs = Array.from({ length: 90 }, () => ({
    x: random() * width,
    y: random() * height,
    reach: shorter * (0.015 + 0.07 * random() ** 2),
    level: (random() < 0.5 ? -1 : 1) * (30 + 60 * random()),
  }));
  return (x, y) => {
    let sum = 120;
    for (const blob of blobs) {
      const distance = ((x - blob.x) ** 2 + (y - blob.y) ** 2) / blob.reach ** 2;
      if (distance < 12) sum += blob.level * Math.exp(-distance);
    }
    return Math.min(Math.max(sum, 0), 255);
  };
}

/** Samples per pixel and axis. */
const SAMPLES = 2;

/** Returns the image of light on a sensor of this size. */
export function capture({ width, height }: Size, light: Light): GreyImage {
  return paint(width, height, (column, row) => {
    let sum = 0;
    for (let v = 0.5; v < SAMPLES; v++) {
      for (let u = 0.5; u < SAMPLES; u++) sum += light(column + u / SAMPLES, row + v / SAMPLES);
    }
    return sum / SAMPLES ** 2;
  });
}

/** Returns the levels of a target with this picture, as the compiler makes them. */
export function levelsOf(size: Size, light: Light): Levels {
  const tracking = scaleImage(capture(size, light), trackingScales(size.width, size.height)).map((image) => ({
    ...image,
    points: [],
  }));
  return buildLevels({ ...size, tracking });
}

/** A frame that shows a picture at `corners`, and something else around it. */
export function show(
  size: Size,
  light: Light,
  corners: Corners,
  frame: Size = { width: 320, height: 240 },
  develop: (value: number, x: number, y: number) => number = (value) => value,
): { readonly map: Homography; readonly pyramid: FramePyramid } {
  const map = imageToCorners(size, corners);
  const [a, b, c, d, e, f, g, h, i] = invert(map);
  const around = drawShapes(frame, 99);
  const { data } = capture(frame, (x, y) => {
    const w = g * x + h * y + i;
    const [u, v] = [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
    const inside = u >= 0 && v >= 0 && u < size.width && v < size.height;
    return develop(inside ? light(u, v) : around(x, y), x, y);
  });
  const pyramid = createPyramid(frame.width, frame.height);
  fillPyramid(pyramid, data);
  return { map, pyramid };
}

/**
 * Returns the pose of a target whose middle is at a place and that is turned about the camera's x, y and z axes, in
 * degrees.
 */
export function poseAt({ width, height }: Size, center: readonly number[], angles: readonly number[]): Pose {
  const [x, y, z] = angles.map((degrees) => (degrees * Math.PI) / 180);
  const [cx, sx, cy, sy, cz, sz] = [x, y, z].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
  // R = Rz Ry Rx.
  const rotation = Float64Array.of(
    ...[cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    ...[sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    ...[-sy, cy * sx, cy * cx],
  );
  const translation = Float64Array.from(
    center,
    (value, i) => value - (rotation[3 * i] * width + rotation[3 * i + 1] * height) / 2,
  );
  return { rotation, translation };
}

/** Returns the largest distance between the corners of a target in two maps. */
export function cornerDistance(size: Size, one: Homography, other: Homography): number {
  const others = projectCorners(other, size);
  return Math.max(
    ...projectCorners(one, size).map(({ x, y }, i) => Math.hypot(x - others[i].x, y - others[i].y)),
  );
}

/** Moves all corners by the same distance. */
export function move(corners: Corners, dx: number, dy: number): Corners {
  return corners.map(({ x, y }) => ({ x: x + dx, y: y + dy })) as unknown as Corners;
}

/** Moves each corner by `distance` in a direction of its own. */
export function shake(corners: Corners, distance: number): Corners {
  return corners.map(({ x, y }, i) => ({
    x: x + distance * Math.cos(1 + 2.2 * i),
    y: y + distance * Math.sin(1 + 2.2 * i),
  })) as unknown as Corners;
}
