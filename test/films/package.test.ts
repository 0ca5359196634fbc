/// <reference lib="dom" />
// The player of the package `vivimark` in a page of its own, without a bundler.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { toGrey } from "../../compiler/image/decode.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { type CameraFilm, FOCAL, filmPhoto, type Photo } from "../e2e/camera.ts";
import { PATIENCE } from "../e2e/content.ts";
import { photograph } from "../e2e/photograph.ts";

const BUILD = fileURLToPath(new URL("../../node/package/build.ts", import.meta.url));
const GUIDE = readFileSync(fileURLToPath(new URL("../../docs/player.md", import.meta.url)), "utf8");
const { resolve } = createRequire(import.meta.url);
/** Packages that an app of MindAR has, by their folder. */
const PACKAGES: Record<string, string> = {
  aframe: dirname(dirname(resolve("aframe"))),
  "mind-ar": dirname(resolve("mind-ar/package.json")),
  three: dirname(dirname(resolve("three-150"))),
};
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

const PACE = { framesPerSecond: 5, seconds: 20, absentSeconds: 4 };

let folder: string;
let server: Server;
let browser: Browser;
let photo: Photo;
let film: CameraFilm;
let origin: string;

/** Returns the guide's example in a language that contains a text. */
function example(language: string, text: string): string {
  const blocks = GUIDE.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"));
  return [...blocks].map(([, code]) => code).find((code) => code.includes(text))!;
}

/** MindAR's own examples, with the guide's replacements. */
const aframePage = () => `<!doctype html>
  <script src="./node_modules/aframe/dist/aframe-master.min.js"></script>
  ${example("html", "image-target/aframe.js")}
  <a-scene mindar-image="imageTargetSrc: ./portrait.mind" vr-mode-ui="enabled: false">
    <a-camera position="0 0 0" look-controls="enabled: false"></a-camera>
    <a-entity mindar-image-target="targetIndex: 0"><a-plane></a-plane></a-entity>
  </a-scene>
  <script>
    document.querySelector("a-entity").addEventListener("targetFound", () => console.log("found"));
  </script>`;
const threePage = () => `<!doctype html>
  <div id="scene" style="position: relative; width: 640px; height: 480px"></div>
  ${example("html", "image-target/three.js").replace(
    /<\/script>\s*$/,
    `const mindar = new MindARThree({
      container: document.getElementById("scene"),
      imageTargetSrc: "./portrait.mind",
    });
    mindar.addAnchor(0).onTargetFound = () => console.log("found");
    await mindar.start();
    </script>`,
  )}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vivimark-package-"));
  const installed = join(folder, "node_modules/vivimark");
  execFileSync(process.execPath, [BUILD, installed]);
  photo = await photograph("dust-bowl-home");
  const camera = join(folder, "camera.y4m");
  film = await filmPhoto(photo, camera, PACE);
  const marker = compile([toGrey(photo)]);
  // The page is the example of the package's README.
  const readme = readFileSync(join(installed, "README.md"), "utf8");
  const page = `<!doctype html>${/```html\n(.*?)```/s.exec(readme)![1]}`;
  const pages: Record<string, string> = {
    "/": page,
    "/player.html": example("html", "matrix3d"),
    "/aframe.html": aframePage(),
    "/three.html": threePage(),
  };
  server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    const [, name, rest] = /^\/node_modules\/([^/]+)\/(.*)/.exec(path) ?? [];
    if (pages[path]) response.writeHead(200, { "content-type": "text/html" }).end(pages[path]);
    else if (path === "/portrait.mind") response.end(marker);
    else if (path === "/mindar-ui.js") {
      response.writeHead(200, { "content-type": TYPES[".js"] }).end(example("js", "as UI"));
    } else {
      const file = PACKAGES[name] ? join(PACKAGES[name], rest) : join(folder, path);
      const bytes = await readFile(file).catch(() => null);
      if (bytes) response.writeHead(200, { "content-type": TYPES[extname(path)] }).end(bytes);
      else response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchBrowser({ camera });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

test("the example of the README finds, follows, loses and finds the photo again", async () => {
  const page = await browser.newPage();
  const said: string[] = [];
  const failed: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => failed.push(error.message));
  await page.goto(`${origin}/`);
  const found = "Target 0 is in sight.";
  const lost = "Target 0 is out of sight.";
  await expect.poll(() => said.filter((line) => line === found).length, PATIENCE).toBe(2);
  const events = said.filter((line) => line === found || line === lost);
  expect(events).toEqual([found, lost, found]);
  expect(said.filter((line) => line.startsWith("It is at")).length).toBeGreaterThan(20);
  expect(failed).toEqual([]);
});

test("the example of the guide lays the clip over the photo", async () => {
  const page = await browser.newPage();
  await page.goto(`${origin}/player.html`);
  await page.waitForFunction(
    () => document.getElementById("clip")!.style.visibility === "visible",
    undefined,
    PATIENCE,
  );
  const { left, top, right, bottom } = await page.evaluate(() => {
    const [clip, camera] = ["clip", "camera"].map((id) =>
      document.getElementById(id)!.getBoundingClientRect(),
    );
    const from = (rect: DOMRect) => [rect.left - camera.left, rect.top - camera.top];
    const [left, top] = from(clip);
    return { left, top, right: left + clip.width, bottom: top + clip.height };
  });
  const corners = film.frames.flatMap((frame) => frame ?? []);
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  expect(left).toBeGreaterThan(Math.min(...xs) - 3);
  expect(top).toBeGreaterThan(Math.min(...ys) - 3);
  expect(right).toBeLessThan(Math.max(...xs) + 3);
  expect(bottom).toBeLessThan(Math.max(...ys) + 3);
  expect(right - left).toBeGreaterThan(250);
  await page.close();
});

describe("MindAR's wrapper without a bundler", () => {
  /** Opens a page. Returns what it says, and the addresses of its scripts. */
  async function open(path: string): Promise<{ page: Page; said: string[]; scripts: string[] }> {
    const page = await browser.newPage();
    const said: string[] = [];
    const scripts: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("request", (request) => request.resourceType() === "script" && scripts.push(request.url()));
    await page.goto(`${origin}${path}`);
    return { page, said, scripts };
  }

  test.each(["aframe", "three"])("for %s finds the photo on our Controller", async (wrapper) => {
    const { page, said, scripts } = await open(`/${wrapper}.html`);
    await expect.poll(() => said, PATIENCE).toContain("found");
    expect(page.workers()).toHaveLength(2);
    expect(scripts.filter((url) => /tfjs|tensorflow|dist\/(controller|mindar)/.test(url))).toEqual([]);
    await page.close();
  });
});

test("estimates the camera's focal length, or takes the given one", async () => {
  const page = await browser.newPage();
  await page.goto(`${origin}/`);
  await page.addScriptTag({
    type: "module",
    content: `
      import * as player from "/node_modules/vivimark/player/web/player.js";
      Object.assign(globalThis, player);
    `,
  });
  await page.waitForFunction(() => "createPlayer" in globalThis);
  await page.evaluate(async () => {
    const { createPlayer } = globalThis as unknown as typeof import("../../player/web/player.ts");
    const marker = await (await fetch("portrait.mind")).arrayBuffer();
    const camera = document.querySelector("video")!;
    Object.assign(globalThis, { estimated: [], given: [] });
    for (const [name, focalLength] of [["estimated"], ["given", 700]] as [keyof Seen, number?][]) {
      const player = await createPlayer({ marker, focalLength });
      player.on("pose", ({ focalLength: focal, pose: { translation } }) => {
        (globalThis as unknown as Seen)[name].push({ focal, distance: translation[2] });
      });
      player.start(camera);
    }
  });
  const seen = () =>
    page.evaluate(() => {
      const { estimated, given } = globalThis as unknown as Seen;
      return { estimated, given };
    });
  await expect.poll(async () => (await seen()).estimated.at(-1)?.focal, PATIENCE).not.toBe(0.79 * 640);
  const { estimated, given } = await seen();
  expect(estimated[0].focal).toBeCloseTo(0.79 * 640, 9);
  expect(Math.abs(estimated.at(-1)!.focal / FOCAL - 1)).toBeLessThan(0.01);
  expect(new Set(given.map(({ focal }) => focal))).toEqual(new Set([700]));
  for (const { focal, distance } of [...estimated, ...given]) {
    // The upper left corner of the photo, which is 300 to 380 pixels wide.
    expect((distance * 340) / photo.width / focal).toBeGreaterThan(0.75);
    expect((distance * 340) / photo.width / focal).toBeLessThan(1.33);
  }
});

/** What the page collects. */
interface Seen {
  readonly estimated: { focal: number; distance: number }[];
  readonly given: { focal: number; distance: number }[];
}
