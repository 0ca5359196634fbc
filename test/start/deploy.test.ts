import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

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
  for (const binding of ["DB", "BUCKET", "COMPILE_QUEUE", "STORAGE_QUEUE", "ASSETS"])
    expect(stdout).toContain(`env.${binding}`);
  expect(readdirSync(path.join(folder, "bundle"))).toContain("index.js");
});

test("the migrations are those of the schema", async () => {
  const migrations = path.join(folder, "migrations");
  cpSync(path.join(ROOT, "migrations"), migrations, { recursive: true });
  const { stdout } = await runNode(
    "drizzle-kit/bin.cjs",
    ...["generate", "--dialect", "sqlite", "--schema", "worker/schema.ts"],
    ...["--out", path.relative(ROOT, migrations)],
  );
  expect(stdout).toContain("No schema changes");
});
