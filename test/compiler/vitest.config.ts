import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "compiler",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts", "./kernels.ts"],
    expect: { requireAssertions: true },
    // Files share a worker and its imported modules.
    isolate: false,
    // The default leaves one core idle: half of a small machine.
    maxWorkers: "100%",
    // No test here takes more than about a second, so a hang fails soon.
    testTimeout: 10_000,
    hookTimeout: 10_000,
  },
});
