// Measures lists, searches and the sweep with 200,000 photos in a company, compared with 1,000, and how long the
// viewer's manifest takes while a program lists in a loop.
//
//   npm run bench:lists

import { cpus, loadavg } from "node:os";
import { Edge } from "../test/faults/edge.ts";
import { largeTables } from "../test/worker/plans/large.ts";
import type { ContentPage } from "../worker/schemas.ts";
import { writeResults } from "./results.ts";
import { median, spread } from "./statistics.ts";

const [FEW, MANY] = [1000, 200_000];
const ROUNDS = 15;
/** How many times longer a request with many photos may take. */
const GOAL = 3;

interface Task {
  readonly name: string;
  readonly run: (edge: Edge) => Promise<unknown>;
}

const list = (query: string) => (edge: Edge) => edge.api.json<ContentPage>(200, `/api/ar-content?${query}`);

const TASKS: readonly Task[] = [
  { name: "list, a page", run: list("limit=30") },
  { name: "list, a page of failed ones", run: list("status=failed&limit=30") },
  { name: "search, one match", run: list(`q=${encodeURIComponent("портрет 777")}`) },
  { name: "search, all match", run: list(`q=${encodeURIComponent("портрет")}`) },
  { name: "search, two characters", run: list(`q=${encodeURIComponent("рт")}`) },
  { name: "list, projects", run: (edge) => edge.api.json(200, "/api/projects") },
  { name: "list, audit log by subject", run: (edge) => edge.api.json(200, "/api/audit-log?subject=member") },
  { name: "sweep", run: (edge) => edge.sweep() },
];

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function start(photos: number): Promise<Edge> {
  const edge = await Edge.create({ RATE_LIMITS: "" });
  edge.change(largeTables(photos, Date.now()));
  await edge.start();
  return edge;
}

async function compare(few: Edge, many: Edge): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, run } of TASKS) {
    const times: [number[], number[]] = [[], []];
    for (const edge of [few, many]) await run(edge);
    for (let round = 0; round < ROUNDS; round++) {
      times[0].push(await timed(() => run(few)));
      times[1].push(await timed(() => run(many)));
    }
    const ratio = median(times[1]) / median(times[0]);
    const verdict = ratio <= GOAL ? "reached" : "missed";
    lines.push(
      `| ${name} | ${spread(times[0])} | ${spread(times[1])} | ${ratio.toFixed(1)} × | ${verdict} |`,
    );
    console.error(lines.at(-1));
  }
  return lines;
}

/** Measures the viewer's manifest, alone and while a program lists in a loop. */
async function manifest(edge: Edge): Promise<{ alone: number[]; beside: number[] }> {
  const {
    items: [{ unique_id }],
  } = await edge.api.json<ContentPage>(200, "/api/ar-content?limit=1");
  const get = () => timed(async () => (await fetch(`${edge.url}/api/viewer/${unique_id}`)).arrayBuffer());
  const measure = async () => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) times.push(await get());
    return times;
  };
  await get();
  const alone = await measure();
  let isListing = true;
  const listing = (async () => {
    while (isListing) await list("limit=100")(edge);
  })();
  const beside = await measure();
  isListing = false;
  await listing;
  return { alone, beside };
}

async function main(): Promise<void> {
  const load = loadavg()[0].toFixed(1);
  const few = await start(FEW);
  const many = await start(MANY);
  try {
    const lines = await compare(few, many);
    const { alone, beside } = await manifest(many);
    const number = new Intl.NumberFormat("en");
    const text = [
      "## Lists, searches and the sweep with many photos",
      "",
      "Written by `npm run bench:lists` (bench/lists.ts): two local platforms, one with a company of",
      `${number.format(FEW)} photos, one with ${number.format(MANY)}, and as many rows in the other tables that grow, measured in turns on`,
      `${cpus().length} × ${cpus()[0].model}; Node ${process.version}; load average at the start ${load}. Milliseconds of a`,
      `request, median of ${ROUNDS} (range).`,
      "",
      `| request | ${number.format(FEW)} photos | ${number.format(MANY)} photos | ratio | goal: ${GOAL} × |`,
      "|---|---|---|---|---|",
      ...lines,
      "",
      `The viewer's manifest, ${number.format(MANY)} photos: ${spread(alone)} ms, and ${spread(beside)} ms while a program lists pages of`,
      "100 photos in a loop.",
    ].join("\n");
    console.log(text);
    writeResults("lists", text);
  } finally {
    await few.remove();
    await many.remove();
  }
}

await main();
