import { type ErrorCode, Refusal } from "../errors.ts";
import { joinChunks } from "../storage/chunks.ts";
import { Pace } from "./pace.ts";
import type { HeldBytes } from "./upload-memory.ts";

/** Most bytes read and discarded after an error: enough for every body that a client may send in good faith. */
const MAX_DRAINED_BYTES = 100_000_000;
/** The same for a body without Content-Length, which may never end; bytes read before count too. */
const MAX_DRAINED_UNDECLARED_BYTES = 20_000_000;
const MAX_DRAIN_MILLISECONDS = 8_000;

/** Smaller chunks are joined: each would take hundreds of bytes, and a client may send its bytes one by one. */
const JOINED_BYTES = 16_384;

/** Sees the bytes of a body as they are read. */
export interface BodyObserver {
  write(chunk: Uint8Array): Promise<void>;
  /** Runs after the last chunk. Its error reaches the reader. */
  end?(): Promise<void>;
}

/** The body of one request. worker/http/serve.ts creates it; handlers read it as `c.var.body`. */
export class RequestBody {
  /** Null for a request without a body. Read it through `chunks` or `bytes`, which count and observe. */
  readonly stream: ReadableStream<Uint8Array> | null;
  readonly contentType: string | undefined;
  readonly contentLength: string | undefined;
  readonly held: HeldBytes;
  #receivedBytes = 0;
  #observer: BodyObserver | undefined;
  readonly #pace = new Pace();

  /** @param held counts the bytes of the body that the request keeps */
  constructor(request: Pick<Request, "body" | "headers">, held: HeldBytes) {
    this.held = held;
    this.stream = request.body;
    this.contentType = request.headers.get("content-type") ?? undefined;
    this.contentLength = request.headers.get("content-length") ?? undefined;
  }

  /** `text/plain` for `Text/Plain; charset=utf-8`; undefined without a Content-Type. */
  get mediaType(): string | undefined {
    return this.contentType?.split(";")[0].trim().toLowerCase();
  }

  /** Shows `observer` every chunk that is read from now on. */
  observe(observer: BodyObserver): void {
    this.#observer = observer;
  }

  /**
   * Yields the body's chunks. A reader that stops early leaves the rest to `drain`.
   *
   * @throws Refusal `upload_interrupted` if the client disconnects or is too slow
   */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    if (!this.stream) return;
    const reader = this.stream.getReader();
    let joined = new Uint8Array(0);
    let size = 0;
    try {
      for (;;) {
        const read = reader.read().catch(() => {
          throw uploadInterrupted();
        });
        const next = await this.#pace.next(read).catch(async (error: unknown) => {
          // Ends the read of a slow body, which keeps the platform's reader locked.
          await reader.cancel(error).catch(() => {});
          return { error };
        });
        const value = "error" in next || next.done ? undefined : next.value;
        if (!value) {
          if (size > 0) yield joined.subarray(0, size);
          if ("error" in next) throw next.error;
          return await this.#observer?.end?.();
        }
        this.#receivedBytes += value.length;
        await this.#observer?.write(value);
        if (size + value.length > joined.length) {
          if (size > 0) yield joined.subarray(0, size);
          joined = new Uint8Array(value.length < JOINED_BYTES ? JOINED_BYTES : 0);
          size = 0;
        }
        if (joined.length === 0) {
          yield value;
        } else {
          joined.set(value, size);
          size += value.length;
          // Frees its memory now, not when the garbage is collected.
          if (value.length === value.buffer.byteLength) (value.buffer as ArrayBuffer).transfer(0);
        }
      }
    } finally {
      reader.releaseLock();
    }
  }

  /**
   * Reads the body into memory, and stops at the first byte over `maxBytes`.
   *
   * @throws Refusal `code` if the body is larger, `too_many_uploads`
   */
  async bytes(maxBytes: number, code: ErrorCode): Promise<Uint8Array<ArrayBuffer>> {
    const declared = Number(this.contentLength ?? 0);
    if (declared > maxBytes) {
      throw new Refusal(code, `The body has ${declared} bytes; expected at most ${maxBytes}.`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.chunks()) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new Refusal(code, `The body is larger than the maximum of ${maxBytes} bytes.`);
      }
      await this.held.add(chunk.length);
      chunks.push(chunk);
    }
    return joinChunks(chunks);
  }

  /** Shows the rest of the body to the observer, which needs all of it, while `drain` may stop early. */
  async skip(): Promise<void> {
    for await (const _ of this.chunks());
  }

  /**
   * Reads and discards the rest of the body. A client that is still sending when the response arrives sees a
   * broken connection instead of the response. Bounded by bytes and time: beyond that, the client is cut off.
   */
  async drain(): Promise<void> {
    const declared = Number(this.contentLength ?? 0);
    if (!this.stream || this.stream.locked || declared > MAX_DRAINED_BYTES) return;
    const maxBytes = this.contentLength === undefined ? MAX_DRAINED_UNDECLARED_BYTES : MAX_DRAINED_BYTES;
    if (this.#receivedBytes > maxBytes) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MAX_DRAIN_MILLISECONDS);
    });
    const readRest = async () => {
      for await (const _ of this.chunks()) if (this.#receivedBytes > maxBytes) return;
    };
    // A client that has disconnected, or a body that was read to its end, leaves nothing to read.
    await Promise.race([readRest().catch(() => {}), timeout]);
    if (timer !== undefined) clearTimeout(timer);
  }
}

/** Returns the refusal of a body whose client disconnected. */
export function uploadInterrupted(): Refusal {
  return new Refusal(
    "upload_interrupted",
    "The connection closed before the whole body arrived. Nothing was stored; send the request again.",
  );
}

/** Returns the refusal of a body whose media type is not the `expected` one. */
export function unsupportedMediaType({ contentType }: RequestBody, expected: string): Refusal {
  const received = contentType ? `"${contentType.slice(0, 100)}"` : "missing";
  return new Refusal("unsupported_media_type", `The Content-Type is ${received}; expected ${expected}.`);
}
