import type { DevelopmentMailbox, Mailer } from "./accounts/mailer.ts";
import type { PublicCache } from "./content/public-cache.ts";
import type { Quotas } from "./content/quotas.ts";
import type { Database } from "./db/tables.ts";
import type { RateLimits } from "./http/rate-limits.ts";
import type { RequestBody } from "./http/request-body.ts";
import type { UploadMemory } from "./http/upload-memory.ts";
import type { ImageJob, PreviewOutcome, RetryableOutcome } from "./marker/outcome.ts";
import type { AlertHook } from "./platform/alert-hook.ts";
import type { Storages } from "./storage/open.ts";
import type { YandexDiskSettingsBody } from "./storage/settings.ts";

/**
 * The services that routes and domain functions use. They hide Workers types and environment variables, which only
 * worker/connect.ts knows.
 */
export interface Bindings {
  readonly db: Database;
  /** The copy of the database nearest to the caller, for reads that may lag a little behind. */
  readonly replica: Database;
  readonly storages: Storages;
  readonly queue: CompileQueue;
  readonly storageQueue: StorageQueue;
  readonly webhookQueue: WebhookQueue;
  readonly internet: Internet;
  readonly settings: Settings;
  /** Null when this installation is not registered with Yandex. */
  readonly yandex: YandexPermission | null;
  readonly accounts: AccountSettings;
  readonly rateLimits: RateLimits;
  readonly uploadMemory: UploadMemory;
  readonly publicCache: PublicCache;
  /** The built web app. */
  readonly assets: { fetch(request: Request): Promise<Response> };
  /** Health checks by the name of what they check. A check rejects with the reason when that is down. */
  readonly dependencies: Readonly<Record<string, () => Promise<void>>>;
  readonly operations: Operations;
  /** Returns null if the Node compiler has a free place, and otherwise the outcome of an attempt. */
  readonly askForPlace: () => Promise<RetryableOutcome | null>;
  /** Lets the Node compiler make the smaller pictures of a photo. */
  readonly preview: (job: ImageJob) => Promise<PreviewOutcome>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Continues work after the response is sent. */
  readonly later: (work: Promise<unknown>) => void;
}

/** Hono's environment of all routes. Those of a company have more variables: worker/routes/guarded.ts. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    /** The id in X-Request-Id, in problem documents and in the log. */
    requestId: string;
    body: RequestBody;
    /**
     * Set by a handler whose response contains a secret, which keeps the response out of the database. A request that
     * repeats it with its Idempotency-Key gets this text instead: what was done, and how to get another secret.
     */
    shownOnce?: string;
    /**
     * Set by a handler whose response may be too long to keep: what it needs to make the response again, as
     * `creation.summary`.
     */
    summary?: string;
  };
}

/** What operators of the platform see. */
export interface Operations {
  /** Opens the metrics; empty: they are disabled. */
  readonly metricsKey: string;
  /** Null: alerts go to the owners of the platform and to the log only. */
  readonly alertHook: AlertHook | null;
  /** Reads how many messages wait in each queue, by its name. A queue may reject. */
  readonly queues: Readonly<
    Record<string, () => Promise<{ readonly messages: number; readonly oldestAt: number | null }>>
  >;
  /** The version of the Worker; empty on this machine. `at` is an ISO time. */
  readonly deployment: { readonly id: string; readonly at: string };
  /** When this isolate last checked the conditions of alerts. */
  readonly watch: { checkedAt: number };
}

/** HTTP to addresses from users. worker/storage/address.ts checks them, redirects included. */
export interface Internet {
  /** @throws StorageError `invalid_config` for an address that must not be requested */
  check(url: URL): void;
  /** Resolves when the response's body begins. @throws StorageError `invalid_config`, `unavailable` */
  open(request: {
    readonly method: "GET" | "POST";
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly maxRedirects: number;
    /** Longest wait for the response, and for each chunk of its body. */
    readonly silenceSeconds: number;
    /** Whether the request may be repeated after a failure. */
    readonly idempotent: boolean;
  }): Promise<{
    readonly status: number;
    readonly headers: Headers;
    /** The caller must read or cancel it. */
    readonly body: ReadableStream<Uint8Array> | null;
  }>;
}

export interface AccountSettings {
  /** Signs the cookies of sessions. */
  readonly secret: string;
  /** Opens the setup page; empty: the page stays closed. */
  readonly setupToken: string;
  readonly mailer: Mailer;
  /** The development mailbox and the token of its page, if `mailer` is the mailbox. */
  readonly mailbox: { readonly mails: DevelopmentMailbox; readonly token: string } | null;
}

/** Asks to look at a compilation. The database has what is to be done. */
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

/** Asks to continue a storage migration. The database has what is to be done, and whose turn it is. */
export interface StorageMessage {
  readonly migration_id: string;
}

interface StorageQueue {
  send(message: StorageMessage, delaySeconds: number): Promise<void>;
}

/** Asks to send a webhook's delivery. The database has whether it is still due. */
export interface WebhookMessage {
  readonly delivery_id: string;
}

interface WebhookQueue {
  /** At most 100 at once. */
  sendAll(messages: readonly WebhookMessage[], delaySeconds: number): Promise<void>;
}

/** The consumer's decision about a message. */
export type Verdict = { readonly kind: "ack" } | { readonly kind: "retry"; readonly delaySeconds: number };

/** Yandex's OAuth flow; see worker/storage/yandex-oauth.ts. */
export interface YandexPermission {
  /** Returns a secret, which proves that the client that exchanges the code asked for it (PKCE). */
  newVerifier(): string;
  /** Returns the address at which a person permits the access. */
  authorizeUrl(authorization: { state: string; verifier: string }, redirectUri: string): Promise<URL>;
  /** Exchanges the code for tokens. @throws StorageError `denied` for a code that is wrong, used or too old */
  exchange(code: string, verifier: string, root: string): Promise<YandexDiskSettingsBody>;
}

export interface Settings {
  /** Origin of links in QR codes, mails and webhooks; empty: worker/http/origin.ts decides. */
  readonly publicUrl: string;
  readonly browserLeaseSeconds: number;
  readonly nodeLeaseSeconds: number;
  /** The number of compilations that the Node compiler runs at a time. */
  readonly compilePlaces: number;
  readonly retryBaseSeconds: number;
  readonly sweepGraceSeconds: number;
  /** Requests of the webhooks of one company per minute; 0: unlimited. */
  readonly webhooksAMinute: number;
  readonly storageLeaseSeconds: number;
  /** The quotas of companies without quotas of their own. */
  readonly quotas: Quotas;
}
