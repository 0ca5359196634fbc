import type { PlacedKeyframe, ReadReply, ReadRequest } from "./protocol.ts";

/**
 * Fetches and decodes a stored marker in a worker and places its feature points on the photo.
 * Rejects when it cannot be fetched or decoded, and with the signal's reason when aborted.
 */
export function readMarker(url: string, signal: AbortSignal): Promise<readonly PlacedKeyframe[]> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "marker" });
    const finish = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      worker.terminate();
      settle();
    };
    const abort = () => finish(() => reject(signal.reason));
    signal.addEventListener("abort", abort);
    worker.onmessage = ({ data: reply }: MessageEvent<ReadReply>) =>
      finish(() => (reply.kind === "read" ? resolve(reply.keyframes) : reject(new Error(reply.message))));
    worker.onerror = (event) =>
      finish(() => reject(new Error(event.message || "The marker reader could not start.")));
    worker.onmessageerror = () => finish(() => reject(new Error("The marker reader's answer was damaged.")));
    worker.postMessage({ kind: "read", url: new URL(url, location.href).href } satisfies ReadRequest);
  });
}
