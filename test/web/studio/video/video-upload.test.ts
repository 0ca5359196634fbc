import { describe, expect, it } from "vitest";
import type { ErrorCode, VideoUpload } from "../../../../client/client.ts";
import { Unreachable } from "../../../../web/studio/api/errors.ts";
import {
  FileGone,
  sendVideo,
  type UploadProgress,
  type UploadSessions,
} from "../../../../web/studio/video/video-upload.ts";
import { apiError } from "../api-error.ts";
import { content } from "../content.ts";

const PART_BYTES = 1_000;
const bytes = Uint8Array.from({ length: 4_321 }, (_, i) => (i * 7 + (i >> 8)) % 251);
const video = new Blob([bytes]);
const never = new AbortController().signal;
const refused = (code: ErrorCode, status: number) => apiError(code, status, `The server says ${code}.`);

interface Script {
  readonly transport?: VideoUpload["transport"];
  /** Parts that the server already has. */
  readonly parts?: readonly number[];
  /** The failure of the nth attempt to send a part, from 0; undefined if it succeeds. */
  readonly direct?: (number: number, attempt: number) => Error | undefined;
  readonly through?: (number: number, attempt: number) => Error | undefined;
  readonly complete?: (attempt: number) => Error | undefined;
  /** The storage does not list the parts that it received at signed URLs. */
  readonly isSilent?: boolean;
  readonly onPart?: (number: number) => void;
}

/** A server with one upload, which keeps the received bytes and answers as a test requires. */
function server(script: Script = {}) {
  const calls: string[] = [];
  const stored = new Map<number, Uint8Array>();
  const unseen = new Set<number>();
  const partAt = (number: number) => bytes.slice((number - 1) * PART_BYTES, number * PART_BYTES);
  for (const number of script.parts ?? []) stored.set(number, partAt(number));
  const attempts = new Map<string, number>();
  const attempt = (key: string) => {
    const nth = attempts.get(key) ?? 0;
    attempts.set(key, nth + 1);
    return nth;
  };
  const upload = (): VideoUpload => ({
    id: "upload-1",
    content_id: "content-1",
    length: bytes.length,
    content_type: "video/mp4",
    part_bytes: PART_BYTES,
    part_count: 5,
    parts: [...stored]
      .filter(([n]) => !unseen.has(n))
      .map(([number, { length }]) => ({ number, bytes: length })),
    transport: script.transport ?? "worker",
    expires_at: "2026-01-02T00:00:00.000Z",
  });
  const take = async (
    way: "direct" | "through",
    number: number,
    body: Blob,
    { onSent, signal }: UploadProgress,
  ) => {
    calls.push(`${way} ${number}`);
    onSent(0.5);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    const error = script[way]?.(number, attempt(`${way} ${number}`));
    if (error) throw error;
    stored.set(number, new Uint8Array(await body.arrayBuffer()));
    if (way === "direct" && script.isSilent) unseen.add(number);
    else unseen.delete(number);
    script.onPart?.(number);
    onSent(1);
  };
  const whole = () => [...stored].sort(([a], [b]) => a - b).flatMap(([, part]) => [...part]);
  const attached = content({ video_bytes: bytes.length });
  const sessions: UploadSessions = {
    create: async () => upload(),
    get: async () => {
      calls.push("get");
      return upload();
    },
    partUrl: async ({ number }) => `https://storage.example/${number}`,
    putToStorage: (url, body, progress) => take("direct", Number(url.split("/").at(-1)), body, progress),
    put: ({ number }, body, progress) => take("through", number, body, progress),
    complete: async () => {
      calls.push("complete");
      const error = script.complete?.(attempt("complete"));
      if (error) throw error;
      if (unseen.size > 0) throw refused("upload_incomplete", 409);
      return attached;
    },
    getContent: async () => attached,
    pause: async (retry, signal) => {
      calls.push(`pause ${retry}`);
      signal.throwIfAborted();
    },
  };
  const ways = (way: string) => calls.filter((call) => call.startsWith(way));
  return { sessions, calls, ways, upload, whole, attached };
}

async function send(script: Script, onProgress: (sent: number) => void = () => {}, signal = never) {
  const there = server(script);
  const options = { file: video, sessions: there.sessions, onProgress, signal };
  const outcome = await sendVideo(there.upload(), options).catch((e) => e);
  return { ...there, outcome };
}

describe("sendVideo", () => {
  it("sends every part once, in any order, and completes", async () => {
    const { outcome, calls, whole, attached, ways } = await send({});
    expect(outcome).toBe(attached);
    expect(whole()).toEqual([...bytes]);
    expect(ways("through").sort()).toEqual([1, 2, 3, 4, 5].map((n) => `through ${n}`));
    expect(calls.at(-1)).toBe("complete");
  });

  it("reports the sent bytes up to the file's size", async () => {
    const sent: number[] = [];
    await send({ parts: [2] }, (left) => sent.push(left));
    expect(sent[0]).toBe(PART_BYTES);
    expect(sent.at(-1)).toBe(bytes.length);
    expect(Math.max(...sent)).toBe(bytes.length);
  });

  it("sends at most three parts at a time", async () => {
    let underWay = 0;
    let most = 0;
    const there = server();
    const put: UploadSessions["put"] = async (...args) => {
      most = Math.max(most, ++underWay);
      await there.sessions.put(...args);
      underWay--;
    };
    await sendVideo(there.upload(), {
      file: video,
      sessions: { ...there.sessions, put },
      onProgress: () => {},
      signal: never,
    });
    expect(most).toBe(3);
  });

  it("sends only the missing parts when it continues", async () => {
    const { ways, whole } = await send({ parts: [1, 3, 5] });
    expect(ways("through").sort()).toEqual(["through 2", "through 4"]);
    expect(whole()).toEqual([...bytes]);
  });

  it("sends a part of the wrong size again", async () => {
    const there = server({ parts: [1, 2, 3, 4] });
    const half = { ...there.upload(), parts: [{ number: 1, bytes: 7 }] };
    await sendVideo(half, { file: video, sessions: there.sessions, onProgress: () => {}, signal: never });
    expect(there.ways("through")).toContain("through 1");
  });

  it("completes at once when all parts exist", async () => {
    const { calls } = await send({ parts: [1, 2, 3, 4, 5] });
    expect(calls).toEqual(["complete"]);
  });

  it("stops when paused, and continues from there", async () => {
    const pause = new AbortController();
    const there = server({ onPart: (number) => number === 2 && pause.abort(new Error("paused")) });
    const paused = sendVideo(there.upload(), {
      file: video,
      sessions: there.sessions,
      onProgress: () => {},
      signal: pause.signal,
    });
    await expect(paused).rejects.toThrow("paused");
    expect(there.calls).not.toContain("complete");
    const before = there.calls.length;
    const done = there.upload().parts.map(({ number }) => number);
    await sendVideo(there.upload(), {
      file: video,
      sessions: there.sessions,
      onProgress: () => {},
      signal: never,
    });
    for (const number of done) expect(there.calls.slice(before)).not.toContain(`through ${number}`);
    expect(there.whole()).toEqual([...bytes]);
  });

  it("repeats an interrupted part after a pause, and subtracts its bytes", async () => {
    const sent: number[] = [];
    const { ways, whole } = await send(
      { through: (number, attempt) => (number === 4 && attempt < 3 ? new Unreachable() : undefined) },
      (left) => sent.push(left),
    );
    expect(ways("through 4")).toHaveLength(4);
    expect(ways("pause")).toEqual(["pause 1", "pause 2", "pause 3"]);
    expect(sent.some((left, i) => i > 0 && left < sent[i - 1])).toBe(true);
    expect(whole()).toEqual([...bytes]);
  });

  it.each([
    ["a busy server", refused("storage_unavailable", 503)],
    ["a broken connection", refused("upload_interrupted", 400)],
    ["too many requests", refused("too_many_attempts", 429)],
  ])("repeats a part after %s", async (_name, error) => {
    const { outcome, attached } = await send({
      through: (number, attempt) => (number === 1 && attempt === 0 ? error : undefined),
    });
    expect(outcome).toBe(attached);
  });

  it("stops after eight attempts, and keeps the sent parts", async () => {
    const { outcome, ways, upload } = await send({
      through: (number) => (number === 5 ? new Unreachable() : undefined),
    });
    expect(outcome).toBeInstanceOf(Unreachable);
    expect(ways("through 5")).toHaveLength(8);
    expect(
      upload()
        .parts.map(({ number }) => number)
        .sort(),
    ).toEqual([1, 2, 3, 4]);
  });

  it.each(["storage_full", "not_found", "storage_denied"] as const)(
    "does not repeat what is refused: %s",
    async (code) => {
      const error = refused(code, code === "storage_full" ? 507 : 404);
      const { outcome, ways, calls } = await send({
        through: (number) => (number === 2 ? error : undefined),
      });
      expect(outcome).toBe(error);
      expect(ways("through 2")).toHaveLength(1);
      expect(calls).not.toContain("complete");
    },
  );

  it("sends directly to a storage that signs URLs", async () => {
    const { ways, whole } = await send({ transport: "storage" });
    expect(ways("direct")).toHaveLength(5);
    expect(ways("through")).toEqual([]);
    expect(whole()).toEqual([...bytes]);
  });

  it.each([
    ["cannot be reached from this page", new Unreachable()],
    ["refuses the address", new Error("The storage responded with status 403.")],
  ])("goes through Vivimark when the storage %s", async (_name, error) => {
    const { ways, whole, attached, outcome } = await send({ transport: "storage", direct: () => error });
    expect(outcome).toBe(attached);
    expect(ways("through")).toHaveLength(5);
    // Only the parts that were already being sent try the storage.
    expect(ways("direct").length).toBeLessThanOrEqual(3);
    expect(ways("pause")).toEqual([]);
    expect(whole()).toEqual([...bytes]);
  });

  it("retries a storage that has worked before it sends through Vivimark", async () => {
    const { ways, outcome, attached } = await send({
      transport: "storage",
      direct: (number) => (number === 5 ? new Unreachable() : undefined),
    });
    expect(outcome).toBe(attached);
    expect(ways("direct 5")).toHaveLength(3);
    expect(ways("through")).toEqual(["through 5"]);
  });

  it("sends parts again that the storage does not list", async () => {
    const { ways, calls, whole, outcome, attached } = await send({ transport: "storage", isSilent: true });
    expect(outcome).toBe(attached);
    expect(ways("direct")).toHaveLength(5);
    expect(ways("through")).toHaveLength(5);
    expect(calls.filter((call) => call === "complete")).toHaveLength(2);
    expect(whole()).toEqual([...bytes]);
  });

  it("stops if the upload never becomes complete", async () => {
    const { outcome, calls } = await send({ complete: () => refused("upload_incomplete", 409) });
    expect(outcome).toMatchObject({ code: "upload_incomplete" });
    expect(calls.filter((call) => call === "complete")).toHaveLength(1);
  });

  it("accepts a completion whose response was lost", async () => {
    const lost = [new Unreachable(), refused("not_found", 404)];
    const { outcome, attached } = await send({ complete: (attempt) => lost[attempt] });
    expect(outcome).toBe(attached);
  });

  it("does not accept a missing upload as complete", async () => {
    const { outcome } = await send({ complete: () => refused("not_found", 404) });
    expect(outcome).toMatchObject({ code: "not_found" });
  });

  it("reports an unreadable file, not a network error", async () => {
    const there = server({ through: () => new Unreachable() });
    const gone = () => Promise.reject(new DOMException("changed", "NotReadableError"));
    const file = Object.assign(new Blob([bytes]), {
      slice: () => ({ size: 1, slice: () => ({ arrayBuffer: gone }) }),
    });
    await expect(
      sendVideo(there.upload(), {
        file: file as unknown as Blob,
        sessions: there.sessions,
        onProgress: () => {},
        signal: never,
      }),
    ).rejects.toThrow(FileGone);
  });
});
