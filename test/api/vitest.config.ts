import { defineConfig } from "vitest/config";

// What programs rely on, against the real workerd and the real Node compiler: each file has them to itself.
export default defineConfig({
  test: {
    name: "api",
    include: ["**/*.test.ts"],
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    root: import.meta.dirname,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
