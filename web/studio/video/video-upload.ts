import type { ArContent, VideoUpload } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { hasCode, Unreachable } from "../api/errors.ts";
import type { Transfer } from "../api/transfer.ts";
import { t } from "../language.ts";

/**
 * Sends a large video in parts: straight to the company's storage if that signs URLs and accepts this page's
 * origin, otherwise through Vivimark. Reads only the parts that are being sent.
 */

/** The upload sessions of one content. */
export interface UploadSessions {
  create(length: number, contentType: VideoUpload["content_type"], signal: AbortSignal): Promise<VideoUpload>;
  get(uploadId: string, signal: AbortSignal): Promise<VideoUpload>;
  /** Returns a signed URL of the storage for a part. */
  partUrl(part: Part, signal: AbortSignal): Promise<string>;
  putToStorage(url: string, body: Blob, progress: UploadProgress): Promise<void>;
  put(part: Part, body: Blob, progress: UploadProgress): Promise<void>;
  complete(uploadId: string, signal: AbortSignal): Promise<ArContent>;
  getContent(signal: AbortSignal): Promise<ArContent>;
  /** Waits before the nth retry. */
  pause(retry: number, signal: AbortSignal): Promise<void>;
}

interface Part {
  readonly uploadId: string;
  /** From 1. */
  readonly number: number;
}

export type UploadProgress = Pick<Transfer, "onSent" | "signal">;

/** The browser can no longer read the chosen file: it was changed, moved or deleted. */
export class FileGone extends Error {
  override readonly name = "FileGone";

  constructor() {
    super(t.video.fileGone);
  }
}

const PARALLEL_PARTS = 3;

/** Attempts for one part or call. Together with the pauses, about two minutes. */
const MAX_RETRIES = 7;

/** Attempts for a part that is sent directly to the storage, before it is sent through Vivimark. */
const DIRECT_RETRIES = 2;

export interface VideoTransferOptions {
  readonly file: Blob;
  readonly sessions: UploadSessions;
  /** Receives the bytes sent so far. The number drops when a part fails. */
  readonly onProgress: (sentBytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends the missing parts of an upload and completes it.
 *
 * @throws ApiError `not_found` if the upload no longer exists; FileGone; the error of a part that was refused or
 *   kept failing; the reason of the signal. The parts that were sent stay: the next call continues with the others.
 */
export async function sendVideo(upload: VideoUpload, options: VideoTransferOptions): Promise<ArContent> {
  const { file, sessions, signal } = options;
  let isDirect = upload.transport === "storage";
  for (let known = upload; ; ) {
    await sendMissing(known, isDirect, options);
    try {
      return await complete(known.id, file.size, sessions, signal);
    } catch (error) {
      // Some storages accept parts at signed URLs but do not list them.
      if (!(hasCode(error, "upload_incomplete") && isDirect)) throw error;
      known = await retried((s) => sessions.get(known.id, s), sessions, signal);
      isDirect = false;
    }
  }
}

async function sendMissing(
  { id: uploadId, part_bytes: partBytes, part_count: partCount, parts }: VideoUpload,
  isDirect: boolean,
  { file, sessions, onProgress, signal: outer }: VideoTransferOptions,
): Promise<void> {
  const slice = (number: number) => file.slice((number - 1) * partBytes, number * partBytes);
  const stored = new Set(
    parts.filter(({ number, bytes }) => bytes === slice(number).size).map(({ number }) => number),
  );
  const missing = Array.from({ length: partCount }, (_, i) => i + 1).filter((number) => !stored.has(number));

  const sentByPart = new Map([...stored].map((number) => [number, slice(number).size]));
  const report = (number: number, bytes: number) => {
    sentByPart.set(number, bytes);
    onProgress([...sentByPart.values()].reduce((sum, each) => sum + each, 0));
  };

  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const route = { isDirect, hasWorked: false };

  const sendOnce = async (number: number, body: Blob, retry: number) => {
    const part = { uploadId, number };
    const progress = { onSent: (fraction: number) => report(number, fraction * body.size), signal };
    if (route.isDirect) {
      const url = await sessions.partUrl(part, signal);
      try {
        await sessions.putToStorage(url, body, progress);
        route.hasWorked = true;
        return;
      } catch (error) {
        signal.throwIfAborted();
        // A direct upload that never worked is blocked: by the bucket's CORS rules, the page's own policy or the
        // network.
        if (route.hasWorked && retry < DIRECT_RETRIES) throw new Unreachable();
        await assertReadable(body, error);
        route.isDirect = false;
        report(number, 0);
      }
    }
    await sessions.put(part, body, progress);
  };

  const send = async (number: number) => {
    const body = slice(number);
    for (let retry = 0; ; ) {
      try {
        await sendOnce(number, body, retry);
        return report(number, body.size);
      } catch (error) {
        report(number, 0);
        signal.throwIfAborted();
        await assertReadable(body, error);
        if (!isTransient(error) || ++retry > MAX_RETRIES) throw error;
        await sessions.pause(retry, signal);
      }
    }
  };

  const sender = async () => {
    for (let next = missing.shift(); next !== undefined; next = missing.shift()) await send(next);
  };
  report(0, 0);
  const senders = Array.from({ length: PARALLEL_PARTS }, sender);
  try {
    await Promise.all(senders);
  } catch (error) {
    failed.abort(error);
    // No request of this call outlives it.
    await Promise.allSettled(senders);
    throw error;
  }
}

/** Completes an upload. Recognises a completion whose answer was lost. */
async function complete(
  uploadId: string,
  bytes: number,
  sessions: UploadSessions,
  signal: AbortSignal,
): Promise<ArContent> {
  let isRetry = false;
  const attempt = async (inner: AbortSignal) => {
    try {
      return await sessions.complete(uploadId, inner);
    } catch (error) {
      if (isRetry && hasCode(error, "not_found")) {
        const content = await sessions.getContent(inner);
        if (content.video_bytes === bytes) return content;
      }
      isRetry = true;
      throw error;
    }
  };
  return retried(attempt, sessions, signal);
}

async function retried<T>(
  work: (signal: AbortSignal) => Promise<T>,
  sessions: Pick<UploadSessions, "pause">,
  signal: AbortSignal,
): Promise<T> {
  for (let retry = 1; ; retry++) {
    try {
      return await work(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error) || retry > MAX_RETRIES) throw error;
      await sessions.pause(retry, signal);
    }
  }
}

/** Returns whether the same call may succeed later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return [408, 429, 500, 503, 504].includes(error.status) || error.code === "upload_interrupted";
}

/** The browser reports a file that it cannot read as a network error. */
async function assertReadable(body: Blob, error: unknown): Promise<void> {
  if (!(error instanceof Unreachable)) return;
  try {
    await body.slice(0, 1).arrayBuffer();
  } catch {
    throw new FileGone();
  }
}
