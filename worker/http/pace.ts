import { Refusal } from "../errors.ts";

/** The time in which an upload must bring `MIN_BYTES`: 8 kB per second, which a phone with a bad connection has. */
export const WINDOW_MILLISECONDS = 30_000;
export const MIN_BYTES = 245_760;

/** The minimum rate of one upload. Only the time in which the Worker waits for the client counts. */
export class Pace {
  #waitedMilliseconds = 0;
  #bytes = 0;

  /**
   * Waits for a chunk of the upload.
   *
   * @throws Refusal `upload_interrupted` when 30 s of waiting brought too few bytes, or the error of `read`
   */
  async next<Chunk extends { readonly done: boolean; readonly value?: Uint8Array | undefined }>(
    read: Promise<Chunk>,
  ): Promise<Chunk> {
    for (;;) {
      const started = Date.now();
      const chunk = await settled(read, WINDOW_MILLISECONDS - this.#waitedMilliseconds);
      this.#waitedMilliseconds += Date.now() - started;
      this.#bytes += chunk?.value?.length ?? 0;
      if (chunk?.done) return chunk;
      if (chunk === null || this.#waitedMilliseconds >= WINDOW_MILLISECONDS) this.#endWindow();
      if (chunk) return chunk;
    }
  }

  #endWindow(): void {
    if (this.#bytes < MIN_BYTES) throw tooSlow();
    this.#waitedMilliseconds = 0;
    this.#bytes = 0;
  }
}

/** Returns the result of `read`; null when it takes longer than `milliseconds`. */
async function settled<T>(read: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([read, late]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}

function tooSlow(): Refusal {
  return new Refusal(
    "upload_interrupted",
    `The upload was too slow: fewer than ${MIN_BYTES / 1024} KB in ${WINDOW_MILLISECONDS / 1000} s. Nothing was stored; send the request again over a faster connection.`,
  );
}
