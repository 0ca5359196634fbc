// Measures how many requests per second the Worker answers in the local workerd, compared with a bare Hono
// "hello" in the same runtime, and how long 500 photos take that arrive at once.
//
//   npm run bench:api

import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import autocannon, { type Options } from "autocannon";
import { createCanvas, loadImage } from "canvas";
import { createTestHarness } from "wrangler";
import { photograph } from "../test/e2e/photograph.ts";
import { NodeCompiler, SECRET } from "../test/faults/compiler.ts";
import { becomeFirstOwner, withKey } from "../test/first-owner.ts";
import type { ArContent, CompileTask, ContentPage, Submission } from "../worker/schemas.ts";
import { writeResults } from "./results.ts";
import { median } from "./statistics.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 3;
const CONNECTIONS = 16;
/** Share of the rate of a "hello" that the viewer's requests must reach. */
const GOAL = 0.6;

const BURST = 500;
/** Programs that submit the burst. */
const SENDERS = 20;
const PORTRAIT = { width: 600, height: 800 };

interface Row {
  readonly name: string;
  readonly request: Partial<Options>;
  readonly status: number;
  /** The request with the highest possible rate. */
  readonly limit: Limit;
  /** Share of the limit that must be reached. */
  readonly mustReach?: number;
}

type Limit = Pick<Row, "name" | "request" | "status">;

interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function main(): Promise<void> {
  const load = loadavg()[0].toFixed(1);
  const hello = createTestHarness({
    root: fileURLToPath(new URL("api", import.meta.url)),
    workers: [{ configPath: fileURLToPath(new URL("api/wrangler.toml", import.meta.url)) }],
  });
  const edge = await startEdge();
  try {
    const portrait = await portraits();
    // First, because photos that are submitted under load reach the Node compiler once their browser leases
    // end.
    const burst = await submitBurst(edge, portrait);
    const content = await prepare(edge, portrait);
    const measured = await measure(
      rowsOf(edge, (await hello.listen()).url.href, content, await portrait(-1)),
    );
    const text = [
      "## The edge under load",
      "",
      "Written by `npm run bench:api` (bench/api.ts): wrangler's local workerd, D1, R2 and queues, and the load",
      `generator on the same ${cpus().length} × ${cpus()[0].model}; Node ${process.version}; load average at the start ${load}.`,
      `${CONNECTIONS} connections; median of ${ROUNDS} rounds of ${ROUND_SECONDS} seconds, each next to a round of its limit: a bare Hono`,
      '"hello", with the same number of bytes where they dominate the time. Rate limits are off.',
      "",
      "| request | requests a second | p50, ms | p99, ms | limit | of the limit | goal |",
      "|---|---|---|---|---|---|---|",
      ...measured,
      "",
      ...burst,
    ].join("\n");
    console.log(text);
    writeResults("api", text);
  } finally {
    await hello.close();
    await edge.close();
  }
}

type Edge = Awaited<ReturnType<typeof startEdge>>;

async function startEdge() {
  const compiler = await NodeCompiler.reserve();
  await compiler.start();
  const harness = createTestHarness({
    root: fileURLToPath(new URL("..", import.meta.url)),
    workers: [
      {
        configPath: "wrangler.toml",
        vars: { COMPILER_URL: compiler.url, RATE_LIMITS: "" },
        secrets: { COMPILER_SECRET: SECRET, AUTH_SECRET: SECRET, SETUP_TOKEN: SECRET },
      },
    ],
  });
  const { url } = await harness.listen();
  await harness.getWorker().applyD1Migrations("DB");
  const { key } = await becomeFirstOwner(url.origin, SECRET);
  return {
    url: url.origin,
    key,
    compiler,
    async api<T>(path: string, init?: RequestInit): Promise<T> {
      const response = await fetch(`${url.origin}/api${path}`, withKey(key, init));
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.json() as Promise<T>;
    },
    async close() {
      await harness.close();
      await compiler.kill();
    },
  };
}

/** Returns a function that crops public photographs to portraits; each number gives another picture. */
async function portraits(): Promise<(n: number) => Promise<Uint8Array<ArrayBuffer>>> {
  const names = ["airplane-from-above", "dust-bowl-home", "french-alpine-landscape", "locomotion-house-cat"];
  const photos = await Promise.all(names.map(async (name) => loadImage((await photograph(name)).bytes)));
  const { width, height } = PORTRAIT;
  return async (n) => {
    const photo = photos[(n + photos.length) % photos.length];
    const canvas = createCanvas(width, height);
    const context = canvas.getContext("2d");
    const zoom = 1.2 * Math.max(width / photo.width, height / photo.height);
    const shift = (n % 97) / 97;
    const [spareX, spareY] = [photo.width * zoom - width, photo.height * zoom - height];
    context.drawImage(photo, -shift * spareX, -(1 - shift) * spareY, photo.width * zoom, photo.height * zoom);
    context.fillText(`No. ${n}`, 10, height - 10);
    return new Uint8Array(await canvas.encode("jpeg", 85));
  };
}

type Portrait = Awaited<ReturnType<typeof portraits>>;

async function submit({ api }: Edge, image: Uint8Array<ArrayBuffer>, title: string): Promise<ArContent> {
  const form = new FormData();
  form.set("image", new Blob([image], { type: "image/jpeg" }), "portrait.jpg");
  form.set("title", title);
  form.set("compile", "server");
  return (await api<Submission>("/ar-content", { method: "POST", body: form })).content;
}

/** Adds enough contents for a full page of the list. Returns a ready one. */
async function prepare(edge: Edge, portrait: Portrait): Promise<ArContent> {
  const image = await portrait(-1);
  const { id } = await submit(edge, image, "The viewed photo");
  const content = await edge.api<ArContent>(`/ar-content/${id}?wait=30`);
  if (content.marker_status !== "ready") throw new Error(`The marker is ${content.marker_status}.`);
  // The same photo reuses the marker.
  for (let i = 0; i < 60; i++) await submit(edge, image, `Photo ${i}`);
  return content;
}

function rowsOf(
  { url, key }: Edge,
  helloUrl: string,
  content: ArContent,
  image: Uint8Array<ArrayBuffer>,
): Row[] {
  const headers = { Authorization: `Bearer ${key}` };
  const manifest = `${url}/api/viewer/${content.unique_id}`;
  const marker = `${url}${content.marker_url}`;
  const markerBytes = content.marker_metadata?.bytes ?? 0;
  const size = `${Math.round(markerBytes / 1000)} KB`;
  const hello: Limit = { name: "hello", request: { url: `${helloUrl}hello` }, status: 200 };
  const large: Limit = {
    name: `hello, ${size}`,
    request: { url: `${helloUrl}bytes/${markerBytes}` },
    status: 200,
  };
  let sent = 0;
  const submission: Partial<Options> = {
    url: `${url}/api/ar-content`,
    requests: [
      {
        method: "POST",
        setupRequest: (request) => {
          const n = sent++;
          const { body, contentType } = multipart(
            { title: `Load ${n}`, compile: "browser" },
            withComment(image, n),
          );
          return { ...request, body, headers: { ...headers, "Content-Type": contentType } };
        },
      },
    ],
  };
  const known = { url: marker, headers: { "If-None-Match": etagOf(content) } };
  const ok = { status: 200, limit: hello };
  return [
    { name: "viewer: manifest", request: { url: manifest }, ...ok, mustReach: GOAL },
    { name: `viewer: marker, ${size}`, request: { url: marker }, status: 200, limit: large, mustReach: GOAL },
    { name: "viewer: marker, not modified", request: known, status: 304, limit: hello },
    { name: "get", request: { url: `${url}/api/ar-content/${content.id}`, headers }, ...ok },
    { name: "list, a page", request: { url: `${url}/api/ar-content`, headers }, ...ok },
    { name: `submit, ${Math.round(image.length / 1000)} KB`, request: submission, status: 201, limit: hello },
  ];
}

function etagOf({ marker_url: address }: ArContent): string {
  return `"${new URL(address!, "http://edge").searchParams.get("v")}"`;
}

/** Returns a JPEG file with a comment: different bytes, the same picture. */
function withComment(jpeg: Uint8Array<ArrayBuffer>, n: number): Buffer {
  const text = Buffer.from(String(n).padStart(12, "0"));
  const marker = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), marker, text, jpeg.subarray(2)]);
}

function multipart(fields: Readonly<Record<string, string>>, image: Buffer) {
  const boundary = "----bench";
  const part = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  const texts = Object.entries(fields).map(([name, value]) => `${part(`name="${name}"`)}\r\n${value}\r\n`);
  const head = `${texts.join("")}${part('name="image"; filename="photo.jpg"')}Content-Type: image/jpeg\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), image, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}

/** Returns the table's lines. Each round is next to a round of its limit, so that load affects both. */
async function measure(rows: readonly Row[]): Promise<string[]> {
  const limits = new Map<string, Round[]>();
  const lines: string[] = [];
  for (const row of rows) {
    const { limit } = row;
    const rounds: Round[] = [];
    const shares: number[] = [];
    await shoot(row, 1);
    for (let i = 0; i < ROUNDS; i++) {
      const most = await shoot(limit, ROUND_SECONDS);
      const round = await shoot(row, ROUND_SECONDS);
      limits.set(limit.name, [...(limits.get(limit.name) ?? []), most]);
      rounds.push(round);
      shares.push(round.perSecond / most.perSecond);
    }
    const share = median(shares);
    const { mustReach } = row;
    const verdict = mustReach ? `${100 * mustReach} %: ${share >= mustReach ? "reached" : "missed"}` : "";
    lines.push(lineOf(row.name, rounds, [limit.name, `${(100 * share).toFixed(0)} %`, verdict]));
    console.error(lines.at(-1));
  }
  return [...[...limits].map(([name, rounds]) => lineOf(name, rounds, ["", "", ""])), ...lines];
}

/** Runs one round. Throws unless every answer is the expected one. */
async function shoot({ name, request, status }: Limit, seconds: number): Promise<Round> {
  const result = await autocannon({
    ...request,
    url: request.url!,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const statuses = result.statusCodeStats as Record<string, { count: number }> | undefined;
  const unexpected = Object.keys(statuses ?? {}).filter((code) => Number(code) !== status);
  if (unexpected.length > 0 || result.errors > 0 || result.requests.total === 0) {
    throw new Error(
      `${name}: ${JSON.stringify(statuses)}, ${result.errors} errors; expected ${status} only.`,
    );
  }
  const { p50, p99 } = result.latency;
  return { perSecond: result.requests.total / result.duration, p50, p99 };
}

function lineOf(name: string, rounds: readonly Round[], rest: readonly string[]): string {
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick));
  const times = [middle(({ p50 }) => p50), middle(({ p99 }) => p99)].map((ms) => ms.toFixed(1));
  return `| ${[name, middle(({ perSecond }) => perSecond).toFixed(0), ...times, ...rest].join(" | ")} |`;
}

/** Submits all photos at once from several programs, and waits until the last marker is ready. */
async function submitBurst(edge: Edge, portrait: Portrait): Promise<string[]> {
  const { api, compiler } = edge;
  const images = await Promise.all(Array.from({ length: BURST }, (_, n) => portrait(n)));
  const before = compiler.outcomes.length;
  const started = performance.now();
  const ids: string[] = [];
  const waits: number[] = [];
  const queue = images.entries();
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (const [n, image] of queue) {
        const asked = performance.now();
        ids.push((await submit(edge, image, `Burst ${n}`)).id);
        waits.push(performance.now() - asked);
      }
    }),
  );
  const accepted = performance.now() - started;
  for (;;) {
    const { total } = await api<ContentPage>("/ar-content?status=ready&q=Burst&limit=1");
    if (total === BURST) break;
    const { total: failed } = await api<ContentPage>("/ar-content?status=failed&q=Burst&limit=1");
    if (failed > 0) throw new Error(`${failed} of ${BURST} failed.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const ready = performance.now() - started;

  for (const id of ids) {
    const { items } = await api<{ items: CompileTask[] }>(`/ar-content/${id}/tasks`);
    const [{ state, attempts }] = items;
    if (items.length !== 1 || state !== "ready" || attempts !== 1) {
      throw new Error(`${id} has ${items.length} tasks; the first is ${state} after ${attempts} attempts.`);
    }
  }
  const compiled = compiler.outcomes.slice(before);
  if (
    new Set(ids).size !== BURST ||
    compiled.length !== BURST ||
    compiled.some((outcome) => outcome !== "ready")
  ) {
    throw new Error(
      `${new Set(ids).size} contents, ${compiled.length} compilations; expected ${BURST} of each.`,
    );
  }
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const sorted = waits.toSorted((a, b) => a - b);
  return [
    `${BURST} portraits of ${PORTRAIT.width} × ${PORTRAIT.height} pixels, submitted by ${SENDERS} programs at once: all of them`,
    `ready, each compiled exactly once. Accepted after ${seconds(accepted)} s (${median(waits).toFixed(0)} ms each, 99 %: ${sorted[Math.ceil(0.99 * BURST) - 1].toFixed(0)} ms); the last one`,
    `ready after ${seconds(ready)} s: **${(ready / BURST).toFixed(0)} ms per image**.`,
  ];
}

await main();
