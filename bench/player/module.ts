import { readFile } from "node:fs/promises";

/** Compiles the player's kernels. */
export async function readPlayerModule(): Promise<object> {
  return WebAssembly.compile(await readFile(new URL("../../compiler/wasm/player.wasm", import.meta.url)));
}

declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };
