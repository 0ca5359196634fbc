import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../../../web/studio/video/fingerprint.ts";

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 253);

describe("fingerprintOf", () => {
  it("is the same for the same bytes, whatever the file is called", async () => {
    const one = await fingerprintOf(new File([bytes], "one.mp4"));
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprintOf(new File([bytes], "two.mp4", { lastModified: 0 }))).toBe(one);
  });

  it.each([0, 1_500_000, 2_999_999])("tells a file apart whose byte %i is another", async (at) => {
    const other = bytes.slice();
    // A place in the middle need not be a sample; a run of changes as long as the gap between samples meets one.
    other.fill(255, at, at + 200_000);
    expect(await fingerprintOf(new Blob([other]))).not.toBe(await fingerprintOf(new Blob([bytes])));
  });

  it("takes files that are shorter than a sample", async () => {
    expect(await fingerprintOf(new Blob(["a"]))).not.toBe(await fingerprintOf(new Blob(["b"])));
    expect(await fingerprintOf(new Blob([]))).toMatch(/^[0-9a-f]{64}$/);
  });
});
