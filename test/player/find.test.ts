import { beforeAll, describe, expect, test } from "vitest";
import { FRAME, takePicture, type View } from "../../bench/recall/camera.ts";
import { compileTarget } from "../../compiler/compile.ts";
import type { GreyImage, ImageTarget } from "../../compiler/types.ts";
import { Finder, type FindOptions, type FindStage, type Found, type LastPlace } from "../../player/find.ts";
import { type Corners, imageToCorners, projectCorners } from "../../player/homography.ts";
import { loadPhoto } from "../compiler/oracle.ts";
import { paint, randomNumbers } from "../compiler/pictures.ts";

/** A photo half as long as the frame is high, seen from the front by a good camera. */
const ORDINARY: View = {
  size: 0.6,
  tilt: 0.2,
  lean: 1,
  roll: 0.1,
  centre: [0.1, -0.05],
  defocus: 0.6,
  motion: 0.5,
  motionAngle: 1,
  exposure: 0.9,
  noise: 2,
  covered: 0,
  coveredFrom: 0,
  seed: 1,
};

const DEGREE = Math.PI / 180;

let barn: GreyImage;
let cat: GreyImage;
let targets: ImageTarget[];
let finder: Finder;

beforeAll(async () => {
  barn = await loadPhoto("dust-bowl-home", 480, 360);
  cat = await loadPhoto("locomotion-house-cat", 480, 300);
  targets = [barn, cat].map((photo) => compileTarget(photo));
  finder = new Finder(targets, FRAME);
  while (finder.addView());
});

/** Returns the largest distance of a corner from its place, in frame pixels. */
function cornerError({ target, map }: Found, corners: Corners): number {
  const found = projectCorners(map, targets[target]);
  return Math.max(...found.map(({ x, y }, i) => Math.hypot(x - corners[i].x, y - corners[i].y)));
}

describe("a photo is found", () => {
  const views: [string, Partial<View>, number][] = [
    ["in an ordinary view", {}, 1],
    ["upside down", { roll: Math.PI }, 1],
    ["tilted by 65°", { tilt: 65 * DEGREE }, 1],
    ["110 pixels long", { size: 110 / FRAME.height }, 1],
    ["60 pixels long", { size: 60 / FRAME.height }, 1],
    ["in deep dark", { exposure: 0.07 }, 1],
    ["half covered", { covered: 0.5 }, 2],
    ["two thirds covered", { covered: 0.65, coveredFrom: 4.8 }, 3],
    ["overexposed", { exposure: 2.3 }, 1],
    ["out of focus", { defocus: 3.5 }, 3],
    ["in motion", { motion: 12 }, 3],
    ["in the dark", { exposure: 0.12 }, 1],
    ["at the frame's edge", { centre: [0.75, 0.2] }, 1],
  ];

  test.each(views)("%s", (_name, view, tolerance) => {
    const { frame, corners } = takePicture(barn, { ...ORDINARY, ...view });
    const found = finder.find(frame);
    expect(found).toHaveLength(1);
    expect(found[0].target).toBe(0);
    expect(cornerError(found[0], corners)).toBeLessThan(tolerance);
  });
});

describe("several targets", () => {
  test("the one that is shown is found", () => {
    const { frame, corners } = takePicture(cat, ORDINARY);
    const [found] = finder.find(frame, { maxTargets: 2 });
    expect(found.target).toBe(1);
    expect(cornerError(found, corners)).toBeLessThan(1);
  });

  test("two are found in one frame", () => {
    const left = takePicture(barn, { ...ORDINARY, size: 0.4, centre: [-0.5, 0] });
    const right = takePicture(cat, { ...ORDINARY, size: 0.4, centre: [0.5, 0] });
    const frame = {
      ...FRAME,
      data: left.frame.data.map((grey, i) =>
        i % FRAME.width < FRAME.width / 2 ? grey : right.frame.data[i],
      ),
    };
    const found = finder.find(frame, { maxTargets: 2 });
    expect(found.map(({ target }) => target).sort()).toEqual([0, 1]);
    for (const place of found) {
      expect(cornerError(place, place.target === 0 ? left.corners : right.corners)).toBeLessThan(1);
    }
    expect(finder.find(frame)).toHaveLength(1);
    expect(finder.find(frame, { targets: [1] }).map(({ target }) => target)).toEqual([1]);
  });
});

describe("near its last place", () => {
  /** Where the barn is in an ordinary view, moved by a share of its longer side. */
  const lastPlace = (corners: Corners, share: number): LastPlace => {
    const away = share * ORDINARY.size * FRAME.height;
    const moved = corners.map(({ x, y }) => ({ x: x + 0.8 * away, y: y - 0.6 * away }));
    return { target: 0, map: imageToCorners(barn, moved as unknown as Corners) };
  };
  const stagesOf = (frame: GreyImage, options: FindOptions) => {
    const stages: FindStage[] = [];
    const found = finder.find(frame, { ...options, onStage: (stage) => stages.push(stage) });
    return { found, stages };
  };

  test.each([0, 0.1])("a photo that moved by %d of its side is found without matching", (share) => {
    const { frame, corners } = takePicture(barn, ORDINARY);
    const { found, stages } = stagesOf(frame, { near: [lastPlace(corners, share)] });
    expect(found.map(({ target }) => target)).toEqual([0]);
    expect(cornerError(found[0], corners)).toBeLessThan(1);
    expect(stages).toEqual(["features", "fit", "verify"]);
  });

  test("a photo elsewhere is found as in a look at the whole frame", () => {
    const { frame, corners } = takePicture(barn, ORDINARY);
    const near = [lastPlace(corners, 1)];
    expect(finder.find(frame, { near })).toEqual(finder.find(frame));
    const small = takePicture(barn, { ...ORDINARY, size: 60 / FRAME.height }).frame;
    expect(finder.find(small, { near })).toEqual(finder.find(small));
  });

  test("another photo is found where it is, and nothing where nothing is", () => {
    const { frame, corners } = takePicture(cat, ORDINARY);
    const near = [lastPlace(corners, 0)];
    expect(finder.find(frame, { near, maxTargets: 2 })).toEqual(finder.find(frame, { maxTargets: 2 }));
    expect(finder.find(frame, { near, targets: [0] })).toEqual([]);
    expect(finder.find(takePicture(barn, ORDINARY).frame, { near, targets: [1] })).toEqual([]);
  });
});

describe("nothing is found", () => {
  test("in a frame that shows another photo", () => {
    const other = new Finder([targets[1]], FRAME);
    expect(other.find(takePicture(barn, ORDINARY).frame)).toEqual([]);
  });

  test("in blank frames and in noise", () => {
    const random = randomNumbers(3);
    for (const grey of [() => 0, () => 128, () => 255, () => 255 * random()]) {
      expect(finder.find(paint(FRAME.width, FRAME.height, grey))).toEqual([]);
    }
  });

  test.each([
    [1, 1],
    [7, 300],
    [40, 9],
    [33, 31],
    [333, 251],
  ])("in a frame of %i × %i pixels of noise", (width, height) => {
    const random = randomNumbers(4);
    const small = new Finder(targets, { width, height });
    expect(small.find(paint(width, height, () => 255 * random()))).toEqual([]);
  });
});

test("a photo is found in a frame with odd sides", () => {
  const { frame, corners } = takePicture(barn, ORDINARY);
  const [width, height] = [FRAME.width - 13, FRAME.height - 7];
  const odd = new Finder([targets[0]], { width, height });
  const [found] = odd.find(paint(width, height, (x, y) => frame.data[y * FRAME.width + x]));
  expect(cornerError(found, corners)).toBeLessThan(1);
});

test("the same frame gives the same result again", () => {
  const { frame } = takePicture(barn, ORDINARY);
  const first = finder.find(frame);
  finder.find(takePicture(cat, ORDINARY).frame);
  expect(finder.find(frame)).toEqual(first);
});
