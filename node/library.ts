// The public API of `vivimark/node`: what the package offers in Node, in addition to the compiler.

import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadPngEncoder } from "../compiler/image/png.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { readCompileModules } from "./codecs.ts";

export { type CompilePhotosOptions, compilePhotos, type ScorePhotosOptions, scorePhotos } from "./photos.ts";

/**
 * Prepares `decodeImage`, `compilePhoto` and `encodePng` in this thread. Call it once, before the first of
 * them. `compile` works without it, but more slowly. `compilePhotos` and `scorePhotos` prepare their own
 * threads.
 */
export async function prepareCompiler(): Promise<void> {
  const { codecs, kernels } = await readCompileModules();
  loadKernels(kernels);
  await Promise.all([loadCodecs(codecs), loadPngEncoder(codecs.pngDecode)]);
}
