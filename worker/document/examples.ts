import type { z } from "@hono/zod-openapi";
import type * as auth from "../accounts/auth-operations.ts";
import type * as accounts from "../accounts/schemas.ts";
import type { AuditPage } from "../audit/schemas.ts";
import { type ErrorCode, problemOf } from "../errors.ts";
import type * as schemas from "../schemas.ts";
import type * as storage from "../storage/schemas.ts";
import type * as hooks from "../webhooks/schemas.ts";

/** What the API's document shows of every body and of every refusal. */

type In<Schema extends z.ZodType> = z.input<Schema>;
type Out<Schema extends z.ZodType> = z.output<Schema>;

const CONTENT_ID = "7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11";
const UNIQUE_ID = "084162ed-0c0b-4f3c-8a52-6d0f6f7c1f53";
const TASK_ID = "3570c365-58b0-4c1d-9a4e-5b8d4f0c9a77";
const COMPANY_ID = "b4a4a6b0-2f3f-4d3e-8f0c-1f6a6f0f9d21";
const PERSON_ID = "f2b3a44e-1d9a-4f05-b1c4-d678a3f9c1d1";
const MEMBER_ID = "0f9a4e2b-8c1d-4b7e-9d35-7e1c2f6a5b40";
const PROJECT_ID = "c9a0a6de-7a0f-4d3e-9b6b-3a3f4b8c2e10";
const CONNECTION_ID = "2b1f3a52-6a0c-4b53-9f0e-0d6c1f2b7a11";
const REQUEST_ID = "6f0d1c9b-3a44-4e1d-9a1f-05b1c4d678a3";
const EARLIER = "2026-11-20T09:30:00.000Z";
const LATER = "2026-11-20T09:30:04.000Z";

/** One sentence for each code, as its `detail` may be. */
const DETAILS: Readonly<Record<ErrorCode, string>> = {
  empty_file: "The image is empty (0 bytes).",
  not_an_image: "The file is plain text; expected a JPEG, PNG or WebP image.",
  unsupported_format: "The file is a GIF; expected a JPEG, PNG or WebP image.",
  image_damaged: "The JPEG ends in the middle of its picture.",
  image_too_many_bytes: 'Field "image" has more than the 20 MB that are expected at most.',
  image_too_many_pixels: "The image is 9000 × 9000, 81 megapixels; expected at most 50.",
  image_too_small: "The image is 100 × 80; its shorter side must have at least 128 pixels.",
  too_few_features: "The image is too plain or blurred: 3 points can be tracked.",
  invalid_option: "maxFeatures is 5; expected 20 to 5000.",
  invalid_marker: "Not a valid .mind file: it is an HTML or XML page.",
  invalid_input: 'Field "title" of the body: expected string; received 7.',
  malformed_json: 'The body is "{title"; expected a JSON object.',
  malformed_upload: "The form ends too early or is not multipart/form-data.",
  body_too_large: "The body has more than the 66 kB that are expected at most.",
  unsupported_media_type: "The Content-Type is text/plain; expected application/json.",
  length_required: "Content-Length is missing; a video of at most 95 MB needs it.",
  range_not_satisfiable: 'The range "bytes=999999-" lies outside of the file\'s 183402 bytes.',
  unauthenticated: "This API key does not exist, has expired, or was revoked.",
  forbidden: 'This API key has the scopes read. "Change and delete photos, take videos away" needs manage.',
  foreign_origin:
    "Requests with a session must come from a page of https://vivimark.example. This one came " +
    "from https://elsewhere.example.",
  no_company: "No company selected. Choose one in the header.",
  project_archived: 'The project "Weddings" is archived and takes nothing new.',
  last_project: '"Weddings" is the only project that is not archived.',
  too_many_attempts: "Too many attempts. Try again in 540 s.",
  quota_exceeded:
    "The company has 1,000 of the 1,000 photos that it may have; delete some, or ask the operator for more.",
  too_many_requests: 'More than 3000 requests of the kind "read" in 60 seconds; try again in 60 seconds.',
  already_set_up: "This platform has an owner already; ask for an invitation.",
  wrong_link: "This is not the set-up link of this platform.",
  no_passkeys_here:
    "Passkeys need a host name, but 127.0.0.1:8787 is an IP address. Open http://localhost:8787 instead.",
  invalid_idempotency_key:
    "The Idempotency-Key has 300 characters, some of which may be wrong; expected 1 to 200 printable " +
    "characters of ASCII, such as a UUID, best in double quotes.",
  idempotency_key_reused:
    "This Idempotency-Key came with another request before; a new request needs a new key.",
  request_in_progress:
    "Another request with this Idempotency-Key is being worked on; ask again in 1 s for its answer.",
  not_found: `There is no AR content with the id "${CONTENT_ID}".`,
  method_not_allowed: "/api/health does not know DELETE; expected GET, HEAD.",
  lease_lost: "This lease has run out, was given up, or its compilation was taken over; nothing was changed.",
  lease_held: "Another executor compiles this photo; its lease ends at 2026-11-20T09:31:00.000Z.",
  nothing_to_compile: "The marker is ready; ask for it again with POST …/marker/recompile.",
  foreign_marker: "The marker's target is 800 × 800, which is not this photo's shape.",
  marker_too_large: "The marker has more than the 16 MB that are expected at most.",
  invalid_thumbnail: "The thumbnail is a PNG; expected a JPEG.",
  video_too_large: "The video has 120 MB; expected at most 95 MB.",
  unsupported_video: "The file is an AVI; expected an MP4 or WebM video.",
  upload_interrupted: "The upload broke off before its end.",
  batch_too_large: "The batch has more than 500 photos; this one and what follows were left out.",
  image_not_fetched: "https://images.example.com/portrait.jpg answered with status 404.",
  precondition_failed:
    "It is no longer what If-Match names; read it again and decide anew. Nothing was changed.",
  image_missing: "The photo is no longer in the storage.",
  compiler_unreachable: "The compile service cannot be reached.",
  compiler_busy: "The compile service has enough to do.",
  compiler_error: "The compile service failed.",
  compile_timeout: "The compilation took more than 600 s.",
  compile_crashed: "The compilation broke off.",
  storage_unavailable: "The storage does not answer at the moment; try again.",
  storage_not_found: "The storage does not know the bucket.",
  storage_denied: "The storage does not accept the access key.",
  storage_full: "The storage has no room left.",
  storage_conflict: "Someone else has just changed this connection. Reload it and try again.",
  invalid_storage_settings: "The endpoint leads to this machine or its network, which is not allowed.",
  secrets_unavailable:
    "What is kept secret cannot be decrypted or encrypted here: SECRETS_KEYS is missing, or another one.",
  storage_in_use: "This connection cannot be deleted: your new files go to it.",
  storage_test_failed: "The storage does not accept the access key. Nothing was switched.",
  migration_running: "Another storage migration is running. Wait for it to finish, or cancel it.",
  migration_over: "Cannot pause the storage migration: it is done.",
  authorization_failed: "Access to Yandex Disk was denied. Allow it at Yandex, and try again.",
  authorization_unavailable:
    "This installation is not registered with Yandex (YANDEX_CLIENT_ID, YANDEX_CLIENT_SECRET). Paste a token instead.",
  upload_incomplete: "2 of 30 parts are missing or have the wrong size: 4, 17.",
  not_signed: "This storage signs no addresses; send the parts to PUT …/parts/{number}.",
  checksum_mismatch: "The video has another SHA-256 than the one expected.",
  too_many_companies: "You own 20 companies; no more are allowed.",
  too_many_keys: "The company has 100 API keys; revoke some that are not used.",
  too_many_projects: "The company has 1,000 projects; no more are allowed.",
  too_many_webhooks: "The company has 20 webhooks; no more are allowed.",
  webhook_disabled: "This webhook is switched off; switch it on first.",
  retries_exhausted: "Every attempt to compile failed; ask for it again.",
  internal_error: "Something went wrong on our side; it was noted.",
};

function problem(code: ErrorCode) {
  return problemOf(code, DETAILS[code]);
}

/** A refusal with each code. */
export const PROBLEMS = Object.fromEntries(
  (Object.keys(DETAILS) as ErrorCode[]).map((code) => [code, { ...problem(code), request_id: REQUEST_ID }]),
);

const quality = {
  score: 68,
  stars: 3.5,
  parts: [
    { name: "detail", score: 80 },
    { name: "spread", score: 100 },
    { name: "distinctness", score: 100 },
    { name: "contrast", score: 100 },
    { name: "sharpness", score: 100 },
  ],
  reasons: [],
  print: 110,
  map: { columns: 3, rows: 2, cells: [40, 100, 80, 60, 100, 20] },
} satisfies Out<typeof schemas.quality>;

const pending = {
  id: CONTENT_ID,
  project_id: PROJECT_ID,
  company_id: COMPANY_ID,
  unique_id: UNIQUE_ID,
  title: "Grandmother",
  description: "",
  image_url: `/media/${UNIQUE_ID}/image?v=5f70bf18a0860070`,
  image_sha256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
  image_width: 1024,
  image_height: 680,
  image_bytes: 183_402,
  thumbnail_url: null,
  marker_url: null,
  marker_status: "pending",
  marker_generated_at: null,
  marker_metadata: null,
  max_features: null,
  video_url: null,
  video_bytes: null,
  video_type: null,
  is_active: true,
  expires_at: null,
  viewer_url: `https://vivimark.example/v/${UNIQUE_ID}`,
  qr_url: `/api/ar-content/${CONTENT_ID}/qr.svg`,
  task_id: TASK_ID,
  executor: null,
  progress: null,
  error_code: null,
  error_message: null,
  created_at: EARLIER,
  updated_at: EARLIER,
} satisfies schemas.ArContent;

const ready = {
  ...pending,
  thumbnail_url: `/media/${UNIQUE_ID}/thumbnail?v=9d377b10ce778c49`,
  marker_url: `/media/${UNIQUE_ID}/marker?v=1c2f9f0be1a3d7c4`,
  marker_status: "ready",
  marker_generated_at: LATER,
  marker_metadata: {
    bytes: 646_767,
    width: 1024,
    height: 680,
    keyframes: 9,
    points: 2620,
    tracking_points: 38,
    quality,
    compiler_version: "1",
    milliseconds: 412,
    executor: "node",
  },
  executor: "node",
  updated_at: LATER,
} satisfies schemas.ArContent;

const task = {
  task_id: TASK_ID,
  content_id: CONTENT_ID,
  generation: 1,
  state: "ready",
  executor: "node",
  attempts: 1,
  progress: null,
  lease_expires_at: null,
  next_attempt_at: null,
  error_code: null,
  error_message: null,
  created_at: EARLIER,
  started_at: EARLIER,
  finished_at: LATER,
} satisfies schemas.CompileTask;

const companyUsage = {
  contents: { used: 128, limit: 1000 },
  bytes: { used: 94_120_331, limit: null },
  compilations: { used: 3, limit: 500, resets_at: "2026-11-21T00:00:00.000Z" },
  days: [
    { day: "2026-11-19", compilations: 40 },
    { day: "2026-11-20", compilations: 3 },
  ],
} satisfies schemas.CompanyUsage;

const project = {
  id: PROJECT_ID,
  name: "Weddings",
  company_id: COMPANY_ID,
  max_features: null,
  expires_after_days: 365,
  contents: 12,
  archived_at: null,
  created_at: EARLIER,
  updated_at: EARLIER,
} satisfies schemas.Project;

const lease = { token: "hV3x0yq2m8Jr5s7u", expires_at: "2026-11-20T09:31:00.000Z" };

const photo = {
  image_url: "https://images.example.com/portrait.jpg",
  title: "Grandmother",
} satisfies In<typeof schemas.remotePhoto>;

const videoUpload = {
  id: "e1d9a1f0-5b1c-4d67-8a3f-9c1d1f2b3a44",
  content_id: CONTENT_ID,
  length: 300_000_000,
  content_type: "video/mp4",
  part_bytes: 10_000_000,
  part_count: 30,
  parts: [{ number: 1, bytes: 10_000_000 }],
  transport: "worker",
  expires_at: "2026-11-21T09:30:00.000Z",
};

const usage = {
  objects: 48,
  bytes: 210_000_000,
  quota: null,
  measured_at: EARLIER,
  age_seconds: 60,
} satisfies storage.StorageUsage;

const connection = {
  id: CONNECTION_ID,
  name: "Our bucket",
  provider: "s3",
  built_in: false,
  is_current: true,
  settings: {
    endpoint: "https://storage.yandexcloud.net",
    region: "ru-central1",
    bucket: "portraits",
    prefix: "",
    access_key_id: "YCAJEexample",
    style: "path",
  },
  settings_error: null,
  secrets: ["secret_access_key"],
  files: { count: 48, bytes: 209_000_000 },
  companies: [{ id: COMPANY_ID, name: "Portraits" }],
  usage,
  last_test_at: EARLIER,
  last_test_error: null,
  created_at: EARLIER,
  updated_at: EARLIER,
} satisfies storage.StorageConnection;

const s3Settings = {
  endpoint: "https://storage.yandexcloud.net",
  region: "ru-central1",
  bucket: "portraits",
  access_key_id: "YCAJEexample",
  secret_access_key: "YCOexample",
};

const migration = {
  id: "5f1b6a52-6a0c-4b53-9f0e-0d6c1f2b7a11",
  to: CONNECTION_ID,
  state: "running",
  files: { done: 20, failed: 0, left: 28, total: 48 },
  bytes: { done: 90_000_000, left: 119_000_000 },
  current: { content_id: CONTENT_ID, kind: "video", bytes: 8_400_000 },
  failures: [],
  error_code: null,
  error_message: null,
  created_at: EARLIER,
  updated_at: LATER,
  finished_at: null,
} satisfies storage.StorageMigration;

const apiKey = {
  id: "a7f0d6c1-5b1c-4d67-8a3f-2b3a449c1d1f",
  name: "Photo shop",
  prefix: "vivi_3f9c0a1b",
  scopes: ["read", "submit"],
  expires_at: null,
  last_used_at: LATER,
  created_at: EARLIER,
} satisfies accounts.ApiKey;

const passkey = {
  id: "f3b1c4d6-78a3-4f9c-9d1f-2b3a44e1d9a2",
  name: "Ada's phone",
  created_at: EARLIER,
} satisfies accounts.Passkey;

const membership = { id: COMPANY_ID, name: "Portraits", role: "owner" } satisfies accounts.Membership;

const webhook = {
  id: "0d6c1f2b-7a11-4b53-9f0e-6a520c1f3b44",
  url: "https://shop.example.com/vivimark",
  events: ["marker.ready", "marker.failed"],
  description: "Print shop",
  enabled: true,
  disabled_reason: null,
  failures: 0,
  failing_since: null,
  last_delivered_at: LATER,
  previous_secret_expires_at: null,
  created_at: EARLIER,
  updated_at: EARLIER,
} satisfies hooks.Webhook;

const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

const webhookEvent = {
  type: "marker.ready",
  timestamp: LATER,
  data: {
    content_id: CONTENT_ID,
    unique_id: UNIQUE_ID,
    company_id: COMPANY_ID,
    project_id: PROJECT_ID,
    title: "Grandmother",
    image_url: ready.image_url,
    thumbnail_url: ready.thumbnail_url,
    marker_status: "ready",
    marker_url: ready.marker_url,
    video_url: null,
    video_type: null,
    viewer_url: ready.viewer_url,
    task_id: TASK_ID,
    error_code: null,
    error_message: null,
    created_at: EARLIER,
    updated_at: LATER,
  },
} satisfies hooks.EventPayload;

const delivery = {
  id: "5d0f6f7c1f530841a6e20c0b4f3c8a52",
  event_id: "1c2f9f0b-e1a3-4d7c-8410-84162ed0c0b4",
  event_type: "marker.ready",
  content_id: CONTENT_ID,
  state: "delivered",
  attempts: 1,
  next_attempt_at: null,
  status: 200,
  error: null,
  created_at: LATER,
  finished_at: LATER,
} satisfies hooks.Delivery;

/** Bodies by the names of their schemas: a body that has none fails test/worker/api.test.ts. */
const ada = { id: PERSON_ID, name: "Ada", email: "ada@example.net" };

const membershipRecord = {
  id: MEMBER_ID,
  organizationId: COMPANY_ID,
  userId: PERSON_ID,
  role: "editor",
} satisfies Out<typeof accounts.membershipRecord>;

const invitationRecord = {
  id: "1bBz7cQk0mRk3oT2fGd9uXy5hLw8nEaS",
  organizationId: COMPANY_ID,
  email: "grace@example.net",
  role: "editor",
  status: "pending",
  expiresAt: "2026-11-27T09:30:00.000Z",
} satisfies Out<typeof accounts.invitationRecord>;

export const EXAMPLES: Readonly<Record<string, unknown>> = {
  ArContent: ready,
  CompanyUsage: companyUsage,
  ArContentPage: { items: [ready], next_cursor: null, total: 1 } satisfies schemas.ContentPage,
  ArContentChange: { title: "Grandmother, 1932" } satisfies schemas.ContentChange,
  RemotePhoto: photo,
  RemotePhotos: { items: [photo, { image_url: "https://images.example.com/second.jpg" }] },
  Submission: {
    content: pending,
    task_id: TASK_ID,
    lease: null,
    reused: false,
  } satisfies schemas.Submission,
  BatchResult: {
    items: [
      {
        ...{ index: 0, name: "a.jpg", status: 201, content_id: CONTENT_ID, task_id: TASK_ID },
        ...{ reused: false, error: null },
      },
      {
        ...{ index: 1, name: "b.jpg", status: 415, content_id: null, task_id: null },
        ...{ reused: false, error: problem("not_an_image") },
      },
    ],
    submitted: 1,
    refused: 1,
  } satisfies Out<typeof schemas.batchResult>,
  CompileTask: task,
  CompileTaskList: { items: [task] } satisfies Out<typeof schemas.taskList>,
  RecompileRequest: { max_features: 500 } satisfies In<typeof schemas.recompileRequest>,
  Progress: { stage: "match", done: 3, total: 9 } satisfies schemas.ProgressBody,
  Lease: lease satisfies schemas.Lease,
  TakenLease: { ...lease, task_id: TASK_ID } satisfies schemas.TakenLease,
  ViewerManifest: {
    unique_id: UNIQUE_ID,
    title: "Grandmother",
    description: "",
    image_url: ready.image_url,
    image_width: 1024,
    image_height: 680,
    thumbnail_url: ready.thumbnail_url,
    marker_status: "ready",
    marker_url: ready.marker_url,
    target_width: 1024,
    target_height: 680,
    video_url: `/media/${UNIQUE_ID}/video?v=3b4e5d6c7f8091a2`,
    video_type: "video/mp4",
  } satisfies schemas.ViewerManifest,
  VideoUpload: videoUpload,
  NewVideoUpload: { length: 300_000_000, content_type: "video/mp4" },
  VideoPart: { number: 1, bytes: 10_000_000 },
  VideoPartNumbers: { numbers: [2, 3] },
  VideoPartUrls: {
    items: [{ number: 2, url: "https://storage.example.com/portraits/videos/2.mp4?partNumber=2&…" }],
    expires_at: "2026-11-20T10:30:00.000Z",
  },
  Project: project,
  ProjectList: { items: [project] } satisfies Out<typeof schemas.projectList>,
  NewProject: { name: "Weddings", expires_after_days: 365 } satisfies In<typeof schemas.newProject>,
  ProjectChange: { archived: true } satisfies schemas.ProjectChange,
  StorageConnection: connection,
  StorageConnectionList: { items: [connection] } satisfies Out<typeof storage.connectionList>,
  NewStorageConnection: {
    provider: "s3",
    name: "Our bucket",
    settings: s3Settings,
  } satisfies In<typeof storage.newConnection>,
  StorageConnectionChange: { name: "Our second bucket" } satisfies storage.StorageConnectionChange,
  StorageConnectionTrial: { provider: "s3", settings: s3Settings } satisfies In<
    typeof storage.connectionTrial
  >,
  StorageConnectionReport: {
    ok: true,
    steps: [
      { step: "write", ok: true, milliseconds: 92 },
      { step: "read", ok: true, milliseconds: 40 },
      { step: "list", ok: true, milliseconds: 51 },
      { step: "delete", ok: true, milliseconds: 44 },
    ],
  } satisfies storage.StorageConnectionReport,
  StorageConnectionUsage: { files: connection.files, usage } satisfies storage.StorageConnectionUsage,
  StoragePresetList: {
    items: [
      {
        id: "yandex-object-storage",
        name: "Yandex Object Storage",
        provider: "s3",
        settings: { endpoint: "https://storage.yandexcloud.net", region: "ru-central1" },
      },
    ],
  } satisfies Out<typeof storage.presetList>,
  CurrentStorage: { connection_id: CONNECTION_ID } satisfies In<typeof storage.currentStorage>,
  StorageMigration: migration,
  StorageMigrationList: { items: [migration] } satisfies Out<typeof storage.storageMigrationList>,
  NewStorageMigration: { to: CONNECTION_ID } satisfies In<typeof storage.newStorageMigration>,
  YandexAuthorization: { url: "https://oauth.yandex.ru/authorize?response_type=code" },
  YandexCode: { code: "1234567", state: "…" },
  Company: { id: COMPANY_ID, name: "Portraits" } satisfies Out<typeof accounts.company>,
  CompanyChange: { name: "Living portraits" } satisfies In<typeof accounts.companyChange>,
  ApiKeyList: { items: [apiKey] } satisfies Out<typeof accounts.apiKeyList>,
  NewApiKey: { name: "Photo shop", scopes: ["read", "submit"] } satisfies In<typeof accounts.newApiKey>,
  CreatedApiKey: {
    ...apiKey,
    last_used_at: null,
    key: "vivi_3f9c0a1b…",
  } satisfies accounts.CreatedApiKey,
  AuditPage: {
    items: [
      {
        id: "d5b1c4d6-78a3-4f9c-9d1f-2b3a44e1d9a1",
        created_at: LATER,
        actor: { kind: "key", id: apiKey.id, name: apiKey.name },
        address: "203.0.113.7",
        action: "content.created",
        what: "Photo added",
        object: { id: CONTENT_ID, name: "Grandmother" },
        detail: null,
      },
    ],
    next_cursor: null,
  } satisfies AuditPage,
  Webhook: webhook,
  WebhookList: { items: [webhook] } satisfies Out<typeof hooks.webhookList>,
  NewWebhook: {
    url: webhook.url,
    events: ["marker.ready", "marker.failed"],
    description: "Print shop",
  } satisfies In<typeof hooks.newWebhook>,
  WebhookChange: { enabled: false } satisfies hooks.WebhookChange,
  WebhookWithSecret: { ...webhook, last_delivered_at: null, secret } satisfies hooks.WebhookWithSecret,
  WebhookDelivery: delivery,
  WebhookDeliveryPage: { items: [delivery], next_cursor: null } satisfies hooks.DeliveryPage,
  WebhookDeliveryDetail: {
    ...delivery,
    payload: webhookEvent,
    log: [{ at: LATER, milliseconds: 84, status: 200, response: "Thanks", error: null }],
  } satisfies hooks.DeliveryDetail,
  WebhookEvent: webhookEvent,
  WebhookTest: {
    type: "webhook.test",
    timestamp: LATER,
    data: { endpoint_id: webhook.id, message: "This is a test. Nothing has happened." },
  } satisfies Out<typeof hooks.testPayload>,
  Me: {
    ...ada,
    session_id: "9c1d1f2b-3a44-4e1d-9a1f-05b1c4d678a3",
    company: { ...membership, permissions: ["content:read", "content:submit"] },
    companies: [membership],
  } satisfies accounts.Me,
  Membership: membership,
  NewCompany: { name: "Portraits" } satisfies In<typeof accounts.newCompany>,
  PersonChange: { name: "Ada" } satisfies In<typeof accounts.personChange>,
  PasswordChange: {
    current_password: "what it was until now",
    new_password: "a long sentence, for example",
  } satisfies In<typeof accounts.passwordChange>,
  PasswordProof: { current_password: "a long sentence, for example" } satisfies In<
    typeof accounts.passwordProof
  >,
  Passkey: passkey,
  PasskeyList: { items: [passkey] } satisfies Out<typeof accounts.passkeyList>,
  PasskeyOptions: {
    challenge: "pSd6Ak3yYIO3Hlk0Yy6qOPtGlbsjFqR2hHaJbKvTdlA",
    rp: { id: "vivimark.example", name: "Vivimark" },
    user: { id: "bW9ja3VzZXI", name: "ada@example.net", displayName: "ada@example.net" },
    pubKeyCredParams: [{ alg: -7, type: "public-key" }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  } satisfies Out<typeof accounts.passkeyOptions>,
  NewPasskey: {
    name: passkey.name,
    response: {
      id: "4wJY1hO3kXWZ0Q2gk3pTzA",
      rawId: "4wJY1hO3kXWZ0Q2gk3pTzA",
      type: "public-key",
      response: {
        clientDataJSON: "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0",
        attestationObject: "o2NmbXRkbm9uZQ",
        transports: ["internal"],
      },
    },
  } satisfies accounts.NewPasskey,
  SetupState: { open: true } satisfies Out<typeof accounts.setupState>,
  SetupRequest: {
    token: "…",
    name: "Ada",
    email: "ada@example.net",
    password: "a long sentence, for example",
    company_name: "Portraits",
  } satisfies In<typeof accounts.setupRequest>,
  SignedIn: { company_id: COMPANY_ID } satisfies Out<typeof accounts.signedIn>,
  Invitation: {
    email: "grace@example.net",
    company: "Portraits",
    role: "editor",
    inviter: "Ada",
    expires_at: "2026-11-27T09:30:00.000Z",
    has_account: false,
  } satisfies accounts.Invitation,
  MemberList: {
    items: [
      {
        id: MEMBER_ID,
        person_id: PERSON_ID,
        name: "Ada",
        email: "ada@example.net",
        role: "owner",
        joined_at: EARLIER,
      },
    ],
  } satisfies Out<typeof accounts.memberList>,
  InvitationList: {
    items: [
      {
        ...{ id: invitationRecord.id, email: "grace@example.net", role: "editor" },
        expires_at: invitationRecord.expiresAt,
        created_at: EARLIER,
      },
    ],
  } satisfies Out<typeof accounts.invitationList>,
  SessionList: {
    items: [
      {
        id: "9c1d1f2b-3a44-4e1d-9a1f-05b1c4d678a3",
        current: true,
        address: "203.0.113.7",
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
        created_at: EARLIER,
        last_used_at: LATER,
        expires_at: "2026-12-04T09:30:04.000Z",
      },
    ],
  } satisfies Out<typeof accounts.sessionList>,
  Credentials: {
    email: "ada@example.net",
    password: "a long sentence, for example",
  } satisfies In<typeof auth.credentials>,
  SignedInAs: { user: ada } satisfies Out<typeof auth.signedInAs>,
  PasskeyChallenge: {
    challenge: "cTQ1b0V0bWxWa2tYQ0VtZQ",
    rpId: "vivimark.example",
    timeout: 60_000,
    userVerification: "required",
  } satisfies Out<typeof auth.passkeyChallenge>,
  PasskeyAnswer: {
    response: {
      id: "kGq8pV3l1wQ2",
      rawId: "kGq8pV3l1wQ2",
      type: "public-key",
      response: {
        clientDataJSON: "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
        authenticatorData: "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
        signature: "MEUCIQDx1m0fZk9t7aTq3vWc",
      },
    },
  } satisfies In<typeof auth.passkeyAnswer>,
  SignedOut: { success: true } satisfies Out<typeof auth.signedOut>,
  CurrentSession: {
    session: { id: "9c1d1f2b-3a44-4e1d-9a1f-05b1c4d678a3", expiresAt: "2026-12-04T09:30:04.000Z" },
    user: ada,
  } satisfies Out<typeof auth.currentSession>,
  PasswordResetRequest: { email: "ada@example.net" } satisfies In<typeof auth.resetRequest>,
  PasswordReset: {
    token: "what is behind the # of the link",
    newPassword: "a long sentence, for example",
  } satisfies In<typeof auth.reset>,
  Done: { status: true } satisfies Out<typeof auth.done>,
  CompanyChoice: { organizationId: COMPANY_ID } satisfies In<typeof accounts.companyChoice>,
  ActiveCompany: { organizationId: COMPANY_ID } satisfies In<typeof accounts.activeCompany>,
  ChosenCompany: { id: COMPANY_ID, name: "Portraits" } satisfies Out<typeof accounts.chosenCompany>,
  MembershipRecord: membershipRecord,
  RoleChange: { memberId: MEMBER_ID, role: "editor" } satisfies In<typeof accounts.roleChange>,
  MemberRemoval: { memberIdOrEmail: MEMBER_ID } satisfies In<typeof accounts.memberRemoval>,
  RemovedMember: { member: membershipRecord } satisfies Out<typeof accounts.removedMember>,
  NewInvitation: { email: "grace@example.net", role: "editor" } satisfies In<typeof accounts.newInvitation>,
  InvitationRecord: invitationRecord,
  InvitationChoice: { invitationId: invitationRecord.id } satisfies In<typeof accounts.invitationChoice>,
  Joined: { invitation: invitationRecord, member: membershipRecord } satisfies Out<typeof accounts.joined>,
  NewAccount: {
    name: "Grace",
    password: "a long sentence, for example",
  } satisfies In<typeof accounts.newAccount>,
  Mailbox: {
    items: [
      {
        id: "1f2b3a44-e1d9-4a1f-85b1-c4d678a3f9c1",
        to: "grace@example.net",
        subject: "Ada invites you to Portraits",
        body: "Ada invites you to join Portraits on Vivimark as editor. …",
        created_at: EARLIER,
      },
    ],
  } satisfies accounts.Mailbox,
  Health: {
    status: "ok",
    dependencies: { database: { ok: true, milliseconds: 1 }, compiler: { ok: true, milliseconds: 6 } },
  } satisfies Out<typeof schemas.health>,
};
