import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiError, MarkerError, Vivimark } from "../../client/client.ts";
import { inspectMind } from "../../compiler/inspect.ts";
import { rawPng } from "../compiler/image/files.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { photo } from "../faults/api.ts";
import { video } from "../worker/fixtures.ts";

let platform: Platform;
let vivimark: Vivimark;
/** Serves the photo at every address. */
let pictures: Server;

beforeAll(async () => {
  platform = await startPlatform();
  vivimark = new Vivimark({ url: platform.url, key: platform.key });
  pictures = createServer((_, response) => response.end(photo));
  await new Promise<void>((resolve) => pictures.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  pictures?.close();
  await platform?.close();
});

const image = (name: string) => new File([photo], name, { type: "image/jpeg" });
const address = (name: string) => `http://127.0.0.1:${(pictures.address() as AddressInfo).port}/${name}`;

test("a photo becomes a marker, gets a video, and is deleted", async () => {
  const { content, reused } = await vivimark.submit({ image: image("portrait.jpg"), max_features: 200 });
  expect([content.title, content.max_features, reused]).toEqual(["portrait", 200, false]);
  const ready = await vivimark.whenReady(content.id);
  expect(ready.marker_metadata?.executor).toBe("node");
  const marker = await vivimark.marker(ready);
  expect(inspectMind(marker)).toMatchObject({ valid: true, problems: [] });
  expect(marker.length).toBe(ready.marker_metadata?.bytes);

  await expect(vivimark.attachVideo(content.id, new Blob(["no video"]), "video/mp4")).rejects.toMatchObject({
    name: "ApiError",
    code: "unsupported_video",
    status: 415,
  });
  const attached = await vivimark.attachVideo(content.id, video("mp4"), "video/mp4");
  expect([attached.video_type, attached.video_bytes]).toEqual(["video/mp4", video("mp4").length]);

  expect(await vivimark.delete(content.id)).toBeUndefined();
  const gone = await vivimark.get(content.id).catch((error) => error);
  expect(gone).toBeInstanceOf(ApiError);
  expect([gone.code, gone.status, gone.problem.request_id.length > 0]).toEqual(["not_found", 404, true]);
});

test("a photo is fetched from its URL, once per idempotency key", async () => {
  const wanted = { image_url: address("grandmother.jpg"), max_features: 201 };
  const idempotencyKey = crypto.randomUUID();
  const [first, second] = [
    await vivimark.submit(wanted, { idempotencyKey }),
    await vivimark.submit(wanted, { idempotencyKey }),
  ];
  expect(second).toEqual(first);
  expect((await vivimark.whenReady(first.content.id)).title).toBe("grandmother");
});

test("a failed compilation has its reason, and waiting can be aborted", async () => {
  const rows = Array.from({ length: 200 }, () => new Uint8Array(200).fill(128));
  const plain = rawPng({ width: 200, height: 200, depth: 8, colorType: 0 }, rows);
  const { content } = await vivimark.submit({ image: new Uint8Array(plain) });
  const failure = await vivimark.whenReady(content.id).catch((error) => error);
  expect(failure).toBeInstanceOf(MarkerError);
  expect([failure.code, failure.content.id]).toEqual(["too_few_features", content.id]);
  const gaveUp = vivimark.whenReady(content.id, { signal: AbortSignal.abort(new Error("enough")) });
  await expect(gaveUp).rejects.toThrow("enough");
});

test("a batch of files, an archive and URLs", async () => {
  const archive = new Uint8Array(zipSync({ "a.jpg": photo, "b.jpg": new Uint8Array(3) }));
  const results = [
    await vivimark.submitBatch({ images: [image("1.jpg"), image("2.jpg")], max_features: 202 }),
    await vivimark.submitBatch({ archive, max_features: 203 }),
    await vivimark.submitBatch({ items: [{ image_url: address("c.jpg"), max_features: 204 }] }),
  ];
  const told = results.map(({ items }) => items.map(({ name, error }) => [name, error?.code ?? null]));
  expect(told).toEqual([
    [
      ["1.jpg", null],
      ["2.jpg", null],
    ],
    [
      ["a.jpg", null],
      ["b.jpg", "not_an_image"],
    ],
    [[address("c.jpg"), null]],
  ]);
});

test("a list has pages", async () => {
  const { total } = await vivimark.call("GET /api/ar-content");
  const ids = new Set<string>();
  for await (const { id } of vivimark.list({ limit: 2 })) ids.add(id);
  expect(total).toBeGreaterThan(2);
  expect(ids.size).toBe(total);
});

test("every other operation is typed: JSON in; JSON, a response or nothing out", async () => {
  const made = await vivimark.call("POST /api/projects", { body: { name: "Weddings & more" } });
  const path = { id: made.id };
  expect(await vivimark.call("GET /api/projects/{id}", { path })).toEqual(made);
  const changed = await vivimark.call("PATCH /api/projects/{id}", { path, body: { archived: true } });
  expect(changed.archived_at).not.toBeNull();
  const csv = await vivimark.call("GET /api/audit-log/export.csv", { query: { subject: "project" } });
  expect(await csv.text()).toContain("Weddings & more");
  const refused = await vivimark
    .call("POST /api/projects", { body: { name: "" } })
    .catch((error: ApiError) => error);
  expect(refused).toMatchObject({ code: "invalid_input", problem: { errors: [{ field: "name" }] } });
});

/** Returns a client of a server that always answers this. */
const answered = (body: string, init: ResponseInit = {}) =>
  new Vivimark({ url: "https://vivimark.example", fetch: async () => new Response(body, init) });
const problem = { "Content-Type": "application/problem+json" };

test.each([
  ["a proxy's page", "<h1>Bad gateway</h1>", { status: 502, headers: { "Content-Type": "text/html" } }],
  ["a network's own page", "<form>", { status: 200, headers: { "Content-Type": "text/html" } }],
  ["a truncated problem", '{"code":', { status: 500, headers: problem }],
  ["somebody else's problem", '{"title":"No"}', { status: 429, headers: problem }],
  ["null instead of a problem", "null", { status: 403, headers: problem }],
])("%s is an ApiError too", async (_, body, init) => {
  const error = await answered(body, init)
    .call("GET /api/ar-content", { query: { q: "a secret search" } })
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect([error.code, error.status]).toEqual(["internal_error", init.status]);
  expect(error.message).toMatch(
    /^GET \/api\/ar-content returned .*, which is not an answer of Vivimark\. Check the URL and any proxy\.$/,
  );
});

test.each([
  ["60", 60],
  ["of a date", 3600],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["soon", undefined],
])("Retry-After: %s", async (text, seconds) => {
  const body = JSON.stringify({ code: "too_many_requests", detail: "Slower." });
  const given = text === "of a date" ? new Date(Date.now() + 3_600_000).toUTCString() : text;
  const headers = { ...problem, "Retry-After": given };
  const error = await answered(body, { status: 429, headers })
    .get("1")
    .catch((reason) => reason);
  if (seconds === undefined) expect(error.retryAfterSeconds).toBeUndefined();
  else expect(Math.abs(error.retryAfterSeconds - seconds)).toBeLessThan(60);
});

test("errors do not reveal keys, and an invalid key is never sent", () => {
  const secret = `vivi_${"5".repeat(48)}`;
  for (const key of [`${secret}\u200b`, `${secret}\nX: y`, `${secret} ${secret}`, `vivi_…${secret}`, ""]) {
    const construct = () => new Vivimark({ url: "https://vivimark.example", key });
    expect(construct).toThrow(TypeError);
    expect(construct).not.toThrow(secret);
  }
});

test("a key with a pasted line break works, and so does a URL with a path", async () => {
  const sent: Request[] = [];
  const client = new Vivimark({
    url: "https://example.net/vivimark/?from=mail#top",
    key: "vivi_1\n",
    fetch: async (request) => {
      sent.push(request);
      return Response.json({ items: [], next_cursor: null });
    },
  });
  await client.call("GET /api/ar-content", { query: { limit: 1 } });
  expect(sent[0].url).toBe("https://example.net/vivimark/api/ar-content?limit=1");
  expect(sent[0].headers.get("authorization")).toBe("Bearer vivi_1");
});

test.each(["https://ada:secret@example.net", "ftp://example.net", "example.net"])(
  "%s is an invalid URL",
  (url) => {
    expect(() => new Vivimark({ url })).toThrow(TypeError);
    expect(() => new Vivimark({ url })).not.toThrow("secret");
  },
);

test.each(["..", ".", ""])("%j is an invalid id: it would lead to another operation", async (id) => {
  const client = new Vivimark({
    url: "https://vivimark.example",
    fetch: async ({ url }) => {
      throw new Error(`Sent to ${url}`);
    },
  });
  await expect(client.delete(id)).rejects.toThrow(/"id" in the path is ".*"\. Expected an id/);
});

test("in a browser, with a key and as a signed-in person", async () => {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext();
    await context.addCookies([...platform.cookies]);
    const page = await context.newPage();
    const source = await readFile(new URL("../../client/client.ts", import.meta.url), "utf8");
    const served = {
      "/empty": "<!doctype html><title>Empty</title>",
      "/client.js": stripTypeScriptTypes(source),
    };
    for (const [path, body] of Object.entries(served)) {
      const contentType = path.endsWith(".js") ? "text/javascript" : "text/html";
      await page.route(platform.url + path, (route) => route.fulfill({ body, contentType }));
    }
    await page.goto(`${platform.url}/empty`);
    const program = `async (keys) => {
      const { Vivimark } = await import("/client.js");
      const answers = [];
      for (const key of keys) {
        const vivimark = new Vivimark({ url: location.origin, key: key ?? undefined });
        const image = new File([Uint8Array.from(atob(${JSON.stringify(photo.toString("base64"))}), (c) => c.charCodeAt(0))], "browser.jpg");
        const { content } = await vivimark.submit({ image, max_features: 205 });
        const marker = await vivimark.marker(await vivimark.whenReady(content.id));
        answers.push([content.title, marker.length > 10_000]);
      }
      return answers;
    }`;
    const answers = await page.evaluate(`(${program})(${JSON.stringify([platform.key, null])})`);
    expect(answers).toEqual([
      ["browser", true],
      ["browser", true],
    ]);
  } finally {
    await browser.close();
  }
});
