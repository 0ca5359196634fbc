// The WebAssembly twins of compiler/kernels, but for the player's, which are in player.ts. compiler/kernels documents what
// each kernel computes and why. The twins compute the same four, eight or sixteen values at a time.
//
// Arguments named like arrays are addresses in the module's memory. Nothing is allocated here: the host
// places arrays from `firstFreeByte` on, with at least 16 spare bytes after each, because vectors run over
// the end of a row.

export { averageBoxes } from "./boxes";
export { chooseExtrema } from "./choice";
export { findPlaneExtrema } from "./extrema";
export { describePoints } from "./freak";
export { firstFreeByte } from "./heap";
export { chooseMedoids, hammingDistances, hammingRow } from "./medoids";
export { findAngles } from "./orientation";
export { baseDifferences, halve, halveSmoothed, smoothAndSubtract } from "./pyramid";
export { sampleLine } from "./sampling";
export { choosePoints, findCorners, sumTemplates } from "./tracking";
