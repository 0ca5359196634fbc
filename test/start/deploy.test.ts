import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";

const ROOT = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "vivimark-deploy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runNode(script: string, ...args: string[]) {
  return promisify(execFile)(process.execPath, [path.join(ROOT, "node_modules", script), ...args], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
}

test("wrangler can deploy the Worker with all its bindings", async () => {
  const { stdout } = await runNode(
    "wrangler/bin/wrangler.js",
    ...["deploy", "--dry-run", "--outdir", path.join(folder, "bundle")],
  );
  const limits = ["PUBLIC_LIMIT", "READ_LIMIT", "WRITE_LIMIT", "BATCH_LIMIT"];
  for (const binding of [
    "DB",
    "BUCKET",
    "COMPILE_QUEUE",
    "STORAGE_QUEUE",
    "WEBHOOK_QUEUE",
    "ASSETS",
    ...limits,
  ])
    expect(stdout).toContain(`env.${binding}`);
  expect(readdirSync(path.join(folder, "bundle"))).toContain("index.js");
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
