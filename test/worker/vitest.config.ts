import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { WORKERS } from "../workers.ts";

const root = join(import.meta.dirname, "../..");

export default defineConfig({
  plugins: [
    cloudflareTest({
      main: join(root, "worker/index.ts"),
      wrangler: { configPath: join(root, "wrangler.toml") },
      miniflare: {
        r2Buckets: ["SECOND_BUCKET", "THIRD_BUCKET"],
        bindings: {
          TEST_MIGRATIONS: await readD1Migrations(join(root, "migrations")),
          COMPILER_SECRET: "a secret of these tests, which is long enough",
          // Nothing listens on port 1: the Node compiler is down unless a test uses a mock.
          COMPILER_URL: "http://127.0.0.1:1",
        },
      },
    }),
  ],
  test: {
    name: "worker",
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    exclude: ["interruptions/**"],
    // Files share a workerd and its imported modules. migrate.ts empties its storages before each file.
    isolate: false,
    maxWorkers: WORKERS,
    globalSetup: [
      "./compiler/compiled-in-node.ts",
      "./storage/servers/faulty-server.ts",
      "./storage/servers/relay-server.ts",
      "./storage/servers/s3-server.ts",
      "./storage/servers/yandex-disk-server.ts",
    ],
    setupFiles: ["../bytes.ts", "./console.ts", "./migrate.ts", "./plans/check.ts"],
    // The plugin holds back what a request or queue message writes until the runner itself reports something, and
    // at the end of a file Vitest waits for it first: the run would never end.
    disableConsoleIntercept: true,
    expect: { requireAssertions: true },
    // Bundled once. Otherwise every file's workerd would request about 800 modules one by one.
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          include: [
            "@better-auth/passkey",
            "@hono/zod-openapi",
            "@zxcvbn-ts/core",
            "@zxcvbn-ts/language-common",
            "better-auth/adapters/drizzle",
            "better-auth/api",
            "better-auth/minimal",
            "drizzle-orm",
            "drizzle-orm/batch",
            "drizzle-orm/d1",
            "drizzle-orm/sqlite-core",
            "hono",
            "hono/cookie",
            "hono/cors",
            "hono/html",
            "hono/http-exception",
            "hono/request-id",
            "hono/route",
            "mediabunny",
            "zod",
          ],
          rolldownOptions: { external: [/^node:/, /^cloudflare:/], platform: "node" },
        },
      },
    },
    // A limit that only a hang reaches, not a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
