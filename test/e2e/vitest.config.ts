import { defineConfig } from "vitest/config";

// A real browser, the real workerd and the real Node compiler; each file starts its own.
export default defineConfig({
  test: {
    name: "e2e",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    pool: "forks",
    // workerd starts without asking the network where it is.
    env: {
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
    },
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
    // Only a hang takes that long.
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
