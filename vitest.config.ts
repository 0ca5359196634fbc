import { defineConfig } from "vitest/config";

// One config per room under test/; each names its own runtime.
export default defineConfig({
  test: {
    projects: ["test/*/vitest.config.ts"],
    // The edge writes a line for each request, and these suites send thousands; its failures are shown.
    onConsoleLog: (text) => !text.startsWith('{"time":') || text.includes('"level":"error"'),
  },
});
