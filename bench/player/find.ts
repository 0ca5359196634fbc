// Finds photos in single frames, with our player and with MindAR's, on the same frames.
//
//   npm run bench:player -- find               all pictures; writes into bench/results.md; about 30 minutes
//   npm run bench:player -- find --quick       few pictures, none of them held out; writes nothing
//   npm run bench:player -- find --no-stock    our player alone; writes nothing
//   npm run bench:player -- absent             only frames that do not show the photo; writes; about 5 minutes
//
// A photo is found if the root mean square of its corners' errors is below a tenth of its longer side. MindAR's
// player gets all nine windows of a frame, for which it would need nine frames, and its own matcher and pose.
// Pictures that are held out were never looked at while the player's parameters were chosen.

import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compileTarget } from "../../compiler/compile.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { Finder, type FindStage } from "../../player/find.ts";
import { projectCorners } from "../../player/homography.ts";
import type { Corners } from "../../test/e2e/pinhole.ts";
import { FRAME, takePicture } from "../recall/camera.ts";
import { loadSubjects, type Subject } from "../recall/pictures.ts";
import { writeResults } from "../results.ts";
import { planBins } from "./bins.ts";
import { errors, isPartOf, judge, loadModules, originalsOf, percent, type Trial } from "./trial.ts";

const SEED = 2027;

interface Plan {
  readonly quick: boolean;
  readonly stock: boolean;
  /** Whether the picture that a frame shows is looked for in it. */
  readonly shown: boolean;
  /** Number of other pictures that are looked for in each frame. */
  readonly others: number;
}

/** Returns few or many views of the mixed bin and of each other one. */
function binsOf({ quick, shown }: Plan) {
  if (!shown) return planBins(4, 1, SEED);
  return quick ? planBins(8, 2, SEED) : planBins(16, 3, SEED);
}

const QUICK_PICTURES = 8;

interface Result {
  readonly heldOut: boolean;
  readonly ours: readonly Trial[];
  readonly stock: readonly Trial[];
  /** Tests of frames that do not show the picture that was looked for, and how many found it. */
  readonly absent: number;
  readonly absentFound: number;
  /** CPU milliseconds of each stage, all frames together, and of making a finder ready. */
  readonly stages: Readonly<Record<string, number>>;
  readonly load: number;
}

export async function run(options: readonly string[]): Promise<void> {
  const plan = {
    quick: options.includes("--quick"),
    stock: !options.includes("--no-stock"),
    shown: true,
    others: 3,
  };
  const results = await measure(plan);
  const text = report(results, plan);
  const absent = reportAbsent(results);
  console.log(`${text}\n\n${absent}`);
  if (plan.quick || !plan.stock) return;
  writeResults("find", text);
  writeResults("absent", absent);
}

/** Looks for pictures only in frames that do not show them: fewer frames, and more pictures in each. */
export async function runAbsent(): Promise<void> {
  const results = await measure({ quick: false, stock: false, shown: false, others: 4 });
  const text = reportAbsent(results);
  console.log(text);
  writeResults("absent", text);
}

async function measure(plan: Plan): Promise<Result[]> {
  await loadModules();
  const total = choose(await loadSubjects(), plan).length;
  const results: Result[] = [];
  let next = 0;
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(new URL(import.meta.url), { workerData: { findPlan: plan } });
      const give = () =>
        next < total ? thread.postMessage(next++) : void thread.terminate().then(() => resolve());
      thread.on("error", reject);
      thread.on("message", ([name, result]: [string, Result]) => {
        results.push(result);
        console.log(`${results.length} of ${total}: ${name}: ${percent(result.ours)}`);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

function choose(subjects: readonly Subject[], { quick }: Plan): Subject[] {
  const originals = originalsOf(subjects);
  if (!quick) return originals;
  const tuned = originals.filter(({ heldOut }) => !heldOut);
  return Array.from(
    { length: QUICK_PICTURES },
    (_, i) => tuned[Math.floor((i * tuned.length) / QUICK_PICTURES)],
  );
}

/** Runs in a thread: measures the pictures whose indexes it receives. */
async function serve(plan: Plan): Promise<void> {
  const { load } = await import("../recall/mindar.ts");
  await loadModules();
  const subjects = choose(await loadSubjects(), plan);
  const bins = binsOf(plan);
  const finders = new Map<number, Finder>();
  const finderOf = (index: number) => {
    const finder = finders.get(index) ?? new Finder([compileTarget(subjects[index].image)], FRAME);
    while (finder.addView());
    finders.set(index, finder);
    return finder;
  };
  parentPort?.on("message", (index: number) => {
    const { name, heldOut, image } = subjects[index];
    const target = compileTarget(image);
    const player = plan.stock ? load(target) : null;
    const start = process.threadCpuUsage();
    const finder = new Finder([target], FRAME);
    while (finder.addView());
    const loaded = since(start);
    const stages: Record<string, number> = {};
    const ours: Trial[] = [];
    const stock: Trial[] = [];
    let [absent, absentFound] = [0, 0];
    for (const [bin, { views }] of bins.entries()) {
      for (const [i, view] of views.entries()) {
        const { frame, corners } = takePicture(image, view);
        if (plan.shown)
          ours.push({
            bin,
            ...judge(findTimed(finder, frame, target, stages), corners, view.size * FRAME.height),
          });
        if (player) stock.push({ bin, ...judge(player.find(frame), corners, view.size * FRAME.height) });
        for (let k = 1; k <= plan.others; k++) {
          const other = (index + k + i * plan.others) % subjects.length;
          if (isPartOf(subjects[other], subjects[index]) || isPartOf(subjects[index], subjects[other]))
            continue;
          absent++;
          if (finderOf(other).find(frame).length > 0) absentFound++;
        }
      }
    }
    parentPort?.postMessage([name, { heldOut, ours, stock, absent, absentFound, stages, load: loaded }]);
  });
}

function since(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

function findTimed(
  finder: Finder,
  frame: GreyImage,
  target: { width: number; height: number },
  stages: Record<string, number>,
): Corners | null {
  let start = process.threadCpuUsage();
  const onStage = (stage: FindStage) => {
    stages[stage] = (stages[stage] ?? 0) + since(start);
    start = process.threadCpuUsage();
  };
  const [found] = finder.find(frame, { onStage });
  return found ? projectCorners(found.map, target) : null;
}

function report(results: readonly Result[], plan: Plan): string {
  const bins = binsOf(plan);
  const table = (some: readonly Result[]) => [
    "| view | frames | stock found | error | ours found | error |",
    "|---|---|---|---|---|---|",
    ...bins.map(({ name }, bin) => {
      const of = (player: "ours" | "stock") =>
        some.flatMap((result) => result[player].filter((trial) => trial.bin === bin));
      const [ours, stock] = [of("ours"), of("stock")];
      return `| ${name} | ${ours.length} | ${percent(stock)} | ${errors(stock)} | ${percent(ours)} | ${errors(ours)} |`;
    }),
    `| wrong place | ${some.flatMap(({ ours }) => ours).length} | ${wrong(some, "stock")} | | ${wrong(some, "ours")} | |`,
  ];
  const sum = (value: (result: Result) => number) => results.reduce((total, one) => total + value(one), 0);
  const frames = sum(({ ours }) => ours.length);
  const stages = Object.keys(results[0].stages);
  const time = (stage: string) => (sum((one) => one.stages[stage]) / frames).toFixed(1);
  const all = stages.reduce((total, stage) => total + sum((one) => one.stages[stage]), 0) / frames;
  const held = results.filter(({ heldOut }) => heldOut);
  return [
    "## Finding a photo in a single frame",
    "",
    "Written by `npm run bench:player -- find` (bench/player/find.ts). Simulated camera of 640 × 480 pixels, the same",
    "frames for both players. Stock: MindAR's player with all nine windows of each frame. Found: the corners' root mean",
    "square error is below a tenth of the photo's longer side. Error: median / 90 % of the found ones, in pixels.",
    "",
    ...(held.length > 0
      ? [`${held.length} pictures that were held out while parameters were chosen:`, ""]
      : []),
    ...(held.length > 0 ? [...table(held), ""] : []),
    `${results.length - held.length} pictures that were used to choose parameters:`,
    "",
    ...table(results.filter(({ heldOut }) => !heldOut)),
    "",
    `CPU time per frame: ${all.toFixed(1)} ms (${stages.map((stage) => `${stage} ${time(stage)}`).join(", ")}).`,
    `CPU time to make a finder ready, made views included: ${(sum((one) => one.load) / results.length).toFixed(0)} ms.`,
  ].join("\n");
}

function reportAbsent(results: readonly Result[]): string {
  const sum = (value: (result: Result) => number) => results.reduce((total, one) => total + value(one), 0);
  return [
    "## Finding a photo in frames that do not show it",
    "",
    "Written by `npm run bench:player -- find` and `npm run bench:player -- absent` (bench/player/find.ts). The frames",
    `are those of other pictures, ${results.length} in all, in views of every kind.`,
    "",
    `Found in ${sum((one) => one.absentFound)} of ${sum((one) => one.absent)} tests.`,
  ].join("\n");
}

function wrong(results: readonly Result[], player: "ours" | "stock"): number {
  return results.flatMap((one) => one[player]).filter(({ error, right }) => error !== null && !right).length;
}

if (!isMainThread && workerData?.findPlan) await serve(workerData.findPlan);
