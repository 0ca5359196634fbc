import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "yandex-disk",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // Files share a worker, and with it what they import.
    isolate: false,
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
    // A hang shows soon: no test here works for more than about a second.
    testTimeout: 10_000,
    hookTimeout: 10_000,
  },
});
