import { hex } from "../sha256.ts";
import { type PartName, type PartUploads, StorageError, type UploadedPart } from "./provider.ts";
import { etagOf, IF_ABSENT, md5, NOT_IMPLEMENTED, type S3Bucket, s3Document } from "./s3-bucket.ts";
import { childrenOf, escapeXml, textOf } from "./xml.ts";

/** Putting the parts together may take a server minutes. */
const COMPLETE_SECONDS = 300;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
export class S3Parts implements PartUploads {
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
      headers: { "Content-Type": contentType },
      body: "",
      // A second one leaves an upload without parts behind, which holds nothing.
      idempotent: true,
    });
    const id = textOf(this.#bucket.xml(reply, "InitiateMultipartUploadResult"), "UploadId");
    if (!id) throw new StorageError("unavailable", "The storage began an upload in parts without naming it.");
    return id;
  }

  async put(
    key: string,
    uploadId: string,
    number: number,
    body: Uint8Array<ArrayBuffer> | ReadableStream,
    length: number,
  ): Promise<string> {
    if (body instanceof Uint8Array && body.length !== length) {
      throw new RangeError(`Expected ${length} bytes, got ${body.length}.`);
    }
    const { headers } = await this.#bucket.send({
      method: "PUT",
      key: this.#bucket.keyOf(key),
      query: { partNumber: String(number), uploadId },
      body: body instanceof Uint8Array ? body : { stream: body, length },
    });
    return etagOf(headers.get("etag"));
  }

  presign(key: string, uploadId: string, number: number, seconds: number): Promise<string> {
    const query = { partNumber: String(number), uploadId };
    return this.#bucket.presign("PUT", this.#bucket.keyOf(key), seconds, { query });
  }

  /** Null for servers that do not tell, wrangler's local R2 among them. */
  async list(key: string, uploadId: string): Promise<UploadedPart[] | null> {
    const parts: UploadedPart[] = [];
    let marker: string | null = null;
    do {
      const query: Record<string, string> = { uploadId };
      if (marker !== null) query["part-number-marker"] = marker;
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
      marker = textOf(result, "IsTruncated") === "true" ? textOf(result, "NextPartNumberMarker") : null;
    } while (marker !== null);
    return parts;
  }

  async complete(key: string, uploadId: string, parts: readonly PartName[]): Promise<void> {
    await this.finish(key, uploadId, parts, false);
  }

  /** `complete`, which with `ifAbsent` rejects with `conflict` when there is an object of this key. */
  async finish(key: string, uploadId: string, parts: readonly PartName[], ifAbsent: boolean): Promise<void> {
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
      // Most servers know an upload for a while after it ended; for the others see below.
      idempotent: true,
    } as const;
    const headers = { "Content-Type": "application/xml" };
    let reply = await this.#bucket.ask({
      ...request,
      headers: ifAbsent ? { ...headers, ...IF_ABSENT } : headers,
    });
    if (ifAbsent && reply.status === NOT_IMPLEMENTED) reply = await this.#bucket.ask({ ...request, headers });
    if (reply.status === 200) {
      // The status goes out before the work begins, which may fail.
      this.#bucket.xml(reply, "CompleteMultipartUploadResult");
      return;
    }
    const error = this.#bucket.error(reply);
    const isGone =
      error.code === "not_found" || (error.code === "unavailable" && (await this.#isGone(key, uploadId)));
    if (!isGone) throw error;
    if (await this.#isMadeOf(key, inOrder)) return;
    const { providerMessage } = error;
    throw new StorageError("not_found", "This upload in parts is finished or was never begun.", {
      providerMessage,
    });
  }

  /** Ceph says of an upload that it does not know only that something went wrong; of its parts it says more. */
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
   * Whether an upload that the server does not know any more is the one that made this object: when its answer
   * was lost on the way. The etag of such an object is the MD5 of its parts' MD5s, and their number.
   */
  async #isMadeOf(key: string, parts: readonly PartName[]): Promise<boolean> {
    const digests = parts.map(({ etag }) => etag).join("");
    if (!/^([0-9a-f]{32})+$/.test(digests)) return false;
    const bytes = Uint8Array.from(digests.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const { status, headers } = await this.#bucket.ask({ method: "HEAD", key: this.#bucket.keyOf(key) });
    return status === 200 && etagOf(headers.get("etag")) === `${hex(await md5(bytes))}-${parts.length}`;
  }
}
