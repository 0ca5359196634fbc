// Following: where the target is in a frame, when it is known where it was in the frame before.
//
// From coarse to fine, patches of a level of the target measure their displacement in the frame, and the map
// follows from all of them together. Patches that do not correlate, such as those behind an object, do not count.

import { chooseOctave, exponentiate, solve } from "./align.ts";
import {
  compose,
  type Homography,
  imageToCorners,
  invert,
  normalize,
  project,
  projectCorners,
} from "./homography.ts";
import type { FramePyramid, Level, Levels } from "./levels.ts";
import { choosePatches, measurePatches, OUTSIDE, type Patches } from "./patches.ts";
import { CoarseSearch } from "./search.ts";

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * `followed`: the target is at `map`. `held`: it was not recognized in this frame and is shown where it was
 * expected, which lasts a few frames at most. `lost`: it must be found again.
 */
export type FollowState = "followed" | "held" | "lost";

/** The result for a frame. It is reused for the next one. */
interface Followed {
  state: FollowState;
  /** From target pixels to frame pixels, with 1 as last entry. */
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
  follow(frame: FramePyramid, time: number): Followed;
}

/** Correlation from which a patch agrees. */
const AGREES = 0.5;

/** Share of the patches that must agree, and of those of a level without details. */
const LEAST_AGREEMENT = 0.3;
const LEAST_COARSE_AGREEMENT = 0.5;

/** Frames for which a target that is not recognized is held at the expected place. */
const HELD_FRAMES = 3;

/** Cells per side from which patches are chosen, and most patches per cell. */
const CELLS = 8;
const QUOTA = 2;

/** Shorter side, in pixels, below which a level has patches wherever there is texture. */
const SMALL_LEVEL_SIDE = 48;

/** The finest level that is used has pixels of at least this size in the frame. */
const FINE_PIXEL = 0.65;

/** Agreement at the expected place, as a share of the last frame's, from which a level is aligned at once. */
const NEAR = 0.85;

/** Fewest agreeing patches. */
const LEAST_PATCHES = 6;

/** Most steps on a level. */
const STEPS = 4;

/** Largest move of a corner, in level pixels, that ends the steps. */
const CONVERGED = 0.02;

/** One level, made ready to be followed. */
interface Stage {
  readonly level: Level;
  readonly patches: Patches;
  /** Half the longer side: normalized coordinates are -1…1 on it. */
  readonly unit: number;
}

export function createFollower(levels: Levels, frameSize: Size): Follower {
  return new PatchFollower(levels, frameSize);
}

class PatchFollower implements Follower {
  readonly #stages: readonly Stage[];
  readonly #search: CoarseSearch;
  readonly #target: Size;
  readonly #frame: Size;
  /** The last corners, and their velocities in pixels per second. */
  readonly #corners = new Float64Array(8);
  readonly #velocity = new Float64Array(8);
  #time = 0;
  #missed = 0;
  /** Agreement in the last frame that showed the target. */
  #score = 1;
  readonly #map: Homography = new Float64Array(9);
  /** The level that the last alignment ended on. */
  #reached = 0;
  readonly #expected: Homography = new Float64Array(9);
  readonly #best: Homography = new Float64Array(9);
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
    this.#stages = levels.map((level) => ({
      level,
      patches:
        Math.min(level.width, level.height) < SMALL_LEVEL_SIDE
          ? choosePatches(level, 2 * CELLS, 1)
          : choosePatches(level, CELLS, QUOTA),
      unit: Math.max(level.width, level.height) / 2,
    }));
    this.#search = new CoarseSearch(levels[coarsest(this.#stages)]);
  }

  start(map: Homography, time: number): void {
    this.#map.set(map);
    this.#remember(time);
    this.#velocity.fill(0);
    this.#missed = 0;
    this.#score = 1;
    this.#result.state = "followed";
  }

  follow(frame: FramePyramid, time: number): Followed {
    const result = this.#result;
    if (result.state === "lost") return result;
    this.#expect(frame, time);
    this.#expected.set(this.#map);
    let score = this.#approach(frame, coarsest(this.#stages));
    if (score < NEAR * this.#score) {
      // An object in front hides more of the large patches.
      score = this.#retry(frame, score, false);
      if (score < LEAST_AGREEMENT) score = this.#retry(frame, score, true);
      this.#agreement(this.#stages[this.#reached], frame);
    }
    this.#judge(score, time);
    return result;
  }

  /** Aligns from the expected place again, in another way. Keeps the better result and returns its agreement. */
  #retry(frame: FramePyramid, score: number, search: boolean): number {
    const reached = this.#reached;
    this.#best.set(this.#map);
    this.#map.set(this.#expected);
    if (search) this.#search.run(frame, this.#map);
    const other = this.#approach(frame, search ? coarsest(this.#stages) : this.#fine());
    if (other > score) return other;
    this.#map.set(this.#best);
    this.#reached = reached;
    return score;
  }

  /** Sets the map to the last place or the one predicted from the velocity, whichever looks more like the target. */
  #expect(frame: FramePyramid, time: number): void {
    const stage = this.#stages[Math.max(0, coarsest(this.#stages) - 1)];
    this.#predict(this.#time);
    const last = this.#resemblance(stage, frame);
    this.#predict(time);
    if (this.#resemblance(stage, frame) < last) this.#predict(this.#time);
  }

  /** Returns the mean correlation of a stage's patches in the frame. */
  #resemblance(stage: Stage, frame: FramePyramid): number {
    this.#agreement(stage, frame);
    const { correlation, count } = stage.patches;
    let sum = 0;
    let visible = 0;
    for (let i = 0; i < count; i++) {
      if (correlation[i] === OUTSIDE) continue;
      sum += Math.max(correlation[i], 0);
      visible++;
    }
    return sum / Math.max(visible, LEAST_PATCHES);
  }

  #fine(): number {
    const stages = this.#stages;
    let fine = 0;
    while (fine < stages.length - 1 && pixelSize(this.#map, stages[fine].level) < FINE_PIXEL) fine++;
    return fine;
  }

  /** Aligns from the map, from level `from` on. Returns the agreement; 0 if the target is not there. */
  #approach(frame: FramePyramid, from: number): number {
    const stages = this.#stages;
    const fine = this.#fine();
    let at = Math.max(from, fine);
    this.#refine(stages[at], frame);
    while (at > fine) {
      // Motion blur takes the details away: stop where they no longer agree.
      if (this.#agreement(stages[at - 1], frame) < LEAST_AGREEMENT) break;
      this.#refine(stages[--at], frame);
    }
    this.#reached = at;
    const agreement = this.#agreement(stages[at], frame);
    return agreement >= (at === fine ? LEAST_AGREEMENT : LEAST_COARSE_AGREEMENT) ? agreement : 0;
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

  /** Returns the share of a stage's patches in the frame that agree at the map. */
  #agreement({ level, patches }: Stage, frame: FramePyramid): number {
    const octave = chooseOctave(this.#map, level, frame.length);
    toLevel(this.#map, level, 1 / 2 ** octave, current);
    measurePatches(patches, current, frame[octave]);
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
    return agreeing < LEAST_PATCHES ? 0 : result.agreement;
  }

  #refine({ level, patches, unit }: Stage, frame: FramePyramid): void {
    const octave = chooseOctave(this.#map, level, frame.length);
    const scale = 1 / 2 ** octave;
    toLevel(this.#map, level, scale, current);
    for (let step = 0; step < STEPS; step++) {
      measurePatches(patches, current, frame[octave]);
      if (!solveDisplacements(patches, level, unit)) break;
      exponentiate(equations, 1 / unit, move);
      denormalize(move, level, unit);
      compose(current, move, current);
      normalize(current);
      if (cornerMove(move, level) < CONVERGED) break;
    }
    fromLevel(current, level, scale, this.#map);
  }

  /** Sets the result, and remembers where the target is. */
  #judge(score: number, time: number): void {
    const result = this.#result;
    if (score > 0) {
      this.#remember(time);
      this.#score = score;
      this.#missed = 0;
      result.state = "followed";
    } else {
      this.#predict(time);
      this.#missed++;
      result.state = this.#missed <= HELD_FRAMES && this.#inFrame() ? "held" : "lost";
    }
    result.map.set(this.#map);
  }

  #remember(time: number): void {
    const elapsed = time - this.#time;
    const corners = projectCorners(this.#map, this.#target);
    for (let i = 0; i < 8; i++) {
      const { x, y } = corners[i >> 1];
      const place = i & 1 ? y : x;
      this.#velocity[i] = elapsed > 0 ? (place - this.#corners[i]) / elapsed : 0;
      this.#corners[i] = place;
    }
    this.#time = time;
  }

  /** Returns whether the middle of the target is in the frame. */
  #inFrame(): boolean {
    const { x, y } = project(this.#map, this.#target.width / 2, this.#target.height / 2);
    return x >= 0 && y >= 0 && x < this.#frame.width && y < this.#frame.height;
  }
}

/** Returns the index of the stage from which fast motion is followed. */
function coarsest(stages: readonly Stage[]): number {
  return Math.max(0, stages.length - 2);
}

const current: Homography = new Float64Array(9);
const move: Homography = new Float64Array(9);
const equations = new Float64Array(72);
const inverse: Homography = new Float64Array(9);
const weights = new Float64Array(4096);

/** Returns the side, in frame pixels, of a level's pixel. */
function pixelSize(map: Homography, { width, height, toTarget }: Level): number {
  const x = (toTarget[0] * width) / 2;
  const y = (toTarget[4] * height) / 2;
  const w = map[6] * x + map[7] * y + map[8];
  const determinant =
    map[0] * (map[4] * map[8] - map[5] * map[7]) -
    map[1] * (map[3] * map[8] - map[5] * map[6]) +
    map[2] * (map[3] * map[7] - map[4] * map[6]);
  return Math.sqrt((Math.abs(determinant) * toTarget[0] * toTarget[4]) / Math.abs(w * w * w));
}

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

/** Turns a map of normalized coordinates into one of level pixels. */
function denormalize(map: Homography, { width, height }: Level, unit: number): void {
  compose(Float64Array.of(unit, 0, width / 2, 0, unit, height / 2, 0, 0, 1), map, map);
  compose(
    map,
    Float64Array.of(1 / unit, 0, -width / 2 / unit, 0, 1 / unit, -height / 2 / unit, 0, 0, 1),
    map,
  );
}

function cornerMove(map: Homography, { width, height }: Level): number {
  let most = 0;
  for (let corner = 0; corner < 4; corner++) {
    const x = corner & 1 ? width : 0;
    const y = corner & 2 ? height : 0;
    const to = project(map, x, y);
    most = Math.max(most, Math.hypot(to.x - x, to.y - y));
  }
  return most;
}

/** Expected moves per step, in level pixels: translation, linear terms, perspective. */
const PRIOR = [2, 2, 8, 2, 2, 8, 1, 1];

/** Solves for the move that explains the patches' displacements best. Returns false if there are too few. */
function solveDisplacements(patches: Patches, { width, height }: Level, unit: number): boolean {
  const { count, correlation, dx, dy, information } = patches;
  let used = 0;
  for (let i = 0; i < count; i++) {
    // Displacements beyond the reach of the gradients say little.
    const far = dx[i] * dx[i] + dy[i] * dy[i] > 9;
    weights[i] = correlation[i] < 0.2 ? 0 : (far ? 0.05 : 1) * Math.min(1, (correlation[i] - 0.2) * 2.5);
    if (weights[i] > 0) used++;
  }
  if (used < 4) return false;
  let scale = 1;
  for (let round = 0; round < 4; round++) {
    equations.fill(0);
    for (let i = 0; i < count; i++) {
      if (weights[i] === 0) continue;
      const x = (patches.x[i] - width / 2) / unit;
      const y = (patches.y[i] - height / 2) / unit;
      let weight = weights[i];
      if (round > 0) {
        const [ex, ey] = errorOf(i, x, y, dx, dy);
        weight /= 1 + (ex * ex + ey * ey) / (scale * scale);
      }
      accumulate(
        x,
        y,
        dx[i],
        dy[i],
        weight * information[3 * i],
        weight * information[3 * i + 1],
        weight * information[3 * i + 2],
      );
    }
    for (let i = 0; i < 8; i++) equations[9 * i + i] += 1 / PRIOR[i] ** 2;
    if (!solve(equations)) return false;
    for (let i = 0; i < 8; i++) solution[i] = equations[9 * i + 8];
    let sum = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      if (weights[i] === 0) continue;
      const x = (patches.x[i] - width / 2) / unit;
      const y = (patches.y[i] - height / 2) / unit;
      const [ex, ey] = errorOf(i, x, y, dx, dy);
      sum += weights[i] * Math.min(Math.hypot(ex, ey), 3);
      total += weights[i];
    }
    scale = Math.max(0.1, (1.5 * sum) / total);
  }
  return true;
}

function errorOf(i: number, x: number, y: number, dx: Float64Array, dy: Float64Array): [number, number] {
  const [a, b, c, d, e, f, g, h] = solution;
  const radial = g * x + h * y;
  return [dx[i] - (a * x + b * y + c - x * radial), dy[i] - (d * x + e * y + f - y * radial)];
}

const solution = new Float64Array(8);
const rowX = new Float64Array(8);
const rowY = new Float64Array(8);

function accumulate(x: number, y: number, dx: number, dy: number, xx: number, xy: number, yy: number): void {
  rowX.set([x, y, 1, 0, 0, 0, -x * x, -x * y]);
  rowY.set([0, 0, 0, x, y, 1, -x * y, -y * y]);
  const rightX = xx * dx + xy * dy;
  const rightY = xy * dx + yy * dy;
  for (let i = 0; i < 8; i++) {
    const px = xx * rowX[i] + xy * rowY[i];
    const py = xy * rowX[i] + yy * rowY[i];
    for (let j = 0; j <= i; j++) equations[9 * i + j] += px * rowX[j] + py * rowY[j];
    equations[9 * i + 8] += rowX[i] * rightX + rowY[i] * rightY;
  }
}
