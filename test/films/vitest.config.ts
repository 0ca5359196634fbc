import { defineConfig } from "vitest/config";

// A software-rendered browser, workerd and the Node compiler share the machine: one file at a time, and
// time-outs that only a hang reaches.
export default defineConfig({
  test: {
    name: "films",
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    environment: "node",
    pool: "forks",
    // workerd starts without asking the network where it is.
    env: {
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
    },
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    teardownTimeout: 30_000,
  },
});
