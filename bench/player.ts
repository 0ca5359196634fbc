// Measures our player against MindAR's, on the same frames in the same order.
//
//   npm run bench:player -- find             finds photos in single frames
//   npm run bench:player -- find --quick     the same with few pictures, without writing results
//
// bench/player/find.ts describes the options.

const BENCHMARKS: Readonly<
  Record<string, () => Promise<{ run(options: readonly string[]): Promise<void> }>>
> = {
  find: () => import("./player/find.ts"),
};

const [name, ...options] = process.argv.slice(2);
const load = BENCHMARKS[name];
if (!load)
  throw new Error(`Got the benchmark ${name}; expected one of ${Object.keys(BENCHMARKS).join(", ")}.`);
await (await load()).run(options);
