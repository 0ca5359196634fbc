import { describe, expect, test } from "vitest";
import { projectCorners } from "../../player/homography.ts";
import { estimatePose, projectPose, stockCamera } from "../../player/pose.ts";
import { poseAt } from "./scene.ts";

const SIZE = { width: 640, height: 427 };
const FRAME = { width: 640, height: 480 };
const CAMERA = stockCamera(FRAME);

describe("pose", () => {
  test("MindAR's camera has a focal length of 1.207 heights", () => {
    expect(CAMERA.focal / FRAME.height).toBeCloseTo(1.2071, 4);
    expect([CAMERA.x, CAMERA.y]).toEqual([320, 240]);
  });

  test.each([
    ["straight ahead", [0, 0, 900], [0, 0, 0]],
    ["at the edge, turned", [200, -120, 1100], [12, -8, 140]],
    ["tilted by 60°", [-40, 30, 1000], [60, 0, 10]],
    ["tilted the other way by 70°", [0, 0, 1300], [0, -70, -90]],
    ["near", [0, 0, 400], [25, 30, -15]],
    ["far", [100, 0, 9000], [-30, 20, 5]],
  ] as const)("%s: is that whose map is given", (_, center, angles) => {
    const pose = poseAt(SIZE, center, angles);
    const found = estimatePose(projectPose(pose, CAMERA), SIZE, CAMERA);
    found.rotation.forEach((value, i) => {
      expect(value).toBeCloseTo(pose.rotation[i], 6);
    });
    found.translation.forEach((value, i) => {
      expect(value).toBeCloseTo(pose.translation[i], 3);
    });
  });

  test("of another camera's map is a rotation that places the corners nearby", () => {
    const map = projectPose(poseAt(SIZE, [30, 20, 1000], [35, 20, 10]), {
      ...CAMERA,
      focal: 0.8 * CAMERA.focal,
    });
    const { rotation, translation } = estimatePose(map, SIZE, CAMERA);
    const rows = [0, 3, 6].map((at) => rotation.subarray(at, at + 3));
    rows.forEach((a, i) => {
      rows.forEach((b, j) => {
        expect(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]).toBeCloseTo(i === j ? 1 : 0, 9);
      });
    });
    const wanted = projectCorners(map, SIZE);
    projectCorners(projectPose({ rotation, translation }, CAMERA), SIZE).forEach(({ x, y }, i) => {
      expect(Math.hypot(x - wanted[i].x, y - wanted[i].y)).toBeLessThan(12);
    });
  });
});
