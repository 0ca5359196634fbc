import jpegDecode from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";
import jpegEncode from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm";
// @ts-expect-error The package describes what is inside the module, not the module.
import pngDecode from "@jsquash/png/codec/pkg/squoosh_png_bg.wasm";
import webpDecode from "@jsquash/webp/codec/dec/webp_dec.wasm";
import { expect, inject, test } from "vitest";
import { loadCodecs } from "../../../compiler/image/codecs.ts";
import { compilePhoto } from "../../../compiler/photo.ts";
import { sha256 } from "../../../worker/sha256.ts";

test("a photo gives the same marker bytes in workerd as in Node", async () => {
  loadCodecs({ jpegDecode, pngDecode, webpDecode, jpegEncode });
  const photo = Uint8Array.from(atob(inject("photo")), (character) => character.charCodeAt(0));
  const { marker } = await compilePhoto(photo, { maxSize: 400 });
  expect(await sha256(marker as Uint8Array<ArrayBuffer>)).toBe(inject("markerSha256"));
});
