import { readFileSync } from "node:fs";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import { loadPlayerKernels } from "../../player/kernels.ts";

export const KERNELS_WASM = new URL("../../compiler/wasm/kernels.wasm", import.meta.url);
export const PLAYER_WASM = new URL("../../compiler/wasm/player.wasm", import.meta.url);

export const kernelModule = new WebAssembly.Module(readFileSync(KERNELS_WASM));
export const playerModule = new WebAssembly.Module(readFileSync(PLAYER_WASM));

// Setup of every test: as in every host, the vector kernels do the work.
loadKernels(kernelModule);
loadPlayerKernels(playerModule);
