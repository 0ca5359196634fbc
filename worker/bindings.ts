import type { DevelopmentMailbox, Mailer } from "./accounts/mailer.ts";
import type { PublicCache } from "./content/public-cache.ts";
import type { Quotas } from "./content/quotas.ts";
import type { Database } from "./db/tables.ts";
import type { RateLimits } from "./http/rate-limits.ts";
import type { RequestBody } from "./http/request-body.ts";
import type { Storages } from "./storage/open.ts";
import type { YandexDiskSettingsBody } from "./storage/settings.ts";

/**
 * What the edge's code works with: the platform's services behind types of our own, so that routes and
 * domain functions name neither Workers types nor environment variables. `worker/connect.ts` connects them.
 */
export interface Bindings {
  readonly db: Database;
  readonly storages: Storages;
  readonly queue: CompileQueue;
  readonly storageQueue: StorageQueue;
  readonly webhookQueue: WebhookQueue;
  readonly internet: Internet;
  readonly settings: Settings;
  /** The application that this installation has registered with Yandex; null: none. */
  readonly yandex: YandexPermission | null;
  readonly accounts: AccountSettings;
  readonly rateLimits: RateLimits;
  readonly publicCache: PublicCache;
  /** The built web app. */
  readonly assets: { fetch(request: Request): Promise<Response> };
  /** What the platform stands on, by name; a check rejects, saying why, when its dependency is down. */
  readonly dependencies: Readonly<Record<string, () => Promise<void>>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Goes on with work that no answer waits for. */
  readonly later: (work: Promise<unknown>) => void;
}

/** Hono's environment. A company's stores come with its routes: worker/routes/guarded.ts. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    /** The id in X-Request-Id, in problem documents and in the log. */
    requestId: string;
    body: RequestBody;
  };
}

/** HTTP to addresses that users gave: every hop is checked, by worker/storage/address.ts. */
export interface Internet {
  /** @throws StorageError `invalid_config` for an address that is not asked */
  check(url: URL): void;
  /** Resolves when the answer begins. @throws StorageError `invalid_config`, `unavailable` */
  open(request: {
    readonly method: "GET" | "POST";
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly maxRedirects: number;
    /** Until the answer begins, and between its parts. */
    readonly silenceSeconds: number;
    /** Whether a failure may be tried again at once. */
    readonly idempotent: boolean;
  }): Promise<{
    readonly status: number;
    readonly headers: Headers;
    /** To be read or cancelled. */
    readonly body: ReadableStream<Uint8Array> | null;
  }>;
}

export interface AccountSettings {
  /** Signs the cookies of sessions. */
  readonly secret: string;
  /** Opens the set-up page; empty: it stays closed. */
  readonly setupToken: string;
  readonly mailer: Mailer;
  /** Where `mailer` is the development mailbox: that, and the token that opens its page. */
  readonly mailbox: { readonly mails: DevelopmentMailbox; readonly token: string } | null;
}

/** Says "look at this compilation"; what is to be done is in the database. */
export interface CompileMessage {
  readonly content_id: string;
  readonly generation: number;
}

interface CompileQueue {
  send(message: CompileMessage, delaySeconds: number): Promise<void>;
  /** At most 100 at once. */
  sendAll(
    messages: readonly { readonly message: CompileMessage; readonly delaySeconds: number }[],
  ): Promise<void>;
}

/** Says "go on with this storage migration"; what is to be done is in the database. */
export interface StorageMessage {
  readonly migration_id: string;
}

interface StorageQueue {
  send(message: StorageMessage, delaySeconds: number): Promise<void>;
}

/** Says "send this delivery"; whether it is still to be sent is in the database. */
export interface WebhookMessage {
  readonly delivery_id: string;
}

interface WebhookQueue {
  /** At most 100 at once. */
  sendAll(messages: readonly WebhookMessage[]): Promise<void>;
}

/** What a consumer tells the queue to do with a message. */
export type Verdict = { readonly kind: "ack" } | { readonly kind: "retry"; readonly delaySeconds: number };

/** How a company's permission is asked for; see worker/storage/yandex-oauth.ts. */
export interface YandexPermission {
  /** A secret of one attempt, which proves that who exchanges the code asked for it (PKCE). */
  newVerifier(): string;
  /** The address that the person's browser goes to. */
  authorizeUrl(attempt: { state: string; verifier: string }, redirectUri: string): Promise<URL>;
  /** @throws StorageError `denied` for a code that is wrong, used or too old */
  exchange(code: string, verifier: string, root: string): Promise<YandexDiskSettingsBody>;
}

export interface Settings {
  /** Origin for links that leave the platform; empty: the origin of the request. */
  readonly publicUrl: string;
  readonly browserLeaseSeconds: number;
  readonly nodeLeaseSeconds: number;
  readonly retryBaseSeconds: number;
  readonly sweepGraceSeconds: number;
  readonly storageLeaseSeconds: number;
  /** Of every company that has none of its own. */
  readonly quotas: Quotas;
}
