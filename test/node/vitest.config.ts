import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "node",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    // The command line starts a hundred times; each start would compile its modules anew.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "../../node_modules/.cache/vivimark/node") },
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
    // A hang shows soon: no test here works for more than about a second.
    testTimeout: 10_000,
    hookTimeout: 10_000,
  },
});
