import { type Signal, signal } from "@preact/signals";
import type { ArContent, VideoUpload } from "../../../client/client.ts";
import { hasCode, messageOf } from "../api/errors.ts";
import { contents } from "../photos/contents.ts";
import { toast } from "../ui/toasts.tsx";
import { fingerprintOf } from "./fingerprint.ts";
import { Speedometer } from "./speed.ts";
import { forget, recall, remember, type UnfinishedUpload } from "./unfinished-uploads.ts";
import { deleteUpload, uploadSessions } from "./video-parts.ts";
import { isTransient, sendVideo } from "./video-upload.ts";

/** A large video on its way from this tab; it goes on while other pages of the studio are shown. */
export interface VideoTransfer {
  readonly contentId: string;
  readonly name: string;
  readonly bytes: number;
  readonly state: Signal<TransferState>;
  /** The content with its video; null when the transfer was cancelled or dismissed. */
  readonly finished: Promise<ArContent | null>;
  pause(): void;
  resume(): void;
  /** What was sent is removed. */
  cancel(): void;
  /** Ends a refused transfer; what was sent stays for another try, where there can be one. */
  dismiss(): void;
}

export type TransferState =
  | { readonly kind: "preparing" }
  | {
      readonly kind: "sending";
      readonly sentBytes: number;
      /** Bytes a second; null while it cannot be told. */
      readonly speed: number | null;
    }
  | { readonly kind: "completing" }
  /** `reason`: what stopped it; null: the person did. */
  | { readonly kind: "paused"; readonly sentBytes: number; readonly reason: string | null }
  /** Cannot go on: the file or the server says no. */
  | { readonly kind: "refused"; readonly reason: string };

/** After these errors, the upload cannot be continued. */
const FINAL_CODES = ["not_found", "unsupported_video", "checksum_mismatch"] as const;

const transfers = signal<readonly VideoTransfer[]>([]);

export function transferOf(contentId: string): VideoTransfer | undefined {
  return transfers.value.find((transfer) => transfer.contentId === contentId);
}

addEventListener("beforeunload", (event) => {
  const isMoving = ({ state: { value } }: VideoTransfer) =>
    value.kind === "sending" || value.kind === "completing";
  if (transfers.value.some(isMoving)) event.preventDefault();
});

/** Whether the file is the one that an unfinished upload was sending. */
export async function isSameFile(file: File, unfinished: UnfinishedUpload): Promise<boolean> {
  return file.size === unfinished.bytes && (await fingerprintOf(file)) === unfinished.fingerprint;
}

/** How much of an unfinished upload is there; null when it is gone, which is then forgotten. */
export async function readUnfinished(
  contentId: string,
  { uploadId }: UnfinishedUpload,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const { parts } = await uploadSessions(contentId).get(uploadId, signal);
    return parts.reduce((sum, { bytes }) => sum + bytes, 0);
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error;
    forget(contentId);
    return null;
  }
}

export async function discardUnfinished(contentId: string, { uploadId }: UnfinishedUpload): Promise<void> {
  await deleteUpload(contentId, uploadId);
  forget(contentId);
}

/** Sends a large video to a content, or goes on with what was begun with this very file. */
export function startTransfer(
  contentId: string,
  file: File,
  contentType: VideoUpload["content_type"],
): VideoTransfer {
  const sessions = uploadSessions(contentId);
  const state = signal<TransferState>({ kind: "preparing" });
  const finished = Promise.withResolvers<ArContent | null>();
  let stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let uploadId: string | null = null;
  let sentBytes = 0;

  const leave = (content: ArContent | null) => {
    transfers.value = transfers.value.filter((other) => other !== transfer);
    finished.resolve(content);
  };

  /** The upload to send to: the one that was begun, or a new one. */
  const openUpload = async (signal: AbortSignal): Promise<VideoUpload> => {
    const fingerprint = await fingerprintOf(file);
    const unfinished = recall(contentId);
    const isBegun = unfinished?.fingerprint === fingerprint && unfinished?.bytes === file.size;
    const begunId = uploadId ?? (isBegun ? unfinished.uploadId : null);
    if (begunId !== null) {
      try {
        const begun = await sessions.get(begunId, signal);
        uploadId = begun.id;
        return begun;
      } catch (error) {
        if (!hasCode(error, "not_found")) throw error;
      }
    }
    const upload = await sessions.create(file.size, contentType, signal);
    uploadId = upload.id;
    if (fingerprint !== null) {
      remember(contentId, { uploadId, name: file.name, bytes: file.size, fingerprint });
    }
    return upload;
  };

  const run = async ({ signal }: AbortController) => {
    try {
      const speedometer = new Speedometer();
      const upload = await openUpload(signal);
      const onProgress = (bytes: number) => {
        sentBytes = bytes;
        // A part that was sent completely may be answered after a pause.
        if (signal.aborted) return;
        const now = performance.now();
        speedometer.note(bytes, now);
        state.value =
          bytes < file.size
            ? { kind: "sending", sentBytes, speed: speedometer.speed(now) }
            : { kind: "completing" };
      };
      const content = await sendVideo(upload, { file, sessions, onProgress, signal });
      forget(contentId);
      contents.put(content);
      toast("The video is attached.");
      leave(content);
    } catch (error) {
      if (signal.aborted) return;
      const reason = messageOf(error);
      if (isTransient(error)) {
        state.value = { kind: "paused", sentBytes, reason };
        return;
      }
      if (FINAL_CODES.some((code) => hasCode(error, code))) forget(contentId);
      state.value = { kind: "refused", reason };
    }
  };

  const transfer: VideoTransfer = {
    contentId,
    name: file.name,
    bytes: file.size,
    state,
    finished: finished.promise,
    pause() {
      stop.abort();
      state.value = { kind: "paused", sentBytes, reason: null };
    },
    resume() {
      state.value = { kind: "preparing" };
      stop = new AbortController();
      const controller = stop;
      running = running.then(() => run(controller));
    },
    async cancel() {
      stop.abort();
      state.value = { kind: "preparing" };
      await running;
      // What cannot be removed now is removed by the server a day later.
      if (uploadId !== null) await deleteUpload(contentId, uploadId).catch(() => {});
      forget(contentId);
      leave(null);
    },
    dismiss: () => leave(null),
  };
  transfers.value = [...transfers.value, transfer];
  running = run(stop);
  return transfer;
}
