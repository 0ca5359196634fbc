import type { CopiedPart } from "../db/tables.ts";
import { hex, sha256Sink } from "../sha256.ts";
import { readChunks } from "../storage/chunks.ts";
import { StorageError, type StorageProvider } from "../storage/provider.ts";

/**
 * Copies one file from one storage to another and verifies the copy, part by part: the SHA-256 of the bytes read from
 * the old storage must equal that of the bytes read back from the new one. A turn may end after any part, and the next
 * one continues there. Only one chunk is in memory at a time.
 */

/** Larger files are copied by a multipart upload, where the new storage has those. */
const MAX_SINGLE_PART_BYTES = 64 * 2 ** 20;
const PART_BYTES = 32 * 2 ** 20;

/** A failure of one of the two storages. */
export class CopyError extends Error {
  override readonly name = "CopyError";
  readonly side: "source" | "target";

  constructor(side: "source" | "target", cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.side = side;
  }
}

/** The copy differs from its source. */
export class ChecksumError extends Error {
  override readonly name = "ChecksumError";
}

export interface FileCopy {
  readonly source: StorageProvider;
  readonly target: StorageProvider;
  readonly from: string;
  readonly to: string;
  /** Bytes of the source. */
  readonly size: number;
  readonly contentType: string;
  /** Where the new storage can read the file by itself, if it does such things; null: it gets a stream. */
  readonly url: string | null;
  /** Called for every chunk. An error that it throws ends the copy. */
  readonly onProgress: () => Promise<void>;
}

/** The progress of a copy, with which another turn can continue it. */
export interface CopyProgress {
  /** Of the running multipart upload, or of the file that the new storage reads by itself. */
  readonly uploadId: string | null;
  /** All of them, and no `uploadId`: the copy is complete, and is being verified. */
  readonly parts: readonly CopiedPart[];
}

interface Copying {
  readonly progress: CopyProgress;
  readonly save: (progress: CopyProgress) => Promise<void>;
  /** Asked before every part but the first of this call. */
  readonly hasTime: () => boolean;
}

type Way = Pick<FileCopy, "target" | "size" | "url">;

/** Returns whether copying the file takes long and cannot be continued after it was interrupted. */
export function isInOneGo(way: Way, { uploadId }: Pick<CopyProgress, "uploadId">): boolean {
  return way.size > PART_BYTES && !isMultipart(way) && !isFetched(way, uploadId);
}

/** Returns whether the new storage reads the file by itself. */
function isFetched({ target, url }: Way, uploadId: string | null): boolean {
  return target.fetching !== undefined && (url !== null || uploadId !== null);
}

function isMultipart({ target, size }: Way): boolean {
  return size > MAX_SINGLE_PART_BYTES && target.multipart !== null;
}

/**
 * Copies a file, from its first missing part on, and verifies it from its first part on that is not verified.
 *
 * @returns `complete` when the copy is verified; `stopped` when the time was up before that; `waiting` while the new
 *   storage reads the file by itself
 * @throws CopyError, ChecksumError
 */
export async function copyFile(
  copy: FileCopy,
  { progress, save, hasTime }: Copying,
): Promise<"complete" | "stopped" | "waiting"> {
  const wanted = countParts(copy.size);
  let { parts } = progress;
  let isFirst = true;
  const mayGoOn = () => {
    const may = isFirst || hasTime();
    isFirst = false;
    return may;
  };
  if (parts.length < wanted || progress.uploadId !== null) {
    const copying = { progress, save, hasTime: mayGoOn };
    if (isFetched(copy, progress.uploadId)) {
      const fetched = await fetchWhole(copy, copying);
      if (!fetched) return "waiting";
      parts = fetched;
    } else {
      const uploaded = isMultipart(copy) ? await uploadParts(copy, copying) : await uploadWhole(copy);
      if (!uploaded) return "stopped";
      parts = uploaded;
    }
    isFirst = false;
    if (wanted > 1) await save({ uploadId: null, parts });
  }
  for (const { number, sha256, isVerified } of parts) {
    if (isVerified) continue;
    // A small file is read back at once.
    if (wanted > 1 && !mayGoOn()) return "stopped";
    const range = wanted > 1 ? rangeOf(number, copy.size) : null;
    await verify(copy, sha256 || (await sourceHash(copy, range)), range);
    parts = parts.map((part) => (part.number === number ? { ...part, isVerified: true } : part));
    if (wanted > 1) await save({ uploadId: null, parts });
  }
  return "complete";
}

/** Lets the new storage read the file by itself. Returns its parts, without checksums; null while it reads. */
async function fetchWhole(
  { target, to, url, size }: FileCopy,
  { progress: { uploadId }, save }: Copying,
): Promise<readonly CopiedPart[] | null> {
  const { fetching } = target;
  if (!fetching) throw new Error("This storage does not read files from addresses.");
  if (uploadId === null) {
    const started = await onSide("target", () => fetching.start(to, url ?? ""));
    await save({ uploadId: started, parts: [] });
    return null;
  }
  const state = await onSide("target", () => fetching.finish(to, uploadId));
  if (state === "running") return null;
  if (state === "failed") {
    await save({ uploadId: null, parts: [] });
    throw new CopyError(
      "target",
      new StorageError("unavailable", "The storage could not read the file from its address."),
    );
  }
  return Array.from({ length: countParts(size) }, (_, i) => ({ number: i + 1, etag: "", sha256: "" }));
}

/** Copies a file by one upload. Returns its parts, as they are read back. */
async function uploadWhole(copy: FileCopy): Promise<readonly CopiedPart[]> {
  const { source, target, from, to, size, contentType, onProgress } = copy;
  const download = await onSide("source", () => source.download(from));
  if (!download) throw missingFile();
  const hashed = hash(download.body, onProgress);
  await onSide("target", () => target.upload(to, hashed.stream, { length: size, contentType }), hashed);
  return (await hashed.sha256s).map((sha256, i) => ({ number: i + 1, etag: "", sha256 }));
}

/** Copies a file by a multipart upload. Returns its parts; null when the time was up before the last one. */
async function uploadParts(
  copy: FileCopy,
  { progress, save, hasTime }: Copying,
): Promise<readonly CopiedPart[] | null> {
  const { source, target, from, to, size, contentType, onProgress } = copy;
  const uploads = target.multipart;
  if (!uploads) throw new Error("This storage has no multipart uploads.");
  let { uploadId, parts } = progress;
  if (uploadId === null) {
    uploadId = await onSide("target", () => uploads.start(to, contentType));
    parts = [];
    await save({ uploadId, parts });
  }
  const id = uploadId;
  const wanted = countParts(size);
  for (let number = parts.length + 1; number <= wanted; number++) {
    if (!hasTime()) return null;
    const range = rangeOf(number, size);
    const download = await onSide("source", () => source.download(from, { range }));
    if (!download) throw missingFile();
    const hashed = hash(download.body, onProgress);
    const part = { key: to, uploadId: id, number };
    const length = range.end - range.start + 1;
    const etag = await onSide("target", () => uploads.put(part, hashed.stream, length), hashed);
    const [sha256] = await hashed.sha256s;
    parts = [...parts, { number, etag, sha256 }];
    await save({ uploadId, parts });
  }
  try {
    await onSide("target", () => uploads.complete(to, id, parts));
  } catch (error) {
    // A turn that was killed may have completed it without saving that.
    const isComplete = isNotFound(error) && (await target.head(to))?.size === size;
    if (!isComplete) throw error;
  }
  return parts;
}

/** Returns whether a storage does not know the file, or the multipart upload. */
export function isNotFound(error: unknown): boolean {
  const cause = error instanceof CopyError ? error.cause : error;
  return cause instanceof StorageError && cause.code === "not_found";
}

/** Returns the number of parts in which a file is verified. */
function countParts(size: number): number {
  return Math.max(1, Math.ceil(size / PART_BYTES));
}

/** Returns the bytes of a part, as inclusive positions. */
function rangeOf(number: number, size: number) {
  return { start: (number - 1) * PART_BYTES, end: Math.min(number * PART_BYTES, size) - 1 };
}

/** Returns the SHA-256 of a file in the old storage, or of a range of it. */
async function sourceHash(
  { source, from, onProgress }: FileCopy,
  range: { start: number; end: number } | null,
): Promise<string> {
  const download = await onSide("source", () => source.download(from, range ? { range } : {}));
  if (!download) throw missingFile();
  const hashed = hash(download.body, onProgress);
  await onSide("source", () => hashed.stream.pipeTo(new WritableStream()), hashed);
  return (await hashed.sha256s)[0];
}

/** Reads a copy, or a range of it, back from the new storage. @throws ChecksumError when it differs */
async function verify(
  { target, to, size, onProgress }: FileCopy,
  sha256: string,
  range: { start: number; end: number } | null,
): Promise<void> {
  const download = await onSide("target", () => target.download(to, range ? { range } : {}));
  if (!download) throw new ChecksumError("The new storage does not have the copy that was just stored.");
  const hashed = hash(download.body, onProgress);
  await onSide("target", () => hashed.stream.pipeTo(new WritableStream()), hashed);
  const [copied] = await hashed.sha256s;
  if (download.size === size && copied === sha256) return;
  throw new ChecksumError(
    `The copy has ${download.size} bytes with SHA-256 ${copied}; expected ${size} bytes with ${sha256}.`,
  );
}

interface HashedStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** SHA-256 of every `PART_BYTES` of the stream, in hexadecimal; resolves when the stream ends. */
  readonly sha256s: Promise<readonly string[]>;
  /** Returns the error that broke the stream, if it came from the source or from `onProgress`. */
  failure(): { readonly error: unknown } | undefined;
}

/** Returns a stream of the same bytes, which hashes them. */
function hash(body: ReadableStream<Uint8Array>, onProgress: () => Promise<void>): HashedStream {
  const reader = readChunks(body);
  const { promise: sha256s, resolve, reject } = Promise.withResolvers<readonly string[]>();
  // A stream that is not read to its end has no hash, which must not count as an unhandled rejection.
  sha256s.catch(() => {});
  const finished: Promise<ArrayBuffer>[] = [];
  let part = new PartHash();
  let failure: { readonly error: unknown } | undefined;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        await onProgress();
        const chunk = await reader.read();
        if (chunk.done) {
          finished.push(part.end());
          const digests = await Promise.all(finished);
          resolve(digests.map((digest) => hex(new Uint8Array(digest))));
          controller.close();
          return;
        }
        for (let rest = chunk.value; rest.length > 0; ) {
          if (part.left === 0) {
            finished.push(part.end());
            part = new PartHash();
          }
          rest = rest.subarray(await part.add(rest));
        }
        controller.enqueue(chunk.value);
      } catch (error) {
        failure = { error };
        part.abort(error);
        reject(error);
        throw error;
      }
    },
    cancel(reason) {
      part.abort(reason);
      reject(reason);
      return reader.cancel(reason);
    },
  });
  return { stream, sha256s, failure: () => failure };
}

/** The SHA-256 of at most `PART_BYTES`. */
class PartHash {
  /** Bytes that it still takes. */
  left = PART_BYTES;
  readonly #sink = sha256Sink();
  readonly #writer = this.#sink.getWriter();

  /** Takes as many bytes as it can. Returns their number. */
  async add(bytes: Uint8Array): Promise<number> {
    const taken = bytes.subarray(0, this.left);
    this.left -= taken.length;
    await this.#writer.write(taken);
    return taken.length;
  }

  async end(): Promise<ArrayBuffer> {
    await this.#writer.close();
    return this.#sink.digest;
  }

  abort(reason: unknown): void {
    this.#sink.digest.catch(() => {});
    this.#writer.abort(reason).catch(() => {});
  }
}

/**
 * Runs an operation on one storage.
 *
 * @param hashed the stream that the operation reads; its own failure is the source's, not this storage's
 * @throws CopyError, or what `onProgress` threw
 */
export async function onSide<T>(
  side: "source" | "target",
  operate: () => Promise<T>,
  hashed?: HashedStream,
): Promise<T> {
  try {
    return await operate();
  } catch (error) {
    const failure = hashed?.failure();
    if (!failure) throw new CopyError(side, error);
    if (failure.error instanceof StorageError) throw new CopyError("source", failure.error);
    throw failure.error;
  }
}

export function missingFile(): CopyError {
  return new CopyError("source", new StorageError("not_found", "The file is missing."));
}
