import { defineConfig } from "vitest/config";

// The film of test/e2e/viewer.test.ts, with the files in other storages.
export default defineConfig({
  test: {
    name: "films",
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
