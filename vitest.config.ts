import { join } from "node:path";
import { defineConfig, type TestUserConfig } from "vitest/config";
import { WORKERS } from "./test/workers.ts";

const ROOT = import.meta.dirname;
const BYTES = join(ROOT, "test/bytes.ts");

/** Time-outs that only a hang reaches, however busy the machine is. */
const hangsAfter = (seconds: number) => ({ testTimeout: seconds * 1000, hookTimeout: seconds * 1000 });

/** No unit test takes more than about a second, and files share a thread and its imported modules. */
const UNIT = { isolate: false, ...hangsAfter(10) } satisfies TestUserConfig;

/** A real browser, the real workerd and the real Node compiler; each file starts its own. */
const BROWSER = {
  pool: "forks",
  // workerd starts without asking the network where it is.
  env: {
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
  },
  ...hangsAfter(600),
} satisfies TestUserConfig;

/** Returns the project of the folder of its name below test/. */
function project(name: string, options: TestUserConfig) {
  return {
    test: {
      name,
      root: join(ROOT, "test", name),
      include: ["**/*.test.ts"],
      setupFiles: [BYTES],
      expect: { requireAssertions: true },
      maxWorkers: WORKERS,
      ...options,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      // mind-ar's detector and the AssemblyScript compiler take seconds.
      project("compiler", {
        ...UNIT,
        ...hangsAfter(60),
        setupFiles: [BYTES, join(ROOT, "test/compiler/kernels.ts")],
      }),
      project("player", { ...UNIT, setupFiles: [BYTES, join(ROOT, "test/compiler/kernels.ts")] }),
      project("node", {
        ...hangsAfter(10),
        // The tests start the command line about a hundred times; the cache avoids compiling its modules each time.
        env: { NODE_COMPILE_CACHE: join(ROOT, "node_modules/.cache/vivimark/node") },
      }),
      project("web", { ...UNIT, setupFiles: [BYTES, join(ROOT, "test/web/texts.ts")] }),
      project("yandex-disk", UNIT),
      // In workerd.
      "test/worker/vitest.config.ts",
      "test/worker/interruptions/vitest.config.ts",
      // What programs rely on, against the real workerd and the real Node compiler.
      project("api", hangsAfter(120)),
      project("e2e", BROWSER),
      // The pages of the studio that the main job does not need.
      project("pages", BROWSER),
      // The film of test/e2e/viewer.test.ts, with the files in other storages.
      project("films", BROWSER),
      project("start", hangsAfter(180)),
      // mind-ar's compiler itself, which takes seconds per picture.
      project("reference", hangsAfter(120)),
      project("faults", hangsAfter(180)),
      project("fuzz", hangsAfter(900)),
      // Firefox and WebKit, where they are installed.
      project("engines", { ...BROWSER, fileParallelism: false }),
      // Many programs and guests at the same time.
      project("load", hangsAfter(600)),
    ],
    // The edge writes a line for each request, and these suites send thousands; its failures are shown.
    onConsoleLog: (text) => !text.startsWith('{"time":') || text.includes('"level":"error"'),
  },
});
