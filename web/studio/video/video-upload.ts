import type { VideoUpload } from "../../../worker/routes/video-uploads.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { ApiError, Unreachable } from "../api/client.ts";

/**
 * Sends a large video in parts: to the company's storage where it signs addresses for them, and through
 * Vivimark where it signs none or does not let this page in. Of the file only the parts under way are read.
 */

/** What a video is sent by: the upload sessions of one content. */
export interface PartsDesk {
  begin(length: number, contentType: VideoUpload["content_type"], signal: AbortSignal): Promise<VideoUpload>;
  read(uploadId: string, signal: AbortSignal): Promise<VideoUpload>;
  /** An address in the storage that takes this part. */
  addressOf(uploadId: string, number: number, signal: AbortSignal): Promise<string>;
  putDirectly(url: string, body: Blob, onSent: OnSent, signal: AbortSignal): Promise<void>;
  put(uploadId: string, number: number, body: Blob, onSent: OnSent, signal: AbortSignal): Promise<void>;
  complete(uploadId: string, signal: AbortSignal): Promise<ArContent>;
  content(signal: AbortSignal): Promise<ArContent>;
  /** Waits before something is tried for the nth time again. */
  pause(repetition: number, signal: AbortSignal): Promise<void>;
}

/** Gets the fraction that has left, 0 to 1. */
type OnSent = (fraction: number) => void;

/** The browser cannot read the chosen file any more: it was changed, moved or deleted. */
export class FileGone extends Error {
  override readonly name = "FileGone";

  constructor() {
    super("The file cannot be read any more: it was changed, moved or deleted. Choose it again.");
  }
}

const PARALLEL_PARTS = 3;

/** Of one part or call; with the pauses between them about two minutes. */
const MAX_REPETITIONS = 7;

/** Of a part that goes straight to the storage, before it is tried through Vivimark. */
const DIRECT_REPETITIONS = 2;

/**
 * Sends what is missing of an upload and completes it.
 *
 * @param onProgress gets the bytes that have left, of all there are; a part that breaks off counts back
 * @throws ApiError `not_found` when the upload is gone; FileGone; what refuses a part for good, or keeps
 *   failing; the signal's reason. What was sent stays sent: another call goes on.
 */
export async function sendVideo(
  file: Blob,
  upload: VideoUpload,
  desk: PartsDesk,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<ArContent> {
  let goesDirectly = upload.transport === "storage";
  for (let known = upload; ; ) {
    const wasDirect = goesDirectly;
    await sendMissing(file, known, goesDirectly, desk, onProgress, signal);
    try {
      return await complete(file.size, known.id, desk, signal);
    } catch (error) {
      // Some storages take parts at signed addresses, and do not tell Vivimark that they have them.
      if (!(isRefusal(error, "upload_incomplete") && wasDirect)) throw error;
      known = await repeated((s) => desk.read(known.id, s), desk, signal);
      goesDirectly = false;
    }
  }
}

async function sendMissing(
  file: Blob,
  { id, part_bytes: partBytes, part_count: partCount, parts }: VideoUpload,
  goesDirectly: boolean,
  desk: PartsDesk,
  onProgress: (sentBytes: number) => void,
  outer: AbortSignal,
): Promise<void> {
  const slice = (number: number) => file.slice((number - 1) * partBytes, number * partBytes);
  const there = new Set(
    parts.filter(({ number, bytes }) => bytes === slice(number).size).map(({ number }) => number),
  );
  const missing = Array.from({ length: partCount }, (_, i) => i + 1).filter((number) => !there.has(number));

  /** Bytes that have left, by part. */
  const left = new Map([...there].map((number) => [number, slice(number).size]));
  const tell = (number: number, bytes: number) => {
    left.set(number, bytes);
    onProgress([...left.values()].reduce((sum, each) => sum + each, 0));
  };

  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const route = { isDirect: goesDirectly, isProven: false };

  const sendOnce = async (number: number, body: Blob, repetition: number) => {
    const onSent = (fraction: number) => tell(number, fraction * body.size);
    if (route.isDirect) {
      const url = await desk.addressOf(id, number, signal);
      try {
        await desk.putDirectly(url, body, onSent, signal);
        route.isProven = true;
        return;
      } catch (error) {
        signal.throwIfAborted();
        // A way that has worked is tried again; one that never has is closed: by the bucket's rules for pages
        // of other origins (CORS), by this page's own, or by the network.
        if (route.isProven && repetition < DIRECT_REPETITIONS) throw new Unreachable();
        await assertReadable(body, error);
        route.isDirect = false;
        tell(number, 0);
      }
    }
    await desk.put(id, number, body, onSent, signal);
  };

  const send = async (number: number) => {
    const body = slice(number);
    for (let repetition = 0; ; ) {
      try {
        await sendOnce(number, body, repetition);
        return tell(number, body.size);
      } catch (error) {
        tell(number, 0);
        signal.throwIfAborted();
        await assertReadable(body, error);
        if (!mayPass(error) || ++repetition > MAX_REPETITIONS) throw error;
        await desk.pause(repetition, signal);
      }
    }
  };

  const sender = async () => {
    for (let next = missing.shift(); next !== undefined; next = missing.shift()) await send(next);
  };
  tell(0, 0);
  const senders = Array.from({ length: PARALLEL_PARTS }, sender);
  try {
    await Promise.all(senders);
  } catch (error) {
    failed.abort(error);
    // Nothing of this call is under way once it has ended.
    await Promise.allSettled(senders);
    throw error;
  }
}

/** A completion whose answer got lost has happened all the same. */
async function complete(
  bytes: number,
  uploadId: string,
  desk: PartsDesk,
  signal: AbortSignal,
): Promise<ArContent> {
  let isRepeated = false;
  const attempt = async (inner: AbortSignal) => {
    try {
      return await desk.complete(uploadId, inner);
    } catch (error) {
      if (isRepeated && isRefusal(error, "not_found")) {
        const content = await desk.content(inner);
        if (content.video_bytes === bytes) return content;
      }
      isRepeated = true;
      throw error;
    }
  };
  return repeated(attempt, desk, signal);
}

async function repeated<T>(
  work: (signal: AbortSignal) => Promise<T>,
  desk: Pick<PartsDesk, "pause">,
  signal: AbortSignal,
): Promise<T> {
  for (let repetition = 1; ; repetition++) {
    try {
      return await work(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error) || repetition > MAX_REPETITIONS) throw error;
      await desk.pause(repetition, signal);
    }
  }
}

/** Whether the same may succeed a while later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return [408, 429, 500, 503, 504].includes(error.status) || error.code === "upload_interrupted";
}

export function isRefusal(error: unknown, code: string): boolean {
  return error instanceof ApiError && error.code === code;
}

/** To the network, a file that cannot be read looks like a line that broke. */
async function assertReadable(body: Blob, error: unknown): Promise<void> {
  if (!(error instanceof Unreachable)) return;
  try {
    await body.slice(0, 1).arrayBuffer();
  } catch {
    throw new FileGone();
  }
}
