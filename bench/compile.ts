// Compares our compiler with mind-ar 1.2.5's: whole compilations, from grey pixels to `.mind` bytes. In Node
// with its OfflineCompiler, alternating in one process; in headless Chromium with its browser compiler
// (software WebGL). Then measures the first compilation of a process and of a page, the time and memory of a
// large image, and the size of a browser's downloads.
//
//   npm run bench             everything, into bench/results.md; minutes, because mind-ar is slow
//   npm run bench -- --quick  the small images only, to the terminal
//   npm run bench -- --first  the first compilation only, to the terminal

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, platform, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../compiler/compile.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { readKernelModule } from "../node/codecs.ts";
import { compileReference, loadPhoto } from "../test/compiler/oracle.ts";
import { downloadBytes, openPage } from "./page.ts";
import { writeResults } from "./results.ts";
import { median, spread, type Time, time } from "./statistics.ts";

interface Picture {
  readonly photo: string;
  readonly width: number;
  readonly height: number;
  /** Rounds of mind-ar in Node; each is followed by OUR_ROUNDS of ours. */
  readonly rounds: number;
  /** Required and desired speed relative to mind-ar. */
  readonly goals: readonly [number, number] | null;
}

const OUR_ROUNDS = 15;

/** Runs before the measurement, in which the engine optimises our code. */
const WARM_UP_ROUNDS = 4;

const SQUARE: Picture = {
  photo: "airplane-from-above",
  width: 1654,
  height: 1654,
  rounds: 1,
  goals: [150, 250],
};

const PICTURES: readonly Picture[] = [
  { photo: "french-alpine-landscape", width: 674, height: 372, rounds: 2, goals: [80, 150] },
  { photo: "dust-bowl-home", width: 800, height: 800, rounds: 1, goals: null },
  { photo: "allium-oreophilum", width: 1080, height: 1920, rounds: 1, goals: [150, 250] },
  SQUARE,
];

const BROWSER_GOALS = [20, 30] as const;
const LARGE = { width: 4000, height: 3000, rounds: 5, timeGoals: [7, 5], megabyteGoals: [96, 48] } as const;
const FIRST = { photo: "dust-bowl-home", width: 1280, height: 985, rounds: 9, later: 8, goal: 1.7 } as const;
const DOWNLOAD_GOALS = [24, 20] as const;
const MEGABYTE = 1e6;

/** Does not reduce images, because mind-ar cannot. */
const OPTIONS = { maxSize: Number.POSITIVE_INFINITY };

const quick = process.argv.includes("--quick");
const onlyFirst = process.argv.includes("--first");
const lines: string[] = [];

function report(line = ""): void {
  lines.push(line);
  console.log(line);
}

async function main(): Promise<void> {
  loadKernels(await readKernelModule());
  describeRun();
  if (onlyFirst) return measureFirst();

  report(`\n### Node ${process.version}, against mind-ar's OfflineCompiler\n`);
  report("Milliseconds: median (least … most). A ratio is that of the medians.\n");
  report(
    "| image | rounds | mind-ar | ours | ours, CPU time | ratio | ratio, CPU time | must, dream | result |",
  );
  report("|---|---|---|---|---|---|---|---|---|");
  for (const picture of quick ? PICTURES.slice(0, 2) : PICTURES) await compareInNode(picture);
  if (quick) return;

  await compareInBrowser();
  await measureFirst();
  await measureLarge();
  await measureDownload();
  writeResults("compile", lines.join("\n"));
}

function describeRun(): void {
  const [{ model }] = cpus();
  const version = (name: string) =>
    JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8"))
      .version;
  report("## Compiling\n");
  report("Written by `npm run bench` (bench/compile.ts).\n");
  report(
    `- ${new Date().toISOString().slice(0, 10)}, ${platform()} ${release()}, ${cpus().length} × ${model},`,
  );
  report(
    `  ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory, load average at the start ${loadavg()[0].toFixed(1)}`,
  );
  report(`- Node ${process.version}, V8 ${process.versions.v8}, mind-ar ${version("mind-ar")}`);
}

async function compareInNode({ photo, width, height, rounds, goals }: Picture): Promise<void> {
  const image = await loadPhoto(photo, width, height);
  const ours: Time[] = [];
  const theirs: Time[] = [];
  let differs = false;
  for (let i = 0; i < WARM_UP_ROUNDS; i++) compile([image], OPTIONS);
  for (let round = 0; round < rounds; round++) {
    const reference = await quietly(() => time(() => compileReference(image)));
    theirs.push(reference.time);
    for (let i = 0; i < OUR_ROUNDS; i++) {
      const run = await time(() => compile([image], OPTIONS));
      ours.push(run.time);
      differs ||= !Buffer.from(run.result).equals(Buffer.from(reference.result.bytes));
    }
  }
  const wall = [theirs, ours].map((times) => times.map((run) => run.wall));
  const cpu = [theirs, ours].map((times) => times.map((run) => run.cpu));
  const ratio = ([their, our]: number[][]) => `${(median(their) / median(our)).toFixed(0)} ×`;
  report(
    row(
      `${width} × ${height}`,
      `${theirs.length} + ${ours.length}`,
      spread(wall[0]),
      spread(wall[1]),
      spread(cpu[1]),
      ratio(wall),
      ratio(cpu),
      goals ? `${goals[0]} ×, ${goals[1]} ×` : "–",
      differs ? "DIFFERS" : "the same bytes",
    ),
  );
  if (differs) process.exitCode = 1;
}

async function compareInBrowser(): Promise<void> {
  const { photo, width, height } = SQUARE;
  const page = await openPage();
  try {
    report(`\n### Chromium ${page.version} without a GPU, against mind-ar's Compiler\n`);
    report("Milliseconds, second run of each.\n");
    report("| image | mind-ar | ours | ratio | must, dream | result |");
    report("|---|---|---|---|---|---|");
    const { theirs, ours, points, shared } = await page.compare(await loadPhoto(photo, width, height));
    report(
      row(
        `${width} × ${height}`,
        theirs.toFixed(0),
        ours.toFixed(0),
        `${(theirs / ours).toFixed(1)} ×`,
        `${BROWSER_GOALS[0]} ×, ${BROWSER_GOALS[1]} ×`,
        `${shared} of mind-ar's ${points} points shared (its WebGL kernels round differently)`,
      ),
    );
  } finally {
    await page.close();
  }
}

/** Compares the first compilation of a process and of a page with later ones there. */
async function measureFirst(): Promise<void> {
  const { photo, width, height, rounds, later, goal } = FIRST;
  const image = await loadPhoto(photo, width, height);
  const first: Record<string, number[]> = { process: [], page: [] };
  const warm: Record<string, number[]> = { process: [], page: [] };
  const add = (place: string, times: readonly number[]) => {
    first[place].push(times[0]);
    warm[place].push(median(times.slice(-later)));
  };
  const folder = mkdtempSync(join(tmpdir(), "vivimark-bench-"));
  const page = await openPage();
  let theirs: readonly number[] = [];
  try {
    const file = join(folder, "grey");
    writeFileSync(file, image.data);
    const script = fileURLToPath(new URL("first.ts", import.meta.url));
    for (let round = 0; round < rounds; round++) {
      const words = [script, file, String(width), String(height), String(2 * later)];
      add("process", JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" })));
      add("page", await page.repeat(image, 2 * later));
    }
    theirs = await page.repeatReference(image, 2);
  } finally {
    await page.close();
    rmSync(folder, { recursive: true });
  }
  report(`\n### The first compilation: ${width} × ${height}\n`);
  report(
    `Milliseconds. ${rounds} new processes and ${rounds} new pages in turns; warm: the median of the last`,
  );
  report(
    `${later} of ${2 * later} compilations there. mind-ar: one new page, first and second compilation.\n`,
  );
  report("| where | first | warm | ratio | goal |");
  report("|---|---|---|---|---|");
  for (const place of Object.keys(first)) {
    const ratio = median(first[place]) / median(warm[place]);
    report(
      row(`new ${place}`, spread(first[place]), spread(warm[place]), `${ratio.toFixed(1)} ×`, `${goal} ×`),
    );
  }
  const [cold, second] = theirs;
  report(
    row("mind-ar, new page", cold.toFixed(0), second.toFixed(0), `${(cold / second).toFixed(1)} ×`, "–"),
  );
}

async function measureLarge(): Promise<void> {
  const { width, height, rounds, timeGoals, megabyteGoals } = LARGE;
  const square = await loadPhoto(SQUARE.photo, SQUARE.width, SQUARE.height);
  const large = await loadPhoto(SQUARE.photo, width, height);
  const times = { square: [] as Time[], large: [] as Time[] };
  compile([square], OPTIONS);
  compile([large], OPTIONS);
  for (let i = 0; i < rounds; i++) {
    times.square.push((await time(() => compile([square], OPTIONS))).time);
    times.large.push((await time(() => compile([large], OPTIONS))).time);
  }
  const of = (name: "square" | "large", clock: "wall" | "cpu") => times[name].map((run) => run[clock]);
  const ratio = (clock: "wall" | "cpu") => median(of("large", clock)) / median(of("square", clock));
  const folder = mkdtempSync(join(tmpdir(), "vivimark-bench-"));
  const peaks: number[] = [];
  try {
    const file = join(folder, "grey");
    writeFileSync(file, large.data);
    const script = fileURLToPath(new URL("memory.ts", import.meta.url));
    for (let i = 0; i < rounds; i++) {
      const printed = execFileSync(process.execPath, [script, file, String(width), String(height)]);
      peaks.push(Number(printed) / MEGABYTE);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  report(`\n### A large image: ${width} × ${height}, maxSize off\n`);
  report(`${rounds} rounds, by turns with ${SQUARE.width} × ${SQUARE.height}.\n`);
  report("| what | measured | must, dream |");
  report("|---|---|---|");
  report(row("milliseconds", spread(of("large", "wall")), "–"));
  report(row("milliseconds, CPU time", spread(of("large", "cpu")), "–"));
  const goals = `${timeGoals[0]} ×, ${timeGoals[1]} ×`;
  report(row(`time of ${SQUARE.width} × ${SQUARE.height}`, `${ratio("wall").toFixed(1)} ×`, goals));
  report(row("the same, CPU time", `${ratio("cpu").toFixed(1)} ×`, goals));
  report(
    row(
      "peak memory above the grey image, MB (fresh process, resident set)",
      spread(peaks),
      `${megabyteGoals[0]}, ${megabyteGoals[1]}`,
    ),
  );
}

async function measureDownload(): Promise<void> {
  const { script, wasm } = await downloadBytes();
  report("\n### What a browser downloads for compiling, codecs aside, gzip\n");
  report("| JavaScript | WebAssembly | together | must, dream |");
  report("|---|---|---|---|");
  const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
  report(
    row(
      kilobytes(script),
      kilobytes(wasm),
      kilobytes(script + wasm),
      `${DOWNLOAD_GOALS[0]} KB, ${DOWNLOAD_GOALS[1]} KB`,
    ),
  );
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** TensorFlow.js prints a greeting on stderr when it loads. */
async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}

await main();
