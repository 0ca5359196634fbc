import { describe, expect, it } from "vitest";
import type { Quality } from "../../../compiler/quality.ts";
import { CompileError } from "../../../compiler/types.ts";
import { CompileCrash } from "../../../web/compile/run.ts";
import type { Cut } from "../../../web/edit/geometry.ts";
import { openPhoto, scorePhoto } from "../../../web/edit/open.ts";
import type { EditReply } from "../../../web/edit/protocol.ts";
import { FakeWorker } from "../fake-worker.ts";

const photo = new Blob(["photo"]);
const size = { width: 800, height: 600 };
const quality: Quality = {
  player: "vivimark",
  score: 83,
  stars: 4,
  parts: [],
  reasons: [],
  print: 60,
  map: { columns: 1, rows: 1, cells: [50] },
};
const cut = (width: number): Cut => ({ x: 400, y: 300, width, height: 200, degrees: 0 });

function begin() {
  const worker = new FakeWorker<EditReply>();
  const heard: string[] = [];
  const open = openPhoto(
    photo,
    {
      onScored: ({ width }, { score }) => heard.push(`scored ${width} ${score}`),
      onChecked: ({ width }, refusal) => heard.push(`checked ${width} ${refusal}`),
      onFailed: (error) => heard.push(`failed ${error.name} ${error.message}`),
    },
    () => worker,
  );
  return { worker, heard, open };
}

describe("openPhoto", () => {
  it("sends one request at a time, and of the waiting ones only the newest", () => {
    const { worker, heard, open } = begin();
    for (const width of [1, 2, 3]) open.score(cut(width));
    expect(worker.asked).toEqual([
      { kind: "open", photo },
      { kind: "score", cut: cut(1) },
    ]);
    worker.answer({ kind: "scored", cut: cut(1), quality });
    expect(worker.asked.slice(2)).toEqual([{ kind: "score", cut: cut(3) }]);
    worker.answer({ kind: "scored", cut: cut(3), quality });
    open.score(cut(4));
    expect(worker.asked.slice(3)).toEqual([{ kind: "score", cut: cut(4) }]);
    expect(heard).toEqual(["scored 1 83", "scored 3 83"]);
  });

  it("passes on a check unless a newer request is open", () => {
    const { worker, heard, open } = begin();
    open.score(cut(1));
    worker.answer({ kind: "scored", cut: cut(1), quality });
    worker.answer({ kind: "checked", cut: cut(1), refusal: "Too little." });
    open.score(cut(2));
    worker.answer({ kind: "checked", cut: cut(1), refusal: "Too late." });
    expect(heard).toEqual(["scored 1 83", "checked 1 Too little."]);
  });

  it("returns the edited file", async () => {
    const { worker, open } = begin();
    const made = open.make(cut(5));
    expect(worker.asked.at(-1)).toEqual({ kind: "make", cut: cut(5) });
    const file = { bytes: new Uint8Array([1]), type: "image/png" } as const;
    worker.answer({ kind: "made", file });
    expect(await made).toBe(file);
    open.close();
    expect(worker.terminated).toBe(true);
  });

  it.each<[string, (worker: FakeWorker<EditReply>) => void, string]>([
    [
      "a refusal",
      (worker) => worker.answer({ kind: "refused", code: "image_damaged", message: "Cut off." }),
      "failed CompileError Cut off.",
    ],
    [
      "a crash",
      (worker) => worker.answer({ kind: "crashed", message: "out of memory" }),
      "failed CompileCrash out of memory",
    ],
    [
      "a worker that does not start",
      (worker) => worker.onerror!.call(worker as never, { message: "" } as ErrorEvent),
      "failed CompileCrash The edit worker could not start.",
    ],
  ])("ends once with %s, and fails what is being made", async (_, breakDown, words) => {
    const { worker, heard, open } = begin();
    const made = open.make(cut(1)).catch((error) => error);
    breakDown(worker);
    breakDown(worker);
    expect(heard).toEqual([words]);
    expect(worker.terminated).toBe(true);
    expect(await made).toBeInstanceOf(Error);
    await expect(open.make(cut(2))).rejects.toBe(await made);
  });
});

describe("scorePhoto", () => {
  const scoring = (signal = new AbortController().signal) => {
    const worker = new FakeWorker<EditReply>();
    return { worker, verdict: scorePhoto(photo, size, signal, () => worker) };
  };

  it("scores the whole photo, waits for the check and ends the worker", async () => {
    const { worker, verdict } = scoring();
    const whole = { x: 400, y: 300, ...size, degrees: 0 };
    expect(worker.asked).toEqual([
      { kind: "open", photo },
      { kind: "score", cut: whole },
    ]);
    worker.answer({ kind: "scored", cut: whole, quality });
    expect(worker.terminated).toBe(false);
    worker.answer({ kind: "checked", cut: whole, refusal: "Too little." });
    expect(await verdict).toEqual({ quality, refusal: "Too little." });
    expect(worker.terminated).toBe(true);
  });

  it("distinguishes an invalid photo from a crash", async () => {
    const refused = scoring();
    refused.worker.answer({ kind: "refused", code: "image_damaged", message: "Cut off." });
    await expect(refused.verdict).rejects.toBeInstanceOf(CompileError);
    const crashed = scoring();
    crashed.worker.answer({ kind: "crashed", message: "out of memory" });
    await expect(crashed.verdict).rejects.toBeInstanceOf(CompileCrash);
  });

  it("ends the worker when aborted, and starts none when aborted before", async () => {
    const controller = new AbortController();
    const { worker, verdict } = scoring(controller.signal);
    controller.abort(new Error("left out"));
    await expect(verdict).rejects.toThrow("left out");
    expect(worker.terminated).toBe(true);
    const late = scoring(controller.signal);
    await expect(late.verdict).rejects.toThrow("left out");
    expect(late.worker.asked).toEqual([]);
  });
});
