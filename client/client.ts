/**
 * The typed client of the Vivimark API, for Node and browsers: `vivimark/client`. It has no dependencies. Its
 * types are generated from the API's document (see api.ts).
 */

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

/** The longest wait for a marker in one request. {@link Vivimark.whenReady} repeats such requests. */
const WAIT_SECONDS = 30;

export interface ClientOptions {
  /** The address of the platform, such as `https://vivimark.example`. */
  readonly url: string;
  /** An API key, `vivi_…`. Without one, requests use the session cookie of the page, which must have the platform's origin. */
  readonly key?: string;
  /** Default: the global `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Options of every request. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of requests that create something. Repeating a request with the same key creates nothing new (docs/api.md). */
export interface CreateOptions extends RequestOptions {
  /** A unique value, such as a UUID. */
  readonly idempotencyKey?: string | undefined;
}

/** Options for compiling and showing a photo. */
export interface PhotoOptions {
  /** Default: the name of the file. */
  readonly title?: string;
  readonly description?: string;
  /** Unique in the project. Viewers get neither it nor the customer. */
  readonly order_number?: string;
  readonly customer_name?: string;
  readonly customer_email?: string;
  readonly customer_phone?: string;
  /** Default: the oldest project that is not archived. */
  readonly project_id?: string;
  /** Number of strongest feature points that each keyframe keeps: 20 to 5000. */
  readonly max_features?: number;
  /** When viewers stop showing the photo (ISO 8601). */
  readonly expires_at?: string;
}

/** A JPEG, PNG or WebP of at most 20 MB. A `File` also provides the name. */
export type Image = Blob | Uint8Array<ArrayBuffer>;

/** A photo to upload, or the URL of a photo that the platform fetches. */
export type NewPhoto = (PhotoOptions & { readonly image: Image }) | Omit<RemotePhoto, "compile">;

/** Up to 500 photos: files, a ZIP archive of files, or URLs. */
export type NewBatch =
  | (Omit<PhotoOptions, "title" | "order_number"> & { readonly images: readonly Image[] })
  | (Omit<PhotoOptions, "title" | "order_number"> & { readonly archive: Image })
  | RemotePhotos;

/** The request of an operation: `path`, `query`, `header`, `body`, `form`, as far as the operation has them. */
export type RequestOf<Name extends keyof Operations> = Omit<Operations[Name], "answer"> & RequestOptions;

/** The answer of an operation: the JSON of its body, or the response itself for other bodies. */
export type AnswerOf<Name extends keyof Operations> = Operations[Name]["answer"];

/** The request may be omitted if all its parts are optional. */
type Arguments<Request> = Partial<Request> extends Request ? [request?: Request] : [request: Request];

/** An error that the platform answered with: `code` for programs, `message` for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** The whole answer, including which fields are invalid. */
  readonly problem: Problem;
  /** Time to wait before a retry, if the platform sent one. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The compilation of a photo failed: `code` and `message` give the reason. */
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
 * Every method rejects with an {@link ApiError} if the platform answers with an error, and with the error of
 * `fetch` if the platform cannot be reached.
 */
export class Vivimark {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #fetch: (request: Request) => Promise<Response>;

  /** @throws TypeError if `url` or `key` is invalid. The message never contains the key. */
  constructor({ url, key, fetch: send = (request) => fetch(request) }: ClientOptions) {
    const { protocol, origin, pathname, username, password } = new URL(url);
    if (!/^https?:$/.test(protocol) || username !== "" || password !== "") {
      throw new TypeError("The url is invalid. Expected https:// and a host, without a user name.");
    }
    this.#url = origin + pathname.replace(/\/+$/, "");
    this.#key = key?.trim();
    if (this.#key !== undefined && !/^[!-~]+$/.test(this.#key)) {
      throw new TypeError(
        "The key is empty or contains invalid characters. Expected vivi_ and 48 characters.",
      );
    }
    this.#fetch = send;
  }

  /**
   * Calls any operation of the API: `call("GET /api/projects/{id}", { path: { id } })`.
   *
   * @returns the JSON of the answer; undefined for an empty answer; the response itself for other bodies
   */
  async call<Name extends keyof Operations>(
    name: Name,
    ...[request]: Arguments<RequestOf<Name>>
  ): Promise<AnswerOf<Name>> {
    const [method, template] = name.split(" ");
    const { path = {}, query = {}, header = {}, body, form, type, signal } = (request ?? {}) as AnyRequest;
    const address = template.replace(/\{(\w+)\}/g, (_, field) => segmentOf(field, path[field]));
    const headers = new Headers();
    for (const [field, value] of defined(header)) headers.set(field, value);
    const isJson = body !== undefined && !isBytes(body) && !(body instanceof FormData);
    if (isJson) headers.set("Content-Type", "application/json");
    else if (type !== undefined) headers.set("Content-Type", type);
    const response = await this.#send(`${address}${queryText(query)}`, {
      method,
      headers,
      body: isJson ? JSON.stringify(body) : form ? formOf(form) : (body as Bytes | FormData | undefined),
      signal,
    });
    if (response.status === 204) return undefined as AnswerOf<Name>;
    if (!isOfType(response, "application/json")) return response as AnswerOf<Name>;
    return (await response.json()) as AnswerOf<Name>;
  }

  /** Iterates over the matching content, newest first. Fetches page by page. */
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

  /** Returns one content. */
  get(id: string, { signal }: RequestOptions = {}): Promise<ArContent> {
    return this.call("GET /api/ar-content/{id}", { path: { id }, signal });
  }

  /** Submits a photo; the platform compiles its marker. {@link whenReady} waits for it. */
  submit(photo: NewPhoto, { idempotencyKey, signal }: CreateOptions = {}): Promise<Submission> {
    const header = { "Idempotency-Key": idempotencyKey };
    if ("image_url" in photo) return this.call("POST /api/ar-content", { header, body: photo, signal });
    const { image, ...options } = photo;
    const file = fileOf(image);
    const form = { ...options, image_bytes: file.size, image: file };
    return this.call("POST /api/ar-content", { header, form, signal });
  }

  /** Submits up to 500 photos in one request. Each photo has its own result. */
  submitBatch(batch: NewBatch, { idempotencyKey, signal }: CreateOptions = {}): Promise<BatchResult> {
    const header = { "Idempotency-Key": idempotencyKey };
    const name = "POST /api/ar-content/batch";
    if ("items" in batch) return this.call(name, { header, body: batch, signal });
    if ("archive" in batch) {
      const { archive: body, ...query } = batch;
      return this.call(name, { header, query, body, type: "application/zip", signal });
    }
    const { images, ...query } = batch;
    return this.call(name, { header, query, form: { image: images.map(fileOf) }, signal });
  }

  /**
   * Waits until the marker of a content is ready.
   *
   * @throws MarkerError if the compilation failed; the reason of `signal` if it was aborted
   */
  async whenReady(id: string, { signal }: RequestOptions = {}): Promise<ArContent> {
    for (;;) {
      const query = { wait: WAIT_SECONDS };
      const content = await this.call("GET /api/ar-content/{id}", { path: { id }, query, signal });
      if (content.marker_status === "ready") return content;
      if (content.marker_status === "failed") throw new MarkerError(content);
    }
  }

  /** Downloads the `.mind` file of a content whose marker is ready, for any MindAR player. */
  async marker(
    content: Pick<ArContent, "unique_id">,
    options: RequestOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const path = { unique_id: content.unique_id, kind: "marker" } as const;
    const response = await this.call("GET /media/{unique_id}/{kind}", { path, ...options });
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Attaches a video of at most 95 MB, or replaces the current one. */
  attachVideo(
    id: string,
    video: Blob | Uint8Array<ArrayBuffer>,
    type: "video/mp4" | "video/webm",
    { signal }: RequestOptions = {},
  ): Promise<ArContent> {
    return this.call("PUT /api/ar-content/{id}/video", { path: { id }, body: video, type, signal });
  }

  /**
   * Deletes a content with all its files.
   *
   * @param options.keepFiles false removes the files from the storage at once, instead of after 24 hours
   */
  delete(
    id: string,
    { keepFiles = true, signal }: RequestOptions & { readonly keepFiles?: boolean } = {},
  ): Promise<undefined> {
    const query = keepFiles ? {} : ({ keep_files: "false" } as const);
    return this.call("DELETE /api/ar-content/{id}", { path: { id }, query, signal });
  }

  async #send(address: string, init: RequestInit): Promise<Response> {
    const request = new Request(
      this.#url + address,
      init.body instanceof ReadableStream ? { ...init, ...HALF } : init,
    );
    if (this.#key !== undefined) request.headers.set("Authorization", `Bearer ${this.#key}`);
    const response = await this.#fetch(request);
    // No operation answers with HTML: it is the sign-in page of a network or a proxy.
    if (response.ok && !isOfType(response, "text/html")) return response;
    const problem = await problemIn(response);
    const retryAfterSeconds = secondsUntil(response.headers.get("Retry-After"));
    if (problem) throw new ApiError(problem, retryAfterSeconds);
    const what = response.ok ? "a web page" : `status ${response.status}`;
    const unknown = {
      type: "about:blank",
      title: response.statusText,
      status: response.status,
      detail: `${init.method} ${address.replace(/\?.*/s, "")} returned ${what}, which is not an answer of Vivimark. Check the URL and any proxy.`,
      code: "internal_error",
    } as const;
    throw new ApiError(unknown, retryAfterSeconds);
  }
}

/** Returns the platform's error; undefined if something else answered, such as a proxy. */
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

/** Parses `Retry-After`: seconds or a date. */
function secondsUntil(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** Encodes a path parameter. Rejects "", "." and "..", which would lead to another operation. */
function segmentOf(field: string, value: unknown): string {
  const text = value === undefined ? "" : String(value);
  if (text !== "" && text !== "." && text !== "..") return encodeURIComponent(text);
  throw new TypeError(`"${field}" in the path is ${JSON.stringify(text)}. Expected an id.`);
}

/** The request of any operation, as `call` reads it. */
interface AnyRequest {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: object;
  readonly header?: object;
  readonly body?: unknown;
  readonly form?: object;
  readonly type?: string;
  readonly signal?: AbortSignal;
}

/** Node and browsers require it if the body is a stream. */
const HALF = { duplex: "half" } as const;

function defined(fields: object): [string, string][] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => [field, String(value)]);
}

function queryText(query: object): string {
  const text = new URLSearchParams(defined(query)).toString();
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

/** Returns the fields as a form, in their order. Leaves out undefined values; adds each item of an array. */
export function formOf(fields: object): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each instanceof Blob) form.append(field, each);
      else if (each !== undefined) form.append(field, String(each));
    }
  }
  return form;
}

/** Returns a file; its name becomes the title of a photo without a title. */
function fileOf(image: Image): Blob {
  return image instanceof Blob && "name" in image ? image : new File([image], "photo");
}
