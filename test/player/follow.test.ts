import { describe, expect, test } from "vitest";
import { createFollower } from "../../player/follow.ts";
import { type Corners, imageToCorners } from "../../player/homography.ts";
import { createPyramid, fillPyramid, type Levels } from "../../player/levels.ts";
import { randomNumbers } from "../compiler/pictures.ts";
import { cornerDistance, drawShapes, type Light, levelsOf, move, type Size, shake, show } from "./scene.ts";

const FRAME = { width: 320, height: 240 };

const SIZE = { width: 400, height: 300 };

/** About 150 × 110 pixels of the frame, tilted. */
const CORNERS: Corners = [
  { x: 82.3, y: 60.1 },
  { x: 231.7, y: 71.4 },
  { x: 222.2, y: 178.6 },
  { x: 73.9, y: 176.2 },
];

function halve(corners: Corners): Corners {
  return corners.map(({ x, y }) => ({ x: x / 2, y: y / 2 })) as unknown as Corners;
}

interface Scene {
  readonly size: Size;
  readonly light: Light;
  readonly levels: Levels;
}

function sceneOf(size: Size = SIZE): Scene {
  const light = drawShapes(size);
  return { size, light, levels: levelsOf(size, light) };
}

const scene = sceneOf();

/** Follows from the first place through the others; returns the states and the largest errors in pixels. */
function followThrough(
  { size, light, levels }: Scene,
  places: readonly Corners[],
  develop?: (value: number, x: number, y: number) => number,
) {
  const follower = createFollower(levels, FRAME);
  follower.start(imageToCorners(size, shake(places[0], 1)), 0);
  return places.map((corners, i) => {
    const { map, pyramid } = show(size, light, corners, FRAME, i === 0 ? undefined : develop);
    const followed = follower.follow(pyramid, i / 30);
    return {
      state: followed.state,
      error: cornerDistance(size, followed.map, map),
      agreement: followed.agreement,
    };
  });
}

describe("following", () => {
  test("a moving target to less than a tenth of a pixel", () => {
    const places = Array.from({ length: 5 }, (_, i) => move(shake(CORNERS, i), 6 * i, -3 * i));
    for (const { state, error } of followThrough(scene, places)) {
      expect(state).toBe("followed");
      expect(error).toBeLessThan(0.1);
    }
  });

  test("a target at rest, without trembling as the noise does", () => {
    const random = randomNumbers(3);
    const noisy = (value: number) => value + 12 * (random() - 0.5);
    const follower = createFollower(scene.levels, FRAME);
    follower.start(imageToCorners(SIZE, CORNERS), 0);
    const maps = Array.from({ length: 12 }, (_, i) => {
      const { pyramid } = show(SIZE, scene.light, CORNERS, FRAME, noisy);
      return follower.follow(pyramid, i / 30).map.slice();
    });
    const moves = maps.slice(1).map((map, i) => cornerDistance(SIZE, map, maps[i]));
    expect(Math.max(...moves.slice(3))).toBeLessThan(0.02);
  });

  test("a move of a fifth of the target in one frame", () => {
    const [, { state, error }] = followThrough(scene, [CORNERS, move(CORNERS, 30, 20)]);
    expect(state).toBe("followed");
    expect(error).toBeLessThan(0.1);
  });

  test("less light", () => {
    const [, { state, error }] = followThrough(
      scene,
      [CORNERS, move(CORNERS, 3, 1)],
      (value) => 10 + 0.3 * value,
    );
    expect(state).toBe("followed");
    expect(error).toBeLessThan(0.15);
  });

  test("half a target behind an object", () => {
    const places = Array.from({ length: 3 }, (_, i) => move(CORNERS, 2 * i, 0));
    for (const { state, error, agreement } of followThrough(scene, places, (value, x) =>
      x > 150 ? 128 + 60 * Math.sin(x / 5) : value,
    ).slice(1)) {
      expect(state).toBe("followed");
      expect(error).toBeLessThan(0.8);
      expect(agreement).toBeLessThan(0.8);
    }
  });

  test("a target that motion blurs, from the second frame on", () => {
    // A small frame, because each one is the mean of many.
    const frame = { width: 160, height: 120 };
    const [size, small] = [{ width: 200, height: 150 }, move(halve(CORNERS), -20, 0)];
    const { light, levels } = sceneOf(size);
    const follower = createFollower(levels, frame);
    const at = (time: number) => move(small, 6 * time, 2 * time);
    follower.start(imageToCorners(size, at(0)), 0);
    const errors = Array.from({ length: 5 }, (_, i) => {
      const samples = 6;
      const light16 = new Uint16Array(frame.width * frame.height);
      for (let sample = 0; sample < samples; sample++) {
        const { pyramid } = show(size, light, at(i + ((sample + 0.5) / samples - 0.5) * 0.7), frame);
        pyramid.levels[0].data.forEach((value, pixel) => {
          light16[pixel] += value;
        });
      }
      const pyramid = createPyramid(frame.width, frame.height);
      fillPyramid(
        pyramid,
        Uint8Array.from(light16, (value) => value / samples),
      );
      const { state, map } = follower.follow(pyramid, i / 30);
      expect(state).toBe("followed");
      return cornerDistance(size, map, imageToCorners(size, at(i)));
    });
    for (const error of errors.slice(1)) expect(error).toBeLessThan(0.1);
  });

  test.each([
    ["odd sides", { width: 413, height: 287 }, 0.15],
    ["less than 256 pixels", { width: 173, height: 128 }, 0.15],
    ["a narrow shape", { width: 640, height: 150 }, 0.25],
    ["40 pixels, enlarged four times", { width: 40, height: 40 }, 0.8],
  ])("a target with %s", (_name, size, limit) => {
    const [, { state, error }] = followThrough(sceneOf(size), [CORNERS, move(CORNERS, 5, 2)]);
    expect(state).toBe("followed");
    expect(error).toBeLessThan(limit);
  });
});

describe("an observer", () => {
  /** Follows into one frame. Returns the stages, and what is told of the patches. */
  function observe(light: Light, develop?: (value: number, x: number) => number) {
    const follower = createFollower(scene.levels, FRAME);
    const { map, pyramid } = show(SIZE, light, CORNERS, FRAME, develop);
    follower.start(map, 0);
    const stages: string[] = [];
    const patches: { x: number; y: number }[] = [];
    const agreeing: { x: number; dx: number; dy: number }[] = [];
    follower.follow(pyramid, 1 / 30, {
      onStage: (stage) => stages.push(stage),
      onPatches(places, rows) {
        for (let i = 0; i < places.length; i += 2) patches.push({ x: places[i], y: places[i + 1] });
        for (let i = 0; i < rows.length; i += 4) {
          agreeing.push({ x: rows[i], dx: rows[i + 2], dy: rows[i + 3] });
        }
      },
    });
    return { stages, patches, agreeing };
  }

  test("learns the stages, and which patches are in sight", () => {
    const { stages, patches, agreeing } = observe(scene.light, (value, x) =>
      x > 170 ? 128 + 60 * Math.sin(x / 5) : value,
    );
    expect(stages).toEqual(expect.arrayContaining(["predict", "align", "verify"]));
    const behind = ({ x }: { x: number }) => x > 178;
    expect(patches.filter(behind).length).toBeGreaterThan(10);
    expect(agreeing.filter(behind).length).toBeLessThan(patches.filter(behind).length / 4);
    expect(agreeing.length).toBeGreaterThan(20);
    for (const { x, y } of patches) {
      expect(x).toBeGreaterThan(70);
      expect(x).toBeLessThan(235);
      expect(y).toBeGreaterThan(55);
      expect(y).toBeLessThan(182);
    }
  });

  test("learns by how much a bent print differs, and in which direction", () => {
    // The right quarter is 3 target pixels, more than one of the frame, further to the right. The homography takes up
    // what it can; beside the fold, the residuals differ by the rest.
    const { agreeing } = observe((x, y) => scene.light(x > 300 ? x - 3 : x, y));
    const meanBetween = (left: number, right: number) => {
      const rows = agreeing.filter(({ x }) => x > left && x < right);
      return rows.reduce((sum, { dx }) => sum + dx, 0) / rows.length;
    };
    expect(meanBetween(178, 190) - meanBetween(194, 206)).toBeGreaterThan(0.8);
    expect(Math.abs(meanBetween(100, 140))).toBeLessThan(0.2);
  });
});

describe("losing", () => {
  test("a frame without the target is held three times at the expected place, then lost", () => {
    const follower = createFollower(scene.levels, FRAME);
    const first = show(SIZE, scene.light, CORNERS, FRAME);
    const second = show(SIZE, scene.light, move(CORNERS, 4, 0), FRAME);
    follower.start(first.map, 0);
    follower.follow(first.pyramid, 0);
    expect(follower.follow(second.pyramid, 0.1).state).toBe("followed");
    const gone = show(SIZE, drawShapes(SIZE, 2), CORNERS, FRAME).pyramid;
    const followed = follower.follow(gone, 0.2);
    expect(followed.state).toBe("held");
    expect(cornerDistance(SIZE, followed.map, imageToCorners(SIZE, move(CORNERS, 8, 0)))).toBeLessThan(1);
    expect(follower.follow(gone, 0.3).state).toBe("held");
    expect(follower.follow(gone, 0.4).state).toBe("held");
    expect(follower.follow(gone, 0.5).state).toBe("lost");
    // A lost target stays lost until it is found.
    expect(follower.follow(second.pyramid, 0.6).state).toBe("lost");
    follower.start(second.map, 0.7);
    expect(follower.follow(second.pyramid, 0.7).state).toBe("followed");
  });

  test("a held target is followed again where it reappears", () => {
    const follower = createFollower(scene.levels, FRAME);
    const { map, pyramid } = show(SIZE, scene.light, CORNERS, FRAME);
    follower.start(map, 0);
    follower.follow(pyramid, 0);
    // Nothing but black.
    const gone = createPyramid(FRAME.width, FRAME.height);
    expect(follower.follow(gone, 0.03).state).toBe("held");
    const next = show(SIZE, scene.light, move(CORNERS, 15, 5), FRAME);
    const followed = follower.follow(next.pyramid, 0.06);
    expect(followed.state).toBe("followed");
    expect(cornerDistance(SIZE, followed.map, next.map)).toBeLessThan(0.1);
  });

  test("a target that has left the frame is lost at once", () => {
    const states = followThrough(scene, [
      move(CORNERS, -100, 0),
      move(CORNERS, -140, 0),
      move(CORNERS, -180, 0),
      move(CORNERS, -235, 0),
    ]).map(({ state }) => state);
    expect(states[0]).toBe("followed");
    expect(states[3]).toBe("lost");
  });

  test("a target without texture is never followed", () => {
    const plain = { size: SIZE, light: () => 100, levels: levelsOf(SIZE, () => 100) };
    expect(followThrough(plain, [CORNERS])[0].state).not.toBe("followed");
  });
});
