import { readFileSync, writeFileSync } from "node:fs";
import type { ScoredPlayer } from "../../compiler/quality/model.ts";
import { planPoorViews, planViews, type View } from "./camera.ts";

export interface Measurement {
  readonly name: string;
  /** Share of the views in which the picture was found. */
  readonly share: number;
  /** Median corner error over those views, as a share of the photo's longer side; null if never found. */
  readonly error: number | null;
  /** One character per view: found, found in a wrong place, or not found. */
  readonly views: string;
}

/** Numbers of views. The poor ones follow the others. */
export interface ViewPlan {
  readonly views: number;
  readonly poorViews: number;
  readonly seed: number;
}

/** What one player found. */
export interface Measured extends ViewPlan {
  /** Number of windows in which mind-ar's own detector found the same points, and number of windows tried. */
  readonly same?: readonly [number, number];
  readonly pictures: readonly Measurement[];
}

export function viewsOf({ views, poorViews, seed }: ViewPlan): View[] {
  return [...planViews(views, seed), ...planPoorViews(poorViews, seed + 1)];
}

export function readMeasured(player: ScoredPlayer): Measured {
  return JSON.parse(readFileSync(fileOf(player), "utf8"));
}

export function writeMeasured(player: ScoredPlayer, measured: Measured): void {
  writeFileSync(fileOf(player), `${JSON.stringify(measured, null, 1)}\n`);
}

function fileOf(player: ScoredPlayer): URL {
  return new URL(`measured-${player}.json`, import.meta.url);
}
