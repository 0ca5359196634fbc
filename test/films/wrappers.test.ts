/// <reference lib="dom" />
// MindAR's three.js and A-Frame wrappers on its own Controller and on ours.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Frame, Page } from "playwright-core";
import { type Alias, build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { median } from "../../bench/statistics.ts";
import { compile } from "../../compiler/compile.ts";
import { toGrey } from "../../compiler/image/decode.ts";
import { imageToCorners } from "../../player/homography.ts";
import { estimatePose, stockCamera } from "../../player/pose.ts";
import { paint, randomNumbers } from "../compiler/pictures.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { type CameraFilm, CODE, filmPhoto, readFrameNumber } from "../e2e/camera.ts";
import { PATIENCE } from "../e2e/content.ts";
import { cornerError } from "../e2e/overlay.ts";
import { photograph } from "../e2e/photograph.ts";
import type { Corners } from "../e2e/pinhole.ts";
import type { AframeSystem } from "./wrappers/aframe.ts";
import type { StillCamera } from "./wrappers/camera.ts";
import type { Report } from "./wrappers/report.ts";

const PAGES = fileURLToPath(new URL("wrappers", import.meta.url));
const CONTROLLER = fileURLToPath(new URL("../../player/web/controller.ts", import.meta.url));
const [README, GUIDE] = ["../../node/package/README.md", "../../docs/player.md"].map((file) =>
  readFileSync(new URL(file, import.meta.url), "utf8"),
);
const { resolve } = createRequire(import.meta.url);
const PICTURES = 6;
/** Fewest frames of the film between two pictures. */
const APART = 15;
/** Updates of an anchor after which MindAR's filter has come to rest. */
const ROUNDS = 20;
const CODE_SIZE = { width: CODE.bits * 2 * CODE.cell, height: CODE.cell / 2 + 1 };

/** The camera that MindAR assumes for the film's frames. */
const CAMERA = stockCamera({ width: 640, height: 480 });

let folder: string;
let server: PreviewServer;
let browser: Browser;
let page: Page;
/** Size of the photo. */
let size: { readonly width: number; readonly height: number };
/** The photo's corners in each picture. */
let truth: Corners[];
/** Modules of the pages, by the Controller that they run on. */
let modules: { stock: string[]; ours: string[] };

/** Pages in the browser see these. */
declare const camera: StillCamera;
declare const report: Report;
declare const system: () => AframeSystem;
declare const mindar: { start(): Promise<void>; stop(): void };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vivimark-wrappers-"));
  const photo = await photograph("dust-bowl-home");
  const path = join(folder, "camera.y4m");
  const film = await filmPhoto(photo, path);
  size = { width: photo.width, height: photo.height };
  const random = randomNumbers(5);
  // The second target is never in sight.
  const marker = compile([toGrey(photo), paint(120, 120, () => 255 * random())]);
  modules = { stock: await buildPages("stock", []), ours: await buildPages("ours", await guideAliases()) };
  server = await preview({
    root: PAGES,
    configFile: false,
    logLevel: "error",
    appType: "mpa",
    build: { outDir: folder },
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
  browser = await launchBrowser({ camera: path });
  page = await browser.newPage();
  await page.addInitScript(() => {
    if (self === top) return;
    const { camera } = top as unknown as { camera: StillCamera };
    navigator.mediaDevices.getUserMedia = async () => camera.stream();
  });
  await page.goto(new URL("ours/camera.html", server.resolvedUrls!.local[0]).href);
  await page.waitForFunction(() => "camera" in globalThis);
  truth = await takePictures(film.frames);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Returns the aliases of the guide's vite.config.js, with the package's module in its place in the repository. */
async function guideAliases(): Promise<Alias[]> {
  const example = /```js\n(\/\/ vite\.config\.js\n.*?)```/s.exec(GUIDE)![1];
  const { default: config } = await import(`data:text/javascript,${encodeURIComponent(example)}`);
  return config.resolve.alias.map(({ find, replacement }: Alias) => {
    expect(replacement).toBe("vivimark/player/controller");
    return { find, replacement: CONTROLLER };
  });
}

/** Builds the pages and returns the paths of their modules. */
async function buildPages(name: string, aliases: Alias[]): Promise<string[]> {
  const ids: string[] = [];
  await build({
    root: PAGES,
    base: `/${name}/`,
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    resolve: {
      alias: [
        ...aliases,
        { find: /^three(?=\/|$)/, replacement: "three-150" },
        // The bundle that contains its own three.js.
        { find: /^aframe$/, replacement: resolve("aframe") },
      ],
    },
    plugins: [
      {
        name: "modules",
        generateBundle(_, bundle) {
          for (const chunk of Object.values(bundle)) if (chunk.type === "chunk") ids.push(...chunk.moduleIds);
        },
      },
    ],
    build: {
      outDir: join(folder, name),
      target: "es2022",
      chunkSizeWarningLimit: 4000,
      rollupOptions: { input: ["camera", "three", "aframe"].map((file) => join(PAGES, `${file}.html`)) },
    },
  });
  return ids;
}

/** Takes PICTURES pictures of the photo, and then one without it. Returns the photo's corners in each. */
async function takePictures(frames: CameraFilm["frames"]): Promise<Corners[]> {
  const taken: number[] = [];
  while (taken.length <= PICTURES) {
    const code = await page.evaluate((size) => camera.take(size), CODE_SIZE);
    const number = readFrameNumber(code, CODE_SIZE.width);
    const isWanted = number !== null && (frames[number] !== null) === taken.length < PICTURES;
    if (isWanted && taken.every((other) => Math.abs(other - number) >= APART)) taken.push(number);
    else await page.evaluate(() => camera.discard());
    await page.waitForTimeout(100);
  }
  return taken.slice(0, PICTURES).map((number) => frames[number]!);
}

interface Seen {
  readonly events: Report["events"];
  /** The anchor's matrix for each picture, column-major 4 × 4. */
  readonly matrices: number[][];
}

/** Opens a page in front of a picture. */
async function open(path: string, picture: number): Promise<Frame> {
  await page.evaluate((index) => camera.show(index), picture);
  await page.evaluate((url) => camera.open(url), `/${path}`);
  const wrapper = (await (await page.waitForSelector("iframe")).contentFrame())!;
  await wrapper.waitForFunction(() => "report" in globalThis, undefined, PATIENCE);
  return wrapper;
}

function isShown(wrapper: Frame, shown: boolean): Promise<unknown> {
  return wrapper.waitForFunction((shown) => report.anchor().isVisible === shown, shown, PATIENCE);
}

/** Shows the pictures to a page, each after one without the photo. */
async function look(path: string): Promise<Seen> {
  const wrapper = await open(path, PICTURES);
  const matrices: number[][] = [];
  for (let picture = 0; picture < PICTURES; picture++) {
    await page.evaluate((index) => camera.show(index), picture);
    const isFollowed = (rounds: number) => report.updates >= rounds && report.anchor().isVisible;
    await wrapper.waitForFunction(isFollowed, ROUNDS, PATIENCE);
    matrices.push(await wrapper.evaluate(() => report.anchor().matrix));
    await page.evaluate((index) => camera.show(index), PICTURES);
    await isShown(wrapper, false);
  }
  return { matrices, events: await wrapper.evaluate(() => report.events) };
}

test("the package's README has the guide's examples", () => {
  const section = /### MindAR's wrappers\n(.*?)\n## /s.exec(README)![1];
  const examples = [...section.matchAll(/```.*?```/gs)].map(([example]) => example);
  expect(examples.length).toBeGreaterThan(5);
  for (const example of examples) expect(GUIDE).toContain(example);
});

test("the aliases of the guide leave out TensorFlow and MindAR's player and compiler", () => {
  const replaced = /tfjs|tensorflow|mind-ar\/src\/image-target\/(controller|compiler|tracker|detector)/;
  expect(modules.stock.some((id) => replaced.test(id))).toBe(true);
  expect(modules.ours.filter((id) => replaced.test(id))).toEqual([]);
  expect(modules.ours).toContain(CONTROLLER);
});

/** Returns the matrix of the anchor whose corners are those given, for the camera that MindAR assumes. */
function anchorAt(corners: Corners): number[] {
  const { width, height } = size;
  const { rotation: r, translation } = estimatePose(imageToCorners(size, corners), size, CAMERA);
  const [x, y, z] = [0, 1, 2].map(
    (row) => (r[3 * row] * width + r[3 * row + 1] * height) / 2 + translation[row],
  );
  // Its unit is the photo's width, its origin the photo's middle, and its y and z are opposite to the pose's.
  return [
    ...[r[0] * width, -r[3] * width, -r[6] * width, 0],
    ...[-r[1] * width, r[4] * width, r[7] * width, 0],
    ...[-r[2] * width, r[5] * width, r[8] * width, 0],
    ...[x, -y, -z, 1],
  ];
}

/** Returns where the camera that MindAR assumes sees an anchor's corners. */
function cornersOf(m: readonly number[]): Corners {
  const half = size.height / size.width / 2;
  const place = (x: number, y: number) => {
    const [u, v, w] = [0, 1, 2].map((row) => m[row] * x + m[4 + row] * y + m[12 + row]);
    return { x: CAMERA.x - (CAMERA.focal * u) / w, y: CAMERA.y + (CAMERA.focal * v) / w };
  };
  return [place(-0.5, half), place(0.5, half), place(0.5, -half), place(-0.5, -half)];
}

/** Returns how far apart vectors are, as a share of the second one's length. */
function apart(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((value, i) => value - b[i])) / Math.hypot(...b);
}

describe.each(["three", "aframe"])("MindAR's wrapper %s", (wrapper) => {
  let stock: Seen;
  let ours: Seen;

  beforeAll(async () => {
    stock = await look(`stock/${wrapper}.html`);
    ours = await look(`ours/${wrapper}.html`);
  });

  test("finds and loses the photo on our Controller as on MindAR's", () => {
    expect(stock.events).toEqual(Array.from({ length: PICTURES }, () => ["found", "lost"]).flat());
    expect(ours.events).toEqual(stock.events);
  });

  test("has its anchor where MindAR's is", () => {
    const errors = ours.matrices.map((matrix, i) => ({
      place: apart(matrix.slice(12, 15), stock.matrices[i].slice(12, 15)),
      corners: cornerError(cornersOf(matrix), cornersOf(stock.matrices[i])),
    }));
    expect(errors.length).toBe(PICTURES);
    expect(median(errors.map(({ place }) => place))).toBeLessThan(0.01);
    // MindAR's own corners are up to 1.4 % of the photo's width beside the photo's.
    expect(median(errors.map(({ corners }) => corners))).toBeLessThan(0.015);
  });

  // MindAR's own anchor is turned by up to 2° against the photo.
  test("has the anchor's whole matrix as the photo lies, nearer than MindAR's", () => {
    const errors = (seen: Seen) => seen.matrices.map((matrix, i) => apart(matrix, anchorAt(truth[i])));
    expect(Math.max(...errors(ours))).toBeLessThan(0.005);
    expect(median(errors(ours))).toBeLessThan(median(errors(stock)));
  });
});

describe("on our Controller", () => {
  const workers = () => page.workers().length;
  const events = (wrapper: Frame) => wrapper.evaluate(() => report.events);

  test("A-Frame's pause keeps the anchor; unpause goes on, and loses a photo that has gone", async () => {
    const wrapper = await open("ours/aframe.html", 0);
    await isShown(wrapper, true);
    const paused = await wrapper.evaluate(() => {
      const { matrix } = report.anchor();
      system().pause(true);
      const isScanning = !document.querySelector(".mindar-ui-scanning")!.classList.contains("hidden");
      return { before: matrix, after: report.anchor(), isScanning };
    });
    expect(paused.after).toEqual({ isVisible: true, matrix: paused.before });
    expect(paused.isScanning).toBe(false);
    await page.evaluate((index) => camera.show(index), PICTURES);
    await wrapper.evaluate(() => system().unpause());
    await isShown(wrapper, false);
    await page.evaluate((index) => camera.show(index), 0);
    await isShown(wrapper, true);
    expect(await events(wrapper)).toEqual(["found", "lost", "found"]);
  });

  test("A-Frame's switchTarget looks for that target only", async () => {
    const wrapper = await open("ours/aframe.html", PICTURES);
    await wrapper.waitForFunction(() => report.processed > 0, undefined, PATIENCE);
    await wrapper.evaluate(() => system().switchTarget(1));
    await page.evaluate((index) => camera.show(index), 0);
    const seen = await wrapper.evaluate(() => report.processed);
    await wrapper.waitForFunction((rounds) => report.processed >= rounds, seen + ROUNDS, PATIENCE);
    expect(await events(wrapper)).toEqual([]);
    await wrapper.evaluate(() => system().switchTarget(0));
    await isShown(wrapper, true);
  });

  test("A-Frame's stop ends the player, and start begins again", async () => {
    const wrapper = await open("ours/aframe.html", 0);
    await isShown(wrapper, true);
    await wrapper.evaluate(() => system().stop());
    expect(await events(wrapper)).toEqual(["found", "lost"]);
    await expect.poll(workers, PATIENCE).toBe(0);
    await wrapper.evaluate(() => system().start());
    await isShown(wrapper, true);
    expect(workers()).toBe(2);
  });

  test("MindARThree's stop ends the player, and start begins again", async () => {
    const wrapper = await open("ours/three.html", 0);
    await isShown(wrapper, true);
    await wrapper.evaluate(() => mindar.stop());
    await expect.poll(workers, PATIENCE).toBe(0);
    expect(await events(wrapper)).toEqual(["found", "lost"]);
    await wrapper.evaluate(() => mindar.start());
    await isShown(wrapper, true);
    expect(workers()).toBe(2);
  });
});
