import { eq, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { COMPILER_VERSION, DEFAULT_MAX_SIZE } from "../../../compiler/compile.ts";
import { scoreTarget } from "../../../compiler/quality.ts";
import type { ImageTarget } from "../../../compiler/types.ts";
import { arContent } from "../../../worker/db/tables.ts";
import { MAX_MARKER_BYTES } from "../../../worker/marker/delivery.ts";
import type { ArContent, CompileTask, Lease, Submission, TakenLease } from "../../../worker/schemas.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { HEIGHT, jpeg, mind, png, target, WIDTH } from "../fixtures.ts";

/** Submits a photo with a browser lease. */
async function leased(fields: Record<string, string | Uint8Array> = {}) {
  const edge = new Edge();
  const submission = await edge.submit({ compile: "browser", ...fields });
  const { id } = submission.content;
  const token = submission.lease?.token ?? "";
  const path = `/api/ar-content/${id}/marker`;
  const headers = { "Vivimark-Lease": token };
  const put = (body: BodyInit, more: Record<string, string> = {}) =>
    edge.fetch(path, { method: "PUT", body, headers: { ...headers, ...more } });
  const putRaw = (body: Uint8Array) =>
    put(new Uint8Array(body), { "Content-Type": "application/octet-stream" });
  return { edge, id, token, path, headers, put, putRaw, content: submission.content, submission };
}

describe("a delivered marker", () => {
  it("shows null as the quality of a marker that was never scored", async () => {
    const { edge, id, put } = await leased();
    await put(form({ marker: mind() }));
    await edge.db
      .update(arContent)
      .set({ markerMetadata: sql`json_remove(marker_metadata, '$.quality')` })
      .where(eq(arContent.id, id));
    expect((await edge.content(id)).marker_metadata).toMatchObject({
      points: expect.any(Number),
      quality: null,
    });
  });

  it("shows null as the quality of a marker whose points were not checked when it was scored", async () => {
    const { edge, id, put } = await leased();
    await put(form({ marker: mind() }));
    await edge.db
      .update(arContent)
      .set({ markerMetadata: sql`json_set(marker_metadata, '$.quality.score', NULL)` })
      .where(eq(arContent.id, id));
    expect((await edge.content(id)).marker_metadata?.quality).toBeNull();
  });

  it.each<[string, (target: ImageTarget) => void]>([
    ["a feature point far away", ({ keyframes: [{ maxima }] }) => maxima.x.fill(1e308)],
    ["a feature point just outside", ({ keyframes: [{ minima, height }] }) => minima.y.fill(height + 0.1)],
    ["a scale that is not a power of two", ({ keyframes: [{ maxima }] }) => maxima.scale.fill(3)],
    ["an angle of many turns", ({ keyframes: [{ maxima }] }) => maxima.angle.fill(1e6)],
    ["a tracking point outside", ({ tracking }) => Object.assign(tracking[1].points[0], { x: -1 })],
  ])("is refused with %s, and nothing changes", async (_, edit) => {
    const { edge, id, put } = await leased();
    const edited = structuredClone(target());
    edit(edited);
    const problem = await refusal(await put(form({ marker: mind([edited]) })));
    expect([problem.status, problem.code]).toEqual([422, "invalid_marker"]);
    expect(await edge.content(id)).toMatchObject({ marker_status: "processing", marker_metadata: null });
  });

  it("makes the content ready, with metadata that the edge measured", async () => {
    const { edge, id, put, submission } = await leased();
    edge.pass(7);
    const marker = mind();
    const thumbnail = jpeg(WIDTH, HEIGHT);
    const picture = jpeg(WIDTH, HEIGHT, 300);
    const response = await put(form({ metadata: '{"milliseconds":321.5}', thumbnail, picture, marker }));
    expect(response.status).toBe(200);
    const content = await response.json<ArContent>();
    const { keyframes, tracking } = target();
    expect(content).toMatchObject({
      marker_status: "ready",
      executor: "browser",
      progress: null,
      marker_url: `/media/${content.unique_id}/marker?v=1`,
      thumbnail_url: `/media/${content.unique_id}/thumbnail?v=1`,
      picture_url: `/media/${content.unique_id}/picture?v=1`,
      marker_generated_at: new Date(edge.clock).toISOString(),
      marker_metadata: {
        bytes: marker.length,
        width: WIDTH,
        height: HEIGHT,
        keyframes: keyframes.length,
        points: keyframes.reduce((sum, { maxima, minima }) => sum + maxima.count + minima.count, 0),
        tracking_points: tracking.reduce((sum, { points }) => sum + points.length, 0),
        quality: scoreTarget(target()),
        compiler_version: COMPILER_VERSION,
        milliseconds: 321.5,
        executor: "browser",
      },
    });
    const served = await edge.fetch(content.marker_url ?? "");
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(marker);
    expect(served.headers.get("content-type")).toBe("application/octet-stream");
    const shown = await edge.fetch(content.thumbnail_url ?? "");
    expect(new Uint8Array(await shown.arrayBuffer())).toEqualBytes(thumbnail);
    const large = await edge.fetch(content.picture_url ?? "");
    expect(new Uint8Array(await large.arrayBuffer())).toEqualBytes(picture);
    expect(await edge.json<CompileTask>(`/api/tasks/${submission.task_id}`)).toMatchObject({
      state: "ready",
      attempts: 0,
      finished_at: new Date(edge.clock).toISOString(),
    });
    expect(await edge.content(id)).toEqual(content);
  });

  it("may come as bare bytes", async () => {
    const { putRaw } = await leased();
    const content = await (await putRaw(mind())).json<ArContent>();
    expect(content).toMatchObject({ marker_status: "ready", thumbnail_url: null, picture_url: null });
    expect(content.marker_metadata?.milliseconds).toBeNull();
  });

  it("that is delivered again under the same lease gets the same response", async () => {
    const { edge, putRaw, content } = await leased();
    const first = await (await putRaw(mind())).json();
    const files = await edge.files(content);
    const second = await putRaw(mind());
    expect([second.status, await second.json()]).toEqual([200, first]);
    expect(await edge.files(content)).toEqual(files);
  });

  it("may be flat if its photo is", async () => {
    const { put } = await leased({ image: png(900, 130) });
    const marker = mind([target(900, 130)]);
    expect((await put(form({ marker, thumbnail: jpeg(480, 69) }))).status).toBe(200);
  });

  /** Returns a JPEG with a segment APP1 after its JFIF header. */
  const withExif = (bytes: Uint8Array) => {
    const segments = [0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xe1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0, 0];
    return Uint8Array.from([...bytes.subarray(0, 2), ...segments, ...bytes.subarray(2)]);
  };

  const garbage = new TextEncoder().encode("<!doctype html><p>Not found</p>");
  const refused: [string, () => BodyInit, number, string, RegExp][] = [
    ["a web page", () => form({ marker: garbage }), 422, "invalid_marker", /./],
    ["a cut one", () => form({ marker: mind().slice(0, -9) }), 422, "invalid_marker", /./],
    ["two targets", () => form({ marker: mind([target(), target()]) }), 422, "invalid_marker", /2 targets/],
    [
      "one of another photo",
      () => form({ marker: mind([target(180, 240)]) }),
      422,
      "foreign_marker",
      /180 × 240 px.*240 × 180 px/,
    ],
    [
      "one without features",
      () => {
        const { keyframes, ...rest } = target();
        const none = { count: 0, x: new Float64Array(), y: new Float64Array(), scale: new Float64Array() };
        const points = { ...none, angle: new Float64Array(), descriptors: new Uint32Array() };
        const leaf = { leaf: true, centerPointIndex: null, pointIndexes: [] } as const;
        const cluster = { ...leaf, pointIndexes: [] };
        const blank = keyframes.map((keyframe) => ({
          ...keyframe,
          maxima: points,
          minima: points,
          maximaCluster: cluster,
          minimaCluster: cluster,
        }));
        return form({ marker: mind([{ ...rest, keyframes: blank }]) });
      },
      422,
      "too_few_features",
      /./,
    ],
    ["one over 4 MB", () => form({ marker: new Uint8Array(4_000_001) }), 413, "marker_too_large", /4 MB/],
    ["none", () => form({ thumbnail: jpeg(240, 180) }), 422, "invalid_input", /"marker" is missing/],
    [
      "a thumbnail that is a PNG",
      () => form({ marker: mind(), thumbnail: png() }),
      422,
      "invalid_thumbnail",
      /not a JPEG/,
    ],
    [
      "a thumbnail of 2000 px",
      () => form({ marker: mind(), thumbnail: jpeg(2000, 1500) }),
      422,
      "invalid_thumbnail",
      /2000 × 1500 px/,
    ],
    [
      "a thumbnail over 500 kB",
      () => form({ marker: mind(), thumbnail: jpeg(240, 180, 500_001) }),
      422,
      "invalid_thumbnail",
      /500001 bytes/,
    ],
    [
      "a picture of 2000 px",
      () => form({ marker: mind(), picture: jpeg(2000, 1500) }),
      422,
      "invalid_picture",
      /2000 × 1500 px; expected a JPEG of at most 1600 px/,
    ],
    [
      "a picture over 2 MB",
      () => form({ marker: mind(), picture: jpeg(240, 180, 2_000_001) }),
      422,
      "invalid_picture",
      /2000001 bytes/,
    ],
    [
      "a picture with Exif data",
      () => form({ marker: mind(), picture: withExif(jpeg(240, 180)) }),
      422,
      "invalid_picture",
      /has metadata/,
    ],
    [
      "a thumbnail with Exif data",
      () => form({ marker: mind(), thumbnail: withExif(jpeg(240, 180)) }),
      422,
      "invalid_thumbnail",
      /has metadata/,
    ],
    [
      "a damaged thumbnail",
      () => form({ marker: mind(), thumbnail: jpeg(240, 180).slice(0, 4) }),
      422,
      "invalid_thumbnail",
      /./,
    ],
    [
      "metadata that is not JSON",
      () => form({ marker: mind(), metadata: "{" }),
      400,
      "malformed_json",
      /"metadata"/,
    ],
    [
      "a time that is not a number",
      () => form({ marker: mind(), metadata: '{"milliseconds":"fast"}' }),
      422,
      "invalid_input",
      /"milliseconds".*received "fast"/,
    ],
  ];
  it.each(refused)("is refused, changing nothing: %s", async (_name, body, status, code, sentence) => {
    const { edge, id, put, content } = await leased();
    const files = await edge.files(content);
    const problem = await refusal(await put(body()));
    expect([problem.status, problem.code]).toEqual([status, code]);
    expect(problem.detail).toMatch(sentence);
    expect(await edge.content(id)).toEqual(content);
    expect(await edge.files(content)).toEqual(files);
  });

  it("is refused when it has more points than max_features", async () => {
    const { put } = await leased({ max_features: "40" });
    expect((await refusal(await put(form({ marker: mind() })))).code).toBe("foreign_marker");
    const small = mind([target(WIDTH, HEIGHT, { maxFeatures: 40 })]);
    expect((await put(form({ marker: small }))).status).toBe(200);
  });

  it("may be three times as large as the marker of the densest photo", () => {
    const { length } = mind([target(DEFAULT_MAX_SIZE, DEFAULT_MAX_SIZE)]);
    expect(length).toBeGreaterThan(900_000);
    expect(3 * length).toBeLessThan(MAX_MARKER_BYTES);
  });

  it("is refused as bare bytes over the limit, or of another media type", async () => {
    const { put, putRaw } = await leased();
    expect((await refusal(await putRaw(new Uint8Array(4_000_001)))).code).toBe("marker_too_large");
    const text = await refusal(await put("hello", { "Content-Type": "text/plain" }));
    expect([text.status, text.code]).toEqual([415, "unsupported_media_type"]);
  });

  it.each([
    ["late", 60, (token: string) => token],
    ["with another token", 0, () => "0".repeat(64)],
  ])("gets 409 and changes nothing when it comes %s", async (_name, seconds, tokenOf) => {
    const { edge, id, put, content, token } = await leased();
    const before = await edge.content(id);
    edge.pass(seconds);
    const problem = await refusal(await put(form({ marker: mind() }), { "Vivimark-Lease": tokenOf(token) }));
    expect([problem.status, problem.code]).toEqual([409, "lease_lost"]);
    expect(await edge.content(id)).toEqual(before);
    expect(await edge.files(content)).toHaveLength(1);
  });

  it("needs the lease's header, and content that exists", async () => {
    const { edge, path, headers } = await leased();
    const body = form({ marker: mind() });
    const without = await refusal(await edge.fetch(path, { method: "PUT", body }));
    expect([without.status, without.code]).toEqual([422, "invalid_input"]);
    expect(without.detail).toMatch(/"vivimark-lease" of the header/);
    const unknown = `/api/ar-content/${crypto.randomUUID()}/marker`;
    const missing = await refusal(await edge.fetch(unknown, { method: "PUT", body: form({}), headers }));
    expect([missing.status, missing.code]).toEqual([404, "not_found"]);
  });

  it("is stored once for five simultaneous deliveries", async () => {
    const { edge, putRaw, content } = await leased();
    const answers = await Promise.all(Array.from({ length: 5 }, () => putRaw(mind())));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    for (const answer of answers) {
      if (answer.status !== 200) expect((await refusal(answer)).code).toBe("lease_lost");
    }
    const files = await edge.files(content);
    expect(files.filter((key) => key.endsWith(".mind"))).toHaveLength(1);
  });
});

describe("progress", () => {
  it("extends the lease and is shown", async () => {
    const { edge, id, path, headers, token } = await leased();
    edge.pass(50);
    const body = { stage: "track", done: 1, total: 2 };
    const lease = await edge.json<Lease>(`${path}/progress`, json("POST", body, headers));
    expect(lease).toEqual({ token, expires_at: new Date(edge.clock + 60_000).toISOString() });
    expect((await edge.content(id)).progress).toEqual(body);
  });

  it.each([
    [{ stage: "dream", done: 1, total: 2 }, /"stage".*received "dream"/],
    [{ stage: "match", done: -1, total: 2 }, /"done".*received -1/],
    [{ stage: "match", done: 1 }, /"total".*received nothing/],
  ])("is refused as %o", async (body, sentence) => {
    const { edge, path, headers } = await leased();
    const problem = await refusal(await edge.fetch(`${path}/progress`, json("POST", body, headers)));
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
    expect(problem.detail).toMatch(sentence);
  });

  it("gets 409 when the lease is lost, 400 for broken JSON, 415 for another type, 413 for a large body", async () => {
    const { edge, path, headers } = await leased();
    const send = async (body: string, type = "application/json") => {
      const init = { method: "POST", body, headers: { ...headers, "Content-Type": type } };
      const { status, code } = await refusal(await edge.fetch(`${path}/progress`, init));
      return `${status} ${code}`;
    };
    expect(await send("{")).toBe("400 malformed_json");
    expect(await send("a=1", "text/plain")).toBe("415 unsupported_media_type");
    expect(await send(`{"stage":"${"x".repeat(70_000)}"}`)).toBe("413 body_too_large");
    edge.pass(60);
    expect(await send('{"stage":"match","done":1,"total":2}')).toBe("409 lease_lost");
  });
});

describe("the lease", () => {
  it("that is released brings the Node compiler at once", async () => {
    const { edge, id, path, headers } = await leased();
    edge.sent.length = 0;
    expect((await edge.fetch(`${path}/lease`, { method: "DELETE", headers })).status).toBe(204);
    expect((await edge.content(id)).marker_status).toBe("pending");
    expect(edge.sent).toEqual([{ message: { content_id: id, generation: 1 }, delaySeconds: 0 }]);
    const again = await refusal(await edge.fetch(`${path}/lease`, { method: "DELETE", headers }));
    expect([again.status, again.code]).toEqual([409, "lease_lost"]);
    expect(edge.sent).toHaveLength(1);
  });

  it("of a waiting photo can be acquired by a browser, which may then deliver", async () => {
    const edge = new Edge();
    const { content, task_id } = await edge.submit();
    edge.sent.length = 0;
    const path = `/api/ar-content/${content.id}/marker`;
    const taken = await edge.json<TakenLease>(`${path}/lease`, { method: "POST" });
    expect(taken).toMatchObject({ task_id, expires_at: new Date(edge.clock + 60_000).toISOString() });
    const message = { content_id: content.id, generation: 1 };
    expect(edge.sent).toEqual([{ message, delaySeconds: 60 }]);
    const headers = { "Vivimark-Lease": taken.token };
    const delivered = await edge.fetch(path, { method: "PUT", body: form({ marker: mind() }), headers });
    expect(delivered.status).toBe(200);
  });

  it("is not granted twice, nor for a marker that is ready", async () => {
    const { edge, path, putRaw } = await leased();
    const held = await refusal(await edge.fetch(`${path}/lease`, { method: "POST" }));
    expect([held.status, held.code]).toEqual([409, "lease_held"]);
    await putRaw(mind());
    const settled = await refusal(await edge.fetch(`${path}/lease`, { method: "POST" }));
    expect([settled.status, settled.code]).toEqual([409, "nothing_to_compile"]);
  });
});

describe("compiling again", () => {
  it("serves the old marker until the new one is ready, then removes the old files", async () => {
    const { edge, id, path, put } = await leased();
    const first = await (await put(form({ marker: mind(), thumbnail: jpeg(240, 180) }))).json<ArContent>();
    const oldFiles = await edge.files(first);

    const request = json("POST", { compile: "browser", max_features: 60 });
    const again = await edge.json<Submission>(`${path}/recompile`, request);
    expect(again).toMatchObject({
      reused: false,
      content: { marker_status: "processing", max_features: 60, marker_url: first.marker_url },
    });
    expect((await edge.fetch(first.marker_url ?? "")).status).toBe(200);

    const marker = mind([target(WIDTH, HEIGHT, { maxFeatures: 60 })]);
    const headers = { "Vivimark-Lease": again.lease?.token ?? "" };
    const delivered = await edge.fetch(path, { method: "PUT", body: form({ marker }), headers });
    const second = await delivered.json<ArContent>();
    expect(second.marker_url).toBe(`/media/${second.unique_id}/marker?v=2`);
    // Without new pictures, the old ones stay.
    expect(second.thumbnail_url).toBe(first.thumbnail_url);
    const served = await edge.fetch(second.marker_url ?? "");
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(marker);
    await edge.removeDeletedFiles();
    const files = await edge.files(second);
    expect(files.filter((key) => oldFiles.includes(key) && key.endsWith(".mind"))).toEqual([]);
    expect(files).toHaveLength(3);

    const { items } = await edge.json<{ items: CompileTask[] }>(`/api/ar-content/${id}/tasks`);
    expect(items.map(({ generation, state }) => [generation, state])).toEqual([
      [2, "ready"],
      [1, "ready"],
    ]);
  });

  it("keeps max_features unless given, and uses the Node compiler by default", async () => {
    const { edge, id, path } = await leased({ max_features: "90" });
    edge.sent.length = 0;
    const again = await edge.json<Submission>(`${path}/recompile`, { method: "POST" });
    expect([again.content.max_features, again.lease, again.content.marker_status]).toEqual([
      90,
      null,
      "pending",
    ]);
    expect(edge.sent).toEqual([{ message: { content_id: id, generation: 2 }, delaySeconds: 0 }]);
    const all = await edge.json<Submission>(`${path}/recompile`, json("POST", { max_features: null }));
    expect(all.content.max_features).toBeNull();
    const { items } = await edge.json<{ items: CompileTask[] }>(`/api/ar-content/${id}/tasks`);
    expect(items.map(({ state }) => state)).toEqual(["pending", "superseded", "superseded"]);
  });

  it("refuses an unknown executor", async () => {
    const { edge, path } = await leased();
    const problem = await refusal(await edge.fetch(`${path}/recompile`, json("POST", { compile: "cloud" })));
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
  });
});
