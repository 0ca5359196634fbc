import { ApiError, accepted, answer, client, getContent, send, transfer } from "../api/client.ts";
import type { PartsDesk } from "./video-upload.ts";

const uploads = client["ar-content"][":id"]["video-uploads"];
const upload = uploads[":upload_id"];

/** First pause before something is tried again; the next ones double. */
const PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;

/** The upload sessions of one content, at the edge. */
export function partsDesk(contentId: string): PartsDesk {
  const param = (uploadId: string) => ({ param: { id: contentId, upload_id: uploadId } });
  return {
    begin(length, contentType, signal) {
      const json = { length, content_type: contentType };
      return answer(uploads.$post({ param: { id: contentId }, json }, { init: { signal } }));
    },
    read(uploadId, signal) {
      return answer(upload.$get(param(uploadId), { init: { signal } }));
    },
    async addressOf(uploadId, number, signal) {
      const json = { numbers: [number] };
      const call = upload["part-urls"].$post({ ...param(uploadId), json }, { init: { signal } });
      return (await answer(call)).items[0].url;
    },
    async putDirectly(url, body, onSent, signal) {
      const { status } = await transfer("PUT", url, body, {}, onSent, signal);
      if (status >= 400)
        throw new ApiError("refused_by_storage", status, `The storage answered with status ${status}.`);
    },
    async put(uploadId, number, body, onSent, signal) {
      const url = `/api/ar-content/${contentId}/video-uploads/${uploadId}/parts/${number}`;
      await send("PUT", url, body, { "Content-Type": "application/octet-stream" }, onSent, signal);
    },
    complete(uploadId, signal) {
      return answer(upload.complete.$post(param(uploadId), { init: { signal } }));
    },
    content: (signal) => getContent(contentId, signal),
    pause: (repetition, signal) => pause(pauseMilliseconds(repetition, Math.random()), signal),
  };
}

/** Gives an upload up; one that is gone already is as good. */
export async function discardParts(contentId: string, uploadId: string): Promise<void> {
  try {
    await accepted(upload.$delete({ param: { id: contentId, upload_id: uploadId } }));
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}

/**
 * How long to wait before the nth repetition.
 *
 * @param jitter 0 to 1: so that parts that broke off together do not come back together
 */
export function pauseMilliseconds(repetition: number, jitter: number): number {
  const longest = Math.min(LONGEST_PAUSE_MILLISECONDS, PAUSE_MILLISECONDS * 2 ** (repetition - 1));
  return longest * (0.5 + jitter / 2);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      // Back online is a good moment.
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
