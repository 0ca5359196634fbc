import { afterAll, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { loadKernels } from "../../../compiler/kernels/kernels.ts";
import { decodeMind } from "../../../compiler/mind.ts";
import kernels from "../../../compiler/wasm/kernels.wasm";
import { paintCollage } from "../../compiler/pictures.ts";

afterAll(() => loadKernels(null));

test("the compiler runs in workerd, its WebAssembly and TypeScript kernels to the same bytes", () => {
  const image = paintCollage(203, 177);
  const [fast, plain] = [kernels, null].map((module) => {
    loadKernels(module);
    return compile([image]);
  });
  expect(fast).toEqual(plain);
  const [target] = decodeMind(fast);
  expect(target.keyframes[0].maxima.count).toBeGreaterThan(50);
});
