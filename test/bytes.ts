import { expect } from "vitest";

type Bytes = Uint8Array | Uint8ClampedArray;

declare module "vitest" {
  // The type parameters as vitest declares them.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** Passes if both are the same bytes; a failure says where they first differ. */
    toEqualBytes(expected: Bytes): R;
  }
}

/** Bytes shown before and after the first difference. */
const CONTEXT = 8;

// Setup of every project.
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

/** Index of the first byte that only one has, or that differs; null if there is none. */
function firstDifference(a: Bytes, b: Bytes): number | null {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? null : length;
}

/** The bytes around `at` in hexadecimal, those from `at` on behind a bar. */
function show(bytes: Bytes, at: number): string {
  const hex = (part: Bytes) => Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const before = bytes.subarray(Math.max(at - CONTEXT, 0), at);
  return `${hex(before)} | ${hex(bytes.subarray(at, at + CONTEXT))}`;
}
