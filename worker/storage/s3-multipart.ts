import { hex } from "../sha256.ts";
import {
  type Body,
  type CompletedPart,
  checkLength,
  type MultipartUploads,
  type PartTarget,
  StorageError,
  type UploadedPart,
  unknownUpload,
} from "./provider.ts";
import { etagOf, IF_ABSENT, md5, NOT_IMPLEMENTED, type S3Bucket, s3Document } from "./s3-bucket.ts";
import { childrenOf, escapeXml, textOf } from "./xml.ts";

/** Assembling the parts can take a server minutes. */
const COMPLETE_SECONDS = 120;

/** Of all pages of a list of parts: four times those of 10,000 parts. */
const MAX_LIST_CHARACTERS = 10_000_000;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
export class S3MultipartUploads implements MultipartUploads {
  readonly minBytes = 5 * 2 ** 20;
  readonly maxParts = 10_000;
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async start(key: string, contentType: string): Promise<string> {
    const reply = await this.#bucket.send({
      method: "POST",
      key: this.#bucket.keyOf(key),
      query: { uploads: "" },
      headers: { "Content-Type": contentType, ...this.#bucket.creationHeaders },
      body: "",
      // A repeated request leaves an upload without parts behind, which takes no space.
      idempotent: true,
    });
    const id = textOf(this.#bucket.xml(reply, "InitiateMultipartUploadResult"), "UploadId");
    if (!id)
      throw new StorageError(
        "unavailable",
        "The storage started a multipart upload without returning its id.",
      );
    return id;
  }

  async put({ key, uploadId, number }: PartTarget, body: Body, length: number): Promise<string> {
    checkLength(body, length);
    const request = {
      method: "PUT",
      key: this.#bucket.keyOf(key),
      query: { partNumber: String(number), uploadId },
    } as const;
    const reply =
      body instanceof Uint8Array
        ? await this.#bucket.putBytes({ ...request, body })
        : await this.#bucket.ask({ ...request, body: { stream: body, length } });
    if (reply.status !== 200) throw this.#bucket.error(reply);
    return etagOf(reply.headers.get("etag"));
  }

  presign({ key, uploadId, number }: PartTarget, seconds: number, length: number): Promise<string> {
    const query = { partNumber: String(number), uploadId };
    const headers = { "Content-Length": String(length) };
    return this.#bucket.presign("PUT", this.#bucket.keyOf(key), seconds, { query, headers });
  }

  /** Null for servers that cannot list parts, such as wrangler's local R2. */
  async list(key: string, uploadId: string): Promise<UploadedPart[] | null> {
    const parts: UploadedPart[] = [];
    let [last, characters] = [0, 0];
    for (;;) {
      const query: Record<string, string> = { uploadId };
      if (last > 0) query["part-number-marker"] = String(last);
      const reply = await this.#bucket.ask({ method: "GET", key: this.#bucket.keyOf(key), query });
      if (reply.status === NOT_IMPLEMENTED) return null;
      if (reply.status !== 200) throw this.#bucket.error(reply);
      const result = this.#bucket.xml(reply, "ListPartsResult");
      for (const element of childrenOf(result, "Part")) {
        parts.push({
          number: Number(textOf(element, "PartNumber")),
          etag: etagOf(textOf(element, "ETag")),
          size: Number(textOf(element, "Size")),
        });
      }
      const next = textOf(result, "IsTruncated") === "true" ? textOf(result, "NextPartNumberMarker") : null;
      if (next === null && parts.length <= this.maxParts) return parts;
      // A server may send pages without end. Texts of their elements keep whole pages in memory.
      characters += reply.text.length;
      const goesOn =
        Number(next) > last && parts.length <= this.maxParts && characters <= MAX_LIST_CHARACTERS;
      if (!goesOn) {
        throw new StorageError(
          "unavailable",
          `The storage lists more than ${this.maxParts} parts of an upload, or the same parts again.`,
        );
      }
      last = Number(next);
    }
  }

  async complete(key: string, uploadId: string, parts: readonly CompletedPart[]): Promise<void> {
    await this.finish(key, uploadId, parts, false);
  }

  /** Completes an upload. With `ifAbsent`, rejects with `conflict` when the object already exists. */
  async finish(
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    ifAbsent: boolean,
  ): Promise<void> {
    const inOrder = parts.toSorted((a, b) => a.number - b.number);
    const named = inOrder.map(({ number, etag }) => {
      return `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(`"${etag}"`)}</ETag></Part>`;
    });
    const request = {
      method: "POST",
      key: this.#bucket.keyOf(key),
      query: { uploadId },
      body: s3Document("CompleteMultipartUpload", named.join("")),
      silenceSeconds: COMPLETE_SECONDS,
      // Most servers still know an upload for a while after it was completed; for the others see #isMadeOf.
      idempotent: true,
    } as const;
    const headers = { "Content-Type": "application/xml" };
    let reply = await this.#bucket.ask({
      ...request,
      headers: ifAbsent ? { ...headers, ...IF_ABSENT } : headers,
    });
    if (ifAbsent && reply.status === NOT_IMPLEMENTED) reply = await this.#bucket.ask({ ...request, headers });
    if (reply.status === 200) {
      // The server sends the status before it assembles the parts, which may still fail.
      this.#bucket.xml(reply, "CompleteMultipartUploadResult");
      return;
    }
    const error = this.#bucket.error(reply);
    const isGone =
      error.code === "not_found" || (error.code === "unavailable" && (await this.#isGone(key, uploadId)));
    if (!isGone) throw error;
    if (await this.#isMadeOf(key, inOrder)) return;
    throw unknownUpload(error.providerMessage);
  }

  /** Ceph reports an unknown upload as a general failure, but says "not found" when its parts are listed. */
  async #isGone(key: string, uploadId: string): Promise<boolean> {
    try {
      await this.list(key, uploadId);
      return false;
    } catch (error) {
      return error instanceof StorageError && error.code === "not_found";
    }
  }

  async abort(key: string, uploadId: string): Promise<void> {
    const request = { method: "DELETE", key: this.#bucket.keyOf(key), query: { uploadId } } as const;
    const reply = await this.#bucket.ask(request);
    if (reply.status < 300) return;
    const error = this.#bucket.error(reply);
    if (error.code !== "not_found") throw error;
  }

  /**
   * Returns whether an object was made of these parts: then an earlier request completed the upload, and its response
   * was lost. The etag of such an object is the MD5 of the parts' MD5s, and the number of parts.
   */
  async #isMadeOf(key: string, parts: readonly CompletedPart[]): Promise<boolean> {
    const digests = parts.map(({ etag }) => etag).join("");
    if (!/^([0-9a-f]{32})+$/.test(digests)) return false;
    const bytes = Uint8Array.from(digests.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const { status, headers } = await this.#bucket.ask({ method: "HEAD", key: this.#bucket.keyOf(key) });
    return status === 200 && etagOf(headers.get("etag")) === `${hex(await md5(bytes))}-${parts.length}`;
  }
}
