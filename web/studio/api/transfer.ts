import { Unreachable } from "./errors.ts";

/** The connection counts as broken if nothing was sent for this long. */
const SILENCE_MILLISECONDS = 120_000;

export interface Transfer {
  readonly method: string;
  readonly url: string;
  readonly body: FormData | Blob;
  /** The Content-Type; null: the browser sets it. */
  readonly type: string | null;
  /** Receives the fraction that has been sent, 0 to 1. */
  readonly onSent: (fraction: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends a request by XMLHttpRequest, the only way to report the progress of an upload. The signal aborts it while
 * the body is being sent. After that, it waits for the answer, so that the caller learns what was stored and can
 * undo it.
 *
 * @throws Unreachable without an answer; the reason of the signal
 */
export function transfer({ method, url, body, type, onSent, signal }: Transfer): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, url);
    if (type !== null) request.setRequestHeader("Content-Type", type);
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    let silence: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(abort, SILENCE_MILLISECONDS);
    };
    listen();
    request.upload.onprogress = ({ loaded, total }) => {
      listen();
      onSent(total > 0 ? loaded / total : 0);
    };
    request.upload.onload = () => {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
      onSent(1);
    };
    request.onabort = () => reject(signal.aborted ? signal.reason : new Unreachable());
    request.onerror = () => reject(new Unreachable());
    request.onload = () => resolve(responseOf(request));
    request.onloadend = () => {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
    };
    request.send(body);
  });
}

function responseOf(request: XMLHttpRequest): Response {
  const lines = request.getAllResponseHeaders().trim().split("\r\n").filter(Boolean);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return new Response(request.responseText || null, { status: request.status, headers });
}
