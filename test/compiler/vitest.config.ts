import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "compiler",
    include: ["**/*.test.ts"],
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
    root: import.meta.dirname,
    setupFiles: ["./kernels.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
