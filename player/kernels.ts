import { DETECTOR_KERNELS, type Kernels, openKernels } from "../compiler/kernels/kernels.ts";
import { nearestDescriptors } from "../compiler/kernels/matching.ts";
import { samplePatches } from "../compiler/kernels/patches.ts";
import { halveGrey } from "../compiler/kernels/pyramid.ts";

/** The kernels of the player, in TypeScript. */
export const PLAYER_KERNELS = { ...DETECTOR_KERNELS, nearestDescriptors, samplePatches, halveGrey };

export type PlayerKernels = Kernels<typeof PLAYER_KERNELS>;

/** The `WebAssembly.Module` of compiler/wasm/player.wasm, once a host has loaded it. */
let loaded: object | null = null;

/** Makes the player's kernels fast. Call it once, before the first tracker. See `loadKernels`. */
export function loadPlayerKernels(module: object | null): void {
  loaded = module;
}

/** Opens the player's kernels with a memory of their own. */
export function openPlayerKernels(): PlayerKernels {
  return openKernels(PLAYER_KERNELS, loaded);
}
