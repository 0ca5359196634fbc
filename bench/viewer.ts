// Measures the time from opening a page to the first tracked frame: our viewer against a page with MindAR's player.
//
// Both pages get the same marker and the same film as their camera, in the same headless Chromium with graphics in
// software, with the camera's permission granted. A new browser, and so an empty cache, for every visit; the pages take
// turns.
//
//   npm run bench:viewer              20 visits of each page, writes into bench/results.md; about 4 minutes
//   npm run bench:viewer -- --quick   4 visits of each page, prints only

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../test/e2e/browser.ts";
import { filmPhoto } from "../test/e2e/camera.ts";
import { photograph } from "../test/e2e/photograph.ts";
import { startPlatform } from "../test/e2e/platform.ts";
import { writeResults } from "./results.ts";
import { median, spread } from "./statistics.ts";
import { submit } from "./submit.ts";

const MIND_AR = new URL("../node_modules/mind-ar/dist/", import.meta.url);
const PHOTO = "dust-bowl-home";
const PACE = { framesPerSecond: 30, seconds: 8, absentSeconds: 0 };
const isQuick = process.argv.includes("--quick");
const VISITS = isQuick ? 4 : 20;

/** MindAR's player as its documentation uses it, without a wrapper. */
const STOCK_PAGE = `<!doctype html>
<video playsinline muted autoplay></video>
<script type="module">
  import { Controller } from "/mind-ar/mindar-image.prod.js";
  const video = document.querySelector("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  await new Promise((resolve) => video.addEventListener("loadedmetadata", resolve));
  await video.play();
  video.width = video.videoWidth;
  video.height = video.videoHeight;
  const controller = new Controller({
    inputWidth: video.videoWidth,
    inputHeight: video.videoHeight,
    onUpdate: ({ type, worldMatrix }) => {
      if (type === "updateMatrix" && worldMatrix) document.body.classList.add("is-found");
    },
  });
  await controller.addImageTargets("/marker.mind");
  await controller.dummyRun(video);
  controller.processVideo(video);
</script>`;

interface Visit {
  /** Milliseconds from the start of the navigation to the first tracked frame. */
  readonly found: number;
  /** Milliseconds of the longest block of the page's thread until then. */
  readonly longest: number;
  /** Milliseconds in all blocks of more than 50 ms. */
  readonly blocked: number;
}

/** Runs in the page: records when an element with the class `is-found` appears, and the long tasks before it. */
const OBSERVE = `
  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: "longtask",
    buffered: true,
  });
  window.found = new Promise((resolve) => {
    const look = () => {
      if (!document.querySelector(".is-found")) return requestAnimationFrame(look);
      const time = performance.now();
      // Long tasks are reported after they end.
      setTimeout(() => resolve({ time, tasks }), 200);
    };
    requestAnimationFrame(look);
  });
`;

async function visit(camera: string, url: string, start: (page: Page) => Promise<void>): Promise<Visit> {
  const browser: Browser = await launchBrowser({ camera });
  try {
    const page = await browser.newPage({ viewport: { width: 640, height: 480 } });
    await page.addInitScript(OBSERVE);
    await page.goto(url, { waitUntil: "commit" });
    await start(page);
    const { time, tasks } = await page.evaluate(
      () => (globalThis as unknown as { found: Promise<{ time: number; tasks: number[] }> }).found,
    );
    return {
      found: time,
      longest: Math.max(0, ...tasks),
      blocked: tasks.reduce((sum, duration) => sum + duration, 0),
    };
  } finally {
    await browser.close();
  }
}

/** Serves the stock page, MindAR's own build and the marker. */
async function serveStock(marker: Uint8Array): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    const send = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { "content-type": type }).end(body);
    if (path === "/") send("text/html", STOCK_PAGE);
    else if (path === "/marker.mind") send("application/octet-stream", marker);
    else if (/^\/mind-ar\/[\w.-]+\.js$/.test(path))
      send("text/javascript", await readFile(new URL(path.slice("/mind-ar/".length), MIND_AR)));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

const folder = await mkdtemp(join(tmpdir(), "vivimark-bench-"));
const platform = await startPlatform();
const photo = await photograph(PHOTO);
const camera = join(folder, "camera.y4m");
await filmPhoto(photo, camera, PACE);
const content = await submit(platform, photo.bytes);
const marker = new Uint8Array(
  await (await fetch(new URL(content.marker_url ?? "", platform.url))).arrayBuffer(),
);
const stock = await serveStock(marker);

const ours: Visit[] = [];
const theirs: Visit[] = [];
try {
  for (let i = 0; i < VISITS; i++) {
    ours.push(
      await visit(camera, `${platform.url}/v/${content.unique_id}`, (page) =>
        page.getByRole("button", { name: "Start camera" }).click(),
      ),
    );
    theirs.push(await visit(camera, stock.url, async () => {}));
    console.log(
      `${i + 1} of ${VISITS}: ours ${Math.round(ours[i].found)} ms, stock ${Math.round(theirs[i].found)} ms`,
    );
  }
} finally {
  stock.close();
  await platform.close();
  await rm(folder, { recursive: true, force: true });
}

const row = (name: string, value: (visit: Visit) => number) => {
  const [a, b] = [ours.map(value), theirs.map(value)];
  const ratio = median(a) > 0 ? (median(b) / median(a)).toFixed(1) : "–";
  return `| ${name} | ${spread(b)} | ${spread(a)} | ${ratio} |`;
};
const text = [
  "## From opening the page to the first tracked frame",
  "",
  `Written by \`npm run bench:viewer\` (bench/viewer.ts): ${VISITS} visits of each page in turns, each with an empty cache, in`,
  "headless Chromium with graphics in software, with a film of the photo at 640 × 480 and 30 frames a second as its",
  "camera and the permission granted. Ours is the viewer's page, whose Start button is pressed as soon as it is there;",
  "stock is a page that has nothing but MindAR's player. Milliseconds, median and range.",
  "",
  "| | stock | ours | times |",
  "|---|---|---|---|",
  row("first tracked frame", ({ found }) => found),
  row("longest block of the page's thread", ({ longest }) => longest),
  row("blocked for more than 50 ms at a time, sum", ({ blocked }) => blocked),
].join("\n");
console.log(text);
if (!isQuick) writeResults("viewer", text);
