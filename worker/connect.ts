import { waitUntil } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { DevelopmentMailbox, HttpMailer, NO_MAILER } from "./accounts/mailer.ts";
import type {
  AccountSettings,
  Bindings,
  CompileMessage,
  Operations,
  StorageMessage,
  WebhookMessage,
} from "./bindings.ts";
import { EdgeCache } from "./content/edge-cache.ts";
import { PublicCache } from "./content/public-cache.ts";
import { POLICIES, parseRates, type RateLimits } from "./http/rate-limits.ts";
import { UploadMemory } from "./http/upload-memory.ts";
import type { CompileService } from "./marker/compile-service.ts";
import type { Consumer, Pressure } from "./marker/consumer.ts";
import type { CompilerContainer } from "./marker/container.ts";
import { HttpAlertHook } from "./platform/alert-hook.ts";
import { checkAddress } from "./storage/address.ts";
import { StorageHttp, textMemory } from "./storage/http.ts";
import { type OpenStorages, Storages } from "./storage/open.ts";
import { R2Storage } from "./storage/r2.ts";
import { Vault } from "./storage/secrets.ts";
import { yandexPermission } from "./storage/yandex-oauth.ts";

/** Bindings and variables of wrangler.toml, and secrets. */
export interface Env {
  readonly DB: D1Database;
  readonly BUCKET: R2Bucket;
  readonly COMPILE_QUEUE: Queue<CompileMessage>;
  readonly STORAGE_QUEUE: Queue<StorageMessage>;
  readonly WEBHOOK_QUEUE: Queue<WebhookMessage>;
  readonly ASSETS: Fetcher;
  /** Address of the Node compiler; absent or empty: see COMPILER_CONTAINER. */
  readonly COMPILER_URL?: string;
  /** "true": the Node compiler runs in containers. */
  readonly COMPILER_CONTAINER?: string;
  readonly COMPILER: DurableObjectNamespace<CompilerContainer>;
  /** Shared with the Node compiler; at least 32 characters. */
  readonly COMPILER_SECRET?: string;
  /** Keys that encrypt secrets in the database: worker/storage/secrets.ts. */
  readonly SECRETS_KEYS?: string;
  /** The credentials of the application that is registered with Yandex. Without them, people paste tokens. */
  readonly YANDEX_CLIENT_ID?: string;
  readonly YANDEX_CLIENT_SECRET?: string;
  /** Origins that replace Yandex's own; empty: Yandex's own. */
  readonly YANDEX_API_URL: string;
  readonly YANDEX_OAUTH_URL: string;
  /** "true" allows connections and webhooks to this machine and its network. */
  readonly ALLOW_PRIVATE_STORAGE: string;
  /** Signs sessions; at least 32 characters. */
  readonly AUTH_SECRET?: string;
  /** Opens the setup page, once. */
  readonly SETUP_TOKEN?: string;
  /** Opens the development mailbox, which receives all mail when MAIL_URL is empty. */
  readonly MAILBOX_TOKEN?: string;
  /** Opens the metrics; at least 16 characters. */
  readonly METRICS_KEY?: string;
  /** The operator's service that receives alerts: worker/platform/alert-hook.ts. */
  readonly ALERT_URL?: string;
  readonly ALERT_SECRET?: string;
  readonly VERSION?: WorkerVersionMetadata;
  /** The operator's service that sends mail: worker/accounts/mailer.ts. */
  readonly MAIL_URL?: string;
  readonly MAIL_SECRET?: string;
  readonly PUBLIC_URL?: string;
  /** "true" keeps rows, markers and thumbnails in Cloudflare's cache. */
  readonly EDGE_CACHE: string;
  /** Requests per minute by policy, for worker/http/rate-limits.ts; empty: unlimited. */
  readonly RATE_LIMITS: string;
  readonly PUBLIC_LIMIT: RateLimit;
  readonly READ_LIMIT: RateLimit;
  readonly WRITE_LIMIT: RateLimit;
  readonly BATCH_LIMIT: RateLimit;
  readonly BROWSER_LEASE_SECONDS: string;
  readonly NODE_LEASE_SECONDS: string;
  readonly COMPILE_PLACES: string;
  readonly RETRY_BASE_SECONDS: string;
  readonly SWEEP_GRACE_SECONDS: string;
  readonly STORAGE_LEASE_SECONDS: string;
  /** Quotas of each company; 0, empty or absent: unlimited. */
  readonly WEBHOOKS_A_MINUTE?: string;
  readonly QUOTA_CONTENTS?: string;
  readonly QUOTA_BYTES?: string;
  readonly QUOTA_COMPILATIONS_A_DAY?: string;
}

/** Longest wait for a compilation. A queue consumer may run for 15 minutes. */
const COMPILE_TOTAL_SECONDS = 600;

const HEALTH_TIMEOUT_SECONDS = 2;

const PLACE_TIMEOUT_SECONDS = 10;

/** As for the Node compiler: node/service.ts. */
const MIN_COMPILER_SECRET_LENGTH = 32;

/** Time for which viewers may see an old row after another isolate has changed it. */
const PUBLIC_ROW_SECONDS = 2;

/** All module-level state of the Worker: what an isolate keeps in memory between requests. */
let publicCache: PublicCache | undefined;
const openStorages: OpenStorages = new Map();
const uploadMemory = new UploadMemory();
const pressure: Pressure = { busyUntil: 0 };
const texts = textMemory();
const watch = { checkedAt: 0 };

/** Returns the services of the edge, made from the platform's bindings. */
export function connect(env: Env): Bindings & Consumer {
  const db = drizzle(env.DB);
  const later = (work: Promise<unknown>) => waitUntil(work);
  const vault = new Vault(env.SECRETS_KEYS ?? "");
  const policy = { allowPrivate: env.ALLOW_PRIVATE_STORAGE === "true" };
  const { YANDEX_CLIENT_ID: clientId = "", YANDEX_CLIENT_SECRET: clientSecret = "" } = env;
  const oauthUrl = env.YANDEX_OAUTH_URL || undefined;
  const yandex = clientId === "" ? null : { clientId, clientSecret, oauthUrl };
  const yandexApiUrl = env.YANDEX_API_URL || undefined;
  const http = new StorageHttp({ checkAddress: (url) => checkAddress(url, policy), texts });
  const storages = new Storages({
    db,
    own: new R2Storage(env.BUCKET),
    vault,
    policy,
    cache: openStorages,
    async connect(connection, renewed) {
      const { connectStorage } = await import("./storage/connect.ts");
      return connectStorage(connection, { http, yandex, yandexApiUrl, now: () => Date.now() }, renewed);
    },
    now: () => Date.now(),
  });
  const settings = {
    publicUrl: publicUrlOf(env),
    browserLeaseSeconds: seconds(env, "BROWSER_LEASE_SECONDS"),
    nodeLeaseSeconds: seconds(env, "NODE_LEASE_SECONDS"),
    compilePlaces: atLeastOne(env, "COMPILE_PLACES"),
    retryBaseSeconds: seconds(env, "RETRY_BASE_SECONDS"),
    sweepGraceSeconds: seconds(env, "SWEEP_GRACE_SECONDS"),
    storageLeaseSeconds: seconds(env, "STORAGE_LEASE_SECONDS"),
    webhooksAMinute: quota(env, "WEBHOOKS_A_MINUTE"),
    quotas: {
      contents: quota(env, "QUOTA_CONTENTS"),
      bytes: quota(env, "QUOTA_BYTES"),
      compilationsADay: quota(env, "QUOTA_COMPILATIONS_A_DAY"),
    },
  };
  const compiler: CompileService = {
    ...compilerOf(env, settings.compilePlaces),
    secret: compilerSecretOf(env),
    silenceSeconds: settings.nodeLeaseSeconds,
    totalSeconds: COMPILE_TOTAL_SECONDS,
  };
  return {
    db,
    replica: replicaOf(env),
    storages,
    internet: http,
    settings,
    yandex: yandex && yandexPermission(yandex, http),
    accounts: accountsOf(env, db),
    operations: operationsOf(env),
    rateLimits: rateLimitsOf(env),
    uploadMemory,
    publicCache: (publicCache ??= new PublicCache(
      PUBLIC_ROW_SECONDS,
      edgeCacheOf(env, settings.publicUrl, later),
    )),
    assets: { fetch: (request) => env.ASSETS.fetch(request) },
    queue: {
      async send(message, delaySeconds) {
        await env.COMPILE_QUEUE.send(message, { delaySeconds: Math.ceil(delaySeconds) });
      },
      async sendAll(messages) {
        await env.COMPILE_QUEUE.sendBatch(
          messages.map(({ message, delaySeconds }) => ({ body: message, delaySeconds })),
        );
      },
    },
    storageQueue: {
      async send(message, delaySeconds) {
        await env.STORAGE_QUEUE.send(message, { delaySeconds: Math.ceil(delaySeconds) });
      },
    },
    webhookQueue: {
      async sendAll(messages, delaySeconds) {
        await env.WEBHOOK_QUEUE.sendBatch(messages.map((body) => ({ body, delaySeconds })));
      },
    },
    async askForPlace() {
      const { askForPlace } = await import("./marker/compile-service.ts");
      return askForPlace(compiler, PLACE_TIMEOUT_SECONDS);
    },
    pressure,
    async compile(job, onProgress) {
      const { compileRemotely } = await import("./marker/compile-service.ts");
      return compileRemotely(compiler, job, onProgress);
    },
    async preview(job) {
      const { previewRemotely } = await import("./marker/compile-service.ts");
      return previewRemotely(compiler, job);
    },
    dependencies: {
      async database() {
        const { checkTables } = await import("./db/check-tables.ts");
        await checkTables(db);
      },
      async storage() {
        await env.BUCKET.head("health");
      },
      async queue() {
        // Whether a queue works cannot be read; only that it is bound can be checked without sending.
        for (const name of ["COMPILE_QUEUE", "STORAGE_QUEUE", "WEBHOOK_QUEUE"] as const) {
          if (typeof env[name]?.send !== "function") throw new Error(`${name} is not bound.`);
        }
      },
      async sweep() {
        const { checkSweep } = await import("./platform/sweep-runs.ts");
        await checkSweep(db, Date.now());
      },
      async secrets() {
        vault.check();
      },
      async compiler() {
        const { checkCompiler } = await import("./marker/compile-service.ts");
        await checkCompiler(compiler, HEALTH_TIMEOUT_SECONDS);
      },
    },
    now: () => Date.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    later,
  };
}

/** @see https://developers.cloudflare.com/d1/best-practices/read-replication/ */
function replicaOf({ DB }: Env): Bindings["db"] {
  // A session has all methods that drizzle calls.
  return drizzle(DB.withSession("first-unconstrained") as unknown as D1Database);
}

function edgeCacheOf(env: Env, publicUrl: string, later: Bindings["later"]): EdgeCache | null {
  return env.EDGE_CACHE === "true" ? new EdgeCache(publicUrl || "https://vivimark.invalid", later) : null;
}

/** Tells whether a queue of wrangler.toml holds the messages that another queue gave up. */
export function isDeadLetterQueue(queue: string): boolean {
  return queue.endsWith("-dead");
}

function operationsOf(env: Env): Operations {
  const { METRICS_KEY: metricsKey = "", ALERT_URL: url = "", ALERT_SECRET: secret = "", VERSION } = env;
  const depthOf = (queue: Queue<unknown>) => async () => {
    const { backlogCount, oldestMessageTimestamp } = await queue.metrics();
    return { messages: backlogCount, oldestAt: oldestMessageTimestamp?.getTime() ?? null };
  };
  return {
    metricsKey,
    alertHook: url ? new HttpAlertHook({ url, secret }) : null,
    queues: {
      compile: depthOf(env.COMPILE_QUEUE),
      storage: depthOf(env.STORAGE_QUEUE),
      webhooks: depthOf(env.WEBHOOK_QUEUE),
    },
    deployment: { id: VERSION?.id ?? "", at: VERSION?.timestamp ?? "" },
    watch,
  };
}

function accountsOf(env: Env, db: Bindings["db"]): AccountSettings {
  const mails = new DevelopmentMailbox(db, () => Date.now());
  const token = env.MAIL_URL ? "" : (env.MAILBOX_TOKEN ?? "");
  const posted = env.MAIL_URL
    ? new HttpMailer({ url: env.MAIL_URL, secret: env.MAIL_SECRET ?? "" })
    : NO_MAILER;
  return {
    secret: env.AUTH_SECRET ?? "",
    setupToken: env.SETUP_TOKEN ?? "",
    mailer: token ? mails : posted,
    mailbox: token ? { mails, token } : null,
  };
}

/** Returns the origin, or "" when it is not set. */
function publicUrlOf({ PUBLIC_URL: text = "" }: Env): string {
  const origin = text.replace(/\/+$/, "");
  const url = URL.parse(origin);
  if (origin === "" || (url?.origin === origin && /^https?:$/.test(url.protocol))) return origin;
  throw new Error(
    `PUBLIC_URL is ${JSON.stringify(text)}; expected an origin such as https://ar.example.com, without a path.`,
  );
}

/** Returns where the Node compiler is: at an address, in containers, or nowhere. */
function compilerOf(env: Env, places: number): Pick<CompileService, "url" | "fetch"> {
  const url = (env.COMPILER_URL ?? "").replace(/\/+$/, "");
  if (url !== "" || env.COMPILER_CONTAINER !== "true") return { url, fetch: (url, init) => fetch(url, init) };
  return {
    url: "http://compiler",
    async fetch(url, init) {
      const { fetchFromContainers } = await import("./marker/container-pool.ts");
      const instances = Array.from({ length: places }, (_, n) => env.COMPILER.getByName(`compiler-${n + 1}`));
      return fetchFromContainers(instances, url, init);
    },
  };
}

/** Returns the secret, or "" when it is not set and no Node compiler is used. */
function compilerSecretOf({ COMPILER_SECRET: secret = "" }: Env): string {
  if (secret === "" || secret.length >= MIN_COMPILER_SECRET_LENGTH) return secret;
  throw new Error(
    `COMPILER_SECRET has ${secret.length} characters; expected at least ${MIN_COMPILER_SECRET_LENGTH}.`,
  );
}

function rateLimitsOf(env: Env): RateLimits {
  const counters = {
    public: env.PUBLIC_LIMIT,
    read: env.READ_LIMIT,
    write: env.WRITE_LIMIT,
    batch: env.BATCH_LIMIT,
  };
  const rates = parseRates(env.RATE_LIMITS);
  const limits = POLICIES.flatMap((policy) => {
    const requests = rates[policy];
    if (!requests) return [];
    const count = async (key: string) => (await counters[policy].limit({ key })).success;
    return [[policy, { requests, count }] as const];
  });
  return Object.fromEntries(limits);
}

function quota(env: Env, name: keyof Env & (`QUOTA_${string}` | "WEBHOOKS_A_MINUTE")): number {
  const value = Number(env[name] ?? 0);
  if (!(Number.isSafeInteger(value) && value >= 0)) {
    throw new Error(`${name} is ${JSON.stringify(env[name])}; expected a whole number, or 0 for no limit.`);
  }
  return value;
}

function atLeastOne(env: Env, name: "COMPILE_PLACES"): number {
  const value = Number(env[name]);
  if (!(Number.isSafeInteger(value) && value >= 1)) {
    throw new Error(`${name} is ${JSON.stringify(env[name])}; expected a whole number of at least 1.`);
  }
  return value;
}

function seconds(env: Env, name: keyof Env & `${string}_SECONDS`): number {
  const value = Number(env[name]);
  if (!(Number.isFinite(value) && value >= 0)) {
    throw new Error(`${name} is ${JSON.stringify(env[name])}; expected seconds.`);
  }
  return value;
}
