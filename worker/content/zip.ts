import { Inflate } from "fflate";
import { Refusal } from "../errors.ts";
import { joinChunks } from "../storage/chunks.ts";

/** A file of an archive, or why it cannot be unpacked. The name is only shown, never used as a path. */
export type Unzipped =
  | { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly name: string; readonly error: Refusal };

/** Compressed bytes that are unpacked at a time. Deflate expands them about a thousandfold at most. */
const SLICE_BYTES = 4096;

const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const LOCAL_HEADER_BYTES = 30;
const [P, K] = [0x50, 0x4b];
/** Layouts of a data descriptor: an optional signature, the CRC-32 and two sizes. */
const DESCRIPTORS = [
  { length: 24, isSigned: true, isWide: true },
  { length: 20, isSigned: false, isWide: true },
  { length: 16, isSigned: true, isWide: false },
  { length: 12, isSigned: false, isWide: false },
] as const;
/** The longest descriptor, and the signature of the record that follows it. */
const LOOKAHEAD_BYTES = 28;

const ENCRYPTED = 1;
const HAS_DESCRIPTOR = 8;
const IS_UTF8 = 2048;
const STORED = 0;
const DEFLATED = 8;
const ZIP64_EXTRA = 1;
/** Stands for a size that is in the Zip64 field. */
const ELSEWHERE = 0xffffffff;

/**
 * Yields the files of a ZIP archive as it streams in (APPNOTE.TXT 6.3.10, local headers) and checks each against
 * its CRC-32. Skips folders and the files that operating systems add. Holds one file in memory, and at most
 * `maxBytes` of it; the rest of a larger file is skipped. A damaged file does not affect the next one.
 *
 * @throws Refusal `malformed_upload` for a body that is not an archive
 */
export async function* unzipped(
  archive: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Unzipped, void> {
  const source = new Source(archive);
  let hasFiles = false;
  try {
    while ((await source.fill(4)) && uint32(source.ahead, 0) === LOCAL_HEADER) {
      const header = await readHeader(source);
      if (!header) break;
      hasFiles = true;
      const file = await readFile(source, header, maxBytes);
      if (!isIgnored(header.name)) yield file;
    }
  } finally {
    await source.release();
  }
  if (!hasFiles) throw new Refusal("malformed_upload", "The body is not a ZIP archive that contains files.");
}

/** The archive's bytes: those that have arrived and are not read yet are in `ahead`. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  ahead: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(archive: AsyncIterable<Uint8Array>) {
    this.#chunks = archive[Symbol.asyncIterator]();
  }

  /** Reads on until `length` bytes are ahead. Returns false when the archive ends before. */
  async fill(length: number): Promise<boolean> {
    const chunks: Uint8Array[] = [this.ahead];
    let size = this.ahead.length;
    while (size < length) {
      const next = await this.#chunks.next();
      if (next.done) break;
      chunks.push(next.value);
      size += next.value.length;
    }
    if (chunks.length > 1) this.ahead = joinChunks(chunks);
    return size >= length;
  }

  /** Leaves the rest of the archive, which begins with its directory, to other readers. */
  async release(): Promise<void> {
    await this.#chunks.return?.();
  }

  take(length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.ahead.subarray(0, length);
    this.ahead = this.ahead.subarray(length);
    return bytes;
  }
}

interface Header {
  readonly name: string;
  readonly isEncrypted: boolean;
  readonly method: number;
  /** Null: a data descriptor after the file's bytes has the values, and marks their end. */
  readonly known: { readonly crc: number; readonly packed: number } | null;
}

/** Reads a local header; undefined when the archive ends within it. */
async function readHeader(source: Source): Promise<Header | undefined> {
  if (!(await source.fill(LOCAL_HEADER_BYTES))) return;
  const fixed = source.ahead;
  const nameLength = uint16(fixed, 26);
  const length = LOCAL_HEADER_BYTES + nameLength + uint16(fixed, 28);
  if (!(await source.fill(length))) return;
  const bytes = source.take(length);
  const flags = uint16(bytes, 6);
  const extra = LOCAL_HEADER_BYTES + nameLength;
  const encoding = flags & IS_UTF8 ? "utf-8" : "latin1";
  const packed = uint32(bytes, 18);
  return {
    name: new TextDecoder(encoding).decode(bytes.subarray(LOCAL_HEADER_BYTES, extra)),
    isEncrypted: (flags & ENCRYPTED) !== 0,
    method: uint16(bytes, 8),
    known:
      flags & HAS_DESCRIPTOR
        ? null
        : {
            crc: uint32(bytes, 14),
            packed: packed === ELSEWHERE ? zip64Packed(bytes.subarray(extra), packed) : packed,
          },
  };
}

/** Returns the packed size from the Zip64 field, where it follows the unpacked one. */
function zip64Packed(extra: Uint8Array, otherwise: number): number {
  for (let at = 0; at + 4 <= extra.length; at += 4 + uint16(extra, at + 2)) {
    if (uint16(extra, at) === ZIP64_EXTRA && at + 20 <= extra.length) return uint64(extra, at + 12);
  }
  return otherwise;
}

async function readFile(source: Source, header: Header, maxBytes: number): Promise<Unzipped> {
  const { name } = header;
  const file = new Unpacking(header, maxBytes);
  const crc = header.known ? await readKnown(source, header.known, file) : await readUnknown(source, file);
  if (crc === undefined) return { name, error: damaged(name, "the archive ends within it") };
  const { error, bytes } = file.end();
  if (error) return { name, error };
  if (file.crc !== crc) return { name, error: damaged(name, "its CRC-32 does not match the archive's") };
  return { name, bytes };
}

/** Reads a file of known size. Returns the archive's CRC-32; undefined when the archive ends before. */
async function readKnown(
  source: Source,
  { crc, packed }: NonNullable<Header["known"]>,
  file: Unpacking,
): Promise<number | undefined> {
  for (let left = packed; left > 0; ) {
    if (!(await source.fill(1))) return;
    const slice = source.take(Math.min(left, SLICE_BYTES, source.ahead.length));
    left -= slice.length;
    file.push(slice);
  }
  return crc;
}

/**
 * Reads a file up to its data descriptor, which is recognised by the size that it states. Returns as
 * `readKnown`.
 */
async function readUnknown(source: Source, file: Unpacking): Promise<number | undefined> {
  for (let packed = 0; ; packed += SLICE_BYTES) {
    const isWhole = await source.fill(SLICE_BYTES + LOOKAHEAD_BYTES);
    const descriptor = findDescriptor(source.ahead, packed);
    if (descriptor && descriptor.at < SLICE_BYTES) {
      file.push(source.take(descriptor.at));
      source.take(descriptor.length);
      return descriptor.crc;
    }
    if (!isWhole) {
      source.take(source.ahead.length);
      return;
    }
    file.push(source.take(SLICE_BYTES));
  }
}

/**
 * Finds the first data descriptor that states as many packed bytes as precede it: with or without a signature,
 * with sizes of 4 or 8 bytes. The record after it begins with PK, as every record does.
 *
 * @param packed how many bytes precede `bytes`
 */
function findDescriptor(bytes: Uint8Array, packed: number) {
  const near = bytes.subarray(0, SLICE_BYTES + LOOKAHEAD_BYTES);
  for (let end = near.indexOf(P); end >= 0; end = near.indexOf(P, end + 1)) {
    if (near[end + 1] !== K) continue;
    for (const { length, isSigned, isWide } of DESCRIPTORS) {
      const at = end - length;
      if (at < 0 || (isSigned && uint32(near, at) !== DESCRIPTOR)) continue;
      const start = isSigned ? at + 4 : at;
      const named = isWide ? uint64(near, start + 4) : uint32(near, start + 4);
      if (named === packed + at) return { at, length, crc: uint32(near, start) };
    }
  }
  return undefined;
}

/** Unpacks one file: packed bytes go in through `push`, `end` returns up to `maxBytes` of the file. */
class Unpacking {
  readonly #name: string;
  readonly #maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #crc = 0xffffffff;
  #error: Refusal | null = null;
  readonly #inflate: Inflate | null;

  constructor({ name, method, isEncrypted }: Header, maxBytes: number) {
    this.#name = name;
    this.#maxBytes = maxBytes;
    this.#inflate = method === DEFLATED ? new Inflate((chunk) => this.#add(chunk)) : null;
    if (isEncrypted) this.#error = damaged(name, "it is encrypted");
    else if (method !== STORED && method !== DEFLATED)
      this.#error = damaged(name, `packed by method ${method}`);
  }

  push(packed: Uint8Array<ArrayBuffer>, isLast = false): void {
    if (this.#error) return;
    try {
      if (this.#inflate) this.#inflate.push(packed, isLast);
      else this.#add(packed);
    } catch (error) {
      this.#error ??= damaged(this.#name, (error as Error).message);
    }
  }

  end(): { error: Refusal | null; bytes: Uint8Array<ArrayBuffer> } {
    if (this.#inflate) this.push(new Uint8Array(0), true);
    return { error: this.#error, bytes: joinChunks(this.#error ? [] : this.#chunks) };
  }

  /** The CRC-32 of the unpacked bytes so far. */
  get crc(): number {
    return ~this.#crc >>> 0;
  }

  #add(chunk: Uint8Array): void {
    if (this.#error) return;
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      const most = `${this.#maxBytes / 1_000_000} MB`;
      const detail = `"${shown(this.#name)}" is larger than ${most}; expected at most ${most}.`;
      this.#error = new Refusal("image_too_many_bytes", detail);
      this.#chunks.length = 0;
      return;
    }
    this.#crc = updated(this.#crc, chunk);
    // The decoder writes its next chunk over this one.
    this.#chunks.push(chunk.slice());
  }
}

/** The CRC-32 of each byte, for the polynomial of ISO 3309 in reversed bit order. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function updated(crc: number, bytes: Uint8Array): number {
  let state = crc;
  for (let i = 0; i < bytes.length; i++) state = CRC_TABLE[(state ^ bytes[i]) & 0xff] ^ (state >>> 8);
  return state;
}

function isIgnored(name: string): boolean {
  return /(^|\/)(\.[^/]*|__MACOSX\/.*|Thumbs\.db|desktop\.ini)$|[/\\]$/i.test(name);
}

function damaged(name: string, why: string): Refusal {
  return new Refusal("image_damaged", `"${shown(name)}" cannot be unpacked: ${why}.`);
}

function shown(name: string): string {
  return name.slice(-100);
}

/** Reads a little-endian number, as all numbers in an archive are. Bytes after the end count as 0. */
function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0;
}

function uint64(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) + uint32(bytes, at + 4) * 2 ** 32;
}
