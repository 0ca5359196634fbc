import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "fuzz",
    include: ["**/*.test.ts"],
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    root: import.meta.dirname,
    fileParallelism: false,
    // Alone: what others would be slowed down by would slow this down, too.
    sequence: { groupOrder: 2 },
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
