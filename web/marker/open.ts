import type { Drawing, KeyframeSummary, MarkerReply, MarkerRequest } from "./protocol.ts";

/** A stored marker that a worker reads and draws. */
export interface OpenMarker {
  /** Largest first. Rejects if the marker cannot be fetched or decoded. */
  readonly keyframes: Promise<readonly KeyframeSummary[]>;
  /** Hands over the canvas to draw on, for good. */
  attach(canvas: HTMLCanvasElement): void;
  /** Only after `keyframes` and `attach`. */
  draw(drawing: Drawing): void;
  /** Ends the worker. A pending `keyframes` never settles. */
  close(): void;
}

/** Opens the marker at a URL in its own worker. */
export function openMarker(url: string): OpenMarker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "marker" });
  const ask = (request: MarkerRequest, transfer: Transferable[] = []) =>
    worker.postMessage(request, transfer);
  const keyframes = new Promise<readonly KeyframeSummary[]>((resolve, reject) => {
    worker.onmessage = ({ data: reply }: MessageEvent<MarkerReply>) =>
      reply.kind === "read" ? resolve(reply.keyframes) : reject(new Error(reply.message));
    worker.onerror = (event) => reject(new Error(event.message || "The marker could not be opened."));
    worker.onmessageerror = () => reject(new Error("The marker worker sent an unreadable message."));
  });
  ask({ kind: "read", url: new URL(url, location.href).href });
  return {
    keyframes,
    attach(canvas) {
      const offscreen = canvas.transferControlToOffscreen();
      ask({ kind: "attach", canvas: offscreen }, [offscreen]);
    },
    draw: (drawing) => ask({ kind: "draw", ...drawing }),
    close: () => worker.terminate(),
  };
}
