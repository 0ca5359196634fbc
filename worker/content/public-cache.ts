import type { Content } from "../db/tables.ts";
import type { Download } from "../storage/provider.ts";
import type { FilePlace } from "./files.ts";
import { isPublic } from "./store.ts";

/** Files up to this size are kept: markers and thumbnails are smaller, films are not. */
const MAX_FILE_BYTES = 2 ** 20;
/** Of all files that are kept; an isolate has 128 MB. */
const MAX_BYTES = 16 * 2 ** 20;
const MAX_ROWS = 1000;

/**
 * What viewers ask for again and again, kept in the memory of one isolate. A file's key never gets other bytes, so
 * a file stays as long as there is room. A row says what may be seen: it is forgotten with every change that this
 * isolate makes, and after `rowSeconds`, for the changes that others make.
 */
export class PublicCache {
  readonly #rowMilliseconds: number;
  readonly #rows = new Map<string, { readonly content: Content; readonly until: number }>();
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  #bytes = 0;
  #changes = 0;

  /** @param rowSeconds how long a change that another isolate made may go unseen; 0 keeps no row */
  constructor(rowSeconds: number) {
    this.#rowMilliseconds = rowSeconds * 1000;
  }

  /** Content by its public name. That there is none, or none to be seen, is not kept. */
  async content(
    uniqueId: string,
    now: number,
    read: () => Promise<Content | undefined>,
  ): Promise<Content | undefined> {
    const known = this.#rows.get(uniqueId);
    if (known && now < known.until) return known.content;
    const changes = this.#changes;
    const content = await read();
    // What changed while it was read may not be in it.
    const isCurrent = changes === this.#changes && this.#rowMilliseconds > 0;
    if (content && isCurrent && isPublic(content, now)) {
      keepNewest(this.#rows, uniqueId, { content, until: now + this.#rowMilliseconds });
      if (this.#rows.size > MAX_ROWS) this.#rows.delete(oldest(this.#rows));
    }
    return content;
  }

  /** A change was made. */
  forget(): void {
    this.#changes++;
    this.#rows.clear();
  }

  /** A whole file; one that is too large comes as it is opened. Null when it is not in its storage. */
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

/** A map goes through its entries in the order in which they were put there. */
function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

function oldest(map: ReadonlyMap<string, unknown>): string {
  return map.keys().next().value!;
}
