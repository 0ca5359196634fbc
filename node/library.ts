// What the package `vivimark` gives to programs in Node, beside the compiler itself: `vivimark/node`.

import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadPngEncoder } from "../compiler/image/png.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { readCompileModules } from "./codecs.ts";

export { type CompilePhotosOptions, compilePhotos, type ScorePhotosOptions, scorePhotos } from "./photos.ts";

/**
 * Readies `decodeImage`, `compilePhoto` and `encodePng` in this thread; once, before the first call. `compile`
 * works without, only slower.
 * `compilePhotos` does so in its own threads.
 */
export async function prepareCompiler(): Promise<void> {
  const { codecs, kernels } = await readCompileModules();
  loadKernels(kernels);
  await Promise.all([loadCodecs(codecs), loadPngEncoder(codecs.pngDecode)]);
}
