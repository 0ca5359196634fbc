// Follows photos through films of a simulated camera, with our player and with MindAR's, on the same frames.
//
//   npm run bench:player -- follow               all films; writes into bench/results.md; about 20 minutes
//   npm run bench:player -- follow --quick       films of three pictures, none of them held out; writes nothing
//   npm run bench:player -- follow --no-stock    our player alone; writes nothing
//   npm run bench:player -- follow --paths=fast,leaving --pictures=astronaut    these films; writes nothing
//
// A frame counts if at least a third of the photo is in it; a frame in which nothing is shown counts as an error
// without limit. The error is the root mean square of the corners' distances, in pixels of the 640 × 480 frame.
// Pictures that are held out were never looked at while the player's parameters were chosen.

import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { compileTarget } from "../../compiler/compile.ts";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import type { GreyImage, ImageTarget } from "../../compiler/types.ts";
import { CODEC_SOURCES, readKernelModule } from "../../node/codecs.ts";
import { Finder, type LastPlace } from "../../player/find.ts";
import { createFollower } from "../../player/follow.ts";
import { projectCorners } from "../../player/homography.ts";
import { loadPlayerKernels } from "../../player/kernels.ts";
import { buildLevels, createPyramid, fillPyramid } from "../../player/levels.ts";
import type { Corners } from "../../test/e2e/pinhole.ts";
import { FRAME } from "../recall/camera.ts";
import { shoot } from "../recall/film.ts";
import { loadSubjects, type Subject } from "../recall/pictures.ts";
import { writeResults } from "../results.ts";
import { median } from "../statistics.ts";
import { readPlayerModule } from "./module.ts";
import { FAULTS, PATHS } from "./paths.ts";
import { plotErrors } from "./plot.ts";
import { loadStock } from "./stock.ts";

const PLOT = new URL("errors.svg", import.meta.url);

/** Pictures on which the player's parameters were chosen. */
const TUNED_ON = ["astronaut", "coffee", "text-book", "gogh-church", "drawn-youngster", "nagasaki-boats"];

const HELD_OUT = [
  "allium-oreophilum",
  "march-pastoral",
  "photographer",
  "cat-face",
  "gogh-harvest",
  "drawn-country",
  "text-poster",
  "gravel",
];

const QUICK = TUNED_ON.slice(0, 3);

/** The path whose films also come with the faults of a phone's camera, and the number of pictures that do. */
const FAULTY_PATH = "medium";
const FAULTY_PICTURES = 3;

/** The paths that are plotted, with the first picture that is held out. */
const PLOTTED = ["medium", "fast", "leaving"];

const FRAMES_PER_SECOND = 30;

/** Smallest share of the photo in the frame for a frame to count, and largest for the photo to be gone. */
const LEAST_VISIBLE = 1 / 3;
const MOST_GONE = 0.05;

/** Frames until the first is shown are not counted in the deviation of a still camera. */
const SETTLED = 10;

/** First argument of a process that plays films. */
const ROLE = "play-films";

interface Film {
  readonly picture: string;
  readonly path: string;
  readonly fault: string | null;
  readonly seed: number;
}

/** A player that sees a film frame by frame. */
interface Opponent {
  /** @returns the corners that are shown, and the CPU milliseconds of following; 0 while it searches */
  see(frame: GreyImage, index: number): { readonly corners: Corners | null; readonly milliseconds: number };
}

/** How a player did in a film. */
export interface Outcome {
  /** For each frame: the error in pixels, null where it does not count; Infinity where nothing was shown. */
  readonly errors: readonly (number | null)[];
  /** Index of the first frame with something shown; -1 for none. */
  readonly first: number;
  /** Frames in which the photo was shown although it was gone. */
  readonly ghosts: number;
  readonly milliseconds: readonly number[];
  /** Standard deviation of the corners' coordinates. */
  readonly deviation: number;
}

interface Result {
  readonly film: Film;
  readonly ours: Outcome;
  readonly stock: Outcome | null;
}

export async function run(options: readonly string[]): Promise<void> {
  const list = (name: string) =>
    options
      .find((option) => option.startsWith(`--${name}=`))
      ?.split("=")[1]
      .split(",");
  const quick = options.includes("--quick");
  const stock = !options.includes("--no-stock");
  const pictures = list("pictures") ?? (quick ? QUICK : [...HELD_OUT, ...TUNED_ON]);
  const films = planFilms(pictures, list("paths") ?? Object.keys(PATHS));
  const results = await playAll(films, stock);
  const text = report(results);
  console.log(text);
  if (quick || !stock || list("pictures") || list("paths")) return;
  writeResults("follow", text);
  const plotted = results.filter(({ film }) => film.picture === HELD_OUT[0] && !film.fault);
  writeFileSync(
    PLOT,
    plotErrors(
      PLOTTED.flatMap((path) => {
        const result = plotted.find(({ film }) => film.path === path);
        return result?.stock ? [{ path, ours: result.ours.errors, stock: result.stock.errors }] : [];
      }),
    ),
  );
}

function planFilms(pictures: readonly string[], paths: readonly string[]): Film[] {
  return pictures.flatMap((picture, i) => {
    const seed = 11 + i;
    const faults = paths.includes(FAULTY_PATH) && i < FAULTY_PICTURES ? Object.keys(FAULTS) : [];
    return [
      ...paths.map((path) => ({ picture, path, fault: null, seed })),
      ...faults.map((fault) => ({ picture, path: FAULTY_PATH, fault, seed })),
    ];
  });
}

async function playAll(films: readonly Film[], stock: boolean): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  // Processes, because the CPU time of a thread is known to some milliseconds only.
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(new URL(import.meta.url), [ROLE, String(stock)], { serialization: "advanced" });
      const give = () => (next < films.length ? child.send(films[next++]) : child.disconnect());
      child.on("error", reject);
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`A film ended with ${code}.`))));
      child.on("message", (result) => {
        results.push(result as Result);
        console.error(`${results.length} of ${films.length}`);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), films.length) }, work));
  return results;
}

/** Runs in a process of its own: plays the films that it receives. */
async function servePlays(stock: boolean): Promise<void> {
  loadCodecs(CODEC_SOURCES);
  loadKernels(await readKernelModule());
  loadPlayerKernels(await readPlayerModule());
  const subjects = await loadSubjects();
  process.on("message", async (film: Film) => {
    const subject = subjects.find(({ name }) => name === film.picture);
    if (!subject) throw new Error(`Got the picture ${film.picture}; expected one of bench/pictures.`);
    process.send?.(await play(film, subject, stock));
  });
}

async function play(film: Film, { image }: Subject, withStock: boolean): Promise<Result> {
  const target = compileTarget(image);
  const ours = observe(createPlayer(target));
  const stock = withStock ? observe(createStock(target)) : null;
  const script = { ...PATHS[film.path](image, film.seed), ...(film.fault ? FAULTS[film.fault] : {}) };
  for await (const { index, frame, corners, visible } of shoot(image, script, film.seed)) {
    ours.see(frame, index, corners, visible);
    stock?.see(frame, index, corners, visible);
  }
  return { film, ours: ours.outcome(), stock: stock?.outcome() ?? null };
}

/** Our player: finds, then follows from the same frame on. */
function createPlayer(target: ImageTarget): Opponent {
  const finder = new Finder([target], FRAME);
  while (finder.addView());
  const follower = createFollower(buildLevels(target), FRAME);
  const pyramid = createPyramid(FRAME.width, FRAME.height);
  const seen = new Float64Array(9);
  let near: LastPlace[] = [];
  let lost = true;
  return {
    see(frame, index) {
      const time = index / FRAMES_PER_SECOND;
      if (lost) {
        const [found] = finder.find(frame, { near });
        if (!found) return { corners: null, milliseconds: 0 };
        follower.start(found.map, time);
      }
      const start = process.cpuUsage();
      fillPyramid(pyramid, frame.data);
      const { state, map } = follower.follow(pyramid, time);
      const { user, system } = process.cpuUsage(start);
      lost = state === "lost";
      if (state === "followed") {
        seen.set(map);
        near = [{ target: 0, map: seen }];
      }
      return { corners: lost ? null : projectCorners(map, target), milliseconds: (user + system) / 1000 };
    },
  };
}

function createStock(target: ImageTarget): Opponent {
  const player = loadStock(target);
  return { see: (frame, index) => player.see(frame, (1000 * index) / FRAMES_PER_SECOND) };
}

/** Returns a judge of what a player shows. */
function observe(player: Opponent) {
  const errors: (number | null)[] = [];
  const milliseconds: number[] = [];
  const settled: Corners[] = [];
  let first = -1;
  let ghosts = 0;
  return {
    see(frame: GreyImage, index: number, corners: Corners, visible: number): void {
      const shown = player.see(frame, index);
      if (shown.milliseconds > 0) milliseconds.push(shown.milliseconds);
      if (shown.corners && first === -1) first = index;
      if (shown.corners && index >= SETTLED) settled.push(shown.corners);
      if (shown.corners && visible < MOST_GONE && isInFrame(shown.corners)) ghosts++;
      const error = shown.corners ? errorOf(shown.corners, corners) : Number.POSITIVE_INFINITY;
      errors.push(visible >= LEAST_VISIBLE ? error : null);
    },
    outcome: (): Outcome => ({ errors, first, ghosts, milliseconds, deviation: deviationOf(settled) }),
  };
}

function errorOf(shown: Corners, corners: Corners): number {
  const squares = shown.map(({ x, y }, i) => (x - corners[i].x) ** 2 + (y - corners[i].y) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 4);
}

/** Returns whether the middle of the corners is in the frame. */
function isInFrame(corners: Corners): boolean {
  const x = corners.reduce((sum, corner) => sum + corner.x / 4, 0);
  const y = corners.reduce((sum, corner) => sum + corner.y / 4, 0);
  return x > 0 && y > 0 && x < FRAME.width && y < FRAME.height;
}

function deviationOf(places: readonly Corners[]): number {
  const coordinates = [0, 1, 2, 3].flatMap((corner) => [
    places.map((place) => place[corner].x),
    places.map((place) => place[corner].y),
  ]);
  const variances = coordinates.map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  });
  return Math.sqrt(variances.reduce((sum, variance) => sum + variance, 0) / 8);
}

function report(results: readonly Result[]): string {
  const groups: [string, readonly string[]][] = [
    ["held out", HELD_OUT],
    ["tuned on", TUNED_ON],
  ];
  const tables = groups.flatMap(([name, pictures]) => {
    const some = results.filter(({ film }) => pictures.includes(film.picture));
    const names = [...new Set(some.map(({ film }) => film.picture))].sort();
    return some.length === 0 ? [] : [`### Pictures ${name}: ${names.join(", ")}`, "", ...table(some), ""];
  });
  return [
    "## Following photos through films",
    "",
    "Written by `npm run bench:player -- follow` (bench/player/follow.ts): films of 150 frames, 640 × 480, 30 a second,",
    "with the motion blur of a shutter that is open half the time. Both players see the same frames in the same order,",
    "and find the photo themselves. MindAR's tracker is written out for the CPU (bench/player/stock.ts).",
    "",
    "Within 1 px and 3 px: share of the frames whose corners are that near (root mean square). Off: frames off by more",
    "than 20 px. Not shown: frames that show the photo without anything shown. Gone: frames in which it was shown",
    "although it was gone. Deviation: of the corners. Milliseconds of following: CPU time, median / 90 %.",
    "",
    "![Error over time](player/errors.svg)",
    "",
    ...tables,
  ].join("\n");
}

function table(results: readonly Result[]): string[] {
  const whole = results.filter(({ film }) => !film.fault);
  const rows: [string, readonly Result[]][] = Object.keys(PATHS).map((path) => [
    path,
    whole.filter(({ film }) => film.path === path),
  ]);
  rows.push(["all", whole]);
  for (const fault of Object.keys(FAULTS)) {
    rows.push([`${FAULTY_PATH}, ${fault}`, results.filter(({ film }) => film.fault === fault)]);
  }
  return [
    "| path | player | within 1 px | within 3 px | median | 90 % | off | not shown | gone | first shown | deviation | ms |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ...rows.flatMap(([name, some]) => {
      if (some.length === 0) return [];
      const stock = some.flatMap((result) => result.stock ?? []);
      const ours = line(
        name,
        "ours",
        some.map((result) => result.ours),
      );
      return stock.length === 0 ? [ours] : [line(name, "MindAR", stock), ours];
    }),
  ];
}

function line(path: string, player: string, outcomes: readonly Outcome[]): string {
  const errors = outcomes.flatMap((outcome) => outcome.errors.filter((error) => error !== null));
  const times = outcomes.flatMap(({ milliseconds }) => milliseconds);
  const count = (test: (error: number) => boolean) => errors.filter(test).length;
  const percent = (limit: number) =>
    `${((100 * count((error) => error < limit)) / errors.length).toFixed(1)} %`;
  const shown = outcomes.map(({ first }) => first).filter((first) => first >= 0);
  const still = path === "still" ? median(outcomes.map(({ deviation }) => deviation)).toFixed(4) : "";
  return `| ${[
    path,
    player,
    percent(1),
    percent(3),
    pixels(quantile(errors, 0.5)),
    pixels(quantile(errors, 0.9)),
    count((error) => error > 20 && error < Number.POSITIVE_INFINITY),
    count((error) => error === Number.POSITIVE_INFINITY),
    outcomes.reduce((sum, { ghosts }) => sum + ghosts, 0),
    shown.length === 0 ? "–" : median(shown),
    still,
    times.length === 0 ? "–" : `${quantile(times, 0.5).toFixed(2)} / ${quantile(times, 0.9).toFixed(2)}`,
  ].join(" | ")} |`;
}

function pixels(error: number): string {
  return error === Number.POSITIVE_INFINITY ? "–" : error.toFixed(2);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

if (process.argv[2] === ROLE) await servePlays(process.argv[3] === "true");
