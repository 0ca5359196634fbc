import { describe, expect, it } from "vitest";
import { CompileError, type CompileProgress } from "../../../compiler/types.ts";
import type { CompileReply } from "../../../web/compile/protocol.ts";
import { CompileCrash, compileInWorker } from "../../../web/compile/run.ts";
import { FakeWorker } from "../fake-worker.ts";

const never = new AbortController().signal;
const photo = new Blob(["photo"]);

function begin(signal = never) {
  const worker = new FakeWorker<CompileReply>();
  const seen: CompileProgress[] = [];
  const result = compileInWorker(
    photo,
    { maxFeatures: 50 },
    { onProgress: (progress) => seen.push(progress), signal, start: () => worker },
  );
  return { worker, seen, result };
}

describe("compileInWorker", () => {
  it("sends the photo, reports progress, returns the marker and ends the worker", async () => {
    const { worker, seen, result } = begin();
    expect(worker.asked).toEqual([{ kind: "compile", photo, options: { maxFeatures: 50 } }]);
    const progress: CompileProgress = { stage: "match", done: 1, total: 5 };
    worker.answer({ kind: "progress", progress });
    const done = {
      marker: new Uint8Array([1]),
      thumbnail: new Uint8Array([2]),
      picture: new Uint8Array([3]),
      milliseconds: 3,
      compilerVersion: "1",
    };
    worker.answer({ kind: "done", photo: done });
    expect(await result).toBe(done);
    expect(seen).toEqual([progress]);
    expect(worker.terminated).toBe(true);
  });

  it("rejects with the refusal of a bad photo", async () => {
    const { worker, result } = begin();
    worker.answer({ kind: "refused", code: "too_few_features", message: "12 points" });
    const error = await result.catch((reason) => reason);
    expect(error).toBeInstanceOf(CompileError);
    expect(error).toMatchObject({ code: "too_few_features", message: "12 points" });
    expect(worker.terminated).toBe(true);
  });

  it.each<[string, (worker: FakeWorker<CompileReply>) => void]>([
    ["a crash it reports", (worker) => worker.answer({ kind: "crashed", message: "out of memory" })],
    ["an error event", (worker) => worker.onerror!.call(worker as never, new Event("error") as ErrorEvent)],
    [
      "a message that cannot be read",
      (worker) => worker.onmessageerror!.call(worker as never, new MessageEvent("messageerror")),
    ],
  ])("rejects with a crash after %s", async (_, breakDown) => {
    const { worker, result } = begin();
    breakDown(worker);
    await expect(result).rejects.toBeInstanceOf(CompileCrash);
    expect(worker.terminated).toBe(true);
  });

  it("terminates the worker when aborted, and starts none when aborted before", async () => {
    const controller = new AbortController();
    const { worker, result } = begin(controller.signal);
    controller.abort(new Error("cancelled"));
    await expect(result).rejects.toThrow("cancelled");
    expect(worker.terminated).toBe(true);

    const { worker: unasked, result: refused } = begin(controller.signal);
    await expect(refused).rejects.toThrow("cancelled");
    expect(unasked.asked).toEqual([]);
  });
});
