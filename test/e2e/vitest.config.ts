import { defineConfig } from "vitest/config";

// A software-rendered browser, workerd and the Node compiler share the machine: one file at a time, and
// time-outs that only a hang reaches.
export default defineConfig({
  test: {
    name: "e2e",
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    environment: "node",
    pool: "forks",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
  },
});
