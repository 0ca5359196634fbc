import type { Content } from "../db/tables.ts";
import { joinChunks, readChunks } from "../storage/chunks.ts";
import { type Download, StorageError } from "../storage/provider.ts";
import { ReadMemory } from "../storage/read-memory.ts";
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
/** The longest time to read a file into the cache. */
const READ_MILLISECONDS = 20_000;

/**
 * Caches what viewers request most, in the memory of one isolate. Because a key always names the same bytes, a
 * file stays cached as long as there is space. A row decides what is public, so it is dropped when this isolate changes
 * its content, and after `rowSeconds`, because other isolates make changes too.
 */
export class PublicCache {
  readonly #rowMilliseconds: number;
  readonly #rows = new Map<string, { readonly content: Content; readonly until: number }>();
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  #bytes = 0;
  /** The files that are being read into the cache. */
  readonly #reads = new ReadMemory(MAX_READ_BYTES, MAX_STORAGE_READ_BYTES);
  /** For each running read of a row: the ids of the contents that were changed since it began. */
  readonly #changedDuringReads = new Set<Set<string>>();

  /** @param rowSeconds how long a change made by another isolate may go unnoticed; 0 caches no rows */
  constructor(rowSeconds: number) {
    this.#rowMilliseconds = rowSeconds * 1000;
  }

  /** Returns content by its unique id, from the cache or through `read`. Only public content is cached. */
  async content(
    uniqueId: string,
    now: number,
    read: () => Promise<Content | undefined>,
  ): Promise<Content | undefined> {
    const known = this.#rows.get(uniqueId);
    if (known && now < known.until) return known.content;
    const changed = new Set<string>();
    this.#changedDuringReads.add(changed);
    const content = await read().finally(() => this.#changedDuringReads.delete(changed));
    // A change during the read may not be in the result.
    const isCurrent = content !== undefined && !changed.has(content.id);
    if (isCurrent && this.#rowMilliseconds > 0 && isPublic(content, now)) {
      keepNewest(this.#rows, uniqueId, { content, until: now + this.#rowMilliseconds });
      if (this.#rows.size > MAX_ROWS) this.#rows.delete(oldest(this.#rows));
    }
    return content;
  }

  /** Drops the row of a content after a change. */
  forget(contentId: string): void {
    for (const changed of this.#changedDuringReads) changed.add(contentId);
    for (const [uniqueId, { content }] of this.#rows) {
      if (content.id === contentId) this.#rows.delete(uniqueId);
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
    const key = `${storageId}:${path}${form ? ` ${form.name}` : ""}`;
    const known = this.#files.get(key);
    if (known) {
      keepNewest(this.#files, key, known);
      return { body: known, size: known.length };
    }
    const download = await open();
    if (!download || download.size > MAX_FILE_BYTES) return download;
    const read = { owner: storageId ?? "", bytes: 0, until: Date.now() + READ_MILLISECONDS };
    if (!this.#reads.add(read, download.size)) return download;
    const stored = await readWhole(download).finally(() => this.#reads.end(read));
    const bytes = form ? form.derive(stored) : stored;
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
