import { afterAll, expect, test, vi } from "vitest";
import { compileTarget } from "../../../compiler/compile.ts";
import { encodeMind } from "../../../compiler/mind.ts";
import type { PlayerReply, PlayerRequest } from "../../../player/web/protocol.ts";

afterAll(() => vi.unstubAllGlobals());

/** Grey rectangles of many sizes and levels. */
function paint(width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height).fill(120);
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < 120; i++) {
    const [left, top, side, level] = [random(width), random(height), 4 + random(28), random(256)];
    for (let y = top; y < Math.min(height, top + side); y++) {
      data.fill(level, y * width + left, y * width + Math.min(width, left + side));
    }
  }
  return data;
}

test("handles requests in their order, also while it loads", async () => {
  const picture = { data: paint(320, 240), width: 320, height: 240 };
  const marker = encodeMind([compileTarget(picture)]);
  const replies: PlayerReply[] = [];
  const worker: {
    onmessage?: (event: { data: PlayerRequest }) => void;
    postMessage(reply: PlayerReply): void;
  } = {
    postMessage: (reply) => void replies.push(reply),
  };
  vi.stubGlobal("self", worker);
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  let refuse = () => {};
  const compiled = new Promise<never>((_, reject) => {
    refuse = () => reject(new Error("This browser has no SIMD."));
  });
  vi.spyOn(WebAssembly, "compileStreaming").mockReturnValue(compiled);
  await import(/* @vite-ignore */ new URL("../../../player/web/worker.ts", import.meta.url).href);

  const send = (data: PlayerRequest) => worker.onmessage!({ data });
  const frame = { width: 320, height: 240 };
  const map = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  send({ kind: "load", role: "follow", marker: marker.buffer as ArrayBuffer, frame, isTraced: false });
  send({ kind: "start", found: [{ target: 0, map, score: 5, inliers: 30 }], size: frame, time: 0 });
  const buffer = picture.data.slice().buffer;
  send({ kind: "follow", picture: { buffer, ...frame }, time: 0.03 });
  await new Promise((resolve) => setTimeout(resolve));
  expect(replies).toEqual([]);
  refuse();
  await vi.waitFor(() => expect(replies).toHaveLength(2), 5000);
  expect(replies).toMatchObject([
    { kind: "loaded", targets: [frame] },
    { kind: "followed", buffer, targets: [{ target: 0, state: "followed" }] },
  ]);
});
