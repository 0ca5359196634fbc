import { compileTarget } from "./compile.ts";
import { decodeImage, toGrey } from "./image/decode.ts";
import { makePreviews, type Previews } from "./image/previews.ts";
import { encodeMind } from "./mind.ts";
import { type Quality, type ScoredPlayer, scoreImage } from "./quality.ts";
import { assertTrackable } from "./trackable.ts";
import type { CompileOptions, CompileProgress, GreyImage } from "./types.ts";

export interface PreviewedPhoto extends Previews {
  /** Upright size of the photo, pixels. */
  readonly width: number;
  readonly height: number;
}

export interface CompiledMarker {
  /** A `.mind` file of one target. */
  readonly marker: Uint8Array;
  /** Upright size of the photo, pixels. */
  readonly width: number;
  readonly height: number;
  /** Wall-clock time it took. */
  readonly milliseconds: number;
}

export interface CompiledPhoto extends CompiledMarker, PreviewedPhoto {}

type OnProgress = (progress: CompileProgress) => void;

/**
 * Compiles the bytes of a photo into a checked marker. The same file and options give the same marker in every host.
 * Call `loadCodecs` first.
 *
 * Reports progress through `decode`, `resize`, `match`, `track` and `encode`, in this order; `done` rises
 * within each stage.
 *
 * @throws CompileError when the photo can never become a marker
 */
export async function compileMarker(
  bytes: Uint8Array,
  options: CompileOptions = {},
  onProgress: OnProgress = () => {},
): Promise<CompiledMarker> {
  const start = Date.now();
  onProgress({ stage: "decode", done: 0, total: 2 });
  const grey = toGrey(await decodeImage(bytes));
  onProgress({ stage: "decode", done: 2, total: 2 });
  return compileGrey(grey, start, options, onProgress);
}

/**
 * Compiles a photo like `compileMarker`, and makes two smaller pictures of it: the whole work of an executor. Making
 * the pictures takes longer than compiling.
 *
 * @throws CompileError when the photo can never become a marker
 */
export async function compilePhoto(
  bytes: Uint8Array,
  options: CompileOptions = {},
  onProgress: OnProgress = () => {},
): Promise<CompiledPhoto> {
  const start = Date.now();
  onProgress({ stage: "decode", done: 0, total: 2 });
  const { grey, previews } = await readPhoto(bytes, onProgress);
  return { ...compileGrey(grey, start, options, onProgress), ...previews };
}

function compileGrey(
  grey: GreyImage,
  start: number,
  options: CompileOptions,
  onProgress: OnProgress,
): CompiledMarker {
  const target = compileTarget(grey, options, onProgress);
  assertTrackable(target);
  onProgress({ stage: "encode", done: 0, total: 1 });
  const marker = encodeMind([target]);
  onProgress({ stage: "encode", done: 1, total: 1 });
  const { width, height } = grey;
  return { marker, width, height, milliseconds: Date.now() - start };
}

export interface ScoreOptions extends Pick<CompileOptions, "maxSize"> {
  /** Whose success is predicted. Default: "vivimark", our player. */
  readonly player?: ScoredPlayer;
}

export interface ScoredPhoto {
  readonly quality: Quality;
  /** Upright size of the photo, pixels. */
  readonly width: number;
  readonly height: number;
  /** Wall-clock time it took. */
  readonly milliseconds: number;
}

/**
 * Scores how well a camera will find the photo, without compiling it. The score equals that of the marker that
 * `compilePhoto` makes with the same `maxSize`; photos that `compilePhoto` would refuse get a score too.
 * Call `loadCodecs` first.
 *
 * @throws CompileError when the bytes are not a photo, or for an unknown player
 */
export async function scorePhoto(
  bytes: Uint8Array,
  { maxSize, player }: ScoreOptions = {},
): Promise<ScoredPhoto> {
  const start = Date.now();
  const grey = toGrey(await decodeImage(bytes));
  const quality = scoreImage(grey, maxSize, player);
  return { quality, width: grey.width, height: grey.height, milliseconds: Date.now() - start };
}

/**
 * Makes the smaller pictures of a photo that is compiled already: the same as those of `compilePhoto`. Call `loadCodecs`
 * first.
 *
 * @throws CompileError when the bytes are not a photo
 */
export async function previewPhoto(bytes: Uint8Array): Promise<PreviewedPhoto> {
  const rgba = await decodeImage(bytes);
  return { ...(await makePreviews(rgba)), width: rgba.width, height: rgba.height };
}

/** Reads a photo in a scope of its own, so that its RGBA pixels are freed before compiling starts. */
async function readPhoto(bytes: Uint8Array, onProgress: OnProgress) {
  const rgba = await decodeImage(bytes);
  onProgress({ stage: "decode", done: 1, total: 2 });
  const previews = await makePreviews(rgba);
  const grey = toGrey(rgba);
  onProgress({ stage: "decode", done: 2, total: 2 });
  return { grey, previews };
}
