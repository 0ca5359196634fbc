import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "fuzz",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    maxWorkers: "100%",
    // Only a hang takes this long.
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
