import { joinChunks } from "../storage/chunks.ts";
import { damaged, truncated } from "./refusals.ts";
import type { StoredFile } from "./stored-file.ts";

/** Elements of a WebM file, by their ids (RFC 9559). */
const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const CLUSTER = 0x1f43b675;

/** A segment of unknown length. */
const OPEN_SEGMENT = Uint8Array.of(0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** Tracks with their codecs' settings take a few kilobytes. */
const MAX_ELEMENT_BYTES = 32_768;

/** A WebM has fewer than 10 before its first frames. */
const MAX_ELEMENTS = 100;

interface Element {
  readonly id: number;
  readonly start: number;
  /** Where the contents begin. */
  readonly contents: number;
  /** Infinity: unknown. */
  readonly end: number;
}

/**
 * Returns a WebM with the tracks of a stored one and without their frames.
 *
 * @throws Refusal `video_damaged` for a file that is cut off, or whose elements cannot be read
 */
export async function webmHeader(file: StoredFile): Promise<Uint8Array<ArrayBuffer>> {
  const head = await elementAt(file, 0);
  const segment = await elementAt(file, head.end);
  if (head.id !== EBML || segment.id !== SEGMENT) throw damaged("it does not begin with a segment");
  const kept = [await copy(file, head), OPEN_SEGMENT];
  let at = segment.contents;
  for (let elements = 0; elements < MAX_ELEMENTS; elements++) {
    const element = await elementAt(file, at);
    if (element.id === INFO || element.id === TRACKS) kept.push(await copy(file, element));
    if (element.id === CLUSTER) return joinChunks(kept);
    at = element.end;
  }
  throw damaged(`it has no frames among its first ${MAX_ELEMENTS} elements`);
}

async function elementAt(file: StoredFile, start: number): Promise<Element> {
  const bytes = await file.read(start, 12);
  const idBytes = Math.clz32(bytes[0] ?? 0) - 23;
  const sizeBytes = Math.clz32(bytes[idBytes] ?? 0) - 23;
  if (bytes.length === 0) throw damaged("it has no frames, as in a file that was cut off");
  if (idBytes > 4 || sizeBytes > 8 || bytes.length < idBytes + sizeBytes) {
    throw damaged(`the element at ${start} cannot be read`);
  }
  const numberOf = (digits: Uint8Array) => digits.reduce((number, byte) => number * 256 + byte, 0);
  const id = numberOf(bytes.subarray(0, idBytes));
  const size = bytes.slice(idBytes, idBytes + sizeBytes);
  size[0] &= 0xff >> sizeBytes;
  const isOpen = size.every((byte, i) => byte === (i === 0 ? 0xff >> sizeBytes : 0xff));
  const contents = start + idBytes + sizeBytes;
  if (isOpen) return { id, start, contents, end: Number.POSITIVE_INFINITY };
  const end = contents + numberOf(size);
  if (end > file.size) throw truncated(file.size, end);
  return { id, start, contents, end };
}

async function copy(file: StoredFile, { start, end }: Element): Promise<Uint8Array> {
  if (end - start > MAX_ELEMENT_BYTES) throw damaged(`the element at ${start} is too large`);
  return file.read(start, end - start);
}
