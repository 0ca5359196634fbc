import {
  checkKey,
  countObjects,
  type Download,
  type DownloadOptions,
  folderPrefix,
  type ListOptions,
  type ListPage,
  type PartName,
  type PartUploads,
  StorageError,
  type StorageErrorCode,
  type StorageProvider,
  type StoredObject,
  UnsatisfiableRange,
  type UploadOptions,
  type Usage,
} from "./provider.ts";
import { pump } from "./pump.ts";

const PAGE_OBJECTS = 1000;

type Body = Uint8Array<ArrayBuffer> | ReadableStream;

/**
 * Cloudflare R2 through its Workers binding; under `wrangler dev` it lives on the local disk.
 * R2 has no folders: one exists while an object's key passes through it, and `createFolder` stores an
 * empty object named like the folder with a slash at its end, which listings show as the folder only.
 */
export class R2Storage implements StorageProvider {
  readonly #bucket: R2Bucket;
  readonly parts: PartUploads;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
    this.parts = new R2Parts(bucket);
  }

  async upload(
    key: string,
    body: Body,
    { length, contentType, ifAbsent = false }: UploadOptions,
  ): Promise<void> {
    checkKey(key);
    const options: R2PutOptions = { httpMetadata: { contentType } };
    if (ifAbsent) options.onlyIf = new Headers({ "If-None-Match": "*" });
    const stored = await sending(body, length, (known) => this.#bucket.put(key, known, options));
    if (stored === null) throw new StorageError("conflict", `There is a file "${key}" already.`);
  }

  async download(key: string, { range, ifMatch }: DownloadOptions = {}): Promise<Download | null> {
    checkKey(key);
    if (range === undefined) {
      const object = await asking(this.#bucket.get(key, { onlyIf: { etagMatches: ifMatch } }));
      if (object && !isWhole(object)) throw replaced(key);
      return object && { ...factsOf(object), body: object.body, range: null };
    }
    for (;;) {
      const current = await this.head(key);
      if (!current) return null;
      const { size, etag } = current;
      if (ifMatch !== undefined && ifMatch !== etag) throw replaced(key);
      const start = "last" in range ? Math.max(0, size - range.last) : range.start;
      const end = "last" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1);
      if (start > end) throw new UnsatisfiableRange(size);
      const part = { offset: start, length: end - start + 1 };
      const object = await asking(this.#bucket.get(key, { range: part, onlyIf: { etagMatches: etag } }));
      if (!object) return null;
      // Otherwise it was replaced in between, and the range means other bytes now.
      if (isWhole(object)) return { ...factsOf(object), body: object.body, range: { start, end } };
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    const object = await asking(this.#bucket.head(checkKey(key)));
    return object && factsOf(object);
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    const all = typeof keys === "string" ? [keys] : keys;
    for (let from = 0; from < all.length; from += PAGE_OBJECTS) {
      await asking(this.#bucket.delete(all.slice(from, from + PAGE_OBJECTS)));
    }
  }

  async list(
    folder: string,
    { recursive = false, cursor, limit = PAGE_OBJECTS }: ListOptions = {},
  ): Promise<ListPage> {
    const page = await asking(
      this.#bucket.list({
        prefix: folderPrefix(folder),
        limit,
        cursor,
        ...(recursive ? {} : { delimiter: "/" }),
      }),
    );
    return {
      objects: page.objects.filter(({ key }) => !key.endsWith("/")).map(factsOf),
      folders: page.delimitedPrefixes.map((prefix) => prefix.slice(0, -1)),
      cursor: page.truncated ? page.cursor : null,
    };
  }

  async createFolder(folder: string): Promise<void> {
    const prefix = folderPrefix(folder);
    if (prefix !== "") await asking(this.#bucket.put(prefix, ""));
  }

  usage(folder: string): Promise<Usage> {
    return countObjects(this, folder);
  }

  /** The binding does not tell. */
  async quota(): Promise<null> {
    return null;
  }

  /** The binding knows no public address: the edge serves the files itself under /media. */
  publicUrl(): null {
    return null;
  }

  /** The binding cannot sign; R2's S3 endpoint can, with keys of its own. */
  async presignedUrl(): Promise<null> {
    return null;
  }

  async presignedUpload(): Promise<null> {
    return null;
  }
}

/** @see https://developers.cloudflare.com/r2/objects/multipart-objects/ */
class R2Parts implements PartUploads {
  readonly minBytes = 5 * 2 ** 20;
  readonly maxParts = 10_000;
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async start(key: string, contentType: string): Promise<string> {
    const options = { httpMetadata: { contentType } };
    return (await asking(this.#bucket.createMultipartUpload(checkKey(key), options))).uploadId;
  }

  async put(key: string, uploadId: string, number: number, body: Body, length: number): Promise<string> {
    const upload = this.#bucket.resumeMultipartUpload(checkKey(key), uploadId);
    return (await sending(body, length, (known) => upload.uploadPart(number, known))).etag;
  }

  async presign(): Promise<null> {
    return null;
  }

  /** The binding does not tell. */
  async list(): Promise<null> {
    return null;
  }

  async complete(key: string, uploadId: string, parts: readonly PartName[]): Promise<void> {
    const uploaded = parts.map(({ number, etag }) => ({ partNumber: number, etag }));
    uploaded.sort((a, b) => a.partNumber - b.partNumber);
    await asking(this.#bucket.resumeMultipartUpload(checkKey(key), uploadId).complete(uploaded));
  }

  async abort(key: string, uploadId: string): Promise<void> {
    try {
      await asking(this.#bucket.resumeMultipartUpload(checkKey(key), uploadId).abort());
    } catch (error) {
      if (!(error instanceof StorageError && error.code === "not_found")) throw error;
    }
  }
}

/** Hands R2 a body of known length: it takes no other streams, and stores what came once that many bytes did. */
async function sending<T>(
  body: Body,
  length: number,
  send: (body: Uint8Array<ArrayBuffer> | ReadableStream) => Promise<T>,
): Promise<T> {
  if (body instanceof Uint8Array) {
    if (body.length !== length) throw new RangeError(`Expected ${length} bytes, got ${body.length}.`);
    return asking(send(body));
  }
  const { readable, writable } = new FixedLengthStream(length);
  const answered = new AbortController();
  let pumping = true;
  const pumped = pump(body, writable, length, { signal: answered.signal }).finally(() => {
    pumping = false;
  });
  pumped.catch(() => {});
  try {
    return await asking(send(readable));
  } catch (error) {
    // When the body broke, what R2 says of it is only the consequence.
    if (!pumping) await pumped;
    throw error;
  } finally {
    // An answer before the end is a refusal, which leaves the rest unread.
    answered.abort();
  }
}

/** R2's errors end with a number: https://developers.cloudflare.com/r2/api/error-codes/ */
const MEANINGS: Readonly<Record<string, readonly [StorageErrorCode, string]>> = {
  "10024": ["not_found", "This upload in parts is finished or was never begun."],
  "10011": ["conflict", "A part other than the last is too small."],
  "10025": ["conflict", "A part is missing, or is another one."],
  "10048": ["conflict", "The parts do not fit together."],
};

async function asking<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const providerMessage = error instanceof Error ? error.message : String(error);
    const number = /\((\d{5})\)$/.exec(providerMessage)?.[1] ?? "";
    const [code, sentence] = MEANINGS[number] ?? ["unavailable", "R2 could not do it."];
    throw new StorageError(code, sentence, { providerMessage, cause: error });
  }
}

function isWhole(object: R2Object | R2ObjectBody): object is R2ObjectBody {
  return "body" in object;
}

function replaced(key: string): StorageError {
  return new StorageError("conflict", `The file "${key}" is another one now.`);
}

function factsOf({ key, size, etag, uploaded }: R2Object): StoredObject {
  return { key, size, etag, modifiedAt: uploaded.getTime() };
}
