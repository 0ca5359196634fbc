import type { Content } from "../db/tables.ts";
import type { Download } from "../storage/provider.ts";
import type { FilePlace } from "./files.ts";
import { isPublic } from "./public.ts";

/** The largest file that is cached: markers that the compiler makes and thumbnails are smaller, videos are not. */
export const MAX_FILE_BYTES = 2 ** 21;
/** The size of all cached files; an isolate has 128 MB. */
const MAX_BYTES = 16 * 2 ** 20;
const MAX_ROWS = 1000;

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
   * Returns a file from the cache or through `open`, whose result is returned as it is if it is too large.
   * Null: not found.
   */
  async file(
    { storageId, path }: FilePlace,
    open: () => Promise<Download | null>,
  ): Promise<WholeFile | null> {
    const key = `${storageId}:${path}`;
    const known = this.#files.get(key);
    if (known) {
      keepNewest(this.#files, key, known);
      return { body: known, size: known.length };
    }
    const download = await open();
    if (!download || download.size > MAX_FILE_BYTES) return download;
    const bytes = new Uint8Array(await new Response(download.body).arrayBuffer());
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
