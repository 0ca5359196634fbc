/** A response of a storage that is read into memory. */
export interface MemoryRead {
  /** Who has the storage: the bounds apply to each. */
  readonly owner: string;
  /** The bytes that are counted. */
  bytes: number;
  /** When it ends at the latest, in milliseconds since 1970. */
  readonly until: number;
}

/**
 * The memory that responses of storages take in one isolate while they are read. A storage that is slow on purpose gets
 * little of it, however many requests read from it.
 */
export class ReadMemory {
  readonly #most: number;
  readonly #mostOfOwner: number;
  readonly #reads = new Set<MemoryRead>();

  constructor(most: number, mostOfOwner: number) {
    this.#most = most;
    this.#mostOfOwner = mostOfOwner;
  }

  /** Counts more bytes of a read. Returns false, counting nothing, when they do not fit. */
  add(read: MemoryRead, bytes: number): boolean {
    let [all, ofOwner] = [bytes, bytes];
    for (const other of this.#reads) {
      // The platform has ended its request.
      if (other.until < Date.now()) this.#reads.delete(other);
      else {
        all += other.bytes;
        if (other.owner === read.owner) ofOwner += other.bytes;
      }
    }
    if (all > this.#most || ofOwner > this.#mostOfOwner) return false;
    read.bytes += bytes;
    this.#reads.add(read);
    return true;
  }

  /** Stops counting a read. */
  end(read: MemoryRead): void {
    this.#reads.delete(read);
  }
}
