/// <reference path="./node-zlib.d.ts" />
import { crc32, createInflateRaw, type InflateRaw } from "node:zlib";
import { Refusal } from "../errors.ts";
import type { HeldBytes } from "../http/upload-memory.ts";
import { joinChunks } from "../storage/chunks.ts";

/** A file of an archive, or why it cannot be unpacked. The name is only shown, never used as a path. */
export type Unzipped =
  | { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly name: string; readonly error: Refusal };

/** The limits of the work on one archive. */
export interface UnzipLimits {
  readonly maxFileBytes: number;
  /** All files together, unpacked. Skipped files are not unpacked. */
  readonly maxTotalBytes: number;
  /** Files and folders, those that are skipped included. */
  readonly maxEntries: number;
  /** Counts the unpacked bytes. The reader releases those of the files that it gets. */
  readonly held: Pick<HeldBytes, "add" | "release">;
  /** Lets other requests run. Called after every megabyte that was read or unpacked. */
  readonly pause: () => Promise<void>;
}

/** Photos hardly compress, so a file that expands more than this is not a photo. */
const MAX_RATIO = 20;
/** A smaller file may expand more. */
const RATIO_FREE_BYTES = 65_536;

/** Packed bytes that are unpacked at a time, and unpacked bytes after which the limits are checked. */
const SLICE_BYTES = 16_384;
const UNPACKED_CHUNK_BYTES = 65_536;
const PAUSE_BYTES = 1_000_000;

const LOCAL_HEADER = 0x04034b50;
/** The records that follow the last file: the directory, its end (also of Zip64), and its decryption header. */
const AFTER_FILES: ReadonlySet<number> = new Set([0x02014b50, 0x06054b50, 0x06064b50, 0x08064b50]);
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
 * Yields the files of a ZIP archive as it streams in and checks each against its CRC-32. Reads the local headers
 * (APPNOTE.TXT 6.3.10) one after another up to the directory, which is not read: so entries cannot overlap, and a
 * directory that disagrees changes nothing. Skips folders and the files that operating systems add, without
 * unpacking them. Holds one file in memory, and at most `maxFileBytes` of it; the rest of a larger file is skipped.
 * A damaged file does not affect the next one.
 *
 * @throws Refusal `malformed_upload` for a body that is not an archive or breaks off between two files,
 * `batch_too_large` above `maxEntries` or `maxTotalBytes`
 */
export async function* unzipped(
  stream: AsyncIterable<Uint8Array>,
  limits: UnzipLimits,
): AsyncGenerator<Unzipped, void> {
  const archive = new Archive(stream, limits);
  let last: string | undefined;
  try {
    while ((await archive.fill(4)) && uint32(archive.ahead, 0) === LOCAL_HEADER) {
      archive.countEntry();
      const header = await readHeader(archive);
      if (!header) throw cutOff(last);
      last = header.name;
      const file = await readFile(archive, header);
      if (file) yield file;
      if (archive.isReported) return;
      await archive.rest();
    }
    if (last === undefined || !AFTER_FILES.has(uint32(archive.ahead, 0))) throw cutOff(last);
  } finally {
    await archive.release();
  }
}

/** Returns the refusal of an archive without directory after its last whole file. */
function cutOff(last: string | undefined): Refusal {
  return new Refusal(
    "malformed_upload",
    last === undefined
      ? "The body is not a ZIP archive that contains files."
      : `The archive is cut off or damaged after "${shown(last)}". Files after it were not read.`,
  );
}

/** An archive that is read: the bytes that have arrived and are not read yet are in `ahead`. */
class Archive {
  readonly limits: UnzipLimits;
  readonly #chunks: AsyncIterator<Uint8Array>;
  ahead: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Whether a file was reported in which the archive ends. */
  isReported = false;
  #entries = 0;
  #unpackedBytes = 0;
  #bytesSincePause = 0;

  constructor(stream: AsyncIterable<Uint8Array>, limits: UnzipLimits) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.limits = limits;
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
    this.#bytesSincePause += length;
    return bytes;
  }

  /** @throws Refusal `batch_too_large` */
  countEntry(): void {
    const { maxEntries } = this.limits;
    this.#entries += 1;
    if (this.#entries <= maxEntries) return;
    const most = maxEntries.toLocaleString("en-US");
    throw tooLarge(`has more than ${most} entries, including folders and hidden files`);
  }

  /** Counts unpacked bytes. Returns a refusal when they are too many. */
  countUnpacked(bytes: number): Refusal | null {
    this.#unpackedBytes += bytes;
    this.#bytesSincePause += bytes;
    const { maxTotalBytes } = this.limits;
    if (this.#unpackedBytes <= maxTotalBytes) return null;
    return tooLarge(`has more than ${maxTotalBytes / 1_000_000} MB, unpacked`);
  }

  /** Lets other requests run if a megabyte was read or unpacked since the last time. */
  async rest(): Promise<void> {
    if (this.#bytesSincePause < PAUSE_BYTES) return;
    this.#bytesSincePause = 0;
    await this.limits.pause();
  }
}

function tooLarge(what: string): Refusal {
  return new Refusal(
    "batch_too_large",
    `The archive ${what}. The files from here on were not submitted. Send them in another archive.`,
  );
}

interface Header {
  readonly name: string;
  readonly isEncrypted: boolean;
  readonly method: number;
  /** Null: a data descriptor after the file's bytes has the values, and marks their end. */
  readonly known: { readonly crc: number; readonly packed: number } | null;
}

/** Reads a local header; undefined when the archive ends within it. */
async function readHeader(archive: Archive): Promise<Header | undefined> {
  if (!(await archive.fill(LOCAL_HEADER_BYTES))) return;
  const fixed = archive.ahead;
  const nameLength = uint16(fixed, 26);
  const length = LOCAL_HEADER_BYTES + nameLength + uint16(fixed, 28);
  if (!(await archive.fill(length))) return;
  const bytes = archive.take(length);
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

/** Reads a file. Returns undefined for one that is skipped. */
async function readFile(archive: Archive, header: Header): Promise<Unzipped | undefined> {
  const { name, known } = header;
  const file = isIgnored(name) ? null : new Unpacking(header, archive);
  try {
    const crc = known ? await readKnown(archive, known, file) : await readUnknown(archive, file);
    if (!file) {
      if (crc === undefined) throw cutOff(name);
      return;
    }
    if (crc === undefined) {
      archive.isReported = true;
      return { name, error: damaged(name, "the archive ends within it") };
    }
    const { error, bytes } = await file.end();
    if (error?.code === "batch_too_large") throw error;
    if (error) return { name, error };
    if (file.crc !== crc) return { name, error: damaged(name, "its CRC-32 does not match the archive's") };
    file.heldBytes = 0;
    return { name, bytes };
  } finally {
    file?.close();
  }
}

/**
 * Reads a file of known size.
 *
 * @param file null: it is skipped
 * @returns the archive's CRC-32; undefined when the archive ends before
 */
async function readKnown(
  archive: Archive,
  { crc, packed }: NonNullable<Header["known"]>,
  file: Unpacking | null,
): Promise<number | undefined> {
  for (let left = packed; left > 0; ) {
    if (!(await archive.fill(1))) return;
    const slice = archive.take(Math.min(left, SLICE_BYTES, archive.ahead.length));
    left -= slice.length;
    await file?.push(slice);
    await archive.rest();
  }
  return crc;
}

/**
 * Reads a file up to its data descriptor, which is recognised by the size that it states. Parameters and result as
 * in `readKnown`.
 */
async function readUnknown(archive: Archive, file: Unpacking | null): Promise<number | undefined> {
  for (let packed = 0; ; packed += SLICE_BYTES) {
    const isWhole = await archive.fill(SLICE_BYTES + LOOKAHEAD_BYTES);
    const descriptor = findDescriptor(archive.ahead, packed);
    if (descriptor && descriptor.at < SLICE_BYTES) {
      const slice = archive.take(descriptor.at);
      await file?.push(slice);
      archive.take(descriptor.length);
      return descriptor.crc;
    }
    if (!isWhole) {
      archive.take(archive.ahead.length);
      return;
    }
    const slice = archive.take(SLICE_BYTES);
    await file?.push(slice);
    await archive.rest();
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

/**
 * Unpacks one file: packed bytes go in through `push`, `end` returns the file. Unpacks with the platform's zlib,
 * which stops in the middle of a slice and spends little on blocks that unpack to nothing.
 */
class Unpacking {
  readonly #name: string;
  readonly #archive: Archive;
  readonly #chunks: Uint8Array[] = [];
  #packedBytes = 0;
  #size = 0;
  #error: Refusal | null = null;
  readonly #inflate: InflateRaw | null = null;
  readonly #closed: Promise<void> | undefined;
  /** The CRC-32 of the unpacked bytes so far. */
  crc = 0;
  /** Bytes to release when the file is closed. */
  heldBytes = 0;

  constructor({ name, method, isEncrypted }: Header, archive: Archive) {
    this.#name = name;
    this.#archive = archive;
    if (isEncrypted) this.#error = damaged(name, "it is encrypted");
    else if (method === DEFLATED) {
      const inflate = createInflateRaw({ chunkSize: UNPACKED_CHUNK_BYTES });
      inflate.on("data", (chunk) => this.#add(chunk));
      inflate.on("error", (error) => this.#fail(damaged(name, error.message)));
      this.#closed = new Promise((resolve) => void inflate.on("close", resolve));
      this.#inflate = inflate;
    } else if (method !== STORED) this.#error = damaged(name, `packed by method ${method}`);
  }

  async push(packed: Uint8Array<ArrayBuffer>): Promise<void> {
    const inflate = this.#inflate;
    if (this.#error) return;
    this.#packedBytes += packed.length;
    if (!inflate) this.#add(packed);
    else await Promise.race([this.#closed, new Promise<void>((done) => void inflate.write(packed, done))]);
    await this.#hold();
  }

  async end(): Promise<{ error: Refusal | null; bytes: Uint8Array<ArrayBuffer> }> {
    if (!this.#error) this.#inflate?.end();
    await this.#closed;
    await this.#hold();
    return { error: this.#error, bytes: joinChunks(this.#chunks) };
  }

  /** Frees the memory. */
  close(): void {
    this.#inflate?.destroy();
    this.#archive.limits.held.release(this.heldBytes);
  }

  /** Counts the bytes that were unpacked since the last time. */
  async #hold(): Promise<void> {
    if (this.#error) return;
    const bytes = this.#size - this.heldBytes;
    await this.#archive.limits.held.add(bytes);
    this.heldBytes += bytes;
  }

  #add(chunk: Uint8Array): void {
    if (this.#error) return;
    this.#size += chunk.length;
    const refusal = this.#archive.countUnpacked(chunk.length) ?? this.#refusal();
    if (refusal) {
      this.#fail(refusal);
    } else {
      this.crc = crc32(chunk, this.crc);
      this.#chunks.push(chunk);
    }
  }

  #refusal(): Refusal | null {
    if (this.#size > Math.max(RATIO_FREE_BYTES, MAX_RATIO * this.#packedBytes)) {
      return damaged(this.#name, `it expands more than ${MAX_RATIO}-fold, which photos do not`);
    }
    const { maxFileBytes } = this.#archive.limits;
    if (this.#size <= maxFileBytes) return null;
    const most = `${maxFileBytes / 1_000_000} MB`;
    const detail = `"${shown(this.#name)}" is larger than ${most}; expected at most ${most}.`;
    return new Refusal("image_too_many_bytes", detail);
  }

  #fail(refusal: Refusal): void {
    this.#error ??= refusal;
    this.#chunks.length = 0;
    this.#inflate?.destroy();
  }
}

const IGNORED_FILES: ReadonlySet<string> = new Set(["thumbs.db", "desktop.ini"]);

/** Returns whether an entry is a folder, or a file that an operating system added. */
function isIgnored(name: string): boolean {
  if (name.endsWith("/") || name.endsWith("\\")) return true;
  const folders = name.toLowerCase().split("/");
  const file = folders.pop() ?? "";
  return file.startsWith(".") || IGNORED_FILES.has(file) || folders.includes("__macosx");
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
