import type { Measured, Measurement } from "./recall/measured.ts";
// Measures how well MindAR finds pictures, and how well our score predicts it.
//
// A simulated camera sees every picture in the same seeded views (bench/recall/camera.ts), and MindAR's
// player must find it in each (bench/recall/player.ts). The share found is compared with the score of the
// compiled marker, on pictures that were not used to fit the score.
//
//   npm run bench:recall                 measures, compares, writes into bench/results.md; about 15 minutes
//   npm run bench:recall -- --measured   compares with the measurement in the repository
//   npm run bench:recall -- --fit        the same, and prints coefficients for compiler/quality/model.ts

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compileTarget } from "../compiler/compile.ts";
import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { scoreTarget } from "../compiler/quality.ts";
import { readCodecModules, readKernelModule } from "../node/codecs.ts";
import { planViews, takePicture } from "./recall/camera.ts";
import { fitCoefficients } from "./recall/fit.ts";
import { loadSubjects } from "./recall/pictures.ts";
import { type Dot, plotScatter } from "./recall/plot.ts";
import { rankCorrelation } from "./recall/rank.ts";
import { writeResults } from "./results.ts";
import { median } from "./statistics.ts";

const MEASURED = new URL("recall/measured.json", import.meta.url);
const PLOT = new URL("recall/scatter.svg", import.meta.url);

const VIEWS = 72;
const SEED = 2026;

/** Largest root mean square error of the corners that counts as found, per longer side of the photo. */
const MOST_ERROR = 0.1;

/** Number of windows in which our detector is compared with mind-ar's own, which takes seconds for each. */
const CHECKED = 12;

/** Required Spearman correlation on held-out pictures. */
const MUST = 0.85;

async function loadModules(): Promise<void> {
  await loadCodecs(await readCodecModules());
  loadKernels(await readKernelModule());
}

async function measure(): Promise<Measured> {
  await loadModules();
  const total = (await loadSubjects()).length;
  const pictures: Measurement[] = Array.from({ length: total });
  const same: [number, number] = [0, 0];
  let next = 0;
  let done = 0;
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(new URL(import.meta.url), { workerData: "measure" });
      const give = () =>
        next < total ? thread.postMessage(next++) : void thread.terminate().then(() => resolve());
      thread.on("error", reject);
      thread.on("message", ([index, measurement, checks]: [number, Measurement, boolean[]]) => {
        pictures[index] = measurement;
        same[0] += checks.filter(Boolean).length;
        same[1] += checks.length;
        console.log(`${++done} of ${total}: ${measurement.name}: ${percent(measurement.share)}`);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return { views: VIEWS, seed: SEED, same, pictures };
}

/** Runs in a thread: measures the subjects whose indexes it receives. */
async function serveMeasurements(): Promise<void> {
  const { cornerError, load, sameAsReference } = await import("./recall/player.ts");
  await loadModules();
  const subjects = await loadSubjects();
  const views = planViews(VIEWS, SEED);
  parentPort?.on("message", async (index: number) => {
    const { name, image } = subjects[index];
    const player = load(compileTarget(image));
    const checks: boolean[] = [];
    const errors: number[] = [];
    let marks = "";
    for (const [i, view] of views.entries()) {
      const { frame, corners } = takePicture(image, view);
      if (i === 0 && index % Math.ceil(subjects.length / CHECKED) === 0)
        checks.push(await sameAsReference(frame));
      const found = player.find(frame);
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

async function compare(measured: Measured, fit: boolean): Promise<void> {
  await loadModules();
  const subjects = await loadSubjects();
  const shares = new Map(measured.pictures.map((picture) => [picture.name, picture]));
  if (subjects.length !== shares.size || subjects.some(({ name }) => !shares.has(name))) {
    throw new Error("The pictures differ from the measured ones. Run it without --measured.");
  }
  const targets = subjects.map(({ image }) => compileTarget(image));
  if (fit) {
    const coefficients = fitCoefficients(subjects, targets, measured);
    console.log(`COEFFICIENTS = [${coefficients.map((value) => value.toFixed(2)).join(", ")}]`);
  }
  const dots: (Dot & { error: number | null; reasons: string })[] = subjects.map(
    ({ name, kind, heldOut }, i) => {
      const { score, reasons } = scoreTarget(targets[i]);
      const { share, error } = shares.get(name) as Measurement;
      return {
        name,
        kind,
        heldOut,
        score,
        share,
        error,
        reasons: reasons.map(({ code }) => code).join(", "),
      };
    },
  );
  const held = dots.filter(({ heldOut }) => heldOut);
  const originals = held.filter(({ name, kind }) => kind !== "pattern" && !name.includes(","));
  const judge = (some: readonly Dot[]) => ({
    count: some.length,
    rank: rankCorrelation(
      some.map(({ score }) => score),
      some.map(({ share }) => share),
    ),
    off: some.reduce((sum, { score, share }) => sum + Math.abs(score / 100 - share), 0) / some.length,
  });
  writeFileSync(PLOT, plotScatter(dots));
  const row = (name: string, some: readonly Dot[], must = "–") => {
    const { count, rank, off } = judge(some);
    return `| ${name} | ${count} | ${rank.toFixed(3)} | ${must} | ${(100 * off).toFixed(1)} points |`;
  };
  const text = [
    "## The quality score against measured recognition",
    "",
    `Written by \`npm run bench:recall\` (bench/recall.ts): ${dots.length} pictures, each in the same ${measured.views} simulated`,
    `views (seed ${measured.seed}) of a 640 × 480 camera: photo 86 to 456 pixels long, tilted up to 60°, turned, out of focus, in`,
    "motion, noisy, dark or bright, up to 45 % covered, on a cluttered table. Found: MindAR's detection in its nine",
    "windows, matching and pose estimation give the four corners within 10 % of the photo's longer side (root mean",
    "square).",
    `mind-ar's own detector found the same points as ours, which is faster, in ${measured.same[0]} of ${measured.same[1]} windows.`,
    "",
    "![Measured share over predicted score](recall/scatter.svg)",
    "",
    "| pictures | number | Spearman | must | mean error of the score |",
    "|---|---|---|---|---|",
    row("held out: not used to fit the score", held, MUST.toFixed(2)),
    row("of these: as they are, no patterns, no worse versions", originals),
    row(
      "used to fit it",
      dots.filter(({ heldOut }) => !heldOut),
    ),
    "",
    "<details><summary>Every picture</summary>",
    "",
    "| picture | kind | held out | found in | score | corner error | reasons given |",
    "|---|---|---|---|---|---|---|",
    ...dots.map(
      ({ name, kind, heldOut, share, score, error, reasons }) =>
        `| ${name} | ${kind} | ${heldOut ? "yes" : ""} | ${percent(share)} | ${score} | ` +
        `${error === null ? "–" : `${(100 * error).toFixed(1)} %`} | ${reasons} |`,
    ),
    "",
    "</details>",
  ].join("\n");
  writeResults("recall", text);
  console.log(text);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

if (!isMainThread && workerData === "measure") await serveMeasurements();
else {
  const again = process.argv.includes("--measured") || process.argv.includes("--fit");
  const measured: Measured = again ? JSON.parse(readFileSync(MEASURED, "utf8")) : await measure();
  if (!again) writeFileSync(MEASURED, `${JSON.stringify(measured, null, 1)}\n`);
  await compare(measured, process.argv.includes("--fit"));
}
