const CHUNK_BYTES = 262_144;

export interface ChunkReader {
  read(): Promise<{ readonly done: false; readonly value: Uint8Array } | { readonly done: true }>;
  cancel(reason?: unknown): Promise<void>;
  /** Unlocks the stream, so that another reader can read the rest. */
  release(): void;
}

/**
 * Returns a reader that gets large chunks where the stream supports that. From the platform's own streams, a reader
 * without a buffer gets 4 KB at a time: 500,000 reads for a video of 2 GB.
 */
export function readChunks(body: ReadableStream<Uint8Array>): ChunkReader {
  const { reader, next } = open(body);
  return {
    async read() {
      const { done, value } = await next();
      return done || !value ? { done: true } : { done: false, value };
    },
    cancel: (reason) => reader.cancel(reason),
    release: () => reader.releaseLock(),
  };
}

function open(body: ReadableStream<Uint8Array>) {
  try {
    const reader = body.getReader({ mode: "byob" });
    let spare: ArrayBuffer | undefined;
    const next = async () => {
      const { done, value } = await reader.read(new Uint8Array(spare ?? new ArrayBuffer(CHUNK_BYTES)));
      spare = undefined;
      if (done || value.length > CHUNK_BYTES / 2) return { done, value };
      // A caller that keeps a few bytes would keep the whole buffer.
      spare = value.buffer as ArrayBuffer;
      return { done, value: value.slice() };
    };
    return { reader, next };
  } catch {
    // Not a byte stream: it yields its own chunks.
    const reader = body.getReader();
    return { reader, next: () => reader.read() };
  }
}

/** Returns the first bytes of a body, at most `most`, and cancels the rest: a storage may send more than it was asked for. */
export async function readBeginning(
  body: ReadableStream<Uint8Array>,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = readChunks(body);
  const chunks: Uint8Array[] = [];
  let left = most;
  while (left > 0) {
    const part = await reader.read();
    if (part.done) return joinChunks(chunks);
    chunks.push(part.value.subarray(0, left));
    left -= part.value.length;
  }
  await reader.cancel();
  return joinChunks(chunks);
}

/** Joins chunks into one array. */
export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
