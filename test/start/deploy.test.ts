import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { Metafile } from "esbuild";
import { afterAll, describe, expect, test } from "vitest";
import { createTestHarness, unstable_readConfig } from "wrangler";
import { deployArguments, SECRETS } from "../../node/deploy/deployment.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "vivimark-deploy-"));
const MODULES = path.join(ROOT, "dist/worker");
const ENTRY = "dist/worker/index.js";

/**
 * Most bytes: of all modules, compressed, and of those that every isolate compiles when it starts. The parser of videos,
 * which the first video loads, takes 51 KB.
 */
const BUDGET = { all: 890_000, viewer: 215_000 };

/** At least 32 characters. */
const SECRET = "a secret of this test, which is long enough";

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runNode(script: string, ...args: string[]) {
  return promisify(execFile)(process.execPath, [path.join(ROOT, "node_modules", script), ...args], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
}

test("wrangler can deploy the Worker with all its bindings, as npm run deploy asks for it", async () => {
  const secrets = path.join(folder, "secrets.json");
  writeFileSync(secrets, JSON.stringify({ AUTH_SECRET: "of this test" }));
  const answers = { address: "https://ar.example.com", compiler: "https://compiler.example.com" };
  const { stdout } = await runNode(
    "wrangler/bin/wrangler.js",
    ...deployArguments(answers, { variables: ["MAIL_URL:https://mail.example.com"] }),
    ...["--secrets-file", secrets, "--dry-run"],
  );
  for (const variable of ["PUBLIC_URL", "COMPILER_URL", "COMPILER_CONTAINER", "MAIL_URL"])
    expect(stdout).toContain(`env.${variable}`);
  expect(stdout).not.toContain("of this test");
  const limits = ["PUBLIC_LIMIT", "READ_LIMIT", "WRITE_LIMIT", "BATCH_LIMIT"];
  for (const binding of [
    "DB",
    "BUCKET",
    "COMPILE_QUEUE",
    "COMPILER",
    "STORAGE_QUEUE",
    "WEBHOOK_QUEUE",
    "ASSETS",
    ...limits,
  ])
    expect(stdout).toContain(`env.${binding}`);
  for (const module of Object.keys(outputs()))
    if (module.endsWith(".js") && module !== ENTRY) expect(stdout).toContain(path.basename(module));
});

/** Returns the files of dist/worker, as esbuild describes them. */
function outputs(): Metafile["outputs"] {
  return JSON.parse(readFileSync(path.join(MODULES, "metafile.json"), "utf8")).outputs;
}

describe("the deployed modules", () => {
  test("stay within their budget", () => {
    const modules = readdirSync(MODULES).filter((name) => name.endsWith(".js"));
    const sizes = modules.map((name) => gzipSync(readFileSync(path.join(MODULES, name))).length);
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(BUDGET.all);
  });

  test("begin for a viewer without zod, better-auth and the API", () => {
    const modules = outputs();
    const loaded = new Set([ENTRY]);
    for (const module of loaded) {
      for (const { path: imported, kind } of modules[module]!.imports) {
        if (kind === "import-statement" && imported in modules) loaded.add(imported);
      }
    }
    const sources = [...loaded].flatMap((module) => Object.keys(modules[module]!.inputs));
    const packages = new Set(
      sources.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
    );
    expect([...packages].sort()).toEqual(["drizzle-orm", "hono"]);
    expect(sources).toContain("worker/pages.ts");
    expect(sources).not.toContain("worker/api.ts");
    const bytes = [...loaded].reduce((sum, module) => sum + modules[module]!.bytes, 0);
    expect(bytes).toBeLessThan(BUDGET.viewer);
  });

  test("serve viewers and the API, and are compiled when they are first imported", async () => {
    const copy = path.join(folder, "modules");
    cpSync(MODULES, copy, { recursive: true });
    const [parser] = Object.entries(outputs()).find(
      ([, { entryPoint }]) => entryPoint === "worker/video/metadata.ts",
    )!;
    // Only a video needs it. workerd would not start if it compiled this module, too.
    writeFileSync(path.join(copy, path.basename(parser)), "not a module");
    const harness = createTestHarness({
      root: ROOT,
      workers: [{ configPath: "wrangler.toml", prebuiltWorkerDir: copy, secrets: { AUTH_SECRET: SECRET } }],
    });
    try {
      const { url } = await harness.listen();
      await harness.getWorker().applyD1Migrations("DB");
      const get = async (resource: string) => {
        const response = await fetch(new URL(resource, url));
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      };
      expect(await get("/api/viewer/unknown")).toMatchObject({ status: 404, body: { code: "not_found" } });
      expect(await get("/api/me")).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
      expect(await get("/api/openapi.json")).toMatchObject({ status: 200, body: { openapi: "3.1.0" } });
    } finally {
      await harness.close();
    }
  });
});

test("a deployment keeps the settings of an installation, and the log", () => {
  const config = unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
  expect(config.keep_vars).toBe(true);
  for (const variable of ["PUBLIC_URL", "COMPILER_URL", "COMPILER_CONTAINER", "MAIL_URL"])
    expect(config.vars).not.toHaveProperty(variable);
  expect(config.observability).toMatchObject({ enabled: true });
  // wrangler finds or creates the database by its name.
  expect(config.d1_databases[0].database_id).toBeUndefined();
});

test("Cloudflare's deploy button describes every resource and secret, and runs the deployment", () => {
  const { cloudflare, scripts } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const { d1_databases, r2_buckets, queues } = unstable_readConfig({
    config: path.join(ROOT, "wrangler.toml"),
  });
  const resources = [...d1_databases, ...r2_buckets, ...queues.producers] as { binding: string }[];
  const described = Object.entries<{ description: string }>(cloudflare.bindings);
  expect(described.map(([name]) => name).sort()).toEqual(
    [...resources.map(({ binding }) => binding), ...Object.keys(SECRETS), "MAIL_SECRET"].sort(),
  );
  for (const [, { description }] of described) expect(description).toMatch(/^[A-Z].+\.$/);
  expect(scripts.deploy).toBe("node node/start.js deploy");
  // The button asks for each variable of this file that is not a comment.
  const asked = readFileSync(path.join(ROOT, ".dev.vars.example"), "utf8").match(/^[A-Z_]+=/m);
  expect(asked).toBeNull();
});

test("answers announce the limits that the platform's counters have", () => {
  const { vars, ...config } = unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
  const counters: { name: string; simple: { limit: number; period: number } }[] = config.ratelimits;
  const announced = counters.map(({ name, simple }) => {
    expect(simple.period).toBe(60);
    return `${name.replace("_LIMIT", "").toLowerCase()} ${simple.limit}`;
  });
  expect(announced.length).toBe(4);
  expect(vars.RATE_LIMITS).toBe(announced.join(", "));
});

test("the compile queue hands out as many messages as there are places, and as many containers start", () => {
  const { vars, queues, containers } = unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
  const consumers: { queue: string; max_batch_size: number; max_concurrency: number }[] = queues.consumers;
  const compile = consumers.find(({ queue }) => queue === "vivimark-compile");
  expect(compile?.max_batch_size).toBe(Number(vars.COMPILE_PLACES));
  expect(compile?.max_concurrency).toBe(Number(vars.COMPILE_PLACES));
  expect(containers).toMatchObject([{ max_instances: Number(vars.COMPILE_PLACES) }]);
});

test("the migrations are those of the schema", async () => {
  const migrations = path.join(folder, "migrations");
  cpSync(path.join(ROOT, "migrations"), migrations, { recursive: true });
  const { stdout } = await runNode(
    "drizzle-kit/bin.cjs",
    ...["generate", "--dialect", "sqlite", "--schema", "worker/db/tables.ts"],
    ...["--out", path.relative(ROOT, migrations)],
  );
  expect(stdout).toContain("No schema changes");
});
