import { defineConfig } from "vitest/config";

// Many programs and guests at the same time. No time is measured here: see bench/api.ts.
export default defineConfig({
  test: {
    name: "load",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
    // Only a hang takes that long.
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
