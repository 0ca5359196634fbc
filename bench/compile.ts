// Our compiler beside mind-ar 1.2.5, on the same grey pixels: in Node against its OfflineCompiler, and in
// headless Chromium against its browser compiler (software WebGL).
//
//   npm run bench             all images; minutes, because mind-ar is slow
//   npm run bench -- --quick  the small ones

import { compileTarget } from "../compiler/compile.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import type { GreyImage, ImageTarget } from "../compiler/types.ts";
import { readKernelModule } from "../node/codecs.ts";
import {
  compareTargets,
  compileReference,
  loadPhoto,
  type ReferenceTarget,
} from "../test/compiler/oracle.ts";
import { openPage, type Page } from "./page.ts";

interface Picture {
  readonly photo: string;
  readonly width: number;
  readonly height: number;
  /** Rounds of mind-ar in Node; each is followed by OUR_ROUNDS of ours. */
  readonly rounds: number;
}

const OUR_ROUNDS = 5;

const PICTURES: readonly Picture[] = [
  { photo: "french-alpine-landscape", width: 674, height: 372, rounds: 2 },
  { photo: "dust-bowl-home", width: 800, height: 800, rounds: 2 },
  { photo: "allium-oreophilum", width: 1080, height: 1920, rounds: 1 },
  { photo: "airplane-from-above", width: 1654, height: 1654, rounds: 1 },
];

const QUICK: readonly Picture[] = PICTURES.slice(0, 2).map((picture) => ({ ...picture, rounds: 1 }));

/** No reduction: mind-ar knows none. */
const OPTIONS = { maxSize: Number.POSITIVE_INFINITY };

async function main(): Promise<void> {
  loadKernels(await readKernelModule());
  const pictures = process.argv.includes("--quick") ? QUICK : PICTURES;
  console.log(`\nNode ${process.version}: compiler/ and mind-ar's OfflineCompiler, milliseconds`);
  printRow("image", "rounds", "mind-ar", "ours", "min … max", "ratio", "agreement");
  for (const picture of pictures) await compareInNode(picture);

  const page = await openPage();
  try {
    console.log(
      `\nChromium ${page.version}: compiler/ and mind-ar's Compiler, milliseconds, second run of each`,
    );
    printRow("image", "", "mind-ar", "ours", "", "ratio", "agreement");
    for (const picture of pictures) await compareInBrowser(page, picture);
  } finally {
    await page.close();
  }
}

async function compareInNode({ photo, width, height, rounds }: Picture): Promise<void> {
  const image = await loadPhoto(photo, width, height);
  const ours: number[] = [];
  const theirs: number[] = [];
  let target: ImageTarget = compileTarget(image, OPTIONS); // warms up
  let reference: ReferenceTarget | undefined;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    [reference] = (await quietly(() => compileReference(image))).targets;
    theirs.push(performance.now() - start);
    for (let i = 0; i < OUR_ROUNDS; i++) {
      const begin = performance.now();
      target = compileTarget(image, OPTIONS);
      ours.push(performance.now() - begin);
    }
  }
  const differences = compareTargets(target, reference!);
  printRow(
    `${width} × ${height}`,
    `${theirs.length} + ${ours.length}`,
    median(theirs).toFixed(0),
    median(ours).toFixed(0),
    `${Math.min(...ours).toFixed(0)} … ${Math.max(...ours).toFixed(0)}`,
    `${(median(theirs) / median(ours)).toFixed(0)} ×`,
    differences.length === 0 ? `equal, ${checksum(target)}` : `DIFFERS at ${differences[0].path}`,
  );
  if (differences.length > 0) {
    console.error(differences);
    process.exitCode = 1;
  }
}

async function compareInBrowser(page: Page, { photo, width, height }: Picture): Promise<void> {
  const image: GreyImage = await loadPhoto(photo, width, height);
  const { theirs, ours, points, shared } = await page.compare(image);
  printRow(
    `${width} × ${height}`,
    "",
    theirs.toFixed(0),
    ours.toFixed(0),
    "",
    `${(theirs / ours).toFixed(1)} ×`,
    `${shared} of ${points} points shared`,
  );
}

/** The points of all keyframes and of the smaller tracking image: something that the timing cannot fake. */
function checksum(target: ImageTarget): string {
  const points = target.keyframes.reduce((sum, { maxima, minima }) => sum + maxima.count + minima.count, 0);
  return `${points} points, ${target.tracking[1].points.length} tracked`;
}

/** TensorFlow.js greets whoever loads it on stderr. */
async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

const WIDTHS = [13, 9, 9, 8, 14, 8];

function printRow(...cells: readonly string[]): void {
  console.log(
    cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[i] ?? 0))).join("  "),
  );
}

await main();
