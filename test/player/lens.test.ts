import { describe, expect, test } from "vitest";
import { createFollower } from "../../player/follow.ts";
import { type Corners, imageToCorners, invert } from "../../player/homography.ts";
import { Lens } from "../../player/lens.ts";
import { createPyramid, fillPyramid } from "../../player/levels.ts";
import { capture, cornerDistance, drawShapes, type Light, levelsOf, move } from "./scene.ts";

const FRAME = { width: 320, height: 240 };
const SIZE = { width: 400, height: 300 };
const BEND = 0.08;
const SQUARE = (FRAME.width ** 2 + FRAME.height ** 2) / 4;

/** Most of the frame, tilted. */
const CORNERS: Corners = [
  { x: 52.3, y: 40.1 },
  { x: 261.7, y: 31.4 },
  { x: 252.2, y: 198.6 },
  { x: 43.9, y: 206.2 },
];

/** Returns where a lens shows what another one without distortion would show at these places. */
function bent(corners: Corners): Corners {
  return corners.map(({ x, y }) => {
    const [right, down] = [x - 160, y - 120];
    const scale = 1 + (BEND * (right ** 2 + down ** 2)) / SQUARE;
    return { x: 160 + right * scale, y: 120 + down * scale };
  }) as unknown as Corners;
}

function show(light: Light, corners: Corners) {
  const [a, b, c, d, e, f, g, h, i] = invert(imageToCorners(SIZE, corners));
  const around = drawShapes(FRAME, 99);
  const { data } = capture(FRAME, (x, y) => {
    const [right, down] = [x - 160, y - 120];
    let scale = 1;
    for (let round = 0; round < 8; round++) {
      scale = 1 / (1 + (BEND * (right ** 2 + down ** 2) * scale ** 2) / SQUARE);
    }
    const [px, py] = [160 + right * scale, 120 + down * scale];
    const w = g * px + h * py + i;
    const [u, v] = [(a * px + b * py + c) / w, (d * px + e * py + f) / w];
    return u >= 0 && v >= 0 && u < SIZE.width && v < SIZE.height ? light(u, v) : around(x, y);
  });
  const pyramid = createPyramid(FRAME.width, FRAME.height);
  fillPyramid(pyramid, data);
  return pyramid;
}

describe("a lens that distorts", () => {
  test("is measured while a target moves, whose corners are then where the lens shows them", () => {
    const light = drawShapes(SIZE);
    const follower = createFollower(levelsOf(SIZE, light), FRAME);
    follower.start(imageToCorners(SIZE, bent(CORNERS)), 0);
    const places = [CORNERS, move(CORNERS, 14, 7)].map((corners) => ({
      pyramid: show(light, corners),
      truth: imageToCorners(SIZE, bent(corners)),
    }));
    const errors = Array.from({ length: 16 }, (_, i) => {
      const { pyramid, truth } = places[i % 2];
      const { state, map } = follower.follow(pyramid, i / 30);
      expect(state).toBe("followed");
      return cornerDistance(SIZE, map, truth);
    });
    expect(errors[0]).toBeGreaterThan(1);
    expect(errors[15]).toBeLessThan(0.6);
  });

  test("is straightened and distorted to the same place again", () => {
    const lens = new Lens(SIZE, FRAME);
    for (let i = 0; i < 50; i++) lens.add({ change: BEND - lens.bend, information: 1e9 });
    expect(lens.bend).toBeGreaterThan(0.07);
    const map = imageToCorners(SIZE, CORNERS);
    const out = new Float64Array(9);
    lens.distort(map, out);
    expect(cornerDistance(SIZE, out, map)).toBeGreaterThan(1);
    lens.straighten(out, out);
    expect(cornerDistance(SIZE, out, map)).toBeLessThan(0.02);
  });
});
