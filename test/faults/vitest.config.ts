import { defineConfig } from "vitest/config";

// The real workerd and the real Node compiler, breaking down. One file after the other: each has them to itself.
export default defineConfig({
  test: {
    name: "faults",
    include: ["**/*.test.ts"],
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    root: import.meta.dirname,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
