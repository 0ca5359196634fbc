import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MIN_BYTES, WINDOW_MILLISECONDS } from "../../../worker/http/pace.ts";
import { RequestBody } from "../../../worker/http/request-body.ts";
import { UploadMemory } from "../../../worker/http/upload-memory.ts";
import { IncomingVideo } from "../../../worker/video/incoming.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * Returns a stream that brings a chunk of `bytes` after every `milliseconds`, `count` times. It is one of the
 * platform's own streams, as bodies are: their readers cannot be released while they read.
 */
function drip(bytes: number, milliseconds: number, count: number): ReadableStream<Uint8Array> {
  let sent = 0;
  const source = new ReadableStream<Uint8Array>(
    {
      pull: (controller) =>
        new Promise<void>((resolve) => {
          if (sent++ === count) {
            controller.close();
            resolve();
            return;
          }
          setTimeout(() => {
            controller.enqueue(new Uint8Array(bytes));
            resolve();
          }, milliseconds);
        }),
    },
    { highWaterMark: 0 },
  );
  const { readable, writable } = new IdentityTransformStream();
  void source.pipeTo(writable).catch(() => {});
  return readable;
}

interface Reading {
  readonly body: ReadableStream<Uint8Array>;
  readonly pauseMilliseconds?: number;
}

const held = new UploadMemory().open("", { now: () => 0, sleep: async () => {} });

async function readBody({ body, pauseMilliseconds = 0 }: Reading): Promise<number> {
  let bytes = 0;
  for await (const chunk of new RequestBody({ body, headers: new Headers() }, held).chunks()) {
    bytes += chunk.length;
    if (pauseMilliseconds > 0) await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
  return bytes;
}

async function readVideo({ body, pauseMilliseconds = 0 }: Reading): Promise<number> {
  const incoming = new IncomingVideo(body);
  let bytes = 0;
  try {
    for await (const chunk of incoming.stream()) {
      bytes += chunk.length;
      if (pauseMilliseconds > 0) await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
    }
  } catch (error) {
    expect(incoming.interruption).toBe(error);
    throw error;
  }
  return bytes;
}

/** Reads with simulated time. Returns the bytes, or the error. */
async function after(read: Promise<number>): Promise<unknown> {
  let result: unknown;
  read.then(
    (bytes) => (result = bytes),
    (error) => (result = error),
  );
  while (result === undefined) await vi.advanceTimersByTimeAsync(1000);
  return result;
}

describe.each([
  ["a body", readBody],
  ["a video", readVideo],
])("%s", (_, read) => {
  const tooSlow = {
    code: "upload_interrupted",
    message: expect.stringContaining("too slow: fewer than 240 KB in 30 s"),
  };

  it.each([
    ["brings one byte in 5 s", () => drip(1, 5000, 1e6)],
    ["brings nothing", () => drip(1, 1e9, 1)],
    ["brings a little less than 8 kB per second", () => drip(8100, 1000, 1e6)],
  ])("that %s is refused after one window", async (_name, make) => {
    const started = Date.now();
    expect(await after(read({ body: make() }))).toMatchObject(tooSlow);
    expect(Date.now() - started).toBeLessThanOrEqual(WINDOW_MILLISECONDS + 2000);
  });

  it("that gets slow at last is refused", async () => {
    const fast = drip(1_000_000, 10, 10);
    const slow = drip(1, 5000, 1e6);
    const { readable, writable } = new IdentityTransformStream();
    void fast.pipeTo(writable, { preventClose: true }).then(() => slow.pipeTo(writable).catch(() => {}));
    expect(await after(read({ body: readable }))).toMatchObject(tooSlow);
  });

  it("that is fast enough may take long", async () => {
    expect(await after(read({ body: drip(MIN_BYTES / 10, 2900, 100) }))).toBe(MIN_BYTES * 10);
  });

  it("that is small may take most of a window", async () => {
    expect(await after(read({ body: drip(10, 2900, 10) }))).toBe(100);
  });

  it("may be read slowly by the Worker", async () => {
    const body = drip(10, 100, 20);
    expect(await after(read({ body, pauseMilliseconds: 10_000 }))).toBe(200);
  });
});

describe("a body that arrives byte by byte", () => {
  it("is read in few chunks, which take little more memory than its bytes", async () => {
    vi.useRealTimers();
    const sent = Uint8Array.from({ length: 40_000 }, (_, i) => i % 251);
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(stream) {
        if (at === sent.length) stream.close();
        else stream.enqueue(sent.slice(at, ++at));
      },
    });
    const held = new UploadMemory().open("one", { now: Date.now, sleep: async () => {} });
    const chunks: Uint8Array[] = [];
    for await (const chunk of new RequestBody({ body, headers: new Headers() }, held).chunks()) {
      chunks.push(chunk);
    }
    expect(chunks.length).toBeLessThanOrEqual(3);
    const bytes = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    expect(bytes).toEqual(sent);
  });
});
