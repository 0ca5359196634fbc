// The kernels that a page with the player downloads: those of a frame's feature points, and the player's own.

export { chooseExtrema } from "./choice";
export { findPlaneExtrema } from "./extrema";
export { describePoints } from "./freak";
export { firstFreeByte } from "./heap";
export { nearestDescriptors } from "./matching";
export { findAngles } from "./orientation";
export { samplePatches } from "./patches";
export { baseDifferences, halve, halveGrey, halveSmoothed, smoothAndSubtract } from "./pyramid";
