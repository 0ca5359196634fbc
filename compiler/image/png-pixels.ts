import { CompileError } from "../types.ts";
import { inflatedSize } from "./inflated-size.ts";
import { hasAscii } from "./sniff.ts";

/** Channels by colour type (W3C PNG, third edition, 11.2.1). */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** First column and row of each pass of Adam7, and the distance between its columns and rows. */
const WHOLE = [[0, 0, 1, 1]] as const;
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Some encoders add a few bytes to the pixels. */
const SURPLUS_BYTES = 1_000_000;

/**
 * Refuses a PNG whose data is much larger than its pixels: the decoder inflates all of it, up to 20 GB, and discards
 * the surplus.
 *
 * @param bytes a file that `inspectImage` accepts
 * @throws CompileError `image_damaged`
 */
export function assertNoSurplus(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = CHANNELS[bytes[25]];
  // The decoder refuses this file.
  if (channels === undefined) return;
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  let size = SURPLUS_BYTES;
  for (const [x, y, right, down] of bytes[28] === 1 ? ADAM7 : WHOLE) {
    const columns = Math.ceil((width - x) / right);
    // Each row begins with the number of its filter.
    size += Math.ceil((height - y) / down) * (1 + Math.ceil((columns * channels * bytes[24]) / 8));
  }
  if (inflatedSize(pixelData(bytes, view), size) <= size) return;
  throw new CompileError("image_damaged", "The image is damaged: its PNG data is larger than its pixels.");
}

/** Returns the DEFLATE data of all IDAT chunks, without the header of zlib. */
function pixelData(bytes: Uint8Array, view: DataView): Uint8Array {
  const data = new Uint8Array(bytes.length);
  let length = 0;
  for (
    let at = 33;
    at + 12 <= bytes.length && !hasAscii(bytes, at + 4, "IEND");
    at += 12 + view.getUint32(at)
  ) {
    if (!hasAscii(bytes, at + 4, "IDAT")) continue;
    const chunk = bytes.subarray(at + 8, at + 8 + view.getUint32(at));
    data.set(chunk, length);
    length += chunk.length;
  }
  return data.subarray(2, length);
}
