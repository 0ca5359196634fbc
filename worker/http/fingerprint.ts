import { hex, sha256, sha256Sink } from "../sha256.ts";
import { indexOfBytes } from "./byte-search.ts";

/**
 * Hashes the query and body of a request, to tell a retry from a different request. A retried form has a new
 * boundary, so boundaries are left out. The bytes are hashed as they stream by.
 */
export class Fingerprint {
  readonly #about: string;
  readonly #boundary: Uint8Array;
  readonly #sink = sha256Sink();
  readonly #writer = this.#sink.getWriter();
  /** The last bytes so far, which may be the start of a boundary. */
  #tail = new Uint8Array(0);
  #ended: Promise<string> | undefined;

  /**
   * @param query the query parameters that count
   * @param boundary of a multipart body; empty for other bodies
   */
  constructor(query: string, mediaType: string, boundary: string) {
    this.#about = JSON.stringify([query, mediaType]);
    this.#boundary = new TextEncoder().encode(boundary);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const length = this.#boundary.length;
    if (length === 0) return this.#writer.write(chunk);
    const bytes = joined(this.#tail, chunk);
    let from = 0;
    for (
      let at = indexOfBytes(bytes, this.#boundary);
      at !== -1;
      at = indexOfBytes(bytes, this.#boundary, from)
    ) {
      await this.#writer.write(bytes.subarray(from, at));
      from = at + length;
    }
    const until = Math.max(from, bytes.length - length + 1);
    await this.#writer.write(bytes.subarray(from, until));
    this.#tail = bytes.slice(until);
  }

  /** Returns the hash in lower-case hexadecimal. Call it after the last byte. */
  end(): Promise<string> {
    return (this.#ended ??= this.#end());
  }

  async #end(): Promise<string> {
    await this.#writer.write(this.#tail);
    await this.#writer.close();
    const body = hex(new Uint8Array(await this.#sink.digest));
    return sha256(new TextEncoder().encode(this.#about + body));
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
