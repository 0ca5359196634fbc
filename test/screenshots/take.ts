/// <reference lib="dom" />
// `npm run screenshots`: starts the platform, fills it with a photo shop, and writes the pictures of README.md and
// docs/.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { Vivimark } from "../../client/client.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { recordLivingPhoto } from "./living-photo.ts";
import { fillShop, HOUSE, PORTRAIT } from "./shop.ts";
import { photographTable } from "./table.ts";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
const NEIGHBOR = fileURLToPath(new URL("../../bench/pictures/nagasaki-boats.webp", import.meta.url));
const PATIENCE_MILLISECONDS = 120_000;

const folder = await mkdtemp(join(tmpdir(), "vivimark-screenshots-"));
const platform = await startPlatform();
try {
  const browser = await launchBrowser();
  const vivimark = new Vivimark({ url: platform.url, key: platform.key });
  const portrait = await dataUrl(PORTRAIT.file);
  const content = await fillShop(vivimark, new Uint8Array(await recordLivingPhoto(browser, portrait)));
  const qrCode = await (await platform.fetch(`${platform.url}/api/ar-content/${content.id}/qr.svg`)).text();

  await takeStudio(platform, browser, content.id);

  const camera = join(folder, "table.mjpeg");
  await photographTable(browser, camera, { photo: portrait, neighbor: await dataUrl(NEIGHBOR), qrCode });
  await browser.close();
  await takeViewer(platform, camera, `/v/${content.unique_id}`);
} finally {
  await platform.close();
  await rm(folder, { recursive: true, force: true });
}

async function takeStudio(platform: Platform, browser: Browser, portraitId: string): Promise<void> {
  const desktop = { viewport: { width: 1280, height: 800 } };
  const grid = await openStudio(platform, browser, "/", desktop);
  await save("studio", grid);

  await grid
    .locator("input[type=file]")
    .first()
    .setInputFiles({
      name: "Grandmother’s house.jpg",
      mimeType: "image/jpeg",
      buffer: await readFile(HOUSE),
    });
  const editor = grid.getByRole("dialog");
  await editor.getByRole("img", { name: /stars/ }).waitFor();
  await editor.getByRole("combobox").selectOption("10 × 15 cm");
  await editor.getByRole("slider").fill("1.5");
  await editor.getByRole("slider").blur();
  await settled(grid);
  await save("editor", grid);

  const detail = await openStudio(platform, browser, `/content/${portraitId}`, {
    viewport: { width: 1280, height: 960 },
  });
  await save("detail", detail);

  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };
  await save("studio-phone", await openStudio(platform, browser, "/", phone));
}

async function openStudio(
  platform: Platform,
  browser: Browser,
  path: string,
  options: BrowserContextOptions,
): Promise<Page> {
  const context = await browser.newContext({ colorScheme: "light", ...options });
  await context.addCookies([...platform.cookies]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MILLISECONDS);
  await page.goto(platform.url + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await settled(page);
  return page;
}

/** Waits until images are loaded and animations are over. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(1500);
}

async function takeViewer(platform: Platform, camera: string, path: string): Promise<void> {
  const browser = await launchBrowser({ camera });
  try {
    const context = await browser.newContext({
      viewport: { width: 800, height: 500 },
      deviceScaleFactor: 1.6,
      colorScheme: "light",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MILLISECONDS);
    await page.goto(platform.url + path);
    await page.getByRole("button", { name: "Start camera" }).click();
    await page.locator(".live-overlay.is-found").waitFor();
    // The overlay fades in, and the player settles.
    await page.waitForTimeout(5000);
    await save("viewer", page);

    await page.goto(`${platform.url}${path}?debug`);
    await page.getByRole("button", { name: "Start camera" }).click();
    await page.locator(".debug-figures").waitFor();
    await page.waitForTimeout(5000);
    await save("player-debug", page);
  } finally {
    await browser.close();
  }
}

/** Writes what the page shows as a compressed PNG. */
async function save(name: string, page: Page): Promise<void> {
  const shot = await page.screenshot({ timeout: PATIENCE_MILLISECONDS });
  const png = await sharp(shot).png({ palette: true, quality: 90, effort: 10 }).toBuffer();
  await writeFile(join(DOCS, `${name}.png`), png);
  console.log(`docs/${name}.png: ${Math.round(png.length / 1000)} kB`);
}

async function dataUrl(file: string): Promise<string> {
  return `data:image/webp;base64,${(await readFile(file)).toString("base64")}`;
}
