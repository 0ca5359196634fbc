import { describe, expect, it } from "vitest";
import { pump } from "../../../worker/storage/pump.ts";

function source(chunks: number[], end: "close" | "error" | "hang" = "close") {
  const state = { pulled: 0, cancelled: undefined as unknown };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const size = chunks[state.pulled];
        if (size !== undefined) {
          state.pulled++;
          controller.enqueue(new Uint8Array(size));
        } else if (end === "close") controller.close();
        else if (end === "error") controller.error(new Error("cut"));
        else return new Promise(() => {});
      },
      cancel(reason) {
        state.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
}

async function outcome(readable: ReadableStream): Promise<number | string> {
  try {
    return (await new Response(readable).arrayBuffer()).byteLength;
  } catch (error) {
    return String(error);
  }
}

describe("pump", () => {
  it.each([[[]], [[5]], [[0, 5, 0, 1]]])("moves %j", async (chunks) => {
    const length = chunks.reduce((sum, size) => sum + size, 0);
    const { readable, writable } = new FixedLengthStream(length);
    const read = outcome(readable);
    expect(await pump(source(chunks).stream, writable, length)).toBe(true);
    expect(await read).toBe(length);
  });

  it.each([
    ["ends early", [3, 3], "close", "Expected 7 bytes, got 6."],
    ["brings more", [3, 3, 3], "close", "Expected 7 bytes, got 9 or more."],
    ["breaks", [3, 3], "error", "cut"],
    ["breaks behind its last byte", [3, 4], "error", "cut"],
  ] as const)(
    "reports that a source %s, and its reader does not take it for complete",
    async (_name, chunks, end, message) => {
      const { readable, writable } = new FixedLengthStream(7);
      const read = outcome(readable);
      await expect(pump(source([...chunks], end).stream, writable, 7)).rejects.toThrow(message);
      expect(await read).toMatch(/Error/);
    },
  );

  it("stops when the target breaks", async () => {
    const { state, stream } = source([3, 3, 3, 3, 3]);
    const { readable, writable } = new FixedLengthStream(15);
    const pumped = pump(stream, writable, 15);
    await readable.cancel(new Error("enough"));
    expect(await pumped).toBe(false);
    expect(state.pulled).toBeLessThan(5);
    expect(String(state.cancelled)).toContain("enough");
  });

  it("stops when aborted, even with a silent source and a target that is not read", async () => {
    const { state, stream } = source([3, 3], "hang");
    const abort = new AbortController();
    const pumped = pump(stream, new FixedLengthStream(7).writable, 7, { signal: abort.signal });
    abort.abort(new Error("enough"));
    expect(await pumped).toBe(false);
    expect(String(state.cancelled)).toContain("enough");
  });

  it("reads at most two chunks ahead", async () => {
    const { state, stream } = source([1, 1, 1, 1, 1, 1]);
    const { readable, writable } = new FixedLengthStream(6);
    const pumped = pump(stream, writable, 6);
    const reader = readable.getReader();
    for (let read = 0; read < 6; read++) {
      await reader.read();
      expect(state.pulled).toBeLessThanOrEqual(read + 3);
    }
    expect((await reader.read()).done).toBe(true);
    expect(await pumped).toBe(true);
  });
});
