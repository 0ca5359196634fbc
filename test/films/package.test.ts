/// <reference lib="dom" />
// The player of the package `vivimark` in a page of its own, without a bundler.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { toGrey } from "../../compiler/image/decode.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { FOCAL, filmPhoto, type Photo } from "../e2e/camera.ts";
import { PATIENCE } from "../e2e/content.ts";
import { photograph } from "../e2e/photograph.ts";

const BUILD = fileURLToPath(new URL("../../node/package/build.ts", import.meta.url));
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

let folder: string;
let server: Server;
let browser: Browser;
let photo: Photo;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vivimark-package-"));
  const installed = join(folder, "node_modules/vivimark");
  execFileSync(process.execPath, [BUILD, installed]);
  photo = await photograph("dust-bowl-home");
  const camera = join(folder, "camera.y4m");
  await filmPhoto(photo, camera);
  const marker = compile([toGrey(photo)]);
  // The page is the example of the package's README.
  const readme = readFileSync(join(installed, "README.md"), "utf8");
  const page = `<!doctype html>${/```html\n(.*?)```/s.exec(readme)![1]}`;
  server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    if (path === "/") response.writeHead(200, { "content-type": "text/html" }).end(page);
    else if (path === "/portrait.mind") response.end(marker);
    else {
      const bytes = await readFile(join(folder, path)).catch(() => null);
      if (bytes) response.writeHead(200, { "content-type": TYPES[extname(path)] }).end(bytes);
      else response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
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
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const found = "Target 0 is in sight.";
  const lost = "Target 0 is out of sight.";
  await expect.poll(() => said.filter((line) => line === found).length, PATIENCE).toBe(2);
  const events = said.filter((line) => line === found || line === lost);
  expect(events).toEqual([found, lost, found]);
  expect(said.filter((line) => line.startsWith("It is at")).length).toBeGreaterThan(20);
  expect(failed).toEqual([]);
});

test("estimates the camera's focal length, or takes the given one", async () => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
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
