// Finds targets in a frame without knowing where they were. `Finder.find` shows the stages in order.

import { frameSelection, mostExtrema } from "../compiler/detector/extrema.ts";
import type { GreyImage, PlayerTarget, Size } from "../compiler/types.ts";
import { Aligner, type Alignment } from "./align.ts";
import { type FeatureBuffers, type Features, findFeatures, layFeatures } from "./features.ts";
import { createGrid, type FeatureGrid, type Fit, Fitter, fillGrid } from "./fit.ts";
import type { Homography } from "./homography.ts";
import { openPlayerKernels } from "./kernels.ts";
import { buildLevels, createPyramid, type FramePyramid, fillPyramid } from "./levels.ts";
import {
  addPoints,
  layMatches,
  layPointSet,
  type MatchBuffers,
  matchFeatures,
  type PointSet,
  packFeatures,
} from "./match.ts";
import {
  createReference,
  createViewMaker,
  MADE_VIEW_COUNT,
  MADE_VIEW_POINTS,
  type ReferenceView,
  type ViewMaker,
} from "./reference.ts";
import { createVoteBuffers, vote } from "./vote.ts";

/** A target that was found. */
export interface Found {
  /** Index of the target. */
  readonly target: number;
  /** From target pixels to frame pixels. */
  readonly map: Homography;
  /** Evidence for the place: see SIMILARITY_WEIGHT. */
  readonly score: number;
  /** Number of features that lie where the target has them. */
  readonly inliers: number;
}

/** The stages of finding, in order; the last two come once per hypothesis. */
export type FindStage = "features" | "match" | "vote" | "fit" | "verify";

/** Where a target was seen last. */
export interface LastPlace {
  readonly target: number;
  /** From target pixels to frame pixels. */
  readonly map: Homography;
}

/** What a debug view learns of a look at a frame. */
export interface FindObserver {
  /** Called at the end of each stage. */
  readonly onStage?: (stage: FindStage) => void;
  /** Called with the points of each look. */
  readonly onFeatures?: (features: Features) => void;
  /** Called with each place that was accepted, and the inliers of its fit: see `Fitter.inliers`. */
  readonly onPlace?: (place: Found, inliers: Float32Array) => void;
}

export interface FindOptions extends FindObserver {
  /** Indexes of the targets that are looked for; all when absent. */
  readonly targets?: readonly number[];
  /** Most targets, the best first; 1 when absent. */
  readonly maxTargets?: number;
  /** Where targets were seen last. They are looked for there first. */
  readonly near?: readonly LastPlace[];
}

/**
 * Evidence for a place: ln(votes × inliers) + SIMILARITY_WEIGHT × similarity − FEATURES_WEIGHT × ln(features).
 * Accidental votes and inliers come with the number of features in the frame. The weights are those of a logistic
 * regression on right places, and on places in frames that do not show the target, rounded.
 */
const SIMILARITY_WEIGHT = 4;
const FEATURES_WEIGHT = 2 / 3;

/** Least evidence for a place that is accepted; 1.5 is the most that was seen in 4,700 frames without the target. */
const LEAST_EVIDENCE = 2;

/** Visible share of the target's cells from which similarity counts fully. */
const VISIBLE = 0.5;

/** Alignment must keep this share of the inliers. */
const LEAST_KEPT = 0.25;

/** The same of a photo that is taken to be partly covered. */
const LEAST_KEPT_COVERED = 0.5;

/**
 * The second look enlarges the middle of the frame by this: small photos have too few points otherwise, and the
 * points of others are of scales between those of the first look.
 */
const ZOOM = 2;

/** With this evidence, a target is not looked for elsewhere. */
const CERTAIN_EVIDENCE = 5;

/** Shorter sides, in pixels, of the levels on which a place is refined, verified, and refined again. */
const LEVEL_SIDES = [32, 64, 128];

/** Most steps of alignment on the first two levels, and on the last. */
const STEPS = 4;
const SHARP_STEPS = 3;

/** Correlation from which a cell is taken to be shown: without an inlier in it, and with one. */
const SHOWN_CORRELATION = 0.5;
const INLYING_CORRELATION = 0.2;

/** With this agreement, no other alignment is tried. */
const CERTAIN_AGREEMENT = 0.8;

/** With less agreement, the photo is taken to be partly covered. */
const SHOWN_AGREEMENT = 0.6;

/** An alignment must look like the target at least by this share of how much its fit does. */
const LEAST_LIKENESS = 0.99;

/** Room for points of one polarity per made view, of which MADE_VIEW_POINTS are both polarities'. */
const VIEW_ROOM = 0.6 * MADE_VIEW_POINTS;

export class Finder {
  readonly #targets: readonly PlayerTarget[];
  readonly #aligners: readonly (readonly Aligner[])[];
  readonly #features: FeatureBuffers;
  readonly #maxima: PointSet;
  readonly #minima: PointSet;
  readonly #matches: MatchBuffers;
  readonly #votes = createVoteBuffers();
  readonly #grid: FeatureGrid;
  readonly #fitter: Fitter;
  readonly #pyramid: FramePyramid;
  readonly #maker: ViewMaker = createViewMaker();
  #made = 0;

  /** Allocates everything for frames of one size. */
  constructor(targets: readonly PlayerTarget[], size: Size) {
    this.#targets = targets;
    const most = mostExtrema(frameSelection(size));
    const references = targets.map(createReference);
    const room = (polarity: keyof ReferenceView) =>
      references
        .flatMap(({ views }) => views.map((view) => view[polarity].count))
        .reduce((sum, count) => sum + count, targets.length * MADE_VIEW_COUNT * VIEW_ROOM);
    const kernels = openPlayerKernels();
    const laid = kernels.place((place) => {
      const maxima = layPointSet(place, room("maxima"));
      const minima = layPointSet(place, room("minima"));
      return {
        features: layFeatures(place, kernels, size),
        maxima,
        minima,
        matches: layMatches(place, kernels, most, [maxima, minima]),
      };
    });
    this.#features = laid.features;
    this.#maxima = laid.maxima;
    this.#minima = laid.minima;
    this.#matches = laid.matches;
    references.forEach(({ views }, target) => {
      for (const view of views) this.#add(target, view);
    });
    this.#grid = createGrid(size, most);
    this.#fitter = new Fitter(most);
    this.#pyramid = createPyramid(size.width, size.height);
    this.#aligners = targets.map((target) => {
      const { levels } = buildLevels(target);
      return LEVEL_SIDES.map((side) => {
        const level = levels.findLast(({ width, height }) => Math.min(width, height) >= side) ?? levels[0];
        return new Aligner(level);
      });
    });
  }

  /**
   * Adds the points of one more made view; returns whether there are more to add. A finder works without them,
   * but finds photos that are tilted, small or in motion less often. Each takes a few milliseconds.
   */
  addView(): boolean {
    const total = this.#targets.length * MADE_VIEW_COUNT;
    if (this.#made >= total) return false;
    // All targets get their first view before any gets its second one.
    const target = this.#made % this.#targets.length;
    const index = Math.floor(this.#made / this.#targets.length);
    this.#add(target, this.#maker.make(this.#targets[target], index));
    this.#made++;
    return this.#made < total;
  }

  #add(target: number, { maxima, minima }: ReferenceView): void {
    addPoints(this.#maxima, target, maxima);
    addPoints(this.#minima, target, minima);
  }

  /**
   * Returns the targets that the frame shows, the best first. If enough of them are near their last places, it looks no
   * further; if it finds nothing, it looks a second time.
   */
  find(frame: GreyImage, options: FindOptions = {}): Found[] {
    fillPyramid(this.#pyramid, frame.data);
    const found = this.#look(frame, 1, options);
    return found.length > 0 ? found : this.#look(frame, ZOOM, { ...options, near: [] });
  }

  /** Looks for targets in the middle of the frame, enlarged by `zoom`; in the whole frame for 1. */
  #look(
    frame: GreyImage,
    zoom: number,
    { targets, maxTargets = 1, near = [], onStage = () => {}, onFeatures, onPlace }: FindOptions,
  ): Found[] {
    const features = findFeatures(frame, zoom, this.#features);
    onStage("features");
    onFeatures?.(features);
    const maxima = this.#maxima;
    const minima = this.#minima;
    fillGrid(this.#grid, features);
    const { packed, matches } = this.#matches;
    const scene = { features, packed, grid: this.#grid, matches, maxima, minima };
    const best: (Found | undefined)[] = [];
    const offer = (target: number, fit: Fit | null) => {
      onStage("fit");
      const found = fit && this.#verify(target, fit, features.count);
      onStage("verify");
      if (found) onPlace?.(found, this.#fitter.inliers());
      if (found && found.score > (best[target]?.score ?? 0)) best[target] = found;
    };
    const wanted = targets ?? [...this.#targets.keys()];
    const last = near.filter(({ target }) => wanted.includes(target));
    if (last.length > 0) packFeatures(features, this.#matches);
    for (const { target, map } of last) {
      offer(target, this.#fitter.fitNear(target, map, this.#targets[target], scene));
    }
    // With less evidence it may be a part of a repeated pattern, one period away.
    const certain = best.filter((found) => found && found.score >= CERTAIN_EVIDENCE);
    if (certain.length >= Math.min(maxTargets, wanted.length)) return rank(certain, maxTargets);
    matchFeatures(features, maxima, minima, this.#matches, targets);
    onStage("match");
    const hypotheses = vote(matches, features, maxima, minima, this.#votes);
    onStage("vote");
    for (const hypothesis of hypotheses) {
      const { target } = hypothesis;
      if ((best[target]?.score ?? 0) >= CERTAIN_EVIDENCE) continue;
      offer(target, this.#fitter.fit(hypothesis, this.#targets[target], scene));
    }
    return rank(best, maxTargets);
  }

  /** Refines a fit and compares the frame with the target's picture; returns null without enough evidence. */
  #verify(target: number, { map, inliers, votes }: Fit, features: number): Found | null {
    const [coarse, fine, finest] = this.#aligners[target];
    // A good fit of a covered photo would be led astray by what covers it, so only what looks right is aligned.
    const { mask, likeness } = this.#mask(fine, map);
    let best = judge(fine.align(this.#pyramid, map, { steps: STEPS, mask }));
    if (best.agreement < CERTAIN_AGREEMENT) {
      // A rough fit needs less detail first, and the whole picture.
      const rough = coarse.align(this.#pyramid, map, { steps: STEPS });
      const other = judge(fine.align(this.#pyramid, rough.map, { steps: STEPS }));
      if (other.similarity > best.similarity) best = other;
    }
    const isShown = best.agreement >= SHOWN_AGREEMENT && this.#fitter.kept(best.map) >= LEAST_KEPT;
    // What covers a photo may lead an alignment to a place where many cells look roughly like it.
    const aligned = isShown && best.likeness >= LEAST_LIKENESS * likeness;
    // The points of a covered photo place it better than a rough alignment of what remains of its picture.
    if (!aligned) {
      const fitted = judge(fine.align(this.#pyramid, map, { steps: 0, mask }));
      best = { ...fitted, similarity: isShown ? best.similarity : fitted.similarity };
    }
    const score =
      Math.log(votes * inliers) + SIMILARITY_WEIGHT * best.similarity - FEATURES_WEIGHT * Math.log(features);
    if (score < LEAST_EVIDENCE) return null;
    // More detail only makes the place more precise: a blurred frame correlates less with it.
    if (aligned) {
      const sharp = finest.align(this.#pyramid, best.map, { steps: SHARP_STEPS });
      return { target, map: Float64Array.from(sharp.map), score, inliers };
    }
    // An alignment is reused by the next one.
    const before = { ...finest.align(this.#pyramid, map, { steps: 0, mask }) };
    const shown = finest.align(this.#pyramid, map, { steps: STEPS, mask });
    const isBetter =
      shown.correlation > before.correlation &&
      shown.likeness >= LEAST_LIKENESS * before.likeness &&
      this.#fitter.kept(shown.map) >= LEAST_KEPT_COVERED;
    return { target, map: isBetter ? Float64Array.from(shown.map) : best.map, score, inliers };
  }

  /** Returns the cells that the frame probably shows, and how much the frame looks like the target at the map. */
  #mask(aligner: Aligner, map: Homography): { readonly mask: Uint8Array; readonly likeness: number } {
    const { cells, likeness } = aligner.align(this.#pyramid, map, { steps: 0 });
    const inlying = new Uint8Array(cells.length);
    this.#fitter.markCells(inlying, aligner.side);
    const mask = Uint8Array.from(cells, (correlation, cell) =>
      correlation >= SHOWN_CORRELATION || (inlying[cell] === 1 && correlation >= INLYING_CORRELATION) ? 1 : 0,
    );
    return { mask, likeness };
  }
}

/** Returns the best places, the best first. */
function rank(best: readonly (Found | undefined)[], most: number): Found[] {
  return best
    .filter((found) => found !== undefined)
    .sort((a, b) => b.score - a.score)
    .slice(0, most);
}

/** A place compared with the target's picture. */
interface Judged {
  readonly map: Homography;
  /** Share of the textured cells that correlate. */
  readonly agreement: number;
  /** See Alignment. */
  readonly likeness: number;
  /** Correlation × agreement, 0…1. */
  readonly similarity: number;
}

function judge({ map, correlation, agreement, likeness, visibility }: Alignment): Judged {
  const visible = Math.min(1, visibility / VISIBLE);
  return {
    map: Float64Array.from(map),
    agreement,
    likeness,
    similarity: Math.max(correlation, 0) * agreement * visible,
  };
}
