import jpegDecodeUrl from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url";
import jpegEncodeUrl from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm?url";
import pngUrl from "@jsquash/png/codec/pkg/squoosh_png_bg.wasm?url";
import webpDecodeUrl from "@jsquash/webp/codec/dec/webp_dec.wasm?url";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { loadKernels } from "../../compiler/kernels/kernels.ts";
import kernelsUrl from "../../compiler/wasm/kernels.wasm?url";

/** Loads the kernels and the image codecs in this worker. Called once, before the first photo. */
export async function loadCompiler(): Promise<void> {
  const wasm = (url: string) => WebAssembly.compileStreaming(fetch(url));
  const [kernels, jpegDecode, pngDecode, webpDecode, jpegEncode] = await Promise.all([
    // Browsers without WebAssembly SIMD use the TypeScript kernels: slower, but with the same result.
    wasm(kernelsUrl).catch(() => null),
    wasm(jpegDecodeUrl),
    wasm(pngUrl),
    wasm(webpDecodeUrl),
    wasm(jpegEncodeUrl),
  ]);
  loadKernels(kernels);
  loadCodecs({ jpegDecode, pngDecode, webpDecode, jpegEncode });
}
