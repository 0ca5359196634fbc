import type { GreyImage } from "../types.ts";

/** Measures of the grey levels of a tracking image. */
export interface Tones {
  readonly mean: number;
  /** The 1st and the 99th percentile of the grey levels. */
  readonly darkest: number;
  readonly brightest: number;
  /** Root mean square of second differences over that of first ones: about 1 if sharp, 0.2 if soft. */
  readonly crispness: number;
  /** Standard deviation of the grey levels. */
  readonly deviation: number;
  /** Root mean square of the change of grey levels from pixel to pixel. */
  readonly slope: number;
}

export function measureTones({ data, width, height }: GreyImage): Tones {
  const histogram = new Uint32Array(256);
  let sum = 0;
  let squares = 0;
  for (const grey of data) {
    histogram[grey]++;
    sum += grey;
    squares += grey * grey;
  }
  let first = 0;
  let second = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const [left, right, above, below] = [data[at - 1], data[at + 1], data[at - width], data[at + width]];
      first += (right - left) ** 2 + (below - above) ** 2;
      second += (4 * data[at] - left - right - above - below) ** 2;
    }
  }
  const mean = sum / data.length;
  const inner = Math.max(1, (width - 2) * (height - 2));
  return {
    mean,
    darkest: quantile(histogram, data.length * 0.01),
    brightest: quantile(histogram, data.length * 0.99),
    crispness: first === 0 ? 0 : Math.sqrt(second / first),
    deviation: Math.sqrt(Math.max(0, squares / data.length - mean ** 2)),
    slope: Math.sqrt(first / inner) / 2,
  };
}

function quantile(histogram: Uint32Array, count: number): number {
  let below = 0;
  return histogram.findIndex((pixels) => {
    below += pixels;
    return below >= count;
  });
}
