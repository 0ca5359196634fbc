/// <reference lib="dom" />
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ArContent } from "../../worker/schemas.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { filmPhoto } from "../e2e/camera.ts";
import { recordClip } from "../e2e/clip.ts";
import { attachVideo, PATIENCE, submitHeadless, untilReady } from "../e2e/content.ts";
import { photograph } from "../e2e/photograph.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";

/** Screenshots of a run, which git ignores. */
const ARTIFACTS = fileURLToPath(new URL("../../artifacts/e2e", import.meta.url));
const PACE = { framesPerSecond: 10, seconds: 12, absentSeconds: 3 };

let platform: Platform;
let folder: string;
let browser: Browser;
let content: ArContent;

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "vivimark-e2e-"));
  platform = await startPlatform();
  const photo = await photograph("dust-bowl-home");
  const camera = join(folder, "camera.y4m");
  await filmPhoto(photo, camera, PACE);
  browser = await launchBrowser({ camera });
  const { id } = await submitHeadless(platform, photo.bytes, "A home");
  await untilReady(platform, id);
  content = await attachVideo(platform, id, await recordClip(browser));
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
});

async function openViewer(query: string, before?: () => void): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 640, height: 480 } });
  page.setDefaultTimeout(PATIENCE.timeout);
  if (before) await page.addInitScript(before);
  await page.goto(`${platform.url}/v/${content.unique_id}${query}`);
  await page.getByRole("button", { name: "Start camera" }).click();
  return page;
}

test("?debug shows points, inliers, residuals and milliseconds over the camera", async () => {
  const page = await openViewer("?debug");
  const figuresOf = (role: "Find" | "Follow") =>
    page.evaluate((title) => {
      const sections = [...document.querySelectorAll(".debug-figures section")];
      const section = sections.find((one) => one.querySelector("h2")!.textContent === title);
      return Object.fromEntries(
        Array.from(section?.querySelectorAll("dl div") ?? [], (figure) => [
          figure.querySelector("dt")!.textContent,
          Number(figure.querySelector("dd")!.textContent),
        ]),
      );
    }, role);
  const stages = {
    Find: ["read", "features", "match", "vote", "fit", "verify"],
    Follow: ["read", "pyramid", "predict", "align", "verify"],
  };
  for (const [role, points, px] of [
    ["Find", "Points", 5],
    ["Follow", "Patches", 1],
  ] as const) {
    // Fast motion adds a stage.
    const names = [points, "Inliers", "Residual, px", ...stages[role].map((stage) => `${stage}, ms`)];
    await expect
      .poll(async () => Object.keys(await figuresOf(role)), PATIENCE)
      .toEqual(expect.arrayContaining(names));
    await expect.poll(async () => (await figuresOf(role)).Inliers, PATIENCE).toBeGreaterThan(20);
    const shown = await figuresOf(role);
    expect(shown[points]).toBeGreaterThanOrEqual(shown.Inliers);
    expect(shown["Residual, px"]).toBeGreaterThan(0);
    expect(shown["Residual, px"]).toBeLessThan(px);
  }

  /** Pixels of the picture that are of the color of inliers: of those of finding, or of following. */
  const inliers = (role: "Find" | "Follow") =>
    page.evaluate((role) => {
      const canvas = document.querySelector<HTMLCanvasElement>(".debug-picture")!;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.subarray(at, at + 4);
        const isInlier = role === "Find" ? green > 180 && blue < 160 : green < 220 && blue > 220;
        if (red < 128 && isInlier && alpha > 128) count++;
      }
      return count;
    }, role);
  await expect.poll(() => inliers("Find"), PATIENCE).toBeGreaterThan(50);
  await expect.poll(() => inliers("Follow"), PATIENCE).toBeGreaterThan(50);
  await page.screenshot({ path: join(ARTIFACTS, "viewer-debug.png") });
  await page.close();
});

test("the studio's photo page opens the viewer with the debug view", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE.timeout);
  await page.context().addCookies([...platform.cookies]);
  await page.goto(`${platform.url}/content/${content.id}`);
  const link = page.getByRole("link", { name: "Open viewer" });
  expect(await link.getAttribute("href")).toBe(content.viewer_url);
  await page.getByRole("switch", { name: "Debug view" }).check();
  expect(await link.getAttribute("href")).toBe(`${content.viewer_url}?debug`);
  await page.screenshot({ path: join(ARTIFACTS, "studio-debug-switch.png") });
  await page.close();
});

test("the video fades in on the photo, and fades out where it was when the photo leaves", async () => {
  const page = await openViewer("", () => {
    const fades: { shown: boolean; placed: boolean }[] = [];
    Object.assign(globalThis, { fades });
    document.addEventListener("transitionrun", ({ target, propertyName }) => {
      if (!(target instanceof HTMLElement) || !target.classList.contains("live-overlay")) return;
      if (propertyName !== "opacity") return;
      fades.push({
        shown: target.classList.contains("is-found"),
        placed: target.style.transform.startsWith("matrix3d"),
      });
    });
  });
  const fades = () =>
    page.evaluate(() => (globalThis as unknown as { fades: { shown: boolean; placed: boolean }[] }).fades);
  await expect.poll(async () => (await fades()).length, PATIENCE).toBeGreaterThan(1);
  expect((await fades()).slice(0, 2)).toEqual([
    { shown: true, placed: true },
    { shown: false, placed: true },
  ]);
  await page.close();
});
