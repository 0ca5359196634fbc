// Measures our player against MindAR's, on the same frames in the same order.
//
//   npm run bench:player -- find             finds photos in single frames
//   npm run bench:player -- find --quick     the same with few pictures, without writing results
//   npm run bench:player -- absent           looks for photos in frames that do not show them
//   npm run bench:player -- photographs      finds photos in real photographs
//   npm run bench:player -- follow           follows photos through films
//
// The files in bench/player/ describe the options.

import { runAbsent as absent, run as find } from "./player/find.ts";
import { run as follow } from "./player/follow.ts";
import { run as photographs } from "./player/photographs.ts";

const BENCHMARKS: Readonly<Record<string, (options: readonly string[]) => Promise<void>>> = {
  find,
  absent,
  photographs,
  follow,
};

const [name, ...options] = process.argv.slice(2);
const run = BENCHMARKS[name];
if (!run)
  throw new Error(`Got the benchmark ${name}; expected one of ${Object.keys(BENCHMARKS).join(", ")}.`);
await run(options);
