import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { CreatedApiKey, Mailbox, Me, Member } from "../../../worker/accounts/schemas.ts";
import { MAX_KEPT_BYTES } from "../../../worker/db/idempotency.ts";
import {
  apiKeys,
  arContent,
  companies,
  deadLetters,
  projects,
  sweepRuns,
  usageCounts,
  webhookEndpoints,
} from "../../../worker/db/tables.ts";
import { ERRORS } from "../../../worker/errors.ts";
import { UploadMemory } from "../../../worker/http/upload-memory.ts";
import type { CompileOutcome } from "../../../worker/marker/compile-service.ts";
import { consume } from "../../../worker/marker/consumer.ts";
import type { ArContent, CompanyUsage, Project, Submission } from "../../../worker/schemas.ts";
import { StorageHttp } from "../../../worker/storage/http.ts";
import type { MultipartUploads, StorageProvider } from "../../../worker/storage/provider.ts";
import { S3Storage } from "../../../worker/storage/s3.ts";
import type { StorageConnection, StorageMigration } from "../../../worker/storage/schemas.ts";
import { Vault } from "../../../worker/storage/secrets.ts";
import type { ConnectionSettings } from "../../../worker/storage/settings.ts";
import { yandexPermission } from "../../../worker/storage/yandex-oauth.ts";
import { takeTurn } from "../../../worker/storage-migration/turn.ts";
import { deliverWebhook } from "../../../worker/webhooks/deliver.ts";
import type { WebhookWithSecret } from "../../../worker/webhooks/schemas.ts";
import { Authenticator, type Ceremony } from "../accounts/authenticator.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { but, form, json, ORIGIN } from "../edge.ts";
import { jpeg, mind, png, target, video } from "../fixtures.ts";
import { acceptWithNewAccount, invite } from "../invitations.ts";
import { RecordingEdge, stableJson } from "./recorder.ts";

/**
 * Calls the API, and compares its responses with the examples of the API document. The first body of a schema
 * and the first problem document of a code become its example, so the order of the calls matters. `npm run
 * api:examples` updates the examples.
 */

const CONTENT = "/api/ar-content";
const CONNECTIONS = "/api/storage-connections";
const MIGRATIONS = "/api/storage-migrations";
const AUTH = "/api/auth";
const PHOTO_URL = "https://images.example.com/portrait.jpg";
const SHOP = "https://shop.example.com/vivimark";
const GRACE = { email: "grace@example.net", password: "a long sentence, for example" };

/** The codes of compile tasks, which no response has, and those that only a bug or a broken storage causes. */
const WITHOUT_EXAMPLE: readonly string[] = [
  "compile_crashed",
  "compile_timeout",
  "compiler_busy",
  "compiler_error",
  "compiler_missing",
  "compiler_unreachable",
  "image_missing",
  "invalid_option",
  "retries_exhausted",
  "storage_conflict",
];

class ExampleEdge extends RecordingEdge {
  override connect(connection: ConnectionSettings): StorageProvider {
    return connection.provider === "yandex_disk" ? this.storage : super.connect(connection);
  }
}

let edge: ExampleEdge;
let ada: Browser;

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  edge = new ExampleEdge();
  vi.useFakeTimers({ toFake: ["Date"], now: edge.clock });
  // The migrations gave these rows the time of the test run.
  await edge.db.update(companies).set({ createdAt: edge.clock, updatedAt: edge.clock });
  await edge.db.update(projects).set({ createdAt: edge.clock, updatedAt: edge.clock });
  edge.sites.set(PHOTO_URL, () => new Response(portrait));
  edge.sites.set("https://images.example.com/second.jpg", () => new Response(png(240, 180, "second")));
  edge.sites.set("https://images.example.com/missing.jpg", () => new Response(null, { status: 404 }));
  edge.sites.set(SHOP, async (request) => {
    const event = (await request.json()) as { type: string };
    edge.recordBody(event.type === "webhook.test" ? "WebhookTest" : "WebhookEvent", event);
    return new Response("Thanks");
  });
});

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const portrait = png(240, 180, "portrait");

const compiled: CompileOutcome = {
  kind: "compiled",
  delivery: {
    marker: mind(),
    thumbnail: jpeg(240, 180),
    picture: jpeg(240, 180),
    milliseconds: 412,
    compilerVersion: null,
  },
};

async function ok(response: Promise<Response>): Promise<Response> {
  const answered = await response;
  if (answered.status >= 400) throw new Error(`${answered.status} ${await answered.text()}`);
  return answered;
}

async function refused(code: string, response: Promise<Response>): Promise<void> {
  const answered = await response;
  const { code: received } = (await answered.json()) as { code?: string };
  expect.soft([answered.status, received]).toEqual([expect.any(Number), code]);
}

/** Sends a request as a program, with an API key. */
const call = (path: string, init?: RequestInit, bindings = {}) => ok(edge.fetch(path, init, bindings));
const upload = (fields: Record<string, string | Uint8Array>) =>
  edge.fetch(CONTENT, { method: "POST", body: form(fields) });
const raw = (method: string, body: BodyInit | null, headers: Record<string, string> = {}) => ({
  method,
  body,
  headers,
});

/** Returns a storage whose server answers every request with this S3 error. */
function brokenStorage(status: number, code: string): StorageProvider {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message></Message></Error>`;
  return s3Storage(async () => new Response(body, { status }));
}

function s3Storage(fetch: (url: string, init?: RequestInit) => Promise<Response>): StorageProvider {
  const settings = {
    endpoint: "https://storage.yandexcloud.net",
    region: "ru-central1",
    bucket: "portraits",
    prefix: "",
    access_key_id: "YCAJEexample",
    secret_access_key: "YCOexample",
    style: "path" as const,
  };
  const http = new StorageHttp({ checkAddress: () => {}, fetch, sleep: async () => {} });
  return new S3Storage(settings, http, () => edge.clock);
}

const connection = (bucket: string) => ({
  provider: "s3",
  name: "Our bucket",
  settings: {
    endpoint: "https://storage.yandexcloud.net",
    region: "ru-central1",
    bucket,
    access_key_id: "YCAJEexample",
    secret_access_key: "YCOexample",
  },
});

async function recordSetUp(): Promise<void> {
  await ok(edge.anonymously("/api/setup"));
  const owner = { ...OWNER, name: "Ada", company_name: "Portraits" };
  await refused("wrong_link", edge.anonymously("/api/setup", json("POST", { ...owner, token: "x" })));
  ada = (await setUp(edge))!;
  const again = json("POST", { ...owner, token: edge.bindings.accounts.setupToken });
  await refused("already_set_up", edge.anonymously("/api/setup", again));
}

async function recordAccount(): Promise<void> {
  const badKey = { headers: { Authorization: `Bearer vivi_${"0".repeat(47)}1` } };
  await refused("unauthenticated", edge.anonymously("/api/company", badKey));
  await ok(ada.fetch("/api/me"));
  await ok(ada.fetch("/api/me", json("PATCH", { name: "Ada" })));
  await ok(ada.fetch("/api/me/sessions"));
  await ok(ada.post(`${AUTH}/sign-in/email`, OWNER));
  await ok(ada.fetch(`${AUTH}/get-session`));
  const visitor = await Browser.signedIn(edge, OWNER);
  await ok(visitor.post(`${AUTH}/sign-out`, {}));

  const password = { current_password: OWNER.password, new_password: "a long sentence, for example" };
  await ok(ada.fetch("/api/me/password", json("PUT", password)));
  await ok(edge.anonymously(`${AUTH}/request-password-reset`, json("POST", { email: OWNER.email })));
  const mailbox = { headers: { Authorization: `Bearer ${edge.bindings.accounts.mailbox?.token}` } };
  const mails = await ok(edge.anonymously("/api/mailbox", mailbox));
  const [{ body }] = ((await mails.json()) as Mailbox).items;
  const [, token] = /#([\w-]+)/.exec(body) ?? [];
  const reset = json("POST", { token, newPassword: OWNER.password });
  await ok(edge.anonymously(`${AUTH}/reset-password`, reset));
  ada = await Browser.signedIn(edge, OWNER);
  const wrong = () => edge.anonymously(`${AUTH}/sign-in/email`, json("POST", { ...OWNER, password: "?" }));
  for (let i = 0; i < 10; i++) await refused("unauthenticated", wrong());
  await refused("too_many_attempts", wrong());

  const elsewhere = { ...json("PATCH", { name: "Eve" }, { Origin: "https://elsewhere.example" }) };
  await refused("foreign_origin", ada.fetch("/api/me", elsewhere));
}

async function recordPasskeys(): Promise<void> {
  const local = { settings: { ...edge.settings, publicUrl: "http://127.0.0.1:8787" } };
  const unset = { settings: { ...edge.settings, publicUrl: "" } };
  const forgotten = json("POST", { email: OWNER.email });
  await refused("public_url_missing", edge.anonymously(`${AUTH}/request-password-reset`, forgotten, unset));
  const options = `${AUTH}/passkey/generate-authenticate-options`;
  await refused("no_passkeys_here", edge.anonymously(options, {}, local));
  const phone = new Authenticator();
  const proof = { current_password: OWNER.password };
  const ceremony = await ada.json<Ceremony>("/api/me/passkeys/options", json("POST", proof));
  await ok(ada.post("/api/me/passkeys", { name: "Ada's phone", response: await phone.create(ceremony) }));
  await ok(ada.fetch("/api/me/passkeys"));
  const visitor = new Browser(edge);
  const response = await phone.sign(await visitor.json<Ceremony>(options));
  await ok(visitor.post(`${AUTH}/passkey/verify-authentication`, { response }));
}

async function recordCompany(): Promise<void> {
  await ok(ada.fetch("/api/company"));
  await ok(ada.fetch("/api/company", json("PATCH", { name: "Portraits" })));
  const { company } = await ada.json<Me>("/api/me");
  const invited = { email: GRACE.email, role: "editor" };
  const mailer = { isConfigured: false, send: async () => {} };
  const unmailed = { accounts: { ...edge.bindings.accounts, mailer } };
  const asAda = { Cookie: ada.cookie(), Origin: ORIGIN };
  const path = `${AUTH}/organization/invite-member`;
  await refused("mail_unavailable", edge.anonymously(path, json("POST", invited, asAda), unmailed));
  const { mailToken } = await invite(edge, ada, invited);
  await ok(ada.fetch("/api/company/invitations"));
  await ok(edge.anonymously("/api/invitation", { headers: { Authorization: `Bearer ${mailToken}` } }));
  const grace = new Browser(edge);
  const account = { name: "Grace", password: GRACE.password };
  await ok(acceptWithNewAccount(grace, mailToken, account));
  const members = await ada.json<{ items: Member[] }>("/api/company/members");
  const member = members.items.find(({ email }) => email === GRACE.email);
  const role = { memberId: member?.id, role: "viewer" };
  await ok(ada.post(`${AUTH}/organization/update-member-role`, role));
  await ok(ada.post(`${AUTH}/organization/remove-member`, { memberIdOrEmail: member?.id }));
  const again = await invite(edge, ada, invited);
  await refused("account_exists", acceptWithNewAccount(edge, again.mailToken, account));
  await ok(grace.post(`${AUTH}/organization/accept-invitation`, { token: again.token }));
  await ok(grace.post(`${AUTH}/organization/leave`, { organizationId: company?.id }));
  const { id } = await invite(edge, ada, invited);
  await ok(ada.post(`${AUTH}/organization/cancel-invitation`, { invitationId: id }));
  await ok(ada.post(`${AUTH}/organization/set-active`, { organizationId: company?.id }));

  await ok(ada.post("/api/me/companies", { name: "Living portraits" }));
  for (let i = 0; i < 18; i++) await ok(ada.post("/api/me/companies", { name: "More portraits" }));
  await refused("too_many_companies", ada.post("/api/me/companies", { name: "Too many" }));
  const visitor = await Browser.signedIn(edge, { ...GRACE });
  await refused("no_company", visitor.fetch("/api/company"));
}

async function recordApiKeys(): Promise<void> {
  const wanted = { name: "Photo shop", scopes: ["read", "submit"] };
  const create = json("POST", wanted, { "Idempotency-Key": "once" });
  const { key, id } = await ada.json<CreatedApiKey>("/api/api-keys", create);
  await refused("secret_shown_once", ada.fetch("/api/api-keys", create));
  await ok(ada.fetch(`/api/api-keys?prefix=${key.slice(0, 13)}`));
  const headers = { Authorization: `Bearer ${key}` };
  await refused("forbidden", edge.anonymously(`${CONTENT}/x`, { method: "DELETE", headers }));
  const [row] = (await edge.db.select().from(apiKeys)).filter((found) => found.id === id);
  // Statements accept few parameters, so insert one key at a time.
  for (let i = 0; i < 99; i++) await edge.db.insert(apiKeys).values({ ...row, id: `${i}`, hash: `${i}` });
  await refused("too_many_keys", ada.post("/api/api-keys", wanted));
}

async function recordProjects(): Promise<Project> {
  const wanted = { name: "Weddings", expires_after_days: 365 };
  const project: Project = await (await call("/api/projects", json("POST", wanted))).json();
  const path = `/api/projects/${project.id}`;
  await call("/api/projects");
  await call(path, json("PATCH", { archived: true }));
  await refused("project_archived", upload({ image: portrait, project_id: project.id }));
  const { items } = await edge.json<{ items: Project[] }>("/api/projects");
  const [last] = items.filter(({ archived_at }) => archived_at === null);
  await refused("last_project", edge.fetch(`/api/projects/${last.id}`, json("PATCH", { archived: true })));
  await call(path, json("PATCH", { archived: false }));
  return project;
}

async function recordContent(project: Project): Promise<ArContent> {
  const order = { order_number: "A-1932", customer_name: "Ada Lovelace", customer_email: "ada@example.net" };
  const photo = { image: portrait, title: "Grandmother", project_id: project.id, ...order };
  const submitted: Submission = await (await ok(upload(photo))).json();
  const { id, unique_id } = submitted.content;
  const path = `${CONTENT}/${id}`;
  await call(`${path}/marker/lease`, { method: "POST" });
  await refused("lease_held", edge.fetch(`${path}/marker/lease`, { method: "POST" }));
  edge.pass(120);
  vi.setSystemTime(edge.clock);
  await consume(
    edge.consumer(() => compiled),
    { content_id: id, generation: 1 },
  );
  await call(path);
  await refused("nothing_to_compile", edge.fetch(`${path}/marker/lease`, { method: "POST" }));
  await call(
    `${path}/video`,
    raw("PUT", video("mp4"), { "Content-Type": "video/mp4", "Content-Length": "5000" }),
  );
  await call(`${path}/video/playback`, json("PUT", { start: 0.5, fit: "contain" }));
  await call(`/api/viewer/${unique_id}`);
  await call(`/api/tasks/${submitted.task_id}`);
  await call(`${path}/tasks`);
  await call(`${CONTENT}?limit=1`);
  await call(path, json("PATCH", { title: "Grandmother, 1932" }));
  await refused("not_found", edge.fetch(`${CONTENT}/7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11`));
  const stale = json("PATCH", { title: "Mine" }, { "If-Match": '"an-older-version"' });
  await refused("precondition_failed", edge.fetch(path, stale));
  const range = { headers: { Range: "bytes=999999-" } };
  await refused("range_not_satisfiable", edge.fetch(`/media/${unique_id}/image`, range));
  await refused("order_number_taken", upload({ ...photo, image: png(240, 180, "another") }));
  await call(`${path}/image`, raw("PUT", png(240, 180, "portrait again"), { "Content-Type": "image/png" }));
  await call(`${CONTENT}/bulk`, json("POST", { action: "resume", ids: [id] }));
  await call(`${path}/marker/recompile`, json("POST", { max_features: 500 }));
  return submitted.content;
}

async function recordSubmissions(): Promise<void> {
  await call(CONTENT, json("POST", { image_url: PHOTO_URL, title: "Grandmother" }));
  const batch = new FormData();
  batch.append("image", new File([png(240, 180, "a")], "a.jpg"));
  batch.append("image", new File(["Not a photo"], "b.jpg"));
  await call(`${CONTENT}/batch`, { method: "POST", body: batch });
  const items = [
    { image_url: PHOTO_URL, title: "Grandmother" },
    { image_url: "https://images.example.com/second.jpg" },
  ];
  await call(`${CONTENT}/batch`, json("POST", { items }));
  const missing = json("POST", { image_url: "https://images.example.com/missing.jpg" });
  await refused("image_not_fetched", edge.fetch(CONTENT, missing));
  const many = new FormData();
  for (let i = 0; i < 501; i++) many.append("image", new File([""], `${i}.jpg`));
  const result = await (await call(`${CONTENT}/batch`, { method: "POST", body: many })).json<{
    items: { error: null | Parameters<RecordingEdge["recordProblem"]>[0] }[];
  }>();
  const error = result.items.at(-1)?.error;
  expect(error?.code).toBe("batch_too_large");
  if (error) edge.recordProblem(error);

  const gif = new TextEncoder().encode(`GIF89a${"\0".repeat(40)}`);
  await refused("not_an_image", upload({ image: new TextEncoder().encode("A letter, not a photo.") }));
  await refused("empty_file", upload({ image: new Uint8Array() }));
  await refused("unsupported_format", upload({ image: gif }));
  await refused("image_damaged", upload({ image: portrait.subarray(0, 20) }));
  await refused("image_too_small", upload({ image: png(100, 80) }));
  await refused("image_too_many_pixels", upload({ image: png(9000, 9000) }));
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];
  const scans = new Uint8Array([...jpeg(800, 600, 21), ...Array(101).fill(scan).flat()]);
  await refused("image_too_many_scans", upload({ image: scans }));
  await refused("image_too_many_bytes", upload({ image: new Uint8Array(20_000_001) }));
  const { contents } = await edge.json<CompanyUsage>("/api/company/usage");
  const quotas = { ...edge.settings.quotas, contents: contents.used };
  const full = { settings: { ...edge.settings, quotas } };
  const more = { method: "POST", body: form({ image: png() }) };
  await refused("quota_exceeded", edge.fetch(CONTENT, more, full));
}

async function recordRequests({ id }: ArContent): Promise<void> {
  const path = `${CONTENT}/${id}`;
  const type = { "Content-Type": "application/json" };
  const formType = { "Content-Type": "multipart/form-data; boundary=b" };
  await refused("invalid_input", edge.fetch(path, json("PATCH", { title: 7 })));
  await refused("malformed_json", edge.fetch(path, raw("PATCH", "{title", type)));
  await refused("malformed_upload", edge.fetch(CONTENT, raw("POST", "--b\r\n", formType)));
  await refused("body_too_large", edge.fetch(path, raw("PATCH", " ".repeat(70_000), type)));
  await refused(
    "unsupported_media_type",
    edge.fetch(path, raw("PATCH", "{}", { "Content-Type": "text/plain" })),
  );
  await refused("method_not_allowed", edge.fetch("/api/health", { method: "DELETE" }));
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  await refused("upload_interrupted", edge.fetch(CONTENT, raw("POST", broken, formType)));
  const uploadMemory = new UploadMemory();
  const clock = { ...edge.bindings, now: () => Number.POSITIVE_INFINITY };
  for (const caller of ["one company", "another", "a third"])
    await uploadMemory.open(caller, clock).add(20_000_000);
  const photo = form({ image: jpeg(500, 500, 200_000) });
  await refused("too_many_uploads", edge.fetch(CONTENT, { method: "POST", body: photo }, { uploadMemory }));
  const limits = { rateLimits: { read: { requests: 3000, count: async () => false } } };
  await refused("too_many_requests", edge.fetch("/api/company", {}, limits));
  const db = new Proxy(
    {},
    {
      get: () => {
        throw new Error("A bug");
      },
    },
  );
  await refused(
    "internal_error",
    edge.anonymously(`/api/viewer/${crypto.randomUUID()}`, {}, { replica: db as never }),
  );

  const refusing = new Proxy(edge.db, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name);
      return () => Promise.reject(new Error("D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT"));
    },
  });
  await refused("conflict", edge.fetch("/api/projects", json("POST", { name: "Fair" }), { db: refusing }));

  const project = (name: string, key: string) => json("POST", { name }, { "Idempotency-Key": key });
  const send = (name: string, key: string) => edge.fetch("/api/projects", project(name, key));
  await refused("invalid_idempotency_key", send("Weddings", "x".repeat(300)));
  const same = await Promise.all([send("Weddings", "one"), send("Weddings", "one")]);
  expect(same.map(({ status }) => status).sort()).toEqual([201, 409]);
  await refused("idempotency_key_reused", send("Birthdays", "one"));
  const health = async () => {};
  const dependencies = {
    database: health,
    storage: health,
    queue: health,
    secrets: health,
    compiler: health,
  };
  await ok(edge.anonymously("/api/health", {}, { dependencies }));
  await edge.db.update(usageCounts).set({ byteCount: MAX_KEPT_BYTES });
  await ok(edge.fetch("/api/projects", project("Birthdays", "two")));
  await refused("response_not_kept", edge.fetch("/api/projects", project("Birthdays", "two")));
}

async function recordLeases(): Promise<void> {
  const { content, lease }: Submission = await (
    await ok(upload({ image: png(240, 180, "leased"), compile: "browser" }))
  ).json();
  const path = `${CONTENT}/${content.id}/marker`;
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  const deliver = (fields: Record<string, Uint8Array>) =>
    edge.fetch(path, { method: "PUT", body: form(fields), headers });
  await call(`${path}/progress`, json("POST", { stage: "match", done: 3, total: 9 }, headers));
  await refused("invalid_marker", deliver({ marker: new TextEncoder().encode("<!doctype html>") }));
  await refused("foreign_marker", deliver({ marker: mind([target(180, 240)]) }));
  await refused("too_few_features", deliver({ marker: mind([blank()]) }));
  await refused("marker_too_large", deliver({ marker: new Uint8Array(4_000_001) }));
  await refused("invalid_thumbnail", deliver({ marker: mind(), thumbnail: png() }));
  await refused("invalid_picture", deliver({ marker: mind(), picture: jpeg(4000, 3000) }));
  const lost = { method: "DELETE", headers: { "Vivimark-Lease": "of somebody else" } };
  await refused("lease_lost", edge.fetch(`${path}/lease`, lost));
}

/** Returns an image target without feature points. */
function blank() {
  const { keyframes, ...rest } = target();
  const none = { count: 0, x: new Float64Array(), y: new Float64Array(), scale: new Float64Array() };
  const points = { ...none, angle: new Float64Array(), descriptors: new Uint32Array() };
  const cluster = { leaf: true as const, centerPointIndex: null, pointIndexes: [] };
  const empty = { maxima: points, minima: points, maximaCluster: cluster, minimaCluster: cluster };
  return { ...rest, keyframes: keyframes.map((keyframe) => ({ ...keyframe, ...empty })) };
}

async function recordVideos({ id }: ArContent): Promise<void> {
  const path = `${CONTENT}/${id}`;
  const put = (body: BodyInit, headers: Record<string, string>) =>
    edge.fetch(`${path}/video`, raw("PUT", body, { "Content-Type": "video/mp4", ...headers }));
  const stream = new Blob(["a video"]).stream();
  await refused("length_required", put(stream, {}));
  await refused("video_too_large", put("x", { "Content-Length": "120000000" }));
  await refused("unsupported_video", put(video("mov"), { "Content-Length": "5000" }));
  await refused("video_damaged", put(video("mp4").slice(0, 4000), { "Content-Length": "4000" }));

  const begin = async (wanted: object) => {
    const begun = await call(`${path}/video-uploads`, json("POST", { content_type: "video/mp4", ...wanted }));
    return `${path}/video-uploads/${(await begun.json<{ id: string }>()).id}`;
  };
  const one = await begin({ length: 5000, sha256: "0".repeat(64) });
  await refused("not_signed", edge.fetch(`${one}/part-urls`, json("POST", { numbers: [1] })));
  await refused("upload_incomplete", edge.fetch(`${one}/complete`, { method: "POST" }));
  await call(`${one}/parts/1`, raw("PUT", video("mp4"), { "Content-Length": "5000" }));
  await refused("checksum_mismatch", edge.fetch(`${one}/complete`, { method: "POST" }));
}

async function recordStorage(content: ArContent): Promise<void> {
  const wanted = connection("second");
  const made: StorageConnection = await (await call(CONNECTIONS, json("POST", wanted))).json();
  const path = `${CONNECTIONS}/${made.id}`;
  await call(`${path}/usage`);
  await call(CONNECTIONS);
  await call(path, json("PATCH", { name: "Our second bucket" }));
  await call(`${CONNECTIONS}/test`, json("POST", { provider: "s3", settings: wanted.settings }));
  await call(`${CONNECTIONS}/presets`);
  await call(`${path}/losses`);
  await call(`${path}/deleted-files`, { method: "DELETE" });
  const lost = await edge.connection("third");
  await ok(ada.fetch(`${CONNECTIONS}/${lost.id}/give-up`, json("POST", { photos: 0 })));
  await refused("storage_in_use", edge.fetch(`${CONNECTIONS}/platform`, { method: "DELETE" }));
  const local = { ...wanted, settings: { ...wanted.settings, endpoint: "https://127.0.0.1" } };
  const closed = { storages: edge.storagesWith(edge.storage, { allowPrivate: false }) };
  await refused("invalid_storage_settings", edge.fetch(CONNECTIONS, json("POST", local), closed));
  const keyless = { storages: edge.storagesWith(edge.storage, { vault: new Vault("") }) };
  await refused("secrets_unavailable", edge.fetch(CONNECTIONS, json("POST", wanted), keyless));

  const { id }: StorageMigration = await (await call(MIGRATIONS, json("POST", { to: made.id }))).json();
  await refused("migration_running", edge.fetch(MIGRATIONS, json("POST", { to: made.id })));
  await call(MIGRATIONS);
  await call(`${MIGRATIONS}/${id}/cancel`, { method: "POST" });
  await takeTurn(edge.bindings);
  await refused("migration_over", edge.fetch(`${MIGRATIONS}/${id}/pause`, { method: "POST" }));

  await call("/api/company/storage", json("PUT", { connection_id: made.id }));
  await call("/api/company/storage");
  const swap = (storage: StorageProvider) => {
    edge.backends.set("second", storage);
    edge.bindings.storages.forget(made.id);
  };
  const presign = async () => "https://s3.example.com/photo-shop/trial-upload?partNumber=1&uploadId=…";
  const signing = { start: async () => "1", presign } as Partial<MultipartUploads> as MultipartUploads;
  swap(but(edge.storage, { multipart: signing, allowUploadsFrom: async () => false }));
  await call(`${path}/trial-upload`, { method: "POST" });
  const store = () => upload({ image: png() });
  swap(brokenStorage(403, "AccessDenied"));
  await refused("storage_denied", store());
  await refused(
    "storage_test_failed",
    edge.fetch("/api/company/storage", json("PUT", { connection_id: made.id })),
  );
  swap(brokenStorage(507, "InsufficientStorage"));
  await refused("storage_full", store());
  swap(brokenStorage(503, "SlowDown"));
  await refused("storage_unavailable", store());
  swap(brokenStorage(404, "NoSuchKey"));
  await refused("storage_not_found", store());

  const started =
    "<InitiateMultipartUploadResult><UploadId>2~example</UploadId></InitiateMultipartUploadResult>";
  swap(s3Storage(async () => new Response(started)));
  const large = json("POST", { length: 300_000_000, content_type: "video/mp4" });
  const begun = await call(`${CONTENT}/${content.id}/video-uploads`, large);
  const { id: uploadId } = await begun.json<{ id: string }>();
  await call(
    `${CONTENT}/${content.id}/video-uploads/${uploadId}/part-urls`,
    json("POST", { numbers: [2, 3] }),
  );
}

async function recordYandex(): Promise<void> {
  const path = `${CONNECTIONS}/yandex`;
  await refused("authorization_unavailable", edge.fetch(`${path}/authorize`));
  const tokens = { access_token: "a", refresh_token: "b", expires_in: 31_536_000, token_type: "bearer" };
  const http = new StorageHttp({ checkAddress: () => {}, fetch: async () => Response.json(tokens) });
  const yandex = yandexPermission({ clientId: "your-application", clientSecret: "x" }, http);
  const { url } = await (await call(`${path}/authorize`, {}, { yandex })).json<{ url: string }>();
  const state = new URL(url).searchParams.get("state");
  await call(`${path}/exchange`, json("POST", { code: "1234567", state }), { yandex });
  const stale = json("POST", { code: "1234567", state: "of another attempt" });
  await refused("authorization_failed", edge.fetch(`${path}/exchange`, stale, { yandex }));
}

async function recordWebhooks(content: ArContent): Promise<void> {
  const events = ["marker.ready", "marker.failed"];
  const wanted = { url: SHOP, events, description: "Print shop" };
  const hook: WebhookWithSecret = await (await call("/api/webhooks", json("POST", wanted))).json();
  const path = `/api/webhooks/${hook.id}`;
  const deliverAll = async () => {
    for (const message of edge.told.splice(0)) await deliverWebhook(edge.bindings, message);
    await edge.settled();
  };
  // A test event of the same time would make the order of the deliveries random.
  await edge.db.update(webhookEndpoints).set({ verifiedAt: edge.clock });
  await call(`${CONTENT}/${content.id}/marker/recompile`, json("POST", {}));
  const { task_id: taskId } = await edge.content(content.id);
  expect(taskId).not.toBeNull();
  await consume(
    edge.consumer(() => compiled),
    edge.sent.at(-1)!.message,
  );
  await deliverAll();
  const { items } = await (await call(`${path}/deliveries`)).json<{ items: { id: string }[] }>();
  await call(`${path}/deliveries/${items[0].id}`);
  await call(path);
  await call("/api/webhooks");
  await call(`${path}/test`, { method: "POST" });
  await deliverAll();
  await call(path, json("PATCH", { enabled: false }));
  await refused("webhook_disabled", edge.fetch(`${path}/test`, { method: "POST" }));
  for (let i = 0; i < 19; i++) await call("/api/webhooks", json("POST", wanted));
  await refused("too_many_webhooks", edge.fetch("/api/webhooks", json("POST", wanted)));
}

async function recordPlatform(): Promise<void> {
  // The migrations gave it the time of the test run, and later ones have other names.
  const ended = { startedAt: edge.clock - 420, finishedAt: edge.clock, succeededAt: edge.clock };
  await edge.db.update(sweepRuns).set(ended);
  await env.DB.prepare("INSERT INTO d1_migrations (id, name) VALUES (9999, '0100_newest.sql')").run();
  await edge.db
    .insert(deadLetters)
    .values({ id: crypto.randomUUID(), queue: "webhooks", attempts: 1, arrivedAt: edge.clock });
  await ok(ada.fetch("/api/platform"));
  await ok(ada.post("/api/platform/dead-letters/retry", {}));
  await env.DB.prepare("DELETE FROM d1_migrations WHERE id = 9999").run();
}

test("the examples of the API document match the API's responses", async () => {
  await recordSetUp();
  await recordAccount();
  await recordPasskeys();
  const project = await recordProjects();
  const content = await recordContent(project);
  await call("/api/audit-log?action=content.created&limit=1");
  await call("/api/company/usage");
  await recordSubmissions();
  await recordRequests(content);
  await recordLeases();
  await recordVideos(content);
  await recordStorage(content);
  await call("/api/company/storage", json("PUT", { connection_id: "platform" }));
  await recordYandex();
  await recordWebhooks(content);
  await recordCompany();
  await recordApiKeys();
  await recordPlatform();
  // Statements accept few parameters, so insert one project at a time.
  const [{ companyId }] = await edge.db.select().from(arContent);
  const row = { ...project, companyId, createdAt: edge.clock, updatedAt: edge.clock };
  for (let i = 0; i < 1000; i++) await edge.db.insert(projects).values({ ...row, id: `${i}` });
  await refused("too_many_projects", edge.fetch("/api/projects", json("POST", { name: "Weddings" })));

  const missing = Object.keys(ERRORS).filter((code) => !(code in edge.examples.problems));
  expect.soft(missing.sort()).toEqual(WITHOUT_EXAMPLE);
  await expect(stableJson(edge.examples)).toMatchFileSnapshot("../../../worker/document/examples.json");
});
