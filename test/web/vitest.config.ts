import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "web",
    include: ["**/*.test.ts"],
    root: import.meta.dirname,
    // The default leaves one core idle, which is half of a small machine.
    maxWorkers: "100%",
  },
});
