// The client of a Vivimark platform for programs, in Node and in browsers: `vivimark/client`. It has no
// dependencies, and its types are made from the API's document.

import type {
  ArContent,
  BatchResult,
  Bytes,
  ErrorCode,
  Operations,
  Problem,
  RemotePhoto,
  RemotePhotos,
  Submission,
} from "./api.ts";

export type * from "./api.ts";

/** How long one request waits for a marker; longer waits are several requests. */
const WAIT_SECONDS = 30;

export interface ClientOptions {
  /** Where the platform is, such as `https://vivimark.example`. */
  readonly url: string;
  /** An API key, `vivi_…`. Without one, requests go as the signed-in person of a page of the platform's own origin. */
  readonly key?: string;
  /** In place of the global one. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** For every request. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** For requests that make something: sent again with the same key, they make nothing again (docs/api.md). */
export interface CreateOptions extends RequestOptions {
  /** Such as a UUID. */
  readonly idempotencyKey?: string | undefined;
}

/** What a photo's marker is compiled with, and how it is shown. */
export interface PhotoOptions {
  /** Default: the name of the file. */
  readonly title?: string;
  readonly description?: string;
  /** Default: the oldest project that is not archived. */
  readonly project_id?: string;
  /** How many of the strongest feature points each keyframe keeps: 20 to 5000. */
  readonly max_features?: number;
  /** When viewers see it no longer (ISO 8601). */
  readonly expires_at?: string;
}

/** JPEG, PNG or WebP, at most 20 MB; a `File` brings its name. */
export type Image = Blob | Uint8Array<ArrayBuffer>;

/** A photo that is sent, or that the platform fetches from where it is. */
export type NewPhoto = (PhotoOptions & { readonly image: Image }) | Omit<RemotePhoto, "compile">;

/** Up to 500 photos: files, a ZIP archive of them, or where they are. */
export type NewBatch =
  | (Omit<PhotoOptions, "title"> & { readonly images: readonly Image[] })
  | (Omit<PhotoOptions, "title"> & { readonly archive: Image })
  | RemotePhotos;

/** What goes into an operation: `path`, `query`, `header`, `body`, as far as it has them. */
export type RequestOf<Name extends keyof Operations> = Omit<Operations[Name], "answer"> & RequestOptions;

/** What comes out of it: the body of JSON, or else the response itself. */
export type AnswerOf<Name extends keyof Operations> = Operations[Name]["answer"];

/** The request may be left out where all of its parts may. */
type Arguments<Request> = Partial<Request> extends Request ? [request?: Request] : [request: Request];

/** A refusal: `code` for programs, `message` for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** Of HTTP. */
  readonly status: number;
  /** All that the platform says of it, such as which fields are wrong. */
  readonly problem: Problem;
  /** When to try again, where the platform says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The compilation of a photo failed: `code` and `message` say why. */
export class MarkerError extends Error {
  override readonly name = "MarkerError";
  /** Such as `too_few_features`. */
  readonly code: string;
  readonly content: ArContent;

  constructor(content: ArContent) {
    super(content.error_message ?? `The marker of ${content.id} failed.`);
    this.code = content.error_code ?? "internal_error";
    this.content = content;
  }
}

/**
 * A Vivimark platform.
 *
 * Every method rejects with an {@link ApiError} when the platform refuses, and with what `fetch` rejects with
 * when it cannot be reached.
 */
export class Vivimark {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #fetch: (request: Request) => Promise<Response>;

  /** @throws TypeError for a `url` that is none, or a `key` that cannot be one; its sentence has no part of the key */
  constructor({ url, key, fetch: send = (request) => fetch(request) }: ClientOptions) {
    const { protocol, origin, pathname, username, password } = new URL(url);
    if (!/^https?:$/.test(protocol) || username !== "" || password !== "") {
      throw new TypeError(
        "The url begins otherwise than expected: https:// and a host, without a user name.",
      );
    }
    this.#url = origin + pathname.replace(/\/+$/, "");
    this.#key = key?.trim();
    if (this.#key !== undefined && !/^[!-~]+$/.test(this.#key)) {
      throw new TypeError(
        "The key is empty or has other characters than a key has; expected vivi_ and 48 more.",
      );
    }
    this.#fetch = send;
  }

  /**
   * Any operation of the API, typed by its document: `call("GET /api/projects/{id}", { path: { id } })`.
   *
   * @returns the JSON of the answer; undefined where there is none; the response itself for all other bodies
   */
  async call<Name extends keyof Operations>(
    name: Name,
    ...[request]: Arguments<RequestOf<Name>>
  ): Promise<AnswerOf<Name>> {
    const [method, template] = name.split(" ");
    const { path = {}, query = {}, header = {}, body, type, signal } = (request ?? {}) as Loose;
    const address = template.replace(/\{(\w+)\}/g, (_, field) => segmentOf(field, path[field]));
    const headers = new Headers();
    for (const [field, value] of given(header)) headers.set(field, value);
    const isJson = body !== undefined && !isBytes(body) && !(body instanceof FormData);
    if (isJson) headers.set("Content-Type", "application/json");
    else if (type !== undefined) headers.set("Content-Type", type);
    const response = await this.#send(`${address}${queryText(query)}`, {
      method,
      headers,
      body: isJson ? JSON.stringify(body) : (body as Bytes | FormData | undefined),
      signal,
    });
    if (response.status === 204) return undefined as AnswerOf<Name>;
    if (!isOfType(response, "application/json")) return response as AnswerOf<Name>;
    return (await response.json()) as AnswerOf<Name>;
  }

  /** All content that matches, newest first, page by page as it is asked for. */
  async *list(
    query: Omit<NonNullable<Operations["GET /api/ar-content"]["query"]>, "cursor"> = {},
    { signal }: RequestOptions = {},
  ): AsyncGenerator<ArContent, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.call("GET /api/ar-content", { query: { ...query, cursor }, signal });
      yield* page.items;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** One piece of content. */
  get(id: string, { signal }: RequestOptions = {}): Promise<ArContent> {
    return this.call("GET /api/ar-content/{id}", { path: { id }, signal });
  }

  /** Submits a photo; the platform compiles its marker. {@link whenReady} waits for it. */
  submit(photo: NewPhoto, { idempotencyKey, signal }: CreateOptions = {}): Promise<Submission> {
    const header = { "Idempotency-Key": idempotencyKey };
    if ("image_url" in photo) return this.call("POST /api/ar-content", { header, body: photo, signal });
    const { image, ...options } = photo;
    const body = new FormData();
    for (const [field, value] of given(options)) body.set(field, value);
    body.set("image", ...fileOf(image));
    return this.call("POST /api/ar-content", { header, body, signal });
  }

  /** Submits up to 500 photos at once; each has a result of its own. */
  submitBatch(batch: NewBatch, { idempotencyKey, signal }: CreateOptions = {}): Promise<BatchResult> {
    const header = { "Idempotency-Key": idempotencyKey };
    const name = "POST /api/ar-content/batch";
    if ("items" in batch) return this.call(name, { header, body: batch, signal });
    if ("archive" in batch) {
      const { archive: body, ...query } = batch;
      return this.call(name, { header, query, body, type: "application/zip", signal });
    }
    const { images, ...query } = batch;
    const body = new FormData();
    for (const image of images) body.append("image", ...fileOf(image));
    return this.call(name, { header, query, body, signal });
  }

  /**
   * Waits until the marker of a piece of content is ready.
   *
   * @throws MarkerError when its compilation failed; `signal`'s reason when that ends the wait
   */
  async whenReady(id: string, { signal }: RequestOptions = {}): Promise<ArContent> {
    for (;;) {
      const query = { wait: WAIT_SECONDS };
      const content = await this.call("GET /api/ar-content/{id}", { path: { id }, query, signal });
      if (content.marker_status === "ready") return content;
      if (content.marker_status === "failed") throw new MarkerError(content);
    }
  }

  /** The `.mind` file of content that is ready, for any MindAR player. */
  async marker(
    content: Pick<ArContent, "unique_id">,
    options: RequestOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const path = { unique_id: content.unique_id, kind: "marker" } as const;
    const response = await this.call("GET /media/{unique_id}/{kind}", { path, ...options });
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Attaches a video, at most 95 MB, in the place of the one before. */
  attachVideo(
    id: string,
    video: Blob | Uint8Array<ArrayBuffer>,
    type: "video/mp4" | "video/webm",
    { signal }: RequestOptions = {},
  ): Promise<ArContent> {
    return this.call("PUT /api/ar-content/{id}/video", { path: { id }, body: video, type, signal });
  }

  /** Deletes content with all its files. */
  delete(id: string, { signal }: RequestOptions = {}): Promise<undefined> {
    return this.call("DELETE /api/ar-content/{id}", { path: { id }, signal });
  }

  async #send(address: string, init: RequestInit): Promise<Response> {
    const request = new Request(
      this.#url + address,
      init.body instanceof ReadableStream ? { ...init, ...HALF } : init,
    );
    if (this.#key !== undefined) request.headers.set("Authorization", `Bearer ${this.#key}`);
    const response = await this.#fetch(request);
    // No operation answers with a page: that is the log-in of a network, or of a proxy.
    if (response.ok && !isOfType(response, "text/html")) return response;
    const problem = await problemIn(response);
    if (problem) throw new ApiError(problem, secondsUntil(response.headers.get("Retry-After")));
    // Something between here and the platform, such as a proxy.
    const what = response.ok ? "a web page" : `status ${response.status}`;
    throw new ApiError({
      type: "about:blank",
      title: response.statusText,
      status: response.status,
      detail: `${init.method} ${address.replace(/\?.*/s, "")} was answered with ${what}, and not by the platform.`,
      code: "internal_error",
    });
  }
}

/** What the platform says of a refusal; undefined when it was not the platform that answered. */
async function problemIn(response: Response): Promise<Problem | undefined> {
  const text = await response.text();
  if (!isOfType(response, "application/problem+json")) return undefined;
  try {
    const { code, detail } = JSON.parse(text);
    return typeof code === "string" && typeof detail === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` is seconds, or a date. */
function secondsUntil(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** A name in an address. Those that stand for a place elsewhere in it would lead to another operation. */
function segmentOf(field: string, value: unknown): string {
  const text = value === undefined ? "" : String(value);
  if (text !== "" && text !== "." && text !== "..") return encodeURIComponent(text);
  throw new TypeError(`"${field}" of the path is ${JSON.stringify(text)}; expected an id.`);
}

/** What `call` reads of the request of whichever operation. */
interface Loose {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: object;
  readonly header?: object;
  readonly body?: unknown;
  readonly type?: string;
  readonly signal?: AbortSignal;
}

/** What Node and browsers ask for where a body is a stream. */
const HALF = { duplex: "half" } as const;

function given(fields: object): [string, string][] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => [field, String(value)]);
}

function queryText(query: object): string {
  const text = new URLSearchParams(given(query)).toString();
  return text && `?${text}`;
}

function isBytes(body: unknown): body is Bytes {
  return (
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof ReadableStream
  );
}

function isOfType(response: Response, type: string): boolean {
  return (response.headers.get("Content-Type") ?? "").split(";")[0].trim() === type;
}

/** A form's file, whose name is the title where there is none. */
function fileOf(image: Image): [Blob, string] {
  const blob = image instanceof Blob ? image : new Blob([image]);
  return [blob, "name" in blob && typeof blob.name === "string" ? blob.name : "photo"];
}
