/**
 * A storage for files. Every backend implements this interface and passes one contract suite
 * (test/worker/storage/contract.ts).
 *
 * Keys are relative to the storage's root, with `/` between folders (`companies/first/videos/a.mp4`): at most
 * `MAX_KEY_BYTES` of UTF-8, without control characters and without parts that are empty, `.` or `..`. Any other key
 * rejects with a RangeError (`checkKey`). What the backend refuses or fails to do rejects with a `StorageError`.
 */
export interface StorageProvider {
  /**
   * Stores an object, with the folders of its key, and replaces an object of the same key as a whole. A stream that
   * does not have exactly `length` bytes, or breaks, rejects (with the stream's own error, if it has one) and nothing
   * is stored: readers see the old object or the new one, never a part.
   */
  upload(key: string, body: Body, options: UploadOptions): Promise<void>;

  /**
   * Opens an object; null when it does not exist. With a range, only those bytes are fetched. Rejects with
   * `UnsatisfiableRange` when no byte of the range exists. The caller must read or cancel the body.
   */
  download(key: string, options?: DownloadOptions): Promise<Download | null>;

  /** Returns an object's size, etag and time without its bytes; null when it does not exist. */
  head(key: string): Promise<StoredObject | null>;

  /** Deletes objects. A key without an object is not an error. */
  delete(keys: string | readonly string[]): Promise<void>;

  /**
   * Lists `folder` ("" is the root; a slash at the end makes no difference) in key order. Recursive: all objects
   * below it and no folders. Otherwise: the objects and folders directly in it. A page has at most `limit` entries
   * (1 to 1000, default 1000) and may have fewer; the last page has the cursor null. A folder that does not exist
   * lists as empty.
   */
  list(folder: string, options?: ListOptions): Promise<ListPage>;

  /** Creates an empty folder, so that listings show it. One that exists is not an error. Uploads need no folder. */
  createFolder(folder: string): Promise<void>;

  /**
   * Deletes a folder (not the root) and everything in it, empty folders included. A folder that does not exist is not an
   * error.
   */
  deleteTree(folder: string): Promise<void>;

  /** Counts the objects below `folder`, and their bytes. */
  usage(folder: string): Promise<Usage>;

  /** Whether `usage` takes a request for every few objects, which is too much for thousands. */
  readonly countsSlowly?: boolean;

  /** Returns the space of the whole backend; null when it does not report it. */
  quota(): Promise<Quota | null>;

  /**
   * Returns an address at which anyone can read an object for `seconds`; null when the backend cannot presign. The
   * response has the content type and file name of `options`, where the backend supports that.
   */
  presignedUrl(key: string, seconds: number, options?: PresignOptions): Promise<string | null>;

  /**
   * Returns an address that accepts the object for `seconds` by one PUT with exactly this `Content-Length` and
   * `Content-Type`; null when the backend cannot presign.
   */
  presignedUpload(key: string, seconds: number, options: PresignedUploadOptions): Promise<string | null>;

  /**
   * Allows the pages of an origin to send the parts of uploads straight to the backend (CORS), beside what it allows
   * already. Absent where the backend has no such rules.
   *
   * @returns false when they were allowed before
   */
  allowUploadsFrom?(origin: string): Promise<boolean>;

  /** Null where the backend has no multipart uploads. */
  readonly multipart: MultipartUploads | null;

  /** Absent where the backend cannot read files from addresses. */
  readonly fetching?: FetchedUploads;
}

/** Uploads of objects that the backend reads from an address by itself, however long that takes. */
export interface FetchedUploads {
  /** Starts an upload. Returns its id. */
  start(key: string, url: string): Promise<string>;

  /** Returns how far an upload is. When it is complete, the object has appeared, and has replaced one of the same key. */
  finish(key: string, uploadId: string): Promise<"running" | "complete" | "failed">;

  /** Deletes what was read. An unknown upload is not an error. */
  abort(uploadId: string): Promise<void>;
}

/**
 * Uploads of one object in parts, which may take any time and come from any place. The object appears only when the
 * upload is completed. All parts but the last have one size, of at least `minBytes`; a part that is put again
 * replaces the former. An upload that the backend does not know (any more) rejects with `not_found`.
 */
export interface MultipartUploads {
  /** Smallest size of a part that is not the last. */
  readonly minBytes: number;
  readonly maxParts: number;

  /** Starts an upload. Returns its id. */
  start(key: string, contentType: string): Promise<string>;

  /** Stores a part of exactly `length` bytes; a stream of another length rejects, and nothing is stored. Returns its etag. */
  put(part: PartTarget, body: Body, length: number): Promise<string>;

  /**
   * Returns an address that accepts the part by PUT with exactly this `Content-Length` for `seconds`, and responds with
   * its etag; null if unsupported.
   */
  presign(part: PartTarget, seconds: number, length: number): Promise<string | null>;

  /** Lists the stored parts in order; null where the backend cannot list them. */
  list(key: string, uploadId: string): Promise<readonly UploadedPart[] | null>;

  /**
   * Assembles the object from its parts, given in any order, and replaces an object of the same key. Rejects with
   * `conflict` when a part is missing or has another etag; nothing changes then. When the response of a first call
   * was lost, a second one may reject with `not_found` although the object exists: call `head` to find out.
   */
  complete(key: string, uploadId: string, parts: readonly CompletedPart[]): Promise<void>;

  /** Deletes the parts. An upload that is completed or unknown is not an error. */
  abort(key: string, uploadId: string): Promise<void>;
}

/** The content of an object or part. */
export type Body = Uint8Array<ArrayBuffer> | ReadableStream;

/** Which part of which upload. */
export interface PartTarget {
  readonly key: string;
  readonly uploadId: string;
  /** From 1. */
  readonly number: number;
}

export interface CompletedPart {
  readonly number: number;
  readonly etag: string;
}

export interface UploadedPart extends CompletedPart {
  /** Bytes. */
  readonly size: number;
}

export interface UploadOptions {
  /** Exact number of bytes of the body. */
  readonly length: number;
  readonly contentType: string;
  /** Keeps an object that already exists: the upload rejects with `conflict`. */
  readonly ifAbsent?: boolean;
  /** Counts the bytes of a stream that the backend keeps, to send them again after a fault. */
  readonly kept?: KeptBytes | undefined;
}

/** Counts bytes in memory. */
export interface KeptBytes {
  /** Waits until there is room for them. */
  add(bytes: number): Promise<void>;
  release(bytes: number): void;
}

export interface DownloadOptions {
  readonly range?: ByteRange | undefined;
  /** Rejects with `conflict` when the object has another etag. */
  readonly ifMatch?: string | undefined;
}

export interface PresignOptions {
  readonly contentType?: string;
  /** Under which a browser saves the file. */
  readonly fileName?: string;
}

export interface PresignedUploadOptions {
  readonly length: number;
  readonly contentType: string;
}

export interface Usage {
  readonly objects: number;
  readonly bytes: number;
}

export interface Quota {
  readonly usedBytes: number;
  /** Null: unlimited, or not reported. */
  readonly totalBytes: number | null;
}

/** Inclusive positions, where an `end` past the object means its last byte; or the last `last` bytes. */
export type ByteRange =
  | { readonly start: number; readonly end?: number | undefined }
  | { readonly last: number };

export interface StoredObject {
  readonly key: string;
  /** Bytes of the whole object. */
  readonly size: number;
  /** Opaque and without quotes. Objects with different bytes have different etags. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

export interface Download extends StoredObject {
  readonly body: ReadableStream<Uint8Array>;
  /** The bytes of `body`, as inclusive positions; null for the whole object. */
  readonly range: { readonly start: number; readonly end: number } | null;
}

export interface ListOptions {
  readonly recursive?: boolean | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number;
}

export interface ListPage {
  readonly objects: readonly StoredObject[];
  /** Without a slash at the end. */
  readonly folders: readonly string[];
  readonly cursor: string | null;
}

/** Why an operation failed, in the same terms for all backends. */
export type StorageErrorCode =
  | "not_found"
  | "denied"
  | "quota_exceeded"
  | "unavailable"
  | "conflict"
  | "invalid_config";

export interface StorageErrorDetails {
  readonly field?: string | undefined;
  readonly providerMessage?: string | undefined;
  readonly cause?: unknown;
}

export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  /** With `invalid_config`: the setting that is wrong, by its name in the API (`endpoint`, `bucket`, …). */
  readonly field: string | undefined;
  /** The backend's own message, without secrets. */
  readonly providerMessage: string | undefined;

  /** @param sentence our own description; the error's message appends the backend's */
  constructor(code: StorageErrorCode, sentence: string, details: StorageErrorDetails = {}) {
    const { field, providerMessage, cause } = details;
    super(
      providerMessage ? `${sentence} The storage says: ${providerMessage.replace(/[.\s]+$/, "")}.` : sentence,
      { cause },
    );
    this.code = code;
    this.field = field;
    this.providerMessage = providerMessage;
  }
}

/** No byte of the range exists. */
export class UnsatisfiableRange extends Error {
  override readonly name = "UnsatisfiableRange";
  /** Bytes of the object. */
  readonly size: number;

  constructor(size: number) {
    super(`The range is outside the object, which has ${size} bytes.`);
    this.size = size;
  }
}

/** The lowest limit of all backends (1024), less the longest prefix of a connection. */
const MAX_KEY_BYTES = 900;

/** Returns the key. @throws RangeError when not every backend could store it */
export function checkKey(key: string): string {
  const bytes = new TextEncoder().encode(key).length;
  if (bytes > MAX_KEY_BYTES)
    throw new RangeError(`A key has ${bytes} bytes; expected at most ${MAX_KEY_BYTES}.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this finds control characters
  if (!key.isWellFormed() || /[\u0000-\u001f\u007f]/.test(key)) {
    throw new RangeError(
      `The key ${JSON.stringify(key)} has control characters or is not well-formed Unicode.`,
    );
  }
  if (key.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new RangeError(`The key ${JSON.stringify(key)} has a part that is empty, "." or "..".`);
  }
  return key;
}

/** Returns the prefix of all keys in `folder`: "" for the root, else the folder and one slash. */
export function folderPrefix(folder: string): string {
  const name = folder.endsWith("/") ? folder.slice(0, -1) : folder;
  return name === "" ? "" : `${checkKey(name)}/`;
}

/** Throws a RangeError when bytes have another length than announced. Streams are checked while they are sent. */
export function checkLength(body: Body, length: number): void {
  if (body instanceof Uint8Array && body.length !== length) {
    throw new RangeError(`Expected ${length} bytes, got ${body.length}.`);
  }
}

/** Returns the positions of a range in an object of `size` bytes. @throws UnsatisfiableRange */
export function resolveRange(range: ByteRange, size: number): { start: number; end: number } {
  const start = "last" in range ? Math.max(0, size - range.last) : range.start;
  const end = "last" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1);
  if (start > end) throw new UnsatisfiableRange(size);
  return { start, end };
}

/** Most pages of a listing, of up to 1,000 objects each. The server of a company may send pages without end. */
const MAX_PAGES = 1000;

/**
 * Yields the objects of a listing, page by page.
 *
 * @throws StorageError `unavailable` for a listing of more than `MAX_PAGES`
 */
export async function* listObjects(
  storage: Pick<StorageProvider, "list">,
  folder: string,
  { recursive }: Pick<ListOptions, "recursive">,
): AsyncGenerator<StoredObject> {
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await storage.list(folder, { recursive, cursor });
    yield* page.objects;
    if (page.cursor === null) return;
    cursor = page.cursor;
  }
  throw new StorageError("unavailable", `The storage lists more than ${MAX_PAGES} pages of files.`);
}

/** Counts objects and bytes by listing them, for backends that have no count. */
export async function countObjects(storage: Pick<StorageProvider, "list">, folder: string): Promise<Usage> {
  let objects = 0;
  let bytes = 0;
  for await (const { size } of listObjects(storage, folder, { recursive: true })) {
    objects++;
    bytes += size;
  }
  return { objects, bytes };
}

export function alreadyExists(key: string): StorageError {
  return new StorageError("conflict", `The file "${key}" already exists.`);
}

export function hasChanged(key: string): StorageError {
  return new StorageError("conflict", `The file "${key}" was replaced.`);
}

export function unknownUpload(providerMessage?: string): StorageError {
  const sentence =
    "The storage does not know this multipart upload: it was completed or aborted, or has expired.";
  return new StorageError("not_found", sentence, { providerMessage });
}
