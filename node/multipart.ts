import { randomUUID } from "node:crypto";
import type { Writable } from "node:stream";

/**
 * Writes multipart/form-data (RFC 7578) part by part. The delimiter that ends a part is written with that part,
 * not with the next one, so a streaming reader has each part as soon as it is written.
 */
export class MultipartWriter {
  readonly #boundary = randomUUID();
  readonly #stream: Writable;
  #open = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  get contentType(): string {
    return `multipart/form-data; boundary=${this.#boundary}`;
  }

  /** Writes one part. After the `last` part the message is complete; the stream stays open. */
  write(name: string, type: string, body: Uint8Array | string, last = false): void {
    const begin = this.#open ? "" : `--${this.#boundary}\r\n`;
    const head = `Content-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n`;
    const end = `\r\n--${this.#boundary}${last ? "--" : ""}\r\n`;
    this.#open = true;
    this.#stream.write(Buffer.concat([Buffer.from(begin + head), Buffer.from(body), Buffer.from(end)]));
  }
}
