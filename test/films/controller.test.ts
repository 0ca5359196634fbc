/// <reference lib="dom" />
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, preview } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { median } from "../../bench/statistics.ts";
import { compile } from "../../compiler/compile.ts";
import { toGrey } from "../../compiler/image/decode.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { type CameraFilm, CODE, filmPhoto, readFrameNumber } from "../e2e/camera.ts";
import { cornerError } from "../e2e/overlay.ts";
import { photograph } from "../e2e/photograph.ts";
import type { Corners } from "../e2e/pinhole.ts";
import type { Seeing } from "./mindar/page.ts";

const PAGE = fileURLToPath(new URL("mindar", import.meta.url));
const PICTURES = 6;
const CODE_SIZE = { width: CODE.bits * 2 * CODE.cell, height: CODE.cell / 2 + 1 };

let folder: string;
let film: CameraFilm;
let seeing: Seeing;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vivimark-controller-"));
  const photo = await photograph("dust-bowl-home");
  const camera = join(folder, "camera.y4m");
  film = await filmPhoto(photo, camera);
  const marker = compile([toGrey({ ...photo, data: photo.data })]);
  const outDir = join(folder, "page");
  const config = {
    root: PAGE,
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir, target: "es2022", chunkSizeWarningLimit: 2000 },
  } as const;
  await build(config);
  const server = await preview({
    ...config,
    preview: { host: "127.0.0.1", port: 0 },
    plugins: [
      {
        name: "marker",
        configurePreviewServer({ middlewares }) {
          middlewares.use("/marker.mind", (_, response) => void response.end(marker));
        },
      },
    ],
  });
  const browser = await launchBrowser({ camera });
  try {
    const page = await browser.newPage();
    await page.goto(server.resolvedUrls!.local[0]);
    await page.waitForFunction(() => "see" in globalThis);
    seeing = await page.evaluate(
      ({ pictures, code }) =>
        (globalThis as unknown as { see: (pictures: number, code: object) => Promise<Seeing> }).see(
          pictures,
          code,
        ),
      { pictures: PICTURES, code: CODE_SIZE },
    );
  } finally {
    await browser.close();
    await server.close();
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns where a world matrix places the photo's corners in the picture, by OpenGL's rules. */
function cornersOf(world: readonly number[], projection: readonly number[]): Corners {
  const [width, height] = seeing.dimensions.ours[0];
  const place = (x: number, y: number) => {
    // The target's y goes up from its lower edge.
    const eye = [0, 1, 2, 3].map((row) => world[row] * x + world[4 + row] * (height - y) + world[12 + row]);
    const [u, v, , w] = [0, 1, 2, 3].map((row) =>
      eye.reduce((sum, value, column) => sum + projection[4 * column + row] * value, 0),
    );
    return { x: ((u / w + 1) / 2) * film.width, y: ((1 - v / w) / 2) * film.height };
  };
  return [place(0, 0), place(width, 0), place(width, height), place(0, height)];
}

test("the drop-in Controller has the projection and the sizes of MindAR's", () => {
  expect(seeing.dimensions.ours).toEqual(seeing.dimensions.stock);
  seeing.projections.ours.forEach((entry, i) => {
    expect(entry).toBeCloseTo(seeing.projections.stock[i], 9);
  });
});

test("its world matrices place the photo where MindAR's do, and nearer to where it is", () => {
  const errors = seeing.seen.map(({ code, stock, ours }) => {
    const truth = film.frames[readFrameNumber(code, CODE_SIZE.width) ?? -1];
    if (!truth || !stock || !ours)
      throw new Error("A picture shows no photo, or a controller did not find it.");
    const [theirs, mine] = [stock, ours].map((world) => cornersOf(world, seeing.projections.stock));
    const shift =
      Math.hypot(...[12, 13, 14].map((i) => ours[i] - stock[i])) / Math.hypot(...stock.slice(12, 15));
    return {
      apart: cornerError(theirs, mine),
      stock: cornerError(theirs, truth),
      ours: cornerError(mine, truth),
      shift,
    };
  });
  expect(errors.length).toBe(PICTURES);
  // MindAR's own error is up to 1.4 % of the photo's width. Ours is that of the assumed field of view, 45° for 50°.
  expect(median(errors.map(({ apart }) => apart))).toBeLessThan(0.015);
  expect(median(errors.map(({ shift }) => shift))).toBeLessThan(0.01);
  expect(Math.max(...errors.map(({ ours }) => ours))).toBeLessThan(0.01);
  expect(median(errors.map(({ ours }) => ours))).toBeLessThan(median(errors.map(({ stock }) => stock)));
});
