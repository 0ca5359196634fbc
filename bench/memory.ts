// Run by bench/compile.ts in a process of its own: compiles raw grey pixels once and prints how many bytes the
// process's peak memory exceeds its memory with the pixels and all modules loaded.
//
//   node bench/memory.ts FILE WIDTH HEIGHT

import { readFileSync } from "node:fs";
import { compile } from "../compiler/compile.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { readKernelModule } from "../node/codecs.ts";

const [file, width, height] = process.argv.slice(2);
const data = new Uint8Array(readFileSync(file));
loadKernels(await readKernelModule());
const before = process.memoryUsage.rss();
compile([{ data, width: Number(width), height: Number(height) }], { maxSize: Number.POSITIVE_INFINITY });
console.log(peakBytes() - before);

/** Returns the largest resident set so far. getrusage may include the parent's, before this program. */
function peakBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const [, kibibytes] = readFileSync("/proc/self/status", "utf8").match(/^VmHWM:\s*(\d+) kB$/m)!;
  return Number(kibibytes) * 1024;
}
