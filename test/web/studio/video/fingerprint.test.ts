import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../../../web/studio/video/fingerprint.ts";

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 253);

describe("fingerprintOf", () => {
  it("is the same for the same bytes under any file name", async () => {
    const one = await fingerprintOf(new File([bytes], "one.mp4"));
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprintOf(new File([bytes], "two.mp4", { lastModified: 0 }))).toBe(one);
  });

  it.each([0, 1_500_000, 2_999_999])("differs when byte %i differs", async (at) => {
    const other = bytes.slice();
    // A single byte may lie between samples; changes as long as the gap between samples meet one.
    other.fill(255, at, at + 200_000);
    expect(await fingerprintOf(new Blob([other]))).not.toBe(await fingerprintOf(new Blob([bytes])));
  });

  it("accepts files shorter than a sample", async () => {
    expect(await fingerprintOf(new Blob(["a"]))).not.toBe(await fingerprintOf(new Blob(["b"])));
    expect(await fingerprintOf(new Blob([]))).toMatch(/^[0-9a-f]{64}$/);
  });
});
