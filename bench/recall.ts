// Measures how well our player and MindAR's find pictures, and how well our scores predict it.
//
// A simulated camera sees every picture in the same seeded views (bench/recall/camera.ts), and a player must find
// it in each (bench/recall/vivimark.ts, bench/recall/mindar.ts). The share found is compared with the score of the
// compiled marker, on pictures that were not used to fit the score.
//
//   npm run bench:recall                          measures, compares, writes into bench/results.md; about 20 minutes
//   npm run bench:recall -- --player vivimark     measures one player alone: about 5 minutes, MindAR's about 15
//   npm run bench:recall -- --measured            compares with the measurements in the repository
//   npm run bench:recall -- --fit                 the same, and prints coefficients for compiler/quality/model.ts

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compileTarget } from "../compiler/compile.ts";
import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { checkPlayer, SCORED_PLAYERS, type ScoredPlayer } from "../compiler/quality/model.ts";
import { gatherEvidence, scoreTarget } from "../compiler/quality.ts";
import type { GreyImage, ImageTarget } from "../compiler/types.ts";
import { CODEC_SOURCES, readKernelModule } from "../node/codecs.ts";
import { loadPlayerKernels } from "../player/kernels.ts";
import type { Corners } from "../test/e2e/pinhole.ts";
import { readPlayerModule } from "./player/module.ts";
import { cornerError, takePicture } from "./recall/camera.ts";
import { fitCoefficients } from "./recall/fit.ts";
import { type Measured, type Measurement, readMeasured, viewsOf, writeMeasured } from "./recall/measured.ts";
import { loadSubjects, type Subject } from "./recall/pictures.ts";
import { type Dot, plotScatter } from "./recall/plot.ts";
import { rankCorrelation } from "./recall/rank.ts";
import { writeResults } from "./results.ts";
import { median } from "./statistics.ts";

interface Plan {
  readonly name: string;
  readonly plot: string;
  /** Numbers of views. MindAR's player finds too little in the poor ones to tell pictures apart. */
  readonly views: number;
  readonly poorViews: number;
  /** Required Spearman correlation, and largest mean error in points, on held-out pictures. */
  readonly must: { readonly rank: number; readonly off: number | null };
}

const PLANS: Readonly<Record<ScoredPlayer, Plan>> = {
  vivimark: {
    name: "our player",
    plot: "recall/scatter.svg",
    views: 72,
    poorViews: 72,
    must: { rank: 0.95, off: 6 },
  },
  mindar: {
    name: "MindAR's player",
    plot: "recall/scatter-mindar.svg",
    views: 72,
    poorViews: 0,
    must: { rank: 0.85, off: null },
  },
};

const SEED = 2026;

/** Largest root mean square error of the corners that counts as found, per longer side of the photo. */
const MOST_ERROR = 0.1;

/** Number of windows in which our detector is compared with mind-ar's own, which takes seconds for each. */
const CHECKED = 12;

async function loadModules(): Promise<void> {
  loadCodecs(CODEC_SOURCES);
  loadKernels(await readKernelModule());
  loadPlayerKernels(await readPlayerModule());
}

async function measure(player: ScoredPlayer): Promise<Measured> {
  await loadModules();
  const total = (await loadSubjects()).length;
  const pictures: Measurement[] = Array.from({ length: total });
  const same: [number, number] = [0, 0];
  let next = 0;
  let done = 0;
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(new URL(import.meta.url), { workerData: { measured: player } });
      const give = () =>
        next < total ? thread.postMessage(next++) : void thread.terminate().then(() => resolve());
      thread.on("error", reject);
      thread.on("message", ([index, measurement, checks]: [number, Measurement, boolean[]]) => {
        pictures[index] = measurement;
        same[0] += checks.filter(Boolean).length;
        same[1] += checks.length;
        console.log(`${player}, ${++done} of ${total}: ${measurement.name}: ${percent(measurement.share)}`);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const { views, poorViews } = PLANS[player];
  return { views, poorViews, seed: SEED, ...(player === "mindar" ? { same } : {}), pictures };
}

/** Runs in a thread: measures the subjects whose indexes it receives. */
async function serveMeasurements(player: ScoredPlayer): Promise<void> {
  const { load, sameAsReference } = await loadPlayer(player);
  await loadModules();
  const subjects = await loadSubjects();
  const views = viewsOf({ ...PLANS[player], seed: SEED });
  parentPort?.on("message", async (index: number) => {
    const { name, image } = subjects[index];
    const finder = load(compileTarget(image));
    const checks: boolean[] = [];
    const errors: number[] = [];
    let marks = "";
    for (const [i, view] of views.entries()) {
      const { frame, corners } = takePicture(image, view);
      if (sameAsReference && i === 0 && index % Math.ceil(subjects.length / CHECKED) === 0)
        checks.push(await sameAsReference(frame));
      const found = finder.find(frame);
      const error = found && cornerError(found, corners, view);
      if (error !== null && error < MOST_ERROR) errors.push(error);
      marks += error === null ? "." : error < MOST_ERROR ? "+" : "x";
    }
    const measurement = {
      name,
      share: round(errors.length / views.length),
      error: errors.length > 0 ? round(median(errors)) : null,
      views: marks,
    };
    parentPort?.postMessage([index, measurement, checks]);
  });
}

interface PlayerModule {
  load(target: ImageTarget): { find(frame: GreyImage): Corners | null };
  sameAsReference?(frame: GreyImage): Promise<boolean>;
}

/** Loads a player when it is needed: MindAR's comes with TensorFlow. */
async function loadPlayer(player: ScoredPlayer): Promise<PlayerModule> {
  return player === "mindar" ? import("./recall/mindar.ts") : import("./recall/vivimark.ts");
}

interface PictureResult extends Dot {
  readonly error: number | null;
  readonly reasons: string;
  readonly views: string;
}

async function compare(fit: boolean): Promise<void> {
  await loadModules();
  const subjects = await loadSubjects();
  const targets = subjects.map(({ image }) => compileTarget(image));
  const results = {} as Record<ScoredPlayer, PictureResult[]>;
  for (const player of SCORED_PLAYERS) {
    const measured = readMeasured(player);
    if (fit) {
      const coefficients = fitCoefficients(subjects, targets.map(gatherEvidence), player, measured);
      console.log(`${player}: coefficients: [${coefficients.map((value) => value.toFixed(2)).join(", ")}]`);
    }
    results[player] = judgePictures(player, subjects, targets, measured);
    const { name, plot } = PLANS[player];
    writeFileSync(new URL(plot, import.meta.url), plotScatter(results[player], name));
  }
  const text = report(results);
  writeResults("recall", text);
  console.log(text);
}

function judgePictures(
  player: ScoredPlayer,
  subjects: readonly Subject[],
  targets: readonly ImageTarget[],
  { pictures }: Measured,
): PictureResult[] {
  const known = new Map(pictures.map((picture) => [picture.name, picture]));
  if (subjects.length !== known.size || subjects.some(({ name }) => !known.has(name))) {
    throw new Error("The pictures differ from the measured ones. Run it without --measured.");
  }
  return subjects.map(({ name, kind, heldOut }, i) => {
    const { score, reasons } = scoreTarget(targets[i], player);
    const { share, error, views } = known.get(name) as Measurement;
    return {
      name,
      kind,
      heldOut,
      score,
      share,
      error,
      views,
      reasons: reasons.map(({ code }) => code).join(", "),
    };
  });
}

function report(results: Readonly<Record<ScoredPlayer, readonly PictureResult[]>>): string {
  const { vivimark, mindar } = results;
  const same = readMeasured("mindar").same ?? [0, 0];
  const { views, poorViews } = PLANS.vivimark;
  const shareOfSame = (player: ScoredPlayer, mark: string) => {
    const marks = results[player].map((picture) => picture.views.slice(0, PLANS.mindar.views)).join("");
    return percent(marks.split(mark).length / marks.length);
  };
  return [
    "## The quality score against measured recognition",
    "",
    `Written by \`npm run bench:recall\` (bench/recall.ts): ${vivimark.length} pictures, each in the same simulated views`,
    `(seed ${SEED}) of a 640 × 480 camera, on a cluttered table. Found: the player gives the four corners within 10 % of the`,
    "photo's longer side (root mean square). Measuring one player takes 5 to 15 minutes on two cores, by how busy they are",
    "(`npm run bench:recall -- --player vivimark`).",
    "",
    "| views | number | longer side, px | tilt | defocus, px | motion, px | light | covered |",
    "|---|---|---|---|---|---|---|---|",
    `| usual | ${views} | 86 … 456 | 0 … 60° | 0.4 … 2.4 | 0 … 10 | × 0.3 … 1.3 | 0 … 45 % |`,
    `| poor | ${poorViews} | 48 … 456 | 0 … 78° | 0.4 … 4 | 0 … 24 | × 0.1 … 2.2 | 0 … 65 % |`,
    "",
    "MindAR's player: detection in its nine windows of a frame, matching and pose estimation. It is measured in the usual",
    "views. mind-ar's own detector found the same points as ours, which is faster, in " +
      `${same[0]} of ${same[1]} windows. Our player: the`,
    "search of the whole frame. It finds most pictures in nearly all usual views, so it is measured in the poor views too,",
    "and its score predicts the share of both together.",
    "",
    `The same ${PLANS.mindar.views} frames of each picture, all pictures together:`,
    "",
    "| player | found | in a wrong place |",
    "|---|---|---|",
    ...SCORED_PLAYERS.map(
      (player) => `| ${PLANS[player].name} | ${shareOfSame(player, "+")} | ${shareOfSame(player, "x")} |`,
    ),
    "",
    ...SCORED_PLAYERS.flatMap((player) => reportScores(player, results[player])),
    "<details><summary>Every picture</summary>",
    "",
    "| picture | kind | held out | ours found in | score | corner error | MindAR found in | score | corner error | reasons given |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...vivimark.map(({ name, kind, heldOut, reasons, ...ours }, i) => {
      const cells = [ours, mindar[i]].map(
        ({ share, score, error }) =>
          `${percent(share)} | ${score} | ${error === null ? "–" : `${(100 * error).toFixed(1)} %`}`,
      );
      return `| ${name} | ${kind} | ${heldOut ? "yes" : ""} | ${cells.join(" | ")} | ${reasons} |`;
    }),
    "",
    "</details>",
  ].join("\n");
}

function reportScores(player: ScoredPlayer, dots: readonly Dot[]): string[] {
  const { name, plot, must } = PLANS[player];
  const held = dots.filter(({ heldOut }) => heldOut);
  const row = (title: string, some: readonly Dot[], required: readonly [string, string]) => {
    const scores = some.map(({ score }) => score);
    const shares = some.map(({ share }) => share);
    const off = some.reduce((sum, { score, share }) => sum + Math.abs(score / 100 - share), 0) / some.length;
    const rank = rankCorrelation(scores, shares).toFixed(3);
    return `| ${title} | ${some.length} | ${rank} | ${required[0]} | ${(100 * off).toFixed(1)} points | ${required[1]} |`;
  };
  return [
    `### The score for ${name}`,
    "",
    `![Measured share over predicted score](${plot})`,
    "",
    "| pictures | number | Spearman | must | mean error of the score | must |",
    "|---|---|---|---|---|---|",
    row("held out: not used to fit the score", held, [
      must.rank.toFixed(2),
      must.off === null ? "–" : `${must.off} points`,
    ]),
    row(
      "of these: as they are, no patterns, no worse versions",
      held.filter(({ name: picture, kind }) => kind !== "pattern" && !picture.includes(",")),
      ["–", "–"],
    ),
    row(
      "used to fit it",
      dots.filter(({ heldOut }) => !heldOut),
      ["–", "–"],
    ),
    "",
  ];
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

/** Returns the players to measure: both when none is named. */
function chosenPlayers(options: readonly string[]): readonly ScoredPlayer[] {
  const at = options.indexOf("--player");
  if (at === -1) return SCORED_PLAYERS;
  const player = options[at + 1] ?? "";
  checkPlayer(player);
  return [player];
}

if (!isMainThread && workerData?.measured) await serveMeasurements(workerData.measured);
else {
  const options = process.argv.slice(2);
  if (!options.includes("--measured") && !options.includes("--fit")) {
    for (const player of chosenPlayers(options)) writeMeasured(player, await measure(player));
  }
  await compare(options.includes("--fit"));
}
