import { defineConfig } from "vitest/config";
import worker from "../vitest.config.ts";

/** Each request that moves files, with each of its steps going wrong in each way. */
export default defineConfig({
  ...worker,
  test: { ...worker.test, name: "interruptions", include: ["interruptions/**/*.test.ts"], exclude: [] },
});
