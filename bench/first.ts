// Run by bench/compile.ts in a process of its own: compiles raw grey pixels again and again, and prints how many
// milliseconds each compilation took.
//
//   node bench/first.ts FILE WIDTH HEIGHT ROUNDS

import { readFileSync } from "node:fs";
import { compile } from "../compiler/compile.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { readKernelModule } from "../node/codecs.ts";

const [file, width, height, rounds] = process.argv.slice(2);
const images = [{ data: new Uint8Array(readFileSync(file)), width: Number(width), height: Number(height) }];
loadKernels(await readKernelModule());
const times: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const start = performance.now();
  compile(images);
  times.push(performance.now() - start);
}
console.log(JSON.stringify(times));
