import { env } from "cloudflare:workers";
import { eq, isNotNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { hashKey, KEY_PREFIX } from "../../worker/accounts/api-keys.ts";
import { DevelopmentMailbox } from "../../worker/accounts/mailer.ts";
import { SCOPES } from "../../worker/accounts/permissions.ts";
import { app } from "../../worker/app.ts";
import type {
  Bindings,
  CompileMessage,
  Settings,
  StorageMessage,
  WebhookMessage,
} from "../../worker/bindings.ts";
import { sweepFiles } from "../../worker/content/orphaned-files.ts";
import { PublicCache } from "../../worker/content/public-cache.ts";
import { UNLIMITED } from "../../worker/content/quotas.ts";
import {
  type ContentStore,
  claimDeleted,
  FIRST_COMPANY_ID,
  openStore,
  purge,
} from "../../worker/content/store.ts";
import { apiKeys, arContent, type Database, orphanedFiles } from "../../worker/db/tables.ts";
import type { Problem } from "../../worker/errors.ts";
import { UploadMemory } from "../../worker/http/upload-memory.ts";
import type { CompileJob, CompileOutcome } from "../../worker/marker/compile-service.ts";
import type { Consumer, Pressure } from "../../worker/marker/consumer.ts";
import type { RetryableOutcome } from "../../worker/marker/outcome.ts";
import type { Alert } from "../../worker/platform/alert-hook.ts";
import type { ArContent, ProgressBody, Submission } from "../../worker/schemas.ts";
import { checkAddress } from "../../worker/storage/address.ts";
import { StorageHttp } from "../../worker/storage/http.ts";
import { Storages } from "../../worker/storage/open.ts";
import { StorageError, type StorageProvider } from "../../worker/storage/provider.ts";
import { R2Storage } from "../../worker/storage/r2.ts";
import type { StorageConnection } from "../../worker/storage/schemas.ts";
import { Vault } from "../../worker/storage/secrets.ts";
import type { ConnectionSettings } from "../../worker/storage/settings.ts";
import { jpeg, mind, png } from "./fixtures.ts";
import { noting } from "./plans/statements.ts";

export const ORIGIN = "http://edge.test";

/** One key of 32 bytes. */
const SECRETS_KEYS = `test:${btoa("0123456789abcdef0123456789abcdef")}`;

/** A key of the first company with every scope. Requests have it by default. */
const KEY = `${KEY_PREFIX}${"0".repeat(48)}`;

const COMPILER_MISSING: RetryableOutcome = {
  kind: "retryable",
  failure: { code: "compiler_missing", message: "These tests have no compiler." },
  retryAfterSeconds: null,
};

/** The Worker with real D1 and R2, a clock that stands still, and queues that only record messages. */
export class Edge {
  readonly db: Database = drizzle(env.DB);
  readonly storage = new R2Storage(env.BUCKET);
  readonly sent: { message: CompileMessage; delaySeconds: number }[] = [];
  readonly moves: { message: StorageMessage; delaySeconds: number }[] = [];
  /** Messages about webhooks that are due at once, and those with a delay. */
  readonly told: WebhookMessage[] = [];
  readonly toldLater: { message: WebhookMessage; delaySeconds: number }[] = [];
  readonly settings: Settings = {
    publicUrl: ORIGIN,
    browserLeaseSeconds: 60,
    nodeLeaseSeconds: 60,
    // The tests of a file share a database, and with it the compilations that they leave unfinished.
    compilePlaces: 1000,
    retryBaseSeconds: 60,
    sweepGraceSeconds: 120,
    webhooksAMinute: 0,
    storageLeaseSeconds: 300,
    quotas: UNLIMITED,
  };
  readonly pressure: Pressure = { busyUntil: 0 };
  readonly alerts: Alert[] = [];
  /** Responses of the internet, by URL. */
  readonly sites = new Map<string, (request: Request) => Response | Promise<Response>>();
  clock = Date.UTC(2026, 10, 22, 12);

  readonly bindings: Bindings = {
    // Not `this.db`, with which tests read rows: check.ts checks the statements of the Worker.
    db: drizzle(noting()),
    replica: drizzle(noting()),
    storages: this.storagesWith(this.storage),
    settings: this.settings,
    yandex: null,
    internet: new StorageHttp({
      checkAddress: (url) => checkAddress(url, { allowPrivate: false }),
      fetch: async (url, init) => {
        const site = this.sites.get(url);
        if (!site) throw new TypeError(`Nobody is at ${url}.`);
        return site(new Request(url, init));
      },
      sleep: async () => {},
    }),
    queue: {
      send: async (message, delaySeconds) => void this.sent.push({ message, delaySeconds }),
      sendAll: async (messages) => void this.sent.push(...messages),
    },
    storageQueue: { send: async (message, delaySeconds) => void this.moves.push({ message, delaySeconds }) },
    webhookQueue: {
      sendAll: async (messages, delaySeconds) => {
        if (delaySeconds === 0) this.told.push(...messages);
        else this.toldLater.push(...messages.map((message) => ({ message, delaySeconds })));
      },
    },
    assets: { fetch: async (request) => new Response(new URL(request.url).pathname) },
    rateLimits: {},
    uploadMemory: new UploadMemory(),
    // The tests change rows directly.
    publicCache: new PublicCache(0),
    accounts: {
      secret: "a secret of these tests, which is long enough",
      setupToken: "the token of the set-up link",
      ...this.mailbox(),
    },
    dependencies: {},
    operations: {
      metricsKey: "key-of-the-metrics",
      alertHook: { send: async (alert) => void this.alerts.push(alert) },
      queues: { compile: async () => ({ messages: this.sent.length, oldestAt: null }) },
      deployment: { id: "", at: "" },
      watch: { checkedAt: 0 },
    },
    // There is no Node compiler.
    askForPlace: async () => COMPILER_MISSING,
    preview: async () => COMPILER_MISSING,
    now: () => this.clock,
    sleep: async (milliseconds) => {
      this.pass(milliseconds / 1000);
      await this.whileAsleep(milliseconds);
    },
    later: (work) => void this.#later.push(work),
  };
  readonly #later: Promise<unknown>[] = [];

  /** Called when a request waits. */
  whileAsleep: (milliseconds: number) => Promise<void> = async () => {};

  private mailbox() {
    const mails = new DevelopmentMailbox(this.db, () => this.clock);
    return { mailer: mails, mailbox: { mails, token: "token-of-the-mailbox" } };
  }

  /** Returns the platform's storages, with `own` instead of its bucket. */
  storagesWith(
    own: StorageProvider,
    { vault = new Vault(SECRETS_KEYS), allowPrivate = true }: { vault?: Vault; allowPrivate?: boolean } = {},
  ): Storages {
    return new Storages({
      db: this.db,
      own,
      vault,
      policy: { allowPrivate },
      cache: new Map(),
      connect: async (connection) => this.connect(connection),
      now: () => this.clock,
    });
  }

  /** Other backends: real R2 buckets, by the bucket name of an S3 connection. */
  readonly backends = new Map<string, StorageProvider>([
    ["second", new R2Storage(env.SECOND_BUCKET)],
    ["third", new R2Storage(env.THIRD_BUCKET)],
  ]);

  connect({ settings }: ConnectionSettings): StorageProvider {
    const backend = "bucket" in settings ? this.backends.get(settings.bucket) : undefined;
    if (backend) return backend;
    throw new StorageError("invalid_config", "These tests have no such bucket.", { field: "bucket" });
  }

  /** Saves a connection to one of the backends. */
  async connection(bucket: string): Promise<StorageConnection> {
    return this.json("/api/storage-connections", json("POST", s3(bucket)));
  }

  async switchTo(connectionId: string): Promise<void> {
    await this.json("/api/company/storage", json("PUT", { connection_id: connectionId }));
  }

  pass(seconds: number): void {
    this.clock += seconds * 1000;
  }

  #hasKey: Promise<unknown> | undefined;

  /** Sends a request as a program of the first company. */
  async fetch(path: string, init: RequestInit = {}, bindings: Partial<Bindings> = {}): Promise<Response> {
    await (this.#hasKey ??= this.#addKey());
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${KEY}`);
    return this.anonymously(path, { ...init, headers }, bindings);
  }

  /** Sends a request with only the given headers. */
  async anonymously(
    path: string,
    init: RequestInit = {},
    bindings: Partial<Bindings> = {},
  ): Promise<Response> {
    const request = new Request(`${ORIGIN}${path}`, init);
    // Its own work only: the request may come in the middle of another one.
    const work: Promise<unknown>[] = [];
    const later = (each: Promise<unknown>) => void work.push(each);
    const answer = await app.fetch(request, { ...this.bindings, later, ...bindings });
    await Promise.all(work);
    return answer;
  }

  /** Waits for the work that continues in the background. */
  async settled(): Promise<void> {
    await Promise.all(this.#later.splice(0));
  }

  async #addKey(): Promise<void> {
    await this.db
      .insert(apiKeys)
      .values({
        id: "key",
        companyId: FIRST_COMPANY_ID,
        name: "Everything",
        prefix: KEY.slice(0, KEY_PREFIX.length + 8),
        hash: await hashKey(KEY),
        scopes: SCOPES,
        createdAt: 0,
        // Used a moment ago, so that requests do not update it.
        lastUsedAt: this.clock,
      })
      .onConflictDoNothing();
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.fetch(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Uploads a photo: by default, a new one. */
  submit(fields: Record<string, string | Uint8Array> = {}): Promise<Submission> {
    return this.json("/api/ar-content", { method: "POST", body: form({ image: png(), ...fields }) });
  }

  content(id: string): Promise<ArContent> {
    return this.json(`/api/ar-content/${id}`);
  }

  store(): Promise<ContentStore> {
    return openStore(this.db, FIRST_COMPANY_ID);
  }

  /** Returns the keys of a content's files in the storage, without its QR code, which always exists. */
  async files({ unique_id }: { unique_id: string }): Promise<string[]> {
    return (await this.allFiles()).filter((key) => key.includes(unique_id) && !key.includes("/qr-codes/"));
  }

  /** Removes the files of deleted content, and replaced and moved files, as if 24 hours had passed. */
  async removeDeletedFiles(): Promise<void> {
    const now = this.clock;
    await this.db.update(arContent).set({ deletedAt: now }).where(isNotNull(arContent.removedAt));
    await this.db.update(orphanedFiles).set({ dueAt: now }).where(eq(orphanedFiles.isReserved, false));
    await sweepFiles(this.bindings, now);
    const { storages } = this.bindings;
    for (const content of await claimDeleted(this.db, 500, now, now)) {
      const { company } = await openStore(this.db, content.companyId);
      await purge(this.db, storages, company, content);
    }
  }

  async allFiles(): Promise<string[]> {
    return (await this.storage.list("", { recursive: true })).objects.map(({ key }) => key);
  }

  /** Runs the queue's consumer, with a mock of the Node compiler. */
  consumer(mockCompile: MockCompile): Consumer {
    return {
      ...this.bindings,
      askForPlace: async () => null,
      pressure: this.pressure,
      compile: async (job, onProgress) => {
        await new Response(job.image).arrayBuffer();
        return mockCompile(job, onProgress);
      },
    };
  }
}

export const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/** Returns a storage with some of its methods replaced. */
export function but(storage: StorageProvider | undefined, mocks: Partial<StorageProvider>): StorageProvider {
  if (!storage) throw new Error("The storage does not exist.");
  return new Proxy(storage, {
    get(target, name) {
      const value = Reflect.get(name in mocks ? mocks : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Returns a storage connection in the API's format. */
export function s3(bucket: string) {
  const keys = { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: SECRET };
  return {
    provider: "s3",
    name: `Bucket ${bucket}`,
    settings: { endpoint: "https://s3.example.net", region: "eu-1", bucket, ...keys },
  };
}

export type MockCompile = (
  job: CompileJob,
  onProgress: (progress: ProgressBody) => Promise<boolean>,
) => CompileOutcome | Promise<CompileOutcome>;

/** Returns what the compile service answers for a photo. */
export function compiledOutcome(): Extract<CompileOutcome, { kind: "compiled" }> {
  return {
    kind: "compiled",
    delivery: {
      marker: mind(),
      thumbnail: jpeg(240, 180),
      picture: null,
      milliseconds: 77,
      compilerVersion: null,
    },
  };
}

export function form(fields: Record<string, string | Uint8Array>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") data.set(name, value);
    else data.set(name, new Blob([new Uint8Array(value)]), "Holiday photo.png");
  }
  return data;
}

export function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  };
}

/** Checks that a response is a problem document. Returns its status and code. */
export async function refusal(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type");
  const problem = (await response.json()) as Problem;
  if (type !== "application/problem+json" || problem.status !== response.status) {
    throw new Error(`Not a problem document: ${response.status} ${type} ${JSON.stringify(problem)}`);
  }
  const id = response.headers.get("x-request-id");
  if (!id || problem.request_id !== id) throw new Error(`Request ${id} is called ${problem.request_id}.`);
  return problem;
}
