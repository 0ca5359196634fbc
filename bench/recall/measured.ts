export interface Measurement {
  readonly name: string;
  /** Share of the views in which the picture was found. */
  readonly share: number;
  /** Median corner error over those views, as a share of the photo's longer side; null if never found. */
  readonly error: number | null;
  /** One character per view: found, found in a wrong place, or not found. */
  readonly views: string;
}

export interface Measured {
  readonly views: number;
  readonly seed: number;
  /** Number of windows in which mind-ar's own detector found the same points, and number of windows tried. */
  readonly same: readonly [number, number];
  readonly pictures: readonly Measurement[];
}
