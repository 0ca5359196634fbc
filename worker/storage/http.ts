import { StorageError, type StorageErrorCode } from "./provider.ts";
import { pump } from "./pump.ts";

/** Tries of a request that may be repeated: the first and three more. */
const ATTEMPTS = 4;

/** The pause before the nth repetition is random, up to this × 2^(n − 1) ("full jitter"). */
const BACKOFF_MILLISECONDS = 250;

/** Whoever wants a longer pause (`Retry-After`) is not waited for. */
const MAX_RETRY_AFTER_SECONDS = 15;

/** Longest silence of a backend: until it takes more of a body, until its answer begins, between its parts. */
const SILENCE_SECONDS = 30;

/** A body that is sent in one piece gets this much more time. */
const SLOWEST_BYTES_PER_SECOND = 65_536;

/** Answers that are read as text are listings and reasons. */
const MAX_TEXT_BYTES = 16 * 2 ** 20;

/** Bytes asked for at a time; without a buffer of its own a reader gets 4 KB. */
const CHUNK_BYTES = 262_144;

/** Worth another try: too many requests, or the backend's own trouble. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface StorageHttpOptions {
  /** Throws for an address that must not be asked; called for every hop. */
  readonly checkAddress: (url: URL) => unknown;
  /** The platform's `fetch` unless given, and so on. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random?: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly silenceSeconds?: number;
}

export interface StorageRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "PATCH";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string | StreamBody;
  /**
   * Whether a second time does no harm. By default every method but POST and PATCH is repeated; a stream never
   * is, for it flows once.
   */
  readonly idempotent?: boolean;
  /** Statuses by which the backend says that it did nothing: worth another try whatever the method is. */
  readonly refusals?: readonly number[];
  /** How many redirects of a GET or HEAD are followed, 0 by default: then the redirect is the answer. */
  readonly maxRedirects?: number;
  /** Longest silence of the backend, where it is known to need longer. */
  readonly silenceSeconds?: number;
}

export interface StreamBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Exact number of bytes that it brings. */
  readonly length: number;
}

/** An answer whose body is still to come; it must be read or cancelled. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Breaks with a StorageError `unavailable` when the backend falls silent or the connection does. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Reads the body, which must be UTF-8. */
  text(): Promise<string>;
}

/** An answer that was read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * HTTP as storages need it: no request waits for ever, what may be repeated is repeated a few times, no
 * redirect leads anywhere unseen. Any status is an answer; what kept an answer from coming is a StorageError
 * `unavailable`. A stream that breaks while it is sent rejects with its own error.
 */
export class StorageHttp {
  readonly #checkAddress: (url: URL) => unknown;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** For those who ask again on grounds of their own. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #silenceSeconds: number;

  constructor({
    checkAddress,
    fetch: send = (url, init) => fetch(url, init),
    sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random = Math.random,
    now = Date.now,
    silenceSeconds = SILENCE_SECONDS,
  }: StorageHttpOptions) {
    this.#checkAddress = checkAddress;
    this.#fetch = send;
    this.sleep = sleep;
    this.#random = random;
    this.#now = now;
    this.#silenceSeconds = silenceSeconds;
  }

  /** @throws StorageError `invalid_config` for an address that is not asked */
  check(url: URL): void {
    this.#checkAddress(url);
  }

  /** Resolves when the answer begins. */
  open(request: StorageRequest): Promise<Answer> {
    return this.#repeat(request, () => this.#follow(request));
  }

  /** Resolves when the answer was read; one that breaks off is asked for again. */
  ask(request: StorageRequest): Promise<Reply> {
    return this.#repeat(request, async () => {
      const answer = await this.#follow(request);
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    });
  }

  async #repeat<T extends Answer | Reply>(request: StorageRequest, attempt: () => Promise<T>): Promise<T> {
    const repeatable = mayRepeat(request);
    const refusals = isStream(request.body) ? [] : (request.refusals ?? []);
    for (let done = 1; ; done++) {
      let pause: number | null;
      try {
        const answer = await attempt();
        const { status } = answer;
        const again = refusals.includes(status) || (repeatable && RETRIED_STATUSES.has(status));
        if (done === ATTEMPTS || !again) return answer;
        pause = this.#pause(done, answer.headers.get("retry-after"));
        if (pause === null) return answer;
        if ("body" in answer) await answer.body?.cancel();
      } catch (error) {
        if (done === ATTEMPTS || !repeatable || !(error instanceof Outage)) throw error;
        pause = this.#pause(done, null);
      }
      await this.sleep(pause ?? 0);
    }
  }

  /** Milliseconds; null when the backend asks for more patience than there is. */
  #pause(done: number, retryAfter: string | null): number | null {
    const jitter = this.#random() * BACKOFF_MILLISECONDS * 2 ** (done - 1);
    if (retryAfter === null) return jitter;
    // Seconds, or a date (RFC 9110, section 10.2.3).
    const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - this.#now();
    if (asked > MAX_RETRY_AFTER_SECONDS * 1000) return null;
    return jitter + (asked > 0 ? asked : 0);
  }

  async #follow(request: StorageRequest): Promise<Answer> {
    const { method, maxRedirects = 0 } = request;
    const silenceSeconds = request.silenceSeconds ?? this.#silenceSeconds;
    const followed = method === "GET" || method === "HEAD" ? maxRedirects : 0;
    let { url, headers = {} } = request;
    for (let hops = 0; ; hops++) {
      this.#checkAddress(url);
      const { response, end } = await this.#exchange(request, url, headers, silenceSeconds);
      const location = response.headers.get("location");
      if (followed === 0 || !REDIRECTS.has(response.status) || location === null) {
        if (!response.body) end();
        const body = response.body && watched(response.body, url.host, silenceSeconds, end);
        return {
          status: response.status,
          headers: response.headers,
          body,
          text: () => readText(body, url.host),
        };
      }
      await response.body?.cancel();
      if (hops === followed) {
        throw new StorageError("unavailable", `${request.url.host} redirects more than ${followed} times.`);
      }
      const next = URL.parse(location, url);
      if (!next) throw new StorageError("unavailable", `${url.host} redirects to what is no address.`);
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      url = next;
    }
  }

  /** One request and the beginning of its answer; `end` lets go of the request when all of that was read. */
  async #exchange(
    { method, body }: StorageRequest,
    url: URL,
    headers: Readonly<Record<string, string>>,
    silenceSeconds: number,
  ): Promise<{ response: Response; end: () => void }> {
    const silent = new AbortController();
    const ended = new AbortController();
    const end = () => ended.abort();
    let answered = false;
    let timer: number | null = null;
    const wait = (seconds: number) => {
      clearTimeout(timer);
      if (answered) return;
      const tooLong = new Outage(`${url.host} was silent for more than ${seconds} s.`);
      timer = setTimeout(() => silent.abort(tooLong), seconds * 1000);
    };
    let broken: { readonly error: unknown } | undefined;
    let sent: ReadableStream | Uint8Array<ArrayBuffer> | string | null;
    if (isStream(body)) {
      // A fixed length makes it go out with a Content-Length; only the backend's part of the time counts.
      const { readable, writable } = new FixedLengthStream(body.length);
      const onWait = (waiting: boolean) => (waiting ? wait(silenceSeconds) : clearTimeout(timer));
      pump(body.stream, writable, body.length, { signal: ended.signal, onWait }).then(
        () => wait(silenceSeconds),
        (error) => {
          broken = { error };
        },
      );
      sent = readable;
    } else {
      sent = body ?? null;
      wait(silenceSeconds + Math.ceil((body?.length ?? 0) / SLOWEST_BYTES_PER_SECOND));
    }
    try {
      const init: RequestInit = { method, headers, body: sent, redirect: "manual", signal: silent.signal };
      // An answer before the end of the body is a refusal. Its reason comes only while the request lives.
      return { response: await this.#fetch(url.href, init), end };
    } catch (error) {
      end();
      if (broken) throw broken.error;
      throw silent.signal.aborted
        ? silent.signal.reason
        : new Outage(`${url.host} cannot be reached, or broke the connection off.`, error);
    } finally {
      answered = true;
      clearTimeout(timer);
    }
  }
}

/** What a status means where the backend gives no better reason. */
export function codeOfStatus(status: number): StorageErrorCode {
  switch (status) {
    case 401:
    case 403:
      return "denied";
    case 404:
    case 410:
      return "not_found";
    case 409:
    case 412:
      return "conflict";
    case 507:
      return "quota_exceeded";
    default:
      return "unavailable";
  }
}

/** No answer, or half of one: another try may bring it. */
class Outage extends StorageError {
  constructor(sentence: string, cause?: unknown) {
    super("unavailable", sentence, { cause });
  }
}

function isStream(body: StorageRequest["body"]): body is StreamBody {
  return typeof body === "object" && "stream" in body;
}

function mayRepeat({ method, body, idempotent }: StorageRequest): boolean {
  return !isStream(body) && (idempotent ?? (method !== "POST" && method !== "PATCH"));
}

/** They are for the host that they were given to. */
function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}

/** Nothing is read ahead of whoever reads the copy. `end` is called once it was read, broke or was cancelled. */
function watched(
  body: ReadableStream<Uint8Array>,
  host: string,
  silenceSeconds: number,
  end: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader({ mode: "byob" });
  const cancel = (reason: unknown) => reader.cancel(reason).finally(end);
  return new ReadableStream(
    {
      async pull(controller) {
        let timer: number | null = null;
        const silence = new Promise<never>((_, reject) => {
          const tooLong = new Outage(
            `${host} fell silent for more than ${silenceSeconds} s during its answer.`,
          );
          timer = setTimeout(() => reject(tooLong), silenceSeconds * 1000);
        });
        try {
          const { done, value } = await Promise.race([reader.read(new Uint8Array(CHUNK_BYTES)), silence]);
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          cancel(error).catch(() => {});
          throw error instanceof Outage ? error : new Outage(`${host} broke its answer off.`, error);
        } finally {
          clearTimeout(timer);
        }
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
}

async function readText(body: ReadableStream<Uint8Array> | null, host: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the body.
    if (bytes > MAX_TEXT_BYTES) {
      throw new StorageError(
        "unavailable",
        `${host} answers with more than ${MAX_TEXT_BYTES / 2 ** 20} MB of text.`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
