import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "reference",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    testTimeout: 120_000,
  },
});
