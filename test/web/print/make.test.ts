import { describe, expect, test } from "vitest";
import { DEFAULT_SETTINGS, layOut } from "../../../web/print/lay-out.ts";
import { makePdf, type PrintWorker } from "../../../web/print/make.ts";
import type { PrintReply, PrintRequest } from "../../../web/print/protocol.ts";

const PDF = new Blob(["%PDF"]);

/** Answers each request with `reply`, once the caller goes on. */
class FakeWorker implements PrintWorker {
  onmessage: PrintWorker["onmessage"] = null;
  onerror: PrintWorker["onerror"] = null;
  onmessageerror: PrintWorker["onmessageerror"] = null;
  readonly requests: PrintRequest[] = [];
  isEnded = false;
  readonly #reply: (request: PrintRequest) => PrintReply | null;

  constructor(reply: (request: PrintRequest) => PrintReply | null = drawn) {
    this.#reply = reply;
  }

  postMessage(request: PrintRequest) {
    this.requests.push(request);
    const data = this.#reply(request);
    if (data) queueMicrotask(() => this.onmessage?.call(this as unknown as Worker, { data } as MessageEvent));
  }

  terminate() {
    this.isEnded = true;
  }
}

const drawn = (request: PrintRequest): PrintReply =>
  request.kind === "finish" ? { kind: "made", file: PDF } : { kind: "drawn" };

/** Two prints fit on a page. */
function pagesOf(count: number, copies = 1) {
  const photos = Array.from({ length: count }, (_, at) => ({
    title: `Photo ${at}`,
    orderNumber: null,
    address: "https://vivimark.example/v/1",
    pixels: { width: 2000, height: 3000 },
    map: null,
    smallest: null,
  }));
  return layOut(photos, { ...DEFAULT_SETTINGS, kind: "corner", copies }, () => 1).pages;
}

function options(worker: FakeWorker) {
  const controller = new AbortController();
  const downloads: number[] = [];
  const done: number[] = [];
  return {
    controller,
    downloads,
    done,
    download: async (photo: number) => {
      downloads.push(photo);
      return new Blob([String(photo)]);
    },
    title: "Two photos",
    signal: controller.signal,
    onProgress: (pages: number) => done.push(pages),
    start: () => worker,
  };
}

const sentPhotos = ({ requests }: FakeWorker) =>
  requests.map((request) => (request.kind === "page" ? [...request.photos.keys()] : request.kind));

describe("making a PDF", () => {
  test("downloads the originals page by page, each once", async () => {
    const worker = new FakeWorker();
    const given = options(worker);
    expect(await makePdf(pagesOf(3, 3), given)).toBe(PDF);
    expect(sentPhotos(worker)).toEqual([[0], [1], [], [2], [], "finish"]);
    expect(given.downloads).toEqual([0, 1, 2]);
    expect(given.done).toEqual([1, 2, 3, 4, 5]);
    expect(worker.isEnded).toBe(true);
  });

  test("does not download the next page before a page is drawn", async () => {
    const worker = new FakeWorker(() => null);
    const given = options(worker);
    const made = makePdf(pagesOf(10), given);
    await expect.poll(() => worker.requests.length).toBe(1);
    expect(given.downloads).toEqual([0, 1]);
    given.controller.abort();
    await expect(made).rejects.toBe(given.signal.reason);
    expect([worker.isEnded, given.downloads]).toEqual([true, [0, 1]]);
  });

  test("downloads nothing for labels", async () => {
    const worker = new FakeWorker();
    const given = options(worker);
    const { pages } = layOut(
      [
        {
          title: "A",
          orderNumber: null,
          address: "https://a.example/",
          pixels: { width: 1, height: 1 },
          map: null,
          smallest: null,
        },
      ],
      DEFAULT_SETTINGS,
      () => 1,
    );
    await makePdf(pages, given);
    expect(given.downloads).toEqual([]);
  });

  test("names the photo that cannot be read", async () => {
    const problem = { kind: "photo", photo: 1 } as const;
    const worker = new FakeWorker(() => ({ kind: "failed", problem }));
    await expect(makePdf(pagesOf(2), options(worker))).rejects.toMatchObject({ problem });
    expect(worker.isEnded).toBe(true);
  });

  test.each([
    ["", { kind: "worker_start" }],
    ["Out of memory", { kind: "other", message: "Out of memory" }],
  ])("fails with a worker that breaks with “%s”", async (message, problem) => {
    const worker = new FakeWorker(() => null);
    const made = makePdf(pagesOf(1), options(worker));
    await expect.poll(() => worker.requests.length).toBe(1);
    worker.onerror!.call(worker as unknown as Worker, { message } as ErrorEvent);
    await expect(made).rejects.toMatchObject({ problem });
    expect(worker.isEnded).toBe(true);
  });

  test("fails with a download, and ends the worker", async () => {
    const worker = new FakeWorker();
    const download = () => Promise.reject(new Error("Not found."));
    await expect(makePdf(pagesOf(2), { ...options(worker), download })).rejects.toThrow("Not found.");
    expect(worker.isEnded).toBe(true);
  });
});
