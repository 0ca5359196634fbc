import { upload as uploadBytes, vivimark } from "../api/client.ts";
import { hasCode } from "../api/errors.ts";
import { transfer } from "../api/transfer.ts";
import type { UploadSessions } from "./video-upload.ts";

/** The first pause before a retry. Each further pause is twice as long. */
const PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/** Returns the API's upload sessions of one content. */
export function uploadSessions(contentId: string): UploadSessions {
  const pathOf = (uploadId: string) => ({ id: contentId, upload_id: uploadId });
  return {
    create(length, content_type, signal) {
      const path = { id: contentId };
      const body = { length, content_type };
      return vivimark.call("POST /api/ar-content/{id}/video-uploads", { path, body, signal });
    },
    get(uploadId, signal) {
      const path = pathOf(uploadId);
      return vivimark.call("GET /api/ar-content/{id}/video-uploads/{upload_id}", { path, signal });
    },
    async partUrl({ uploadId, number }, signal) {
      const { items } = await vivimark.call("POST /api/ar-content/{id}/video-uploads/{upload_id}/part-urls", {
        path: pathOf(uploadId),
        body: { numbers: [number] },
        signal,
      });
      return items[0].url;
    },
    async putToStorage(url, body, progress) {
      const { ok, status } = await transfer({ method: "PUT", url, body, type: null, ...progress });
      if (!ok) throw new Error(`The storage responded with status ${status}.`);
    },
    async put({ uploadId, number }, body, progress) {
      const path = { ...pathOf(uploadId), number };
      const request = { path, body, type: "application/octet-stream" } as const;
      await uploadBytes(
        "PUT /api/ar-content/{id}/video-uploads/{upload_id}/parts/{number}",
        request,
        progress,
      );
    },
    complete(uploadId, signal) {
      const path = pathOf(uploadId);
      return vivimark.call("POST /api/ar-content/{id}/video-uploads/{upload_id}/complete", { path, signal });
    },
    getContent: (signal) => vivimark.get(contentId, { signal }),
    pause: (retry, signal) => pause(pauseMilliseconds(retry, Math.random()), signal),
  };
}

/** Deletes an upload with its parts, if it still exists. */
export async function deleteUpload(contentId: string, uploadId: string): Promise<void> {
  const path = { id: contentId, upload_id: uploadId };
  try {
    await vivimark.call("DELETE /api/ar-content/{id}/video-uploads/{upload_id}", { path });
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error;
  }
}

/**
 * Returns how long to wait before the nth retry.
 *
 * @param jitter 0 to 1: spreads the retries of parts that failed together
 */
function pauseMilliseconds(retry: number, jitter: number): number {
  const longest = Math.min(LONGEST_PAUSE_MILLISECONDS, PAUSE_MILLISECONDS * 2 ** (retry - 1));
  return longest * (0.5 + jitter / 2);
}

/** Waits, but no longer than until the browser is back online. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      removeEventListener("online", wake);
    };
    const wake = () => {
      end();
      resolve();
    };
    const stop = () => {
      end();
      reject(signal.reason);
    };
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener("abort", stop);
    addEventListener("online", wake);
  });
}
