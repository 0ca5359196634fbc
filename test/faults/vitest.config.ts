import { defineConfig } from "vitest/config";

// Failures of the real workerd and the real Node compiler. Each file starts its own.
export default defineConfig({
  test: {
    name: "faults",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // The default leaves one core idle: half of a small machine.
    maxWorkers: "100%",
    // Only a hang takes this long.
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
