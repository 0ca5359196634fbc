// Paints pictures from formulas: the same on every machine.

import type { GreyImage } from "../../compiler/types.ts";

/** Paints a grey image with `value` at every pixel, rounded and limited to 0…255. */
export function paint(width: number, height: number, value: (x: number, y: number) => number): GreyImage {
  const data = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) data[i] = Math.min(Math.max(Math.round(value(x, y)), 0), 255);
  }
  return { data, width, height };
}

/** Returns a generator of seeded numbers in 0…1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Blob {
  readonly x: number;
  readonly y: number;
  /** Standard deviation in pixels. */
  readonly sigma: number;
  /** Grey levels above the background; negative for a dark blob. */
  readonly height: number;
}

/** Paints Gaussian blobs on mid-grey. */
export function paintBlobs(width: number, height: number, blobs: readonly Blob[]): GreyImage {
  return paint(width, height, (x, y) =>
    blobs.reduce(
      (sum, b) => sum + b.height * Math.exp(-((x - b.x) ** 2 + (y - b.y) ** 2) / (2 * b.sigma * b.sigma)),
      128,
    ),
  );
}

/**
 * Paints everything that causes ties and touches borders: tiles of noise in few grey levels, a checkerboard, a
 * ramp, a flat area, and discs at the edge.
 */
export function paintCollage(width: number, height: number): GreyImage {
  const random = randomNumbers(7);
  const noise = Array.from({ length: 64 * 64 }, () => random());
  return paint(width, height, (x, y) => {
    if (Math.hypot(x - width, y - height / 2) < height / 6) return 250;
    if (Math.hypot(x, y - height) < height / 5) return 5;
    const tile = Math.floor((4 * x) / width) + 4 * Math.floor((4 * y) / height);
    if (tile % 4 === 0) return 32 * Math.floor(8 * noise[((y >> 1) % 64) * 64 + ((x >> 1) % 64)]);
    if (tile % 4 === 1) return ((x >> 3) + (y >> 3)) % 2 === 0 ? 40 : 210;
    if (tile % 4 === 2) return (x + 2 * y) % 256;
    return 16 * Math.floor(16 * noise[((y >> 3) % 64) * 64 + ((x >> 3) % 64)]);
  });
}

/** Paints rectangles of random grey: many corners and therefore many feature points. */
export function paintBlocks(width: number, height: number, seed: number): GreyImage {
  const random = randomNumbers(seed);
  const data = new Uint8Array(width * height).fill(128);
  for (let i = 0; i < 400; i++) {
    const left = Math.floor(random() * width);
    const top = Math.floor(random() * height);
    const right = Math.min(width, left + 4 + Math.floor(random() * 14));
    const bottom = Math.min(height, top + 4 + Math.floor(random() * 14));
    const grey = Math.floor(random() * 256);
    for (let y = top; y < bottom; y++) data.fill(grey, y * width + left, y * width + right);
  }
  return { data, width, height };
}
