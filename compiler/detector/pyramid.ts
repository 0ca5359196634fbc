// The scale space of one keyframe: for each octave above the first, the image smoothed twice and the difference
// of Gaussians. Octave 0 is never stored: octave 1 needs it row by row, and extrema at a few points only.

import { PLANE } from "../kernels/choice.ts";
import type { DetectorKernels, Room } from "../kernels/kernels.ts";
import { pyramidScratchBytes } from "../kernels/pyramid.ts";

const MIN_OCTAVE_SIDE = 8;
export const MAX_OCTAVES = 5;

/** Pixels between planes of the same array, because vectors run over a plane's end. */
const SPARE = 16;

/** An octave above the first; planes are row-major, in grey levels. */
interface Octave {
  readonly width: number;
  readonly height: number;
  /** Smoothed twice. */
  readonly twice: Float32Array;
  /** Smoothed once minus smoothed twice. */
  readonly dog: Float32Array;
}

export interface Pyramid {
  readonly kernels: DetectorKernels;
  /** The keyframe itself, row-major, `width` × `height`. */
  readonly grey: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Octave `i + 1` at index `i`; a pixel is 2^(i + 1) keyframe pixels wide. */
  readonly octaves: readonly Octave[];
  /** The memory of all octaves' planes, for kernels, and their places in it (see PLANE). */
  readonly dogs: Float32Array;
  readonly twices: Float32Array;
  readonly planes: Int32Array;
}

/** Planes for the pyramids of images up to a given size. Each pyramid overwrites the previous one. */
export interface PyramidBuffers {
  readonly kernels: DetectorKernels;
  readonly grey: Uint8Array;
  readonly scratch: Uint8Array;
  readonly octaves: readonly { readonly twice: Float32Array; readonly dog: Float32Array }[];
  readonly dogs: Float32Array;
  readonly twices: Float32Array;
  readonly planes: Int32Array;
}

/** Allocates planes for images of at most `pixels` pixels with sides of at most `side`. */
export function layPyramid(
  room: Room,
  kernels: DetectorKernels,
  pixels: number,
  side: number,
): PyramidBuffers {
  const sizes = Array.from({ length: MAX_OCTAVES - 1 }, (_, i) => pixels >> (2 * (i + 1)));
  const length = sizes.reduce((sum, size) => sum + size + SPARE, 0);
  const dogs = room.float32(length);
  const twices = room.float32(length);
  let start = 0;
  return {
    kernels,
    grey: room.uint8(pixels),
    scratch: room.uint8(pyramidScratchBytes(side)),
    octaves: sizes.map((size) => {
      const [twice, dog] = [twices, dogs].map((plane) => plane.subarray(start, start + size));
      start += size + SPARE;
      return { twice, dog };
    }),
    dogs,
    twices,
    planes: room.int32(PLANE * sizes.length),
  };
}

/** Returns the number of octaves of an image: at most 5, each with sides of 8 pixels or more. */
export function countOctaves(width: number, height: number): number {
  let side = Math.min(width, height);
  let octaves = 0;
  while (side >= MIN_OCTAVE_SIDE && octaves < MAX_OCTAVES) {
    side /= 2;
    octaves++;
  }
  return octaves;
}

/** Builds the pyramid of the image in `buffers.grey`. */
export function buildPyramid(width: number, height: number, buffers: PyramidBuffers): Pyramid {
  const { kernels, grey, scratch, dogs, twices, planes } = buffers;
  const octaves: Octave[] = [];
  for (let i = 1, w = width, h = height; i < countOctaves(width, height); i++) {
    const octave = { width: w >> 1, height: h >> 1, ...buffers.octaves[i - 1] };
    // Image 1 is stored in `dog`, and the difference replaces it.
    if (i === 1) kernels.halveSmoothed(grey, w, h, scratch, octave.dog);
    else kernels.halve(octaves[i - 2].twice, w, h, octave.dog);
    kernels.smoothAndSubtract(octave.dog, octave.width, octave.height, scratch, octave.twice);
    octaves.push(octave);
    const start = (octave.dog.byteOffset - dogs.byteOffset) / dogs.BYTES_PER_ELEMENT;
    planes.set([start, octave.width, octave.height], PLANE * (i - 1));
    w = octave.width;
    h = octave.height;
  }
  return { kernels, grey, width, height, octaves, dogs, twices, planes };
}
