import type { StorageHttp } from "./http.ts";
import { StorageError } from "./provider.ts";

const YANDEX_API = "https://cloud-api.yandex.net";

/** Pauses between polls of an operation double up to the longest: three minutes in all. */
const FIRST_POLL_MILLISECONDS = 250;
const LONGEST_POLL_MILLISECONDS = 5000;
const POLLS = 40;

/** Locked by another operation; too many requests. Yandex did nothing. */
const REFUSALS = [423, 429];

/** Errors that mean a limit of the account, whatever their status. */
const LIMITS: ReadonlySet<string> = new Set([
  "DiskStorageQuotaExhaustedError",
  "DiskNotEnoughFreeSpaceError",
  "DiskFileSizeLimitExceededError",
  "DiskUploadTrafficLimitExceeded",
  "DiskResourceUploadTrafficLimitExceededError",
]);

/**
 * The description of a 403 for an account whose files take up more space than it has, in its documented languages. The
 * error has the same name as one for missing permissions.
 */
const OVERDRAWN = /more space than you have|больше места, чем у вас есть/i;

/** Error of a file that another operation uses. Any other 423 may also mean maintenance. */
const LOCKED = "DiskResourceLockedError";

/** Access tokens, which may be renewed while a storage is in use. */
export interface TokenSource {
  current(): Promise<string>;
  /** Returns another token for one that Yandex refused; null without one. */
  replace(refused: string): Promise<string | null>;
}

/** Fields of the API's responses of all kinds. A response has some of them. */
export interface ApiBody {
  // Errors. The description is in English, the message in the account's language.
  readonly error?: string;
  readonly description?: string;
  readonly message?: string;
  // Links
  readonly href?: string;
  readonly operation_id?: string;
  // Operations
  readonly status?: string;
  // Files and folders
  readonly type?: "file" | "dir";
  readonly name?: string;
  readonly size?: number;
  readonly md5?: string;
  readonly revision?: number;
  readonly modified?: string;
  /** A temporary download link. */
  readonly file?: string;
  readonly _embedded?: { readonly total: number; readonly items: readonly ApiBody[] };
  // The Disk
  readonly used_space?: number;
  readonly total_space?: number;
}

type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface Reply {
  readonly status: number;
  readonly body: ApiBody;
}

/** Sends requests to the API's host, the only one that receives the token. */
export class YandexDiskApi {
  readonly #tokens: TokenSource;
  readonly #url: URL;
  readonly #http: StorageHttp;

  /** @throws StorageError `invalid_config` for an empty token */
  constructor(token: string | TokenSource, http: StorageHttp, url = YANDEX_API) {
    this.#tokens = typeof token === "string" ? fixed(token) : token;
    this.#url = new URL(url);
    this.#http = http;
  }

  /** Waits before another attempt. @throws StorageError `unavailable` when no patience is left */
  pause(milliseconds: number): Promise<void> {
    return this.#http.pause(this.#url, milliseconds);
  }

  /** Sends one request. Any status resolves. */
  ask(method: Method, resource: string, parameters: Readonly<Record<string, string>>): Promise<Reply> {
    const url = new URL(`/v1/disk${resource}`, this.#url);
    // URLSearchParams would encode a space as a plus, which Yandex reads as a plus.
    url.search = Object.entries(parameters)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join("&");
    return this.#request(method, url);
  }

  async #request(method: Method, url: URL): Promise<Reply> {
    const token = await this.#tokens.current();
    const reply = await this.#requestWith(token, method, url);
    if (reply.status !== 401) return reply;
    const another = await this.#tokens.replace(token);
    return another === null ? reply : this.#requestWith(another, method, url);
  }

  async #requestWith(token: string, method: Method, url: URL): Promise<Reply> {
    const headers = { Authorization: `OAuth ${token}`, Accept: "application/json" };
    const { status, text } = await this.#http.ask({ method, url, headers, refusals: REFUSALS });
    // Messages of Yandex are shown to people: they must not repeat the token.
    return { status, body: parse(text.replaceAll(token, "…")) };
  }

  /** Waits for the operation that a response with status 202 names. Returns whether it succeeded. */
  async finish(reply: Reply): Promise<boolean> {
    return this.#succeeds(this.#operationOf(reply));
  }

  /** Waits for an operation by its id. Returns whether it succeeded. */
  finishOperation(id: string): Promise<boolean> {
    return this.#succeeds(this.#operation(id));
  }

  /** Returns the id of the operation that a response with status 202 names. */
  operationId(reply: Reply): string {
    return decodeURIComponent(this.#operationOf(reply).pathname.split("/").at(-1) ?? "");
  }

  /** Returns the state of an operation: `in-progress`, `success` or `failed`. */
  async operationStatus(id: string): Promise<string | undefined> {
    return this.#statusOf(this.#operation(id));
  }

  #operation(id: string): URL {
    return new URL(`/v1/disk/operations/${encodeURIComponent(id)}`, this.#url);
  }

  #operationOf({ body }: Reply): URL {
    const url = hrefOf(body.href);
    // The request has the token, which no other host may receive.
    if (url.origin === this.#url.origin) return url;
    throw new StorageError(
      "unavailable",
      `Yandex Disk refers to an operation at ${url.host}; expected ${this.#url.host}.`,
    );
  }

  async #statusOf(operation: URL): Promise<string | undefined> {
    return bodyOf(await this.#request("GET", operation), 200).status;
  }

  async #succeeds(operation: URL): Promise<boolean> {
    for (let poll = 0; poll < POLLS; poll++) {
      const status = await this.#statusOf(operation);
      if (status === "success") return true;
      if (status !== "in-progress") return false;
      await this.#http.pause(
        operation,
        Math.min(FIRST_POLL_MILLISECONDS * 2 ** poll, LONGEST_POLL_MILLISECONDS),
      );
    }
    throw new StorageError("unavailable", "A Yandex Disk operation did not finish in time.");
  }
}

/** Returns the body of a response with the expected status. @throws StorageError for any other status */
export function bodyOf(reply: Reply, expected: number): ApiBody {
  if (reply.status !== expected) throw errorOf(reply);
  return reply.body;
}

/** Returns the error that a response means. */
export function errorOf({ status, body }: Reply): StorageError {
  const details = { providerMessage: body.description ?? body.message ?? body.error ?? `HTTP ${status}` };
  if (status === 507 || status === 413 || LIMITS.has(body.error ?? "")) {
    return new StorageError(
      "quota_exceeded",
      "Yandex Disk is full, or the file is too large for it.",
      details,
    );
  }
  if (status === 403 && OVERDRAWN.test(`${body.description} ${body.message}`)) {
    return new StorageError(
      "quota_exceeded",
      "The files on Yandex Disk take up more space than the account has. Delete some, or get more space.",
      details,
    );
  }
  switch (status) {
    case 400:
      return new StorageError("invalid_config", "Yandex Disk does not accept the path.", {
        field: "root",
        ...details,
      });
    case 401:
      return new StorageError(
        "invalid_config",
        "Yandex Disk rejected the token: it is invalid, has expired, or was revoked.",
        { field: "token", ...details },
      );
    case 403:
      return new StorageError(
        "denied",
        "The token does not have permission for this operation: the application was not granted it, or the root is outside its folder.",
        details,
      );
    case 404:
      return new StorageError("not_found", "The file or folder does not exist on Yandex Disk.", details);
    case 409:
      return new StorageError(
        "conflict",
        "Another file or folder with this name exists on Yandex Disk.",
        details,
      );
    case 423:
      return new StorageError(
        "unavailable",
        body.error === LOCKED
          ? "Another operation has locked the file on Yandex Disk."
          : "Yandex Disk accepts no changes at the moment: it is under maintenance, or another operation has locked the file.",
        details,
      );
    case 429:
      return new StorageError("unavailable", "Yandex Disk received too many requests.", details);
    default:
      return new StorageError("unavailable", `Yandex Disk responds with HTTP ${status}.`, details);
  }
}

/** Returns whether the parent folder does not exist: documented as 404, and known as 409. */
export function isFolderMissing({ status, body }: Reply): boolean {
  return status === 404 || (status === 409 && body.error === "DiskPathDoesntExistsError");
}

/** Returns the address of a link. @throws StorageError `unavailable` for an invalid one */
export function hrefOf(href: string | undefined): URL {
  const url = URL.parse(href ?? "");
  if (!url) throw new StorageError("unavailable", "Yandex Disk responds with an invalid link.");
  return url;
}

/** Parses a response. One that is not JSON comes from a proxy: only its status counts. */
function parse(text: string): ApiBody {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}

export function operationFailed(): StorageError {
  return new StorageError("unavailable", "A Yandex Disk operation failed without giving a reason.");
}

function fixed(token: string): TokenSource {
  if (token === "") throw new StorageError("invalid_config", "The token is missing.", { field: "token" });
  return { current: async () => token, replace: async () => null };
}
