// The studio and the viewer in Firefox and WebKit. `npm run test:engines` runs it; `npm test` does not, because npm
// cannot install these engines.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContentPage } from "../../worker/schemas.ts";
import { api, PATIENCE, submitHeadless, untilReady } from "../e2e/content.ts";
import { photograph } from "../e2e/photograph.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { ENGINES, type Engine, missingPrograms } from "./engine.ts";

let platform: Platform;
let viewer: string;

beforeAll(async () => {
  platform = await startPlatform();
  const { bytes } = await photograph("airplane-from-above");
  const { id } = await submitHeadless(platform, bytes, "From above");
  const { unique_id } = await untilReady(platform, id);
  viewer = `${platform.url}/v/${unique_id}`;
});

afterAll(() => platform?.close());

/**
 * The body of a function that replaces the page's camera by a canvas. It shows the photo on a table, swaying, for the
 * first six of every nine seconds.
 */
const replaceCamera = (image: string) => `
  const photo = new Image();
  photo.src = ${JSON.stringify(image)};
  await photo.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 480;
  const context = canvas.getContext("2d");
  const start = performance.now();
  const draw = () => {
    const seconds = (performance.now() - start) / 1000;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#8a7a66";
    context.fillRect(0, 0, 640, 480);
    if (seconds % 9 < 6) {
      const height = 320;
      const width = (height * photo.width) / photo.height;
      context.setTransform(1, 0.08, -0.05, 1, 320 + 30 * Math.sin(seconds), 240);
      context.rotate(0.2 * Math.sin(seconds / 2));
      context.drawImage(photo, -width / 2, -height / 2, width, height);
    }
    setTimeout(draw, 50);
  };
  draw();
  const open = async () => canvas.captureStream(20);
  Object.defineProperty(navigator, "mediaDevices", { configurable: true, value: { getUserMedia: open } });
`;

describe.each(ENGINES)("$name", (kind) => {
  const missing = missingPrograms(kind);
  if (missing.length > 0) {
    console.warn(
      `${kind.name} was not tested: ${missing.join(" and ")} missing. Debian: apt install ${kind.packages.join(" ")}`,
    );
  }
  const testHere = test.skipIf(missing.length > 0);
  let engine: Engine;

  beforeAll(async () => {
    if (missing.length === 0) engine = await kind.launch();
  });

  afterAll(() => engine?.close());

  const click = (name: string) =>
    engine.run<boolean>(`
      const button = [...document.querySelectorAll("button")].find((b) => b.textContent.trim() === ${JSON.stringify(name)});
      button?.click();
      return button !== undefined;
    `);
  const shows = (selector: string) =>
    engine.run<boolean>(`return document.querySelector("${selector}") !== null;`);

  testHere("finds the photo, loses it and finds it again", async () => {
    console.log(engine.version);
    await engine.open(viewer);
    await expect.poll(() => shows(".start .button.is-large"), PATIENCE).toBe(true);
    const { picture_url } = await (await fetch(viewer.replace("/v/", "/api/viewer/"))).json();
    await engine.run(replaceCamera(picture_url));
    expect(await click("Start camera")).toBe(true);
    const isFound = () => shows(".live-overlay.is-found");
    await expect.poll(isFound, PATIENCE).toBe(true);
    await expect.poll(isFound, PATIENCE).toBe(false);
    await expect.poll(isFound, PATIENCE).toBe(true);
  });

  testHere("compiles a photo in the studio and uploads it", async () => {
    const listed = async () => (await api<ContentPage>(platform, "/ar-content?limit=100")).items;
    const before = (await listed()).length;
    await engine.open(`${platform.url}/login`);
    await engine.run(
      platform.cookies.map(({ name, value }) => `document.cookie = "${name}=${value}; path=/";`).join(""),
    );
    await engine.open(platform.url);
    await expect.poll(() => shows("input[type=file]"), PATIENCE).toBe(true);
    await engine.choose("input[type=file]", (await photograph(kind.photo)).path);
    await expect.poll(() => click("Add photo"), PATIENCE).toBe(true);
    await expect.poll(async () => (await listed()).length, PATIENCE).toBe(before + 1);
    const newest = async () => (await listed())[0];
    await expect.poll(newest, PATIENCE).toMatchObject({ marker_status: "ready" });
    expect((await newest()).marker_metadata?.executor).toBe("browser");
  });
});
