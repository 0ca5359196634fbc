import { defineConfig } from "vitest/config";

// Many programs and guests at the same time. bench/api.ts measures the time.
export default defineConfig({
  test: {
    name: "load",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // The default leaves one core idle: half of a small machine.
    maxWorkers: "100%",
    // Only a hang takes this long.
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
