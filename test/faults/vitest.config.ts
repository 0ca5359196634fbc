import { defineConfig } from "vitest/config";

// The real workerd and the real Node compiler, breaking down; each file starts its own.
export default defineConfig({
  test: {
    name: "faults",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
    // Only a hang takes that long.
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
