import type { Answer, StorageHttp } from "./http.ts";
import {
  type ByteRange,
  checkKey,
  type Download,
  type DownloadOptions,
  folderPrefix,
  type ListOptions,
  type ListPage,
  type Quota,
  StorageError,
  type StorageProvider,
  type StoredObject,
  UnsatisfiableRange,
  type UploadOptions,
  type Usage,
} from "./provider.ts";
import {
  type Body,
  bodyOf,
  hrefOf,
  isFolderMissing,
  operationFailed,
  refusal,
  type TokenSource,
  YandexDiskApi,
} from "./yandex-disk-api.ts";

/** In the root: uploads under way. Listings do not show it. */
const UPLOADS_FOLDER = ".vivimark-uploads";

/** Entries asked for at a time. Yandex names no maximum; folders of thousands are known to time out. */
const PAGE_ENTRIES = 1000;

/** Connections that a Worker may have open at a time. Yandex asks for at most 40 requests a second. */
const MAX_CONNECTIONS = 6;

/** From so many keys on it is cheaper to list their folder than to ask for each. */
const MANY_KEYS = 10;

/** Tries of an upload that can begin anew, and of the move behind every upload. */
const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 500;

/** Between the last byte of an upload and the answer the uploader reads the file again; large ones take long. */
const UPLOADER_SILENCE_SECONDS = 180;

/** From the downloader to the host that has the file. */
const MAX_REDIRECTS = 3;

export interface YandexDiskSettings {
  readonly token: string | TokenSource;
  /** The folder that holds everything: `app:/…` (in the application's own folder) or `disk:/…`. */
  readonly root: string;
  /** Stands for the API in tests. */
  readonly apiUrl?: string | undefined;
}

type Entry = { readonly object: StoredObject } | { readonly folder: string };

/**
 * Yandex Disk through its REST API (yandex.com/dev/disk-api), as published; where it is silent, as its
 * clients' authors report. The token goes to the API's host only: files travel by links to other hosts, which
 * carry their own permission.
 *
 * What is different here:
 * - An upload goes to a temporary name and is moved to its own when it is complete, so the old object stays
 *   whole until then. A Worker killed in between leaves the temporary file, which no listing shows.
 * - Folders are real: they stay when their last object goes, and one name cannot be an object and a folder.
 *   Where it would, uploads reject with `conflict`; deleting never takes a folder for an object.
 * - The order of Yandex's own listings is not published, so a page is cut from whole folders that were sorted
 *   here: each page of a folder of n objects costs n / 1000 requests.
 * - The content type is not kept; Yandex judges by name and content.
 */
export class YandexDiskStorage implements StorageProvider {
  readonly parts = null;
  /** `app:` or `disk:`, with the folder if there is one: no slash at the end. */
  readonly #root: string;
  readonly #api: YandexDiskApi;
  readonly #http: StorageHttp;

  /** @throws StorageError `invalid_config` for a root that names no folder, or no token */
  constructor({ token, root, apiUrl }: YandexDiskSettings, http: StorageHttp) {
    this.#root = rootOf(root);
    this.#api = new YandexDiskApi(token, http, apiUrl);
    this.#http = http;
  }

  async upload(
    key: string,
    body: Uint8Array<ArrayBuffer> | ReadableStream,
    { length, ifAbsent = false }: UploadOptions,
  ): Promise<void> {
    const target = this.#path(checkKey(key));
    const temporary = this.#path(`${UPLOADS_FOLDER}/${crypto.randomUUID()}`);
    try {
      if (body instanceof Uint8Array && body.length !== length) {
        throw new RangeError(`Expected ${length} bytes, got ${body.length}.`);
      }
      const there = await this.#find(target);
      if (there?.type === "dir") throw new StorageError("conflict", `A folder has the name of ${key}.`);
      if (there && ifAbsent) throw alreadyThere(key);
    } catch (error) {
      if (!(body instanceof Uint8Array)) await body.cancel(error).catch(() => {});
      throw error;
    }
    try {
      await this.#send(temporary, body, length);
      await this.#place(temporary, target, key, !ifAbsent);
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
      const facts = factsOf(key, found);
      if (ifMatch !== undefined && ifMatch !== facts.etag) {
        throw new StorageError("conflict", `${key} is another one by now.`);
      }
      const bounds = range ? boundsOf(range, facts.size) : null;
      const link = found.file ?? (await this.#downloadLink(path));
      const answer = await this.#http.open({
        method: "GET",
        url: hrefOf(link),
        headers: bounds ? { Range: `bytes=${bounds.start}-${bounds.end}` } : {},
        maxRedirects: MAX_REDIRECTS,
      });
      if (answer.status === 200 || answer.status === 206) {
        return { ...facts, body: wantedBytes(answer, bounds), range: bounds };
      }
      await answer.body?.cancel();
      // The link has expired, or the file behind it is gone: what is true now?
      if (attempt === ATTEMPTS || answer.status >= 500) throw transferRefused(answer.status);
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    const found = await this.#findFile(this.#path(checkKey(key)));
    return found && factsOf(key, found);
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    const files = await this.#filesOf((typeof keys === "string" ? [keys] : keys).map(checkKey));
    await inTurns(files, (key) => this.#remove(this.#path(key)));
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

  /** Of the whole Disk, the trash included; null when the token may not ask for it. */
  async quota(): Promise<Quota | null> {
    const reply = await this.#api.ask("GET", "", { fields: "used_space,total_space" });
    if (reply.status === 403) return null;
    const { used_space: usedBytes, total_space: totalBytes } = bodyOf(reply, 200);
    return usedBytes === undefined ? null : { usedBytes, totalBytes: totalBytes ?? null };
  }

  /** An object has one only while it is published. */
  publicUrl(): null {
    return null;
  }

  /**
   * Makes the object public for everyone, until its owner or `unpublish` takes that back.
   *
   * @returns the address of a page of Yandex's that shows the object; not of the object itself
   */
  async publish(key: string): Promise<string> {
    const path = this.#path(checkKey(key));
    bodyOf(await this.#api.ask("PUT", "/resources/publish", { path }), 200);
    const { public_url } = bodyOf(
      await this.#api.ask("GET", "/resources", { path, fields: "public_url", limit: "0" }),
      200,
    );
    if (!public_url) throw new StorageError("unavailable", "Yandex Disk names no public address.");
    return public_url;
  }

  async unpublish(key: string): Promise<void> {
    bodyOf(await this.#api.ask("PUT", "/resources/unpublish", { path: this.#path(checkKey(key)) }), 200);
  }

  /**
   * Yandex's own temporary address of the file, made for saving it. It lives as long as Yandex likes, whatever
   * `seconds` says: no number is published, and clients have seen five minutes as well as hours. Neither its
   * type nor its name can be chosen. Rejects with `not_found` when there is no such object.
   */
  async presignedUrl(key: string): Promise<string> {
    return hrefOf(await this.#downloadLink(this.#path(checkKey(key)))).href;
  }

  /** Upload links take one PUT of any length and type, from whom Yandex does not say: nothing for browsers. */
  async presignedUpload(): Promise<null> {
    return null;
  }

  #path(key: string): string {
    return `${this.#root}/${key}`;
  }

  /** What is at this path; null when nothing is. */
  async #find(path: string, ...fields: string[]): Promise<Body | null> {
    const wanted = ["type", "size", "md5", "revision", "modified", ...fields].join();
    const reply = await this.#api.ask("GET", "/resources", { path, fields: wanted, limit: "0" });
    return reply.status === 404 ? null : bodyOf(reply, 200);
  }

  async #findFile(path: string, ...fields: string[]): Promise<Body | null> {
    const found = await this.#find(path, ...fields);
    return found?.type === "file" ? found : null;
  }

  /** Those of the keys that name files: deleting a folder would delete what is in it. */
  async #filesOf(keys: readonly string[]): Promise<string[]> {
    const files: string[] = [];
    const single: string[] = [];
    for (const [prefix, siblings] of Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf("/") + 1))) {
      if (siblings.length < MANY_KEYS) single.push(...siblings);
      else {
        const entries = await this.#entries(prefix);
        const there = new Set(entries.flatMap((entry) => ("object" in entry ? entry.object.key : [])));
        files.push(...siblings.filter((key) => there.has(key)));
      }
    }
    await inTurns(single, async (key) => {
      if (await this.#findFile(this.#path(key))) files.push(key);
    });
    return files;
  }

  async #downloadLink(path: string): Promise<string | undefined> {
    return bodyOf(await this.#api.ask("GET", "/resources/download", { path }), 200).href;
  }

  /** Stores the body under a name that nobody else uses. */
  async #send(path: string, body: Uint8Array<ArrayBuffer> | ReadableStream, length: number): Promise<void> {
    if (!(body instanceof Uint8Array)) return this.#sendStream(path, body, length);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#put(await this.#uploadLink(path), body);
        return;
      } catch (error) {
        // Each link serves once, so the next attempt begins with another one.
        if (attempt === ATTEMPTS || !isUnavailable(error)) throw error;
        await this.#http.sleep(PAUSE_MILLISECONDS * attempt);
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
      // Where nothing was asked for yet, nobody has let go of it.
      stream.cancel(error).catch(() => {});
      // Everything was sent, but the uploader took too long to say so: its operation knows better.
      if (!ended || !isUnavailable(error) || link.operation_id === undefined) throw error;
      await this.#uploaded(link.operation_id);
    }
  }

  async #put(
    link: Body,
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
    if (status !== 201 && status !== 202) throw transferRefused(status);
  }

  async #uploaded(operationId: string): Promise<void> {
    if (!(await this.#api.finishOperation(operationId))) throw operationFailed();
  }

  async #uploadLink(path: string): Promise<Body> {
    const ask = () => this.#api.ask("GET", "/resources/upload", { path, overwrite: "true" });
    let reply = await ask();
    if (isFolderMissing(reply)) {
      await this.#makeFolder(parentOf(path) ?? path);
      reply = await ask();
    }
    return bodyOf(reply, 200);
  }

  /** Gives a complete upload its own name. */
  async #place(temporary: string, target: string, key: string, overwrite: boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      let trouble: unknown;
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
        if (reply.body.error === "DiskResourceAlreadyExistsError") throw alreadyThere(key);
        if (reply.status !== 202) throw refusal(reply);
        if (await this.#api.finish(reply)) return;
        trouble = operationFailed();
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        trouble = error;
      }
      // The answer was lost, or does not say what happened: either the file is where it was, or it was moved.
      if (!(await this.#find(temporary))) return;
      if (attempt === ATTEMPTS) throw trouble;
      await this.#http.sleep(PAUSE_MILLISECONDS * attempt);
    }
  }

  /** Removes what is at this path, past the trash; nothing there is no error. */
  async #remove(path: string): Promise<void> {
    const reply = await this.#api.ask("DELETE", "/resources", { path, permanently: "true" });
    if (reply.status === 204 || reply.status === 404) return;
    if (reply.status !== 202) throw refusal(reply);
    if (!(await this.#api.finish(reply))) throw operationFailed();
  }

  /** Asks for the folder itself first: mostly it is there, or its parent is. */
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

  /**
   * Everything below `prefix`, in key order, from behind the position `after`. Folders whose keys all lie before
   * it are not asked for.
   */
  async *#walk(prefix: string, recursive: boolean, after: string): AsyncGenerator<Entry> {
    const entries = await this.#entries(prefix);
    for (const entry of entries.sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1))) {
      const position = positionOf(entry);
      if (recursive && "folder" in entry) {
        if (position > after || after.startsWith(position)) yield* this.#walk(position, true, after);
      } else if (position > after) yield entry;
    }
  }

  /** What is in a folder, in no order. */
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
        entries.set(key, item.type === "dir" ? { folder: key } : { object: factsOf(key, item) });
      }
      offset += items.length;
      if (items.length === 0 || offset >= total) return [...entries.values()];
    }
  }
}

/** Does it for every item, a few at a time. */
async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const work = async () => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: MAX_CONNECTIONS }, work));
}

/** `app:/Salon/` → `app:/Salon`, `app:/` → `app:`. */
function rootOf(root: string): string {
  const [, scheme, folder] = root.match(/^(app|disk):\/(.*)$/s) ?? [];
  const name = folder?.replace(/\/$/, "");
  try {
    if (scheme === undefined) throw new RangeError("it begins with neither app:/ nor disk:/.");
    return name === "" ? `${scheme}:` : `${scheme}:/${checkKey(name)}`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StorageError(
      "invalid_config",
      `The root ${JSON.stringify(root)} is no folder of Yandex Disk: ${why}`,
      {
        field: "root",
      },
    );
  }
}

/** The folder that a path lies in; null for those that are always there. */
function parentOf(path: string): string | null {
  const end = path.lastIndexOf("/");
  const parent = path.slice(0, end);
  return end < 0 || parent.endsWith(":") ? null : parent;
}

/** The place of an entry in key order: where its first key would be. */
function positionOf(entry: Entry): string {
  return "object" in entry ? entry.object.key : `${entry.folder}/`;
}

function factsOf(key: string, { size = 0, md5, revision, modified = "" }: Body): StoredObject {
  return { key, size, etag: md5 ?? `revision-${revision}`, modifiedAt: Date.parse(modified) };
}

function boundsOf(range: ByteRange, size: number): { start: number; end: number } {
  const start = "last" in range ? Math.max(0, size - range.last) : range.start;
  const end = "last" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1);
  if (start > end) throw new UnsatisfiableRange(size);
  return { start, end };
}

/** The bytes that were asked for, whether the downloader honoured the range or sent the whole file. */
function wantedBytes(
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

function alreadyThere(key: string): StorageError {
  return new StorageError("conflict", `${key} is there already.`);
}

/** What an unwelcome answer of an uploader or downloader means; they give no reasons. */
function transferRefused(status: number): StorageError {
  const full = status === 507 || status === 413;
  return full
    ? new StorageError("quota_exceeded", "Yandex Disk has no room for this file, or takes none so large.", {
        providerMessage: `HTTP ${status}`,
      })
    : new StorageError("unavailable", `Yandex Disk's file server answers with HTTP ${status}.`);
}
