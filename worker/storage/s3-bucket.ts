import { AwsV4Signer } from "aws4fetch";
import { sha256 } from "../sha256.ts";
import type { Answer, Reply, StorageHttp, StorageRequest } from "./http.ts";
import { checkKey, folderPrefix, type StorageError } from "./provider.ts";
import { noS3, s3Error } from "./s3-errors.ts";
import type { S3SettingsBody } from "./settings.ts";
import { readXml, type XmlElement } from "./xml.ts";

export interface BucketRequest extends Omit<StorageRequest, "url" | "maxRedirects"> {
  /** Of the object, with the prefix; the bucket itself without. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
}

export interface Presigning {
  readonly query?: Readonly<Record<string, string>>;
  /** Headers that the request must bring just so. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A week: a signature cannot last longer. */
const MAX_PRESIGNED_SECONDS = 604_800;

/** Signed requests to one bucket (AWS Signature Version 4, by aws4fetch), and what is common to its answers. */
export class S3Bucket {
  /** What the key of every object of the storage begins with. */
  readonly prefix: string;
  readonly #settings: S3SettingsBody;
  readonly #http: StorageHttp;
  readonly #now: () => number;
  readonly #origin: string;
  readonly #path: string;
  /** Signing keys by day, which aws4fetch fills. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  /** @param now milliseconds since 1970; signatures carry the time */
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

  /** The key in the bucket. Throws a RangeError for one that is none. */
  keyOf(key: string): string {
    return this.prefix + checkKey(key);
  }

  /** Any status is an answer. */
  async open(request: BucketRequest): Promise<Answer> {
    return this.#http.open(await this.#signed(request));
  }

  /** Any status is an answer. */
  async ask(request: BucketRequest): Promise<Reply> {
    return this.#http.ask(await this.#signed(request));
  }

  /** Any status but success is an error. */
  async send(request: BucketRequest): Promise<Reply> {
    const reply = await this.ask(request);
    if (reply.status < 200 || reply.status >= 300) throw this.error(reply);
    return reply;
  }

  /** What a refusal means. */
  error(reply: Reply): StorageError {
    return s3Error(this.#settings, reply);
  }

  /** The root element of a success, which may turn out to be an error all the same. */
  xml(reply: Reply, name: string): XmlElement {
    const root = readXml(reply.text);
    if (root?.name === name) return root;
    throw root?.name === "Error" ? this.error(reply) : noS3(reply.status);
  }

  /** An address that allows one request to whoever has it. */
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
        // Not signed, for proxies change it. Compression on the way would cost an answer its length and etag.
        "accept-encoding": "identity",
      },
    };
  }

  #signing() {
    const { access_key_id, secret_access_key, region } = this.#settings;
    return {
      accessKeyId: access_key_id,
      secretAccessKey: secret_access_key,
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

/** Percent-encoding as the signature wants it: everything but RFC 3986's unreserved characters and slashes. */
function encodePath(key: string): string {
  return key
    .split("/")
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, percent))
    .join("/");
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Not every server reads a plus in a query as the space that `URLSearchParams` means. */
function withoutPlus(url: URL): URL {
  const copy = new URL(url);
  copy.search = url.search.replaceAll("+", "%20");
  return copy;
}

/** What flows cannot be hashed ahead, and TLS protects what it carries; everything else is signed. */
async function payloadHash(body: StorageRequest["body"], { protocol }: URL): Promise<string> {
  if (typeof body === "object" && (protocol === "https:" || "stream" in body)) return "UNSIGNED-PAYLOAD";
  return sha256(typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array()));
}

/** The header that keeps an object which is there already (RFC 9110, section 13.1.2). */
export const IF_ABSENT = { "If-None-Match": "*" } as const;

/** What a server answers that does not know such a header. */
export const NOT_IMPLEMENTED = 501;

/** A request's document; `content` is XML. */
export function s3Document(name: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${name}>`;
}

/** An etag as this project writes it: without quotes. */
export function etagOf(text: string | null): string {
  return (text ?? "").replace(/^W\//, "").replaceAll('"', "");
}

export async function md5(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("MD5", bytes as Uint8Array<ArrayBuffer>));
}
