// Finds photos that are pasted into real photographs, with our player and with MindAR's, on the same frames.
//
//   npm run bench:player -- photographs             all pictures; writes into bench/results.md; about 5 minutes
//   npm run bench:player -- photographs --quick     few pictures; writes nothing
//
// bench/photographs/README.md describes the photographs.

import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compileTarget } from "../../compiler/compile.ts";
import type { Corners } from "../../test/e2e/pinhole.ts";
import { loadPhotographs, paste } from "../photographs/paste.ts";
import { loadSubjects, type Subject } from "../recall/pictures.ts";
import { load as loadOurs } from "../recall/vivimark.ts";
import { writeResults } from "../results.ts";
import { errors, isPartOf, judge, loadModules, originalsOf, percent, type Trial } from "./trial.ts";

/** Lengths of the pasted photo, as shares of that at which it fills the board, in turn. */
const SHARES = [1, 0.5, 0.25];

/** Every how many photographs a picture is pasted: in a quarter of them, so that the benchmark takes minutes. */
const PASTED_STEP = 4;

/** Every how many photographs another picture is looked for that is not pasted. */
const ABSENT_STEP = 8;

const QUICK_STEP = 8;

/** The trials of one picture, by player, and how often a picture was found that is not pasted. */
interface Result {
  readonly heldOut: boolean;
  readonly longer: readonly number[];
  readonly ours: readonly PhotographTrial[];
  readonly stock: readonly PhotographTrial[];
  readonly absent: number;
  readonly oursAbsent: number;
  readonly stockAbsent: number;
}

interface PhotographTrial extends Trial {
  readonly tilt: number;
}

export async function run(options: readonly string[]): Promise<void> {
  await loadModules();
  const isQuick = options.includes("--quick");
  const total = originalsOf(await loadSubjects()).length;
  const indexes = Array.from({ length: total }, (_, i) => i).filter((i) => !isQuick || i % QUICK_STEP === 0);
  const results: Result[] = [];
  let next = 0;
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(new URL(import.meta.url), { workerData: { pasted: true } });
      const give = () =>
        next < indexes.length
          ? thread.postMessage(indexes[next++])
          : void thread.terminate().then(() => resolve());
      thread.on("error", reject);
      thread.on("message", ([name, result]: [string, Result]) => {
        results.push(result);
        console.log(`${results.length} of ${indexes.length}: ${name}: ${percent(result.ours)}`);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const text = report(results);
  console.log(text);
  if (!isQuick) writeResults("photographs", text);
}

/** Runs in a thread: measures the pictures whose indexes it receives. */
async function serve(): Promise<void> {
  const { load: loadStock } = await import("../recall/mindar.ts");
  await loadModules();
  const subjects = originalsOf(await loadSubjects());
  const photographs = await loadPhotographs();
  parentPort?.on("message", async (index: number) => {
    const { name, heldOut, image } = subjects[index];
    const isRelated = (other: Subject) =>
      isPartOf(other, subjects[index]) || isPartOf(subjects[index], other);
    const following = [...subjects.slice(index + 1), ...subjects];
    const other = following.find((subject) => !isRelated(subject)) as Subject;
    const players = [loadOurs(compileTarget(image)), loadStock(compileTarget(image))];
    const others = [loadOurs(compileTarget(other.image)), loadStock(compileTarget(other.image))];
    const trials: [PhotographTrial[], PhotographTrial[]] = [[], []];
    const longer: number[] = [];
    const found: [number, number] = [0, 0];
    let absent = 0;
    for (const [i, photograph] of photographs.entries()) {
      if ((index + i) % PASTED_STEP !== 0) continue;
      const bin = (index + i) % SHARES.length;
      const { frame, corners } = await paste(image, photograph, {
        share: SHARES[bin],
        seed: 100 * index + i,
      });
      const side = longerSide(corners);
      longer.push(side);
      const isTried = (index + i) % ABSENT_STEP === 0;
      if (isTried) absent++;
      for (const player of [0, 1]) {
        const result = judge(players[player].find(frame), corners, side);
        trials[player].push({ bin, tilt: photograph.tilt, ...result });
        if (isTried && others[player].find(frame)) found[player]++;
      }
    }
    const [ours, stock] = trials;
    const [oursAbsent, stockAbsent] = found;
    const result: Result = { heldOut, longer, ours, stock, absent, oursAbsent, stockAbsent };
    parentPort?.postMessage([name, result]);
  });
}

function longerSide(corners: Corners): number {
  const sides = corners.map(({ x, y }, i) => {
    const next = corners[(i + 1) % 4];
    return Math.hypot(next.x - x, next.y - y);
  });
  return Math.max(...sides);
}

function report(results: readonly Result[]): string {
  const sum = (value: (result: Result) => number) => results.reduce((total, one) => total + value(one), 0);
  const row = (
    name: string,
    some: readonly Result[],
    isIn: (trial: PhotographTrial) => boolean = () => true,
  ) => {
    const [ours, stock] = [
      some.flatMap((result) => result.ours.filter(isIn)),
      some.flatMap((result) => result.stock.filter(isIn)),
    ];
    return `| ${name} | ${ours.length} | ${percent(stock)} | ${errors(stock)} | ${percent(ours)} | ${errors(ours)} |`;
  };
  const wrong = (player: "ours" | "stock") =>
    sum((one) => one[player].filter(({ error, right }) => error !== null && !right).length);
  const sizes = SHARES.map((_, bin) => {
    const longer = results.flatMap((result) => result.longer.filter((_, i) => result.ours[i].bin === bin));
    return `${Math.round(Math.min(...longer))}–${Math.round(Math.max(...longer))} px`;
  });
  return [
    "## Finding a photo in real photographs",
    "",
    "Written by `npm run bench:player -- photographs` (bench/player/photographs.ts). 26 photographs of an office by two",
    "cameras, 640 × 480 pixels, each with a chessboard whose place is known to a fifth of a pixel",
    `(bench/photographs/README.md). ${results.length} pictures are pasted on the board, each in a quarter of the photographs, at three`,
    "sizes in turn, in the light, with the blur and the noise of the photograph; the result is compressed as JPEG. The",
    "same frames for both players. Stock: MindAR's player with all nine windows of each frame. Error: of the corners, root",
    "mean square, median / 90 % of the found ones, in pixels.",
    "",
    "| frames | number | stock found | error | ours found | error |",
    "|---|---|---|---|---|---|",
    row("all", results),
    row(
      "pictures held out while parameters were chosen",
      results.filter(({ heldOut }) => heldOut),
    ),
    ...SHARES.map((_, bin) => row(`longer side ${sizes[bin]}`, results, (trial) => trial.bin === bin)),
    row("tilt below 20°", results, ({ tilt }) => tilt < 20),
    row("tilt 20–30°", results, ({ tilt }) => tilt >= 20 && tilt < 30),
    row("tilt 30–41°", results, ({ tilt }) => tilt >= 30),
    `| wrong place | ${sum(({ ours }) => ours.length)} | ${wrong("stock")} | | ${wrong("ours")} | |`,
    `| found, but not shown | ${sum(({ absent }) => absent)} | ${sum((one) => one.stockAbsent)} | | ${sum((one) => one.oursAbsent)} | |`,
  ].join("\n");
}

if (!isMainThread && workerData?.pasted) await serve();
