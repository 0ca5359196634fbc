import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "start",
    include: ["**/*.test.ts"],
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    root: import.meta.dirname,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
