import { MultipartPart } from "@remix-run/multipart-parser";
import { Refusal } from "../errors.ts";
import { joinChunks } from "../storage/chunks.ts";
import { indexOfBytes } from "./byte-search.ts";

/** The beginning of a part. */
export interface PartHead {
  /** Of its field; empty without one. */
  readonly name: string;
  readonly fileName: string;
}

export const PART_END = "part end";

/** Of each part its head, then its content in chunks, then its end. */
export type Piece = PartHead | Uint8Array | typeof PART_END;

const LINE_BREAK = Uint8Array.of(13, 10);
const EMPTY_LINE = Uint8Array.of(13, 10, 13, 10);
const DASH = 45;
const MAX_HEADER_BYTES = 8192;
/** After the last boundary. */
const MAX_TRAILING_BYTES = 65_536;

/**
 * Splits multipart/form-data (RFC 7578) into the heads and contents of its parts, as it streams in.
 *
 * The maintained parsers do not replace it: @remix-run/multipart-parser, which reads the heads, hands a part out when
 * all of it is in memory. multipasta 0.2.8 loses the name of a part whose file name has letters outside Latin-1, and
 * refuses a form that arrives in two pieces divided between its last two dashes. @fastify/busboy 3.2.6 drops parts
 * whose headers are too long or broken without an error, and its Node streams read ahead of the storage.
 */
export class FormSplitter {
  readonly #delimiter: Uint8Array;
  #state: "start" | "delimiter" | "head" | "content" | "end" = "start";
  /** The bytes that cannot be told apart yet. The line break of the first delimiter is not in the body. */
  #rest: Uint8Array = LINE_BREAK;
  #trailingBytes = 0;

  constructor(boundary: string) {
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  }

  /** @throws Refusal `malformed_upload` */
  *write(chunk: Uint8Array): Generator<Piece, void> {
    if (this.#state === "end") {
      this.#trailingBytes += chunk.length;
      if (this.#trailingBytes > MAX_TRAILING_BYTES) throw cutOff();
      return;
    }
    let bytes = this.#rest.length === 0 ? chunk : joinChunks([this.#rest, chunk]);
    const delimiter = this.#delimiter;
    for (;;) {
      switch (this.#state) {
        case "start":
          if (bytes.length < delimiter.length) return this.#wait(bytes);
          if (indexOfBytes(bytes.subarray(0, delimiter.length), delimiter) !== 0) throw cutOff();
          bytes = bytes.subarray(delimiter.length);
          this.#state = "delimiter";
          break;
        case "delimiter":
          if (bytes.length < 2) return this.#wait(bytes);
          this.#state = bytes[0] === DASH && bytes[1] === DASH ? "end" : "head";
          if (this.#state === "head" && indexOfBytes(bytes.subarray(0, 2), LINE_BREAK) !== 0) throw cutOff();
          bytes = bytes.subarray(2);
          break;
        case "head": {
          const end = indexOfBytes(bytes, EMPTY_LINE);
          if (end > MAX_HEADER_BYTES || (end === -1 && bytes.length > MAX_HEADER_BYTES)) {
            throw malformed("A part of the form has too many headers; expected at most 8 KB.");
          }
          if (end === -1) return this.#wait(bytes);
          yield headOf(bytes.slice(0, end));
          bytes = bytes.subarray(end + EMPTY_LINE.length);
          this.#state = "content";
          break;
        }
        case "content": {
          const end = indexOfBytes(bytes, delimiter);
          if (end === -1) {
            // The last bytes may be the beginning of a delimiter.
            const from = bytes.indexOf(delimiter[0], Math.max(0, bytes.length - delimiter.length + 1));
            const until = from === -1 ? bytes.length : from;
            if (until > 0) yield bytes.subarray(0, until);
            return this.#wait(bytes.subarray(until));
          }
          if (end > 0) yield bytes.subarray(0, end);
          yield PART_END;
          bytes = bytes.subarray(end + delimiter.length);
          this.#state = "delimiter";
          break;
        }
        case "end":
          this.#trailingBytes = bytes.length;
          return;
      }
    }
  }

  /** @throws Refusal `malformed_upload` if the form is incomplete */
  finish(): void {
    if (this.#state !== "end") throw cutOff();
  }

  #wait(bytes: Uint8Array): void {
    // A copy, so that a few bytes do not keep the whole buffer.
    this.#rest = bytes.slice();
  }
}

function headOf(header: Uint8Array): PartHead {
  const part = new MultipartPart(header, []);
  return { name: decoded(() => part.name ?? ""), fileName: decoded(() => part.filename ?? "") };
}

/** Returns a text that is decoded when it is read. @throws Refusal `malformed_upload` unless it is UTF-8 */
export function decoded(read: () => string): string {
  try {
    return read();
  } catch {
    throw malformed("A name or text of the form is not valid UTF-8; expected UTF-8.");
  }
}

/** Returns the refusal of a form that cannot be read. */
export function malformed(detail: string): Refusal {
  return new Refusal("malformed_upload", detail);
}

function cutOff(): Refusal {
  return malformed("The body is cut off or malformed; expected a complete multipart/form-data body.");
}
