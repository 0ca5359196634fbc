import { describe, expect, it } from "vitest";
import type { ArContent } from "../../../worker/schemas.ts";
import { Edge, refusal } from "../edge.ts";
import { ftyp, video } from "../fixtures.ts";

async function photo() {
  const edge = new Edge();
  const { content } = await edge.submit();
  const path = `/api/ar-content/${content.id}/video`;
  const put = (body: BodyInit, length: number | string | null, type = "video/mp4") => {
    const headers: Record<string, string> = { "Content-Type": type };
    if (length !== null) headers["Content-Length"] = String(length);
    return edge.fetch(path, { method: "PUT", body, headers });
  };
  return { edge, content, path, put };
}

const stream = (...chunks: Uint8Array[]) =>
  new ReadableStream({
    type: "bytes",
    start(controller) {
      for (const chunk of chunks) if (chunk.length > 0) controller.enqueue(chunk);
      controller.close();
    },
  });

describe("a video", () => {
  it.each(["mp4", "webm"] as const)("%s is attached", async (format) => {
    const { edge, content, put } = await photo();
    const body = video(format);
    const response = await put(body, body.length, `video/${format}`);
    expect(response.status).toBe(200);
    const attached = await response.json<ArContent>();
    expect(attached).toMatchObject({
      video_url: `/media/${content.unique_id}/video?v=1`,
      video_bytes: body.length,
      video_type: `video/${format}`,
      marker_status: "pending",
    });
    const served = await edge.fetch(attached.video_url ?? "");
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(body);
    expect(await edge.content(content.id)).toEqual(attached);
  });

  it.each([
    ftyp("mp42", ["mp42", "isom"]),
    ftyp("iso6", ["dash"]),
    ftyp("M4V "),
    ftyp("3gp5"),
    ftyp("XAVC", ["XAVC", "mp42"]),
  ])("is an MP4 by its brands", async (head) => {
    const { put } = await photo();
    expect(await (await put(head, head.length)).json()).toMatchObject({ video_type: "video/mp4" });
  });

  it("has the type of its bytes, whatever the Content-Type says", async () => {
    const { put } = await photo();
    const body = video("webm");
    expect(await (await put(body, body.length, "video/mp4")).json()).toMatchObject({
      video_type: "video/webm",
    });
  });

  it("is recognised when its first bytes arrive one by one", async () => {
    const { edge, put } = await photo();
    const body = video("mp4", 300);
    const single = Array.from(body, (byte) => new Uint8Array([byte]));
    const attached = await (await put(stream(...single), 300)).json<ArContent>();
    const served = await edge.fetch(attached.video_url ?? "");
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(body);
  });

  it("replaces the one before, whose file and address are removed", async () => {
    const { edge, content, put, path } = await photo();
    const first = video("mp4", 400);
    const second = video("webm", 500);
    await put(first, 400);
    const attached = await (await put(second, 500)).json<ArContent>();
    expect(attached.video_url).toBe(`/media/${content.unique_id}/video?v=2`);
    expect((await edge.files(content)).filter((key) => key.includes("/videos/"))).toHaveLength(1);

    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    expect(await edge.content(content.id)).toMatchObject({
      video_url: null,
      video_type: null,
      video_bytes: null,
    });
    expect(await edge.files(content)).toHaveLength(1);
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    const third = await (await put(first, 400)).json<ArContent>();
    expect(third.video_url).toBe(`/media/${content.unique_id}/video?v=4`);
  });

  it("is one of several at once: the last wins, one file stays", async () => {
    const { edge, content, put } = await photo();
    const bodies = [300, 400, 500, 600].map((length) => video("mp4", length));
    const answers = await Promise.all(bodies.map((body) => put(body, body.length)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { video_bytes: size, video_url: url } = await edge.content(content.id);
    const served = await (await edge.fetch(url ?? "")).arrayBuffer();
    expect(served.byteLength).toBe(size);
    expect((await edge.files(content)).filter((key) => key.includes("/videos/"))).toHaveLength(1);
  });
});

describe("a refused video", () => {
  const text = new TextEncoder().encode(
    "This is not a video, but it is long enough to be looked at. ".repeat(3),
  );
  const mkv = Uint8Array.from([
    0x1a,
    0x45,
    0xdf,
    0xa3,
    0x42,
    0x82,
    0x88,
    ...new TextEncoder().encode("matroska"),
  ]);
  it.each([
    ["without a length", () => stream(video("mp4")), null, 411, "length_required"],
    ["with an invalid length", () => stream(video("mp4")), "many", 411, "length_required"],
    ["over 95 MB", () => stream(video("mp4")), 95_000_001, 413, "video_too_large"],
    ["that is text", () => text, text.length, 415, "unsupported_video"],
    ["that is QuickTime", () => video("mov"), 5000, 415, "unsupported_video"],
    ["that is Matroska", () => mkv, mkv.length, 415, "unsupported_video"],
    ["that is empty", () => new Uint8Array(), 0, 415, "unsupported_video"],
  ] as const)("%s changes nothing", async (_name, body, length, status, code) => {
    const { edge, content, put } = await photo();
    const problem = await refusal(await put(body(), length));
    expect([problem.status, problem.code]).toEqual([status, code]);
    expect(await edge.content(content.id)).toEqual(content);
    expect(await edge.files(content)).toHaveLength(1);
  });

  it.each([
    ["a HEIC image", ftyp("heic", ["mif1", "heic"])],
    ["an AVIF image", ftyp("avis", ["msf1", "iso8"])],
    ["an MPEG-4 sound file", ftyp("M4A ", ["mp42", "isom"])],
    ["a Canon raw image (CR3)", ftyp("crx ", ["isom"])],
    ["a QuickTime video (.mov)", ftyp("qt  ", ["qt  ", "isom"])],
    ["a damaged MP4: its first box has an invalid length of 15 bytes", ftyp("isom", [], 15)],
    ["a damaged MP4: its first box has an invalid length of 18 bytes", ftyp("isom", ["mp41"], 18)],
    ["a damaged MP4: its first box has an invalid length of 8192 bytes", ftyp("isom", ["mp41"], 8192)],
    ['a file with the brand "\\u0000\\u0000\\u0000\\u0000"', ftyp("\0\0\0\0")],
    ["empty (0 bytes)", new Uint8Array()],
    ["in another format; expected an MP4 or WebM video.", new TextEncoder().encode("hello")],
  ])("that is %s is named", async (found, body) => {
    const { put } = await photo();
    const problem = await refusal(await put(stream(body), body.length));
    expect(problem).toMatchObject({ status: 415, code: "unsupported_video" });
    expect(problem.detail).toMatch(`The file is ${found}`);
  });

  it("that breaks off keeps the one before, and leaves no file", async () => {
    const { edge, content, put } = await photo();
    const first = video("mp4", 400);
    const before = await (await put(first, 400)).json<ArContent>();
    let sent = 0;
    const broken = new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (++sent > 3) controller.error(new Error("connection reset"));
        else controller.enqueue(video("webm", 1000));
      },
    });
    const problem = await refusal(await put(broken, 90_000));
    expect([problem.status, problem.code]).toEqual([400, "upload_interrupted"]);
    expect(await edge.content(content.id)).toEqual(before);
    expect(await edge.files(content)).toHaveLength(2);
    const served = await edge.fetch(before.video_url ?? "");
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(first);
  });

  it("of unknown content is not found", async () => {
    const { edge } = await photo();
    const body = video("mp4");
    const headers = { "Content-Length": String(body.length) };
    const path = `/api/ar-content/${crypto.randomUUID()}/video`;
    expect((await refusal(await edge.fetch(path, { method: "PUT", body, headers }))).code).toBe("not_found");
  });
});
