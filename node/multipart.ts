import { randomUUID } from "node:crypto";

/**
 * Encodes multipart/form-data (RFC 7578) part by part. The delimiter that ends a part is sent with that part, not
 * with the next one, so a streaming reader has each part as soon as it is sent.
 */
export class MultipartEncoder {
  readonly #boundary = randomUUID();
  #open = false;

  get contentType(): string {
    return `multipart/form-data; boundary=${this.#boundary}`;
  }

  /** Returns the bytes of the next part. After the `last` part the message is complete. */
  part(name: string, type: string, body: Uint8Array | string, last = false): Buffer {
    const begin = this.#open ? "" : `--${this.#boundary}\r\n`;
    const head = `Content-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n`;
    const end = `\r\n--${this.#boundary}${last ? "--" : ""}\r\n`;
    this.#open = true;
    return Buffer.concat([Buffer.from(begin + head), Buffer.from(body), Buffer.from(end)]);
  }
}
