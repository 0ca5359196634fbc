/// <reference lib="dom" />
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ArContent } from "../../worker/schemas.ts";
import { launchBrowser } from "./browser.ts";
import { filmNothing } from "./camera.ts";
import { recordClip } from "./clip.ts";
import { attachVideo, PATIENCE, submitHeadless, untilReady } from "./content.ts";
import { photograph } from "./photograph.ts";
import { type Platform, startPlatform } from "./platform.ts";

/** Screenshots of a run, which git ignores. */
const ARTIFACTS = fileURLToPath(new URL("../../artifacts/e2e", import.meta.url));
/** The viewer's script and WebAssembly, compressed by gzip. */
const SCRIPT_BUDGET_BYTES = 60_000;
const DIST = fileURLToPath(new URL("../../web/dist", import.meta.url));
/** A host name that browsers do not treat as secure over http. */
const INSECURE_HOST = "photos.test";

let platform: Platform;
let folder: string;
let browser: Browser;
let content: ArContent;
const contexts: (() => Promise<void>)[] = [];

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "vivimark-e2e-"));
  const camera = join(folder, "grey.y4m");
  await filmNothing(camera);
  platform = await startPlatform();
  browser = await launchBrowser({
    camera,
    args: [`--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`],
  });
  const { bytes } = await photograph("locomotion-house-cat");
  const { id } = await submitHeadless(platform, bytes, "The cat walks");
  await untilReady(platform, id);
  content = await attachVideo(platform, id, await recordClip(browser));
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
});

afterEach(async () => {
  for (const close of contexts.splice(0)) await close();
});

interface Visit extends BrowserContextOptions {
  /** Runs in the page before its own scripts. */
  readonly before?: () => void;
}

async function visit(path: string, { before, ...options }: Visit = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  contexts.push(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });
  if (before) await page.addInitScript(before);
  await page.goto(new URL(path, platform.url).href);
  return page;
}

async function expectShown(locator: Locator): Promise<void> {
  await expect.poll(() => locator.isVisible(), PATIENCE).toBe(true);
}

const viewer = () => `/v/${content.unique_id}`;
const startButton = (page: Page) => page.getByRole("button", { name: "Start camera" });

describe("camera not available", () => {
  /** Makes the page's next camera request fail with a `DOMException` of this name. */
  function refuseOnce(page: Page, name: string): Promise<void> {
    return page.evaluate((name) => {
      const open = navigator.mediaDevices.getUserMedia;
      navigator.mediaDevices.getUserMedia = () => {
        navigator.mediaDevices.getUserMedia = open;
        return Promise.reject(new DOMException("for a test", name));
      };
    }, name);
  }

  test.each([
    ["denied", "NotAllowedError", "The camera is blocked"],
    ["absent", "NotFoundError", "No camera found"],
    ["in use", "NotReadableError", "The camera is busy"],
    ["broken", "UnknownError", "The camera did not start"],
  ])("%s: shows the problem and offers the page without the camera", async (_, error, title) => {
    const page = await visit(viewer());
    await startButton(page).waitFor();
    await refuseOnce(page, error);
    await startButton(page).click();
    const heading = page.getByRole("heading", { name: title });
    await heading.waitFor();
    // The focus moves after the paint.
    await expect
      .poll(() => heading.evaluate((element) => element === document.activeElement), PATIENCE)
      .toBe(true);
    await page.getByRole("button", { name: "View photo and video" }).click();
    await page.getByRole("heading", { name: content.title, level: 1 }).waitFor();
    await page.getByLabel(`Video of ${content.title}`).waitFor();
  });

  test("retrying opens the camera once access is allowed", async () => {
    const page = await visit(viewer());
    await startButton(page).waitFor();
    await refuseOnce(page, "NotAllowedError");
    await startButton(page).click();
    await page.getByRole("button", { name: "Try again" }).click();
    await expectShown(page.getByText("Point the camera at this photo"));
  });

  test("an insecure page explains the problem and offers no retry", async () => {
    const page = await visit(viewer());
    await page.goto(`${platform.url.replace("127.0.0.1", INSECURE_HOST)}${viewer()}`);
    await startButton(page).click();
    await page.getByRole("heading", { name: "This page is not secure" }).waitFor();
    expect(await page.getByRole("button").allInnerTexts()).toEqual(["View photo and video"]);
  });

  test("an in-app browser without camera access", async () => {
    const page = await visit(viewer(), {
      before: () => Object.defineProperty(navigator, "mediaDevices", { value: undefined }),
    });
    await startButton(page).click();
    await expectShown(page.getByRole("heading", { name: "This browser has no camera access" }));
  });

  test("a camera unplugged while in use", async () => {
    const page = await visit(viewer());
    await startButton(page).click();
    await page.getByText("Point the camera at this photo").waitFor();
    await page.evaluate(() => {
      const { srcObject } = document.querySelector<HTMLVideoElement>(".live-camera")!;
      (srcObject as MediaStream).getVideoTracks()[0].dispatchEvent(new Event("ended"));
    });
    await expectShown(page.getByRole("heading", { name: "The camera stopped" }));
  });
});

describe("player not available", () => {
  test("a failed marker download is reported and can be retried", async () => {
    const page = await visit("/api/health");
    await page.route("**/marker?*", (route) => route.abort());
    await page.goto(platform.url + viewer());
    await startButton(page).click();
    await page.getByRole("heading", { name: "The download failed" }).waitFor();
    await page.unroute("**/marker?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await expectShown(page.getByText("Point the camera at this photo"));
  });

  test("a rate-limited marker download is reported and can be retried", async () => {
    const page = await visit("/api/health");
    await page.route("**/marker?*", (route) =>
      route.fulfill({ status: 429, headers: { "Retry-After": "60" } }),
    );
    await page.goto(platform.url + viewer());
    await startButton(page).click();
    await page.getByRole("heading", { name: "Too many requests" }).waitFor();
    await page.unroute("**/marker?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await expectShown(page.getByText("Point the camera at this photo"));
  });

  test("an invalid marker is reported", async () => {
    const page = await visit("/api/health");
    await page.route("**/marker?*", (route) => route.fulfill({ body: "<!doctype html>" }));
    await page.goto(platform.url + viewer());
    await startButton(page).click();
    await expectShown(page.getByRole("heading", { name: "This photo cannot be recognized" }));
  });

  test("a worker that does not start is reported", async () => {
    const page = await visit(viewer(), {
      before: () => Object.defineProperty(globalThis, "Worker", { value: undefined }),
    });
    await startButton(page).click();
    await expectShown(page.getByRole("heading", { name: "The player did not start" }));
  });

  test("tracks without WebGL", async () => {
    const page = await visit(viewer(), {
      before: () => {
        HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext, {
          apply: (target, self, [kind, ...rest]) =>
            /webgl/.test(kind) ? null : Reflect.apply(target, self, [kind, ...rest]),
        });
        Object.defineProperty(globalThis, "OffscreenCanvas", { value: undefined });
      },
    });
    await startButton(page).click();
    await expectShown(page.getByText("Point the camera at this photo"));
  });

  test("does not read the camera's pixels on the page", async () => {
    const page = await visit(viewer(), {
      before: () => {
        const calls = { find: 0, canvas: 0 };
        Object.assign(globalThis, { calls });
        const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (message: { kind: string }, ...rest: unknown[]) {
          if (message.kind === "find") calls.find++;
          return Reflect.apply(post, this, [message, ...rest]);
        };
        HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext, {
          apply: (target, self, parameters) => {
            calls.canvas++;
            return Reflect.apply(target, self, parameters);
          },
        });
      },
    });
    await startButton(page).click();
    const calls = () =>
      page.evaluate(() => (globalThis as unknown as { calls: { find: number; canvas: number } }).calls);
    await expect.poll(async () => (await calls()).find, PATIENCE).toBeGreaterThan(2);
    expect((await calls()).canvas).toBe(0);
  });
});

describe("the camera is on only while its view is visible", () => {
  /** Records the streams that the page opens. */
  function keepStreams(): void {
    const streams: MediaStream[] = [];
    Object.assign(globalThis, { streams });
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      streams.push(stream);
      return stream;
    };
  }

  const openCameras = (page: Page) =>
    page.evaluate(() => {
      const { streams } = globalThis as unknown as { streams: MediaStream[] };
      return streams.filter((stream) => stream.getTracks().some(({ readyState }) => readyState === "live"))
        .length;
    });

  async function watching(): Promise<Page> {
    const page = await visit(viewer(), { before: keepStreams });
    await startButton(page).click();
    await page.getByText("Point the camera at this photo").waitFor();
    expect(await openCameras(page)).toBe(1);
    return page;
  }

  test.each([
    ["the back button", (page: Page) => page.goBack()],
    ["the close button", (page: Page) => page.getByRole("button", { name: "Close camera" }).click()],
    ["Escape", (page: Page) => page.keyboard.press("Escape")],
  ])("%s releases it and returns to the start page", async (_, leave) => {
    const page = await watching();
    await leave(page);
    await startButton(page).waitFor();
    expect(await openCameras(page)).toBe(0);
  });

  test("a hidden page releases it; a visible page opens it again", async () => {
    const page = await watching();
    const setHidden = (hidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await setHidden(true);
    expect(await openCameras(page)).toBe(0);
    await setHidden(false);
    await page.getByText("Point the camera at this photo").waitFor();
    await expect.poll(() => openCameras(page), PATIENCE).toBe(1);
  });

  test("switching to the page without the camera releases it, and starting opens it again", async () => {
    const page = await watching();
    await page.getByRole("button", { name: "Without camera" }).click();
    await page.getByLabel(`Video of ${content.title}`).waitFor();
    expect(await openCameras(page)).toBe(0);
    await startButton(page).click();
    await page.getByText("Point the camera at this photo").waitFor();
    expect(await openCameras(page)).toBe(1);
    await page.goBack();
    await startButton(page).waitFor();
    expect(await openCameras(page)).toBe(0);
  });
});

describe("pages", () => {
  test("an unknown id", async () => {
    const page = await visit("/v/9d6f6d1e-0000-4000-8000-000000000000");
    await expectShown(page.getByRole("heading", { name: "Photo not found" }));
  });

  test("polls while the marker is in progress", async () => {
    const page = await visit("/api/health");
    let asked = 0;
    await page.route("**/api/viewer/*", async (route) => {
      const response = await route.fetch();
      const manifest = await response.json();
      const unready = { marker_status: "processing", marker_url: null };
      await route.fulfill({ response, json: ++asked < 3 ? { ...manifest, ...unready } : manifest });
    });
    await page.goto(platform.url + viewer());
    await page.getByText("is being prepared").waitFor();
    expect(await startButton(page).count()).toBe(0);
    await page.getByRole("button", { name: "View photo and video without the camera" }).waitFor();
    await startButton(page).waitFor();
    expect(asked).toBe(3);
  });

  test("a failed marker leaves the page without the camera", async () => {
    const page = await visit("/api/health");
    await page.route("**/api/viewer/*", async (route) => {
      const response = await route.fetch();
      const failed = { marker_status: "failed", marker_url: null };
      await route.fulfill({ response, json: { ...(await response.json()), ...failed } });
    });
    await page.goto(platform.url + viewer());
    await page.getByText("could not be prepared").waitFor();
    expect(await startButton(page).count()).toBe(0);
    await page.getByRole("button", { name: "View photo and video without the camera" }).click();
    await page.getByLabel(`Video of ${content.title}`).waitFor();
  });

  test("an unreachable edge offers a retry", async () => {
    const page = await visit("/api/health");
    await page.route("**/api/viewer/*", (route) => route.abort());
    await page.goto(platform.url + viewer());
    await page.getByRole("heading", { name: "The photo cannot be loaded" }).waitFor();
    await page.unroute("**/api/viewer/*");
    await page.getByRole("button", { name: "Try again" }).click();
    await expectShown(startButton(page));
  });

  test("a rate-limited manifest is loaded again automatically", async () => {
    const page = await visit("/api/health");
    let asked = 0;
    await page.route("**/api/viewer/*", (route) =>
      ++asked > 1 ? route.fallback() : route.fulfill({ status: 429, headers: { "Retry-After": "2" } }),
    );
    await page.goto(platform.url + viewer());
    await page.getByRole("heading", { name: "Please wait" }).waitFor();
    await startButton(page).waitFor();
    expect(asked).toBe(2);
  });

  test("works with the keyboard, and the page without the camera plays the video", async () => {
    const page = await visit(viewer());
    await startButton(page).waitFor();
    await page.keyboard.press("Tab");
    expect(await startButton(page).evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const video = page.getByLabel(`Video of ${content.title}`);
    await video.evaluate((element: HTMLVideoElement) => {
      element.muted = true;
      return element.play();
    });
    await expect
      .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime), PATIENCE)
      .toBeGreaterThan(0.2);
  });

  test("the video lies on the photo as its owner chose, and cannot be unmuted", async () => {
    const video_playback = { start: 1, end: 2, poster: null, is_muted: true, fit: "contain", x: 0, y: 0.5 };
    const page = await visit("/api/health");
    await page.route("**/api/viewer/*", async (route) => {
      const manifest = await (await route.fetch()).json();
      await route.fulfill({ json: { ...manifest, video_playback } });
    });
    await page.goto(platform.url + viewer());
    await startButton(page).click();
    const video = page.locator(".live-overlay video");
    const state = () =>
      video.evaluate((element: HTMLVideoElement) => {
        const { objectFit, objectPosition } = getComputedStyle(element);
        const { currentTime, loop, muted } = element;
        return { objectFit, objectPosition, currentTime, loop, muted };
      });
    await expect.poll(state, PATIENCE).toEqual({
      objectFit: "contain",
      objectPosition: "0% 50%",
      currentTime: 1,
      loop: false,
      muted: true,
    });
    await page.getByRole("button", { name: "Without camera" }).waitFor();
    expect(await page.getByRole("button", { name: "Unmute" }).count()).toBe(0);
  });

  test("speaks the visitor's language", async () => {
    const page = await visit(viewer(), { locale: "ru-RU" });
    await page.getByRole("button", { name: "Включить камеру" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("ru");
    await page.screenshot({ path: join(ARTIFACTS, "viewer-russian.png") });
  });

  test("the start page loads the thumbnail; the page without the camera loads the picture", async () => {
    const page = await visit("/api/health");
    const loaded: string[] = [];
    page.on("request", (request) => {
      const file = /^\/media\/[^/]+\/(image|picture|thumbnail)$/.exec(new URL(request.url()).pathname)?.[1];
      if (file) loaded.push(file);
    });
    await page.goto(platform.url + viewer());
    const isShown = () =>
      page.locator(".photo").evaluate((photo: HTMLImageElement) => photo.complete && photo.naturalWidth > 0);
    await expect.poll(isShown, PATIENCE).toBe(true);
    expect(loaded).toEqual(["thumbnail"]);
    await page.getByRole("button", { name: "View photo and video without the camera" }).click();
    await expect.poll(() => loaded.includes("picture"), PATIENCE).toBe(true);
    expect(loaded).not.toContain("image");
  });

  test("the start page loads its manifest once, and the marker after the thumbnail", async () => {
    const page = await visit("/api/health");
    const loaded: string[] = [];
    page.on("request", (request) => loaded.push(new URL(request.url()).pathname.split("/")[3]));
    const held = Promise.withResolvers<void>();
    await page.route("**/thumbnail*", async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto(platform.url + viewer(), { waitUntil: "commit" });
    await startButton(page).waitFor();
    expect(loaded).not.toContain("marker");
    held.resolve();
    await expect.poll(() => loaded.includes("marker"), PATIENCE).toBe(true);
    expect(loaded.filter((name) => name === content.unique_id || name === "thumbnail")).toHaveLength(2);
  });

  test.each(["en-US", "ru-RU"])(
    "loads at most 60 KB of script, its own, and the marker once: %s",
    async (locale) => {
      const entry = async (name: string) =>
        /<script type="module"[^>]* src="([^"]+)"/.exec(await readFile(join(DIST, name), "utf8"))![1];
      const page = await visit("/api/health", { locale });
      const loaded: string[] = [];
      page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (/\.(js|wasm)$|\/marker$/.test(pathname)) loaded.push(pathname);
      });
      await page.goto(platform.url + viewer());
      await page.locator(".start .button").click();
      await page.locator(".live-hint").waitFor();
      expect(loaded).toContain(await entry("viewer.html"));
      expect(loaded).not.toContain(await entry("index.html"));
      expect(loaded.filter((path) => path.endsWith("/marker"))).toHaveLength(1);

      const files = [...new Set(loaded)].filter((path) => !path.endsWith("/marker"));
      // The page's script and the texts of one language.
      expect(files.filter((path) => /\/viewer-.*\.js$/.test(path))).toHaveLength(2);
      for (const part of [/\/worker-.*\.js$/, /\/player-.*\.wasm$/]) {
        expect(files.filter((path) => part.test(path))).toHaveLength(1);
      }
      const sizes = await Promise.all(
        files.map(async (path) => gzipSync(await readFile(DIST + path)).length),
      );
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      console.log(`The viewer's script, compressed: ${bytes} bytes in ${files.join(", ")}`);
      expect(bytes).toBeLessThanOrEqual(SCRIPT_BUDGET_BYTES);
    },
  );

  test.each([
    ["light", 390, 844],
    ["dark", 390, 844],
    ["light", 1280, 800],
    ["dark", 1280, 800],
  ] as const)(
    "the start page and the page without the camera fit the screen in %s at %i × %i",
    async (colorScheme, width, height) => {
      const page = await visit(viewer(), { colorScheme, viewport: { width, height } });
      const shoot = (name: string) =>
        page.screenshot({ path: join(ARTIFACTS, `viewer-${name}-${colorScheme}-${width}.png`) });
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await startButton(page).waitFor();
      await page.waitForLoadState("networkidle");
      await shoot("start");
      expect(await overflow()).toBeLessThanOrEqual(0);
      await page.getByRole("button", { name: "View photo and video without the camera" }).click();
      await page.getByLabel(`Video of ${content.title}`).waitFor();
      await page.waitForLoadState("networkidle");
      await shoot("plain");
      expect(await overflow()).toBeLessThanOrEqual(0);
    },
  );
});
