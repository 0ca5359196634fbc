// The views in which a player must find a photo: mixed ones, and bins in which one difficulty grows.

import { planViews, type Random, seeded, type View } from "../recall/camera.ts";

export interface Bin {
  readonly name: string;
  readonly views: readonly View[];
}

type Range = readonly [number, number];

const DEGREE = Math.PI / 180;

/** Pixels of a frame's height: bins of size are given in pixels of the photo's longer side. */
const HEIGHT = 480;

/** One property of an otherwise easy view, and its range in each bin. */
const PROPERTIES: readonly {
  name: string;
  unit: string;
  ranges: readonly Range[];
  set(value: number): Partial<View>;
}[] = [
  {
    name: "tilt",
    unit: "°",
    ranges: [
      [50, 60],
      [60, 70],
      [70, 78],
    ],
    set: (value) => ({ tilt: value * DEGREE }),
  },
  {
    name: "longer side",
    unit: " px",
    ranges: [
      [38, 58],
      [58, 77],
      [77, 106],
      [106, 154],
    ],
    set: (value) => ({ size: value / HEIGHT }),
  },
  {
    name: "defocus",
    unit: " px",
    ranges: [
      [3, 4],
      [4, 5],
    ],
    set: (value) => ({ defocus: value }),
  },
  {
    name: "motion blur",
    unit: " px",
    ranges: [
      [10, 15],
      [15, 22],
      [22, 30],
    ],
    set: (value) => ({ motion: value }),
  },
  {
    name: "light ×",
    unit: "",
    ranges: [
      [0.08, 0.14],
      [1.8, 2.4],
    ],
    set: (value) => ({ exposure: value }),
  },
  {
    name: "covered",
    unit: " %",
    ranges: [
      [50, 60],
      [60, 70],
    ],
    set: (value) => ({ covered: value / 100 }),
  },
];

/** Returns the bins with their views: `mixed` of all difficulties together, and `each` of every other bin. */
export function planBins(mixed: number, each: number, seed: number): Bin[] {
  const bins: Bin[] = [{ name: "mixed", views: planViews(mixed, seed) }];
  for (const { name, unit, ranges, set } of PROPERTIES) {
    for (const [from, to] of ranges) {
      const binSeed = seed + bins.length;
      const random = seeded(binSeed);
      const views = Array.from({ length: each }, (_, i) => ({
        ...easyView(random, 1000 * binSeed + i),
        ...set(from + ((i + random()) / each) * (to - from)),
      }));
      bins.push({ name: `${name} ${from}–${to}${unit}`, views });
    }
  }
  return bins;
}

/** Returns a view of a photo 240 to 380 px long, nearly from the front, sharp, well lit and uncovered. */
function easyView(random: Random, seed: number): View {
  return {
    size: 0.5 + 0.3 * random(),
    tilt: 25 * DEGREE * random(),
    lean: 2 * Math.PI * random(),
    roll: 0.8 * (random() - 0.5),
    centre: [0.3 * (random() - 0.5), 0.3 * (random() - 0.5)],
    defocus: 0.5 + 0.4 * random(),
    motion: random(),
    motionAngle: Math.PI * random(),
    exposure: 0.6 + 0.5 * random(),
    noise: 1 + 2 * random(),
    covered: 0,
    coveredFrom: 2 * Math.PI * random(),
    seed,
  };
}
