import { expect, it } from "vitest";
import { readChunks } from "../../../worker/storage/chunks.ts";

/** Returns a stream like those of the platform: it fills the buffers of its readers. */
function streamOf(...parts: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const part = parts.shift();
      if (part) controller.enqueue(part);
      else controller.close();
    },
  });
}

it("reading bytes one by one keeps no large buffers", async () => {
  const reader = readChunks(streamOf(...Array.from({ length: 50 }, (_, i) => Uint8Array.of(i))));
  const chunks: Uint8Array[] = [];
  for (let part = await reader.read(); !part.done; part = await reader.read()) chunks.push(part.value);
  expect(chunks.map(([byte]) => byte)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  const kept = new Set(chunks.map(({ buffer }) => buffer));
  expect([...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(10_000);
});

it("large chunks are not copied", async () => {
  const reader = readChunks(streamOf(new Uint8Array(1_000_000).fill(7)));
  const part = await reader.read();
  expect(part.done === false && part.value.length).toBe(part.done === false && part.value.buffer.byteLength);
});
