import type { Refusal } from "../errors.ts";
import { Pace } from "../http/pace.ts";
import { uploadInterrupted } from "../http/request-body.ts";
import { type ChunkReader, readChunks } from "../storage/chunks.ts";

/** The body of a request on its way into a storage. */
export class IncomingVideo {
  readonly #reader: ChunkReader;
  readonly #peeked: Uint8Array[] = [];
  readonly #pace = new Pace();
  /** Why the client's upload ended early: it broke off or was too slow. The storage reports an error of its own. */
  interruption: Refusal | null = null;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = readChunks(body);
  }

  /** Returns the first bytes of the body, which `stream` contains too. */
  async peek(length: number): Promise<Uint8Array> {
    const head: number[] = [];
    while (head.length < length) {
      const chunk = await this.#read();
      if (!chunk) break;
      this.#peeked.push(chunk);
      head.push(...chunk.subarray(0, length - head.length));
    }
    return Uint8Array.from(head);
  }

  /** Returns the whole body. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const chunk = this.#peeked.shift() ?? (await this.#read());
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
      cancel: () => this.release(),
    });
  }

  /** Unlocks the body, so that the rest of it can be read elsewhere. */
  release(): void {
    this.#reader.release();
  }

  async #read(): Promise<Uint8Array | null> {
    const read = this.#reader.read().catch(() => {
      throw uploadInterrupted();
    });
    try {
      const chunk = await this.#pace.next(read);
      return chunk.done ? null : chunk.value;
    } catch (error) {
      // Both promises reject with a refusal only.
      this.interruption = error as Refusal;
      throw error;
    }
  }
}
