import { defineConfig } from "vitest/config";

// The test of test/e2e/viewer.test.ts with the files in other storages.
export default defineConfig({
  test: {
    name: "films",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    setupFiles: ["../bytes.ts"],
    expect: { requireAssertions: true },
    pool: "forks",
    // Starts workerd without a network request for its location.
    env: {
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
    },
    // The default leaves one core idle: half of a small machine.
    maxWorkers: "100%",
    // Only a hang takes this long.
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
