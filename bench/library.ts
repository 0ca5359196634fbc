// The imports of a page that compiles targets: measured for their size, and run in Chromium.

export { compile, compileTarget } from "../compiler/compile.ts";
export { loadKernels } from "../compiler/kernels/kernels.ts";
export { decodeMind } from "../compiler/mind.ts";
