import { describe, expect, it, vi } from "vitest";
import type { ArContent } from "../../../worker/schemas.ts";
import { Edge, refusal } from "../edge.ts";
import { box, element, ftyp, mp4, video, webm } from "../fixtures.ts";

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
  ])("is an MP4 by its brands", async (brands) => {
    const { put } = await photo();
    const body = mp4({ ftyp: brands });
    expect(await (await put(body, body.length)).json()).toMatchObject({ video_type: "video/mp4" });
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
    const body = video("mp4", 700);
    const single = Array.from(body, (byte) => new Uint8Array([byte]));
    const attached = await (await put(stream(...single), 700)).json<ArContent>();
    const served = await edge.fetch(attached.video_url ?? "");
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(body);
  });

  it("replaces the one before, whose file and address are removed", async () => {
    const { edge, content, put, path } = await photo();
    const first = video("mp4", 1400);
    const second = video("webm", 1500);
    await put(first, 1400);
    const attached = await (await put(second, 1500)).json<ArContent>();
    expect(attached.video_url).toBe(`/media/${content.unique_id}/video?v=2`);
    await edge.removeDeletedFiles();
    expect((await edge.files(content)).filter((key) => key.includes("/videos/"))).toHaveLength(1);

    expect((await edge.fetch(`${path}?keep_files=false`, { method: "DELETE" })).status).toBe(204);
    expect(await edge.content(content.id)).toMatchObject({
      video_url: null,
      video_type: null,
      video_bytes: null,
    });
    expect(await edge.files(content)).toHaveLength(1);
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    const third = await (await put(first, 1400)).json<ArContent>();
    expect(third.video_url).toBe(`/media/${content.unique_id}/video?v=4`);
  });

  it("is one of several at once: the last wins, one file stays", async () => {
    const { edge, content, put } = await photo();
    const bodies = [1300, 1400, 1500, 1600].map((length) => video("mp4", length));
    const answers = await Promise.all(bodies.map((body) => put(body, body.length)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { video_bytes: size, video_url: url } = await edge.content(content.id);
    const served = await (await edge.fetch(url ?? "")).arrayBuffer();
    expect(served.byteLength).toBe(size);
    await edge.removeDeletedFiles();
    expect((await edge.files(content)).filter((key) => key.includes("/videos/"))).toHaveLength(1);
  });
});

describe("what a video contains", () => {
  it.each([
    [
      "an MP4",
      mp4({}),
      { codec: "h264", width: 320, height: 240, rotation: 0, duration: 3, has_sound: false },
    ],
    ["an MP4 with sound", mp4({ sound: "mp4a" }), { codec: "h264", has_sound: true }],
    ["an MP4 with its index at the end", mp4({ isFastStart: false, length: 300_000 }), { duration: 3 }],
    ["an upright MP4", mp4({ isTurned: true }), { width: 240, height: 320, rotation: 90 }],
    ["an MP4 with VP9", mp4({ codec: "vp09" }), { codec: "vp9" }],
    ["an MP4 with AV1", mp4({ codec: "av01" }), { codec: "av1" }],
    ["an MP4 without its duration", mp4({ duration: 0 }), { duration: null }],
    [
      "an MP4 with a box between",
      joined(ftyp("isom"), box("free", new Uint8Array(70_000)), mp4({}).slice(16)),
      {},
    ],
    ["a WebM", webm({}), { codec: "vp8", width: 320, height: 240, duration: 3, has_sound: false }],
    ["a WebM with sound", webm({ codec: "V_VP9", sound: "A_OPUS" }), { codec: "vp9", has_sound: true }],
    [
      "a WebM with AV1, as browsers record it",
      webm({ codec: "V_AV1", isOpen: true, duration: 0 }),
      { codec: "av1", duration: null },
    ],
  ])("is read from %s", async (_name, body, expected) => {
    const { edge, content, put } = await photo();
    const { video_metadata: metadata } = await (await put(body, body.length)).json<ArContent>();
    expect(metadata).toMatchObject({ rotation: 0, width: 320, ...expected });
    expect((await edge.content(content.id)).video_metadata).toEqual(metadata);
  });

  it("takes the storage two requests for a video of any length", async () => {
    const { edge, put } = await photo();
    const download = vi.spyOn(edge.storage, "download");
    const body = mp4({ isFastStart: false, length: 3_000_000, sound: "mp4a" });
    expect((await put(body, body.length)).status).toBe(200);
    const ranges = download.mock.calls.map(([, options]) => options?.range);
    expect(ranges).toEqual([
      { start: 0, end: 65_535 },
      { start: expect.any(Number), end: 2_999_999 },
    ]);
  });
});

function joined(...parts: readonly Uint8Array[]) {
  return new Uint8Array(parts.flatMap((part) => Array.from(part)));
}

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

  const header = box("ftyp", new TextEncoder().encode("isom\0\0\0\0"));
  it.each([
    ["sound only, as MP4", mp4({ codec: null, sound: "mp4a" }), 415, "has sound but no video track"],
    ["sound only, as WebM", webm({ codec: null, sound: "A_OPUS" }), 415, "has sound but no video track"],
    ["no tracks", mp4({ codec: null }), 415, "has no video track"],
    ["HEVC", mp4({ codec: "hvc1" }), 415, "The codec of the video is HEVC (H.265)"],
    ["MPEG-4 Part 2", mp4({ codec: "mp4v" }), 415, "The codec of the video is MPEG-4 Part 2"],
    ["an unknown codec", mp4({ codec: "zzzz" }), 415, 'The codec of the video is "zzzz"'],
    ["an unknown codec, as WebM", webm({ codec: "V_THEORA" }), 415, 'The codec of the video is "V_THEORA"'],
    ["AC-3 sound", mp4({ sound: "ac-3" }), 415, "The codec of the sound is AC-3"],
    [
      "its end missing, as MP4",
      mp4({}).slice(0, 4000),
      422,
      "truncated: the file has 4000 bytes; expected 5000",
    ],
    [
      "its end missing, as WebM",
      webm({}).slice(0, 4000),
      422,
      "truncated: the file has 4000 bytes; expected 5000",
    ],
    ["its index missing", mp4({ isFastStart: false }).slice(0, 3000), 422, "truncated"],
    ["its frames missing", upToFrames(), 422, "no frames"],
    [
      "its index cut out",
      joined(header, box("mdat", new Uint8Array(99))),
      422,
      'its index (the box "moov") is missing',
    ],
    ["no frames, as WebM", webm({ isOpen: true }).slice(0, 24), 422, "it has no frames"],
    ["no size", mp4({ width: 0, height: 0 }), 422, "0 × 0 px"],
    ["a box that is longer than the one around it", lengthened("trak"), 422, "longer than the one around it"],
    ["a description that cannot be read", lengthened("avc1"), 422, "its tracks cannot be read"],
    ["thousands of boxes", joined(header, ...Array(400).fill(box("free"))), 422, "more than 300 boxes"],
    ["a huge box", joined(header, box("moov", box("mvhd", new Uint8Array(70_000)))), 422, "is too large"],
    [
      "thousands of elements",
      joined(webm({ isOpen: true }).slice(0, 24), ...Array(200).fill(element([0xec]))),
      422,
      "damaged",
    ],
  ])("with %s says so, and leaves no file", async (_name, body, status, detail) => {
    const { edge, content, put } = await photo();
    const problem = await refusal(await put(body, body.length));
    expect([problem.status, problem.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect(await edge.content(content.id)).toEqual(content);
    expect(await edge.files(content)).toHaveLength(1);
  });

  function upToFrames() {
    const bytes = mp4({});
    return bytes.slice(0, new TextDecoder("latin1").decode(bytes).indexOf("mdat") - 4);
  }

  /** Returns an MP4 with a box whose stated length is too large. */
  function lengthened(type: string) {
    const bytes = mp4({});
    const text = new TextDecoder("latin1").decode(bytes);
    new DataView(bytes.buffer).setUint32(text.indexOf(type) - 4, 4900);
    return bytes;
  }

  it("that breaks off keeps the one before, and leaves no file", async () => {
    const { edge, content, put } = await photo();
    const first = video("mp4", 1400);
    const before = await (await put(first, 1400)).json<ArContent>();
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
