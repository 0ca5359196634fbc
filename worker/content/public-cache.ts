import type { Content } from "../db/tables.ts";
import { joinChunks, readChunks } from "../storage/chunks.ts";
import { type Download, StorageError } from "../storage/provider.ts";
import { ReadMemory } from "../storage/read-memory.ts";
import type { EdgeCache } from "./edge-cache.ts";
import type { FilePlace } from "./files.ts";
import { isPublic } from "./public.ts";

/** The largest file that is cached: markers that the compiler makes and thumbnails are smaller, videos are not. */
export const MAX_FILE_BYTES = 2 ** 21;
/** The size of all cached files; an isolate has 128 MB. */
const MAX_BYTES = 16 * 2 ** 20;
const MAX_ROWS = 1000;
/** Most bytes that are read into the cache at a time, and of one storage, which may be slow on purpose. */
const MAX_READ_BYTES = 16 * 2 ** 20;
const MAX_STORAGE_READ_BYTES = 6 * 2 ** 20;
/** How long the edge cache may keep a file, which a deleted photo no longer leads to. */
const EDGE_FILE_SECONDS = 86_400;
/** The longest time to read a file into the cache. */
const READ_MILLISECONDS = 20_000;

/** The content of a link, and when the database was asked for it, in milliseconds since 1970. */
interface Row {
  readonly content: Content;
  readonly readAt: number;
}

/**
 * Caches what viewers request most, in the memory of one isolate and in the edge cache of its location. Because a key
 * always names the same bytes, a file stays cached as long as there is space. A row decides what is public, so it is
 * used for `rowSeconds` only, however many caches it went through, and not after this isolate changed its content.
 */
export class PublicCache {
  readonly #rowSeconds: number;
  readonly #edge: EdgeCache | null;
  readonly #rows = new Map<string, Row>();
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  #bytes = 0;
  /** The files that are being read into the cache. */
  readonly #reads = new ReadMemory(MAX_READ_BYTES, MAX_STORAGE_READ_BYTES);
  /** When this isolate last changed a content, by its id: in milliseconds since 1970, for `rowSeconds`. */
  readonly #changes = new Map<string, number>();

  /** @param rowSeconds how long a change made by another isolate may go unnoticed; 0 caches no rows */
  constructor(rowSeconds: number, edge: EdgeCache | null = null) {
    this.#rowSeconds = rowSeconds;
    this.#edge = edge;
  }

  /** Returns content by its unique id, from the cache or through `read`. Only public content is cached. */
  async content(
    uniqueId: string,
    now: number,
    read: () => Promise<Content | undefined>,
  ): Promise<Content | undefined> {
    if (this.#rowSeconds === 0) return read();
    const known = this.#rows.get(uniqueId) ?? null;
    if (this.#isCurrent(known, now)) return known.content;
    const key = `rows/${uniqueId}`;
    const shared = rowOf(await this.#edge?.get(key));
    if (this.#isCurrent(shared, now)) {
      this.#keepRow(uniqueId, shared);
      return shared.content;
    }
    const content = await read();
    if (content && isPublic(content, now)) {
      const row = { content, readAt: now };
      // A change during the read may not be in the result.
      if (this.#isCurrent(row, now)) {
        this.#keepRow(uniqueId, row);
        this.#edge?.put(key, JSON.stringify(row), this.#rowSeconds);
      }
    }
    return content;
  }

  #isCurrent(row: Row | null, now: number): row is Row {
    if (!row || now >= row.readAt + this.#rowSeconds * 1000) return false;
    const changedAt = this.#changes.get(row.content.id);
    return changedAt === undefined || changedAt < row.readAt;
  }

  #keepRow(uniqueId: string, row: Row): void {
    keepNewest(this.#rows, uniqueId, row);
    if (this.#rows.size > MAX_ROWS) this.#rows.delete(oldest(this.#rows));
  }

  /** Stops using all rows of a content that were read before a change. */
  forget(contentId: string, now: number): void {
    keepNewest(this.#changes, contentId, now);
    for (const [id, changedAt] of this.#changes) {
      if (now < changedAt + this.#rowSeconds * 1000) break;
      this.#changes.delete(id);
    }
  }

  /**
   * Returns a file from the cache or through `open`, whose result is returned as it is if the file is too large, or if
   * too many are being read. Null: not found.
   *
   * @param form of the file that is cached instead
   * @throws StorageError `unavailable` for a file that does not arrive in time
   */
  async file(
    { storageId, path }: FilePlace,
    open: () => Promise<Download | null>,
    form?: DerivedForm,
  ): Promise<WholeFile | null> {
    const key = `files/${storageId}/${form?.name ?? "stored"}/${path}`;
    const known = this.#files.get(key) ?? (await this.#edge?.get(key));
    if (known) return this.#keepFile(key, known);
    const download = await open();
    if (!download || download.size > MAX_FILE_BYTES) return download;
    const read = { owner: storageId ?? "", bytes: 0, until: Date.now() + READ_MILLISECONDS };
    if (!this.#reads.add(read, download.size)) return download;
    const stored = await readWhole(download).finally(() => this.#reads.end(read));
    const bytes = form ? form.derive(stored) : stored;
    this.#edge?.put(key, bytes, EDGE_FILE_SECONDS);
    return this.#keepFile(key, bytes);
  }

  #keepFile(key: string, bytes: Uint8Array<ArrayBuffer>): WholeFile {
    if (!this.#files.has(key)) this.#bytes += bytes.length;
    keepNewest(this.#files, key, bytes);
    while (this.#bytes > MAX_BYTES) {
      const eldest = oldest(this.#files);
      this.#bytes -= this.#files.get(eldest)!.length;
      this.#files.delete(eldest);
    }
    return { body: bytes, size: bytes.length };
  }
}

/** Returns the row of an entry in the edge cache. */
function rowOf(entry: Uint8Array | null | undefined): Row | null {
  return entry ? JSON.parse(new TextDecoder().decode(entry)) : null;
}

/** A form of a file that is made of its bytes. */
interface DerivedForm {
  readonly name: string;
  readonly derive: (stored: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

async function readWhole({ body }: Download): Promise<Uint8Array<ArrayBuffer>> {
  const reader = readChunks(body);
  const late = new StorageError("unavailable", `A file did not arrive within ${READ_MILLISECONDS / 1000} s.`);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, READ_MILLISECONDS);
  const chunks: Uint8Array[] = [];
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) chunks.push(part.value);
  } catch (error) {
    // The platform's streams reject a read that is canceled, others end it.
    throw isLate ? late : error;
  } finally {
    clearTimeout(timer);
  }
  if (isLate) throw late;
  return joinChunks(chunks);
}

export interface WholeFile {
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly size: number;
}

/** Moves an entry to the end: a map iterates in the order of insertion, so the first entry is the oldest. */
function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

function oldest(map: ReadonlyMap<string, unknown>): string {
  return map.keys().next().value!;
}
