// Generated from /api/openapi.json by `npm run client:types`. Do not edit.

/** Addresses are relative to the API unless it was told its own: resolve them against it. */
export interface WebhookContent {
  content_id: string;
  unique_id: string;
  company_id: string;
  project_id: string;
  title: string;
  image_url: string;
  thumbnail_url: string | null;
  marker_status: MarkerStatus;
  marker_url: string | null;
  video_url: string | null;
  video_type: string | null;
  viewer_url: string;
  task_id: string | null;
  error_code: string | null;
  error_message: string | null;
  created_at: string;
  updated_at: string;
}

/** The reason, for programs. New codes may be added; handle unknown ones. */
export type ErrorCode = "empty_file" | "not_an_image" | "unsupported_format" | "image_damaged" | "image_too_many_bytes" | "image_too_many_pixels" | "image_too_small" | "too_few_features" | "invalid_option" | "invalid_marker" | "invalid_input" | "malformed_json" | "malformed_upload" | "body_too_large" | "unsupported_media_type" | "length_required" | "range_not_satisfiable" | "unauthenticated" | "forbidden" | "foreign_origin" | "project_archived" | "last_project" | "no_company" | "too_many_attempts" | "too_many_requests" | "already_set_up" | "wrong_link" | "no_passkeys_here" | "invalid_idempotency_key" | "idempotency_key_reused" | "request_in_progress" | "quota_exceeded" | "not_found" | "method_not_allowed" | "lease_lost" | "lease_held" | "nothing_to_compile" | "foreign_marker" | "marker_too_large" | "invalid_thumbnail" | "video_too_large" | "unsupported_video" | "upload_interrupted" | "batch_too_large" | "image_not_fetched" | "precondition_failed" | "image_missing" | "compiler_unreachable" | "compiler_busy" | "compiler_error" | "compile_timeout" | "compile_crashed" | "storage_unavailable" | "storage_not_found" | "storage_denied" | "storage_full" | "storage_conflict" | "invalid_storage_settings" | "secrets_unavailable" | "storage_in_use" | "migration_running" | "migration_over" | "authorization_failed" | "authorization_unavailable" | "upload_incomplete" | "not_signed" | "checksum_mismatch" | "storage_test_failed" | "too_many_companies" | "too_many_keys" | "too_many_projects" | "too_many_webhooks" | "webhook_disabled" | "retries_exhausted" | "internal_error";

export interface ActiveCompany {
  /** The company's id; null selects no company. */
  organizationId: string | null;
}

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: Array<Scope>;
  expires_at: string | null;
  last_used_at: string | null;
  created_at: string;
}

export interface ApiKeyList {
  items: Array<ApiKey>;
}

export interface ArContent {
  id: string;
  project_id: string;
  company_id: string;
  unique_id: string;
  title: string;
  description: string;
  image_url: string;
  image_sha256: string;
  image_width: number;
  image_height: number;
  image_bytes: number;
  thumbnail_url: string | null;
  marker_url: string | null;
  marker_status: MarkerStatus;
  marker_generated_at: string | null;
  marker_metadata: MarkerMetadata | null;
  max_features: number | null;
  video_url: string | null;
  video_bytes: number | null;
  video_type: string | null;
  is_active: boolean;
  expires_at: string | null;
  viewer_url: string;
  qr_url: string;
  task_id: string | null;
  executor: Executor | null;
  progress: Progress | null;
  error_code: string | null;
  error_message: string | null;
  created_at: string;
  updated_at: string;
}

export interface ArContentChange {
  title?: string;
  description?: string;
  is_active?: boolean;
  project_id?: string;
  expires_at?: string | null;
}

export interface ArContentPage {
  items: Array<ArContent>;
  next_cursor: string | null;
  total: number;
}

export interface AuditEntry {
  id: string;
  created_at: string;
  actor: {
    kind: "person" | "key" | "platform";
    id: string;
    name: string;
  };
  address: string;
  action: AuditAction;
  what: string;
  object: {
    id: string;
    name: string;
  };
  detail: Record<string, unknown> | null;
}

export interface AuditPage {
  items: Array<AuditEntry>;
  next_cursor: string | null;
}

export interface BatchItem {
  index: number;
  name: string;
  status: number;
  content_id: string | null;
  task_id: string | null;
  reused: boolean;
  error: Problem | null;
}

export interface BatchResult {
  items: Array<BatchItem>;
  submitted: number;
  refused: number;
}

export interface Company {
  id: string;
  name: string;
}

export interface CompanyChange {
  name: string;
}

export interface CompanyChoice {
  organizationId: string;
}

export interface CompanyUsage {
  contents: {
    used: number;
    limit: number | null;
  };
  bytes: {
    used: number;
    limit: number | null;
  };
  compilations: {
    used: number;
    limit: number | null;
    resets_at: string;
  };
  days: Array<{
    day: string;
    compilations: number;
  }>;
}

export interface CompileTask {
  task_id: string;
  content_id: string;
  generation: number;
  state: TaskState;
  executor: Executor | null;
  attempts: number;
  progress: Progress | null;
  lease_expires_at: string | null;
  next_attempt_at: string | null;
  /** Why it failed, or what its last attempt met. The photo's fault: image_damaged, too_few_features, invalid_option and the other refusals of an upload. The platform's: compiler_unreachable, compiler_busy, compiler_error, compile_timeout, compile_crashed, storage_unavailable, image_missing, retries_exhausted. */
  error_code: string | null;
  error_message: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface CompileTaskList {
  items: Array<CompileTask>;
}

export interface Credentials {
  email: string;
  password: string;
}

export interface CurrentStorage {
  /** A connection's id, or "platform" for the platform's own bucket. */
  connection_id: string;
}

export interface Done {
  status: true;
}

export interface Health {
  status: "ok" | "degraded";
  dependencies: Record<string, {
    ok: boolean;
    milliseconds: number;
  }>;
}

export interface HeldFiles {
  count: number;
  bytes: number;
}

export interface Invitation {
  email: string;
  company: string;
  role: Role;
  inviter: string;
  expires_at: string;
  has_account: boolean;
}

export interface InvitationChoice {
  invitationId: string;
}

export interface InvitationList {
  items: Array<PendingInvitation>;
}

export interface InvitationRecord {
  /** The secret of the invitation's link, `/invitation#<id>`. */
  id: string;
  organizationId: string;
  email: string;
  role: Role;
  status: "pending" | "accepted" | "rejected" | "canceled";
  expiresAt: string;
}

export interface Joined {
  invitation: InvitationRecord;
  member: MembershipRecord;
}

export interface Lease {
  token: string;
  expires_at: string;
}

export interface Mailbox {
  items: Array<{
    id: string;
    to: string;
    subject: string;
    body: string;
    created_at: string;
  }>;
}

export interface MarkerMetadata {
  bytes: number;
  width: number;
  height: number;
  keyframes: number;
  points: number;
  tracking_points: number;
  quality: Quality | null;
  compiler_version: string;
  milliseconds: number | null;
  executor: Executor;
}

export interface Me {
  id: string;
  name: string;
  email: string;
  session_id: string;
  company: (Membership) & ({
    permissions: Array<Permission>;
  }) | null;
  companies: Array<Membership>;
}

export interface Member {
  id: string;
  person_id: string;
  name: string;
  email: string;
  role: Role;
  joined_at: string;
}

export interface MemberList {
  items: Array<Member>;
}

export interface MemberRemoval {
  /** The company's id. Default: the company that the session has selected. */
  organizationId?: string;
  /** The member's id, or the person's email. */
  memberIdOrEmail: string;
}

export interface Membership {
  id: string;
  name: string;
  role: Role;
}

export interface MembershipRecord {
  id: string;
  organizationId: string;
  userId: string;
  role: Role;
}

export interface NewAccount {
  name: string;
  password: string;
}

export interface NewApiKey {
  name: string;
  scopes: Array<Scope>;
  expires_at?: string | null;
}

export interface NewCompany {
  name: string;
}

export interface NewInvitation {
  /** The company's id. Default: the company that the session has selected. */
  organizationId?: string;
  email: string;
  role: Role;
}

export interface NewPasskey {
  name: string;
  response: {
    id: string;
    rawId: string;
    type: "public-key";
    response: {
      clientDataJSON: string;
      attestationObject: string;
      transports?: Array<string>;
    };
  };
}

export interface NewProject {
  name: string;
  max_features?: number | null;
  expires_after_days?: number | null;
}

export interface NewStorageMigration {
  /** A connection's id, or "platform" for the platform's own bucket. */
  to: string;
}

export interface NewVideoUpload {
  /** Bytes. */
  length: number;
  content_type: "video/mp4" | "video/webm";
  /** Checked at the end, when it is given. */
  sha256?: string;
}

export interface NewWebhook {
  /** https, on a public server; redirects are not followed. */
  url: string;
  /** What it is told of. */
  events: Array<WebhookEventType>;
  description?: string;
  enabled?: boolean;
}

export interface Passkey {
  id: string;
  name: string;
  created_at: string;
}

export interface PasskeyAnswer {
  response: {
    id: string;
    rawId: string;
    type: "public-key";
    response: {
      clientDataJSON: string;
      authenticatorData: string;
      signature: string;
    };
  };
}

export interface PasskeyChallenge {
  challenge: string;
  rpId: string;
}

export interface PasskeyList {
  items: Array<Passkey>;
}

export interface PasskeyOptions {
  challenge: string;
  rp: {
    id?: string;
    name: string;
  };
  user: {
    id: string;
    name: string;
    displayName: string;
  };
}

export interface PasswordChange {
  current_password: string;
  new_password: string;
}

export interface PasswordProof {
  current_password: string;
}

export interface PasswordReset {
  /** The part of the link after the #. */
  token: string;
  newPassword: string;
}

export interface PasswordResetRequest {
  email: string;
}

export interface PendingInvitation {
  id: string;
  email: string;
  role: Role;
  expires_at: string;
  created_at: string;
}

export interface PersonChange {
  name: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  /** The request's id, as in X-Request-Id and in the log. Missing in the errors of single batch items. */
  request_id?: string;
  errors?: Array<{
    /** The field's path in the body, such as settings.bucket, or its name in the query, path or headers. */
    field: string;
    detail: string;
  }>;
}

export interface Progress {
  stage: "decode" | "resize" | "match" | "track" | "encode";
  done: number;
  total: number;
}

export interface Project {
  id: string;
  name: string;
  company_id: string;
  max_features: number | null;
  expires_after_days: number | null;
  contents: number;
  archived_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface ProjectChange {
  name?: string;
  max_features?: number | null;
  expires_after_days?: number | null;
  archived?: boolean;
}

export interface ProjectList {
  items: Array<Project>;
}

export interface Quality {
  score: number;
  stars: number;
  parts: Array<{
    name: "detail" | "spread" | "distinctness" | "contrast" | "sharpness";
    score: number;
  }>;
  reasons: Array<{
    code: "little_detail" | "repeating_pattern" | "blurred" | "too_dark" | "too_bright" | "low_contrast" | "empty_area" | "small_in_print";
    message: string;
    advice: string;
  }>;
  print: number | null;
  map: {
    columns: number;
    rows: number;
    cells: Array<number>;
  };
}

export interface RecompileRequest {
  compile?: CompileWhere;
  max_features?: number | null;
}

export interface RemotePhoto {
  /** https; a JPEG, PNG or WebP of at most 20 MB, fetched at once and at most for 30 s. */
  image_url: string;
  /** Default: the name of the file. */
  title?: string;
  description?: string;
  project_id?: string;
  compile?: CompileWhere;
  max_features?: number;
  expires_at?: string;
}

export interface RemotePhotos {
  items: Array<{
    /** https; a JPEG, PNG or WebP of at most 20 MB, fetched at once and at most for 30 s. */
    image_url: string;
    /** Default: the name of the file. */
    title?: string;
    description?: string;
    project_id?: string;
    max_features?: number;
    expires_at?: string;
  }>;
}

export interface RemovedMember {
  member: MembershipRecord;
}

export interface RoleChange {
  /** The company's id. Default: the company that the session has selected. */
  organizationId?: string;
  memberId: string;
  role: Role;
}

export interface S3Settings {
  /** Without the bucket. */
  endpoint: string;
  region?: string;
  bucket: string;
  /** Folder in the bucket; empty: its root. */
  prefix?: string;
  access_key_id: string;
  secret_access_key: string;
  /** Where the bucket is named: https://endpoint/bucket/key or https://bucket.endpoint/key. */
  style?: "path" | "host";
}

export interface Session {
  id: string;
  current: boolean;
  address: string | null;
  user_agent: string | null;
  created_at: string;
  last_used_at: string;
  expires_at: string;
}

export interface SessionList {
  items: Array<Session>;
}

export interface SetupRequest {
  token: string;
  name: string;
  email: string;
  password: string;
  company_name: string;
}

export interface SetupState {
  open: boolean;
}

export interface SignedIn {
  company_id: string;
}

export interface SignedInAs {
  user: {
    id: string;
    name: string;
    email: string;
  };
}

export interface SignedOut {
  success: true;
}

export interface StorageConnection {
  id: string;
  name: string;
  provider: "r2" | "s3" | "yandex_disk";
  built_in: boolean;
  is_current: boolean;
  settings: Record<string, string | number | boolean> | null;
  settings_error: string | null;
  secrets: Array<string>;
  files: HeldFiles;
  companies: Array<{
    id: string;
    name: string;
  }>;
  usage: StorageUsage | null;
  last_test_at: string | null;
  last_test_error: string | null;
  created_at: string | null;
  updated_at: string | null;
}

export interface StorageConnectionChange {
  name?: string;
  /** Some of the provider's settings. */
  settings?: Record<string, unknown>;
}

export interface StorageConnectionList {
  items: Array<StorageConnection>;
}

export interface StorageConnectionReport {
  ok: boolean;
  steps: Array<{
    step: "write" | "read" | "list" | "delete";
    ok: boolean;
    milliseconds: number;
    /** `code`: not_found, denied, quota_exceeded, unavailable, conflict, invalid_config, mismatch (the storage answered with something else) or internal_error. `field`: the setting that is wrong. */
    error?: {
      code: string;
      message: string;
      field?: string;
    };
  }>;
}

export interface StorageConnectionTrial {
  provider: "s3" | "yandex_disk";
  settings: Record<string, unknown>;
  /** A saved connection, whose settings serve where these are silent: its secrets too. */
  connection_id?: string;
}

export interface StorageConnectionUsage {
  files: HeldFiles;
  usage: StorageUsage;
}

export interface StorageMigration {
  id: string;
  to: string;
  state: MigrationState;
  files: {
    done: number;
    failed: number;
    left: number;
    total: number;
  };
  bytes: {
    done: number;
    left: number;
  };
  current: {
    content_id: string;
    kind: "image" | "thumbnail" | "marker" | "video" | "qr_code";
    bytes: number | null;
  } | null;
  failures: Array<{
    content_id: string;
    kind: "image" | "thumbnail" | "marker" | "video" | "qr_code";
    bytes: number | null;
    error_code: string;
    error_message: string;
  }>;
  error_code: string | null;
  error_message: string | null;
  created_at: string;
  updated_at: string;
  finished_at: string | null;
}

export interface StorageMigrationList {
  items: Array<StorageMigration>;
}

export interface StoragePresetList {
  items: Array<{
    id: string;
    name: string;
    provider: "s3" | "yandex_disk";
    settings: Record<string, string>;
  }>;
}

export interface StorageUsage {
  objects: number;
  bytes: number;
  quota: {
    used_bytes: number;
    total_bytes: number | null;
  } | null;
  measured_at: string;
  age_seconds: number;
}

export interface Submission {
  content: ArContent;
  task_id: string;
  lease: Lease | null;
  reused: boolean;
}

export interface VideoPart {
  number: number;
  bytes: number;
}

export interface VideoPartNumbers {
  numbers: Array<number>;
}

export interface VideoPartUrls {
  items: Array<{
    number: number;
    url: string;
  }>;
  expires_at: string;
}

export interface VideoUpload {
  id: string;
  content_id: string;
  length: number;
  content_type: "video/mp4" | "video/webm";
  part_bytes: number;
  part_count: number;
  parts: Array<{
    number: number;
    bytes: number;
  }>;
  transport: "storage" | "worker";
  expires_at: string;
}

export interface ViewerManifest {
  unique_id: string;
  title: string;
  description: string;
  image_url: string;
  image_width: number;
  image_height: number;
  thumbnail_url: string | null;
  marker_status: MarkerStatus;
  marker_url: string | null;
  target_width: number | null;
  target_height: number | null;
  video_url: string | null;
  video_type: string | null;
}

export interface Webhook {
  id: string;
  url: string;
  events: Array<WebhookEventType>;
  description: string;
  enabled: boolean;
  /** Why Vivimark switched it off: `failing` for days, or it answered 410, `gone`. Null: a person did, or it is on. */
  disabled_reason: "failing" | "gone" | null;
  /** Attempts that failed since the last that succeeded. */
  failures: number;
  failing_since: string | null;
  last_delivered_at: string | null;
  /** Until then the secret from before the last change signs too; null: it does no longer. */
  previous_secret_expires_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface WebhookAttempt {
  at: string;
  milliseconds: number;
  /** Null: there was no answer. */
  status: number | null;
  /** The first 1,024 bytes of the answer, without control characters. */
  response: string;
  error: string | null;
}

export interface WebhookChange {
  /** https, on a public server; redirects are not followed. */
  url?: string;
  /** What it is told of. */
  events?: Array<WebhookEventType>;
  description?: string;
  enabled?: boolean;
}

export interface WebhookDelivery {
  id: string;
  event_id: string;
  event_type: "marker.ready" | "marker.failed" | "video.attached" | "content.deleted" | "webhook.test";
  content_id: string | null;
  state: WebhookDeliveryState;
  attempts: number;
  next_attempt_at: string | null;
  /** What the last attempt was answered. */
  status: number | null;
  /** Why it is not delivered. */
  error: string | null;
  created_at: string;
  finished_at: string | null;
}

export interface WebhookDeliveryPage {
  items: Array<WebhookDelivery>;
  next_cursor: string | null;
}

export interface WebhookEvent {
  type: WebhookEventType;
  /** When it happened; not when it is told. */
  timestamp: string;
  data: WebhookContent;
}

export interface WebhookList {
  items: Array<Webhook>;
}

export interface WebhookTest {
  type: "webhook.test";
  timestamp: string;
  data: {
    endpoint_id: string;
    message: string;
  };
}

export interface YandexAuthorization {
  url: string;
}

export interface YandexCode {
  code: string;
  /** Of the authorization's address. */
  state: string;
}

export interface YandexDiskSettings {
  token: string;
  refresh_token?: string;
  /** When the token ends. */
  expires_at?: string;
  /** app:/ is the application's own folder; disk:/… needs wider rights. */
  root?: string;
}

export type AuditAction = "content.created" | "content.changed" | "content.deleted" | "marker.recompiled" | "video.attached" | "video.removed" | "project.created" | "project.changed" | "company.created" | "company.renamed" | "storage.switched" | "connection.created" | "connection.changed" | "connection.deleted" | "migration.started" | "migration.paused" | "migration.resumed" | "migration.cancelled" | "webhook.created" | "webhook.changed" | "webhook.switched_off" | "webhook.secret_rotated" | "webhook.sent_again" | "webhook.deleted" | "key.created" | "key.revoked" | "member.invited" | "invitation.withdrawn" | "member.joined" | "member.role_changed" | "member.removed" | "member.left" | "person.signed_in" | "person.password_changed" | "person.password_reset" | "person.passkey_added" | "person.passkey_removed";

export type ChosenCompany = {
  id: string;
  name: string;
} | null;

export type CompileWhere = "server" | "browser";

export type CreatedApiKey = (ApiKey) & ({
  key: string;
});

export type CurrentSession = {
  session: {
    id: string;
    expiresAt: string;
  };
  user: {
    id: string;
    name: string;
    email: string;
  };
} | null;

export type Executor = "browser" | "node";

export type MarkerStatus = "pending" | "processing" | "ready" | "failed";

export type MigrationState = "running" | "paused" | "cancelled" | "done";

export type NewStorageConnection = {
  provider: "s3";
  name: string;
  settings: S3Settings;
} | {
  provider: "yandex_disk";
  name: string;
  settings: YandexDiskSettings;
};

export type Permission = "content:read" | "content:submit" | "content:manage" | "projects:manage" | "storage:read" | "storage:manage" | "webhooks:manage" | "company:manage" | "audit:read" | "members:read" | "members:manage" | "keys:manage";

export type Role = "owner" | "admin" | "editor" | "viewer";

export type Scope = "read" | "submit" | "manage";

export type TakenLease = (Lease) & ({
  task_id: string;
});

export type TaskState = "pending" | "processing" | "ready" | "failed" | "superseded";

export type WebhookDeliveryDetail = (WebhookDelivery) & ({
  /** The body of its requests, as an object. */
  payload: Record<string, unknown>;
  /** The newest 100 attempts. */
  log: Array<WebhookAttempt>;
});

export type WebhookDeliveryState = "pending" | "delivered" | "failed";

export type WebhookEventType = "marker.ready" | "marker.failed" | "video.attached" | "content.deleted";

export type WebhookWithSecret = (Webhook) & ({
  /** Verifies signatures. It is shown this once. */
  secret: string;
});

/** A body that is sent unchanged. */
export type Bytes = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** The request and the answer of each operation. */
export interface Operations {
  /**
   * Submit up to 500 photos in one call
   *
   * A ZIP archive, a form with several `image` files, or JSON that says where the photos are. Each has a result of its own, in its order; none spoils another. The Node compiler makes the markers. The query is for all photos of an archive or a form, whose titles are the names of the files.
   */
  "POST /api/ar-content/batch": {
    query?: {
      description?: string;
      project_id?: string;
      max_features?: number;
      expires_at?: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body?: Bytes | RemotePhotos | FormData;
    /** The fields of a form, in place of `body`. */
    form?: {
      image: Array<Blob>;
    };
    /** The Content-Type of a `body` of bytes. */
    type?: "application/zip";
    answer: BatchResult;
  };
  /** List AR content, newest first */
  "GET /api/ar-content": {
    query?: {
      project_id?: string;
      status?: MarkerStatus;
      /** Part of the title or description. */
      q?: string;
      /** `next_cursor` of the page before. */
      cursor?: string;
      limit?: number;
    };
    answer: ArContentPage;
  };
  /**
   * Upload a photo and have its marker compiled
   *
   * With `compile=server`, the default, the Node compiler makes the marker. With `compile=browser` the caller does: the answer brings a lease, whose token goes with the delivery. A photo that was compiled before with the same options gets that marker at once. The photo comes with the form, or JSON says where it is.
   */
  "POST /api/ar-content": {
    query?: {
      /** Seconds, at most 30: the answer comes when the marker is ready or failed, or when this time is over. Then it shows the state at the end. */
      wait?: number;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body?: RemotePhoto | FormData;
    /** The fields of a form, in place of `body`. */
    form?: {
      /** JPEG, PNG or WebP, at most 20 MB. */
      image: Blob;
      /** Default: the name of the file. */
      title?: string;
      description?: string;
      /** Default: the oldest that is not archived. */
      project_id?: string;
      compile?: "server" | "browser";
      /** Keep only this many strongest points per keyframe. Default: the project's. */
      max_features?: number;
      /** When viewers see it no longer. Default: by the project's days. */
      expires_at?: string;
    };
    answer: Submission;
  };
  /** One piece of AR content */
  "GET /api/ar-content/{id}": {
    path: {
      id: string;
    };
    query?: {
      /** Seconds, at most 30: the answer comes when the marker is ready or failed, or when this time is over. Then it shows the state at the end. */
      wait?: number;
    };
    answer: ArContent;
  };
  /**
   * Change title, description, project, or whether and for how long the viewer shows it
   *
   * Texts are kept well-formed and without control characters or overrides of the text's direction; a title is one line, a description may have several.
   */
  "PATCH /api/ar-content/{id}": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of what is to be changed: when it is another by now, nothing is. */
      "If-Match"?: string;
    };
    body: ArContentChange;
    answer: ArContent;
  };
  /** Delete content with all its files */
  "DELETE /api/ar-content/{id}": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of what is to be changed: when it is another by now, nothing is. */
      "If-Match"?: string;
    };
    answer: undefined;
  };
  /** Every compilation of this content, newest first */
  "GET /api/ar-content/{id}/tasks": {
    path: {
      id: string;
    };
    answer: CompileTaskList;
  };
  /** QR code of the viewer's address */
  "GET /api/ar-content/{id}/qr.svg": {
    path: {
      id: string;
    };
    answer: Response;
  };
  /**
   * Deliver the marker that was compiled under a lease
   *
   * Decoded and checked before anything changes: one image target, of this photo's size, that a player can track. Delivering the same under the same lease again is answered like the first time.
   */
  "PUT /api/ar-content/{id}/marker": {
    path: {
      id: string;
    };
    header: {
      "vivimark-lease": string;
    };
    body?: Bytes | FormData;
    /** The fields of a form, in place of `body`. */
    form?: {
      /** .mind, at most 16 MB. */
      marker: Blob;
      /** JPEG, at most 500 kB. */
      thumbnail?: Blob;
      /** JSON: {milliseconds, compiler_version}. */
      metadata?: string;
    };
    /** The Content-Type of a `body` of bytes. */
    type?: "application/octet-stream";
    answer: ArContent;
  };
  /** Take a waiting compilation over in this browser */
  "POST /api/ar-content/{id}/marker/lease": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: TakenLease;
  };
  /** Give a compilation up: the Node compiler takes it over at once */
  "DELETE /api/ar-content/{id}/marker/lease": {
    path: {
      id: string;
    };
    header: {
      "vivimark-lease": string;
    };
    answer: undefined;
  };
  /** Report progress and prolong the lease */
  "POST /api/ar-content/{id}/marker/progress": {
    path: {
      id: string;
    };
    header: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
      "vivimark-lease": string;
    };
    body: Progress;
    answer: Lease;
  };
  /**
   * Compile again, or once more after a failure
   *
   * The marker that is there is served until the new one is ready. Older tasks are superseded.
   */
  "POST /api/ar-content/{id}/marker/recompile": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body?: RecompileRequest;
    answer: Submission;
  };
  /** Attach a video, or replace the one before */
  "PUT /api/ar-content/{id}/video": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of what is to be changed: when it is another by now, nothing is. */
      "If-Match"?: string;
    };
    body: Bytes;
    /** The Content-Type of a `body` of bytes. */
    type: "video/mp4" | "video/webm";
    answer: ArContent;
  };
  /** Take the video away */
  "DELETE /api/ar-content/{id}/video": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of what is to be changed: when it is another by now, nothing is. */
      "If-Match"?: string;
    };
    answer: undefined;
  };
  /**
   * Begin to upload a large video in parts
   *
   * Up to 5 GB. Send the parts in any order, several at once, and again after a break; `GET` says which are there. Then `complete`. Until then the video before is shown. An upload that nothing is added to for a day is removed.
   */
  "POST /api/ar-content/{id}/video-uploads": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewVideoUpload;
    answer: VideoUpload;
  };
  /** Which parts are there */
  "GET /api/ar-content/{id}/video-uploads/{upload_id}": {
    path: {
      id: string;
      upload_id: string;
    };
    answer: VideoUpload;
  };
  /** Give an upload up: its parts are removed */
  "DELETE /api/ar-content/{id}/video-uploads/{upload_id}": {
    path: {
      id: string;
      upload_id: string;
    };
    answer: undefined;
  };
  /**
   * Addresses that parts can be PUT to, straight to the storage
   *
   * Where `transport` is `storage`. PUT the bytes of the part, without further headers; the bucket must allow that from the page's origin (CORS). The addresses are good for an hour.
   */
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/part-urls": {
    path: {
      id: string;
      upload_id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: VideoPartNumbers;
    answer: VideoPartUrls;
  };
  /**
   * A part, through this API
   *
   * Good for every storage, also where `transport` is `storage` and the browser cannot reach it. A part that is sent again takes the place of the one before.
   */
  "PUT /api/ar-content/{id}/video-uploads/{upload_id}/parts/{number}": {
    path: {
      id: string;
      upload_id: string;
      number: number;
    };
    body: Bytes;
    /** The Content-Type of a `body` of bytes. */
    type: "application/octet-stream";
    answer: VideoPart;
  };
  /**
   * Put the parts together and show the video
   *
   * Safe to repeat while the upload is there. A file that is no MP4 or WebM video is removed.
   */
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/complete": {
    path: {
      id: string;
      upload_id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: ArContent;
  };
  /** One compilation: why a marker is ready, or not */
  "GET /api/tasks/{task_id}": {
    path: {
      task_id: string;
    };
    answer: CompileTask;
  };
  /** List projects, oldest first */
  "GET /api/projects": {
    answer: ProjectList;
  };
  /** Create a project */
  "POST /api/projects": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewProject;
    answer: Project;
  };
  /** One project */
  "GET /api/projects/{id}": {
    path: {
      id: string;
    };
    answer: Project;
  };
  /**
   * Rename or archive a project, or change its defaults
   *
   * Defaults are for what is submitted from then on. An archived project takes nothing new, and its content is listed only with its `project_id`; viewers see it as before. One project always stays open.
   */
  "PATCH /api/projects/{id}": {
    path: {
      id: string;
    };
    body: ProjectChange;
    answer: Project;
  };
  /**
   * Where a person allows the access to their Yandex Disk
   *
   * The answer's address is for the person's browser. From there it comes back to this API, which makes the connection (or gives the one of `connection_id` new tokens) and leads on to the studio. The address is good for 30 minutes.
   */
  "GET /api/storage-connections/yandex/authorize": {
    query?: {
      name?: string;
      /** app:/ is the application's own folder; disk:/… needs wider rights. */
      root?: string;
      connection_id?: string;
    };
    answer: YandexAuthorization;
  };
  /**
   * Where Yandex sends the person's browser back to
   *
   * Leads on to the studio's page of storages, with `connection` or `error` in its address.
   */
  "GET /api/storage-connections/yandex/callback": {
    query?: {
      code?: string;
      state?: string;
      error?: string;
    };
    answer: Response;
  };
  /** The same for a code that the person copied */
  "POST /api/storage-connections/yandex/exchange": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: YandexCode;
    answer: StorageConnection;
  };
  /** List storage connections: the platform's own bucket first, then the company's, oldest first */
  "GET /api/storage-connections": {
    answer: StorageConnectionList;
  };
  /**
   * Save a storage connection
   *
   * It is checked where the address leads, and not whether the connection works: that is what the test is for. Secrets are encrypted, and no answer ever has them again.
   */
  "POST /api/storage-connections": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewStorageConnection;
    answer: StorageConnection;
  };
  /** Settings that a form for a well-known storage can begin with */
  "GET /api/storage-connections/presets": {
    answer: StoragePresetList;
  };
  /** The same with settings that are not saved */
  "POST /api/storage-connections/test": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: StorageConnectionTrial;
    answer: StorageConnectionReport;
  };
  /** One storage connection */
  "GET /api/storage-connections/{id}": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    answer: StorageConnection;
  };
  /**
   * Change the name or some of the settings of a connection
   *
   * What is left out stays, secrets included. While the connection holds files, the new settings must lead to them: new keys and a new address of the same bucket are fine, another bucket is refused.
   */
  "PATCH /api/storage-connections/{id}": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    body: StorageConnectionChange;
    answer: StorageConnection;
  };
  /** Delete a connection that nothing uses */
  "DELETE /api/storage-connections/{id}": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    answer: undefined;
  };
  /** Write, read, list and delete a probe */
  "POST /api/storage-connections/{id}/test": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageConnectionReport;
  };
  /**
   * How much of a storage is used
   *
   * `files` is what the company's content has there. `usage` is what the backend itself has in the company's folder, and its quota where it tells; it is measured at most every 15 minutes unless `refresh=true`.
   */
  "GET /api/storage-connections/{id}/usage": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    query?: {
      refresh?: "true" | "false";
    };
    answer: StorageConnectionUsage;
  };
  /**
   * Move all files of the company to a connection
   *
   * In the background, file by file: copied, read back and compared, then named by its content, and only then removed from where it was. Everything is served all the time. The connection is tested first. New files go where the company's current connection says, which this does not change.
   */
  "POST /api/storage-migrations": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewStorageMigration;
    answer: StorageMigration;
  };
  /** The last 20 migrations, newest first */
  "GET /api/storage-migrations": {
    answer: StorageMigrationList;
  };
  /** How far a migration is */
  "GET /api/storage-migrations/{id}": {
    path: {
      id: string;
    };
    answer: StorageMigration;
  };
  /**
   * Pause a migration
   *
   * The file on its way stays where it was. What was moved stays moved.
   */
  "POST /api/storage-migrations/{id}/pause": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageMigration;
  };
  /**
   * Go on with a paused migration
   *
   * Files that failed are tried again.
   */
  "POST /api/storage-migrations/{id}/resume": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageMigration;
  };
  /**
   * End a migration before its end
   *
   * What was moved stays moved, and is served from there; another migration may move it back.
   */
  "POST /api/storage-migrations/{id}/cancel": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageMigration;
  };
  /** The company that the session or key is about */
  "GET /api/company": {
    answer: Company;
  };
  /** Rename the company */
  "PATCH /api/company": {
    body: CompanyChange;
    answer: Company;
  };
  /** Who is in the company, the first to join first */
  "GET /api/company/members": {
    answer: MemberList;
  };
  /** The invitations that can still be accepted, oldest first */
  "GET /api/company/invitations": {
    answer: InvitationList;
  };
  /**
   * What the company uses, and what its quotas allow
   *
   * What is being uploaded counts from its beginning, and what is deleted until its files are gone.
   */
  "GET /api/company/usage": {
    answer: CompanyUsage;
  };
  /** The connection that new files go to */
  "GET /api/company/storage": {
    answer: CurrentStorage;
  };
  /**
   * Send new files to another connection
   *
   * The connection is tested first. Files that are there stay where they are and are served from there; a storage migration moves them.
   */
  "PUT /api/company/storage": {
    body: CurrentStorage;
    answer: CurrentStorage;
  };
  /** The company's API keys, newest first */
  "GET /api/api-keys": {
    query?: {
      /** How a key begins, or the whole key. */
      prefix?: string;
    };
    answer: ApiKeyList;
  };
  /** Make an API key; the answer alone shows it */
  "POST /api/api-keys": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewApiKey;
    answer: CreatedApiKey;
  };
  /** Revoke an API key, at once */
  "DELETE /api/api-keys/{id}": {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /** The company's webhooks, oldest first */
  "GET /api/webhooks": {
    answer: WebhookList;
  };
  /**
   * Have events told to an address; the answer alone shows the secret
   *
   * Requests are signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`); docs/webhooks.md tells how to verify them. What they bring is under `webhooks` in this document.
   */
  "POST /api/webhooks": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewWebhook;
    answer: WebhookWithSecret;
  };
  /** One webhook */
  "GET /api/webhooks/{id}": {
    path: {
      id: string;
    };
    answer: Webhook;
  };
  /**
   * Change where a webhook leads and what it tells, or switch it off and on
   *
   * While it is off, nothing is told and nothing is kept to be told later; what waits to be tried again is given up, and can be sent again. Vivimark switches a webhook off that answers 410, or after 20 failed attempts in a row over 5 days or more.
   */
  "PATCH /api/webhooks/{id}": {
    path: {
      id: string;
    };
    body: WebhookChange;
    answer: Webhook;
  };
  /** Delete a webhook with the log of its deliveries */
  "DELETE /api/webhooks/{id}": {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /**
   * Make a new secret; the answer alone shows it
   *
   * For 24 hours the one before signs too: `webhook-signature` then has two signatures.
   */
  "POST /api/webhooks/{id}/rotate-secret": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: WebhookWithSecret;
  };
  /**
   * Send a `webhook.test`
   *
   * It is delivered, tried again and logged like any other event.
   */
  "POST /api/webhooks/{id}/test": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: WebhookDelivery;
  };
  /**
   * What was told, newest first
   *
   * Kept for 30 days.
   */
  "GET /api/webhooks/{id}/deliveries": {
    path: {
      id: string;
    };
    query?: {
      state?: WebhookDeliveryState;
      /** `next_cursor` of the page before. */
      cursor?: string;
      limit?: number;
    };
    answer: WebhookDeliveryPage;
  };
  /** One delivery, with every attempt and what it brought */
  "GET /api/webhooks/{id}/deliveries/{delivery_id}": {
    path: {
      id: string;
      delivery_id: string;
    };
    answer: WebhookDeliveryDetail;
  };
  /**
   * Send a delivery once more, and try again as if it were new
   *
   * With the same `webhook-id` and payload. One that is being sent at this moment is left to that.
   */
  "POST /api/webhooks/{id}/deliveries/{delivery_id}/send-again": {
    path: {
      id: string;
      delivery_id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: WebhookDelivery;
  };
  /**
   * Who did what to which object, newest first
   *
   * Kept for 400 days.
   */
  "GET /api/audit-log": {
    query?: {
      action?: AuditAction;
      /** What an action is about: its first part. */
      subject?: "content" | "marker" | "video" | "project" | "company" | "storage" | "connection" | "migration" | "webhook" | "key" | "member" | "invitation" | "person";
      actor_id?: string;
      object_id?: string;
      from?: string;
      /** Entries before this time. */
      to?: string;
      /** `next_cursor` of the page before. */
      cursor?: string;
      limit?: number;
    };
    answer: AuditPage;
  };
  /**
   * The same as a table
   *
   * The newest 10,000 entries that match. What a spreadsheet would take for a formula has an apostrophe before it.
   */
  "GET /api/audit-log/export.csv": {
    query?: {
      action?: AuditAction;
      /** What an action is about: its first part. */
      subject?: "content" | "marker" | "video" | "project" | "company" | "storage" | "connection" | "migration" | "webhook" | "key" | "member" | "invitation" | "person";
      actor_id?: string;
      object_id?: string;
      from?: string;
      /** Entries before this time. */
      to?: string;
    };
    answer: Response;
  };
  /** One's passkeys, the oldest first */
  "GET /api/me/passkeys": {
    answer: PasskeyList;
  };
  /** Add the passkey that the browser has made */
  "POST /api/me/passkeys": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewPasskey;
    answer: Passkey;
  };
  /**
   * Begin to add a passkey: what the browser is to make one of
   *
   * The answer is for `navigator.credentials.create`, and sets a cookie; what comes of it is sent within five minutes. It takes the password: whoever adds a passkey can come back without one.
   */
  "POST /api/me/passkeys/options": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: PasswordProof;
    answer: PasskeyOptions;
  };
  /**
   * Remove a passkey: it signs in no longer
   *
   * Sessions that were begun with it stay. It takes the password.
   */
  "DELETE /api/me/passkeys/{id}": {
    path: {
      id: string;
    };
    body: PasswordProof;
    answer: undefined;
  };
  /** Who is signed in, and in which company */
  "GET /api/me": {
    answer: Me;
  };
  /** Change one's name */
  "PATCH /api/me": {
    body: PersonChange;
    answer: undefined;
  };
  /** Change one's password; every other session ends */
  "PUT /api/me/password": {
    body: PasswordChange;
    answer: undefined;
  };
  /** Where one is signed in, the place that was used last first */
  "GET /api/me/sessions": {
    answer: SessionList;
  };
  /** Sign out somewhere */
  "DELETE /api/me/sessions/{id}": {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /**
   * Make a company of one's own
   *
   * The session is about it when it is made active: `POST /api/auth/organization/set-active`.
   */
  "POST /api/me/companies": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewCompany;
    answer: Membership;
  };
  /** Whether somebody is still to set this platform up */
  "GET /api/setup": {
    answer: SetupState;
  };
  /**
   * Make the first owner, once, with the token of the set-up link
   *
   * Everything that the platform holds already becomes the owner's company's. The answer is signed in.
   */
  "POST /api/setup": {
    body: SetupRequest;
    answer: SignedIn;
  };
  /** Get an invitation by its link */
  "GET /api/invitations/{id}": {
    path: {
      /** The secret of the link. */
      id: string;
    };
    answer: Invitation;
  };
  /**
   * Accept an invitation with a new account
   *
   * A person who has an account signs in and uses `POST /api/auth/organization/accept-invitation` instead.
   */
  "POST /api/invitations/{id}/account": {
    path: {
      /** The secret of the link. */
      id: string;
    };
    body: NewAccount;
    answer: SignedIn;
  };
  /**
   * The development mailbox, newest first
   *
   * What the platform would have mailed, where no mailer is set up but this one: under `npm start`. Opened by the token that `npm start` prints a link with, for the mails themselves open accounts.
   */
  "GET /api/mailbox": {
    answer: Mailbox;
  };
  /** Select the session's company */
  "POST /api/auth/organization/set-active": {
    body: ActiveCompany;
    answer: ChosenCompany;
  };
  /**
   * Change a member's role
   *
   * Only an owner can make or change an owner, and the last owner keeps that role.
   */
  "POST /api/auth/organization/update-member-role": {
    body: RoleChange;
    answer: MembershipRecord;
  };
  /**
   * Remove a member
   *
   * The person loses access at once. Only an owner can remove an owner, and the last owner stays.
   */
  "POST /api/auth/organization/remove-member": {
    body: MemberRemoval;
    answer: RemovedMember;
  };
  /**
   * Leave a company
   *
   * The last owner cannot leave.
   */
  "POST /api/auth/organization/leave": {
    body: CompanyChoice;
    answer: MembershipRecord;
  };
  /**
   * Invite somebody by email
   *
   * The link in the email is valid for a week and works once. It replaces an earlier invitation of the same address.
   */
  "POST /api/auth/organization/invite-member": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does nothing again and is answered like the first time, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewInvitation;
    answer: InvitationRecord;
  };
  /** Withdraw an invitation */
  "POST /api/auth/organization/cancel-invitation": {
    body: InvitationChoice;
    answer: InvitationRecord;
  };
  /**
   * Accept an invitation to one's own email address
   *
   * The session selects the company.
   */
  "POST /api/auth/organization/accept-invitation": {
    body: InvitationChoice;
    answer: Joined;
  };
  /**
   * What a viewer needs to play a photo
   *
   * Public and readable from any origin. Content that is not active, or has expired, has none.
   */
  "GET /api/viewer/{unique_id}": {
    path: {
      unique_id: string;
    };
    answer: ViewerManifest;
  };
  /**
   * A file of a piece of content
   *
   * Public and readable from any origin; while the content is not active, or has expired, only for those who may see it in its company. HEAD, ETag, If-None-Match, Range and If-Range are understood. The address with the current `v` may be cached for ever.
   */
  "GET /media/{unique_id}/{kind}": {
    path: {
      unique_id: string;
      kind: "image" | "thumbnail" | "marker" | "video";
    };
    query?: {
      v?: string;
    };
    answer: Response;
  };
  /**
   * Each dependency by name
   *
   * Anybody may ask: whether one answers, and how fast. Why one does not is in the log.
   */
  "GET /api/health": {
    answer: Health;
  };
  /**
   * Sign in
   *
   * Sets the session cookie. The session selects the company that the person joined first.
   */
  "POST /api/auth/sign-in/email": {
    body: Credentials;
    answer: SignedInAs;
  };
  /**
   * Begin to sign in with a passkey
   *
   * Pass the response to `navigator.credentials.get`. It and its cookie are valid for five minutes.
   */
  "GET /api/auth/passkey/generate-authenticate-options": {
    answer: PasskeyChallenge;
  };
  /**
   * Sign in with a passkey's signature
   *
   * Sets the session cookie. The session selects the company that the person joined first.
   */
  "POST /api/auth/passkey/verify-authentication": {
    body: PasskeyAnswer;
    answer: SignedInAs;
  };
  /** Sign out */
  "POST /api/auth/sign-out": {
    answer: SignedOut;
  };
  /** Get and extend the session; null without one */
  "GET /api/auth/get-session": {
    answer: CurrentSession;
  };
  /** Email a link to reset the password, if the address has an account */
  "POST /api/auth/request-password-reset": {
    body: PasswordResetRequest;
    answer: Done;
  };
  /** Reset the password with the link; ends all sessions */
  "POST /api/auth/reset-password": {
    body: PasswordReset;
    answer: Done;
  };
}
