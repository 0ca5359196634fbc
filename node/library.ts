// The public API of `vivimark/node`: what the package offers in Node, in addition to the compiler.

import { loadCodecs } from "../compiler/image/codecs.ts";
import { loadKernels } from "../compiler/kernels/kernels.ts";
import { CODEC_SOURCES, readKernelModule } from "./codecs.ts";

export {
  type CompilePhotosOptions,
  compileMarkers,
  compilePhotos,
  type ScorePhotosOptions,
  scorePhotos,
} from "./photos.ts";

/**
 * Prepares `decodeImage`, `compileMarker`, `compilePhoto` and `encodePng` in this thread. Call it once, before the
 * first of them. `compile` works without it, but more slowly. `compilePhotos` and its like prepare their own threads.
 */
export async function prepareCompiler(): Promise<void> {
  loadCodecs(CODEC_SOURCES);
  loadKernels(await readKernelModule());
}
