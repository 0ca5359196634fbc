import { describe, expect, test } from "vitest";
import { compactLength, decodeCompact, encodeCompact } from "../../compiler/compact.ts";
import { compileTarget } from "../../compiler/compile.ts";
import { InvalidMarkerError } from "../../compiler/invalid-marker.ts";
import { decodeMind, encodeMind } from "../../compiler/mind.ts";
import type { FeaturePoints, ImageTarget, PlayerTarget } from "../../compiler/types.ts";
import { readReference } from "../reference/pictures.ts";
import { paintCollage, randomNumbers } from "./pictures.ts";

/** Returns the part of a target that its compact form keeps. */
function kept({ width, height, keyframes, tracking }: ImageTarget): PlayerTarget {
  return {
    width,
    height,
    keyframes: keyframes.map(({ maximaCluster, minimaCluster, ...keyframe }) => keyframe),
    tracking: tracking.map(({ points, data, ...picture }) => ({ ...picture, data: Uint8Array.from(data) })),
  };
}

/** Replaces the first target's points of one keyframe. */
function withPoints(change: (points: FeaturePoints) => void): ImageTarget {
  const [target] = decodeMind(readReference("photo of a house"));
  change(target.keyframes[0].maxima);
  return target;
}

const faultOf = (bytes: Uint8Array) => {
  try {
    decodeCompact(bytes);
    return null;
  } catch (error) {
    if (error instanceof InvalidMarkerError) return error.fault;
    throw error;
  }
};

describe("keeps every bit that the player needs", () => {
  test.each([
    "photo of a house",
    "two collages",
    "strip of a photo of a cat",
    "flat grey",
    "collage with ties and borders",
  ])("of mind-ar's marker: %s", (name) => {
    const targets = decodeMind(readReference(name));
    expect(decodeCompact(encodeCompact(targets))).toEqual(targets.map(kept));
  });

  test("of our own marker, in half of its bytes", () => {
    const target = compileTarget(paintCollage(640, 480));
    const compact = encodeCompact([target]);
    expect(decodeCompact(compact)).toEqual([kept(target)]);
    expect(compact.length).toBeLessThan(encodeMind([target]).length / 2);
  });

  test("of descriptors that contradict every order of the samples", () => {
    const random = randomNumbers(3);
    const target = withPoints(({ descriptors }) => {
      for (let i = 0; i < descriptors.length; i++) descriptors[i] = random() * 2 ** 32;
    });
    expect(decodeCompact(encodeCompact([target]))).toEqual([kept(target)]);
  });

  test("of more bytes than the first buffer has", () => {
    const target = compileTarget(paintCollage(640, 480));
    const targets = Array.from({ length: 8 }, () => target);
    const compact = encodeCompact(targets);
    expect(compact.length).toBeGreaterThan(2 ** 19);
    expect(decodeCompact(compact)).toEqual(targets.map(kept));
  });

  test("of coordinates that are not 32-bit floats", () => {
    const target = withPoints(({ x, angle, scale }) => {
      x[0] += 1e-12;
      angle[1] = Math.PI / 3;
      scale[2] = 3;
    });
    expect(decodeCompact(encodeCompact([target]))).toEqual([kept(target)]);
  });
});

test("writes at most as many bytes as it may", () => {
  const targets = decodeMind(readReference("photo of a house"));
  const { length } = encodeCompact(targets);
  expect(encodeCompact(targets, length)).toHaveLength(length);
  expect(() => encodeCompact(targets, length - 1)).toThrow(InvalidMarkerError);
});

describe("refuses", () => {
  const compact = encodeCompact(decodeMind(readReference("photo of 100 pixels a side")));

  test("another file", () => {
    expect(faultOf(new TextEncoder().encode("<!doctype html>"))).toBe("foreign_file");
    expect(faultOf(new Uint8Array(0))).toBe("foreign_file");
    expect(faultOf(readReference("photo of 100 pixels a side"))).toBe("foreign_file");
  });

  test("a truncated file, at every length", () => {
    expect(compactLength(compact)).toBe(compact.length);
    for (let length = 8; length < compact.length; length += 97) {
      expect(faultOf(compact.subarray(0, length))).toBe("truncated");
    }
  });

  test("bytes after its end", () => {
    expect(faultOf(Uint8Array.of(...compact, 0))).toBe("malformed");
  });

  test("changed bytes, or reads them as another marker", () => {
    const random = randomNumbers(5);
    for (let i = 0; i < 400; i++) {
      const changed = compact.slice();
      const from = i < 200 ? 8 : 0;
      for (let n = 0; n < 3; n++)
        changed[from + Math.floor(random() * (compact.length - from))] = random() * 256;
      expect([null, "malformed", "truncated", "foreign_file"]).toContain(faultOf(changed));
    }
  });

  test("a file whose head claims more than it has", () => {
    const changed = compact.slice();
    // The size of the first target's first keyframe's maxima.
    new DataView(changed.buffer).setUint16(8 + 2 + 8 + 1 + 16, 0xffff, true);
    expect(faultOf(changed)).toBe("malformed");
  });
});
