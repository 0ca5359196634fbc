import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { CodecModules, CodecSources } from "../compiler/image/codecs.ts";
import type { CompileModules } from "./protocol.ts";

/** A global of Node that its types lack. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

const require = createRequire(import.meta.url);

/** The image codecs in node_modules, each compiled when it is called. */
export const CODEC_SOURCES = {
  jpegDecode: () => compileCodec("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
  pngDecode: () => compileCodec("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"),
  webpDecode: () => compileCodec("@jsquash/webp/codec/dec/webp_dec.wasm"),
  jpegEncode: () => compileCodec("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm"),
} satisfies CodecSources;

async function compileCodec(path: string): Promise<object> {
  return WebAssembly.compile(await readFile(require.resolve(path)));
}

/** Compiles all image codecs. The modules can be sent to threads. */
async function readCodecModules(): Promise<CodecModules> {
  const [jpegDecode, pngDecode, webpDecode, jpegEncode] = await Promise.all([
    CODEC_SOURCES.jpegDecode(),
    CODEC_SOURCES.pngDecode(),
    CODEC_SOURCES.webpDecode(),
    CODEC_SOURCES.jpegEncode(),
  ]);
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
