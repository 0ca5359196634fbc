// The types of mind-ar 1.2.5 that the oracle needs; the package has none.

declare module "mind-ar/src/image-target/offline-compiler.js" {
  export class OfflineCompiler {
    compileImageTargets(images: unknown[], onProgress: (percent: number) => void): Promise<unknown[]>;
    exportData(): Uint8Array;
    importData(bytes: Uint8Array): {
      targetImage: { width: number; height: number };
      matchingData: unknown[];
    }[];
  }
}

declare module "mind-ar/src/image-target/detector/kernels/cpu/index.js" {}

declare module "mind-ar/src/image-target/detector/detector.js" {
  export class Detector {
    constructor(width: number, height: number, debugMode: boolean);
    detect(image: unknown): { featurePoints: unknown[]; debugExtra: unknown };
  }
}

declare module "mind-ar/src/image-target/image-list.js" {
  type Grey = { data: Uint8Array; width: number; height: number };
  export function buildImageList(image: Grey): (Grey & { scale: number })[];
  export function buildTrackingImageList(image: Grey): (Grey & { scale: number })[];
}

declare module "mind-ar/src/image-target/matching/hierarchical-clustering.js" {
  export function build(input: { points: { descriptors: number[] }[] }): { rootNode: unknown };
}

declare module "mind-ar/src/image-target/tracker/extract.js" {
  export function extract(image: {
    data: Uint8Array;
    width: number;
    height: number;
    scale: number;
  }): { x: number; y: number }[];
}

declare module "mind-ar/src/image-target/matching/matcher.js" {
  export class Matcher {
    constructor(queryWidth: number, queryHeight: number);
    /** Gives no coordinates when `keyframeIndex` is -1. */
    matchDetection(
      keyframes: unknown[],
      points: unknown[],
    ): { keyframeIndex: number; screenCoords: unknown[]; worldCoords: unknown[] };
  }
}

declare module "mind-ar/src/image-target/estimation/estimator.js" {
  export class Estimator {
    constructor(projection: number[][]);
    /** The pose, 3 × 4. */
    estimate(points: { screenCoords: unknown[]; worldCoords: unknown[] }): number[][] | null;
    refineEstimate(points: {
      initialModelViewTransform: number[][];
      screenCoords: unknown[];
      worldCoords: unknown[];
    }): number[][] | null;
  }
}

declare module "mind-ar/src/libs/one-euro-filter.js" {
  export class OneEuroFilter {
    constructor(options: { minCutOff: number; beta: number });
    reset(): void;
    filter(milliseconds: number, values: number[]): number[];
  }
}
