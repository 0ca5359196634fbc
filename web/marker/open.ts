import type { Drawing, KeyframeSummary, MarkerReply, MarkerRequest } from "./protocol.ts";

/** A stored marker whose points a worker has read and can draw. */
export interface OpenMarker {
  /** Largest first. Rejects when the marker cannot be fetched or decoded. */
  readonly keyframes: Promise<readonly KeyframeSummary[]>;
  /** Hands a canvas over for good: from now on drawings go there. */
  attach(canvas: HTMLCanvasElement): void;
  /** Only after `keyframes` and `attach`. */
  draw(drawing: Drawing): void;
  /** Ends the worker; `keyframes` then stays as it is. */
  close(): void;
}

/** Opens the marker at this address in a worker of its own. */
export function openMarker(url: string): OpenMarker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "marker" });
  const ask = (request: MarkerRequest, transfer: Transferable[] = []) =>
    worker.postMessage(request, transfer);
  const keyframes = new Promise<readonly KeyframeSummary[]>((resolve, reject) => {
    worker.onmessage = ({ data: reply }: MessageEvent<MarkerReply>) =>
      reply.kind === "read" ? resolve(reply.keyframes) : reject(new Error(reply.message));
    worker.onerror = (event) => reject(new Error(event.message || "The marker could not be opened."));
    worker.onmessageerror = () => reject(new Error("The marker's contents could not be passed on."));
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
