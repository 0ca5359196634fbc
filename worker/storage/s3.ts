import { logFailure } from "../log.ts";
import type { Answer, Reply, StorageHttp } from "./http.ts";
import {
  countObjects,
  type Download,
  type DownloadOptions,
  folderPrefix,
  type ListOptions,
  type ListPage,
  type PartName,
  type PresignedUploadOptions,
  type PresignOptions,
  StorageError,
  type StorageProvider,
  type StoredObject,
  UnsatisfiableRange,
  type UploadOptions,
  type Usage,
} from "./provider.ts";
import { etagOf, IF_ABSENT, md5, NOT_IMPLEMENTED, S3Bucket, s3Document } from "./s3-bucket.ts";
import { S3Parts } from "./s3-parts.ts";
import type { S3SettingsBody } from "./settings.ts";
import { childrenOf, escapeXml, textOf, type XmlElement } from "./xml.ts";

/** A longer stream goes in parts, so that a fault costs one part and not everything. */
const MAX_SINGLE_BYTES = 16 * 2 ** 20;

/** Of a stream that goes in parts. One part is in memory at a time, and can be sent again. */
const PART_BYTES = 8 * 2 ** 20;

/** Keys in one listing, and in one bulk deletion. */
const PAGE_OBJECTS = 1000;

/** Some servers delete one object after another before they answer. */
const BULK_DELETION_SECONDS = 300;

/** Connections that a Worker may have open at a time. */
const MAX_CONNECTIONS = 6;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Any storage that speaks Amazon's S3: Ceph, MinIO, OpenStack Swift, Yandex Object Storage, R2, AWS.
 * S3 has no folders: one exists while an object's key passes through it, and `createFolder` stores an empty
 * object named like the folder with a slash at its end, which listings show as the folder only.
 *
 * `ifAbsent` is as good as the server: one that does not know conditional writes gets a look before the upload
 * in their place, and on one that decides them too early (OpenStack Swift) two uploads at once may both find
 * the key free.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/
 */
export class S3Storage implements StorageProvider {
  readonly parts: S3Parts;
  readonly #bucket: S3Bucket;
  #knowsBulkDeletion = true;

  /** @param now milliseconds since 1970; signatures carry the time */
  constructor(settings: S3SettingsBody, http: StorageHttp, now: () => number = Date.now) {
    this.#bucket = new S3Bucket(settings, http, now);
    this.parts = new S3Parts(this.#bucket);
  }

  async upload(
    key: string,
    body: Bytes | ReadableStream,
    { length, contentType, ifAbsent = false }: UploadOptions,
  ): Promise<void> {
    // Sooner than the server would say it: before anything is sent.
    if (ifAbsent && (await this.head(key))) {
      throw new StorageError("conflict", `There is a file "${key}" already.`);
    }
    if (body instanceof Uint8Array) {
      if (body.length !== length) throw new RangeError(`Expected ${length} bytes, got ${body.length}.`);
      await this.#put(key, body, contentType, ifAbsent);
    } else if (length > MAX_SINGLE_BYTES) {
      await this.#putInParts(key, body, length, contentType, ifAbsent);
    } else if (ifAbsent) {
      // Held in memory, for a server that does not know the condition needs the bytes a second time.
      for await (const whole of inPieces(body, length, length)) {
        await this.#put(key, whole, contentType, ifAbsent);
      }
    } else {
      const headers = { "Content-Type": contentType };
      const stream = { stream: body, length };
      await this.#bucket.send({ method: "PUT", key: this.#bucket.keyOf(key), headers, body: stream });
    }
  }

  async #put(key: string, body: Bytes, contentType: string, ifAbsent: boolean): Promise<void> {
    const request = { method: "PUT", key: this.#bucket.keyOf(key), body } as const;
    const headers = { "Content-Type": contentType };
    if (ifAbsent) {
      const reply = await this.#bucket.ask({ ...request, headers: { ...headers, ...IF_ABSENT } });
      if (reply.status === 200) return;
      if (reply.status !== NOT_IMPLEMENTED) throw this.#bucket.error(reply);
    }
    await this.#bucket.send({ ...request, headers });
  }

  async #putInParts(
    key: string,
    body: ReadableStream<Uint8Array>,
    length: number,
    contentType: string,
    ifAbsent: boolean,
  ): Promise<void> {
    const most = PART_BYTES * this.parts.maxParts;
    if (length > most) throw new RangeError(`A stream brings ${length} bytes; expected at most ${most}.`);
    const id = await this.parts.start(key, contentType);
    try {
      const done: PartName[] = [];
      for await (const piece of inPieces(body, length, PART_BYTES)) {
        const number = done.length + 1;
        done.push({ number, etag: await this.parts.put(key, id, number, piece, piece.length) });
      }
      await this.parts.finish(key, id, done, ifAbsent);
    } catch (error) {
      await this.parts.abort(key, id).catch((trouble) => {
        logFailure("The parts of a failed upload were left behind", trouble);
      });
      throw error;
    }
  }

  async download(key: string, { range, ifMatch }: DownloadOptions = {}): Promise<Download | null> {
    // A suffix of no bytes cannot be written down.
    if (range && "last" in range && range.last <= 0) return this.#outOfRange(key);
    const headers: Record<string, string> = {};
    if (ifMatch !== undefined) headers["If-Match"] = `"${ifMatch}"`;
    if (range) headers.Range = rangeHeader(range);
    const answer = await this.#bucket.open({ method: "GET", key: this.#bucket.keyOf(key), headers });
    if (answer.status === 200 || answer.status === 206) return this.#opened(key, answer, range, ifMatch);
    const reply = await readAll(answer);
    if (reply.status === 416) return this.#outOfRange(key);
    const error = this.#bucket.error(reply);
    if (error.code === "not_found") return null;
    throw error;
  }

  async #opened(
    key: string,
    answer: Answer,
    range: DownloadOptions["range"],
    ifMatch: string | undefined,
  ): Promise<Download> {
    try {
      const { headers, body } = answer;
      const span = answer.status === 206 ? spanOf(headers) : null;
      const facts = factsOf(key, span?.size ?? sizeOf(headers), headers);
      if (ifMatch !== undefined && facts.etag !== ifMatch) {
        throw new StorageError("conflict", `The file "${key}" is another one now.`);
      }
      if (range && !span) {
        // Some servers do not call a range of an empty object unsatisfiable.
        if (facts.size === 0) throw new UnsatisfiableRange(0);
        throw new StorageError(
          "unavailable",
          "The storage sends a whole file where a part of it was asked for.",
        );
      }
      const bytes = span ? span.end - span.start + 1 : facts.size;
      const source = body ?? new Blob([]).stream();
      return {
        ...facts,
        // Whoever passes it on can say its length.
        body: source.pipeThrough(new FixedLengthStream(bytes)),
        range: span && { start: span.start, end: span.end },
      };
    } catch (error) {
      await answer.body?.cancel();
      throw error;
    }
  }

  /** Null when there is no object at all. */
  async #outOfRange(key: string): Promise<null> {
    const object = await this.head(key);
    if (object) throw new UnsatisfiableRange(object.size);
    return null;
  }

  async head(key: string): Promise<StoredObject | null> {
    const request = { key: this.#bucket.keyOf(key) };
    const reply = await this.#bucket.ask({ ...request, method: "HEAD" });
    if (reply.status === 200) return factsOf(key, sizeOf(reply.headers), reply.headers);
    if (reply.status === 404) return null;
    // Such an answer has no body that would say why; the same question by GET has.
    const answer = await this.#bucket.open({ ...request, method: "GET", headers: { Range: "bytes=0-0" } });
    throw this.#bucket.error(answer.status >= 300 ? await readAll(answer) : reply);
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    const all = typeof keys === "string" ? [keys] : keys;
    for (let from = 0; from < all.length; from += PAGE_OBJECTS) {
      const some = all.slice(from, from + PAGE_OBJECTS);
      const left = some.length > 1 && this.#knowsBulkDeletion ? await this.#deleteInBulk(some) : some;
      for (let next = 0; next < left.length; next += MAX_CONNECTIONS) {
        await Promise.all(left.slice(next, next + MAX_CONNECTIONS).map((key) => this.#deleteOne(key)));
      }
    }
  }

  async #deleteOne(key: string): Promise<void> {
    const reply = await this.#bucket.ask({ method: "DELETE", key: this.#bucket.keyOf(key) });
    if (reply.status < 300) return;
    const error = this.#bucket.error(reply);
    if (error.code !== "not_found") throw error;
  }

  /** @returns the keys that are left; deleted one by one they tell what is wrong with them */
  async #deleteInBulk(keys: readonly string[]): Promise<readonly string[]> {
    const names = keys.map((key) => this.#bucket.keyOf(key));
    const objects = names.map((name) => `<Object><Key>${escapeXml(name)}</Key></Object>`);
    const body = s3Document("Delete", `<Quiet>true</Quiet>${objects.join("")}`);
    const digest = await md5(new TextEncoder().encode(body));
    const reply = await this.#bucket.ask({
      method: "POST",
      query: { delete: "" },
      // S3 demands a checksum here, and this is the one that every server knows.
      headers: { "Content-Type": "application/xml", "Content-MD5": btoa(String.fromCharCode(...digest)) },
      body,
      silenceSeconds: BULK_DELETION_SECONDS,
      idempotent: true,
    });
    if (reply.status !== 200) {
      this.#knowsBulkDeletion = false;
      return keys;
    }
    const errors = childrenOf(this.#bucket.xml(reply, "DeleteResult"), "Error");
    const failed = new Set(errors.map((element) => textOf(element, "Key")));
    const left = keys.filter((_, i) => failed.has(names[i]));
    return left.length === errors.length ? left : keys;
  }

  async list(
    folder: string,
    { recursive = false, cursor, limit = PAGE_OBJECTS }: ListOptions = {},
  ): Promise<ListPage> {
    const query: Record<string, string> = {
      "list-type": "2",
      // XML cannot hold every character of a key.
      "encoding-type": "url",
      "max-keys": String(limit),
      prefix: this.#bucket.prefix + folderPrefix(folder),
    };
    if (!recursive) query.delimiter = "/";
    if (cursor !== undefined) query["continuation-token"] = cursor;
    const result = this.#bucket.xml(await this.#bucket.send({ method: "GET", query }), "ListBucketResult");
    const isEncoded = textOf(result, "EncodingType") === "url";
    const keyIn = (element: XmlElement, name: string) => {
      const text = textOf(element, name) ?? "";
      return (isEncoded ? decodeKey(text) : text).slice(this.#bucket.prefix.length);
    };
    const objects = childrenOf(result, "Contents").map((element) => ({
      key: keyIn(element, "Key"),
      size: Number(textOf(element, "Size")),
      etag: etagOf(textOf(element, "ETag")),
      modifiedAt: Date.parse(textOf(element, "LastModified") ?? ""),
    }));
    const next = textOf(result, "IsTruncated") === "true" ? textOf(result, "NextContinuationToken") : null;
    return {
      objects: objects.filter(({ key }) => !key.endsWith("/")),
      folders: childrenOf(result, "CommonPrefixes").map((element) => keyIn(element, "Prefix").slice(0, -1)),
      cursor: next,
    };
  }

  async createFolder(folder: string): Promise<void> {
    const prefix = folderPrefix(folder);
    if (prefix === "") return;
    const headers = { "Content-Type": "application/x-directory" };
    const key = this.#bucket.prefix + prefix;
    await this.#bucket.send({ method: "PUT", key, headers, body: new Uint8Array() });
  }

  usage(folder: string): Promise<Usage> {
    return countObjects(this, folder);
  }

  /** S3 does not tell. */
  async quota(): Promise<null> {
    return null;
  }

  /** Whether the bucket is public is not for its keys to say. */
  publicUrl(): null {
    return null;
  }

  presignedUrl(
    key: string,
    seconds: number,
    { contentType, fileName }: PresignOptions = {},
  ): Promise<string> {
    const query: Record<string, string> = {};
    if (contentType !== undefined) query["response-content-type"] = contentType;
    if (fileName !== undefined) query["response-content-disposition"] = inlineAs(fileName);
    return this.#bucket.presign("GET", this.#bucket.keyOf(key), seconds, { query });
  }

  presignedUpload(
    key: string,
    seconds: number,
    { length, contentType }: PresignedUploadOptions,
  ): Promise<string> {
    const headers = { "Content-Length": String(length), "Content-Type": contentType };
    return this.#bucket.presign("PUT", this.#bucket.keyOf(key), seconds, { headers });
  }
}

/** A stream's bytes in pieces of one size, the last one smaller; of no bytes one empty piece. */
async function* inPieces(
  source: ReadableStream<Uint8Array>,
  length: number,
  pieceBytes: number,
): AsyncGenerator<Bytes> {
  const reader = source.getReader();
  try {
    let left = length;
    let piece = new Uint8Array(Math.min(pieceBytes, left));
    let filled = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > left) {
        throw new RangeError(`Expected ${length} bytes, got ${length - left + value.length} or more.`);
      }
      for (let chunk = value; chunk.length > 0; ) {
        // Not before there is more: what the last piece belongs to is known to be whole only at the end.
        if (filled === piece.length) {
          yield piece;
          piece = new Uint8Array(Math.min(pieceBytes, left));
          filled = 0;
        }
        const part = chunk.subarray(0, piece.length - filled);
        piece.set(part, filled);
        filled += part.length;
        left -= part.length;
        chunk = chunk.subarray(part.length);
      }
    }
    if (left > 0) throw new RangeError(`Expected ${length} bytes, got ${length - left}.`);
    yield piece;
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function readAll(answer: Answer): Promise<Reply> {
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

function rangeHeader(range: NonNullable<DownloadOptions["range"]>): string {
  return "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`;
}

function factsOf(key: string, size: number, headers: Headers): StoredObject {
  const modifiedAt = Date.parse(headers.get("last-modified") ?? "");
  return { key, size, etag: etagOf(headers.get("etag")), modifiedAt };
}

function sizeOf(headers: Headers): number {
  const length = headers.get("content-length") ?? "";
  if (!/^\d+$/.test(length))
    throw new StorageError("unavailable", "The storage does not say how large a file is.");
  return Number(length);
}

function spanOf(headers: Headers): { start: number; end: number; size: number } {
  const contentRange = headers.get("content-range") ?? "";
  const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange) ?? [];
  if (size === undefined) {
    throw new StorageError("unavailable", "The storage does not say which part of a file it sends.");
  }
  return { start: Number(start), end: Number(end), size: Number(size) };
}

/** Servers write a space as `%20` or as `+`, and a plus always as `%2B`. */
function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

/** RFC 6266; the plain name is for whoever does not know the other one. */
function inlineAs(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, "_");
  const exact = encodeURIComponent(fileName).replace(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `inline; filename="${plain}"; filename*=UTF-8''${exact}`;
}
