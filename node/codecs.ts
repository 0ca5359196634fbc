import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { CodecModules } from "../compiler/image/codecs.ts";
import type { CompileModules } from "./protocol.ts";

/** A global of Node that its types lack. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

const require = createRequire(import.meta.url);

/** Compiles the image codecs from node_modules. The modules can be sent to threads. */
export async function readCodecModules(): Promise<CodecModules> {
  const [jpegDecode, pngDecode, webpDecode, jpegEncode] = await Promise.all(
    [
      "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm",
      "@jsquash/png/codec/pkg/squoosh_png_bg.wasm",
      "@jsquash/webp/codec/dec/webp_dec.wasm",
      "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm",
    ].map(async (path) => WebAssembly.compile(await readFile(require.resolve(path)))),
  );
  return { jpegDecode, pngDecode, webpDecode, jpegEncode };
}

/** Compiles the compiler's own kernels. The module can be sent to threads. */
export async function readKernelModule(): Promise<object> {
  return WebAssembly.compile(await readFile(new URL("../compiler/wasm/kernels.wasm", import.meta.url)));
}

/** Compiles all modules that a compile thread needs. */
export async function readCompileModules(): Promise<CompileModules> {
  const [codecs, kernels] = await Promise.all([readCodecModules(), readKernelModule()]);
  return { codecs, kernels };
}
