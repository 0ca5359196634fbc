import { defineConfig } from "vitest/config";

// One config per room under test/; each names its own runtime.
export default defineConfig({
  test: {
    projects: ["test/*/vitest.config.ts"],
  },
});
