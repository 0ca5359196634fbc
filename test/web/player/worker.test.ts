import { readFile } from "node:fs/promises";
import { afterEach, expect, test, vi } from "vitest";
import { compileTarget } from "../../../compiler/compile.ts";
import { encodeMind } from "../../../compiler/mind.ts";
import type { PlayerReply, PlayerRequest } from "../../../player/web/protocol.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

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

const picture = { data: paint(320, 240), width: 320, height: 240 };
const frame = { width: 320, height: 240 };
const marker = encodeMind([compileTarget(picture)]).buffer as ArrayBuffer;

/** Starts a worker whose kernels a server returns. Returns its replies. */
async function startWorker(name: string, kernels: () => Promise<Response>) {
  const replies: PlayerReply[] = [];
  const worker: {
    onmessage?: (event: { data: PlayerRequest }) => void;
    postMessage(reply: PlayerReply): void;
  } = {
    postMessage: (reply) => void replies.push(reply),
  };
  vi.stubGlobal("self", worker);
  vi.stubGlobal("fetch", kernels);
  await import(/* @vite-ignore */ new URL(`../../../player/web/worker.ts?${name}`, import.meta.url).href);
  const send = (data: PlayerRequest) => worker.onmessage!({ data });
  send({ kind: "load", role: "follow", marker, frame, isTraced: false });
  return { send, replies };
}

test("handles requests in their order, also while it loads", async () => {
  let refuse = () => {};
  const loading = new Promise<Response>((_, reject) => {
    refuse = () => reject(new Error("This browser has no SIMD."));
  });
  const { send, replies } = await startWorker("order", () => loading);
  const map = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
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

test("has the fast kernels also from a server that does not know their type", async () => {
  const bytes = await readFile(new URL("../../../compiler/wasm/player.wasm", import.meta.url));
  const instantiate = vi.spyOn(WebAssembly, "Instance");
  const { replies } = await startWorker("type", async () => new Response(bytes));
  await vi.waitFor(() => expect(replies).toMatchObject([{ kind: "loaded" }]), 5000);
  expect(instantiate).toHaveBeenCalled();
});
