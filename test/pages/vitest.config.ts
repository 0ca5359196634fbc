import { defineConfig } from "vitest/config";

// The pages of the studio that the main job does not need, like test/e2e in a real browser.
export default defineConfig({
  test: {
    name: "pages",
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
