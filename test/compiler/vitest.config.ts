import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "compiler",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["./kernels.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
