import { describe, expect, it, vi } from "vitest";
import { convertVideo, inspectVideo } from "../../../web/video/convert.ts";
import type { VideoReply } from "../../../web/video/protocol.ts";
import { FakeWorker } from "../fake-worker.ts";

const file = new File(["video"], "holiday.2026.mov", { type: "video/quicktime" });

function prepare() {
  const worker = new FakeWorker<VideoReply>();
  const stop = new AbortController();
  const onProgress = vi.fn();
  const options = { signal: stop.signal, start: () => worker };
  const convert = () => convertVideo(file, { ...options, keepsSound: true, onProgress });
  return { worker, stop, onProgress, options, convert };
}

describe("a conversion", () => {
  it("reports progress and returns an MP4", async () => {
    const { worker, onProgress, convert } = prepare();
    const converted = convert();
    expect(worker.asked).toEqual([{ kind: "convert", file, keepsSound: true }]);
    worker.answer({ kind: "progress", fraction: 0.5 });
    worker.answer({ kind: "converted", bytes: new Uint8Array([1, 2]).buffer });
    const { name, type, size } = await converted;
    expect([name, type, size]).toEqual(["holiday.2026.mp4", "video/mp4", 2]);
    expect(onProgress.mock.calls).toEqual([[0.5]]);
    expect(worker.terminated).toBe(true);
  });

  it("ends at once when it is cancelled", async () => {
    const { worker, stop, convert } = prepare();
    const converted = convert();
    stop.abort(new Error("cancelled"));
    await expect(converted).rejects.toThrow("cancelled");
    expect(worker.terminated).toBe(true);
  });

  const noMemory = { kind: "other", message: "Out of memory" } as const;
  const noDecoder = { kind: "sound_track", reason: "undecodable_source_codec" } as const;

  it.each<[string, VideoReply | null, object]>([
    ["a file that is not a video", { kind: "unreadable", reason: "format" }, { reason: "format" }],
    ["a failure", { kind: "failed", problem: noDecoder }, { problem: noDecoder }],
    ["a crash", null, { problem: noMemory }],
  ])("ends with %s", async (_name, reply, error) => {
    const { worker, convert } = prepare();
    const converted = convert();
    if (reply) worker.answer(reply);
    else worker.onerror!.call(worker as never, { message: noMemory.message } as ErrorEvent);
    await expect(converted).rejects.toMatchObject(error);
    expect(worker.terminated).toBe(true);
  });
});

it("an inspection returns the plan", async () => {
  const { worker, options } = prepare();
  const plan = { step: "keep", obstacle: null, keptType: "video/mp4" } as const;
  const inspected = inspectVideo(file, options);
  worker.answer({ kind: "inspected", plan });
  expect(await inspected).toEqual(plan);
});
