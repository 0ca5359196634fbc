import type { CompileOptions, CompileProgress, GreyImage, ImageTarget } from "./types.ts";

/** Changes whenever the same image and options may give other bytes. Part of a marker's identity. */
export const COMPILER_VERSION = "1";

/** Longer side, in pixels, that a photo is reduced to unless the caller says otherwise. */
export const DEFAULT_MAX_SIZE = 1280;

export function compileTarget(
  _image: GreyImage,
  _options: CompileOptions = {},
  _onProgress: (progress: CompileProgress) => void = () => {},
): ImageTarget {
  throw new Error("being written");
}

export function compile(
  _images: readonly GreyImage[],
  _options: CompileOptions = {},
  _onProgress: (progress: CompileProgress) => void = () => {},
): Uint8Array {
  throw new Error("being written");
}
