import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { deployArguments, SECRETS } from "../../node/deploy/deployment.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "vivimark-deploy-"));
const BUNDLE = path.join(folder, "bundle");

/**
 * Most bytes: of the whole bundle, compressed, and of the sources that every isolate evaluates when it starts. The parser
 * of videos, which the first video evaluates, takes 51 KB of the bundle.
 */
const BUDGET = { all: 890_000, viewer: 600_000 };

/** What esbuild writes about a bundle. */
interface Metafile {
  readonly inputs: Readonly<
    Record<
      string,
      {
        readonly bytes: number;
        readonly imports: readonly { readonly path: string; readonly kind: string }[];
      }
    >
  >;
}

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
    ...["--secrets-file", secrets, "--dry-run", "--metafile", "--outdir", BUNDLE],
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
  expect(readdirSync(BUNDLE)).toContain("index.js");
});

describe("the deployed bundle", () => {
  test("stays within its budget", () => {
    const bytes = gzipSync(readFileSync(path.join(BUNDLE, "index.js"))).length;
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(BUDGET.all);
  });

  test("begins for a viewer without zod, better-auth and the API", () => {
    const { inputs }: Metafile = JSON.parse(readFileSync(path.join(BUNDLE, "bundle-meta.json"), "utf8"));
    const loaded = new Set(["worker/index.ts"]);
    for (const file of loaded) {
      for (const { path: imported, kind } of inputs[file]!.imports) {
        if (kind !== "dynamic-import" && imported in inputs) loaded.add(imported);
      }
    }
    const packages = new Set(
      [...loaded].flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
    );
    expect([...packages].sort()).toEqual(["drizzle-orm", "hono"]);
    expect(loaded).not.toContain("worker/api.ts");
    const bytes = [...loaded].reduce((sum, file) => sum + inputs[file]!.bytes, 0);
    expect(bytes).toBeLessThan(BUDGET.viewer);
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
