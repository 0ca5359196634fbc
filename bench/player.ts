// Measures our player against MindAR's, on the same frames in the same order.
//
//   npm run bench:player -- find             finds photos in single frames
//   npm run bench:player -- find --quick     the same with few pictures, without writing results
//
// bench/player/find.ts describes the options.

import { run as find } from "./player/find.ts";

const BENCHMARKS: Readonly<Record<string, (options: readonly string[]) => Promise<void>>> = { find };

const [name, ...options] = process.argv.slice(2);
const run = BENCHMARKS[name];
if (!run)
  throw new Error(`Got the benchmark ${name}; expected one of ${Object.keys(BENCHMARKS).join(", ")}.`);
await run(options);
