/**
 * Where files live. One interface for every backend, one contract suite (test/worker/storage-contract.ts).
 *
 * Keys are relative to the storage's root, with `/` between folders and none at either end
 * (`companies/first/videos/a.mp4`). Any other trouble than the ones named here (network, rights, quota)
 * rejects with the backend's error.
 */
export interface StorageProvider {
  /** Writes, reads and removes a small probe. Rejects, saying why, when one of them fails. */
  testConnection(): Promise<void>;

  /**
   * Stores an object; one of the same key is replaced as a whole, folders on the way come by themselves.
   * A stream that ends before `length` bytes, brings more or breaks rejects and stores nothing: readers see
   * the old object or the new one, never a part.
   */
  upload(key: string, body: Uint8Array<ArrayBuffer> | ReadableStream, options: UploadOptions): Promise<void>;

  /**
   * Opens an object; null when there is none. With a range, only those bytes are fetched.
   * Rejects with `UnsatisfiableRange` when no byte of the range exists. The body must be read or cancelled.
   */
  download(key: string, range?: ByteRange): Promise<Download | null>;

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

  /** Objects below `folder` and their bytes, by walking every page of the listing. */
  usage(folder: string): Promise<{ objects: number; bytes: number }>;

  /** The permanent public address of an object (which may not exist); null when the backend has none. */
  publicUrl(key: string): string | null;

  /** An address that lets anyone read an object for `seconds`; null when the backend has none. */
  presignedUrl(key: string, seconds: number): Promise<string | null>;
}

export interface UploadOptions {
  /** Exact number of bytes that the body brings. */
  readonly length: number;
  readonly contentType: string;
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

/** Removes every object below `folder`. */
export async function deleteFolder(storage: StorageProvider, folder: string): Promise<void> {
  let page: ListPage;
  do {
    // Always the first page: what was listed is gone by the next turn.
    page = await storage.list(folder, { recursive: true });
    await storage.delete(page.objects.map(({ key }) => key));
  } while (page.cursor !== null);
}
