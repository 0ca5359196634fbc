/**
 * Where files live. One interface for every backend, one contract suite (test/worker/storage/contract.ts).
 *
 * Keys are relative to the storage's root, with `/` between folders (`companies/first/videos/a.mp4`): at most
 * `MAX_KEY_BYTES` of UTF-8, no part of them empty, `.` or `..`, no control characters. Another key rejects
 * with a RangeError (`checkKey`); what the backend refuses or fails to do rejects with a `StorageError`.
 */
export interface StorageProvider {
  /**
   * Stores an object; one of the same key is replaced as a whole, folders on the way come by themselves.
   * A stream that ends before `length` bytes, brings more or breaks rejects (with the stream's own error, if it
   * has one) and stores nothing: readers see the old object or the new one, never a part.
   */
  upload(key: string, body: Uint8Array<ArrayBuffer> | ReadableStream, options: UploadOptions): Promise<void>;

  /**
   * Opens an object; null when there is none. With a range, only those bytes are fetched.
   * Rejects with `UnsatisfiableRange` when no byte of the range exists. The body must be read or cancelled.
   */
  download(key: string, options?: DownloadOptions): Promise<Download | null>;

  /** Facts about an object without its bytes; null when there is none. */
  head(key: string): Promise<StoredObject | null>;

  /** Removes objects; a key that names none is no error. */
  delete(keys: string | readonly string[]): Promise<void>;

  /**
   * Lists what is in `folder` ("" is the root; one slash at its end makes no difference), in key order.
   * Recursive: every object below it and no folders. Otherwise: its own objects and the folders in it.
   * A page holds at most `limit` entries (1 to 1000, default 1000), maybe fewer; it is the last when
   * `cursor` is null. A folder that does not exist lists as an empty one.
   */
  list(folder: string, options?: ListOptions): Promise<ListPage>;

  /** Makes an empty folder appear in listings; no error when it exists. Uploading does not need it. */
  createFolder(folder: string): Promise<void>;

  /**
   * Removes a folder (not the root) with everything in it, where the backend can do that at once; one that does
   * not exist is no error. `deleteFolder` does it with any backend.
   */
  deleteTree?(folder: string): Promise<void>;

  /** Objects below `folder` and their bytes. */
  usage(folder: string): Promise<Usage>;

  /** What the backend says of its space as a whole; null when it says nothing. */
  quota(): Promise<Quota | null>;

  /** The permanent public address of an object (which may not exist); null when the backend has none. */
  publicUrl(key: string): string | null;

  /**
   * An address that lets anyone read an object for `seconds`; null when the backend has none. The answer
   * there carries the type and the name of `options`, where the backend can do that.
   */
  presignedUrl(key: string, seconds: number, options?: PresignOptions): Promise<string | null>;

  /**
   * An address that takes the object for `seconds` by one PUT with exactly this `Content-Length` and
   * `Content-Type`; null when the backend has none.
   */
  presignedUpload(key: string, seconds: number, options: PresignedUploadOptions): Promise<string | null>;

  /** Uploads in parts; null where the backend has none. */
  readonly parts: PartUploads | null;
}

/**
 * An object that comes in parts, over any time and from any place: nothing of it is seen before `complete`.
 * Every part but the last has the same size, of at least `minBytes`; a part that is put again is replaced.
 * An upload that the backend does not know, or knows no more, rejects with `not_found`.
 */
export interface PartUploads {
  /** Of every part but the last. */
  readonly minBytes: number;
  readonly maxParts: number;

  /** @returns the upload's id */
  start(key: string, contentType: string): Promise<string>;

  /**
   * Stores a part; a stream that brings other than `length` bytes rejects and stores nothing.
   *
   * @param number from 1
   * @returns the part's etag
   */
  put(
    key: string,
    uploadId: string,
    number: number,
    body: Uint8Array<ArrayBuffer> | ReadableStream,
    length: number,
  ): Promise<string>;

  /** An address that takes the part for `seconds` by PUT, whose answer has the etag; null when there is none. */
  presign(key: string, uploadId: string, number: number, seconds: number): Promise<string | null>;

  /** The parts that are there, in order; null where the backend does not tell. */
  list(key: string, uploadId: string): Promise<readonly UploadedPart[] | null>;

  /**
   * Makes the object of the parts, given in any order, and replaces one of the same key. A part that is missing
   * or of another etag rejects with `conflict`, and nothing changes. After an answer that was lost, a second
   * call may reject with `not_found` though the object is there: ask `head`.
   */
  complete(key: string, uploadId: string, parts: readonly PartName[]): Promise<void>;

  /** Forgets the parts. An upload that is finished or unknown is no error. */
  abort(key: string, uploadId: string): Promise<void>;
}

export interface PartName {
  readonly number: number;
  readonly etag: string;
}

export interface UploadedPart extends PartName {
  /** Bytes. */
  readonly size: number;
}

export interface UploadOptions {
  /** Exact number of bytes that the body brings. */
  readonly length: number;
  readonly contentType: string;
  /** An object that is there already stays as it is, and the upload rejects with `conflict`. */
  readonly ifAbsent?: boolean;
}

export interface DownloadOptions {
  readonly range?: ByteRange | undefined;
  /** An object of another etag rejects with `conflict`. */
  readonly ifMatch?: string | undefined;
}

export interface PresignOptions {
  readonly contentType?: string;
  /** What a browser calls the file when it saves it. */
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
  /** Null: without a limit, or the backend does not say. */
  readonly totalBytes: number | null;
}

/** Inclusive positions, an `end` past the object means its last byte; or the last `last` bytes. */
export type ByteRange =
  | { readonly start: number; readonly end?: number | undefined }
  | { readonly last: number };

export interface StoredObject {
  readonly key: string;
  /** Bytes of the whole object. */
  readonly size: number;
  /** Opaque; differs when the bytes differ. Without quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

export interface Download extends StoredObject {
  readonly body: ReadableStream<Uint8Array>;
  /** The bytes that `body` brings, inclusive; null for the whole object. */
  readonly range: { readonly start: number; readonly end: number } | null;
}

export interface ListOptions {
  readonly recursive?: boolean;
  readonly cursor?: string | undefined;
  readonly limit?: number;
}

export interface ListPage {
  readonly objects: readonly StoredObject[];
  /** Without a slash at the end. */
  readonly folders: readonly string[];
  readonly cursor: string | null;
}

/** What a backend refuses or fails to do, in words that all backends share. */
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
  /** With `invalid_config`: which setting is wrong, by its name on the wire (`endpoint`, `bucket`, …). */
  readonly field: string | undefined;
  /** The backend's own words. Never a secret. */
  readonly providerMessage: string | undefined;

  /** @param sentence ours; the error's message is this one and the provider's words */
  constructor(code: StorageErrorCode, sentence: string, details: StorageErrorDetails = {}) {
    const { field, providerMessage, cause } = details;
    super(providerMessage ? `${sentence} The storage says: ${providerMessage}` : sentence, { cause });
    this.code = code;
    this.field = field;
    this.providerMessage = providerMessage;
  }
}

/** The range lies outside of the object. */
export class UnsatisfiableRange extends Error {
  override readonly name = "UnsatisfiableRange";
  /** Bytes of the object. */
  readonly size: number;

  constructor(size: number) {
    super(`The range lies outside of an object of ${size} bytes.`);
    this.size = size;
  }
}

/** The shortest limit of the backends, less what a connection's prefix may take. */
export const MAX_KEY_BYTES = 900;

/** @returns the key, if every backend can hold it; throws a RangeError otherwise */
export function checkKey(key: string): string {
  const bytes = new TextEncoder().encode(key).length;
  if (bytes > MAX_KEY_BYTES)
    throw new RangeError(`A key has ${bytes} bytes; expected at most ${MAX_KEY_BYTES}.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!key.isWellFormed() || /[\u0000-\u001f\u007f]/.test(key)) {
    throw new RangeError(`The key ${JSON.stringify(key)} has characters that are no text.`);
  }
  if (key.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new RangeError(`The key ${JSON.stringify(key)} has a part that is empty, "." or "..".`);
  }
  return key;
}

/** What the key of every object in `folder` begins with: "" for the root, else the folder and one slash. */
export function folderPrefix(folder: string): string {
  const name = folder.endsWith("/") ? folder.slice(0, -1) : folder;
  return name === "" ? "" : `${checkKey(name)}/`;
}

/** Usage by walking every page of the listing, for backends that do not count. */
export async function countObjects(storage: Pick<StorageProvider, "list">, folder: string): Promise<Usage> {
  let objects = 0;
  let bytes = 0;
  let cursor: string | undefined;
  do {
    const page = await storage.list(folder, { recursive: true, cursor });
    objects += page.objects.length;
    for (const { size } of page.objects) bytes += size;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return { objects, bytes };
}

/** Removes every object below `folder`. */
export async function deleteFolder(storage: StorageProvider, folder: string): Promise<void> {
  if (storage.deleteTree && folderPrefix(folder) !== "") return storage.deleteTree(folder);
  let page: ListPage;
  do {
    // Always the first page: what was listed is gone by the next turn.
    page = await storage.list(folder, { recursive: true });
    await storage.delete(page.objects.map(({ key }) => key));
  } while (page.cursor !== null);
}
