import {
  type ByteRange,
  type Download,
  type ListOptions,
  type ListPage,
  type StorageProvider,
  type StoredObject,
  UnsatisfiableRange,
  type UploadOptions,
} from "./provider.ts";

const PAGE_OBJECTS = 1000;

/**
 * Cloudflare R2 through its Workers binding; under `wrangler dev` it lives on the local disk.
 * R2 has no folders: one exists while an object's key passes through it, and `createFolder` stores an
 * empty object named like the folder with a slash at its end, which listings show as the folder only.
 */
export class R2Storage implements StorageProvider {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async testConnection(): Promise<void> {
    const key = `.vivimark-probe-${crypto.randomUUID()}`;
    await this.#bucket.put(key, key);
    try {
      const read = await (await this.#bucket.get(key))?.text();
      if (read !== key) throw new Error(`R2 answered ${JSON.stringify(read)} for a probe it had stored.`);
    } finally {
      await this.#bucket.delete(key);
    }
  }

  async upload(
    key: string,
    body: Uint8Array<ArrayBuffer> | ReadableStream,
    { length, contentType }: UploadOptions,
  ): Promise<void> {
    const options = { httpMetadata: { contentType } };
    if (body instanceof Uint8Array) {
      if (body.length !== length) throw new RangeError(`Expected ${length} bytes, got ${body.length}.`);
      await this.#bucket.put(key, body, options);
      return;
    }
    // R2 takes only streams whose length is known, and stores what came once that many bytes did.
    const { readable, writable } = new FixedLengthStream(length);
    const pumped = body.pipeThrough(exactly(length)).pipeTo(writable);
    const [, put] = await Promise.allSettled([pumped, this.#bucket.put(key, readable, options)]);
    await pumped;
    if (put.status === "rejected") throw put.reason;
  }

  async download(key: string, range?: ByteRange): Promise<Download | null> {
    if (range === undefined) {
      const object = await this.#bucket.get(key);
      return object && { ...factsOf(object), body: object.body, range: null };
    }
    const size = (await this.#bucket.head(key))?.size;
    if (size === undefined) return null;
    const start = "last" in range ? Math.max(0, size - range.last) : range.start;
    const end = "last" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1);
    if (start > end) throw new UnsatisfiableRange(size);
    const object = await this.#bucket.get(key, { range: { offset: start, length: end - start + 1 } });
    return object && { ...factsOf(object), body: object.body, range: { start, end } };
  }

  async head(key: string): Promise<StoredObject | null> {
    const object = await this.#bucket.head(key);
    return object && factsOf(object);
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    if (typeof keys === "string") return this.#bucket.delete(keys);
    for (let from = 0; from < keys.length; from += PAGE_OBJECTS) {
      await this.#bucket.delete(keys.slice(from, from + PAGE_OBJECTS));
    }
  }

  async list(
    folder: string,
    { recursive = false, cursor, limit = PAGE_OBJECTS }: ListOptions = {},
  ): Promise<ListPage> {
    const page = await this.#bucket.list({
      prefix: prefixOf(folder),
      limit,
      cursor,
      ...(recursive ? {} : { delimiter: "/" }),
    });
    return {
      objects: page.objects.filter(({ key }) => !key.endsWith("/")).map(factsOf),
      folders: page.delimitedPrefixes.map((prefix) => prefix.slice(0, -1)),
      cursor: page.truncated ? page.cursor : null,
    };
  }

  async createFolder(folder: string): Promise<void> {
    await this.#bucket.put(prefixOf(folder), "");
  }

  async usage(folder: string): Promise<{ objects: number; bytes: number }> {
    let objects = 0;
    let bytes = 0;
    let cursor: string | undefined;
    do {
      const page = await this.list(folder, { recursive: true, cursor });
      objects += page.objects.length;
      for (const { size } of page.objects) bytes += size;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return { objects, bytes };
  }

  /** The binding knows no public address: the edge serves the files itself under /media. */
  publicUrl(): null {
    return null;
  }

  /** The binding cannot sign; R2's S3 endpoint can, with keys of its own. */
  async presignedUrl(): Promise<null> {
    return null;
  }
}

/** Lets the last chunk through only when the stream ends behind it, and errors for any other length. */
function exactly(length: number): TransformStream<Uint8Array, Uint8Array> {
  let received = 0;
  let held: Uint8Array | undefined;
  return new TransformStream({
    transform(chunk, controller) {
      received += chunk.length;
      if (received > length) throw new RangeError(`Expected ${length} bytes, got ${received} or more.`);
      if (held) controller.enqueue(held);
      held = chunk;
    },
    flush(controller) {
      if (received < length) throw new RangeError(`Expected ${length} bytes, got ${received}.`);
      if (held) controller.enqueue(held);
    },
  });
}

function factsOf({ key, size, etag, uploaded }: R2Object): StoredObject {
  return { key, size, etag, modifiedAt: uploaded.getTime() };
}

function prefixOf(folder: string): string {
  return folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
}
