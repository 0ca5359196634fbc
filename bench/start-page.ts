// Measures when the viewer's start page is complete on a slow connection: the thumbnail is drawn, and its button is there.
//
// Chromium slows the network down to WebPageTest's "3G Slow": 400 kbit/s, and 400 ms per request. Text is compressed with
// Brotli, as Cloudflare does. A new browser, and so an empty cache, for every visit.
//
//   npm run bench:start-page              10 visits, writes into bench/results.md; about a minute
//   npm run bench:start-page -- --quick   3 visits, prints only

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, constants } from "node:zlib";
import type { Page } from "playwright-core";
import { launchBrowser } from "../test/e2e/browser.ts";
import { photograph } from "../test/e2e/photograph.ts";
import { startPlatform } from "../test/e2e/platform.ts";
import { writeResults } from "./results.ts";
import { spread } from "./statistics.ts";
import { submit } from "./submit.ts";

const PHOTO = "dust-bowl-home";
const SLOW_3G = { latency: 400, downloadThroughput: 400_000 / 8, uploadThroughput: 400_000 / 8 };
const isQuick = process.argv.includes("--quick");
const VISITS = isQuick ? 3 : 10;
/** Brotli's level on Cloudflare for responses that change. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

interface Visit {
  /** Milliseconds from the start of the navigation until the page has its text and button. */
  readonly text: number;
  /** The same until the thumbnail is drawn too. */
  readonly complete: number;
  readonly requests: readonly {
    readonly path: string;
    readonly start: number;
    readonly end: number;
    readonly bytes: number;
  }[];
}

/** Serves a platform with compressed text. */
async function compressing(target: string): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url!, target), { redirect: "manual" });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const headers = Object.fromEntries(
      [...answer.headers].filter(
        ([name]) => !/^(content-encoding|content-length|transfer-encoding|connection)$/.test(name),
      ),
    );
    const isText = /^(text\/|application\/(json|javascript)|image\/svg)/.test(
      answer.headers.get("content-type") ?? "",
    );
    response.writeHead(answer.status, isText ? { ...headers, "content-encoding": "br" } : headers);
    response.end(isText ? brotliCompressSync(bytes, BROTLI) : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

/** Runs in the page: notes when the button is there, and when the thumbnail is drawn. */
const OBSERVE = `
  window.shown = new Promise((resolve) => {
    let text = null;
    const look = () => {
      if (text === null && document.querySelector(".start button")) text = performance.now();
      const photo = document.querySelector(".start img.photo");
      if (text === null || !photo?.complete || photo.naturalWidth === 0) return requestAnimationFrame(look);
      photo.decode().then(() => requestAnimationFrame(() => resolve({ text, complete: performance.now() })));
    };
    requestAnimationFrame(look);
  });
`;

/** Returns the requests of the page, in the page. */
const REQUESTS = `
  ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type)).map((entry) => ({
    path: new URL(entry.name).pathname,
    start: entry.startTime,
    end: entry.responseEnd,
    bytes: entry.transferSize,
  }))
`;

async function visit(url: string): Promise<Visit> {
  const browser = await launchBrowser();
  try {
    const page: Page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    await client.send("Network.emulateNetworkConditions", { offline: false, ...SLOW_3G });
    await page.addInitScript(OBSERVE);
    await page.goto(url, { waitUntil: "commit" });
    const times = await page.evaluate(
      () => (globalThis as unknown as { shown: Promise<{ text: number; complete: number }> }).shown,
    );
    const requests = await page.evaluate<Visit["requests"]>(REQUESTS);
    return { ...times, requests };
  } finally {
    await browser.close();
  }
}

const platform = await startPlatform();
const proxy = await compressing(platform.url);
const visits: Visit[] = [];
try {
  const photo = await photograph(PHOTO);
  const { unique_id } = await submit(platform, photo.bytes);
  for (let i = 0; i < VISITS; i++) {
    const seen = await visit(`${proxy.url}/v/${unique_id}`);
    visits.push(seen);
    console.log(
      `${i + 1} of ${VISITS}: text ${Math.round(seen.text)} ms, complete ${Math.round(seen.complete)} ms`,
    );
  }
} finally {
  proxy.close();
  await platform.close();
}
for (const { path, start, end, bytes } of visits[0].requests) {
  console.log(`${path.padEnd(60)} ${Math.round(start)} … ${Math.round(end)} ms, ${bytes} bytes`);
}
const text = [
  "## From opening the page to the complete start page, on slow 3G",
  "",
  `Written by \`npm run bench:start-page\` (bench/start-page.ts): ${VISITS} visits, each with an empty cache, in headless`,
  "Chromium with 400 kbit/s and 400 ms per request. Milliseconds, median and range.",
  "",
  "| | |",
  "|---|---|",
  `| text and button | ${spread(visits.map(({ text }) => text))} |`,
  `| with the thumbnail | ${spread(visits.map(({ complete }) => complete))} |`,
].join("\n");
console.log(text);
if (!isQuick) writeResults("start-page", text);
