import { logFailure } from "../log.ts";

/** Requests from outside never meet the entries of a cache with a name. */
const NAME = "vivimark";

/**
 * The cache of the Cloudflare location that serves a request. All isolates of the location share it, and it may drop an
 * entry at any time. Under workers.dev it keeps nothing.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/cache/
 */
export class EdgeCache {
  readonly #origin: string;
  readonly #later: (work: Promise<unknown>) => void;

  /**
   * @param origin begins the addresses of the entries. Cloudflare recommends the Worker's own
   * @param later continues work after the response
   */
  constructor(origin: string, later: (work: Promise<unknown>) => void) {
    this.#origin = origin;
    this.#later = later;
  }

  /** Returns an entry; null when it is missing, or when the cache fails: everything in it is stored elsewhere too. */
  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      const cache = await caches.open(NAME);
      const entry = await cache.match(this.#addressOf(key));
      return entry ? new Uint8Array(await entry.arrayBuffer()) : null;
    } catch (error) {
      logFailure("The edge cache could not be read", error);
      return null;
    }
  }

  /** Keeps an entry for some time, after the response. */
  put(key: string, body: Uint8Array<ArrayBuffer> | string, seconds: number): void {
    const put = async () => {
      const cache = await caches.open(NAME);
      const headers = { "Cache-Control": `max-age=${seconds}` };
      await cache.put(this.#addressOf(key), new Response(body, { headers }));
    };
    this.#later(put().catch((error) => logFailure("The edge cache could not be written", error)));
  }

  /** In one segment: a URL would resolve `..` in a key of several, and lead to the entry of another. */
  #addressOf(key: string): string {
    return `${this.#origin}/${encodeURIComponent(key)}`;
  }
}
