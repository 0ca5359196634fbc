import type { CopiedPart } from "../db/tables.ts";
import { hex, sha256Sink } from "../sha256.ts";
import { readChunks } from "../storage/chunks.ts";
import { StorageError, type StorageProvider } from "../storage/provider.ts";

/**
 * Copies one file from a storage to another and proves the copy: SHA-256 of what was read from the old storage,
 * and of what the new one gives back. Nothing is held but the chunk that flows by.
 */

/** Files from here on go in parts, where the new storage takes parts: a turn may end behind any of them. */
const LARGE_BYTES = 64 * 2 ** 20;
const PART_BYTES = 32 * 2 ** 20;

/** Which side of a copy failed. */
export class CopyError extends Error {
  override readonly name = "CopyError";
  readonly side: "source" | "target";

  constructor(side: "source" | "target", cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.side = side;
  }
}

/** The copy is not what was copied. */
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
  /** Called while bytes flow; what it throws ends the copy. */
  readonly beat: () => Promise<void>;
}

/** What is noted of a copy in parts, so that another turn goes on from there. */
export interface PartsSoFar {
  readonly uploadId: string | null;
  readonly parts: readonly CopiedPart[];
}

/** Whether a file is copied in parts. */
export function goesInParts({ target, size }: Pick<FileCopy, "target" | "size">): boolean {
  return size > LARGE_BYTES && target.parts !== null;
}

/** Copies a file in one piece and reads it back. */
export async function copyWhole(copy: FileCopy): Promise<void> {
  const { source, target, from, to, size, contentType, beat } = copy;
  const download = await on("source", () => source.download(from));
  if (!download)
    throw new CopyError("source", new StorageError("not_found", "The file is not there any more."));
  const hashed = hashing(download.body, beat);
  await on("target", () => target.upload(to, hashed.stream, { length: size, contentType }), hashed);
  await compare(copy, await hashed.sha256, null);
}

/**
 * Copies a file in parts, from the first one that is missing on, and reads it back when all are there.
 *
 * @param note writes down what there is so far
 * @param hasTime whether a second part may begin, and so on
 * @returns whether the copy is complete and right; if not, there was no time for more
 */
export async function copyParts(
  copy: FileCopy,
  soFar: PartsSoFar,
  note: (soFar: PartsSoFar) => Promise<void>,
  hasTime: () => boolean,
): Promise<boolean> {
  const { source, target, from, to, size, contentType, beat } = copy;
  const uploads = target.parts;
  if (!uploads) throw new Error("This storage takes no parts.");
  let { uploadId, parts } = soFar;
  const wanted = Math.ceil(size / PART_BYTES);
  const isComplete = async () => (await target.head(to))?.size === size;

  if (parts.length < wanted || uploadId !== null) {
    if (uploadId === null) {
      uploadId = await on("target", () => uploads.start(to, contentType));
      parts = [];
      await note({ uploadId, parts });
    }
    const id = uploadId;
    const first = parts.length + 1;
    for (let number = first; number <= wanted; number++) {
      if (number > first && !hasTime()) return false;
      const range = rangeOf(number, size);
      const download = await on("source", () => source.download(from, { range }));
      if (!download)
        throw new CopyError("source", new StorageError("not_found", "The file is not there any more."));
      const hashed = hashing(download.body, beat);
      const length = range.end - range.start + 1;
      const put = () => uploads.put(to, id, number, hashed.stream, length);
      const etag = await on("target", put, hashed);
      parts = [...parts, { number, etag, sha256: await hashed.sha256 }];
      await note({ uploadId, parts });
    }
    try {
      await on("target", () => uploads.complete(to, id, parts));
    } catch (error) {
      // It may have been completed already, by a turn that died before it could note that.
      if (!(isNotFound(error) && (await isComplete()))) throw error;
    }
    await note({ uploadId: null, parts });
  }
  for (const { number, sha256 } of parts) await compare(copy, sha256, rangeOf(number, size));
  return true;
}

/** Whether the parts are unknown to the backend: then the copy begins anew. */
export function isNotFound(error: unknown): boolean {
  const cause = error instanceof CopyError ? error.cause : error;
  return cause instanceof StorageError && cause.code === "not_found";
}

/** Inclusive positions. */
function rangeOf(number: number, size: number) {
  return { start: (number - 1) * PART_BYTES, end: Math.min(number * PART_BYTES, size) - 1 };
}

/** Reads a copy, or a range of it, back from the new storage. */
async function compare(
  { target, to, size, beat }: FileCopy,
  sha256: string,
  range: { start: number; end: number } | null,
): Promise<void> {
  const download = await on("target", () => target.download(to, range ? { range } : {}));
  if (!download) throw new ChecksumError("The copy that was just written is not there.");
  const hashed = hashing(download.body, beat);
  await on("target", () => hashed.stream.pipeTo(new WritableStream()), hashed);
  const copied = await hashed.sha256;
  if (download.size === size && copied === sha256) return;
  throw new ChecksumError(
    `The copy differs: ${download.size} bytes with SHA-256 ${copied}, instead of ${size} with ${sha256}.`,
  );
}

interface Hashed {
  readonly stream: ReadableStream<Uint8Array>;
  /** Of all that flowed by, once the stream has ended. */
  readonly sha256: Promise<string>;
  /** The error that broke the stream at its source, if one did. */
  broken(): { readonly error: unknown } | undefined;
}

/** The same bytes, hashed as they flow by. */
function hashing(body: ReadableStream<Uint8Array>, beat: () => Promise<void>): Hashed {
  const digest = sha256Sink();
  const writer = digest.getWriter();
  const reader = readChunks(body);
  let broken: { readonly error: unknown } | undefined;
  const sha256 = digest.digest.then((bytes) => hex(new Uint8Array(bytes)));
  // Whoever ends early does not ask for it.
  sha256.catch(() => {});
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        await beat();
        const chunk = await reader.read();
        if (chunk.done) {
          await writer.close();
          controller.close();
        } else {
          await writer.write(chunk.value);
          controller.enqueue(chunk.value);
        }
      } catch (error) {
        broken = { error };
        writer.abort(error).catch(() => {});
        throw error;
      }
    },
    cancel(reason) {
      writer.abort(reason).catch(() => {});
      return reader.cancel(reason);
    },
  });
  return { stream, sha256, broken: () => broken };
}

/** Does something on one side; a stream that broke is the source's fault, or its beat's. */
async function on<T>(side: "source" | "target", act: () => Promise<T>, hashed?: Hashed): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const broken = hashed?.broken();
    if (!broken) throw new CopyError(side, error);
    if (broken.error instanceof StorageError) throw new CopyError("source", broken.error);
    throw broken.error;
  }
}
