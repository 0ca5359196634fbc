import type { Quality } from "../../compiler/quality.ts";
import { CompileError } from "../../compiler/types.ts";
import { CompileCrash } from "../compile/run.ts";
import { type Cut, cutOf, type Size, untouched } from "./geometry.ts";
import type { EditReply, EditRequest, MadeFile } from "./protocol.ts";

/** Receives the events of an open photo. */
export interface EditListener {
  /** A crop was scored: the newest requested one, or an earlier one. */
  onScored(cut: Cut, quality: Quality): void;
  /** Reports why the crop would be refused as a marker, or null; only for the crop that was scored last. */
  onChecked(cut: Cut, refusal: string | null): void;
  /** The photo cannot be used (CompileError), or this browser cannot edit it (CompileCrash). The last event. */
  onFailed(error: Error): void;
}

/** A photo whose pixels are held by its own worker. */
export interface OpenPhoto {
  /** Requests a score. While another one is computed, only the newest request waits. */
  score(cut: Cut): void;
  /** Crops the full-size photo into a new file. Rejects with the error of `onFailed`. */
  make(cut: Cut): Promise<MadeFile>;
  /** Ends the worker and releases its memory. */
  close(): void;
}

/** The part of a Worker that an open photo needs. */
export type EditWorker = Pick<
  Worker,
  "postMessage" | "terminate" | "onmessage" | "onerror" | "onmessageerror"
>;

const startWorker = (): EditWorker =>
  new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "edit" });

/** Opens a photo for scoring and cropping. Requests are accepted at once. */
export function openPhoto(
  photo: Blob,
  listener: EditListener,
  start: () => EditWorker = startWorker,
): OpenPhoto {
  const worker = start();
  const ask = (request: EditRequest) => worker.postMessage(request);
  let scoring = false;
  let waiting: Cut | null = null;
  let making: { resolve(file: MadeFile): void; reject(error: Error): void } | null = null;
  let failure: Error | null = null;

  const fail = (error: Error) => {
    if (failure) return;
    failure = error;
    worker.terminate();
    making?.reject(error);
    listener.onFailed(error);
  };
  const scored = (cut: Cut, quality: Quality) => {
    scoring = waiting !== null;
    if (waiting) ask({ kind: "score", cut: waiting });
    waiting = null;
    listener.onScored(cut, quality);
  };
  worker.onmessage = ({ data: reply }: MessageEvent<EditReply>) => {
    switch (reply.kind) {
      case "opened":
        return;
      case "scored":
        return scored(reply.cut, reply.quality);
      case "checked":
        if (!scoring) listener.onChecked(reply.cut, reply.refusal);
        return;
      case "made":
        return making?.resolve(reply.file);
      case "refused":
        return fail(new CompileError(reply.code, reply.message));
      case "crashed":
        return fail(new CompileCrash(reply.message));
    }
  };
  worker.onerror = (event) => fail(new CompileCrash(event.message || "The edit worker could not start."));
  worker.onmessageerror = () => fail(new CompileCrash("The edit worker sent an unreadable message."));
  ask({ kind: "open", photo });

  return {
    score(cut) {
      if (scoring) waiting = cut;
      else ask({ kind: "score", cut });
      scoring = true;
    },
    make(cut) {
      if (failure) return Promise.reject(failure);
      ask({ kind: "make", cut });
      return new Promise<MadeFile>((resolve, reject) => (making = { resolve, reject }));
    },
    close: () => worker.terminate(),
  };
}

/** The properties of a photo that are known before its upload. */
export interface Verdict {
  readonly quality: Quality;
  /** Why it would be refused as a marker; null if it would not. */
  readonly refusal: string | null;
}

/**
 * Scores a whole photo in a worker, which ends with the answer.
 *
 * @throws the error of `EditListener.onFailed`; the reason of the signal
 */
export function scorePhoto(
  photo: Blob,
  size: Size,
  signal: AbortSignal,
  start: () => EditWorker = startWorker,
): Promise<Verdict> {
  return new Promise<Verdict>((resolve, reject) => {
    signal.throwIfAborted();
    let quality: Quality;
    const finish = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      open.close();
      settle();
    };
    const abort = () => finish(() => reject(signal.reason));
    const open = openPhoto(
      photo,
      {
        onScored: (_, scored) => (quality = scored),
        onChecked: (_, refusal) => finish(() => resolve({ quality, refusal })),
        onFailed: (error) => finish(() => reject(error)),
      },
      start,
    );
    signal.addEventListener("abort", abort);
    open.score(cutOf(size, untouched(size)));
  });
}
