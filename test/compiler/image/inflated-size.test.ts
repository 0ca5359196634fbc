import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { inflatedSize } from "../../../compiler/image/inflated-size.ts";

const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_SYNC_FLUSH } = constants;

/** Bytes that compress about as well as those of a photo, and repeat at many distances. */
function noisy(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, seed = 1; i < length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    bytes[i] =
      seed >>> 30 === 0 && i > 40_000 ? bytes[i - (seed % 40_000)] : 128 + (((seed >>> 24) ** 2) >> 11);
  }
  return bytes;
}

describe("the size that DEFLATE data inflates to", () => {
  test.each([
    ["dynamic codes", {}],
    ["the best compression", { level: 9 }],
    ["the fastest compression", { level: 1 }],
    ["stored blocks", { level: 0 }],
    ["fixed codes", { strategy: Z_FIXED }],
    ["literals only", { strategy: Z_HUFFMAN_ONLY }],
    ["runs", { strategy: Z_RLE }],
    ["empty blocks at the end", { finishFlush: Z_SYNC_FLUSH }],
  ])("%s", (_, options) => {
    for (const bytes of [noisy(300_000), Buffer.alloc(300_000), Buffer.from("a"), Buffer.alloc(0)]) {
      expect(inflatedSize(deflateRawSync(bytes, options), 1e9)).toBe(bytes.length);
    }
  });

  test("stops above the limit", () => {
    const size = inflatedSize(deflateRawSync(Buffer.alloc(50_000_000)), 1000);
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThanOrEqual(1258);
  });

  test("counts up to where the data is cut off", () => {
    const deflated = deflateRawSync(noisy(300_000));
    const size = inflatedSize(deflated.subarray(0, deflated.length / 2), 1e9);
    expect(size).toBeGreaterThan(100_000);
    expect(size).toBeLessThan(200_000);
    expect(inflatedSize(deflateRawSync(noisy(1000), { level: 0 }).subarray(0, 505), 1e9)).toBe(500);
    expect(inflatedSize(new Uint8Array(0), 1e9)).toBe(0);
  });

  test("counts up to where the data is damaged", () => {
    expect(inflatedSize(Uint8Array.of(0b111, 0, 0), 1e9)).toBe(0);
    // A dynamic block that begins by repeating the length before the first one.
    expect(inflatedSize(new Uint8Array(1000).fill(0b101, 0, 1).fill(255, 1), 1e9)).toBe(0);
  });
});
