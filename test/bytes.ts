import { expect } from "vitest";

type Bytes = Uint8Array | Uint8ClampedArray;

declare module "vitest" {
  // The type parameters must be the same as in vitest's declaration.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** Passes if both have the same bytes. A failure shows the first difference. */
    toEqualBytes(expected: Bytes): R;
  }
}

/** Bytes shown before and after the first difference. */
const CONTEXT = 8;

// Set up in every project.
expect.extend({
  toEqualBytes(actual: unknown, expected: Bytes) {
    if (!isBytes(actual)) {
      return { pass: false, message: () => `expected bytes, received ${this.utils.stringify(actual)}` };
    }
    const at = firstDifference(actual, expected);
    return {
      pass: at === null,
      message: () =>
        at === null
          ? `expected other bytes; both are the same ${expected.length} bytes`
          : `${actual.length} bytes received, ${expected.length} expected; they differ from byte ${at} on:\n` +
            `  received ${show(actual, at)}\n  expected ${show(expected, at)}`,
    };
  },
});

function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array || value instanceof Uint8ClampedArray;
}

/** Returns the index of the first byte that differs or that only one has; null for equal bytes. */
function firstDifference(a: Bytes, b: Bytes): number | null {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? null : length;
}

/** Formats the bytes around `at` in hexadecimal, with a bar before the byte at `at`. */
function show(bytes: Bytes, at: number): string {
  const hex = (part: Bytes) => Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const before = bytes.subarray(Math.max(at - CONTEXT, 0), at);
  return `${hex(before)} | ${hex(bytes.subarray(at, at + CONTEXT))}`;
}
