import { readFileSync, utimesSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { becomeFirstOwner, withKey } from "../first-owner.ts";
import {
  cleanUp,
  eventually,
  processesOf,
  ROOT,
  start,
  stopped,
  temporaryFolder,
  twoPorts,
} from "./commands.ts";

afterEach(cleanUp);

test("npm run dev serves pages with hot reload and the API at one address, and ends with one Ctrl-C", async () => {
  const state = temporaryFolder();
  const { PORT } = await twoPorts();
  const { child, printed, link } = start("dev", { PORT, VIVIMARK_STATE: state });
  const { origin, hash } = await link();
  const page = async (address: string) => {
    const response = await fetch(`${origin}${address}`, { headers: { Accept: "text/html" } });
    expect(response.status).toBe(200);
    return { html: await response.text(), policy: response.headers.get("content-security-policy")! };
  };

  // Pages: the sources, the client of hot reload, and the policies of production.
  const studio = await page("/projects");
  expect(studio.html).toContain('src="/studio/main.tsx"');
  expect(studio.html).toContain('src="/@vite/client"');
  const [, production] = /^\/\n {2}Content-Security-Policy: (.+)$/m.exec(
    readFileSync(path.join(ROOT, "web/public/_headers"), "utf8"),
  )!;
  expect(studio.policy.replace(" 'nonce-development'", "")).toBe(production);
  expect((await page("/v/1fd15223-b434-485b-8f70-f2ee8512e829")).html).toContain('src="/viewer/main.tsx"');
  expect(await (await fetch(`${origin}/@vite/client`)).text()).toContain("hot");
  expect(await (await fetch(`${origin}/studio/main.tsx`)).text()).toContain("import.meta.hot");
  expect((await page("/reference")).html).toContain('src="/studio/main.tsx"');

  // The API, at the address of the pages: it takes a sign-in from their origin, as in production.
  const { key } = await becomeFirstOwner(origin, hash.slice(1));
  const answer = await fetch(`${origin}/api/projects`, withKey(key));
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);

  // The Node compiler reloads when a file of it is saved.
  const now = new Date();
  utimesSync(path.join(ROOT, "node/codecs.ts"), now, now);
  await eventually(async () => printed().includes("Restarted the Node compiler: node/codecs.ts changed."));
  await eventually(async () => (await fetch(`${origin}/api/health`)).ok);

  expect(await stopped(child, "SIGINT")).toBe(0);
  await eventually(async () => processesOf(state).length === 0);
  await expect(fetch(origin)).rejects.toThrow();
});
