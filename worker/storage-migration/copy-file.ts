import type { CopiedPart } from "../db/tables.ts";
import { hex, sha256Sink } from "../sha256.ts";
import { readChunks } from "../storage/chunks.ts";
import { StorageError, type StorageProvider } from "../storage/provider.ts";

/**
 * Copies one file from one storage to another and verifies the copy: the SHA-256 of the bytes read from the old
 * storage must equal that of the bytes read back from the new one. Only one chunk is in memory at a time.
 */

/** Larger files are copied by a multipart upload, where the new storage has those: a turn may end after any part. */
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
  /** Called for every chunk. An error that it throws ends the copy. */
  readonly onProgress: () => Promise<void>;
}

/** The progress of a multipart copy, with which another turn can continue it. */
export interface MultipartProgress {
  readonly uploadId: string | null;
  readonly parts: readonly CopiedPart[];
}

/** Returns whether a file is copied by a multipart upload. */
export function isMultipart({ target, size }: Pick<FileCopy, "target" | "size">): boolean {
  return size > MAX_SINGLE_PART_BYTES && target.multipart !== null;
}

/**
 * Copies a file by one upload and verifies it.
 *
 * @throws CopyError, ChecksumError
 */
export async function copySinglePart(copy: FileCopy): Promise<void> {
  const { source, target, from, to, size, contentType, onProgress } = copy;
  const download = await onSide("source", () => source.download(from));
  if (!download) throw missingFile();
  const hashed = hash(download.body, onProgress);
  await onSide("target", () => target.upload(to, hashed.stream, { length: size, contentType }), hashed);
  await verify(copy, await hashed.sha256, null);
}

interface MultipartCopy {
  readonly progress: MultipartProgress;
  readonly save: (progress: MultipartProgress) => Promise<void>;
  /** Asked before every part but the first of this call. */
  readonly hasTime: () => boolean;
}

/**
 * Copies a file by a multipart upload, from its first missing part on, and verifies it once it is complete.
 *
 * @returns whether the copy is complete; false when the time was up before that
 * @throws CopyError, ChecksumError
 */
export async function copyMultipart(
  copy: FileCopy,
  { progress, save, hasTime }: MultipartCopy,
): Promise<boolean> {
  const { source, target, from, to, size, contentType, onProgress } = copy;
  const uploads = target.multipart;
  if (!uploads) throw new Error("This storage has no multipart uploads.");
  let { uploadId, parts } = progress;
  const wanted = Math.ceil(size / PART_BYTES);
  const isComplete = async () => (await target.head(to))?.size === size;

  if (parts.length < wanted || uploadId !== null) {
    if (uploadId === null) {
      uploadId = await onSide("target", () => uploads.start(to, contentType));
      parts = [];
      await save({ uploadId, parts });
    }
    const id = uploadId;
    const first = parts.length + 1;
    for (let number = first; number <= wanted; number++) {
      if (number > first && !hasTime()) return false;
      const range = rangeOf(number, size);
      const download = await onSide("source", () => source.download(from, { range }));
      if (!download) throw missingFile();
      const hashed = hash(download.body, onProgress);
      const part = { key: to, uploadId: id, number };
      const length = range.end - range.start + 1;
      const etag = await onSide("target", () => uploads.put(part, hashed.stream, length), hashed);
      parts = [...parts, { number, etag, sha256: await hashed.sha256 }];
      await save({ uploadId, parts });
    }
    try {
      await onSide("target", () => uploads.complete(to, id, parts));
    } catch (error) {
      // A turn that was killed may have completed it without saving that.
      if (!(isNotFound(error) && (await isComplete()))) throw error;
    }
    await save({ uploadId: null, parts });
  }
  for (const { number, sha256 } of parts) await verify(copy, sha256, rangeOf(number, size));
  return true;
}

/** Returns whether a storage does not know the file, or the multipart upload. */
export function isNotFound(error: unknown): boolean {
  const cause = error instanceof CopyError ? error.cause : error;
  return cause instanceof StorageError && cause.code === "not_found";
}

/** Returns the bytes of a part, as inclusive positions. */
function rangeOf(number: number, size: number) {
  return { start: (number - 1) * PART_BYTES, end: Math.min(number * PART_BYTES, size) - 1 };
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
  const copied = await hashed.sha256;
  if (download.size === size && copied === sha256) return;
  throw new ChecksumError(
    `The copy has ${download.size} bytes with SHA-256 ${copied}; expected ${size} bytes with ${sha256}.`,
  );
}

interface HashedStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** SHA-256 of all bytes of the stream, in hexadecimal; resolves when the stream ends. */
  readonly sha256: Promise<string>;
  /** Returns the error that broke the stream, if it came from the source or from `onProgress`. */
  failure(): { readonly error: unknown } | undefined;
}

/** Returns a stream of the same bytes, which hashes them. */
function hash(body: ReadableStream<Uint8Array>, onProgress: () => Promise<void>): HashedStream {
  const digest = sha256Sink();
  const writer = digest.getWriter();
  const reader = readChunks(body);
  let failure: { readonly error: unknown } | undefined;
  const sha256 = digest.digest.then((bytes) => hex(new Uint8Array(bytes)));
  // A stream that is not read to its end has no hash, which must not count as an unhandled rejection.
  sha256.catch(() => {});
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        await onProgress();
        const chunk = await reader.read();
        if (chunk.done) {
          await writer.close();
          controller.close();
        } else {
          await writer.write(chunk.value);
          controller.enqueue(chunk.value);
        }
      } catch (error) {
        failure = { error };
        writer.abort(error).catch(() => {});
        throw error;
      }
    },
    cancel(reason) {
      writer.abort(reason).catch(() => {});
      return reader.cancel(reason);
    },
  });
  return { stream, sha256, failure: () => failure };
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
