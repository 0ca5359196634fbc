import type { StorageHttp } from "./http.ts";
import { StorageError } from "./provider.ts";

const YANDEX_API = "https://cloud-api.yandex.net";

/** Pauses between questions after an operation double up to the longest: three minutes in all. */
const FIRST_POLL_MILLISECONDS = 250;
const LONGEST_POLL_MILLISECONDS = 5000;
const POLLS = 40;

/** Somebody else's operation holds the file or folder; too many requests. Nothing was done. */
const REFUSALS = [423, 429];

/** Refusals that mean a limit of the account, under whatever status they come. */
const LIMITS: ReadonlySet<string> = new Set([
  "DiskStorageQuotaExhaustedError",
  "DiskNotEnoughFreeSpaceError",
  "DiskFileSizeLimitExceededError",
  "DiskUploadTrafficLimitExceeded",
  "DiskResourceUploadTrafficLimitExceededError",
]);

/** Tokens that are renewed while a storage is in use. */
export interface TokenSource {
  current(): Promise<string>;
  /** Another token for one that Yandex does not accept any more; null when there is none. */
  replace(refused: string): Promise<string | null>;
}

/** What the API's answers say, of all kinds; an answer has a few of these. */
export interface Body {
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
  /** Downloads the file that this answer describes, for a limited time. */
  readonly file?: string;
  readonly public_url?: string;
  readonly _embedded?: { readonly total: number; readonly items: readonly Body[] };
  // The Disk
  readonly used_space?: number;
  readonly total_space?: number;
}

type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface Reply {
  readonly status: number;
  readonly body: Body;
}

/** Requests to the API's own host, the only one that gets the token. */
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

  /** One request to the API. */
  ask(method: Method, resource: string, parameters: Readonly<Record<string, string>>): Promise<Reply> {
    const url = new URL(`/v1/disk${resource}`, this.#url);
    // A plus sign is a plus sign: spaces must not become one.
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
    // Its words may be shown: an answer that repeats the token must not show that.
    return { status, body: parse(text.replaceAll(token, "…")) };
  }

  /** Waits for the operation that an answer with 202 names: did it succeed? */
  async finish({ body }: Reply): Promise<boolean> {
    const url = hrefOf(body.href);
    // The token goes there: no other host will do.
    if (url.origin !== this.#url.origin) {
      throw new StorageError(
        "unavailable",
        `Yandex Disk names an operation at ${url.host}, which is not its API.`,
      );
    }
    return this.#succeeds(url);
  }

  /** The same for an operation that is known by its id. */
  finishOperation(id: string): Promise<boolean> {
    return this.#succeeds(new URL(`/v1/disk/operations/${encodeURIComponent(id)}`, this.#url));
  }

  async #succeeds(operation: URL): Promise<boolean> {
    for (let poll = 0; poll < POLLS; poll++) {
      const { status } = bodyOf(await this.#request("GET", operation), 200);
      if (status === "success") return true;
      if (status !== "in-progress") return false;
      await this.#http.sleep(Math.min(FIRST_POLL_MILLISECONDS * 2 ** poll, LONGEST_POLL_MILLISECONDS));
    }
    throw new StorageError("unavailable", "Yandex Disk has not ended an operation after minutes.");
  }
}

/** The answer's body, if its status is the one that means success; throws what it means otherwise. */
export function bodyOf(reply: Reply, expected: number): Body {
  if (reply.status !== expected) throw refusal(reply);
  return reply.body;
}

/** What an unwelcome answer of the API means. */
export function refusal({ status, body }: Reply): StorageError {
  const words = body.description ?? body.message ?? body.error ?? `HTTP ${status}`;
  const details = { providerMessage: words };
  if (status === 507 || status === 413 || LIMITS.has(body.error ?? "")) {
    return new StorageError("quota_exceeded", "Yandex Disk has no room for this.", details);
  }
  switch (status) {
    case 400:
      return new StorageError("invalid_config", "Yandex Disk does not understand the path.", {
        field: "root",
        ...details,
      });
    case 401:
      return new StorageError(
        "invalid_config",
        "Yandex Disk does not accept the token: it is wrong, has expired or was revoked.",
        { field: "token", ...details },
      );
    case 403:
      return new StorageError(
        "denied",
        "The token does not allow this: its application lacks a right, or the root lies outside of its folder.",
        details,
      );
    case 404:
      return new StorageError("not_found", "Yandex Disk has no such file or folder.", details);
    case 409:
      return new StorageError("conflict", "Something else is in the way on Yandex Disk.", details);
    case 423:
      return new StorageError("unavailable", "Another operation holds the file on Yandex Disk.", details);
    case 429:
      return new StorageError("unavailable", "Yandex Disk has had too many requests.", details);
    default:
      return new StorageError("unavailable", `Yandex Disk answers with HTTP ${status}.`, details);
  }
}

/** The folder that something should go into may not be there: known as 409, described as 404. */
export function isFolderMissing({ status, body }: Reply): boolean {
  return status === 404 || (status === 409 && body.error === "DiskPathDoesntExistsError");
}

/** The address in an answer. */
export function hrefOf(href: string | undefined): URL {
  const url = URL.parse(href ?? "");
  if (!url) throw new StorageError("unavailable", "Yandex Disk answers with a link that is none.");
  return url;
}

/** Answers that should be JSON and are not come from machines in between; their status must do. */
function parse(text: string): Body {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}

export function operationFailed(): StorageError {
  return new StorageError("unavailable", "Yandex Disk began an operation that failed; it does not say why.");
}

function fixed(token: string): TokenSource {
  if (token === "") throw new StorageError("invalid_config", "A token is needed.", { field: "token" });
  return { current: async () => token, replace: async () => null };
}
