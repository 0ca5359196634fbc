import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { orphanedFiles, videoUploads } from "../../../worker/db/tables.ts";
import type { VideoUpload } from "../../../worker/routes/video-uploads.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { hex } from "../../../worker/sha256.ts";
import type { MultipartUploads, StorageProvider } from "../../../worker/storage/provider.ts";
import { takeTurn } from "../../../worker/storage-migration/turn.ts";
import { sweep } from "../../../worker/sweep.ts";
import { but, Edge, json, refusal } from "../edge.ts";
import { mp4, video } from "../fixtures.ts";

const MB = 2 ** 20;
const PART = 16 * MB;
/** Two whole parts and a rest. */
const LENGTH = 2 * PART + 1000;

let edge: Edge;
let content: ArContent;

beforeEach(async () => {
  edge = new Edge();
  await edge.switchTo("platform");
  ({ content } = await edge.submit());
});

const path = () => `/api/ar-content/${content.id}/video-uploads`;
const begin = (wish: object = {}) =>
  edge.json<VideoUpload>(path(), json("POST", { length: LENGTH, content_type: "video/mp4", ...wish }));
const look = (id: string) => edge.json<VideoUpload>(`${path()}/${id}`);
const complete = (id: string) => edge.fetch(`${path()}/${id}/complete`, { method: "POST" });
const refused = async (answer: Response | Promise<Response>) => refusal(await answer);

function put(id: string, number: number, bytes: Uint8Array<ArrayBuffer>, length = bytes.length) {
  const headers = { "Content-Length": String(length) };
  return edge.fetch(`${path()}/${id}/parts/${number}`, { method: "PUT", body: bytes, headers });
}

const part = (bytes: Uint8Array<ArrayBuffer>, number: number) =>
  bytes.slice((number - 1) * PART, number * PART);

async function putAll(id: string, bytes: Uint8Array<ArrayBuffer>, numbers = [3, 1, 2]) {
  for (const number of numbers) expect((await put(id, number, part(bytes, number))).status).toBe(200);
}

async function shown(): Promise<Uint8Array> {
  const response = await edge.fetch(`/media/${content.unique_id}/video`);
  return new Uint8Array(await response.arrayBuffer());
}

const sha256 = async (bytes: Uint8Array<ArrayBuffer>) =>
  hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

const rowsOf = (id: string) => edge.db.select().from(videoUploads).where(eq(videoUploads.id, id));

describe("a large video", () => {
  it("is uploaded in parts, in any order, and shown when it is complete", async () => {
    const bytes = video("mp4", LENGTH);
    const response = await edge.fetch(path(), json("POST", { length: LENGTH, content_type: "video/mp4" }));
    expect(response.status).toBe(201);
    const upload = (await response.json()) as VideoUpload;
    expect(response.headers.get("location")).toBe(`${path()}/${upload.id}`);
    expect(upload).toMatchObject({
      content_id: content.id,
      part_bytes: PART,
      part_count: 3,
      parts: [],
      transport: "worker",
    });
    await put(upload.id, 3, part(bytes, 3));
    // Sent twice, as after a break.
    await put(upload.id, 1, part(bytes, 1));
    await put(upload.id, 1, part(bytes, 1));
    expect((await look(upload.id)).parts).toEqual([
      { number: 1, bytes: PART },
      { number: 3, bytes: 1000 },
    ]);
    expect((await edge.content(content.id)).video_url).toBeNull();
    const early = await refused(complete(upload.id));
    expect([early.status, early.code]).toEqual([409, "upload_incomplete"]);
    expect(early.detail).toBe(
      "Part 2 is missing or has the wrong size. Upload it, then complete the upload again.",
    );

    await put(upload.id, 2, part(bytes, 2));
    const attached = (await (await complete(upload.id)).json()) as ArContent;
    expect(attached).toMatchObject({
      video_bytes: LENGTH,
      video_type: "video/mp4",
      video_metadata: { width: 320, height: 240, duration: 3, codec: "h264", rotation: 0, has_sound: false },
    });
    expect(await shown()).toEqualBytes(bytes);
    expect((await refused(complete(upload.id))).code).toBe("not_found");
    expect((await edge.files(content)).filter((key) => key.includes("videos/"))).toHaveLength(1);
  });

  it("replaces the one before, whose file is removed", async () => {
    for (const type of ["mp4", "webm"] as const) {
      const bytes = video(type, 3000);
      const { id } = await begin({
        length: 3000,
        content_type: `video/${type}`,
        sha256: await sha256(bytes),
      });
      await putAll(id, bytes, [1]);
      expect(await (await complete(id)).json()).toMatchObject({ video_type: `video/${type}` });
      expect(await shown()).toEqualBytes(bytes);
    }
    await edge.removeDeletedFiles();
    expect((await edge.files(content)).filter((key) => key.includes("videos/"))).toHaveLength(1);
  });

  it("is shown once when it is completed several times at the same moment", async () => {
    const bytes = video("mp4", 3000);
    const { id } = await begin({ length: 3000 });
    await putAll(id, bytes, [1]);
    const answers = await Promise.all([1, 2, 3].map(() => complete(id)));
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(await shown()).toEqualBytes(bytes);
  });

  it("that is not a video, is cut off or has another checksum is refused and removed", async () => {
    const quickTime = await begin({ length: 3000 });
    await putAll(quickTime.id, video("mov", 3000), [1]);
    const problem = await refused(complete(quickTime.id));
    expect([problem.status, problem.code]).toEqual([415, "unsupported_video"]);
    const damaged = await begin({ length: 3000, sha256: "0".repeat(64) });
    await putAll(damaged.id, video("mp4", 3000), [1]);
    expect((await refused(complete(damaged.id))).code).toBe("checksum_mismatch");
    const cutOff = await begin({ length: 3000 });
    await putAll(cutOff.id, mp4({ length: 4000 }).slice(0, 3000), [1]);
    const truncated = await refused(complete(cutOff.id));
    expect([truncated.status, truncated.code]).toEqual([422, "video_damaged"]);
    expect((await edge.content(content.id)).video_url).toBeNull();
    expect((await edge.files(content)).filter((key) => key.includes("videos/"))).toEqual([]);
    for (const { id } of [quickTime, damaged, cutOff]) expect(await rowsOf(id)).toEqual([]);
  });

  it.each([
    ["more than 5 GB", { length: 5_000_000_001 }, "length"],
    ["nothing", { length: 0 }, "length"],
    ["another type", { content_type: "video/quicktime" }, "content_type"],
    ["no checksum", { sha256: "abc" }, "sha256"],
  ])("of %s is refused before it begins", async (_name, wish, field) => {
    const body = { length: LENGTH, content_type: "video/mp4", ...wish };
    const { code, detail } = await refused(edge.fetch(path(), json("POST", body)));
    expect([code, detail]).toEqual(["invalid_input", expect.stringContaining(`"${field}"`)]);
  });

  it("has parts of one size only", async () => {
    const { id } = await begin();
    const wrong: [number, number, string][] = [
      [1, 1000, `has 1000 bytes; expected ${PART}`],
      [3, 999, "has 999 bytes; expected 1000"],
      [4, 10, "a number from 1 to 3"],
    ];
    for (const [number, length, sentence] of wrong) {
      const { code, detail } = await refused(put(id, number, new Uint8Array(length)));
      expect([code, detail]).toEqual(["invalid_input", expect.stringContaining(sentence)]);
    }
    const headers = { "Content-Length": "" };
    const bare = edge.fetch(`${path()}/${id}/parts/3`, {
      method: "PUT",
      body: new Uint8Array(1000),
      headers,
    });
    expect(["length_required", "invalid_input"]).toContain((await refused(bare)).code);
    expect((await look(id)).parts).toEqual([]);
    const other = await edge.submit();
    const foreign = edge.fetch(`/api/ar-content/${other.content.id}/video-uploads/${id}`);
    expect((await refused(foreign)).code).toBe("not_found");
  });

  it("whose part breaks off keeps the other parts", async () => {
    const { id } = await begin();
    const bytes = video("mp4", LENGTH);
    await put(id, 3, part(bytes, 3));
    let sent = 0;
    const broken = new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (++sent > 3) controller.error(new Error("connection reset"));
        else controller.enqueue(new Uint8Array(1000));
      },
    });
    const headers = { "Content-Length": String(PART) };
    const answer = edge.fetch(`${path()}/${id}/parts/1`, { method: "PUT", body: broken, headers });
    expect((await refused(answer)).code).toBe("upload_interrupted");
    expect((await look(id)).parts).toEqual([{ number: 3, bytes: 1000 }]);
  });

  it("of a photo that is deleted ends with it, and its parts are deleted by the next sweep", async () => {
    const { id } = await begin();
    await put(id, 1, part(video("mp4", LENGTH), 1));
    const [row] = await rowsOf(id);
    expect((await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" })).status).toBe(204);
    expect(await rowsOf(id)).toEqual([]);
    await sweep(edge.bindings, edge.clock);
    const { path, uploadId } = row;
    expect(await edge.db.select().from(orphanedFiles).where(eq(orphanedFiles.path, path))).toEqual([]);
    const joined = edge.storage.multipart.complete(path, uploadId, [{ number: 1, etag: "e" }]);
    await expect(joined).rejects.toMatchObject({ code: "not_found" });
  });

  it("that is deleted or abandoned leaves nothing behind", async () => {
    const given = await begin({ length: 1000 });
    await putAll(given.id, video("mp4", 1000), [1]);
    expect((await edge.fetch(`${path()}/${given.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await refused(complete(given.id))).code).toBe("not_found");

    const forgotten = await begin({ length: 1000 });
    edge.pass(12 * 3600);
    await putAll(forgotten.id, video("mp4", 1000), [1]);
    edge.pass(23 * 3600);
    await sweep(edge.bindings, edge.clock);
    expect(await rowsOf(forgotten.id)).toHaveLength(1);
    edge.pass(3600);
    await sweep(edge.bindings, edge.clock);
    expect(await rowsOf(forgotten.id)).toEqual([]);
    expect((await edge.files(content)).filter((key) => key.includes("videos/"))).toEqual([]);
  });

  it("that is shown stays when the sweep finds its upload expired", async () => {
    const bytes = video("mp4", 1000);
    const { id } = await begin({ length: 1000 });
    const [row] = await rowsOf(id);
    await putAll(id, bytes, [1]);
    await complete(id);
    await edge.db.insert(videoUploads).values(row);
    edge.pass(25 * 3600);
    await sweep(edge.bindings, edge.clock);
    expect(await rowsOf(id)).toEqual([]);
    expect(await shown()).toEqualBytes(bytes);
  });

  it("is sent to signed addresses, and its parts are listed, by a storage that can", async () => {
    const second = edge.backends.get("second") as StorageProvider;
    const parts = second.multipart as MultipartUploads;
    const direct: MultipartUploads = {
      ...parts,
      minBytes: parts.minBytes,
      maxParts: parts.maxParts,
      start: (...given) => parts.start(...given),
      put: (...given) => parts.put(...given),
      complete: (...given) => parts.complete(...given),
      abort: (...given) => parts.abort(...given),
      presign: async ({ number }) => `https://s3.example.net/${number}`,
      list: async () => [{ number: 1, etag: "a", size: 16 * MB }],
    };
    edge.backends.set("second", but(second, { multipart: direct }));
    const { id } = await edge.connection("second");
    await edge.switchTo(id);
    const upload = await begin();
    expect(upload.transport).toBe("storage");
    const signed = await edge.json(`${path()}/${upload.id}/part-urls`, json("POST", { numbers: [1, 3] }));
    expect(signed).toEqual({
      items: [
        { number: 1, url: "https://s3.example.net/1" },
        { number: 3, url: "https://s3.example.net/3" },
      ],
      expires_at: new Date(edge.clock + 3_600_000).toISOString(),
    });
    const beyond = edge.fetch(`${path()}/${upload.id}/part-urls`, json("POST", { numbers: [4] }));
    expect((await refused(beyond)).detail).toContain("a number from 1 to 3");
    expect((await look(upload.id)).parts).toEqual([{ number: 1, bytes: PART }]);
    await edge.switchTo("platform");
    const own = await begin();
    const unsigned = edge.fetch(`${path()}/${own.id}/part-urls`, json("POST", { numbers: [1] }));
    expect((await refused(unsigned)).code).toBe("not_signed");
  });

  it("goes through the platform's own bucket to a storage without parts, and is shown all the time", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    edge.backends.set("second", but(edge.backends.get("second"), { multipart: null }));
    const { id: connectionId } = await edge.connection("second");
    await edge.switchTo(connectionId);
    const bytes = video("mp4", LENGTH);
    const { id, transport } = await begin();
    expect(transport).toBe("worker");
    await putAll(id, bytes);
    expect((await complete(id)).status).toBe(200);
    const inOwn = async () => (await edge.files(content)).filter((key) => key.includes("videos/")).length;
    expect(await shown()).toEqualBytes(bytes);
    expect(await inOwn()).toBe(1);
    expect(edge.moves).toHaveLength(1);
    for (let next = edge.moves.shift(); next; next = edge.moves.shift()) {
      await takeTurn(edge.bindings);
    }
    expect(await shown()).toEqualBytes(bytes);
    await edge.removeDeletedFiles();
    expect(await inOwn()).toBe(0);
    // Only the video was meant: the photo, which was there before the switch, stays.
    expect(await edge.files(content)).toHaveLength(1);
    expect(await edge.json("/api/storage-migrations")).toEqual({ items: [] });
  });
});
