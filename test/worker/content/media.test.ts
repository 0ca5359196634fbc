import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeCompact } from "../../../compiler/compact.ts";
import { decodeMind } from "../../../compiler/mind.ts";
import { DESCRIPTOR_WORDS, type ImageTarget, type Keyframe } from "../../../compiler/types.ts";
import { parseRange } from "../../../worker/content/media.ts";
import { arContent } from "../../../worker/db/tables.ts";
import type { ArContent, ViewerManifest } from "../../../worker/schemas.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { HEIGHT, jpeg, mind, png, target, video, WIDTH } from "../fixtures.ts";

const edge = new Edge();
const image = png();
const marker = mind();
const thumbnail = jpeg(WIDTH, HEIGHT);
const picture = jpeg(WIDTH, HEIGHT, 300);
const film = video("webm", 1000);
let content: ArContent;
let bare: ArContent;

beforeAll(async () => {
  bare = (await edge.submit()).content;
  const { content: submitted, lease } = await edge.submit({ image, compile: "browser" });
  const path = `/api/ar-content/${submitted.id}`;
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  await edge.json(`${path}/marker`, { method: "PUT", body: form({ marker, thumbnail, picture }), headers });
  content = await edge.json(`${path}/video`, {
    method: "PUT",
    body: film,
    headers: { "Content-Length": String(film.length) },
  });
});

/** Returns a target of `count` points and more, whose descriptors contradict every order of the samples. */
function confused(target: ImageTarget, count = 0): ImageTarget {
  const [keyframe, ...others] = target.keyframes;
  const { maxima, maximaCluster } = keyframe;
  const copies = Math.max(maxima.count, count);
  const column = (values: Float64Array) =>
    Float64Array.from({ length: copies }, (_, i) => values[i % maxima.count]);
  const descriptors = new Uint32Array(copies * DESCRIPTOR_WORDS);
  for (let i = 0; i < descriptors.length; i++) descriptors[i] = Math.imul(i + 1, 2_654_435_761);
  const { x, y, scale, angle } = maxima;
  const points = { x: column(x), y: column(y), scale: column(scale), angle: column(angle), descriptors };
  const pointIndexes = Array.from({ length: copies }, (_, i) => i);
  const confusedFrame: Keyframe = {
    ...keyframe,
    maxima: { ...points, count: copies },
    maximaCluster: { ...maximaCluster, leaf: true, pointIndexes },
  };
  return { ...target, keyframes: [confusedFrame, ...others] };
}

const get = (url: string | null, headers: Record<string, string> = {}, method = "GET") =>
  edge.fetch(url ?? "", { method, headers });
const bytes = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe("media", () => {
  it.each([
    ["picture", () => content.picture_url, picture, "image/jpeg"],
    ["thumbnail", () => content.thumbnail_url, thumbnail, "image/jpeg"],
    ["marker", () => content.marker_url, marker, "application/octet-stream"],
    ["video", () => content.video_url, film, "video/webm"],
  ])("serves the %s whole, and its headers alone", async (_kind, url, body, type) => {
    const response = await get(url());
    expect(response.status).toBe(200);
    const expected = {
      "content-type": type,
      "content-length": String(body.length),
      "accept-ranges": "bytes",
      "cache-control": "public, max-age=31536000, immutable",
      "access-control-allow-origin": "*",
      "x-content-type-options": "nosniff",
      etag: '"1"',
    };
    expect(Object.fromEntries(response.headers)).toMatchObject(expected);
    expect(await bytes(response)).toEqualBytes(body);
    const head = await get(url(), {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Object.fromEntries(head.headers)).toMatchObject(expected);
  });

  it("serves the original to its company only", async () => {
    const { image_url: url } = content;
    const response = await get(url);
    const headers = { "content-type": "image/png", "cache-control": "private, no-cache", etag: '"1"' };
    expect(Object.fromEntries(response.headers)).toMatchObject(headers);
    expect(await bytes(response)).toEqualBytes(image);
    expect((await get(url, { "If-None-Match": '"1"' })).status).toBe(304);
    for (const init of [{}, { headers: { Authorization: "Bearer vk_unknown" } }, { method: "HEAD" }]) {
      expect((await edge.anonymously(url, init)).status).toBe(404);
    }
    const manifest = await (await edge.anonymously(`/api/viewer/${content.unique_id}`)).text();
    expect(manifest).not.toContain("/image");
  });

  it("is in the storage as it was sent", async () => {
    const [row] = await edge.db.select().from(arContent).where(eq(arContent.id, content.id));
    for (const [path, body] of [
      [row.imagePath, image],
      [row.markerPath, marker],
      [row.videoPath, film],
    ] as const) {
      expect(await (await env.BUCKET.get(path!))?.bytes()).toEqualBytes(body);
    }
  });

  it("serves a marker in its compact form", async () => {
    const url = `${content.marker_url}&form=compact`;
    const response = await get(url, { Range: "bytes=0-9" });
    expect(response.status).toBe(200);
    const expected = {
      "content-type": "application/octet-stream",
      "content-encoding": "gzip",
      "cache-control": "public, max-age=31536000, immutable",
      "access-control-allow-origin": "*",
      etag: '"1-compact"',
    };
    expect(Object.fromEntries(response.headers)).toMatchObject(expected);
    expect(await bytes(response)).toEqualBytes(encodeCompact(decodeMind(marker)));
    const head = await get(url, {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Object.fromEntries(head.headers)).toMatchObject(expected);
    expect((await get(url, { "If-None-Match": '"1-compact"' })).status).toBe(304);
    expect((await get(url, { "If-None-Match": '"1"' })).status).toBe(200);
    expect(await bytes(await get(content.marker_url))).toEqualBytes(marker);
  });

  it.each([
    ["whose compact form would have more bytes", () => mind([confused(target())])],
    ["that is too large for the cache", () => mind([confused(target(), 7000)])],
  ])("serves a marker as it is stored %s", async (_why, made) => {
    const stored = made();
    const { content, lease } = await edge.submit({ image: png(), compile: "browser" });
    const headers = { "Vivimark-Lease": lease?.token ?? "" };
    const init = { method: "PUT", body: form({ marker: stored }), headers };
    const { marker_url } = await edge.json<ArContent>(`/api/ar-content/${content.id}/marker`, init);
    const response = await get(`${marker_url}&form=compact`);
    expect(response.status).toBe(200);
    expect(await bytes(response)).toEqualBytes(stored);
    const head = await get(`${marker_url}&form=compact`, {}, "HEAD");
    expect([head.status, head.headers.get("etag")]).toEqual([200, '"1-compact"']);
  });

  it("serves as it is stored what is not a marker any more", async () => {
    const { content, lease } = await edge.submit({ image: png(), compile: "browser" });
    const headers = { "Vivimark-Lease": lease?.token ?? "" };
    const init = { method: "PUT", body: form({ marker }), headers };
    const { marker_url } = await edge.json<ArContent>(`/api/ar-content/${content.id}/marker`, init);
    const [row] = await edge.db.select().from(arContent).where(eq(arContent.id, content.id));
    const damaged = marker.slice(0, 1000);
    await env.BUCKET.put(row.markerPath!, damaged);
    expect(await bytes(await get(`${marker_url}&form=compact`))).toEqualBytes(damaged);
  });

  it("serves other files in their own form only", async () => {
    expect(await bytes(await get(`${content.image_url}&form=compact`))).toEqualBytes(image);
    expect(await refusal(await get(`${content.marker_url}&form=tiny`))).toMatchObject({
      code: "invalid_input",
    });
  });

  it.each([
    ["image", ".png"],
    ["picture", "-picture.jpg"],
    ["thumbnail", "-thumbnail.jpg"],
    ["marker", ".mind"],
    ["video", ".webm"],
  ])("names the saved file of a %s", async (kind, ending) => {
    for (const method of ["GET", "HEAD"]) {
      const response = await get(`/media/${content.unique_id}/${kind}`, {}, method);
      const name = `${content.unique_id}${ending}`;
      expect(response.headers.get("content-disposition")).toBe(`inline; filename="${name}"`);
      await response.body?.cancel();
    }
  });

  it.each(["", "?v=0", "?v=2", "?v="])("must be revalidated at an address with %o", async (query) => {
    const response = await get(`/media/${content.unique_id}/video${query}`);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("etag")).toBe('"1"');
    expect(await bytes(response)).toEqualBytes(film);
  });

  it.each(['"1"', 'W/"1"', '"0", "1"', "*"])("is not modified for If-None-Match %s", async (tag) => {
    const response = await get(content.video_url, { "If-None-Match": tag, Range: "bytes=0-1" });
    expect([response.status, await response.text()]).toEqual([304, ""]);
    expect(response.headers.get("etag")).toBe('"1"');
    expect(response.headers.get("cache-control")).toContain("immutable");
  });

  it("is sent when If-None-Match differs", async () => {
    expect((await get(content.video_url, { "If-None-Match": '"2"' })).status).toBe(200);
  });

  it.each([
    ["bytes=0-9", 0, 9],
    ["bytes=10-19", 10, 19],
    ["bytes=990-", 990, 999],
    ["bytes=-10", 990, 999],
    ["bytes=0-99999", 0, 999],
    ["bytes=-99999", 0, 999],
    ["bytes=999-999", 999, 999],
    ["BYTES=0-0", 0, 0],
    [`bytes=0-${"9".repeat(30)}`, 0, 999],
    [`bytes=-${"9".repeat(30)}`, 0, 999],
  ])("answers the range %s with 206", async (range, start, end) => {
    const response = await get(content.video_url, { Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end}/1000`);
    expect(response.headers.get("content-length")).toBe(String(end - start + 1));
    expect(await bytes(response)).toEqualBytes(film.slice(start, end + 1));
  });

  it.each(["bytes=1000-", "bytes=5000-6000", "bytes=-0", `bytes=${"9".repeat(20)}-`])(
    "refuses the range %s with 416",
    async (range) => {
      const response = await get(content.video_url, { Range: range });
      expect(response.headers.get("content-range")).toBe("bytes */1000");
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      const problem = await refusal(response);
      expect([problem.status, problem.code]).toEqual([416, "range_not_satisfiable"]);
    },
  );

  it.each(["bytes=0-1,5-6", "bytes=9-3", "bytes=a-b", "lines=0-1", "bytes=-"])(
    "ignores %o, which is not a single range of bytes",
    async (range) => {
      expect(parseRange(range)).toBeUndefined();
      const response = await get(content.video_url, { Range: range });
      expect(response.status).toBe(200);
      expect(await bytes(response)).toEqualBytes(film);
    },
  );

  it("honours a range only while If-Range matches", async () => {
    expect((await get(content.video_url, { Range: "bytes=0-9", "If-Range": '"1"' })).status).toBe(206);
    expect((await get(content.video_url, { Range: "bytes=0-9", "If-Range": '"0"' })).status).toBe(200);
  });

  it("names what is missing", async () => {
    const addresses = [
      `/media/${bare.unique_id}/marker`,
      `/media/${bare.unique_id}/thumbnail?v=1`,
      `/media/${bare.unique_id}/video`,
      `/media/${bare.unique_id}/secrets`,
      `/media/${crypto.randomUUID()}/image`,
      `/media/${content.unique_id}`,
    ];
    for (const address of addresses) {
      const problem = await refusal(await get(address));
      expect([address, problem.code]).toEqual([address, "not_found"]);
    }
    const head = await get(addresses[0], {}, "HEAD");
    expect(head.status).toBe(404);
  });

  it("may be read by players of any origin, preflight included", async () => {
    const preflight = await edge.fetch(content.video_url ?? "", {
      method: "OPTIONS",
      headers: {
        Origin: "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "range",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Range");
    const response = await get(content.video_url);
    expect(response.headers.get("access-control-expose-headers")).toContain("Content-Range");
  });
});

describe("the viewer", () => {
  it("gets what it needs and nothing about the company", async () => {
    const response = await get(`/api/viewer/${content.unique_id}`);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(await response.json<ViewerManifest>()).toEqual({
      unique_id: content.unique_id,
      title: "Holiday photo",
      description: "",
      image_width: WIDTH,
      image_height: HEIGHT,
      thumbnail_url: content.thumbnail_url,
      picture_url: content.picture_url,
      marker_status: "ready",
      marker_url: content.marker_url,
      target_width: WIDTH,
      target_height: HEIGHT,
      video_url: content.video_url,
      video_type: "video/webm",
      video_playback: null,
    });
  });

  it("gets a manifest without marker and video before they exist", async () => {
    const manifest = await edge.json<ViewerManifest>(`/api/viewer/${bare.unique_id}`);
    expect(manifest).toMatchObject({
      picture_url: null,
      marker_status: "pending",
      marker_url: null,
      target_width: null,
      video_url: null,
    });
  });

  it("gets nothing of inactive content; the studio still shows its photo", async () => {
    await edge.json(`/api/ar-content/${bare.id}`, json("PATCH", { is_active: false }));
    expect((await refusal(await get(`/api/viewer/${bare.unique_id}`))).code).toBe("not_found");
    expect((await get(bare.image_url)).status).toBe(200);
  });

  it("is the web app's page, at every unique id", async () => {
    expect(await (await get(`/v/${content.unique_id}`)).text()).toBe("/viewer");
  });
});
