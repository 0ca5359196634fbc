// The WebAssembly twins of compiler/kernels, which documents what each kernel computes and why. The twins
// compute the same four, eight or sixteen values at a time.
//
// Arguments named like arrays are addresses in the module's memory. Nothing is allocated here: the host
// places arrays from `firstFreeByte` on, with at least 16 spare bytes after each, because vectors run over
// the end of a row.

export { averageBoxes } from "./boxes";
export { findPlaneExtrema } from "./extrema";
export { describePoint } from "./freak";
export { nearestDescriptors } from "./matching";
export { chooseMedoids, hammingDistances, hammingRow } from "./medoids";
export { peakAngle } from "./orientation";
export { samplePatches } from "./patches";
export { baseDifferences, halve, halveGrey, halveSmoothed, smoothAndSubtract } from "./pyramid";
export { sampleLine } from "./sampling";
export { correlate } from "./templates";

export function firstFreeByte(): usize {
  return (__heap_base + 63) & ~63;
}
