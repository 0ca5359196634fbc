import { defineConfig } from "vitest/config";

// The studio's other pages in a real browser, like test/e2e.
export default defineConfig({
  test: {
    name: "pages",
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
