import { logFailure } from "../log.ts";
import { type Answer, readReply, type StorageHttp } from "./http.ts";
import {
  alreadyExists,
  type Body,
  type CompletedPart,
  checkLength,
  countObjects,
  type Download,
  type DownloadOptions,
  folderPrefix,
  hasChanged,
  type KeptBytes,
  type ListOptions,
  type ListPage,
  type PresignedUploadOptions,
  type PresignOptions,
  StorageError,
  type StorageProvider,
  type StoredObject,
  UnsatisfiableRange,
  type UploadOptions,
  type Usage,
} from "./provider.ts";
import { etagOf, IF_ABSENT, md5Base64, NOT_IMPLEMENTED, S3Bucket, s3Document } from "./s3-bucket.ts";
import { S3MultipartUploads } from "./s3-multipart.ts";
import type { S3SettingsBody } from "./settings.ts";
import { childrenOf, escapeXml, textOf, type XmlElement } from "./xml.ts";

/**
 * Longer streams are sent by a multipart upload with parts of this size, or of S3's smallest where their memory is
 * counted. One part, or a whole shorter stream, is in memory at a time, so that it can be sent again after a network
 * fault.
 */
const PART_BYTES = 8 * 2 ** 20;

/** S3's limit of keys per listing, and per bulk deletion. */
const PAGE_OBJECTS = 1000;

/** Most pages of a folder that is deleted: a hundred times the files of a photo. A server may list deleted files again. */
const MAX_DELETED_PAGES = 100;

/** Some servers delete the objects one by one before they respond. */
const BULK_DELETION_SECONDS = 120;

/** Connections that a Worker may have open at a time. */
const MAX_CONNECTIONS = 6;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Any S3-compatible storage: Ceph, MinIO, OpenStack Swift, Yandex Object Storage, R2, AWS. S3 has no folders: a folder
 * exists while a key has it as a prefix. `createFolder` stores an empty object whose key is the folder with a slash at
 * the end; listings show that as a folder only.
 *
 * `ifAbsent` depends on the server. On a server without conditional writes it is a check before the upload; on one
 * that evaluates the condition too early (OpenStack Swift) two simultaneous uploads may both pass it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/
 */
export class S3Storage implements StorageProvider {
  readonly multipart: S3MultipartUploads;
  readonly #bucket: S3Bucket;
  #hasBulkDeletion = true;

  /** @param now milliseconds since 1970, for signatures */
  constructor(settings: S3SettingsBody, http: StorageHttp, now: () => number = Date.now) {
    this.#bucket = new S3Bucket(settings, http, now);
    this.multipart = new S3MultipartUploads(this.#bucket);
  }

  async upload(key: string, body: Body, options: UploadOptions): Promise<void> {
    const { length, contentType, ifAbsent = false, kept } = options;
    checkLength(body, length);
    // Refuses before anything is sent, which the server could not.
    if (ifAbsent && (await this.head(key))) throw alreadyExists(key);
    if (body instanceof Uint8Array) {
      await this.#put(key, body, contentType, ifAbsent);
    } else if (length > (kept ? this.multipart.minBytes : PART_BYTES)) {
      await this.#putMultipart(key, body, options);
    } else {
      for await (const whole of inPieces(body, { length, pieceBytes: length, kept })) {
        await this.#put(key, whole, contentType, ifAbsent);
      }
    }
  }

  async #put(key: string, body: Bytes, contentType: string, ifAbsent: boolean): Promise<void> {
    const request = { method: "PUT", key: this.#bucket.keyOf(key), body } as const;
    const headers = { "Content-Type": contentType, ...this.#bucket.creationHeaders };
    const conditions = ifAbsent ? [IF_ABSENT, {}] : [{}];
    for (const condition of conditions) {
      const reply = await this.#bucket.putBytes({ ...request, headers: { ...headers, ...condition } });
      if (reply.status === 200) return;
      if (reply.status !== NOT_IMPLEMENTED || condition !== IF_ABSENT) throw this.#bucket.error(reply);
    }
  }

  async #putMultipart(
    key: string,
    body: ReadableStream<Uint8Array>,
    { length, contentType, ifAbsent = false, kept }: UploadOptions,
  ): Promise<void> {
    const pieceBytes = kept ? this.multipart.minBytes : PART_BYTES;
    const most = pieceBytes * this.multipart.maxParts;
    if (length > most) throw new RangeError(`The stream has ${length} bytes; expected at most ${most}.`);
    const id = await this.multipart.start(key, contentType);
    try {
      const done: CompletedPart[] = [];
      for await (const piece of inPieces(body, { length, pieceBytes, kept })) {
        const number = done.length + 1;
        const part = { key, uploadId: id, number };
        done.push({ number, etag: await this.multipart.put(part, piece, piece.length) });
      }
      await this.multipart.finish(key, id, done, ifAbsent);
    } catch (error) {
      await this.multipart.abort(key, id).catch((abortError) => {
        logFailure("The parts of a failed upload could not be deleted", abortError);
      });
      throw error;
    }
  }

  async download(key: string, { range, ifMatch }: DownloadOptions = {}): Promise<Download | null> {
    // A Range header cannot ask for the last 0 bytes.
    if (range && "last" in range && range.last <= 0) return this.#rejectRange(key);
    const headers: Record<string, string> = {};
    if (ifMatch !== undefined) headers["If-Match"] = `"${ifMatch}"`;
    if (range) headers.Range = rangeHeader(range);
    const answer = await this.#bucket.open({ method: "GET", key: this.#bucket.keyOf(key), headers });
    if (answer.status === 200 || answer.status === 206)
      return this.#downloadOf(key, answer, { range, ifMatch });
    const reply = await readReply(answer);
    if (reply.status === 416) return this.#rejectRange(key);
    const error = this.#bucket.error(reply);
    if (error.code === "not_found") return null;
    throw error;
  }

  async #downloadOf(key: string, answer: Answer, { range, ifMatch }: DownloadOptions): Promise<Download> {
    try {
      const { headers, body } = answer;
      const sent = answer.status === 206 ? contentRange(headers) : null;
      const object = toStoredObject(key, sent?.size ?? contentLength(headers), headers);
      if (ifMatch !== undefined && object.etag !== ifMatch) throw hasChanged(key);
      if (range && !sent) {
        // Some servers send an empty object whole, instead of calling the range unsatisfiable.
        if (object.size === 0) throw new UnsatisfiableRange(0);
        throw new StorageError("unavailable", "The storage sends the whole file instead of the range.");
      }
      const bytes = sent ? sent.end - sent.start + 1 : object.size;
      const source = body ?? new Blob([]).stream();
      return {
        ...object,
        // Responses that pass the body on have a Content-Length.
        body: source.pipeThrough(new FixedLengthStream(bytes)),
        range: sent && { start: sent.start, end: sent.end },
      };
    } catch (error) {
      await answer.body?.cancel();
      throw error;
    }
  }

  /** Returns null when the object does not exist. @throws UnsatisfiableRange when it does */
  async #rejectRange(key: string): Promise<null> {
    const object = await this.head(key);
    if (object) throw new UnsatisfiableRange(object.size);
    return null;
  }

  async head(key: string): Promise<StoredObject | null> {
    const request = { key: this.#bucket.keyOf(key) };
    const reply = await this.#bucket.ask({ ...request, method: "HEAD" });
    if (reply.status === 200) return toStoredObject(key, contentLength(reply.headers), reply.headers);
    if (reply.status === 404 && this.#bucket.isSeen) return null;
    // A response to HEAD has no body with the reason, which may be that the bucket is missing. The same request by GET
    // has one.
    const answer = await this.#bucket.open({ ...request, method: "GET", headers: { Range: "bytes=0-0" } });
    if (answer.status < 300) {
      await answer.body?.cancel();
      // Stored in between, by another request.
      if (reply.status === 404) return this.head(key);
      throw this.#bucket.error(reply);
    }
    const error = this.#bucket.error(await readReply(answer));
    if (error.code !== "not_found") throw error;
    this.#bucket.see();
    return null;
  }

  async delete(keys: string | readonly string[]): Promise<void> {
    const all = typeof keys === "string" ? [keys] : keys;
    await this.#deleteNames(all.map((key) => this.#bucket.keyOf(key)));
  }

  /** Deletes objects by their full names in the bucket. */
  async #deleteNames(all: readonly string[]): Promise<void> {
    for (let from = 0; from < all.length; from += PAGE_OBJECTS) {
      const some = all.slice(from, from + PAGE_OBJECTS);
      const left = some.length > 1 && this.#hasBulkDeletion ? await this.#deleteInBulk(some) : some;
      for (let next = 0; next < left.length; next += MAX_CONNECTIONS) {
        await Promise.all(left.slice(next, next + MAX_CONNECTIONS).map((name) => this.#deleteOne(name)));
      }
    }
  }

  async #deleteOne(name: string): Promise<void> {
    const reply = await this.#bucket.ask({ method: "DELETE", key: name });
    if (reply.status < 300) return;
    const error = this.#bucket.error(reply);
    if (error.code !== "not_found") throw error;
  }

  /** Returns the names that were not deleted. Deleting them one by one reports what is wrong. */
  async #deleteInBulk(names: readonly string[]): Promise<readonly string[]> {
    const objects = names.map((name) => `<Object><Key>${escapeXml(name)}</Key></Object>`);
    const body = s3Document("Delete", `<Quiet>true</Quiet>${objects.join("")}`);
    const reply = await this.#bucket.ask({
      method: "POST",
      query: { delete: "" },
      // S3 requires a checksum here; MD5 is the one that every server supports.
      headers: {
        "Content-Type": "application/xml",
        "Content-MD5": await md5Base64(new TextEncoder().encode(body)),
      },
      body,
      silenceSeconds: BULK_DELETION_SECONDS,
      idempotent: true,
    });
    if (reply.status !== 200) {
      this.#hasBulkDeletion = false;
      return names;
    }
    // Yandex Object Storage leaves the result out when it has no error to report.
    if (reply.text.trim() === "") return [];
    const errors = childrenOf(this.#bucket.xml(reply, "DeleteResult"), "Error");
    const failed = new Set(errors.map((element) => textOf(element, "Key")));
    const left = names.filter((name) => failed.has(name));
    return left.length === errors.length ? left : names;
  }

  async list(folder: string, options: ListOptions = {}): Promise<ListPage> {
    const page = await this.#page(folder, options);
    return { ...page, objects: page.objects.filter(({ key }) => !key.endsWith("/")) };
  }

  async deleteTree(folder: string): Promise<void> {
    const prefix = folderPrefix(folder);
    if (prefix === "") throw new RangeError("The root cannot be deleted.");
    for (let pages = 0; pages < MAX_DELETED_PAGES; pages++) {
      // Always the first page: the objects of the page before are deleted.
      const page = await this.#page(folder, { recursive: true });
      await this.#deleteNames(page.objects.map(({ key }) => this.#bucket.prefix + key));
      if (page.cursor === null) return;
    }
    throw new StorageError(
      "unavailable",
      `The storage still lists files after ${MAX_DELETED_PAGES} pages of them were deleted.`,
    );
  }

  /** Lists a folder as the server does: with the empty objects that stand for folders. */
  async #page(
    folder: string,
    { recursive = false, cursor, limit = PAGE_OBJECTS }: ListOptions,
  ): Promise<ListPage> {
    const query: Record<string, string> = {
      "list-type": "2",
      // XML cannot represent every character of a key.
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
      objects,
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

  /** S3 does not report it. */
  async quota(): Promise<null> {
    return null;
  }

  async allowUploadsFrom(origin: string): Promise<boolean> {
    const query = { cors: "" };
    const reply = await this.#bucket.ask({ method: "GET", query });
    let rules = "";
    if (reply.status === 200) {
      const root = this.#bucket.xml(reply, "CORSConfiguration");
      if (allowsUploads(childrenOf(root, "CORSRule"), origin)) return false;
      // As the server wrote them: a rule may have more than Vivimark knows.
      rules = /<CORSConfiguration[^>]*>([\s\S]*)<\/CORSConfiguration>/.exec(reply.text)?.[1] ?? "";
    } else if (!reply.text.includes("NoSuchCORSConfiguration")) throw this.#bucket.error(reply);
    const rule = `<CORSRule><AllowedOrigin>${escapeXml(origin)}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3600</MaxAgeSeconds></CORSRule>`;
    // The first rule that matches a request counts.
    const body = s3Document("CORSConfiguration", rule + rules);
    const digest = await md5Base64(new TextEncoder().encode(body));
    const headers = { "Content-Type": "application/xml", "Content-MD5": digest };
    await this.#bucket.send({ method: "PUT", query, headers, body });
    return true;
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

interface Pieces {
  /** Of the whole stream. */
  readonly length: number;
  readonly pieceBytes: number;
  /** Counts the piece in memory. */
  readonly kept: KeptBytes | undefined;
}

/** Splits a stream into pieces of one size; the last may be smaller. An empty stream yields one empty piece. */
async function* inPieces(
  source: ReadableStream<Uint8Array>,
  { length, pieceBytes, kept }: Pieces,
): AsyncGenerator<Bytes> {
  const reader = source.getReader();
  let piece = new Uint8Array(0);
  try {
    let left = length;
    const begin = async () => {
      const bytes = Math.min(pieceBytes, left);
      await kept?.add(bytes);
      piece = new Uint8Array(bytes);
    };
    let filled = 0;
    await begin();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > left) {
        throw new RangeError(`Expected ${length} bytes, got ${length - left + value.length} or more.`);
      }
      for (let chunk = value; chunk.length > 0; ) {
        // A full piece waits for the next byte: the last piece is yielded only once the length is known to be right.
        if (filled === piece.length) {
          yield piece;
          kept?.release(piece.length);
          piece = new Uint8Array(0);
          await begin();
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
    kept?.release(piece.length);
    reader.cancel().catch(() => {});
  }
}

function rangeHeader(range: NonNullable<DownloadOptions["range"]>): string {
  return "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`;
}

function toStoredObject(key: string, size: number, headers: Headers): StoredObject {
  const modifiedAt = Date.parse(headers.get("last-modified") ?? "");
  return { key, size, etag: etagOf(headers.get("etag")), modifiedAt };
}

function contentLength(headers: Headers): number {
  const length = headers.get("content-length") ?? "";
  if (!/^\d+$/.test(length)) {
    throw new StorageError("unavailable", "The storage sends a file without its Content-Length.");
  }
  return Number(length);
}

function contentRange(headers: Headers): { start: number; end: number; size: number } {
  const text = headers.get("content-range") ?? "";
  const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(text) ?? [];
  if (size === undefined) {
    throw new StorageError("unavailable", "The storage sends a range without its Content-Range.");
  }
  return { start: Number(start), end: Number(end), size: Number(size) };
}

/** Servers encode a space as `%20` or `+`, and a plus always as `%2B`. */
function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

/** Returns a Content-Disposition (RFC 6266) with an ASCII name for clients that do not know `filename*`. */
function inlineAs(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, "_");
  const exact = encodeURIComponent(fileName).replace(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `inline; filename="${plain}"; filename*=UTF-8''${exact}`;
}

/** Returns whether CORS rules allow the pages of an origin to upload. Servers return rules in their own notation. */
function allowsUploads(rules: readonly XmlElement[], origin: string): boolean {
  const has = (rule: XmlElement, name: string, ...values: readonly string[]) =>
    childrenOf(rule, name).some(({ text }) => values.includes(text.toLowerCase()));
  const first = rules.find(
    (rule) => has(rule, "AllowedOrigin", "*", origin.toLowerCase()) && has(rule, "AllowedMethod", "put"),
  );
  return first !== undefined && has(first, "AllowedHeader", "*") && has(first, "ExposeHeader", "etag");
}
