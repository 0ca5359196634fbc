// Measures the stages of a compilation, and the kernels within them.
//
//   node bench/profile.ts [WIDTH HEIGHT]

import { compile } from "../compiler/compile.ts";
import { loadKernels, stageKernels } from "../compiler/kernels/kernels.ts";
import type { CompileStage } from "../compiler/types.ts";
import { readKernelModule } from "../node/codecs.ts";
import { loadPhoto } from "../test/compiler/oracle.ts";
import { median } from "./statistics.ts";

const WARM_UP_ROUNDS = 5;
const ROUNDS = 15;

const [width = 1654, height = 1654] = process.argv.slice(2).map(Number);
const image = await loadPhoto("airplane-from-above", width, height);
loadKernels(await readKernelModule());

/** Milliseconds of the current round, by name. */
const spent = new Map<string, number>();

function add(name: string, milliseconds: number): void {
  spent.set(name, (spent.get(name) ?? 0) + milliseconds);
}

for (const stage of ["match", "cluster", "track"] as const) {
  const kernels = stageKernels(stage) as Record<string, unknown>;
  for (const [name, kernel] of Object.entries(kernels)) {
    if (typeof kernel !== "function" || name === "place") continue;
    kernels[name] = (...args: unknown[]) => {
      const start = performance.now();
      const result = kernel(...args);
      add(`  ${name}`, performance.now() - start);
      return result;
    };
  }
}

const rounds: Map<string, number>[] = [];
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
  spent.clear();
  const begin = performance.now();
  let start = begin;
  let current: CompileStage = "resize";
  compile([image], { maxSize: Number.POSITIVE_INFINITY }, ({ stage }) => {
    const now = performance.now();
    add(current, now - start);
    current = stage;
    start = now;
  });
  add("all", performance.now() - begin);
  if (round >= 0) rounds.push(new Map(spent));
}

console.log(`${width} × ${height}, Node ${process.version}: milliseconds, median of ${ROUNDS}`);
const names = [...rounds[0].keys()].sort((a, b) => Number(a.startsWith(" ")) - Number(b.startsWith(" ")));
for (const name of names) {
  console.log(
    name.padEnd(22),
    median(rounds.map((each) => each.get(name) ?? 0))
      .toFixed(1)
      .padStart(8),
  );
}
