// Compares this working tree's compiler with that of another revision, alternating in one process.
//
//   npm run bench:compare -- REVISION

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { compile } from "../compiler/compile.ts";
import type { loadKernels } from "../compiler/kernels/kernels.ts";
import { loadPhoto } from "../test/compiler/oracle.ts";
import { median, spread, type Time, time } from "./statistics.ts";

const PICTURES = [
  ["french-alpine-landscape", 674, 372, 20],
  ["allium-oreophilum", 1080, 1920, 12],
  ["airplane-from-above", 1654, 1654, 12],
] as const;

const WARM_UP_ROUNDS = 4;
const OPTIONS = { maxSize: Number.POSITIVE_INFINITY };

/** A global of Node that its types lack. */
declare const WebAssembly: { Module: new (bytes: Uint8Array) => object };

const root = fileURLToPath(new URL("..", import.meta.url));

/** Loads the compiler of a checkout, with its kernels if it has any. */
async function openCompiler(folder: string): Promise<typeof compile> {
  const load = (path: string) => import(pathToFileURL(join(folder, path)).href);
  const wasm = join(folder, "compiler/wasm/kernels.wasm");
  if (existsSync(wasm)) {
    const kernels = (await load("compiler/kernels/kernels.ts")) as { loadKernels: typeof loadKernels };
    kernels.loadKernels(new WebAssembly.Module(readFileSync(wasm)));
  }
  return ((await load("compiler/compile.ts")) as { compile: typeof compile }).compile;
}

async function compare(revision: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vivimark-compare-"));
  const git = (...args: string[]) => execFileSync("git", ["-C", root, ...args], { stdio: "pipe" });
  git("worktree", "add", "--detach", folder, revision);
  try {
    const sides = await Promise.all([folder, root].map(openCompiler));
    console.log(`Milliseconds of CPU time, median (least … most): ${revision}, this tree`);
    for (const [photo, width, height, rounds] of PICTURES) {
      const image = await loadPhoto(photo, width, height);
      const times: Time[][] = [[], []];
      let results: Uint8Array[] = [];
      for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
        const runs = [];
        for (const side of sides) runs.push(await time(() => side([image], OPTIONS)));
        results = runs.map(({ result }) => result);
        if (round < 0) continue;
        for (const [i, run] of runs.entries()) times[i].push(run.time);
      }
      const [before, after] = times.map((side) => side.map(({ cpu }) => cpu));
      const ratio = median(before) / median(after);
      const same = Buffer.from(results[0]).equals(Buffer.from(results[1]));
      console.log(
        `${width} × ${height}`.padEnd(12),
        spread(before).padStart(18),
        spread(after).padStart(18),
        `${ratio.toFixed(2)} ×`.padStart(8),
        same ? "the same bytes" : "DIFFERENT BYTES",
      );
    }
  } finally {
    git("worktree", "remove", "--force", folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

const [revision] = process.argv.slice(2);
if (!revision) {
  console.error("The revision is missing. Example: npm run bench:compare -- HEAD~1");
  process.exit(2);
}
await compare(revision);
