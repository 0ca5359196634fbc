// Runs the receivers in docs/webhooks.md.

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterAll, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const CACHE = path.join(ROOT, "node_modules/.cache");
mkdirSync(CACHE, { recursive: true });
// Below node_modules, so that their imports resolve.
const folder = mkdtempSync(path.join(CACHE, "webhooks-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const document = readFileSync(path.join(ROOT, "docs/webhooks.md"), "utf8");
const [server, byHand] = Array.from(document.matchAll(/```js\n([\s\S]*?)```/g), ([, code]) => code);
const [, body] = /```json\n([\s\S]*?)```/.exec(document)!;

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

function signed(secret: string, time = new Date()): Record<string, string> {
  const id = "1c2f9f0b-e1a3-4d7c-8410-84162ed0c0b4";
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, time, body),
  };
}

test("the server accepts genuine requests only", async () => {
  const file = path.join(folder, "server.mjs");
  expect(server).toContain(".listen(3000)");
  const report = ".listen(0, '127.0.0.1', function () { process.send(this.address().port); })";
  writeFileSync(file, server.replace(".listen(3000)", report));
  const child = fork(file, { env: { ...process.env, WEBHOOK_SECRET: SECRET }, stdio: "pipe" });
  try {
    let printed = "";
    child.stdout!.on("data", (text) => (printed += text));
    const [port] = await once(child, "message");
    const send = async (headers: Record<string, string>) =>
      (await fetch(`http://127.0.0.1:${port}`, { method: "POST", headers, body })).status;
    expect(await send(signed(SECRET))).toBe(204);
    expect(await send(signed(`whsec_${Buffer.alloc(32, 8).toString("base64")}`))).toBe(400);
    expect(await send({})).toBe(400);
    expect(printed).toBe("Grandmother can be printed.\n");
  } finally {
    child.kill();
    await once(child, "exit");
  }
});

test("verification without a library accepts genuine requests only", async () => {
  const file = path.join(folder, "by-hand.mjs");
  writeFileSync(file, `${byHand}\nexport { isGenuine };\n`);
  const { isGenuine } = await import(pathToFileURL(file).href);
  const headers = signed(SECRET);
  const other = signed(`whsec_${Buffer.alloc(32, 8).toString("base64")}`);
  expect(isGenuine(SECRET, headers, body)).toBe(true);
  const both = `${other["webhook-signature"]} ${headers["webhook-signature"]}`;
  expect(isGenuine(SECRET, { ...headers, "webhook-signature": both }, body)).toBe(true);
  expect(isGenuine(SECRET, other, body)).toBe(false);
  expect(isGenuine(SECRET, headers, `${body} `)).toBe(false);
  expect(isGenuine(SECRET, { ...headers, "webhook-signature": "v1" }, body)).toBe(false);
  expect(isGenuine(SECRET, signed(SECRET, new Date(Date.now() - 600_000)), body)).toBe(false);
});
