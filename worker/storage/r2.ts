import {
  alreadyExists,
  type Body,
  type CompletedPart,
  checkKey,
  checkLength,
  countObjects,
  type Download,
  type DownloadOptions,
  folderPrefix,
  hasChanged,
  type ListOptions,
  type ListPage,
  type MultipartUploads,
  type PartTarget,
  resolveRange,
  StorageError,
  type StorageProvider,
  type StoredObject,
  type UploadOptions,
  type Usage,
  unknownUpload,
} from "./provider.ts";
import { pump } from "./pump.ts";

const PAGE_OBJECTS = 1000;

/**
 * Cloudflare R2 through its Workers binding; `wrangler dev` keeps it on the local disk. R2 has no folders: a folder
 * exists while a key has it as a prefix. `createFolder` stores an empty object whose key is the folder with a slash at
 * the end; listings show that as a folder only.
 */
export class R2Storage implements StorageProvider {
  readonly #bucket: R2Bucket;
  readonly multipart: MultipartUploads;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
    this.multipart = new R2MultipartUploads(bucket);
  }

  async upload(
    key: string,
    body: Body,
    { length, contentType, ifAbsent = false }: UploadOptions,
  ): Promise<void> {
    checkKey(key);
    const options: R2PutOptions = { httpMetadata: { contentType } };
    if (ifAbsent) options.onlyIf = new Headers({ "If-None-Match": "*" });
    const stored = await send(body, length, (known) => this.#bucket.put(key, known, options));
    if (stored === null) throw alreadyExists(key);
  }

  async download(key: string, { range, ifMatch }: DownloadOptions = {}): Promise<Download | null> {
    checkKey(key);
    if (range === undefined) {
      const object = await asking(this.#bucket.get(key, { onlyIf: { etagMatches: ifMatch } }));
      if (object && !hasBody(object)) throw hasChanged(key);
      return object && { ...toStoredObject(object), body: object.body, range: null };
    }
    for (;;) {
      const current = await this.head(key);
      if (!current) return null;
      const { size, etag } = current;
      if (ifMatch !== undefined && ifMatch !== etag) throw hasChanged(key);
      const { start, end } = resolveRange(range, size);
      const part = { offset: start, length: end - start + 1 };
      const object = await asking(this.#bucket.get(key, { range: part, onlyIf: { etagMatches: etag } }));
      if (!object) return null;
      // Without a body the object was replaced since `head`, and the range has to be resolved again.
      if (hasBody(object)) return { ...toStoredObject(object), body: object.body, range: { start, end } };
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    const object = await asking(this.#bucket.head(checkKey(key)));
    return object && toStoredObject(object);
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    const all = typeof keys === "string" ? [keys] : keys;
    for (let from = 0; from < all.length; from += PAGE_OBJECTS) {
      await asking(this.#bucket.delete(all.slice(from, from + PAGE_OBJECTS)));
    }
  }

  async list(folder: string, options: ListOptions = {}): Promise<ListPage> {
    const page = await this.#page(folder, options);
    return { ...page, objects: page.objects.filter(({ key }) => !key.endsWith("/")) };
  }

  async deleteTree(folder: string): Promise<void> {
    if (folderPrefix(folder) === "") throw new RangeError("The root cannot be deleted.");
    let page: ListPage;
    do {
      // Always the first page: the objects of the page before are deleted.
      page = await this.#page(folder, { recursive: true });
      await this.delete(page.objects.map(({ key }) => key));
    } while (page.cursor !== null);
  }

  /** Lists a folder with the empty objects that stand for folders. */
  async #page(
    folder: string,
    { recursive = false, cursor, limit = PAGE_OBJECTS }: ListOptions,
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
      objects: page.objects.map(toStoredObject),
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

  /** The binding does not report it. */
  async quota(): Promise<null> {
    return null;
  }

  /** The binding cannot presign. R2's S3 endpoint can, with an access key. */
  async presignedUrl(): Promise<null> {
    return null;
  }

  async presignedUpload(): Promise<null> {
    return null;
  }
}

/** @see https://developers.cloudflare.com/r2/objects/multipart-objects/ */
class R2MultipartUploads implements MultipartUploads {
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

  async put({ key, uploadId, number }: PartTarget, body: Body, length: number): Promise<string> {
    const upload = this.#bucket.resumeMultipartUpload(checkKey(key), uploadId);
    return (await send(body, length, (known) => upload.uploadPart(number, known))).etag;
  }

  async presign(): Promise<null> {
    return null;
  }

  /** The binding cannot list parts. */
  async list(): Promise<null> {
    return null;
  }

  async complete(key: string, uploadId: string, parts: readonly CompletedPart[]): Promise<void> {
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

/** Sends a body to R2, which accepts a stream only if its length is fixed. */
async function send<T>(body: Body, length: number, put: (body: Body) => Promise<T>): Promise<T> {
  checkLength(body, length);
  if (body instanceof Uint8Array) return asking(put(body));
  const { readable, writable } = new FixedLengthStream(length);
  const answered = new AbortController();
  let pumping = true;
  const pumped = pump(body, writable, length, { signal: answered.signal }).finally(() => {
    pumping = false;
  });
  pumped.catch(() => {});
  try {
    return await asking(put(readable));
  } catch (error) {
    // If the body broke, that is the cause, and R2's error only follows from it.
    if (!pumping) await pumped;
    throw error;
  } finally {
    // A response before the end is a refusal: the rest of the body is not read.
    answered.abort();
  }
}

/** R2's errors end with a number: https://developers.cloudflare.com/r2/api/error-codes/ */
const NO_SUCH_UPLOAD = "10024";
const CONFLICTS: Readonly<Record<string, string>> = {
  "10011": "A part other than the last is too small.",
  "10025": "A part is missing or has a different ETag.",
  "10048": "All parts except the last must have the same size.",
};

/** Awaits a call of the binding. @throws StorageError for its error */
async function asking<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const providerMessage = error instanceof Error ? error.message : String(error);
    const number = /\((\d{5})\)$/.exec(providerMessage)?.[1] ?? "";
    if (number === NO_SUCH_UPLOAD) throw unknownUpload(providerMessage);
    const conflict = CONFLICTS[number];
    const details = { providerMessage, cause: error };
    if (conflict) throw new StorageError("conflict", conflict, details);
    throw new StorageError("unavailable", "R2 failed.", details);
  }
}

/** R2 returns no body when the object's etag does not match. */
function hasBody(object: R2Object | R2ObjectBody): object is R2ObjectBody {
  return "body" in object;
}

function toStoredObject({ key, size, etag, uploaded }: R2Object): StoredObject {
  return { key, size, etag, modifiedAt: uploaded.getTime() };
}
