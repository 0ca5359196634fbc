// What a page or a program imports to compile targets: measured for its size, and run in Chromium.

export { compile, compileTarget } from "../compiler/compile.ts";
export { loadKernels } from "../compiler/kernels/kernels.ts";
export { decodeMind } from "../compiler/mind.ts";
