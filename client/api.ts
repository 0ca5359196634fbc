// Generated from /api/openapi.json by `npm run client:types`. Do not edit.

/** Default: server. */
export type CompileWhere = "server" | "browser";

/** The reason, for programs. New codes may be added; handle unknown ones. */
export type ErrorCode = "empty_file" | "not_an_image" | "unsupported_format" | "image_damaged" | "image_too_many_bytes" | "image_too_many_pixels" | "image_too_many_scans" | "image_too_small" | "too_few_features" | "invalid_option" | "invalid_marker" | "invalid_input" | "malformed_json" | "malformed_upload" | "body_too_large" | "unsupported_media_type" | "length_required" | "range_not_satisfiable" | "unauthenticated" | "forbidden" | "foreign_origin" | "order_number_taken" | "project_archived" | "last_project" | "no_company" | "too_many_attempts" | "too_many_requests" | "account_exists" | "mail_unavailable" | "already_set_up" | "wrong_link" | "public_url_missing" | "no_passkeys_here" | "invalid_idempotency_key" | "idempotency_key_reused" | "secret_shown_once" | "request_in_progress" | "response_not_kept" | "quota_exceeded" | "not_found" | "method_not_allowed" | "lease_lost" | "lease_held" | "nothing_to_compile" | "foreign_marker" | "marker_too_large" | "invalid_thumbnail" | "invalid_picture" | "video_too_large" | "unsupported_video" | "video_damaged" | "too_many_uploads" | "upload_interrupted" | "batch_too_large" | "image_not_fetched" | "conflict" | "precondition_failed" | "image_missing" | "compiler_missing" | "compiler_unreachable" | "compiler_busy" | "compiler_error" | "compile_timeout" | "compile_crashed" | "storage_unavailable" | "storage_not_found" | "storage_denied" | "storage_full" | "storage_conflict" | "invalid_storage_settings" | "secrets_unavailable" | "storage_in_use" | "migration_running" | "migration_over" | "authorization_failed" | "authorization_unavailable" | "upload_incomplete" | "not_signed" | "checksum_mismatch" | "storage_test_failed" | "too_many_companies" | "too_many_keys" | "too_many_projects" | "too_many_webhooks" | "webhook_disabled" | "retries_exhausted" | "internal_error";

/** URLs are relative to the API, except `viewer_url` where PUBLIC_URL is set. Resolve them against the API's URL. */
export interface WebhookContent {
  content_id: string;
  unique_id: string;
  company_id: string;
  project_id: string;
  title: string;
  order_number: string | null;
  customer_name: string | null;
  customer_email: string | null;
  customer_phone: string | null;
  image_url: string;
  thumbnail_url: string | null;
  picture_url: string | null;
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
  order_number: string | null;
  customer_name: string | null;
  customer_email: string | null;
  customer_phone: string | null;
  image_url: string;
  image_sha256: string;
  image_width: number;
  image_height: number;
  image_bytes: number;
  thumbnail_url: string | null;
  picture_url: string | null;
  marker_url: string | null;
  marker_status: MarkerStatus;
  marker_generated_at: string | null;
  marker_metadata: MarkerMetadata | null;
  max_features: number | null;
  video_url: string | null;
  video_bytes: number | null;
  video_type: string | null;
  video_metadata: VideoMetadata | null;
  video_playback: VideoPlayback | null;
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
  /** Unique in the project. Viewers never get it. */
  order_number?: string | null;
  /** Viewers never get it. */
  customer_name?: string | null;
  /** Viewers never get it. Its form is not checked. */
  customer_email?: string | null;
  /** Viewers never get it. Its form is not checked. */
  customer_phone?: string | null;
  is_active?: boolean;
  project_id?: string;
  expires_at?: string | null;
}

export interface ArContentPage {
  items: Array<ArContent>;
  next_cursor: string | null;
  total: number;
  is_total_exact: boolean;
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

export interface BulkItem {
  id: string;
  status: number;
  task_id: string | null;
  error: Problem | null;
}

export interface BulkResult {
  items: Array<BulkItem>;
  done: number;
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
  deleted_files: {
    count: number;
    bytes: number;
  };
  compilations: {
    used: number;
    limit: number | null;
    resets_at: string;
  };
  records: {
    idempotency_keys: {
      used: number;
      limit: number | null;
    };
    idempotency_bytes: {
      used: number;
      limit: number | null;
    };
    audit_entries: {
      used: number;
      limit: number | null;
    };
    webhook_events: {
      used: number;
      limit: number | null;
    };
    webhook_deliveries: {
      used: number;
      limit: number | null;
    };
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
  /** Why the compilation or its last attempt failed. Errors in the photo: image_damaged, too_few_features, invalid_option and the other errors of an upload. Platform errors: compiler_missing, compiler_unreachable, compiler_busy, compiler_error, compile_timeout, compile_crashed, storage_unavailable, image_missing, retries_exhausted. */
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

export interface DeadLetter {
  id: string;
  queue: "compile" | "webhooks";
  /** The code of the last error; null without one. */
  code: string | null;
  attempts: number;
  arrived_at: string;
}

export interface DeadLetterRetry {
  /** Dead letters to retry. Without it, the oldest 100. */
  ids?: Array<string>;
}

export interface Done {
  status: true;
}

export interface Health {
  status: "ok" | "degraded";
  dependencies: Record<string, {
    ok: boolean;
    milliseconds: number;
    /** The setting that is missing. */
    detail?: string;
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
  /** Whether this link was sent to the address. Only such a link can create an account. */
  by_email: boolean;
}

export interface InvitationAcceptance {
  /** The part of the link after the #. */
  token: string;
}

export interface InvitationChoice {
  invitationId: string;
}

export interface InvitationList {
  items: Array<PendingInvitation>;
}

export interface InvitationRecord {
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
  /** The origin of links, mails and QR codes; null while PUBLIC_URL is missing. */
  public_url: string | null;
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
  /** Passwords that are easy to guess are refused, such as common ones, or ones with the person's name. */
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
  /** In bytes. */
  length: number;
  content_type: "video/mp4" | "video/webm";
  /** If given, checked when the upload completes. */
  sha256?: string;
}

export interface NewWebhook {
  /** An https URL on a public server. Redirects are not followed. */
  url: string;
  /** The event types to send. */
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
  /** Passwords that are easy to guess are refused, such as common ones, or ones with the person's name. */
  new_password: string;
}

export interface PasswordProof {
  current_password: string;
}

export interface PasswordReset {
  /** The part of the link after the #. */
  token: string;
  /** Passwords that are easy to guess are refused, such as common ones, or ones with the person's name. */
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

export interface Platform {
  /** Photos of all companies by the status of their marker. */
  photos: {
    pending: number;
    processing: number;
    ready: number;
    failed: number;
  };
  compilations: {
    /** Compilations that the Node compiler has. */
    running: number;
    places: number;
    /** When the longest waiting compilation was due; null if none is. */
    due_since: string | null;
  };
  queues: Array<{
    name: string;
    /** Null: the queue did not tell. */
    messages: number | null;
    oldest_at: string | null;
  }>;
  webhooks: {
    pending: number;
  };
  dead_letters: {
    count: number;
    /** The oldest 50. */
    items: Array<DeadLetter>;
  };
  sweep: {
    started_at: string;
    milliseconds: number;
    /** When the last sweep without a failed step ended. */
    succeeded_at: string;
    failed_steps: Array<string>;
  } | null;
  alerts: {
    by_email: boolean;
    by_webhook: boolean;
    firing: Array<{
      name: "sweep" | "compiler" | "dead_letters";
      since: string;
      sent_at: string | null;
    }>;
  };
  versions: {
    /** The id of the Worker's version; empty on this machine. */
    deployment: string;
    deployed_at: string | null;
    compiler: string;
    /** The newest database migration. */
    database: string | null;
  };
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
  player: "vivimark" | "mindar";
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
  /** An https URL of a JPEG, PNG or WebP of at most 20 MB. It is downloaded before the response, within 30 s. */
  image_url: string;
  /** Default: the name of the file. */
  title?: string;
  description?: string;
  /** Unique in the project. Viewers never get it. */
  order_number?: string;
  /** Viewers never get it. */
  customer_name?: string;
  /** Viewers never get it. Its form is not checked. */
  customer_email?: string;
  /** Viewers never get it. Its form is not checked. */
  customer_phone?: string;
  /** Default: the oldest project that is not archived. */
  project_id?: string;
  compile?: CompileWhere;
  /** Keeps at most this many of the strongest points per keyframe. Default: the project's. */
  max_features?: number;
  /** When viewers stop showing the photo. Default: after the project's `expires_after_days`. */
  expires_at?: string;
}

export interface RemotePhotos {
  items: Array<{
    /** An https URL of a JPEG, PNG or WebP of at most 20 MB. It is downloaded before the response, within 30 s. */
    image_url: string;
    /** Default: the name of the file. */
    title?: string;
    description?: string;
    /** Unique in the project. Viewers never get it. */
    order_number?: string;
    /** Viewers never get it. */
    customer_name?: string;
    /** Viewers never get it. Its form is not checked. */
    customer_email?: string;
    /** Viewers never get it. Its form is not checked. */
    customer_phone?: string;
    /** Default: the oldest project that is not archived. */
    project_id?: string;
    /** Keeps at most this many of the strongest points per keyframe. Default: the project's. */
    max_features?: number;
    /** When viewers stop showing the photo. Default: after the project's `expires_after_days`. */
    expires_at?: string;
  }>;
}

export interface RemovedMember {
  member: MembershipRecord;
}

export interface RetriedDeadLetters {
  retried: number;
  /** Dead letters whose photo was deleted, or whose webhook was disabled. */
  discarded: number;
  /** Dead letters that are left. */
  left: number;
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
  /** A folder in the bucket. Empty: the root. */
  prefix?: string;
  access_key_id: string;
  secret_access_key: string;
  /** Of a temporary access key. A new access key removes it. */
  session_token?: string;
  /** Of new files. Empty: the bucket's default. */
  storage_class?: string;
  /** Of new files, by the server. Empty: the bucket's default. */
  encryption?: "" | "AES256" | "aws:kms";
  /** The KMS key with `aws:kms`. Empty: the server's default key. */
  encryption_key_id?: string;
  /** Addresses of files: `path` is https://endpoint/bucket/key, `host` is https://bucket.endpoint/key. */
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
  /** Passwords that are easy to guess are refused, such as common ones, or ones with the person's name. */
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
  deleted_files: HeldFiles;
  companies: Array<{
    id: string;
    name: string;
  }>;
  usage: StorageUsage | null;
  last_test_at: string | null;
  last_test_error: string | null;
  given_up_at: string | null;
  created_at: string | null;
  updated_at: string | null;
}

export interface StorageConnectionChange {
  name?: string;
  /** Some of the provider's settings. */
  settings?: Record<string, unknown>;
}

export interface StorageConnectionGivingUp {
  /** The number of photos that will be deleted, as in the losses. */
  photos: number;
}

export interface StorageConnectionList {
  items: Array<StorageConnection>;
}

export interface StorageConnectionLosses {
  /** Photos whose original is in this storage. They are deleted, with all their files. */
  photos: number;
  /** Other photos whose marker is in this storage. They have to be compiled again. */
  markers: number;
  /** Videos of other photos. */
  videos: number;
}

export interface StorageConnectionReport {
  ok: boolean;
  steps: Array<{
    step: "write" | "read" | "list" | "parts" | "delete";
    ok: boolean;
    milliseconds: number;
    /** `code`: not_found, denied, quota_exceeded, unavailable, conflict, invalid_config, mismatch (the storage returned different content) or internal_error. `field`: the invalid setting. */
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
  /** A saved connection, whose settings and secrets are used for those that you omit. */
  connection_id?: string;
}

export interface StorageConnectionUsage {
  files: HeldFiles;
  deleted_files: HeldFiles;
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
    kind: "image" | "picture" | "thumbnail" | "marker" | "video" | "qr_code";
    bytes: number | null;
  } | null;
  failures: Array<{
    content_id: string;
    kind: "image" | "picture" | "thumbnail" | "marker" | "video" | "qr_code";
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

export interface TrialUpload {
  /** Accepts one PUT within a minute. */
  url: string;
  /** The exact size of its body. */
  bytes: number;
}

export interface VideoMetadata {
  width: number;
  height: number;
  rotation: 0 | 90 | 180 | 270;
  duration: number | null;
  codec: "h264" | "vp8" | "vp9" | "av1";
  has_sound: boolean;
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

export interface VideoPlayback {
  /** Seconds at which it begins. */
  start: number;
  /** Seconds at which it begins again; null: its end. */
  end: number | null;
  /** Seconds of the frame that is shown before it plays; null: the photo. */
  poster: number | null;
  /** Whether it plays without sound, which viewers cannot turn on. */
  is_muted: boolean;
  /** cover: it fills the photo, and what does not fit is cut off; contain: all of it is shown. */
  fit: "cover" | "contain";
  /** Where it lies if it is wider or narrower than the photo: 0 at the left, 1 at the right. */
  x: number;
  /** Likewise if it is higher or lower: 0 at the top, 1 at the bottom. */
  y: number;
}

export interface VideoPlaybackRequest {
  /** Seconds at which it begins. */
  start?: number;
  /** Seconds at which it begins again; null: its end. */
  end?: number | null;
  /** Seconds of the frame that is shown before it plays; null: the photo. */
  poster?: number | null;
  /** Whether it plays without sound, which viewers cannot turn on. */
  is_muted?: boolean;
  /** cover: it fills the photo, and what does not fit is cut off; contain: all of it is shown. */
  fit?: "cover" | "contain";
  /** Where it lies if it is wider or narrower than the photo: 0 at the left, 1 at the right. */
  x?: number;
  /** Likewise if it is higher or lower: 0 at the top, 1 at the bottom. */
  y?: number;
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
  image_width: number;
  image_height: number;
  thumbnail_url: string | null;
  picture_url: string | null;
  marker_status: MarkerStatus;
  marker_url: string | null;
  target_width: number | null;
  target_height: number | null;
  video_url: string | null;
  video_type: string | null;
  video_playback: VideoPlayback | null;
}

export interface Webhook {
  id: string;
  url: string;
  events: Array<WebhookEventType>;
  description: string;
  enabled: boolean;
  /** Why Vivimark disabled it: `failing` for days, or `gone` (it responded with 410). Null when it is enabled, or a person disabled it. */
  disabled_reason: "failing" | "gone" | null;
  /** When its current URL first accepted a test event. Null: unverified, and its events wait until a test event is delivered. */
  verified_at: string | null;
  /** Failed attempts since the last success. */
  failures: number;
  failing_since: string | null;
  last_delivered_at: string | null;
  /** Until then, requests are signed with the previous secret too. Null afterwards. */
  previous_secret_expires_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface WebhookAttempt {
  at: string;
  milliseconds: number;
  /** Null without a response. */
  status: number | null;
  /** The first 1,024 bytes of the response, without control characters. */
  response: string;
  error: string | null;
}

export interface WebhookChange {
  /** An https URL on a public server. Redirects are not followed. */
  url?: string;
  /** The event types to send. */
  events?: Array<WebhookEventType>;
  description?: string;
  enabled?: boolean;
}

export interface WebhookDelivery {
  id: string;
  /** The `webhook-id` of its requests, the same for every attempt. */
  event_id: string;
  event_type: "marker.ready" | "marker.failed" | "video.attached" | "content.deleted" | "webhook.test";
  content_id: string | null;
  state: WebhookDeliveryState;
  /** Attempts since the delivery was created or last resent. */
  attempts: number;
  /** Null when it is finished, or waits until its webhook is verified. */
  next_attempt_at: string | null;
  /** The HTTP status of the last attempt; null without a response. */
  status: number | null;
  /** Why the last attempt failed. */
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
  /** The time of the event, not of the attempt. */
  timestamp: string;
  data: WebhookContent;
}

export interface WebhookList {
  items: Array<Webhook>;
  /** The most requests per minute to all webhooks of the company together; 0: unlimited. */
  requests_a_minute: number;
  /** Deliveries above the limit wait until then. Null: none is held back. */
  held_back_until: string | null;
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
  /** The `state` in the query of the authorization URL. */
  state: string;
}

export interface YandexDiskSettings {
  token: string;
  refresh_token?: string;
  /** When the token expires. */
  expires_at?: string;
  /** app:/ is the application's own folder; disk:/… requires permissions for the whole Disk. */
  root?: string;
}

export type AuditAction = "content.created" | "content.changed" | "content.replaced" | "content.deleted" | "marker.recompiled" | "video.attached" | "video.removed" | "project.created" | "project.changed" | "company.created" | "company.renamed" | "storage.switched" | "connection.created" | "connection.changed" | "connection.deleted" | "connection.uploads_allowed" | "connection.files_deleted" | "connection.given_up" | "migration.started" | "migration.paused" | "migration.resumed" | "migration.cancelled" | "webhook.created" | "webhook.changed" | "webhook.switched_off" | "webhook.secret_rotated" | "webhook.sent_again" | "webhook.deleted" | "key.created" | "key.revoked" | "member.invited" | "invitation.withdrawn" | "member.joined" | "member.role_changed" | "member.removed" | "member.left" | "person.signed_in" | "person.password_changed" | "person.password_reset" | "person.passkey_added" | "person.passkey_removed" | "platform.retried";

export type BulkRequest = {
  action: "pause";
  ids: Array<string>;
} | {
  action: "resume";
  ids: Array<string>;
} | {
  action: "move";
  ids: Array<string>;
  project_id: string;
} | {
  action: "set_expiry";
  ids: Array<string>;
  /** Null: never. */
  expires_at: string | null;
} | {
  action: "recompile";
  ids: Array<string>;
} | {
  action: "delete";
  ids: Array<string>;
  /** Whether their files stay in the storage for 24 hours. Default: true. */
  keep_files?: boolean;
};

export type ChosenCompany = {
  id: string;
  name: string;
} | null;

export type CreatedApiKey = (ApiKey) & ({
  key: string;
});

export type CreatedInvitation = (InvitationRecord) & ({
  /** Opens `/invitation#TOKEN`, with which a person who has a verified account for the address can join. */
  token: string;
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

export type Permission = "content:read" | "content:submit" | "content:manage" | "projects:manage" | "storage:read" | "storage:manage" | "storage:give-up" | "webhooks:manage" | "company:manage" | "audit:read" | "members:read" | "members:manage" | "keys:manage" | "platform:operate";

export type Role = "owner" | "admin" | "editor" | "viewer";

export type Scope = "read" | "submit" | "manage";

export type TakenLease = (Lease) & ({
  task_id: string;
});

export type TaskState = "pending" | "processing" | "ready" | "failed" | "superseded";

export type WebhookDeliveryDetail = (WebhookDelivery) & ({
  /** The body of its requests. */
  payload: Record<string, unknown>;
  /** The newest 100 attempts, oldest first. Resending a delivery keeps them. */
  log: Array<WebhookAttempt>;
});

export type WebhookDeliveryState = "pending" | "delivered" | "failed";

export type WebhookEventType = "marker.ready" | "marker.failed" | "video.attached" | "content.deleted";

export type WebhookWithSecret = (Webhook) & ({
  /** Verifies signatures. Store it: it is shown only once. */
  secret: string;
});

/** A body that is sent unchanged. */
export type Bytes = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** The request and the answer of each operation. */
export interface Operations {
  /**
   * Submit up to 500 photos in one request
   *
   * Send a ZIP archive, a form with several `image` files, or JSON with the URLs of the photos. Each photo has its own result, in the order of the request. An error in one photo does not affect the others. The Node compiler compiles the markers. The query applies to all photos, unless a JSON item overrides it. Photos in an archive or a form take their title from the file name.
   */
  "POST /api/ar-content/batch": {
    query?: {
      description?: string;
      /** Viewers never get it. */
      customer_name?: string;
      /** Viewers never get it. Its form is not checked. */
      customer_email?: string;
      /** Viewers never get it. Its form is not checked. */
      customer_phone?: string;
      /** Default: the oldest project that is not archived. */
      project_id?: string;
      /** Keeps at most this many of the strongest points per keyframe. Default: the project's. */
      max_features?: number;
      /** When viewers stop showing the photo. Default: after the project's `expires_after_days`. */
      expires_at?: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
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
  /**
   * Change, recompile or delete up to 200 photos
   *
   * Runs one action on each photo: `pause`, `resume`, `move` to another project, `set_expiry`, `recompile` on the server, or `delete`. Each photo has its own result, in the order of the request. An error in one photo does not affect the others, except that compilations above the quota are all refused. `recompile` also requires the permission `content:submit`.
   */
  "POST /api/ar-content/bulk": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: BulkRequest;
    answer: BulkResult;
  };
  /**
   * List photos
   *
   * A search with `q` and a list with filters look at 1,000 photos per page, so a page may have fewer photos than `limit`, or none, before the last one. The last page has no `next_cursor`.
   */
  "GET /api/ar-content": {
    query?: {
      project_id?: string;
      status?: MarkerStatus;
      /** Default: `newest` first. `title`: alphabetically. `score`: the lowest first. `expiry`: the next to expire first. */
      sort?: "newest" | "title" | "score" | "expiry";
      /** Only photos without a video. */
      without_video?: "true";
      /** Only photos whose tracking score has at most two stars. */
      weak?: "true";
      /** Only paused photos. */
      paused?: "true";
      /** Only photos that viewers stop showing within 30 days. */
      expiring?: "true";
      /** Text in the title, description, order number or customer. */
      q?: string;
      /** The `next_cursor` of the previous page with the same sort. */
      cursor?: string;
      limit?: number;
    };
    answer: ArContentPage;
  };
  /**
   * Add a photo and compile its marker
   *
   * Send the photo in a form, or its URL as JSON. With `compile=server`, the default, the Node compiler compiles the marker. With `compile=browser`, the caller compiles it: the response contains a lease, and delivering the marker requires the lease's token. A photo that was already compiled with the same options gets the existing marker immediately.
   */
  "POST /api/ar-content": {
    query?: {
      /** Waits up to this many seconds, at most 30, until the marker is ready or failed. The response has the state at the end of the wait. */
      wait?: number;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
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
      /** Unique in the project. Viewers never get it. */
      order_number?: string;
      /** Viewers never get it. */
      customer_name?: string;
      /** Viewers never get it. Its form is not checked. */
      customer_email?: string;
      /** Viewers never get it. Its form is not checked. */
      customer_phone?: string;
      /** Default: the oldest project that is not archived. */
      project_id?: string;
      /** Default: server. */
      compile?: "server" | "browser";
      /** Keeps at most this many of the strongest points per keyframe. Default: the project's. */
      max_features?: number;
      /** When viewers stop showing the photo. Default: after the project's `expires_after_days`. */
      expires_at?: string;
      /** The size of the image. Send it before the image: a photo of more than 1 MB is then stored as it arrives, and does not wait for the memory of other uploads. */
      image_bytes?: number;
    };
    answer: Submission;
  };
  /** Get a photo */
  "GET /api/ar-content/{id}": {
    path: {
      id: string;
    };
    query?: {
      /** Waits up to this many seconds, at most 30, until the marker is ready or failed. The response has the state at the end of the wait. */
      wait?: number;
    };
    answer: ArContent;
  };
  /**
   * Change the title, description, order, project or visibility
   *
   * Control characters and text direction overrides are removed. A title has one line; a description can have several.
   */
  "PATCH /api/ar-content/{id}": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of the object. If the object has changed since, the request fails with 412. */
      "If-Match"?: string;
    };
    body: ArContentChange;
    answer: ArContent;
  };
  /**
   * Delete a photo and all its files
   *
   * The photo and its URLs are gone at once, and its files no longer count against the quotas.
   */
  "DELETE /api/ar-content/{id}": {
    path: {
      id: string;
    };
    query?: {
      /** Deleted files stay in the storage for 24 hours, so that an operator can restore them. `false` deletes them at once. */
      keep_files?: "true" | "false";
    };
    header?: {
      /** The ETag of the object. If the object has changed since, the request fails with 412. */
      "If-Match"?: string;
    };
    answer: undefined;
  };
  /** List a photo's compilations, newest first */
  "GET /api/ar-content/{id}/tasks": {
    path: {
      id: string;
    };
    answer: CompileTaskList;
  };
  /** Get the QR code of the viewer's URL */
  "GET /api/ar-content/{id}/qr.svg": {
    path: {
      id: string;
    };
    answer: Response;
  };
  /**
   * Deliver a marker compiled under a lease
   *
   * The marker is decoded and checked first: it must have one image target, of the photo's size, that a player can track. Repeating a delivery under the same lease returns the same response.
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
      /** A .mind file of at most 4 MB. */
      marker: Blob;
      /** JPEG, at most 500 kB and 960 px, without metadata. */
      thumbnail?: Blob;
      /** JPEG for viewers, at most 2 MB and 1600 px, without metadata. */
      picture?: Blob;
      /** A JSON object with `milliseconds` and `compiler_version`. */
      metadata?: string;
    };
    /** The Content-Type of a `body` of bytes. */
    type?: "application/octet-stream";
    answer: ArContent;
  };
  /** Take over a waiting compilation */
  "POST /api/ar-content/{id}/marker/lease": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: TakenLease;
  };
  /** Release a compilation; the Node compiler takes over at once */
  "DELETE /api/ar-content/{id}/marker/lease": {
    path: {
      id: string;
    };
    header: {
      "vivimark-lease": string;
    };
    answer: undefined;
  };
  /** Report progress and extend the lease */
  "POST /api/ar-content/{id}/marker/progress": {
    path: {
      id: string;
    };
    header: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
      "vivimark-lease": string;
    };
    body: Progress;
    answer: Lease;
  };
  /**
   * Replace the photo
   *
   * The photo's addresses stay, so that a printed QR code leads to the new photo. Until its marker is ready, viewers use the existing marker; if the compilation fails, they go on using it. The video stays.
   */
  "PUT /api/ar-content/{id}/image": {
    path: {
      id: string;
    };
    query?: {
      compile?: CompileWhere;
    };
    header?: {
      /** The ETag of the object. If the object has changed since, the request fails with 412. */
      "If-Match"?: string;
    };
    body: Bytes;
    /** The Content-Type of a `body` of bytes. */
    type: "image/jpeg" | "image/png" | "image/webp";
    answer: Submission;
  };
  /**
   * Recompile a marker
   *
   * Viewers use the existing marker until the new one is ready. Unfinished compilations are superseded.
   */
  "POST /api/ar-content/{id}/marker/recompile": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body?: RecompileRequest;
    answer: Submission;
  };
  /**
   * Set how viewers play the video
   *
   * Replaces all settings; what is absent gets its default. A new video starts with the defaults. Viewers see the change when they load the page.
   */
  "PUT /api/ar-content/{id}/video/playback": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of the object. If the object has changed since, the request fails with 412. */
      "If-Match"?: string;
    };
    body: VideoPlaybackRequest;
    answer: ArContent;
  };
  /** Attach or replace the video */
  "PUT /api/ar-content/{id}/video": {
    path: {
      id: string;
    };
    header?: {
      /** The ETag of the object. If the object has changed since, the request fails with 412. */
      "If-Match"?: string;
    };
    body: Bytes;
    /** The Content-Type of a `body` of bytes. */
    type: "video/mp4" | "video/webm";
    answer: ArContent;
  };
  /** Remove the video */
  "DELETE /api/ar-content/{id}/video": {
    path: {
      id: string;
    };
    query?: {
      /** Deleted files stay in the storage for 24 hours, so that an operator can restore them. `false` deletes them at once. */
      keep_files?: "true" | "false";
    };
    header?: {
      /** The ETag of the object. If the object has changed since, the request fails with 412. */
      "If-Match"?: string;
    };
    answer: undefined;
  };
  /**
   * Start uploading a large video in parts
   *
   * Up to 5 GB. Send the parts in any order and in parallel, then `complete` the upload. After an interruption, `GET` lists the parts received. Viewers show the previous video until then. An upload that receives no part for a day is deleted.
   */
  "POST /api/ar-content/{id}/video-uploads": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewVideoUpload;
    answer: VideoUpload;
  };
  /** Get a video upload and the parts received */
  "GET /api/ar-content/{id}/video-uploads/{upload_id}": {
    path: {
      id: string;
      upload_id: string;
    };
    answer: VideoUpload;
  };
  /** Cancel a video upload and remove its parts */
  "DELETE /api/ar-content/{id}/video-uploads/{upload_id}": {
    path: {
      id: string;
      upload_id: string;
    };
    answer: undefined;
  };
  /**
   * Create signed URLs to PUT parts straight to the storage
   *
   * Available if `transport` is `storage`. PUT the bytes of the part without additional headers; the bucket's CORS rules must allow the page's origin. The URLs expire after an hour.
   */
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/part-urls": {
    path: {
      id: string;
      upload_id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: VideoPartNumbers;
    answer: VideoPartUrls;
  };
  /**
   * Send a part through this API
   *
   * Works with every storage, even if `transport` is `storage` and the client cannot reach it. Sending a part again replaces it.
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
   * Complete a video upload
   *
   * Joins the parts and attaches the video. Can be repeated safely while the upload exists. A file that is not an MP4 or WebM video that phones play, or is cut off, is removed.
   */
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/complete": {
    path: {
      id: string;
      upload_id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: ArContent;
  };
  /** Get a compilation */
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
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewProject;
    answer: Project;
  };
  /** Get a project */
  "GET /api/projects/{id}": {
    path: {
      id: string;
    };
    answer: Project;
  };
  /**
   * Rename or archive a project, or change its defaults
   *
   * New defaults apply to later submissions. An archived project accepts no new photos, and its photos are listed only with its `project_id`; viewers still show them. The last open project cannot be archived.
   */
  "PATCH /api/projects/{id}": {
    path: {
      id: string;
    };
    body: ProjectChange;
    answer: Project;
  };
  /**
   * Get the URL at which a person grants access to their Yandex Disk
   *
   * Open the URL in the person's browser. Yandex then redirects it back to this API, which creates the connection (or renews the tokens of `connection_id`) and redirects to the studio. The URL expires after 30 minutes.
   */
  "GET /api/storage-connections/yandex/authorize": {
    query?: {
      name?: string;
      /** app:/ is the application's own folder; disk:/… requires permissions for the whole Disk. */
      root?: string;
      connection_id?: string;
    };
    answer: YandexAuthorization;
  };
  /**
   * Finish the authorization: Yandex redirects the browser here
   *
   * Redirects to the studio's storage page, with `connection` or `error` in the query.
   */
  "GET /api/storage-connections/yandex/callback": {
    query?: {
      code?: string;
      state?: string;
      error?: string;
    };
    answer: Response;
  };
  /** Finish the authorization with a code that the person copied */
  "POST /api/storage-connections/yandex/exchange": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
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
   * The address is checked, but the connection is not; test it separately. Secrets are encrypted, and no response contains them.
   */
  "POST /api/storage-connections": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewStorageConnection;
    answer: StorageConnection;
  };
  /** List the settings of well-known storage providers, as presets for a form */
  "GET /api/storage-connections/presets": {
    answer: StoragePresetList;
  };
  /** Test settings without saving them */
  "POST /api/storage-connections/test": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: StorageConnectionTrial;
    answer: StorageConnectionReport;
  };
  /** Get a storage connection */
  "GET /api/storage-connections/{id}": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    answer: StorageConnection;
  };
  /**
   * Change the name or the settings of a storage connection
   *
   * Omitted settings, including secrets, stay the same. While the connection holds files, the new settings must lead to the same files: new keys or a new address of the same bucket are accepted, another bucket is not.
   */
  "PATCH /api/storage-connections/{id}": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    body: StorageConnectionChange;
    answer: StorageConnection;
  };
  /** Delete an unused storage connection */
  "DELETE /api/storage-connections/{id}": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    answer: undefined;
  };
  /**
   * Remove the deleted files of a storage connection at once
   *
   * Deleted, replaced and moved files stay in their storage for 24 hours, so that an operator can restore them. This request removes them in the background.
   */
  "DELETE /api/storage-connections/{id}/deleted-files": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    answer: undefined;
  };
  /** Count what giving up the files of a storage connection loses */
  "GET /api/storage-connections/{id}/losses": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    answer: StorageConnectionLosses;
  };
  /**
   * Give up the files of a storage connection whose bucket or access is lost
   *
   * Photos whose original is in this storage are deleted; other photos lose the files that are in it. The connection is deleted once nothing names its files. This cannot be undone.
   */
  "POST /api/storage-connections/{id}/give-up": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: StorageConnectionGivingUp;
    answer: StorageConnection;
  };
  /** Test a storage connection: write, read, list and delete a file */
  "POST /api/storage-connections/{id}/test": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageConnectionReport;
  };
  /**
   * Allow the studio's pages to upload straight to a storage
   *
   * Adds a CORS rule for this platform's origin to the bucket's rules. The access key needs permission for that; if it has none, add the rule by hand.
   */
  "POST /api/storage-connections/{id}/cors": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: undefined;
  };
  /**
   * Get an address to which a browser can try to upload
   *
   * A PUT from a page that succeeds shows that the bucket's CORS rules allow uploads, also where the access key may neither read nor change them. No file is stored.
   */
  "POST /api/storage-connections/{id}/trial-upload": {
    path: {
      /** "platform" is the platform's own bucket. */
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: TrialUpload;
  };
  /**
   * Get the usage of a storage connection
   *
   * `files` counts the files of the company's content. `usage` counts all objects in the company's folder and has the storage's quota if it reports one; it is measured at most every 15 minutes, unless `refresh=true`.
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
   * Start a storage migration: move all files to another connection
   *
   * The connection is tested first. Then each file is copied in the background, read back, compared, and removed from its old storage. All files stay available. New files still go to the company's current connection.
   */
  "POST /api/storage-migrations": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewStorageMigration;
    answer: StorageMigration;
  };
  /** List the last 20 storage migrations, newest first */
  "GET /api/storage-migrations": {
    answer: StorageMigrationList;
  };
  /** Get a storage migration */
  "GET /api/storage-migrations/{id}": {
    path: {
      id: string;
    };
    answer: StorageMigration;
  };
  /**
   * Pause a storage migration
   *
   * The file being copied stays in its old storage. Files already moved stay in the new one.
   */
  "POST /api/storage-migrations/{id}/pause": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageMigration;
  };
  /**
   * Resume a paused storage migration
   *
   * Failed files are retried.
   */
  "POST /api/storage-migrations/{id}/resume": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageMigration;
  };
  /**
   * Cancel a storage migration
   *
   * Files already moved stay in the new storage; another storage migration can move them back.
   */
  "POST /api/storage-migrations/{id}/cancel": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: StorageMigration;
  };
  /** Get the company of the session or API key */
  "GET /api/company": {
    answer: Company;
  };
  /** Rename the company */
  "PATCH /api/company": {
    body: CompanyChange;
    answer: Company;
  };
  /** List members in the order in which they joined */
  "GET /api/company/members": {
    answer: MemberList;
  };
  /** List pending invitations, oldest first */
  "GET /api/company/invitations": {
    answer: InvitationList;
  };
  /**
   * Get the company's usage and quotas
   *
   * Files count from the start of their upload until they are deleted or replaced.
   */
  "GET /api/company/usage": {
    answer: CompanyUsage;
  };
  /** Get the storage connection for new files */
  "GET /api/company/storage": {
    answer: CurrentStorage;
  };
  /**
   * Change the storage connection for new files
   *
   * The connection is tested first. Existing files stay in their storage and are served from there. A storage migration moves them.
   */
  "PUT /api/company/storage": {
    body: CurrentStorage;
    answer: CurrentStorage;
  };
  /** List the company's API keys, newest first */
  "GET /api/api-keys": {
    query?: {
      /** The first characters of a key, or the whole key. */
      prefix?: string;
    };
    answer: ApiKeyList;
  };
  /** Create an API key; only this response contains it */
  "POST /api/api-keys": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewApiKey;
    answer: CreatedApiKey;
  };
  /** Revoke an API key; it stops working at once */
  "DELETE /api/api-keys/{id}": {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /** List webhooks, oldest first */
  "GET /api/webhooks": {
    answer: WebhookList;
  };
  /**
   * Create a webhook; the secret is only in this response and in those of rotations
   *
   * It is unverified: its events wait until its URL has accepted a test event. Requests are signed according to Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`); docs/webhooks.md explains how to verify them. Their bodies are described under `webhooks` in this document.
   */
  "POST /api/webhooks": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewWebhook;
    answer: WebhookWithSecret;
  };
  /** Get a webhook */
  "GET /api/webhooks/{id}": {
    path: {
      id: string;
    };
    answer: Webhook;
  };
  /**
   * Change, enable or disable a webhook
   *
   * With another URL, the webhook is unverified again. Events that occur while a webhook is disabled are not delivered later. Its waiting deliveries fail; they can be resent. Vivimark disables a webhook that responds with 410, or after 20 failed attempts in a row over at least 5 days.
   */
  "PATCH /api/webhooks/{id}": {
    path: {
      id: string;
    };
    body: WebhookChange;
    answer: Webhook;
  };
  /** Delete a webhook and its deliveries */
  "DELETE /api/webhooks/{id}": {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /**
   * Rotate the secret of a webhook
   *
   * Only this response contains the new secret. For 24 hours requests are signed with the old secret too: `webhook-signature` has two signatures.
   */
  "POST /api/webhooks/{id}/rotate-secret": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: WebhookWithSecret;
  };
  /**
   * Send a `webhook.test`
   *
   * It is delivered, retried and logged like any other event. A status from 200 to 299 verifies the webhook: until then, its other events wait.
   */
  "POST /api/webhooks/{id}/test": {
    path: {
      id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: WebhookDelivery;
  };
  /**
   * List the deliveries of a webhook, newest first
   *
   * Deliveries are deleted after 30 days.
   */
  "GET /api/webhooks/{id}/deliveries": {
    path: {
      id: string;
    };
    query?: {
      state?: WebhookDeliveryState;
      /** The `next_cursor` of the previous page. */
      cursor?: string;
      limit?: number;
    };
    answer: WebhookDeliveryPage;
  };
  /** Get a delivery with all its attempts */
  "GET /api/webhooks/{id}/deliveries/{delivery_id}": {
    path: {
      id: string;
      delivery_id: string;
    };
    answer: WebhookDeliveryDetail;
  };
  /**
   * Resend a delivery
   *
   * Starts a new series of attempts with the same `webhook-id` and payload. Has no effect while the delivery is being sent.
   */
  "POST /api/webhooks/{id}/deliveries/{delivery_id}/send-again": {
    path: {
      id: string;
      delivery_id: string;
    };
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    answer: WebhookDelivery;
  };
  /**
   * List the audit log, newest first
   *
   * Entries are deleted after 400 days.
   */
  "GET /api/audit-log": {
    query?: {
      action?: AuditAction;
      /** The part of an action before the dot. */
      subject?: "content" | "marker" | "video" | "project" | "company" | "storage" | "connection" | "migration" | "webhook" | "key" | "member" | "invitation" | "person" | "platform";
      actor_id?: string;
      object_id?: string;
      from?: string;
      /** Only entries before this time. */
      to?: string;
      /** The `next_cursor` of the previous page. */
      cursor?: string;
      limit?: number;
    };
    answer: AuditPage;
  };
  /**
   * Export the audit log as CSV
   *
   * At most the newest 10,000 matching entries. Cells that a spreadsheet would read as a formula start with an apostrophe.
   */
  "GET /api/audit-log/export.csv": {
    query?: {
      action?: AuditAction;
      /** The part of an action before the dot. */
      subject?: "content" | "marker" | "video" | "project" | "company" | "storage" | "connection" | "migration" | "webhook" | "key" | "member" | "invitation" | "person" | "platform";
      actor_id?: string;
      object_id?: string;
      from?: string;
      /** Only entries before this time. */
      to?: string;
    };
    answer: Response;
  };
  /** List your passkeys, oldest first */
  "GET /api/me/passkeys": {
    answer: PasskeyList;
  };
  /** Add the passkey that the browser created */
  "POST /api/me/passkeys": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewPasskey;
    answer: Passkey;
  };
  /**
   * Start adding a passkey
   *
   * Pass the response to `navigator.credentials.create` and send the result within five minutes. The response sets a cookie. The password is required, because a passkey gives access without a password.
   */
  "POST /api/me/passkeys/options": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: PasswordProof;
    answer: PasskeyOptions;
  };
  /**
   * Remove a passkey
   *
   * The password is required. Sessions that the passkey started continue.
   */
  "DELETE /api/me/passkeys/{id}": {
    path: {
      id: string;
    };
    body: PasswordProof;
    answer: undefined;
  };
  /** Get the signed-in person and their companies */
  "GET /api/me": {
    answer: Me;
  };
  /** Change your name */
  "PATCH /api/me": {
    body: PersonChange;
    answer: undefined;
  };
  /** Change your password; all other sessions end */
  "PUT /api/me/password": {
    body: PasswordChange;
    answer: undefined;
  };
  /** List your sessions, most recently used first */
  "GET /api/me/sessions": {
    answer: SessionList;
  };
  /** End a session */
  "DELETE /api/me/sessions/{id}": {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /**
   * Create a company
   *
   * You become its owner. To select it, use `POST /api/auth/organization/set-active`.
   */
  "POST /api/me/companies": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewCompany;
    answer: Membership;
  };
  /** Check whether the platform still needs to be set up */
  "GET /api/setup": {
    answer: SetupState;
  };
  /**
   * Create the first owner with the token of the setup link
   *
   * Works once. Existing photos then belong to the owner's company. The response starts a session.
   */
  "POST /api/setup": {
    body: SetupRequest;
    answer: SignedIn;
  };
  /**
   * Get the invitation of a link
   *
   * The response does not depend on whether the address has an account.
   */
  "GET /api/invitation": {
    answer: Invitation;
  };
  /**
   * Accept an invitation with a new account
   *
   * Requires the token of the link in the email, which verifies the address. A person who has an account signs in and uses `POST /api/auth/organization/accept-invitation` instead.
   */
  "POST /api/invitation/account": {
    body: NewAccount;
    answer: SignedIn;
  };
  /**
   * List the emails in the development mailbox, newest first
   *
   * With `npm start`, emails go to this mailbox unless MAIL_URL is set. It requires the token in the link that `npm start` prints, because the emails contain links that give access to accounts.
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
   * Only an owner can make someone an owner or change an owner's role. The last owner keeps that role.
   */
  "POST /api/auth/organization/update-member-role": {
    body: RoleChange;
    answer: MembershipRecord;
  };
  /**
   * Remove a member
   *
   * The person loses access at once. Only an owner can remove an owner. The last owner cannot be removed.
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
   * Invite someone by email
   *
   * An email with a link is sent to the address. The response has the token of another link, which is not shown again. Both links are valid for a week, and the first use ends both. They replace an earlier invitation for the same address.
   */
  "POST /api/auth/organization/invite-member": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: NewInvitation;
    answer: CreatedInvitation;
  };
  /** Withdraw an invitation */
  "POST /api/auth/organization/cancel-invitation": {
    body: InvitationChoice;
    answer: InvitationRecord;
  };
  /**
   * Accept an invitation to your own email address
   *
   * The session selects the company. The link in the email verifies the address. Another link works only for an address that was verified before, by such a link or by a password reset.
   */
  "POST /api/auth/organization/accept-invitation": {
    body: InvitationAcceptance;
    answer: Joined;
  };
  /** Email a link to reset the password, if the address has an account */
  "POST /api/auth/request-password-reset": {
    body: PasswordResetRequest;
    answer: Done;
  };
  /** Reset the password with the link; ends all sessions, passkeys and other links */
  "POST /api/auth/reset-password": {
    body: PasswordReset;
    answer: Done;
  };
  /**
   * Check each dependency
   *
   * Public. Reports whether each dependency responds, and how fast. `public_url` is whether links can be made. The log has the reason for a failure.
   */
  "GET /api/health": {
    answer: Health;
  };
  /**
   * Get metrics as OpenMetrics text
   *
   * For Prometheus and compatible collectors. Requires the METRICS_KEY of the platform.
   */
  "GET /api/metrics": {
    answer: Response;
  };
  /**
   * Get the state of the platform
   *
   * For owners of the company that set up the platform. The numbers are sums over all companies. `GET /api/health` has the dependencies.
   */
  "GET /api/platform": {
    answer: Platform;
  };
  /**
   * Retry dead letters
   *
   * Starts compilations whose retries are exhausted, and webhook deliveries that the queue gave up, again. Repeat it while `left` is not 0.
   */
  "POST /api/platform/dead-letters/retry": {
    header?: {
      /** Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no further effect and returns the first response, with `Idempotency-Replayed: true`. */
      "Idempotency-Key"?: string;
    };
    body: DeadLetterRetry;
    answer: RetriedDeadLetters;
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
   * Start signing in with a passkey
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
  /** Get and extend the session; null without a session */
  "GET /api/auth/get-session": {
    answer: CurrentSession;
  };
  /**
   * Get the data that a viewer needs to play a photo
   *
   * Public and readable from any origin. Returns 404 if the photo is inactive or has expired.
   */
  "GET /api/viewer/{unique_id}": {
    path: {
      unique_id: string;
    };
    answer: ViewerManifest;
  };
  /**
   * Get a file of a photo
   *
   * Public and readable from any origin. While the photo is inactive or has expired, only its company can read the file. Supports HEAD, ETag, If-None-Match, Range and If-Range. A URL with the current `v` may be cached forever.
   */
  "GET /media/{unique_id}/{kind}": {
    path: {
      unique_id: string;
      kind: "image" | "picture" | "thumbnail" | "marker" | "video";
    };
    query?: {
      v?: string;
      /** Of a marker: only the parts that the player `vivimark/player` needs, in its compact format, compressed with gzip. A marker for which that is not smaller comes as it is stored; the player reads both. */
      form?: "compact";
    };
    answer: Response;
  };
}
