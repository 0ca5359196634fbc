// Runs the examples of README.md and docs/api.md: curl in bash, TypeScript in Node, in a folder that has the photos
// that they name and the package that they import.

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Vivimark } from "../../client/client.ts";
import { inspectMind } from "../../compiler/inspect.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { photo } from "../faults/api.ts";
import { video } from "../worker/fixtures.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const execute = promisify(execFile);

/** The shell examples use `%header{…}`, which needs curl 7.84. */
const hasCurl =
  spawnSync("bash", ["-c", "curl -sS -w '%header{x}' -o /dev/null file:///dev/null"]).status === 0;
const WITHOUT_CURL = "bash or curl 7.84 is missing";

let platform: Platform;
let vivimark: Vivimark;
/** Replaces images.example.com. */
let pictures: Server;
let folder: string;

beforeAll(async () => {
  platform = await startPlatform();
  vivimark = new Vivimark({ url: platform.url, key: platform.key });
  let served = 0;
  pictures = createServer((_, response) => response.end(another(served++)));
  await new Promise<void>((resolve) => pictures.listen(0, "127.0.0.1", resolve));
  folder = mkdtempSync(path.join(tmpdir(), "vivimark-examples-"));
  await execute(process.execPath, [
    path.join(ROOT, "node/package/build.ts"),
    path.join(folder, "node_modules/vivimark"),
  ]);
});

beforeEach(() => {
  for (const [i, name] of ["portrait.jpg", "a.jpg", "b.jpg"].entries())
    writeFileSync(path.join(folder, name), another(100 + i));
  writeFileSync(path.join(folder, "wedding.zip"), zipSync({ "1.jpg": another(200), "2.jpg": another(201) }));
  writeFileSync(path.join(folder, "grandmother.mp4"), video("mp4"));
  for (const name of ["content.json", "grandmother.mind", "qr.svg"])
    rmSync(path.join(folder, name), { force: true });
});

afterAll(async () => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  pictures?.close();
  await platform?.close();
});

test.skipIf(!hasCurl)(`curl, in README.md (skipped if ${WITHOUT_CURL})`, async () => {
  await inShell("README.md");
  const { id } = writtenJson("content.json");
  expect(await vivimark.get(id)).toMatchObject({
    title: "Grandmother",
    marker_status: "ready",
    video_type: "video/mp4",
  });
  expect(inspectMind(written("grandmother.mind"))).toMatchObject({ valid: true });
  expect(written("qr.svg").toString()).toContain("<svg");
});

test.skipIf(!hasCurl)(`curl, in docs/api.md (skipped if ${WITHOUT_CURL})`, async () => {
  const answers = await inShell("docs/api.md");
  const content = writtenJson("content.json");
  expect(content).toMatchObject({ title: "Grandmother", marker_status: "ready" });
  expect(inspectMind(written("grandmother.mind"))).toMatchObject({ valid: true });
  expect(written("qr.svg").toString()).toContain("<svg");
  await expect(vivimark.get(content.id)).rejects.toMatchObject({ code: "not_found" });
  const made = [...answers.matchAll(/"submitted":(\d+),"refused":(\d+)/g)].map(([, ...counts]) => counts);
  expect(made).toEqual([
    ["2", "0"],
    ["2", "0"],
    ["2", "0"],
  ]);
  expect(await readyTitles()).toEqual(
    expect.arrayContaining(["Grandmother", "Grandmother, 1932", "Ada", "1", "2", "a", "b"]),
  );
});

test("TypeScript, in docs/api.md", async () => {
  const printed = (await inNode("docs/api.md")).split("\n");
  expect(printed[0]).toMatch(new RegExp(`^${platform.url}/v/[0-9a-f-]{36} \\d+$`));
  expect(printed[1]).toMatch(/^\d{5,}$/);
  expect(printed).toContainEqual(expect.stringContaining(`Grandfather ${platform.url}/v/`));
  expect(inspectMind(written("grandmother.mind"))).toMatchObject({ valid: true });
  const [grandmother] = (await vivimark.call("GET /api/ar-content", { query: { q: "Grandmother" } })).items;
  expect(grandmother).toMatchObject({ marker_status: "ready", video_type: "video/mp4" });
  expect(await readyTitles()).toEqual(expect.arrayContaining(["Grandmother", "Grandfather", "1", "2"]));
  const { items } = await vivimark.call("GET /api/projects");
  const weddings = items.find(({ name }) => name === "Weddings");
  expect(weddings).toMatchObject({ expires_after_days: 365, archived_at: expect.any(String) });
});

function written(name: string): Buffer {
  return readFileSync(path.join(folder, name));
}

function writtenJson(name: string) {
  return JSON.parse(written(name).toString());
}

/** Returns the titles of all photos once they are ready. */
async function readyTitles(): Promise<string[]> {
  const titles: string[] = [];
  for await (const { id } of vivimark.list()) titles.push((await vivimark.whenReady(id)).title);
  return titles;
}

/** Runs all curl examples of a document as one script. Returns what it prints. */
async function inShell(name: string): Promise<string> {
  const script = examples(name, "sh").filter((block) => /\bcurl /.test(block));
  expect(script.length).toBeGreaterThan(0);
  const env = { ...process.env, url: platform.url, key: `Authorization: Bearer ${platform.key}` };
  const options = ["--noprofile", "--norc", "-euo", "pipefail", "-c", script.join("\n")];
  return (await execute("bash", options, { cwd: folder, env })).stdout;
}

/** Type-checks and runs all TypeScript examples of a document as one program. Returns what it prints. */
async function inNode(name: string): Promise<string> {
  const blocks = examples(name, "ts");
  expect(blocks.length).toBeGreaterThan(0);
  const program = path.join(folder, "program.mts");
  writeFileSync(program, blocks.join("\n"));
  const types = path.join(ROOT, "node_modules/@types");
  await execute(
    process.execPath,
    [
      path.join(ROOT, "node_modules/typescript/bin/tsc"),
      ...["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext"],
      ...["--types", "node", "--typeRoots", types, "--skipLibCheck", program],
    ],
    { cwd: folder },
  ).catch((error) => {
    throw new Error(error.stdout);
  });
  const env = { ...process.env, VIVIMARK_URL: platform.url, VIVIMARK_KEY: platform.key };
  const { stdout, stderr } = await execute(process.execPath, [program], { cwd: folder, env });
  expect(stderr).toBe("");
  return stdout;
}

/** Returns the fenced blocks of a document in one language, with image URLs that lead to this test. */
function examples(name: string, language: string): string[] {
  const { port } = pictures.address() as AddressInfo;
  const text = readFileSync(path.join(ROOT, name), "utf8");
  return Array.from(text.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms))
    .filter(([, , of]) => of === language)
    .map(([, , , block]) => block.replaceAll("https://images.example.com", `http://127.0.0.1:${port}`));
}

/** Returns a file with other bytes and the same pixels: decoders ignore what follows the end of a JPEG. */
function another(number: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([photo, Buffer.of(number)]));
}
