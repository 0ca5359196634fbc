import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "node",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // The tests start the command line about a hundred times; the cache avoids compiling its modules each time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "../../node_modules/.cache/vivimark/node") },
    // The default leaves one core idle: half of a small machine.
    maxWorkers: "100%",
    // No test here takes more than about a second, so a hang fails soon.
    testTimeout: 10_000,
    hookTimeout: 10_000,
  },
});
