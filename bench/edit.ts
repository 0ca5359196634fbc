// Measures how long a person waits for the score after using a crop or rotation tool: the built studio in
// headless Chromium, a photo of 12 megapixels, from the pointer's release to the frame with the new score.
//
//   npm run bench:edit

import { cpus, loadavg } from "node:os";
import { createCanvas, loadImage } from "canvas";
import type { Page } from "playwright-core";
import { launchBrowser } from "../test/e2e/browser.ts";
import { photograph } from "../test/e2e/photograph.ts";
import { startPlatform } from "../test/e2e/platform.ts";
import { writeResults } from "./results.ts";
import { median } from "./statistics.ts";

const ROUNDS = 20;
const GOAL_MS = 100;
/** Pause before each use: a person looks at the picture first. */
const LOOK_MS = 1000;
/** Name of the performance measure in web/studio/add/editor.tsx. */
const MEASURE = "vivimark:let-go-to-score";
const PHOTO = { width: 4000, height: 3000, tile: 1000 };

const TOOLS: Record<string, (page: Page, round: number) => Promise<void>> = {
  "drag a corner": (page, round) => drag(page, /bottom right corner/, round),
  "drag the frame": (page, round) => drag(page, /^Crop,/, round),
  "arrow key": async (page, round) => {
    await page.getByRole("button", { name: /top left corner/ }).focus();
    await page.keyboard.press(round % 2 === 0 ? "ArrowRight" : "ArrowLeft");
  },
  "quarter turn": (page) => page.getByRole("button", { name: "Rotate right" }).click(),
  straighten: (page, round) =>
    page.getByRole("slider", { name: "Straighten" }).fill(String((round % 15) - 7.5)),
};

/** Drags inwards and outwards alternately, in steps, and releases while the last step is being scored. */
async function drag(page: Page, name: RegExp, round: number): Promise<void> {
  const target = page.getByRole(name.source.startsWith("^") ? "group" : "button", { name });
  const { x, y, width, height } = (await target.boundingBox())!;
  const way = round % 2 === 0 ? -60 : 60;
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2 + way, y + height / 2 + way, { steps: 6 });
  await page.mouse.up();
}

async function main(): Promise<void> {
  const platform = await startPlatform();
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.context().addCookies([...platform.cookies]);
    await page.goto(platform.url);
    await page.getByLabel("Photos to choose").setInputFiles({
      name: "mosaic.jpg",
      mimeType: "image/jpeg",
      buffer: await mosaic(),
    });
    await page.getByRole("list", { name: "Parts of the score" }).waitFor();

    // Give the frame room to move.
    await page.getByRole("combobox", { name: "Shape" }).selectOption("square");
    await page.waitForTimeout(LOOK_MS);

    const lines = [
      "## The score while a photo is cropped",
      "",
      "Written by `npm run bench:edit` (bench/edit.ts). Milliseconds from letting go of a tool to the frame with the",
      `new score: a photo of ${PHOTO.width} × ${PHOTO.height} pixels in Chromium ${browser.version()} without a graphics card,`,
      `${cpus().length} × ${cpus()[0].model}, load average at the start ${loadavg()[0].toFixed(1)}.`,
      "",
      `| tool | rounds | median | 95 % | most | goal ${GOAL_MS} |`,
      "|---|---|---|---|---|---|",
    ];
    const all: number[] = [];
    for (const [tool, use] of Object.entries(TOOLS)) {
      const waits: number[] = [];
      for (let round = 0; round < ROUNDS; round++) waits.push(await wait(page, () => use(page, round)));
      all.push(...waits);
      lines.push(rowOf(tool, waits));
    }
    lines.push(rowOf("all", all));
    console.log(lines.join("\n"));
    writeResults("edit", lines.join("\n"));
  } finally {
    await browser.close();
    await platform.close();
  }
}

async function wait(page: Page, work: () => Promise<void>): Promise<number> {
  await page.evaluate((name) => performance.clearMeasures(name), MEASURE);
  await work();
  await page.waitForFunction((name) => performance.getEntriesByName(name).length > 0, MEASURE);
  return page.evaluate((name) => performance.getEntriesByName(name)[0].duration, MEASURE);
}

function rowOf(tool: string, waits: readonly number[]): string {
  const sorted = waits.toSorted((a, b) => a - b);
  const late = sorted[Math.ceil(0.95 * sorted.length) - 1];
  const verdict = late <= GOAL_MS ? "reached" : "missed";
  const numbers = [median(waits), late, sorted.at(-1)!].map((value) => value.toFixed(0));
  return `| ${[tool, waits.length, ...numbers, verdict].join(" | ")} |`;
}

/** Builds a large photo from small public ones, as a JPEG. */
async function mosaic(): Promise<Buffer> {
  const names = ["airplane-from-above", "dust-bowl-home", "french-alpine-landscape", "locomotion-house-cat"];
  const pictures = await Promise.all(names.map(async (name) => loadImage((await photograph(name)).bytes)));
  const { width, height, tile } = PHOTO;
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  for (let i = 0, y = 0; y < height; y += tile) {
    for (let x = 0; x < width; x += tile, i++) {
      context.drawImage(pictures[(i + y / tile) % pictures.length], x, y, tile, tile);
    }
  }
  return canvas.toBuffer("image/jpeg", 92);
}

await main();
