// Measures how well the target is followed through films of a simulated camera (bench/recall/film.ts).

import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compileTarget } from "../../compiler/compile.ts";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import type { ImageTarget } from "../../compiler/types.ts";
import { readCodecModules, readKernelModule } from "../../node/codecs.ts";
import { createFollower } from "../../player/follow.ts";
import { type Corners, imageToCorners, projectCorners } from "../../player/homography.ts";
import { buildLevels, createPyramid, fillPyramid } from "../../player/levels.ts";
import { FRAME, seeded } from "../recall/camera.ts";
import { type FilmFrame, shoot } from "../recall/film.ts";
import { loadSubjects } from "../recall/pictures.ts";
import { FAULTS, PATHS } from "./paths.ts";

/** Pictures on which parameters are tuned. */
export const TUNING = [
  "astronaut",
  "coffee",
  "gogh-church",
  "drawn-beach",
  "dust-bowl-home",
  "text-book",
  "drawn-youngster",
  "nagasaki-boats",
];

/** Pictures that are not looked at while tuning. */
export const HELD_OUT = [
  "allium-oreophilum",
  "march-pastoral",
  "photographer",
  "cat-face",
  "gogh-harvest",
  "drawn-country",
  "text-poster",
  "gravel",
];

/** What a player showed in a frame: the photo's corners; null for nothing. */
export interface Shown {
  readonly corners: Corners | null;
  readonly milliseconds: number;
}

/** A player that sees a film frame by frame. */
export interface Opponent {
  see(frame: FilmFrame): Shown;
}

/** Our follower. A lost target is found again by `find`. */
export function follower(target: ImageTarget, seed: number): Opponent {
  const pyramid = createPyramid(FRAME.width, FRAME.height);
  const following = createFollower(buildLevels(target), FRAME);
  const random = seeded(seed);
  let lost = true;
  return {
    see({ index, frame, corners, visible }) {
      if (lost && visible < 0.4) return { corners: null, milliseconds: 0 };
      const start = process.cpuUsage();
      fillPyramid(pyramid, frame.data);
      if (lost) {
        const near = corners.map(({ x, y }) => ({ x: x + 3 * random() - 1.5, y: y + 3 * random() - 1.5 }));
        following.start(imageToCorners(target, near as unknown as Corners), index / 30);
      }
      const { state, map } = following.follow(pyramid, index / 30);
      const { user, system } = process.cpuUsage(start);
      lost = state === "lost";
      return { corners: lost ? null : projectCorners(map, target), milliseconds: (user + system) / 1000 };
    },
  };
}

/** Root mean square distance of the corners. */
export function errorOf(shown: Corners, corners: Corners): number {
  return Math.sqrt(
    corners.reduce((sum, { x, y }, i) => sum + (x - shown[i].x) ** 2 + (y - shown[i].y) ** 2, 0) / 4,
  );
}

/** What happened in a film: the error in each frame that shows the photo, Infinity where nothing was shown. */
interface Outcome {
  readonly errors: number[];
  shownGone: number;
  readonly milliseconds: number[];
  /** Deviation of the corners from their mean, for the still camera. */
  jitter: number;
}

async function play(name: string, path: string, fault: string | null, seed: number): Promise<Outcome> {
  const subject = (await loadSubjects()).find((one) => one.name === name);
  if (!subject) throw new Error(`No picture is named ${name}.`);
  const opponent = follower(compileTarget(subject.image), seed);
  const script = { ...PATHS[path](subject.image, seed), ...(fault ? FAULTS[fault] : {}) };
  const outcome: Outcome = { errors: [], shownGone: 0, milliseconds: [], jitter: 0 };
  const places: Corners[] = [];
  for await (const frame of shoot(subject.image, script, seed)) {
    const { corners, milliseconds } = opponent.see(frame);
    outcome.milliseconds.push(milliseconds);
    if (frame.visible >= 1 / 3) outcome.errors.push(corners ? errorOf(corners, frame.corners) : Infinity);
    else if (frame.visible < 0.05 && corners && inFrame(corners)) outcome.shownGone++;
    if (corners) places.push(corners);
  }
  outcome.jitter = deviation(places.slice(10));
  return outcome;
}

function inFrame(corners: Corners): boolean {
  const x = corners.reduce((sum, corner) => sum + corner.x / 4, 0);
  const y = corners.reduce((sum, corner) => sum + corner.y / 4, 0);
  return x > 0 && y > 0 && x < FRAME.width && y < FRAME.height;
}

function deviation(places: readonly Corners[]): number {
  let sum = 0;
  for (let corner = 0; corner < 4; corner++) {
    const mean = { x: 0, y: 0 };
    for (const place of places) {
      mean.x += place[corner].x / places.length;
      mean.y += place[corner].y / places.length;
    }
    for (const place of places) sum += (place[corner].x - mean.x) ** 2 + (place[corner].y - mean.y) ** 2;
  }
  return Math.sqrt(sum / places.length / 8);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function row(name: string, outcomes: readonly Outcome[]): string {
  const errors = outcomes.flatMap((outcome) => outcome.errors);
  const share = (limit: number) =>
    ((100 * errors.filter((error) => error < limit).length) / errors.length).toFixed(1);
  const times = outcomes.flatMap(({ milliseconds }) => milliseconds).filter((value) => value > 0);
  const off = errors.filter((error) => error > 20 && error < Infinity).length;
  const missing = errors.filter((error) => error === Infinity).length;
  const gone = outcomes.reduce((sum, { shownGone }) => sum + shownGone, 0);
  const jitter = outcomes.reduce((sum, outcome) => sum + outcome.jitter, 0) / outcomes.length;
  return `| ${name} | ${share(1)} | ${share(3)} | ${quantile(errors, 0.5).toFixed(3)} | ${quantile(errors, 0.9).toFixed(2)} | ${off} | ${missing} | ${gone} | ${jitter.toFixed(4)} | ${quantile(times, 0.5).toFixed(2)} / ${quantile(times, 0.9).toFixed(2)} |`;
}

interface Job {
  readonly name: string;
  readonly path: string;
  readonly fault: string | null;
  readonly seed: number;
}

async function loadModules(): Promise<void> {
  await loadCodecs(await readCodecModules());
  loadKernels(await readKernelModule());
}

/** Runs the benchmark. */
export async function measureFollowing(args: readonly string[]): Promise<void> {
  const value = (name: string) =>
    args
      .find((arg) => arg.startsWith(`--${name}=`))
      ?.split("=")[1]
      .split(",");
  const names =
    value("pictures") ??
    (args.includes("--quick") ? TUNING.slice(0, 3) : args.includes("--held-out") ? HELD_OUT : TUNING);
  const paths = value("paths") ?? Object.keys(PATHS);
  const jobs: Job[] = paths.flatMap((path) =>
    names.map((name, i) => ({ name, path, fault: null, seed: 11 + i })),
  );
  if (args.includes("--faults"))
    for (const fault of Object.keys(FAULTS))
      for (const [i, name] of names.entries()) jobs.push({ name, path: "medium", fault, seed: 11 + i });
  const outcomes = new Map<Job, Outcome>();
  const threads = args.includes("--one") ? 1 : availableParallelism();
  let next = 0;
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const thread = new Worker(new URL(import.meta.url), { workerData: "follow" });
      while (next < jobs.length) {
        const job = jobs[next++];
        thread.postMessage(job);
        outcomes.set(
          job,
          await new Promise<Outcome>((resolve, reject) => {
            thread.once("message", resolve);
            thread.once("error", reject);
          }),
        );
      }
      await thread.terminate();
    }),
  );
  console.log("| path | < 1 px | < 3 px | median | 90 % | > 20 px | not shown | gone, shown | jitter | ms |");
  for (const path of paths)
    console.log(
      row(
        path,
        jobs.filter((job) => job.path === path && !job.fault).map((job) => outcomes.get(job) as Outcome),
      ),
    );
  for (const fault of new Set(jobs.map((job) => job.fault)))
    if (fault)
      console.log(
        row(
          `medium, ${fault}`,
          jobs.filter((job) => job.fault === fault).map((job) => outcomes.get(job) as Outcome),
        ),
      );
  if (args.includes("--pictures"))
    for (const name of names)
      console.log(
        row(
          name,
          jobs.filter((job) => job.name === name && !job.fault).map((job) => outcomes.get(job) as Outcome),
        ),
      );
  console.log(
    row(
      "all",
      jobs.filter((job) => !job.fault).map((job) => outcomes.get(job) as Outcome),
    ),
  );
}

if (!isMainThread && workerData === "follow") {
  await loadModules();
  parentPort?.on("message", async ({ name, path, fault, seed }: Job) => {
    parentPort?.postMessage(await play(name, path, fault, seed));
  });
}
