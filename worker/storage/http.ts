import { readChunks } from "./chunks.ts";
import { currentPatience, type Patience } from "./patience.ts";
import { StorageError, type StorageErrorCode } from "./provider.ts";
import { pump } from "./pump.ts";
import { ReadMemory } from "./read-memory.ts";

/** Attempts of a request that may be repeated, the first one included. */
const ATTEMPTS = 4;

/** Before the nth repetition comes a random pause of up to this × 2^(n − 1) ("full jitter"). */
const BACKOFF_MILLISECONDS = 250;

/** A `Retry-After` beyond this ends the attempts. */
const MAX_RETRY_AFTER_SECONDS = 15;

/** Longest time in which a backend accepts no bytes of a request, or sends no bytes of its response. */
const SILENCE_SECONDS = 30;

/** A longer body in memory is sent in chunks of this size, each of which has that time. */
const CHUNK_BYTES = 65_536;

/** Limit for responses that are read as text: listings and errors. */
const MAX_TEXT_BYTES = 4 * 2 ** 20;

/** Longest time in which such a response arrives. */
const TEXT_SECONDS = 30;

/** A text may have as many bytes however many others are read: enough for errors and small listings. */
const FREE_TEXT_BYTES = 65_536;

/** Most bytes of the larger texts that an isolate reads at a time, and of one server. */
const MAX_TEXTS_BYTES = 20 * 2 ** 20;
const MAX_SERVER_TEXTS_BYTES = 8 * 2 ** 20;

/** Too many requests, or a fault of the backend: another attempt may succeed. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface StorageHttpOptions {
  /** Throws for an address that must not be requested. Called for every redirect too. */
  readonly checkAddress: (url: URL) => unknown;
  /** The rest is for tests; by default the platform's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random?: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly silenceSeconds?: number;
  /** Of the whole isolate. */
  readonly texts?: ReadMemory;
}

/** Returns the memory for the texts that all `StorageHttp`s of an isolate read. */
export function textMemory(): ReadMemory {
  return new ReadMemory(MAX_TEXTS_BYTES, MAX_SERVER_TEXTS_BYTES);
}

export interface StorageRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "PATCH";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string | StreamBody;
  /**
   * Whether the request may be repeated. By default every method but POST and PATCH may; a stream never, because it
   * can be read only once.
   */
  readonly idempotent?: boolean;
  /** Statuses that mean the backend did nothing: such a request is repeated whatever its method. */
  readonly refusals?: readonly number[];
  /** Most redirects of a GET or HEAD to follow. Default: 0, which returns the redirect itself. */
  readonly maxRedirects?: number;
  /** For backends that are known to need longer. The patience of the running work limits it. */
  readonly silenceSeconds?: number;
}

interface StreamBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Exact number of bytes. */
  readonly length: number;
}

/** A response whose body is not read yet. The caller must read or cancel it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Fails with a StorageError `unavailable` when the backend is silent for too long or the connection breaks. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Reads the body, which must be UTF-8. */
  text(): Promise<string>;
}

/** A response whose body was read. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * HTTP for storages: every request has a time limit, and all requests of one request to the API share one (`Patience`);
 * failed requests are repeated where that is safe, and the target of every redirect is checked. Any status is returned;
 * a request without a response rejects with a StorageError `unavailable`. When a stream that is being sent breaks, the
 * request rejects with the stream's own error.
 */
export class StorageHttp {
  readonly #checkAddress: (url: URL) => unknown;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #silenceSeconds: number;
  readonly #texts: ReadMemory;

  constructor({
    checkAddress,
    fetch: send = (url, init) => fetch(url, init),
    sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random = Math.random,
    now = Date.now,
    silenceSeconds = SILENCE_SECONDS,
    texts = textMemory(),
  }: StorageHttpOptions) {
    this.#checkAddress = checkAddress;
    this.#fetch = send;
    this.#sleep = sleep;
    this.#random = random;
    this.#now = now;
    this.#silenceSeconds = silenceSeconds;
    this.#texts = texts;
  }

  /** @throws StorageError `invalid_config` for an address that must not be requested */
  check(url: URL): void {
    this.#checkAddress(url);
  }

  /** Sends a request. Resolves with the response when its body begins. */
  open(request: StorageRequest): Promise<Answer> {
    return this.#repeat(request, () => this.#follow(request));
  }

  /** Sends a request and reads the response. A response that breaks off counts as a failed attempt. */
  ask(request: StorageRequest): Promise<Reply> {
    return this.#repeat(request, async () => readReply(await this.#follow(request)));
  }

  /**
   * Waits before another attempt at a host, for callers with attempts of their own.
   *
   * @throws StorageError `unavailable` when the running work has no patience left for the host
   */
  async pause({ host }: URL, milliseconds: number): Promise<void> {
    const patience = currentPatience();
    if (milliseconds > patience.left(host) * 1000) throw outOfPatience(host, patience);
    patience.lose(host, milliseconds / 1000);
    await this.#sleep(milliseconds);
  }

  async #repeat<T extends Answer | Reply>(request: StorageRequest, attempt: () => Promise<T>): Promise<T> {
    const repeatable = mayRepeat(request);
    const refusals = isStream(request.body) ? [] : (request.refusals ?? []);
    const { host } = request.url;
    const patience = currentPatience();
    for (let done = 1; ; done++) {
      let pause: number | null;
      try {
        const answer = await attempt();
        const { status } = answer;
        const again = refusals.includes(status) || (repeatable && RETRIED_STATUSES.has(status));
        if (done === ATTEMPTS || !again) return answer;
        pause = this.#pause(done, answer.headers.get("retry-after"));
        if (pause === null || pause > patience.left(host) * 1000) return answer;
        if ("body" in answer) await answer.body?.cancel();
      } catch (error) {
        if (done === ATTEMPTS || !repeatable || !(error instanceof Outage)) throw error;
        pause = this.#pause(done, null) ?? 0;
        if (pause >= patience.left(host) * 1000) throw error;
      }
      patience.lose(host, pause / 1000);
      await this.#sleep(pause);
    }
  }

  /** Returns milliseconds; null when the backend asks for a pause that is too long. */
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
    const patience = currentPatience();
    const followed = method === "GET" || method === "HEAD" ? maxRedirects : 0;
    let { url, headers = {} } = request;
    for (let hops = 0; ; hops++) {
      this.#checkAddress(url);
      const left = patience.left(url.host);
      if (left === 0) throw outOfPatience(url.host, patience);
      const seconds = Math.min(request.silenceSeconds ?? this.#silenceSeconds, Math.ceil(left * 100) / 100);
      const limit = {
        seconds,
        onSilence: () => patience.lose(url.host, seconds),
      };
      const { response, end } = await this.#exchange(request, url, headers, limit);
      const location = response.headers.get("location");
      if (followed === 0 || !REDIRECTS.has(response.status) || location === null) {
        if (!response.body) end();
        const body = response.body && withTimeLimit(response.body, url.host, limit, end);
        return {
          status: response.status,
          headers: response.headers,
          body,
          text: () => readText(body, url.host, this.#texts),
        };
      }
      await response.body?.cancel();
      if (hops === followed) {
        throw new StorageError("unavailable", `${request.url.host} redirects more than ${followed} times.`);
      }
      const next = URL.parse(location, url);
      if (!next) throw new StorageError("unavailable", `${url.host} redirects to an invalid address.`);
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      url = next;
    }
  }

  /** Sends one request. The caller calls `end` once the response was read, which stops the sending of the body. */
  async #exchange(
    { method, body }: StorageRequest,
    url: URL,
    headers: Readonly<Record<string, string>>,
    { seconds, onSilence }: SilenceLimit,
  ): Promise<{ response: Response; end: () => void }> {
    const silent = new AbortController();
    const ended = new AbortController();
    const end = () => ended.abort();
    let answered = false;
    let timer: number | null = null;
    const wait = () => {
      clearTimeout(timer);
      if (answered) return;
      const tooLong = new Outage(`${url.host} sent no data for more than ${seconds} s.`);
      timer = setTimeout(() => {
        onSilence();
        silent.abort(tooLong);
      }, seconds * 1000);
    };
    let broken: { readonly error: unknown } | undefined;
    let sent: ReadableStream | Uint8Array<ArrayBuffer> | string | null;
    const source = streamOf(body);
    if (source) {
      // A fixed length sets Content-Length. Time in which the source has no bytes does not count as silence.
      const { readable, writable } = new FixedLengthStream(source.length);
      const onWait = (waiting: boolean) => (waiting ? wait() : clearTimeout(timer));
      pump(source.stream, writable, source.length, { signal: ended.signal, onWait }).then(wait, (error) => {
        broken = { error };
      });
      sent = readable;
    } else {
      sent = (body as Exclude<typeof body, StreamBody>) ?? null;
      wait();
    }
    try {
      const init: RequestInit = { method, headers, body: sent, redirect: "manual", signal: silent.signal };
      // A response before the end of the body is a refusal. Its text arrives only while the request is open.
      return { response: await this.#fetch(url.href, init), end };
    } catch (error) {
      end();
      if (broken) throw broken.error;
      throw silent.signal.aborted
        ? silent.signal.reason
        : new Outage(`${url.host} cannot be reached, or closed the connection.`, error);
    } finally {
      answered = true;
      clearTimeout(timer);
    }
  }
}

/** Returns what a status means when the backend gives no more specific reason. */
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

/** No response, or an incomplete one. */
class Outage extends StorageError {
  constructor(sentence: string, cause?: unknown) {
    super("unavailable", sentence, { cause });
  }
}

function outOfPatience(host: string, { seconds }: Patience): Outage {
  return new Outage(`${host} has not responded for ${seconds} s.`);
}

interface SilenceLimit {
  /** Longest time without a byte. */
  readonly seconds: number;
  /** Called when it is over. */
  readonly onSilence: () => void;
}

/** Returns a body as a stream; null for one that is short or absent. */
function streamOf(body: StorageRequest["body"]): StreamBody | null {
  if (isStream(body)) return body;
  if (!(body instanceof Uint8Array) || body.length <= CHUNK_BYTES) return null;
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(body.subarray(sent, sent + CHUNK_BYTES));
        sent += CHUNK_BYTES;
        if (sent >= body.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, length: body.length };
}

function isStream(body: StorageRequest["body"]): body is StreamBody {
  return typeof body === "object" && "stream" in body;
}

function mayRepeat({ method, body, idempotent }: StorageRequest): boolean {
  return !isStream(body) && (idempotent ?? (method !== "POST" && method !== "PATCH"));
}

/** Removes credentials, which only the host that they belong to may receive. */
function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}

/** Returns the same bytes, with a time limit for each chunk. Calls `end` when they are read, cancelled or broken. */
function withTimeLimit(
  body: ReadableStream<Uint8Array>,
  host: string,
  { seconds, onSilence }: SilenceLimit,
  end: () => void,
): ReadableStream<Uint8Array> {
  const reader = readChunks(body);
  const cancel = (reason: unknown) => reader.cancel(reason).finally(end);
  return new ReadableStream(
    {
      async pull(controller) {
        let timer: number | null = null;
        const silence = new Promise<never>((_, reject) => {
          const tooLong = new Outage(`${host} sent no data for more than ${seconds} s during its response.`);
          timer = setTimeout(() => {
            onSilence();
            reject(tooLong);
          }, seconds * 1000);
        });
        try {
          const chunk = await Promise.race([reader.read(), silence]);
          if (!chunk.done) return controller.enqueue(chunk.value);
          end();
          controller.close();
        } catch (error) {
          cancel(error).catch(() => {});
          throw error instanceof Outage
            ? error
            : new Outage(`${host} closed the connection during its response.`, error);
        } finally {
          clearTimeout(timer);
        }
      },
      cancel,
    },
    // Reads nothing ahead.
    { highWaterMark: 0 },
  );
}

export async function readReply({ status, headers, text }: Answer): Promise<Reply> {
  return { status, headers, text: await text() };
}

async function readText(
  body: ReadableStream<Uint8Array> | null,
  host: string,
  texts: ReadMemory,
): Promise<string> {
  const decoder = new TextDecoder();
  const until = Date.now() + TEXT_SECONDS * 1000;
  // A silent server ends the read later than that.
  const read = { owner: host, bytes: 0, until: until + 2 * SILENCE_SECONDS * 1000 };
  let text = "";
  let bytes = 0;
  try {
    // Throwing cancels the body.
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_TEXT_BYTES) {
        throw new StorageError(
          "unavailable",
          `${host} responds with more than ${MAX_TEXT_BYTES / 2 ** 20} MB of text.`,
        );
      }
      if (Date.now() > until) throw new Outage(`${host} did not send its response within ${TEXT_SECONDS} s.`);
      if (bytes > FREE_TEXT_BYTES && !texts.add(read, chunk.length)) {
        throw new Outage("Too many large responses of storages arrive at this moment. Try again.");
      }
      text += decoder.decode(chunk, { stream: true });
    }
  } finally {
    texts.end(read);
  }
  return text + decoder.decode();
}
