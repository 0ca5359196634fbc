import { expect, test } from "vitest";
import { FRAME, takePicture, type View } from "../../bench/recall/camera.ts";
import { compileTarget } from "../../compiler/compile.ts";
import type { GreyImage } from "../../compiler/types.ts";
import type { FindStage } from "../../player/find.ts";
import { projectCorners } from "../../player/homography.ts";
import { Tracker } from "../../player/tracker.ts";
import { paintCollage } from "../compiler/pictures.ts";
import type { Size } from "./scene.ts";

const photo = paintCollage(320, 240);
const other = paintCollage(240, 320);
const targets = [compileTarget(other), compileTarget(photo)];

const VIEW: View = {
  size: 0.6,
  tilt: 0.3,
  lean: 0.5,
  roll: 0.1,
  centre: [0.1, -0.05],
  defocus: 0.6,
  motion: 0,
  motionAngle: 0,
  exposure: 1,
  noise: 1,
  covered: 0,
  coveredFrom: 0,
  seed: 5,
};

test("finds a target, follows it, and loses it when the frames change their size", () => {
  const tracker = new Tracker(targets);
  tracker.prepareToFind(FRAME);
  tracker.prepareToFollow(FRAME);
  const first = takePicture(photo, VIEW);
  expect(tracker.find(first.frame, [])).toEqual([]);
  const found = tracker.find(first.frame, [0, 1]);
  expect(found[0].target).toBe(1);
  tracker.start(found.slice(0, 1), FRAME, 0);

  for (let i = 1; i < 6; i++) {
    const { frame, corners } = takePicture(photo, { ...VIEW, centre: [0.1 + 0.01 * i, -0.05] });
    const [followed] = tracker.follow(frame, i / 30);
    expect([followed.target, followed.state]).toEqual([1, "followed"]);
    projectCorners(followed.map, photo).forEach(({ x, y }, corner) => {
      expect(Math.hypot(x - corners[corner].x, y - corners[corner].y)).toBeLessThan(1);
    });
  }

  const turned: GreyImage = { data: new Uint8Array(480 * 640).fill(90), width: 480, height: 640 };
  expect(tracker.follow(turned, 0.2)).toMatchObject([{ target: 1, state: "lost" }]);
  expect(tracker.follow(turned, 0.3)).toEqual([]);
});

test("looks for a lost target near its last place, unless the frames' size has changed", () => {
  const tracker = new Tracker(targets);
  const { frame } = takePicture(photo, VIEW);
  const [{ map }] = tracker.find(frame, [1]);
  const stagesWith = (size: Size) => {
    const stages: FindStage[] = [];
    const seen = [{ target: 1, map, frame: size }];
    const found = tracker.find(frame, [1], seen, { onStage: (stage) => stages.push(stage) });
    expect(found.map(({ target }) => target)).toEqual([1]);
    return stages;
  };
  expect(stagesWith(FRAME)).not.toContain("match");
  expect(stagesWith({ width: FRAME.height, height: FRAME.width })).toContain("match");
});

test("warms up without following anything", () => {
  const tracker = new Tracker(targets);
  tracker.warmUp(FRAME, "find");
  tracker.warmUp(FRAME, "follow");
  const { frame } = takePicture(other, VIEW);
  expect(tracker.follow(frame, 0.03)).toEqual([]);
  expect(tracker.find(frame, [0])).toHaveLength(1);
});

test("stops following when it is reset", () => {
  const tracker = new Tracker(targets);
  const { frame } = takePicture(photo, VIEW);
  tracker.start(tracker.find(frame, [1]), FRAME, 0);
  expect(tracker.follow(frame, 0.03)).toHaveLength(1);
  tracker.reset();
  expect(tracker.follow(frame, 0.06)).toEqual([]);
});
