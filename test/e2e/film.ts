/// <reference lib="dom" />
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { ContentPage } from "../../worker/schemas.ts";
import { PLATFORM } from "../../worker/storage/schemas.ts";
import { countFiles, type Storage, storeIn } from "./backends.ts";
import { type BrowserOptions, launchBrowser } from "./browser.ts";
import { type CameraFilm, filmPhoto, type Photo } from "./camera.ts";
import { CLIP_QUARTERS, recordClip } from "./clip.ts";
import { api, attachVideo, PATIENCE, submitHeadless, untilReady } from "./content.ts";
import { cornerError, inside, readOverlay, type Sample, watchOverlay } from "./overlay.ts";
import { photograph, readPixels } from "./photograph.ts";
import type { Platform } from "./platform.ts";

/** Screenshots of a run, which git ignores. */
const ARTIFACTS = fileURLToPath(new URL("../../artifacts/e2e", import.meta.url));

let platform: Platform;
let folder: string;
let clip: Uint8Array<ArrayBuffer>;
const films = new Map<string, CameraFilm>();
const cleanUp: (() => Promise<unknown>)[] = [];

/** Starts what the tests of `portraitComesToLife` share, and stops it after them. */
function setUp(start: () => Promise<Platform>): void {
  beforeAll(async () => {
    await mkdir(ARTIFACTS, { recursive: true });
    folder = await mkdtemp(join(tmpdir(), "vivimark-e2e-"));
    platform = await start();
    const browser = await launchBrowser();
    clip = await recordClip(browser);
    await browser.close();
  });

  afterEach(async () => {
    for (const task of cleanUp.splice(0).reverse()) await task();
  });

  afterAll(async () => {
    await platform?.close();
    await rm(folder, { recursive: true, force: true });
  });
}

/** Films a print of `photo` once for all storages. Returns the file and the film. */
async function filmOf(name: string, photo: Photo): Promise<{ path: string; film: CameraFilm }> {
  const path = join(folder, `${name}.y4m`);
  const film = films.get(name) ?? (await filmPhoto(photo, path));
  films.set(name, film);
  return { path, film };
}

/** Launches a browser that is closed after the test. */
async function aBrowser(options?: BrowserOptions): Promise<Browser> {
  const browser = await launchBrowser(options);
  cleanUp.push(() => browser.close());
  return browser;
}

/** Launches a browser whose camera sees a print of a photo. */
async function browserInFrontOf(name: string, photo: Photo) {
  const { path, film } = await filmOf(name, photo);
  return { film, browser: await aBrowser({ camera: path }) };
}

async function openPage(browser: Browser, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 640, height: 480 }, ...options });
  page.setDefaultTimeout(PATIENCE.timeout);
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  cleanUp.push(async () => expect(errors).toEqual([]));
  // Anyone can open the viewer; the studio needs its owner's session.
  if (path === "/") await page.context().addCookies([...platform.cookies]);
  await page.goto(new URL(path, platform.url).href);
  return page;
}

async function startCamera(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Start camera" }).click();
}

/**
 * Checks the promise of the product: while the photo turns, tilts and moves, each corner of the video stays
 * within 0.5 % of the photo's width of the photo's corner.
 */
function expectOnPhoto(samples: readonly Sample[]): void {
  const both = samples.filter(({ overlay, photo }) => overlay && photo.at(-1));
  expect(new Set(both.map(({ frame }) => frame)).size).toBeGreaterThan(10);
  // A motionless overlay would not pass: the photo moves by ten times the tolerance.
  const wandered = both.map(({ photo }) => cornerError(photo.at(-1)!, both[0].photo.at(-1)!));
  expect(Math.max(...wandered)).toBeGreaterThan(0.05);

  // The error that a person sees, with the player's delay, and the error in the frame that the player used.
  const seen = both.map(({ overlay, photo }) => cornerError(overlay!, photo.at(-1)!));
  const placed = both.map(({ overlay, photo }) =>
    Math.min(
      ...photo.map((corners) => (corners ? cornerError(overlay!, corners) : Number.POSITIVE_INFINITY)),
    ),
  );
  const percent = (errors: number[]) =>
    [0.5, 0.9, 1].map((part) => `${(quantile(errors, part) * 100).toFixed(2)} %`).join(", ");
  console.log(
    `Corner errors (median, 90 %, worst) of ${both.length} samples, in photo widths: ` +
      `seen ${percent(seen)}; placed ${percent(placed)}`,
  );
  // On a busy machine the camera has gone on to another frame.
  expect(quantile(seen, 0.5)).toBeLessThan(0.02);
  expect(quantile(placed, 0.5)).toBeLessThan(0.002);
  expect(quantile(placed, 0.9)).toBeLessThan(0.005);

  expect(both.filter(({ paused }) => !paused).length / both.length).toBeGreaterThan(0.8);
  expect(new Set(both.map(({ time }) => time)).size).toBeGreaterThan(5);
}

function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(part * (values.length - 1))];
}

/** Checks that the overlay shows the clip's quarters upright and not mirrored. */
async function expectClipInPlace(page: Page, name: string): Promise<void> {
  const path = join(ARTIFACTS, `${name}.png`);
  const levels = () =>
    vi.waitUntil(async () => {
      const before = await readOverlay(page);
      const shot = await readPixels(await page.screenshot({ path }));
      // The photo may have left the camera's view.
      if (!before || !(await readOverlay(page))) return null;
      return [
        [0.3, 0.3],
        [0.7, 0.3],
        [0.3, 0.7],
        [0.7, 0.7],
      ].map(([u, v]) => {
        const { x, y } = inside(before, u, v);
        const scale = shot.width / page.viewportSize()!.width;
        const at = (Math.round(y * scale) * shot.width + Math.round(x * scale)) * 4;
        return Array.from(shot.data.subarray(at, at + 3));
      });
    }, PATIENCE);
  // VP8 keeps colours only roughly; the overlay fades in.
  await vi.waitFor(async () => {
    const seen = await levels();
    for (const [quarter, wanted] of CLIP_QUARTERS.entries()) {
      const hex = wanted.slice(1).match(/../g)!;
      const off = hex.map((digits, channel) =>
        Math.abs(Number.parseInt(digits, 16) - seen[quarter][channel]),
      );
      expect(Math.max(...off), `quarter ${quarter} is ${seen[quarter]}`).toBeLessThan(40);
    }
  }, PATIENCE);
}

interface Surroundings {
  /** Starts the platform, and what the storage needs. */
  readonly start: () => Promise<Platform>;
  /** Returns the company's own storage once the platform runs. Default: the platform's storage. */
  readonly storage?: () => Storage;
}

/**
 * Tests the main job with the files in one storage: a page and a program upload a photo, it is compiled, and
 * its video plays on the print in front of the camera.
 */
export function portraitComesToLife(name: string, { start, storage: own }: Surroundings): void {
  setUp(start);
  let storage: string;

  beforeAll(async () => {
    storage = own ? await storeIn(platform, name, own()) : PLATFORM;
  });

  const FILES = ["original", "QR code", "picture", "thumbnail", "marker", "video"].length;

  test("uploaded and compiled in the page, found by the camera, lost and found again", async () => {
    const photo = await photograph("dust-bowl-home");
    const { film, browser } = await browserInFrontOf("dust-bowl-home", photo);

    const before = await countFiles(platform, storage);
    const studio = await openPage(await aBrowser(), "/", { viewport: { width: 1280, height: 800 } });
    await studio.locator("input[type=file]").first().setInputFiles(photo.path);
    await studio.getByRole("button", { name: "Add photo" }).click();
    const listed = async () => (await api<ContentPage>(platform, "/ar-content")).items[0];
    await expect.poll(listed, PATIENCE).toMatchObject({ marker_status: "ready", video_url: null });
    await studio.screenshot({ path: join(ARTIFACTS, "studio-compiled.png") });
    await studio.close();
    const content = await listed();
    expect(content.marker_metadata!.executor).toBe("browser");
    await attachVideo(platform, content.id, clip);
    expect(await countFiles(platform, storage)).toBe(before + FILES);

    const page = await openPage(browser, `/v/${content.unique_id}`);
    const hint = page.getByText("Point the camera at this photo");
    await startCamera(page);
    const overlay = page.locator(".live-overlay");
    const found = page.locator(".live-overlay.is-found");
    await found.waitFor();
    await hint.waitFor({ state: "detached" });
    expectOnPhoto(await watchOverlay(page, film, 30));
    await expectClipInPlace(page, "viewer-uploaded");

    // The photo leaves the film for a while.
    await hint.waitFor();
    await expect.poll(() => overlay.isHidden(), PATIENCE).toBe(true);
    const paused = () => overlay.locator("video").evaluate((video: HTMLVideoElement) => video.paused);
    await expect.poll(paused, PATIENCE).toBe(true);
    await page.screenshot({ path: join(ARTIFACTS, "viewer-lost.png") });
    await found.waitFor();
    const position = () => overlay.locator("video").evaluate((video: HTMLVideoElement) => video.currentTime);
    const held = await position();
    await expect.poll(position, PATIENCE).not.toBe(held);
  });

  test("submitted by a program, compiled by Node, found by a phone held upright, through a canvas", async () => {
    const photo = await photograph("airplane-from-above");
    const before = await countFiles(platform, storage);
    const [{ film, browser }, content] = await Promise.all([
      browserInFrontOf("airplane-from-above", photo),
      submitHeadless(platform, photo.bytes, "From above").then(({ id }) => untilReady(platform, id)),
    ]);
    expect(content.marker_metadata!.executor).toBe("node");
    await attachVideo(platform, content.id, clip);
    expect(await countFiles(platform, storage)).toBe(before + FILES);

    const page = await openPage(browser, `/v/${content.unique_id}`, {
      viewport: { width: 400, height: 640 },
      deviceScaleFactor: 1.5,
    });
    // As in Firefox, which cannot take pictures from the camera's track.
    await page.evaluate(() => Object.assign(globalThis, { MediaStreamTrackProcessor: undefined }));
    await startCamera(page);
    await page.locator(".live-overlay.is-found").waitFor();
    expectOnPhoto(await watchOverlay(page, film, 30));
    await expectClipInPlace(page, "viewer-headless");
  });
}
