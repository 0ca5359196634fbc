export interface Measurement {
  readonly name: string;
  /** Share of the views in which it was found. */
  readonly share: number;
  /** Median corner error of the views in which it was found, by the photo's longer side; null when in none. */
  readonly error: number | null;
  /** One per view: found, taken for found in a wrong place, not found. */
  readonly views: string;
}

export interface Measured {
  readonly views: number;
  readonly seed: number;
  /** Windows in which mind-ar's own detector found the same points, and windows tried. */
  readonly same: readonly [number, number];
  readonly pictures: readonly Measurement[];
}
