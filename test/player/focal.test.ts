import { describe, expect, test } from "vitest";
import { FocalEstimator } from "../../player/focal.ts";
import { type Corners, imageToCorners, projectCorners } from "../../player/homography.ts";
import { projectPose } from "../../player/pose.ts";
import { randomNumbers } from "../compiler/pictures.ts";
import { poseAt, type Size } from "./scene.ts";

const TARGET = { width: 640, height: 427 };

const FRAME = { width: 640, height: 480 };

interface Film {
  /** Focal length per longer side of the frame. */
  readonly share: number;
  readonly frame?: Size;
  readonly places?: number;
  /** Most tilt, in degrees. */
  readonly tilt?: number;
  /** Largest error of a corner's coordinates, in pixels. */
  readonly noise?: number;
  /** Longer side of the target in the frame, as a share of the frame's longer side. */
  readonly side?: number;
  readonly seed?: number;
}

/** Returns places of a target in a hand, as a camera sees them. */
function placesOf({ share, frame = FRAME, places = 40, tilt = 50, noise = 0.3, side = 0.5, seed = 1 }: Film) {
  const random = randomNumbers(seed);
  const spread = (most: number) => most * (2 * random() - 1);
  const focal = share * Math.max(frame.width, frame.height);
  const camera = { focal, x: frame.width / 2, y: frame.height / 2 };
  return Array.from({ length: places }, () => {
    const z = (TARGET.width * share) / (side * (0.8 + 0.4 * random()));
    const center = [(spread(0.15) * frame.width * z) / focal, (spread(0.15) * frame.height * z) / focal, z];
    const pose = poseAt(TARGET, center, [spread(tilt), spread(tilt), spread(180)]);
    const corners = projectCorners(projectPose(pose, camera), TARGET).map(({ x, y }) => {
      return { x: x + spread(noise), y: y + spread(noise) };
    });
    return imageToCorners(TARGET, corners as unknown as Corners);
  });
}

/** Returns the estimated focal length per longer side. */
function estimate(maps: readonly Float64Array[], frame: Size = FRAME): number | null {
  const estimator = new FocalEstimator();
  for (const map of maps) estimator.add(map, TARGET, frame);
  const focal = estimator.focalIn(frame);
  return focal && focal / Math.max(frame.width, frame.height);
}

describe("focal length", () => {
  test.each([0.5, 0.65, 0.79, 0.905, 1.2, 2])("of %d longer sides, to 3 %%", (share) => {
    for (const seed of [1, 2, 3]) {
      const found = estimate(placesOf({ share, seed }));
      expect(found! / share).toBeGreaterThan(0.97);
      expect(found! / share).toBeLessThan(1.03);
    }
  });

  test.each([
    ["exactly without noise", { noise: 0 }, 1e-6],
    ["upright and in high resolution", { frame: { width: 1080, height: 1920 } }, 0.02],
    ["of a small target", { side: 0.25, places: 100 }, 0.05],
    ["with much noise", { noise: 1, places: 200 }, 0.06],
    ["by a few places", { places: 12 }, 0.05],
  ] as const)("%s", (_name, film, limit) => {
    const found = estimate(placesOf({ share: 0.79, ...film }), "frame" in film ? film.frame : FRAME);
    expect(Math.abs(found! / 0.79 - 1)).toBeLessThan(limit);
  });

  test("although a fifth of the places is wrong", () => {
    const right = placesOf({ share: 0.79 });
    const wrong = placesOf({ share: 0.79, noise: 40, seed: 7 });
    const found = estimate(right.map((map, i) => (i % 5 === 0 ? wrong[i] : map)));
    expect(Math.abs(found! / 0.79 - 1)).toBeLessThan(0.04);
  });

  test("is unknown as long as the target is seen from the front, or does not move", () => {
    expect(estimate(placesOf({ share: 0.79, tilt: 8, places: 200 }))).toBeNull();
    const [tilted] = placesOf({ share: 0.79, noise: 0 }).filter((map) => estimate([map]) === null);
    expect(estimate(Array.from({ length: 100 }, () => tilted))).toBeNull();
  });

  test("stays the same in a frame that was turned, and is that of the latest places", () => {
    const estimator = new FocalEstimator();
    for (const map of placesOf({ share: 0.79, noise: 0 })) estimator.add(map, TARGET, FRAME);
    expect(estimator.focalIn({ width: 480, height: 640 })).toBeCloseTo(0.79 * 640, 3);
    expect(estimator.focalIn({ width: 1280, height: 960 })).toBeCloseTo(0.79 * 1280, 3);
    // The camera zooms in.
    for (const map of placesOf({ share: 1.5, noise: 0, places: 80 })) estimator.add(map, TARGET, FRAME);
    expect(estimator.focalIn(FRAME)).toBeCloseTo(1.5 * 640, 3);
  });
});
