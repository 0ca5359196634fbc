import type { PrintPage } from "./lay-out.ts";
import { PrintFailed, type PrintProblem } from "./problem.ts";
import type { PrintReply, PrintRequest } from "./protocol.ts";

/** The part of a Worker that printing needs. */
export type PrintWorker = Pick<
  Worker,
  "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror"
>;

const startWorker = (): PrintWorker =>
  new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "print" });

/** Downloads at the same time. */
const DOWNLOADS = 4;

interface MakeOptions {
  /** Downloads the original of a photo, by its index. Called once per photo, when its first page is drawn. */
  readonly download: (photo: number, signal: AbortSignal) => Promise<Blob>;
  /** The document's title. */
  readonly title: string;
  readonly signal: AbortSignal;
  /** Receives the number of pages that are drawn. */
  readonly onProgress: (pages: number) => void;
  readonly start?: () => PrintWorker;
}

/**
 * Makes a PDF of the pages in a worker. At most the originals of one page are in memory.
 *
 * @throws the error of a download; the reason of the signal; PrintFailed
 */
export async function makePdf(pages: readonly PrintPage[], options: MakeOptions): Promise<Blob> {
  const { title, signal, onProgress, start = startWorker } = options;
  signal.throwIfAborted();
  const worker = start();
  let last = -1;
  try {
    for (const [at, page] of pages.entries()) {
      const wanted = photosOf(page).filter((photo) => photo > last);
      const photos = await downloadAll(wanted, options);
      await ask(worker, { kind: "page", page, photos }, signal);
      last = Math.max(last, ...wanted);
      onProgress(at + 1);
    }
    const reply = await ask(worker, { kind: "finish", title }, signal);
    if (reply.kind !== "made") throw new Error("The print worker did not make the file.");
    return reply.file;
  } finally {
    worker.terminate();
  }
}

/** Returns the photos whose originals a page needs, in the order of the page. */
function photosOf({ pieces }: PrintPage): number[] {
  const shown = pieces.filter(({ piece }) => piece.marks.some(({ kind }) => kind === "photo"));
  return [...new Set(shown.map(({ photo }) => photo))];
}

async function downloadAll(
  photos: readonly number[],
  { download, signal }: MakeOptions,
): Promise<Map<number, Blob>> {
  const files = new Map<number, Blob>();
  for (let from = 0; from < photos.length; from += DOWNLOADS) {
    const batch = photos.slice(from, from + DOWNLOADS);
    const read = await Promise.all(
      batch.map(async (photo) => [photo, await download(photo, signal)] as const),
    );
    for (const [photo, file] of read) files.set(photo, file);
  }
  return files;
}

/** Sends a request and returns its reply, which is neither `failed` nor late. */
function ask(worker: PrintWorker, request: PrintRequest, signal: AbortSignal): Promise<PrintReply> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const settle = (finish: () => void) => {
      signal.removeEventListener("abort", abort);
      finish();
    };
    worker.onmessage = ({ data: reply }: MessageEvent<PrintReply>) =>
      settle(() => {
        if (reply.kind === "failed") reject(new PrintFailed(reply.problem));
        else resolve(reply);
      });
    const fail = (problem: PrintProblem) => settle(() => reject(new PrintFailed(problem)));
    worker.onerror = ({ message }) => fail(message ? { kind: "other", message } : { kind: "worker_start" });
    worker.onmessageerror = () => fail({ kind: "worker_reply" });
    worker.postMessage(request);
  });
}
