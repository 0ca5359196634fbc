import { readBeginning } from "../storage/chunks.ts";
import { StorageError, type StorageProvider } from "../storage/provider.ts";
import { damaged } from "./refusals.ts";

/** Bytes of one request to the storage: the whole header of most videos. */
export const WINDOW_BYTES = 65_536;

/** A header needs two or three requests. More than this come from a file that was made to need them. */
const MAX_REQUESTS = 40;

/** A stored file of which a few bytes are read, with few requests and little memory, however large it is. */
export class StoredFile {
  /** Bytes. */
  readonly size: number;
  readonly #storage: StorageProvider;
  readonly #path: string;
  #requests = 0;
  #window: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array() };

  constructor(storage: StorageProvider, { path, bytes }: { readonly path: string; readonly bytes: number }) {
    this.#storage = storage;
    this.#path = path;
    this.size = bytes;
  }

  /**
   * Returns bytes of the file: fewer than `length`, at most `WINDOW_BYTES`, only where the file ends.
   *
   * @throws Refusal `video_damaged` for a file that needs too many requests
   */
  async read(start: number, length: number): Promise<Uint8Array> {
    const end = Math.min(start + length, this.size);
    if (start >= end) return new Uint8Array();
    const { start: from, bytes } = this.#window;
    if (start < from || end > from + bytes.length) {
      this.#window = { start, bytes: await this.#fetch(start) };
    }
    const offset = start - this.#window.start;
    return this.#window.bytes.subarray(offset, offset + end - start);
  }

  async #fetch(start: number): Promise<Uint8Array> {
    if (++this.#requests > MAX_REQUESTS) throw damaged("its header is scattered over the whole file");
    const end = Math.min(start + WINDOW_BYTES, this.size) - 1;
    const download = await this.#storage.download(this.#path, { range: { start, end } });
    if (!download) {
      throw new StorageError(
        "unavailable",
        "The video is missing from the storage after its upload. Try again.",
      );
    }
    return readBeginning(download.body, WINDOW_BYTES);
  }
}
