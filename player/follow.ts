// Following: where the target is in a frame, when it is known where it was in the frame before.
//
// From coarse to fine, patches of a level of the target measure their displacement in the frame, and the map
// follows from all of them together. Patches that do not correlate, such as those behind an object, do not count.

import type { Room } from "../compiler/kernels/kernels.ts";
import { PATCH_SIDE } from "../compiler/kernels/patches.ts";
import type { GreyImage, Size } from "../compiler/types.ts";
import { chooseOctave, pixelSize } from "./align.ts";
import {
  compose,
  type Homography,
  imageToCorners,
  invert,
  normalize,
  project,
  projectCorners,
} from "./homography.ts";
import { openPlayerKernels, type PlayerKernels } from "./kernels.ts";
import { Lens } from "./lens.ts";
import { type FramePyramid, type Level, type Levels, layOctaves, softenLevel } from "./levels.ts";
import { measureBend, solveMove } from "./motion.ts";
import {
  choosePlaces,
  describePatches,
  layPatches,
  measurePatches,
  OUTSIDE,
  type Patches,
  type Place,
  smearPatches,
} from "./patches.ts";
import { CoarseSearch } from "./search.ts";
import { Smoother } from "./smooth.ts";

/**
 * `followed`: the target is at `map`. `held`: it was not recognized in this frame and is shown where it was
 * expected, which lasts a few frames at most. `lost`: it must be found again.
 */
export type FollowState = "followed" | "held" | "lost";

/** The stages of following, in order; `search` is left out unless the target moves fast. */
type FollowStage = "pyramid" | "predict" | "align" | "search" | "verify";

/** What a debug view learns of a frame. */
export interface FollowObserver {
  /** Called at the end of each stage. */
  readonly onStage?: (stage: FollowStage) => void;
  /**
   * Called for each target that is followed with its patches in the frame: x and y of each, in turns; and of each that
   * agrees, x and y of where the frame shows it, and how far from there it is predicted, in x and y.
   */
  readonly onPatches?: (places: number[], agreeing: number[]) => void;
}

/** The result for a frame. It is reused for the next one. */
interface Followed {
  state: FollowState;
  /** From target pixels to frame pixels, with 1 as last entry; smoothed (smooth.ts). */
  readonly map: Homography;
  /** Share of the textured patches in the frame that correlate with it, 0…1. */
  agreement: number;
  /** Mean correlation of those. */
  correlation: number;
  /** Share of the textured patches that are in the frame, 0…1. */
  visibility: number;
}

export interface Follower {
  /** Begins with a place in a frame, such as the one where the target was found. */
  start(map: Homography, time: number): void;
  /** Follows into the next frame. @param time of the frame, in seconds */
  follow(frame: FramePyramid, time: number, observer?: FollowObserver): Followed;
}

/** Correlation from which a patch agrees. */
const AGREES = 0.5;

/** Least score of a place, and of one on a level without details. */
const LEAST_SCORE = 0.27;
const LEAST_COARSE_SCORE = 0.3;

/** A finer level is used if its score is at least this share of the coarser one's. */
const DETAIL = 0.6;

/** Frames for which a target that is not recognized is held at the expected place. */
const HELD_FRAMES = 3;

/** Cells per side from which patches are chosen, and most patches per cell of the finest level that is used. */
const CELLS = 8;
const QUOTA = 4;

/** Softness of the levels: the finest one that is used is compared with the frame itself, the others with means of it. */
const ROUGH_SOFTNESS = 0.2;
const SHARP_SOFTNESS = 0.25;

/** Shorter side, in pixels, below which a level has patches wherever there is texture. */
const SMALL_LEVEL_SIDE = 48;

/** The finest level that is used has pixels of at least this size in the frame. */
const FINE_PIXEL = 0.65;

/** A result is doubted if its trust is less than this share of that in the last frame. */
const USUAL = 0.75;

/** Fewest agreeing patches. */
const LEAST_PATCHES = 6;

/** Exposure times that are tried, in seconds, evenly spaced from 0 on. */
const EXPOSURES = [0, 1 / 120, 2 / 120, 3 / 120, 4 / 120];

/** Level pixels that the target must move by between two frames to tell. */
const LEAST_TIMED = 3;

/** Frames in which it is told at first, and how many of the later ones there are for one in which it is. */
const FIRST_TIMINGS = 12;
const FRAMES_PER_TIMING = 16;

/** Level pixels of motion while the shutter is open from which patches are smeared. */
const LEAST_SMEAR = 0.7;

/** Most steps on a level. */
const STEPS = 4;

/** Largest move of a corner, in level pixels, that ends the steps. */
const CONVERGED = 0.005;

/** One level, made ready to be followed. */
interface Stage {
  readonly level: Level;
  readonly patches: Patches;
  /** The same patches, for how they look in motion. */
  readonly smeared: Patches;
  /** Those of the two that look like the frame, and the attempt for which they were chosen. */
  look: Patches;
  attempt: number;
  /** For each patch, the first and last columns and rows of the cells that it touches. */
  readonly cells: Uint8Array;
  /** How much each patch counts, because of what was hidden in the last frame. */
  readonly shown: Float32Array;
}

/** The best result in a frame. */
interface Best {
  readonly map: Homography;
  /** Score on the level on which all results are compared; 0 if the target is not there. */
  trust: number;
  /** The finest level that agrees. */
  stage: Stage;
  attempt: number;
}

export function createFollower(levels: Levels, frameSize: Size): Follower {
  return new PatchFollower(levels, frameSize);
}

class PatchFollower implements Follower {
  /** Each level with few patches, and with many. The finest level that is used needs many. */
  readonly #rough: readonly Stage[];
  readonly #sharp: readonly Stage[];
  /** The octaves of the frame in the memory of the kernels, and whether they have been copied there. */
  readonly #octaves: readonly GreyImage[];
  readonly #copied: Uint8Array;
  readonly #search: CoarseSearch;
  readonly #smoother: Smoother;
  /** All maps but the result are those of a camera without distortion. */
  readonly #lens: Lens;
  readonly #target: Size;
  readonly #frame: Size;
  /** When the target was seen last: the time, the map, its corners, their velocities per second, and the trust. */
  #time = 0;
  readonly #last: Homography = new Float64Array(9);
  readonly #corners = new Float64Array(8);
  readonly #velocity = new Float64Array(8);
  #trust = 0;
  /** Seconds since then, and frames. */
  #elapsed = 0;
  #missed = 0;
  /** Seconds for which the shutter is open, and for each of `EXPOSURES` how much it explained the blur so far. */
  #exposure = 0;
  readonly #likeness = new Float64Array(EXPOSURES.length);
  /** The frame in which that was told last, and the number of frames in which it could be. */
  #timed = -1;
  #timings = 0;
  /** In this frame: the number of the attempt, where the target is expected, the map that is being aligned, and the best one so far. */
  #attempt = 1;
  readonly #expected: Homography = new Float64Array(9);
  readonly #map: Homography = new Float64Array(9);
  readonly #best: Best;
  readonly #result: Followed = {
    state: "lost",
    map: new Float64Array(9),
    agreement: 0,
    correlation: 0,
    visibility: 0,
  };

  constructor({ levels, width, height }: Levels, frame: Size) {
    this.#target = { width, height };
    this.#frame = frame;
    const places = levels.map((level) => {
      const small = Math.min(level.width, level.height) < SMALL_LEVEL_SIDE;
      // Edges that are sharper than the frame's would displace the patches next to them.
      const rough = softenLevel(level, ROUGH_SOFTNESS);
      const sharp = softenLevel(softenLevel(level, SHARP_SOFTNESS), SHARP_SOFTNESS);
      return {
        rough,
        sharp,
        few: choosePlaces(rough, small ? 2 * CELLS : CELLS, 1),
        many: choosePlaces(sharp, small ? 2 * CELLS : CELLS, small ? 1 : QUOTA),
      };
    });
    const kernels = openPlayerKernels();
    const laid = kernels.place((room) => ({
      rough: places.map(({ rough, few }) => layStage(room, kernels, rough, few)),
      sharp: places.map(({ sharp, many }) => layStage(room, kernels, sharp, many)),
      octaves: layOctaves(room, frame),
    }));
    this.#rough = laid.rough;
    this.#sharp = laid.sharp;
    for (const { level, patches } of [...laid.rough, ...laid.sharp]) describePatches(level, patches);
    this.#octaves = laid.octaves;
    this.#copied = new Uint8Array(laid.octaves.length);
    this.#best = { map: new Float64Array(9), trust: 0, stage: this.#sharp[0], attempt: 0 };
    this.#search = new CoarseSearch(levels[coarsest(levels)]);
    this.#smoother = new Smoother(this.#target);
    this.#lens = new Lens(this.#target, frame);
  }

  start(map: Homography, time: number): void {
    this.#lens.straighten(map, this.#map);
    this.#remember(time);
    this.#velocity.fill(0);
    this.#missed = 0;
    this.#trust = 0;
    this.#smoother.reset();
    for (const { shown } of this.#all()) shown.fill(1);
    this.#result.state = "followed";
  }

  follow(frame: FramePyramid, time: number, { onStage, onPatches }: FollowObserver = {}): Followed {
    const result = this.#result;
    if (result.state === "lost") return result;
    this.#elapsed = time - this.#time;
    this.#copied.fill(0);
    this.#expect(frame, time);
    this.#expected.set(this.#map);
    this.#best.trust = -1;
    onStage?.("predict");
    const { length } = this.#rough;
    this.#approach(frame, length);
    // What hides more of the large patches than of the small ones is an object in front of the target.
    if (this.#isDoubtful()) this.#approach(frame, 0);
    onStage?.("align");
    if (this.#isDoubtful()) {
      this.#search.run(frame, this.#expected);
      onStage?.("search");
      this.#approach(frame, length);
      onStage?.("align");
    }
    const patches = this.#judge(frame, time);
    onStage?.("verify");
    if (onPatches && result.state === "followed") this.#show(patches, onPatches);
    return result;
  }

  #isDoubtful(): boolean {
    return this.#best.trust <= 0 || this.#best.trust < USUAL * this.#trust;
  }

  /** Sets the map to the last place or the one predicted from the velocity, whichever looks more like the target. */
  #expect(frame: FramePyramid, time: number): void {
    const stage = this.#rough[this.#checked()];
    this.#predict(this.#time);
    const last = this.#resemblance(stage, stage.patches, frame);
    this.#predict(time);
    if (this.#resemblance(stage, stage.patches, frame) < last) this.#predict(this.#time);
  }

  /** Returns the mean correlation of a stage's patches in the frame. */
  #resemblance(stage: Stage, patches: Patches, frame: FramePyramid): number {
    this.#compare(stage, patches, frame);
    const { correlation, count } = patches;
    let sum = 0;
    let visible = 0;
    for (let i = 0; i < count; i++) {
      if (correlation[i] === OUTSIDE) continue;
      sum += Math.max(correlation[i], 0);
      visible++;
    }
    return sum / Math.max(visible, LEAST_PATCHES);
  }

  /** Returns the finest level whose pixels the frame can show. */
  #fine(): number {
    const stages = this.#rough;
    let fine = 0;
    while (fine < coarsest(stages) && pixelSize(this.#map, stages[fine].level) < FINE_PIXEL) fine++;
    return fine;
  }

  /** Aligns from the expected place, from a level on. Keeps the result if it is the best in this frame. */
  #approach(frame: FramePyramid, from: number): void {
    this.#map.set(this.#expected);
    this.#attempt++;
    const fine = this.#fine();
    const check = this.#checked();
    const stageAt = (level: number) => (level === fine ? this.#sharp : this.#rough)[level];
    let at = Math.min(Math.max(from, fine), coarsest(this.#rough));
    let score = this.#align(stageAt(at), frame);
    let trust = at === check ? score : -1;
    while (at > fine) {
      // Motion blur takes the details away: stop where they no longer agree.
      const next = stageAt(at - 1);
      if (this.#compare(next, this.#look(next), frame) < DETAIL * score) break;
      at--;
      score = this.#align(next, frame);
      if (at <= check && this.#timeShutter(next, frame)) score = this.#align(next, frame);
      if (at === check) trust = score;
    }
    let stage = stageAt(at);
    if (at > fine) {
      stage = this.#sharp[at];
      score = this.#align(stage, frame);
    }
    if (trust < 0) trust = this.#compare(this.#rough[check], this.#look(this.#rough[check]), frame);
    if (score < (at === fine ? LEAST_SCORE : LEAST_COARSE_SCORE)) trust = 0;
    const best = this.#best;
    if (trust <= best.trust) return;
    best.trust = trust;
    best.stage = stage;
    best.attempt = this.#attempt;
    best.map.set(this.#map);
  }

  /** Aligns a stage with the frame from the map on. Returns its score. */
  #align(stage: Stage, frame: FramePyramid): number {
    const patches = this.#look(stage);
    this.#refine(stage, patches, frame);
    return this.#compare(stage, patches, frame);
  }

  /** Returns the level on which the results of all frames are compared. */
  #checked(): number {
    return Math.max(0, coarsest(this.#rough) - 1);
  }

  #all(): readonly Stage[] {
    return [...this.#rough, ...this.#sharp];
  }

  /** Returns an octave of the frame in the kernels' memory. */
  #octave(frame: FramePyramid, octave: number): GreyImage {
    const copy = this.#octaves[octave];
    if (this.#copied[octave] === 0) copy.data.set(frame.levels[octave].data);
    this.#copied[octave] = 1;
    return copy;
  }

  /** Returns the patches of a stage as they look after the move from the last place to the map. */
  #look(stage: Stage): Patches {
    const { level, patches, smeared } = stage;
    if (stage.attempt === this.#attempt) return stage.look;
    stage.attempt = this.#attempt;
    stage.look = patches;
    if (this.#speed(stage) * this.#exposure < LEAST_SMEAR) return patches;
    smearPatches(level, current, previous, Math.min(this.#exposure / this.#elapsed, 1), smeared);
    stage.look = smeared;
    return smeared;
  }

  /** Returns the speed, in level pixels per second, and writes the level's maps. */
  #speed({ level }: Stage): number {
    if (this.#elapsed <= 0) return 0;
    toLevel(this.#map, level, 1, current);
    toLevel(this.#last, level, 1, previous);
    const to = project(current, level.width / 2, level.height / 2);
    const from = project(previous, level.width / 2, level.height / 2);
    return Math.hypot(to.x - from.x, to.y - from.y) / pixelSize(this.#map, level) / this.#elapsed;
  }

  /** Finds out how long the shutter is open, by how much a moving target is blurred. Returns whether it did. */
  #timeShutter(stage: Stage, frame: FramePyramid): boolean {
    if (this.#timed === this.#time) return false;
    if (this.#speed(stage) * this.#elapsed < LEAST_TIMED) return false;
    this.#timed = this.#time;
    // The light may change, but not from frame to frame.
    if (this.#timings++ > FIRST_TIMINGS && this.#timings % FRAMES_PER_TIMING !== 0) return false;
    const { level, smeared } = stage;
    let best = 0;
    for (let i = 0; i < EXPOSURES.length; i++) {
      this.#speed(stage);
      smearPatches(level, current, previous, Math.min(EXPOSURES[i] / this.#elapsed, 1), smeared);
      this.#likeness[i] = 0.8 * this.#likeness[i] + this.#resemblance(stage, smeared, frame);
      if (this.#likeness[i] > this.#likeness[best]) best = i;
    }
    // The top of the parabola through the best and its neighbors.
    const middle = Math.min(Math.max(best, 1), EXPOSURES.length - 2);
    const [before, at, after] = this.#likeness.subarray(middle - 1, middle + 2);
    const shift = best === middle ? (before - after) / (2 * (before - 2 * at + after)) : best - middle;
    this.#exposure = EXPOSURES[1] * (middle + shift);
    this.#attempt++;
    return true;
  }

  /** Writes the place that is expected if the corners move on as they did. */
  #predict(time: number): void {
    const elapsed = time - this.#time;
    const corner = (i: number) => ({
      x: this.#corners[2 * i] + elapsed * this.#velocity[2 * i],
      y: this.#corners[2 * i + 1] + elapsed * this.#velocity[2 * i + 1],
    });
    normalize(imageToCorners(this.#target, [corner(0), corner(1), corner(2), corner(3)], this.#map));
  }

  /** Compares a stage's patches with the frame at the map. Returns a score, 0…1. */
  #compare({ level }: Stage, patches: Patches, frame: FramePyramid): number {
    const octave = chooseOctave(this.#map, level, frame.levels.length);
    toLevel(this.#map, level, 1 / 2 ** octave, current);
    measurePatches(patches, current, this.#octave(frame, octave), this.#lens.bend);
    const result = this.#result;
    let visible = 0;
    let agreeing = 0;
    let sum = 0;
    for (let i = 0; i < patches.count; i++) {
      if (patches.correlation[i] === OUTSIDE) continue;
      visible++;
      if (patches.correlation[i] < AGREES) continue;
      agreeing++;
      sum += patches.correlation[i];
    }
    result.visibility = visible / Math.max(patches.count, 1);
    result.agreement = agreeing / Math.max(visible, 1);
    result.correlation = sum / Math.max(agreeing, 1);
    return agreeing < LEAST_PATCHES ? 0 : result.agreement * Math.max(0, 2 * result.correlation - 1);
  }

  /** Moves the map until the patches lie where the frame shows them. */
  #refine({ level, shown }: Stage, patches: Patches, frame: FramePyramid): void {
    const octave = chooseOctave(this.#map, level, frame.levels.length);
    const scale = 1 / 2 ** octave;
    toLevel(this.#map, level, scale, current);
    for (let step = 0; step < STEPS; step++) {
      measurePatches(patches, current, this.#octave(frame, octave), this.#lens.bend);
      if (!solveMove(patches, shown, level, move)) break;
      compose(current, move, current);
      normalize(current);
      if (cornerMove(move, level) < CONVERGED) break;
    }
    fromLevel(current, level, scale, this.#map);
  }

  /** Remembers which cells were hidden, so that the large patches of coarse levels do not count there. */
  #notice({ cells }: Stage, patches: Patches): void {
    const hidden = noticed.fill(0);
    const counts = noticedCounts.fill(0);
    for (let i = 0; i < patches.count; i++) {
      if (patches.correlation[i] === OUTSIDE) continue;
      const cell = cells[4 * i + 2] * CELLS + cells[4 * i];
      counts[cell]++;
      if (patches.correlation[i] < AGREES) hidden[cell]++;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell++) if (counts[cell] > 0) hidden[cell] /= counts[cell];
    for (const { shown, cells: touched } of this.#all()) {
      for (let i = 0; i < shown.length; i++) {
        let sum = 0;
        let all = 0;
        for (let row = touched[4 * i + 2]; row <= touched[4 * i + 3]; row++) {
          for (let column = touched[4 * i]; column <= touched[4 * i + 1]; column++) {
            sum += hidden[row * CELLS + column];
            all++;
          }
        }
        shown[i] = 1 - sum / all;
      }
    }
  }

  /** Sets the result, and remembers where the target is. Returns the patches that were compared. */
  #judge(frame: FramePyramid, time: number): Patches {
    const result = this.#result;
    const { trust, stage, map, attempt } = this.#best;
    this.#map.set(map);
    if (attempt !== this.#attempt) this.#attempt++;
    const patches = this.#look(stage);
    this.#compare(stage, patches, frame);
    if (trust > 0) {
      this.#measureLens(stage, patches);
      this.#remember(time);
      this.#notice(stage, patches);
      this.#trust = trust;
      this.#missed = 0;
      result.state = "followed";
    } else {
      this.#predict(time);
      this.#missed++;
      result.state = this.#missed <= HELD_FRAMES && this.#inFrame() ? "held" : "lost";
    }
    this.#lens.distort(this.#map, distorted);
    result.map.set(this.#smoother.smooth(distorted, time));
    return patches;
  }

  /** Learns about the lens from patches that were compared with the frame at the map. */
  #measureLens({ level }: Stage, patches: Patches): void {
    if (!this.#lens.isNew(this.#map)) return;
    const octave = this.#octaves[chooseOctave(this.#map, level, this.#octaves.length)];
    const evidence = measureBend(patches, level, current, octave);
    if (evidence) this.#lens.add(evidence);
  }

  /** Tells where patches are, and where the frame shows them. */
  #show(patches: Patches, onPatches: NonNullable<FollowObserver["onPatches"]>): void {
    toLevel(this.#map, this.#best.stage.level, 1, current);
    const places: number[] = [];
    const agreeing: number[] = [];
    for (let i = 0; i < patches.count; i++) {
      if (patches.correlation[i] === OUTSIDE) continue;
      const { x, y } = this.#lens.distortPoint(project(current, patches.x[i], patches.y[i]));
      places.push(x, y);
      if (patches.correlation[i] < AGREES) continue;
      const shown = this.#lens.distortPoint(
        project(current, patches.x[i] + patches.dx[i], patches.y[i] + patches.dy[i]),
      );
      agreeing.push(shown.x, shown.y, x - shown.x, y - shown.y);
    }
    onPatches(places, agreeing);
  }

  #remember(time: number): void {
    const elapsed = time - this.#time;
    const corners = projectCorners(this.#map, this.#target);
    for (let i = 0; i < 8; i++) {
      const { x, y } = corners[i >> 1];
      const place = i & 1 ? y : x;
      if (elapsed > 0) this.#velocity[i] = (place - this.#corners[i]) / elapsed;
      this.#corners[i] = place;
    }
    this.#time = time;
    this.#last.set(this.#map);
  }

  /** Returns whether the middle of the target is in the frame. */
  #inFrame(): boolean {
    const { x, y } = project(this.#map, this.#target.width / 2, this.#target.height / 2);
    return x >= 0 && y >= 0 && x < this.#frame.width && y < this.#frame.height;
  }
}

/** Allocates a stage with patches at these places. */
function layStage(room: Room, kernels: PlayerKernels, level: Level, places: readonly Place[]): Stage {
  const { width, height } = level;
  const cell = (place: number, size: number) =>
    Math.min(Math.max(Math.floor((place * CELLS) / size), 0), CELLS - 1);
  const last = PATCH_SIDE - 1;
  const patches = layPatches(room, kernels, places);
  return {
    level,
    patches,
    look: patches,
    attempt: 0,
    smeared: layPatches(room, kernels, places),
    cells: Uint8Array.from(
      places.flatMap(({ left, top }) => [
        cell(left + 1, width),
        cell(left + last, width),
        cell(top + 1, height),
        cell(top + last, height),
      ]),
    ),
    shown: new Float32Array(places.length).fill(1),
  };
}

/** Returns the index of the stage from which fast motion is followed. */
function coarsest(stages: readonly unknown[]): number {
  return Math.max(0, stages.length - 2);
}

const current: Homography = new Float64Array(9);
const distorted: Homography = new Float64Array(9);
const previous: Homography = new Float64Array(9);
const move: Homography = new Float64Array(9);
const inverse: Homography = new Float64Array(9);
const noticed = new Float64Array(CELLS * CELLS);
const noticedCounts = new Float64Array(CELLS * CELLS);

function toLevel(map: Homography, { toTarget }: Level, scale: number, out: Homography): void {
  compose(map, toTarget, out);
  for (let i = 0; i < 6; i++) out[i] *= scale;
  normalize(out);
}

function fromLevel(map: Homography, { toTarget }: Level, scale: number, out: Homography): void {
  compose(map, invert(toTarget, inverse), out);
  for (let i = 0; i < 6; i++) out[i] /= scale;
  normalize(out);
}

/** Returns the largest move of a level's corner, in level pixels. */
function cornerMove([a, b, c, d, e, f, g, h, i]: Homography, { width, height }: Level): number {
  let most = 0;
  for (let corner = 0; corner < 4; corner++) {
    const x = corner & 1 ? width : 0;
    const y = corner & 2 ? height : 0;
    const w = 1 / (g * x + h * y + i);
    most = Math.max(most, Math.hypot((a * x + b * y + c) * w - x, (d * x + e * y + f) * w - y));
  }
  return most;
}
