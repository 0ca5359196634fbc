import { AwsV4Signer } from "aws4fetch";
import { sha256 } from "../sha256.ts";
import type { Answer, Reply, StorageHttp, StorageRequest } from "./http.ts";
import { checkKey, folderPrefix, type StorageError } from "./provider.ts";
import { notABucket, notS3, s3Error } from "./s3-errors.ts";
import type { S3SettingsBody } from "./settings.ts";
import { readXml, type XmlElement } from "./xml.ts";

export interface BucketRequest extends Omit<StorageRequest, "url" | "maxRedirects"> {
  /** Of the object, with the storage's prefix. Without a key, the request is for the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
}

export interface Presigning {
  readonly query?: Readonly<Record<string, string>>;
  /** Headers that the request must have with exactly these values. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A week, the longest that a signature can last. */
const MAX_PRESIGNED_SECONDS = 604_800;

/** Time for which a response of the bucket proves that it still exists. */
const SEEN_MILLISECONDS = 10_000;

/** Sends signed requests (AWS Signature Version 4, by aws4fetch) to one bucket, and interprets its responses. */
export class S3Bucket {
  /** Prefix of the key of every object of the storage. */
  readonly prefix: string;
  readonly #settings: S3SettingsBody;
  readonly #http: StorageHttp;
  readonly #now: () => number;
  readonly #origin: string;
  readonly #path: string;
  /** Signing keys by day: aws4fetch's cache. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  #needsMd5 = false;
  #seenAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds since 1970, for signatures */
  constructor(settings: S3SettingsBody, http: StorageHttp, now: () => number) {
    this.prefix = folderPrefix(settings.prefix);
    this.#settings = settings;
    this.#http = http;
    this.#now = now;
    const { protocol, host, pathname } = new URL(settings.endpoint);
    const isHostStyle = settings.style === "host";
    this.#origin = `${protocol}//${isHostStyle ? `${settings.bucket}.` : ""}${host}`;
    this.#path = `${pathname.replace(/\/+$/, "")}${isHostStyle ? "" : `/${encodePath(settings.bucket)}`}`;
  }

  /** Returns the key with the prefix. @throws RangeError for an invalid key */
  keyOf(key: string): string {
    return this.prefix + checkKey(key);
  }

  /** Whether the bucket has existed a moment ago. */
  get isSeen(): boolean {
    return this.#now() - this.#seenAt < SEEN_MILLISECONDS;
  }

  /** Notes that the bucket exists, as a response has shown. */
  see(): void {
    this.#seenAt = this.#now();
  }

  /** Sends a request and resolves when the response's body begins. Any status resolves. */
  async open(request: BucketRequest): Promise<Answer> {
    return this.#noted(await this.#http.open(await this.#signed(request)));
  }

  /** Sends a request and reads the response. Any status resolves. */
  async ask(request: BucketRequest): Promise<Reply> {
    return this.#noted(await this.#http.ask(await this.#signed(request)));
  }

  #noted<T extends { readonly status: number }>(response: T): T {
    if (response.status < 300) this.see();
    return response;
  }

  /** Sends a request and reads the response. @throws StorageError for any status but 2xx */
  async send(request: BucketRequest): Promise<Reply> {
    const reply = await this.ask(request);
    if (reply.status >= 200 && reply.status < 300) return reply;
    const error = this.error(reply);
    // The server understands the address as that of a file.
    throw request.key === undefined && error.code === "not_found"
      ? notABucket(this.#settings, error.providerMessage)
      : error;
  }

  /**
   * Puts bytes. A server that asks for their MD5, as for a bucket with object lock, gets it from then on.
   *
   * Any status resolves.
   */
  async putBytes(request: BucketRequest & { readonly body: Uint8Array<ArrayBuffer> }): Promise<Reply> {
    const put = async () => {
      if (!this.#needsMd5) return this.ask(request);
      const headers = { ...request.headers, "Content-MD5": await md5Base64(request.body) };
      return this.ask({ ...request, headers });
    };
    const reply = await put();
    if (this.#needsMd5 || reply.status !== 400 || !/content-?md5/i.test(reply.text)) return reply;
    this.#needsMd5 = true;
    return put();
  }

  /** Headers of requests that create an object: how the server stores it. */
  get creationHeaders(): Readonly<Record<string, string>> {
    const { storage_class: storageClass, encryption, encryption_key_id: keyId } = this.#settings;
    return {
      ...(storageClass ? { "X-Amz-Storage-Class": storageClass } : {}),
      ...(encryption ? { "X-Amz-Server-Side-Encryption": encryption } : {}),
      ...(keyId ? { "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": keyId } : {}),
    };
  }

  /** Returns the error that a response means. */
  error(reply: Reply): StorageError {
    return s3Error(this.#settings, reply);
  }

  /** Returns the root element of a successful response. @throws StorageError when it is an error after all */
  xml(reply: Reply, name: string): XmlElement {
    const root = readXml(reply.text);
    if (root?.name === name) return root;
    throw root?.name === "Error" ? this.error(reply) : notS3(reply.status);
  }

  /** Returns an address at which anyone can send this one request. */
  async presign(
    method: "GET" | "PUT",
    key: string,
    seconds: number,
    { query = {}, headers = {} }: Presigning = {},
  ): Promise<string> {
    const expires = Math.min(Math.max(1, Math.floor(seconds)), MAX_PRESIGNED_SECONDS);
    const signer = new AwsV4Signer({
      ...this.#signing(),
      method,
      url: this.#url(key, { ...query, "X-Amz-Expires": String(expires) }).href,
      headers,
      signQuery: true,
      allHeaders: true,
    });
    const { url } = await signer.sign();
    return withoutPlus(url).href;
  }

  async #signed({ key, query = {}, headers = {}, ...request }: BucketRequest): Promise<StorageRequest> {
    const url = this.#url(key, query);
    const signer = new AwsV4Signer({
      ...this.#signing(),
      method: request.method,
      url: url.href,
      headers: { ...headers, "X-Amz-Content-Sha256": await payloadHash(request.body, url) },
    });
    const signed = await signer.sign();
    return {
      ...request,
      url,
      headers: {
        ...Object.fromEntries(signed.headers),
        // Not signed, because proxies change it. A compressed response would have no length, and another etag.
        "accept-encoding": "identity",
      },
    };
  }

  #signing() {
    const { access_key_id, secret_access_key, session_token, region } = this.#settings;
    return {
      accessKeyId: access_key_id,
      secretAccessKey: secret_access_key,
      ...(session_token ? { sessionToken: session_token } : {}),
      region,
      service: "s3",
      datetime: new Date(this.#now()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
      cache: this.#signingKeys,
    };
  }

  #url(key: string | undefined, query: Readonly<Record<string, string>>): URL {
    const path = key === undefined ? this.#path : `${this.#path}/${encodePath(key)}`;
    const url = new URL(`${this.#origin}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return withoutPlus(url);
  }
}

/** Percent-encodes as the signature requires: all but slashes and RFC 3986's unreserved characters. */
function encodePath(key: string): string {
  return key
    .split("/")
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, percent))
    .join("/");
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Encodes spaces of a query as `%20`: not every server reads the plus of `URLSearchParams` as a space. */
function withoutPlus(url: URL): URL {
  const copy = new URL(url);
  copy.search = url.search.replaceAll("+", "%20");
  return copy;
}

/** Streams cannot be hashed in advance, and TLS protects bodies; everything else is signed. */
async function payloadHash(body: StorageRequest["body"], { protocol }: URL): Promise<string> {
  if (typeof body === "object" && (protocol === "https:" || "stream" in body)) return "UNSIGNED-PAYLOAD";
  return sha256(typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array()));
}

/** Makes a request fail if the object already exists (RFC 9110, section 13.1.2). */
export const IF_ABSENT = { "If-None-Match": "*" } as const;

/** Status of servers that do not support such a header. */
export const NOT_IMPLEMENTED = 501;

/** Returns the XML of a request's body. */
export function s3Document(name: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${name}>`;
}

/** Returns an etag without quotes. */
export function etagOf(text: string | null): string {
  return (text ?? "").replace(/^W\//, "").replaceAll('"', "");
}

/** Returns the MD5 as the header Content-MD5 has it. */
export async function md5Base64(bytes: Uint8Array): Promise<string> {
  return btoa(String.fromCharCode(...(await md5(bytes))));
}

export async function md5(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("MD5", bytes as Uint8Array<ArrayBuffer>));
}
