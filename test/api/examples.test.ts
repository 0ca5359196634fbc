// The examples of README.md and docs/api.md, run as they stand there: what curl does in bash, what is in
// TypeScript in Node, from a folder with the photos that they name and the package that they import.

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

/** Only the shell's examples need it, and `%header{…}`, which is of curl 7.84. */
const hasCurl =
  spawnSync("bash", ["-c", "curl -sS -w '%header{x}' -o /dev/null file:///dev/null"]).status === 0;
const WITHOUT_CURL = "there is no bash here, or no curl that is 7.84 or newer";

let platform: Platform;
let vivimark: Vivimark;
/** Stands for images.example.com. */
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
});

afterAll(async () => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  pictures?.close();
  await platform?.close();
});

test.skipIf(!hasCurl)(`curl, in README.md (skipped where ${WITHOUT_CURL})`, async () => {
  await inShell("README.md");
  const content = JSON.parse(readFileSync(path.join(folder, "content.json"), "utf8"));
  expect(content).toMatchObject({ title: "Grandmother", marker_status: "ready" });
  expect(inspectMind(readFileSync(path.join(folder, "grandmother.mind")))).toMatchObject({ valid: true });
  expect(readFileSync(path.join(folder, "qr.svg"), "utf8")).toContain("<svg");
  await expect(vivimark.get(content.id)).rejects.toMatchObject({ code: "not_found" });
});

test.skipIf(!hasCurl)(`curl, in docs/api.md (skipped where ${WITHOUT_CURL})`, async () => {
  const answers = await inShell("docs/api.md");
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

test("TypeScript, in README.md", async () => {
  rmSync(path.join(folder, "grandmother.mind"), { force: true });
  const printed = await inNode("README.md");
  expect(printed).toMatch(new RegExp(`^${platform.url}/v/[0-9a-f-]{36} \\d+\\n$`));
  expect(inspectMind(readFileSync(path.join(folder, "grandmother.mind")))).toMatchObject({ valid: true });
  const [content] = (await vivimark.call("GET /api/ar-content")).items;
  expect(content).toMatchObject({ title: "Grandmother", marker_status: "ready", video_type: "video/mp4" });
});

test("TypeScript, in docs/api.md", async () => {
  const printed = await inNode("docs/api.md");
  expect(printed.split("\n")[0]).toMatch(/^\d{5,}$/);
  expect(printed).toContain(`Grandmother ${platform.url}/v/`);
  expect(await readyTitles()).toEqual(expect.arrayContaining(["Grandmother", "1", "2"]));
  const { items } = await vivimark.call("GET /api/projects");
  const weddings = items.find(({ name }) => name === "Weddings");
  expect(weddings).toMatchObject({ expires_after_days: 365, archived_at: expect.any(String) });
});

/** The titles of all that is there, once it is ready. */
async function readyTitles(): Promise<string[]> {
  const titles: string[] = [];
  for await (const { id } of vivimark.list()) titles.push((await vivimark.whenReady(id)).title);
  return titles;
}

/** What curl prints, of all of a document's examples as one script. */
async function inShell(name: string): Promise<string> {
  const script = examples(name, "sh").filter((block) => /\bcurl /.test(block));
  expect(script.length).toBeGreaterThan(0);
  const env = { ...process.env, url: platform.url, key: `Authorization: Bearer ${platform.key}` };
  const options = ["--noprofile", "--norc", "-euo", "pipefail", "-c", script.join("\n")];
  return (await execute("bash", options, { cwd: folder, env })).stdout;
}

/** What a document's examples print, as one program whose types hold. */
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

/** The fenced blocks of a document in one language, with pictures from here. */
function examples(name: string, language: string): string[] {
  const { port } = pictures.address() as AddressInfo;
  const text = readFileSync(path.join(ROOT, name), "utf8");
  return Array.from(text.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms))
    .filter(([, , of]) => of === language)
    .map(([, , , block]) => block.replaceAll("https://images.example.com", `http://127.0.0.1:${port}`));
}

/** The photo as another file: what follows the end of a JPEG changes no pixel. */
function another(number: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([photo, Buffer.of(number)]));
}
