import type { Answer, StorageHttp } from "./http.ts";
import {
  alreadyExists,
  type Body,
  checkKey,
  checkLength,
  type Download,
  type DownloadOptions,
  type FetchedUploads,
  folderPrefix,
  hasChanged,
  type ListOptions,
  type ListPage,
  type Quota,
  resolveRange,
  StorageError,
  type StorageProvider,
  type StoredObject,
  type UploadOptions,
  type Usage,
} from "./provider.ts";
import {
  type ApiBody,
  bodyOf,
  errorOf,
  hrefOf,
  isFolderMissing,
  operationFailed,
  type TokenSource,
  YandexDiskApi,
} from "./yandex-disk-api.ts";

/** Folder in the root for uploads that are not complete. Listings do not show it. */
const UPLOADS_FOLDER = ".vivimark-uploads";

/** Entries per request. Yandex documents no maximum; folders with thousands of entries are known to time out. */
const PAGE_ENTRIES = 1000;

/** Connections that a Worker may have open at a time. Yandex's own limit is 40 requests a second. */
const MAX_CONNECTIONS = 6;

/** From this many keys in a folder, listing it is cheaper than one request per key. */
const MANY_KEYS = 10;

/** Attempts of an upload from memory, and of the move that ends every upload. */
const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 500;

/** Yandex reads an upload again before it responds, which takes long for large files. */
const UPLOADER_SILENCE_SECONDS = 120;

/** From the download link to the host that has the file. */
const MAX_REDIRECTS = 3;

export interface YandexDiskSettings {
  readonly token: string | TokenSource;
  /** The folder of the storage: `app:/…` (in the application's own folder) or `disk:/…`. */
  readonly root: string;
  /** Replaces Yandex's API in tests. */
  readonly apiUrl?: string | undefined;
}

type Entry = { readonly object: StoredObject } | { readonly folder: string };

/**
 * Yandex Disk through its REST API, as documented at yandex.com/dev/disk-api and, where that is silent, as authors of
 * other clients report. Only the API's host receives the token: files are sent and received by links to other hosts,
 * which include their own permission.
 *
 * It differs from the other storages:
 * - An upload goes to a temporary path and is moved when it is complete, so the old object stays whole until then. A
 *   Worker that is killed before leaves the temporary file, which listings do not show.
 * - Folders are real: they remain when their last object is deleted, and a name cannot be both an object and a folder.
 *   An upload to the name of a folder rejects with `conflict`; deleting an object never deletes a folder.
 * - The order of Yandex's listings is not documented, so whole folders are listed and sorted here: each page of a
 *   folder with n objects costs n / 1000 requests.
 * - The content type is not stored; Yandex derives it from name and content.
 */
export class YandexDiskStorage implements StorageProvider {
  readonly multipart = null;
  readonly fetching: FetchedUploads = {
    start: (_, url) => this.#startFetching(url),
    finish: (key, uploadId) => this.#finishFetching(key, uploadId),
    abort: (uploadId) => this.#remove(this.#temporary(uploadId.split(" ")[0])),
  };
  /** Every folder is listed, and every photo has several. */
  readonly countsSlowly = true;
  /** `app:` or `disk:`, followed by the folder, if any, without a slash at the end. */
  readonly #root: string;
  readonly #api: YandexDiskApi;
  readonly #http: StorageHttp;

  /** @throws StorageError `invalid_config` for an invalid root or an empty token */
  constructor({ token, root, apiUrl }: YandexDiskSettings, http: StorageHttp) {
    this.#root = rootOf(root);
    this.#api = new YandexDiskApi(token, http, apiUrl);
    this.#http = http;
  }

  async upload(key: string, body: Body, { length, ifAbsent = false }: UploadOptions): Promise<void> {
    const target = this.#path(checkKey(key));
    const temporary = this.#temporary(crypto.randomUUID());
    try {
      checkLength(body, length);
      const existing = await this.#find(target);
      if (existing?.type === "dir") throw new StorageError("conflict", `"${key}" is the name of a folder.`);
      if (existing && ifAbsent) throw alreadyExists(key);
    } catch (error) {
      if (!(body instanceof Uint8Array)) await body.cancel(error).catch(() => {});
      throw error;
    }
    try {
      await this.#send(temporary, body, length);
      await this.#moveUpload({ temporary, target, key, overwrite: !ifAbsent });
    } catch (error) {
      await this.#remove(temporary).catch(() => {});
      throw error;
    }
  }

  async download(key: string, { range, ifMatch }: DownloadOptions = {}): Promise<Download | null> {
    const path = this.#path(checkKey(key));
    for (let attempt = 1; ; attempt++) {
      const found = await this.#findFile(path, "file");
      if (!found) return null;
      const object = toStoredObject(key, found);
      if (ifMatch !== undefined && ifMatch !== object.etag) throw hasChanged(key);
      const bounds = range ? resolveRange(range, object.size) : null;
      const link = found.file ?? (await this.#downloadLink(path));
      const answer = await this.#http.open({
        method: "GET",
        url: hrefOf(link),
        headers: bounds ? { Range: `bytes=${bounds.start}-${bounds.end}` } : {},
        maxRedirects: MAX_REDIRECTS,
      });
      if (answer.status === 200 || answer.status === 206) {
        return { ...object, body: bytesWithin(answer, bounds), range: bounds };
      }
      await answer.body?.cancel();
      // The link has expired, or the file was deleted: the next attempt finds out.
      if (attempt === ATTEMPTS || answer.status >= 500) throw transferError(answer.status);
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    const found = await this.#findFile(this.#path(checkKey(key)));
    return found && toStoredObject(key, found);
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    const files = await this.#filesOf((typeof keys === "string" ? [keys] : keys).map(checkKey));
    await forEachInParallel(files, (key) => this.#remove(this.#path(key)));
  }

  async list(
    folder: string,
    { recursive = false, cursor = "", limit = PAGE_ENTRIES }: ListOptions = {},
  ): Promise<ListPage> {
    const objects: StoredObject[] = [];
    const folders: string[] = [];
    let last: string | null = null;
    for await (const entry of this.#walk(folderPrefix(folder), recursive, cursor)) {
      if (objects.length + folders.length === limit) return { objects, folders, cursor: last };
      last = positionOf(entry);
      if ("object" in entry) objects.push(entry.object);
      else folders.push(entry.folder);
    }
    return { objects, folders, cursor: null };
  }

  async createFolder(folder: string): Promise<void> {
    await this.#makeFolder(this.#path(folderPrefix(folder).slice(0, -1)));
  }

  async deleteTree(folder: string): Promise<void> {
    const path = this.#path(folderPrefix(folder).slice(0, -1));
    if ((await this.#find(path))?.type === "dir") await this.#remove(path);
  }

  async usage(folder: string): Promise<Usage> {
    let objects = 0;
    let bytes = 0;
    for await (const entry of this.#walk(folderPrefix(folder), true, "")) {
      if (!("object" in entry)) continue;
      objects++;
      bytes += entry.object.size;
    }
    return { objects, bytes };
  }

  /** Returns the space of the whole Disk, trash included; null when the token has no right to read it. */
  async quota(): Promise<Quota | null> {
    const reply = await this.#api.ask("GET", "", { fields: "used_space,total_space" });
    if (reply.status === 403) return null;
    const { used_space: usedBytes, total_space: totalBytes } = bodyOf(reply, 200);
    return usedBytes === undefined ? null : { usedBytes, totalBytes: totalBytes ?? null };
  }

  /**
   * Returns Yandex's temporary download link. Its lifetime is Yandex's own, whatever `seconds` is: it is not
   * documented, and clients have seen five minutes as well as hours. Content type and file name cannot be set. Rejects
   * with `not_found` when the object does not exist.
   */
  async presignedUrl(key: string): Promise<string> {
    return hrefOf(await this.#downloadLink(this.#path(checkKey(key)))).href;
  }

  /** Upload links are not given out: they accept any length and type, and are not documented for browsers. */
  async presignedUpload(): Promise<null> {
    return null;
  }

  #path(key: string): string {
    return `${this.#root}/${key}`;
  }

  #temporary(name: string): string {
    return this.#path(`${UPLOADS_FOLDER}/${name}`);
  }

  /** Makes Yandex read a file from an address. Returns the temporary file's name and the id of the operation. */
  async #startFetching(url: string): Promise<string> {
    const name = crypto.randomUUID();
    const path = this.#temporary(name);
    const ask = () => this.#api.ask("POST", "/resources/upload", { path, url });
    let reply = await ask();
    if (isFolderMissing(reply)) {
      await this.#makeFolder(parentOf(path) ?? path);
      reply = await ask();
    }
    if (reply.status !== 202) throw errorOf(reply);
    return `${name} ${this.#api.operationId(reply)}`;
  }

  async #finishFetching(key: string, uploadId: string): Promise<"running" | "complete" | "failed"> {
    const [name, operation] = uploadId.split(" ");
    const status = await this.#api.operationStatus(operation);
    if (status === "in-progress") return "running";
    const temporary = this.#temporary(name);
    if (status !== "success") {
      await this.#remove(temporary);
      return "failed";
    }
    // An earlier call may have moved it, and its response may have been lost.
    if (!(await this.#find(temporary))) return (await this.head(key)) ? "complete" : "failed";
    await this.#moveUpload({ temporary, target: this.#path(checkKey(key)), key, overwrite: true });
    return "complete";
  }

  /** Returns the file or folder at a path; null when neither exists. */
  async #find(path: string, ...fields: string[]): Promise<ApiBody | null> {
    const wanted = ["type", "size", "md5", "revision", "modified", ...fields].join();
    const reply = await this.#api.ask("GET", "/resources", { path, fields: wanted, limit: "0" });
    return reply.status === 404 ? null : bodyOf(reply, 200);
  }

  async #findFile(path: string, ...fields: string[]): Promise<ApiBody | null> {
    const found = await this.#find(path, ...fields);
    return found?.type === "file" ? found : null;
  }

  /** Returns the keys that are files: deleting a folder would delete everything in it. */
  async #filesOf(keys: readonly string[]): Promise<string[]> {
    const files: string[] = [];
    const single: string[] = [];
    for (const [prefix, siblings] of Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf("/") + 1))) {
      if (siblings.length < MANY_KEYS) single.push(...siblings);
      else {
        const entries = await this.#entries(prefix);
        const existing = new Set(entries.flatMap((entry) => ("object" in entry ? entry.object.key : [])));
        files.push(...siblings.filter((key) => existing.has(key)));
      }
    }
    await forEachInParallel(single, async (key) => {
      if (await this.#findFile(this.#path(key))) files.push(key);
    });
    return files;
  }

  async #downloadLink(path: string): Promise<string | undefined> {
    return bodyOf(await this.#api.ask("GET", "/resources/download", { path }), 200).href;
  }

  /** Uploads the body to a temporary path. */
  async #send(path: string, body: Body, length: number): Promise<void> {
    if (!(body instanceof Uint8Array)) return this.#sendStream(path, body, length);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#put(await this.#uploadLink(path), body);
        return;
      } catch (error) {
        // A link can be used once, so the next attempt gets a new one.
        if (attempt === ATTEMPTS || !isUnavailable(error)) throw error;
        await this.#api.pause(PAUSE_MILLISECONDS * attempt);
      }
    }
  }

  async #sendStream(path: string, body: ReadableStream, length: number): Promise<void> {
    const link = await this.#uploadLink(path).catch(async (error) => {
      await body.cancel(error).catch(() => {});
      throw error;
    });
    let ended = false;
    const stream = body.pipeThrough(
      new TransformStream({
        flush() {
          ended = true;
        },
      }),
    );
    try {
      await this.#put(link, { stream, length });
    } catch (error) {
      // A request that failed before it read the stream has not cancelled it.
      stream.cancel(error).catch(() => {});
      // Everything was sent, but the response took too long: the operation tells whether the upload succeeded.
      if (!ended || !isUnavailable(error) || link.operation_id === undefined) throw error;
      await this.#uploaded(link.operation_id);
    }
  }

  async #put(
    link: ApiBody,
    body: Uint8Array<ArrayBuffer> | { readonly stream: ReadableStream; readonly length: number },
  ): Promise<void> {
    const { status } = await this.#http.ask({
      method: "PUT",
      url: hrefOf(link.href),
      headers: { "Content-Type": "application/octet-stream" },
      body,
      idempotent: false,
      silenceSeconds: UPLOADER_SILENCE_SECONDS,
    });
    if (status === 202 && link.operation_id !== undefined) return this.#uploaded(link.operation_id);
    if (status !== 201 && status !== 202) throw transferError(status);
  }

  async #uploaded(operationId: string): Promise<void> {
    if (!(await this.#api.finishOperation(operationId))) throw operationFailed();
  }

  async #uploadLink(path: string): Promise<ApiBody> {
    const ask = () => this.#api.ask("GET", "/resources/upload", { path, overwrite: "true" });
    let reply = await ask();
    if (isFolderMissing(reply)) {
      await this.#makeFolder(parentOf(path) ?? path);
      reply = await ask();
    }
    return bodyOf(reply, 200);
  }

  /** Moves a complete upload to its key. */
  async #moveUpload(move: {
    readonly temporary: string;
    readonly target: string;
    readonly key: string;
    readonly overwrite: boolean;
  }): Promise<void> {
    const { temporary, target, key, overwrite } = move;
    for (let attempt = 1; ; attempt++) {
      let failure: unknown;
      try {
        const reply = await this.#api.ask("POST", "/resources/move", {
          from: temporary,
          path: target,
          overwrite: String(overwrite),
        });
        if (reply.status === 201) return;
        if (isFolderMissing(reply) && attempt === 1) {
          await this.#makeFolder(parentOf(target) ?? target);
          continue;
        }
        if (reply.body.error === "DiskResourceAlreadyExistsError") throw alreadyExists(key);
        if (reply.status !== 202) throw errorOf(reply);
        if (await this.#api.finish(reply)) return;
        failure = operationFailed();
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        failure = error;
      }
      // The response was lost or does not tell the outcome. If the temporary file is gone, it was moved.
      if (!(await this.#find(temporary))) return;
      if (attempt === ATTEMPTS) throw failure;
      await this.#api.pause(PAUSE_MILLISECONDS * attempt);
    }
  }

  /** Deletes a file or folder without moving it to the trash. A path that does not exist is not an error. */
  async #remove(path: string): Promise<void> {
    const reply = await this.#api.ask("DELETE", "/resources", { path, permanently: "true" });
    if (reply.status === 204 || reply.status === 404) return;
    if (reply.status !== 202) throw errorOf(reply);
    if (!(await this.#api.finish(reply))) throw operationFailed();
  }

  /** Creates the folder itself first: usually it or its parent exists. */
  async #makeFolder(path: string): Promise<void> {
    const make = () => this.#api.ask("PUT", "/resources", { path });
    let reply = await make();
    const parent = parentOf(path);
    if (isFolderMissing(reply) && parent !== null) {
      await this.#makeFolder(parent);
      reply = await make();
    }
    if (reply.body.error !== "DiskPathPointsToExistentDirectoryError") bodyOf(reply, 201);
  }

  /** Yields all entries below `prefix` after the position `after`, in key order. Skips folders that end before it. */
  async *#walk(prefix: string, recursive: boolean, after: string): AsyncGenerator<Entry> {
    const entries = await this.#entries(prefix);
    for (const entry of entries.sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1))) {
      const position = positionOf(entry);
      if (recursive && "folder" in entry) {
        if (position > after || after.startsWith(position)) yield* this.#walk(position, true, after);
      } else if (position > after) yield entry;
    }
  }

  /** Returns the entries of a folder, unsorted. */
  async #entries(prefix: string): Promise<Entry[]> {
    const entries = new Map<string, Entry>();
    const fields = ["name", "type", "size", "md5", "revision", "modified"].map(
      (field) => `_embedded.items.${field}`,
    );
    for (let offset = 0; ; ) {
      const reply = await this.#api.ask("GET", "/resources", {
        path: prefix === "" ? this.#path("") : this.#path(prefix.slice(0, -1)),
        fields: ["_embedded.total", ...fields].join(),
        sort: "name",
        limit: String(PAGE_ENTRIES),
        offset: String(offset),
      });
      if (reply.status === 404) return [];
      const { total = 0, items = [] } = bodyOf(reply, 200)._embedded ?? {};
      for (const item of items) {
        const key = `${prefix}${item.name}`;
        if (key === UPLOADS_FOLDER) continue;
        entries.set(key, item.type === "dir" ? { folder: key } : { object: toStoredObject(key, item) });
      }
      offset += items.length;
      if (items.length === 0 || offset >= total) return [...entries.values()];
    }
  }
}

/** Calls `act` for every item, at most `MAX_CONNECTIONS` at a time. */
async function forEachInParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const work = async () => {
    for (const item of queue) await act(item);
  };
  await Promise.all(Array.from({ length: MAX_CONNECTIONS }, work));
}

/** `app:/Salon/` → `app:/Salon`, `app:/` → `app:`. */
function rootOf(root: string): string {
  const [, scheme, folder] = root.match(/^(app|disk):\/(.*)$/s) ?? [];
  const name = folder?.replace(/\/$/, "");
  try {
    if (scheme === undefined) throw new RangeError("it must begin with app:/ or disk:/.");
    return name === "" ? `${scheme}:` : `${scheme}:/${checkKey(name)}`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StorageError(
      "invalid_config",
      `The root ${JSON.stringify(root)} is not a folder of Yandex Disk: ${why}`,
      {
        field: "root",
      },
    );
  }
}

/** Returns the folder that contains a path; null for a root folder, which always exists. */
function parentOf(path: string): string | null {
  const end = path.lastIndexOf("/");
  const parent = path.slice(0, end);
  return end < 0 || parent.endsWith(":") ? null : parent;
}

/** Returns the position of an entry in key order: for a folder, that of its first possible key. */
function positionOf(entry: Entry): string {
  return "object" in entry ? entry.object.key : `${entry.folder}/`;
}

function toStoredObject(key: string, { size = 0, md5, revision, modified = "" }: ApiBody): StoredObject {
  return { key, size, etag: md5 ?? `revision-${revision}`, modifiedAt: Date.parse(modified) };
}

/** Returns the bytes of a range, whether the server honoured the range or sent the whole file. */
function bytesWithin(
  answer: Answer,
  bounds: { start: number; end: number } | null,
): ReadableStream<Uint8Array> {
  const body = answer.body ?? new Blob([]).stream();
  if (bounds === null || answer.status === 206) return body;
  let position = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const wanted = chunk.subarray(Math.max(0, bounds.start - position), bounds.end + 1 - position);
        position += chunk.length;
        if (wanted.length > 0) controller.enqueue(wanted);
        if (position > bounds.end) controller.terminate();
      },
    }),
  );
}

function isUnavailable(error: unknown): boolean {
  return error instanceof StorageError && error.code === "unavailable";
}

/** Returns the error that a status of a file server means. They give no reasons. */
function transferError(status: number): StorageError {
  if (status !== 507 && status !== 413) {
    return new StorageError("unavailable", `Yandex Disk's file server responds with HTTP ${status}.`);
  }
  const sentence = "Yandex Disk is full, or the file is too large for it.";
  return new StorageError("quota_exceeded", sentence, { providerMessage: `HTTP ${status}` });
}
