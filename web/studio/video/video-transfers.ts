import { type Signal, signal } from "@preact/signals";
import type { ArContent, VideoUpload } from "../../../client/client.ts";
import type { VideoType } from "../../video/plan.ts";
import { hasCode, messageOf } from "../api/errors.ts";
import { contents } from "../photos/contents.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { Speedometer } from "./speed.ts";
import { forget, recall, remember, type UnfinishedUpload } from "./unfinished-uploads.ts";
import { deleteUpload, uploadSessions } from "./video-parts.ts";
import { isTransient, sendVideo } from "./video-upload.ts";

/** The upload of a large video. It continues while other pages of the studio are shown. */
export interface VideoTransfer {
  readonly contentId: string;
  readonly name: string;
  readonly bytes: number;
  readonly state: Signal<TransferState>;
  /** The content with its video; null if the transfer was cancelled or dismissed. */
  readonly finished: Promise<ArContent | null>;
  pause(): void;
  resume(): void;
  /** Removes the parts that were sent. */
  cancel(): void;
  /** Closes a refused transfer. The parts that were sent stay for another try. */
  dismiss(): void;
}

export type TransferState =
  | { readonly kind: "preparing" }
  | {
      readonly kind: "sending";
      readonly sentBytes: number;
      /** Bytes per second; null until it is known. */
      readonly speed: number | null;
    }
  | { readonly kind: "completing" }
  /** `reason` is the error that interrupted it; null if the person paused it. */
  | { readonly kind: "paused"; readonly sentBytes: number; readonly reason: string | null }
  /** It cannot continue: the file or the request was refused. */
  | { readonly kind: "refused"; readonly reason: string };

/** After these errors, the upload cannot be continued. */
const FINAL_CODES = ["not_found", "unsupported_video", "video_damaged", "checksum_mismatch"] as const;

const transfers = signal<readonly VideoTransfer[]>([]);

export function transferOf(contentId: string): VideoTransfer | undefined {
  return transfers.value.find((transfer) => transfer.contentId === contentId);
}

/** Returns the fraction of a transfer that is stored, 0 to 1. */
export function sentOf({ bytes, state: { value } }: VideoTransfer): number {
  if (value.kind === "completing") return 1;
  return "sentBytes" in value ? value.sentBytes / bytes : 0;
}

addEventListener("beforeunload", (event) => {
  const isMoving = ({ state: { value } }: VideoTransfer) =>
    value.kind === "sending" || value.kind === "completing";
  if (transfers.value.some(isMoving)) event.preventDefault();
});

/** Returns whether a file is that of an unfinished upload. */
export async function isSameFile(file: File, unfinished: UnfinishedUpload): Promise<boolean> {
  return file.size === unfinished.bytes && (await fingerprintOf(file)) === unfinished.fingerprint;
}

/** Returns the stored bytes of an unfinished upload; null if it no longer exists. */
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

/**
 * Uploads a large video, or continues the unfinished upload of the same file.
 *
 * @param isChosen whether the person has this file, and can choose it again after a reload: false for a converted one
 */
export function startTransfer(
  contentId: string,
  file: File,
  { contentType, isChosen }: { readonly contentType: VideoType; readonly isChosen: boolean },
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

  /** Returns the unfinished upload of this file, or a new one. */
  const openUpload = async (signal: AbortSignal): Promise<VideoUpload> => {
    const fingerprint = isChosen ? await fingerprintOf(file) : null;
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
      remember(contentId, { uploadId, name: file.name, type: contentType, bytes: file.size, fingerprint });
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
      // If this fails, the server removes the parts after a day.
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
