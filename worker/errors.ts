import type { CompileErrorCode } from "../compiler/types.ts";
import type { StorageErrorCode } from "./storage/provider.ts";

interface ErrorInfo {
  readonly status: number;
  readonly title: string;
}

/**
 * Every error code of the API and of compile tasks, with its HTTP status and title. The type, the schema and
 * the API document derive from this table. The compiler's own codes pass through it.
 */
export const ERRORS = {
  empty_file: { status: 422, title: "Empty file" },
  not_an_image: { status: 415, title: "Not an image" },
  unsupported_format: { status: 415, title: "Unsupported image format" },
  image_damaged: { status: 422, title: "Damaged image" },
  image_too_many_bytes: { status: 413, title: "Image file too large" },
  image_too_many_pixels: { status: 422, title: "Too many pixels" },
  image_too_many_scans: { status: 422, title: "Too many scans" },
  image_too_small: { status: 422, title: "Image too small" },
  too_few_features: { status: 422, title: "Too few features to track" },
  invalid_option: { status: 422, title: "Invalid compile option" },
  invalid_marker: { status: 422, title: "Invalid marker" },
  invalid_input: { status: 422, title: "Invalid input" },
  malformed_json: { status: 400, title: "Malformed JSON" },
  malformed_upload: { status: 400, title: "Malformed upload" },
  body_too_large: { status: 413, title: "Request body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  length_required: { status: 411, title: "Length required" },
  range_not_satisfiable: { status: 416, title: "Range not satisfiable" },
  unauthenticated: { status: 401, title: "Not signed in" },
  forbidden: { status: 403, title: "Not allowed" },
  foreign_origin: { status: 403, title: "Cross-site request" },
  order_number_taken: { status: 409, title: "Order number taken" },
  project_archived: { status: 409, title: "Project archived" },
  last_project: { status: 409, title: "Last open project" },
  no_company: { status: 403, title: "No company selected" },
  too_many_attempts: { status: 429, title: "Too many attempts" },
  too_many_requests: { status: 429, title: "Too many requests" },
  account_exists: { status: 409, title: "Account exists" },
  mail_unavailable: { status: 503, title: "Email not configured" },
  already_set_up: { status: 409, title: "Already set up" },
  wrong_link: { status: 403, title: "Invalid link" },
  public_url_missing: { status: 503, title: "PUBLIC_URL not set" },
  no_passkeys_here: { status: 409, title: "Passkeys unavailable" },
  invalid_idempotency_key: { status: 400, title: "Invalid Idempotency-Key" },
  idempotency_key_reused: { status: 422, title: "Idempotency-Key reused" },
  secret_shown_once: { status: 409, title: "Secret shown once" },
  request_in_progress: { status: 409, title: "Request in progress" },
  response_not_kept: { status: 409, title: "Response not kept" },
  quota_exceeded: { status: 403, title: "Quota exceeded" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  lease_lost: { status: 409, title: "Lease lost" },
  lease_held: { status: 409, title: "Already being compiled" },
  nothing_to_compile: { status: 409, title: "Nothing to compile" },
  foreign_marker: { status: 422, title: "Marker does not match the photo" },
  marker_too_large: { status: 413, title: "Marker too large" },
  invalid_thumbnail: { status: 422, title: "Invalid thumbnail" },
  invalid_picture: { status: 422, title: "Invalid picture" },
  video_too_large: { status: 413, title: "Video too large" },
  unsupported_video: { status: 415, title: "Unsupported video format" },
  video_damaged: { status: 422, title: "Damaged video" },
  too_many_uploads: { status: 503, title: "Too many uploads" },
  upload_interrupted: { status: 400, title: "Upload interrupted" },
  batch_too_large: { status: 413, title: "Batch too large" },
  image_not_fetched: { status: 422, title: "Photo not downloaded" },
  conflict: { status: 409, title: "Conflict with another request" },
  precondition_failed: { status: 412, title: "Changed since it was read" },
  image_missing: { status: 500, title: "Stored photo missing" },
  compiler_missing: { status: 503, title: "No Node compiler" },
  compiler_unreachable: { status: 503, title: "Compiler unreachable" },
  compiler_busy: { status: 503, title: "Compiler busy" },
  compiler_error: { status: 503, title: "Compiler error" },
  compile_timeout: { status: 503, title: "Compilation timed out" },
  compile_crashed: { status: 503, title: "Compilation crashed" },
  storage_unavailable: { status: 503, title: "Storage unavailable" },
  storage_not_found: { status: 502, title: "Not found in the storage" },
  storage_denied: { status: 502, title: "Storage access denied" },
  storage_full: { status: 507, title: "Storage full" },
  storage_conflict: { status: 409, title: "Storage conflict" },
  invalid_storage_settings: { status: 422, title: "Invalid storage settings" },
  secrets_unavailable: { status: 503, title: "Secrets unavailable" },
  storage_in_use: { status: 409, title: "Storage in use" },
  migration_running: { status: 409, title: "Storage migration running" },
  migration_over: { status: 409, title: "Storage migration finished" },
  authorization_failed: { status: 422, title: "Authorization failed" },
  authorization_unavailable: { status: 503, title: "Authorization not configured" },
  upload_incomplete: { status: 409, title: "Upload incomplete" },
  not_signed: { status: 409, title: "No signed URLs" },
  checksum_mismatch: { status: 422, title: "Checksum mismatch" },
  storage_test_failed: { status: 422, title: "Storage test failed" },
  too_many_companies: { status: 409, title: "Too many companies" },
  too_many_keys: { status: 409, title: "Too many API keys" },
  too_many_projects: { status: 409, title: "Too many projects" },
  too_many_webhooks: { status: 409, title: "Too many webhooks" },
  webhook_disabled: { status: 409, title: "Webhook disabled" },
  retries_exhausted: { status: 503, title: "Retries exhausted" },
  internal_error: { status: 500, title: "Internal error" },
} as const satisfies Record<string, ErrorInfo> & Record<CompileErrorCode, ErrorInfo>;

export type ErrorCode = keyof typeof ERRORS;

export type ProblemStatus = (typeof ERRORS)[ErrorCode]["status"];

/** Why a compile task or a storage migration failed: a code for programs, a sentence for people. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The error of one field of a request, such as `settings.bucket`. */
export interface FieldError {
  /** Its path in the body, or its name in the query, path or headers. */
  readonly field: string;
  readonly detail: string;
}

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id?: string | undefined;
  readonly errors?: FieldError[] | undefined;
}

/** An expected error of a request. Its message becomes the problem document's `detail`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: readonly FieldError[];

  constructor(
    code: ErrorCode,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    fields: readonly FieldError[] = [],
  ) {
    super(detail);
    this.code = code;
    this.headers = headers;
    this.fields = fields;
  }
}

/** The API's error code for each error code of a storage provider. */
export const STORAGE_CODES = {
  not_found: "storage_not_found",
  denied: "storage_denied",
  quota_exceeded: "storage_full",
  unavailable: "storage_unavailable",
  conflict: "storage_conflict",
  invalid_config: "invalid_storage_settings",
} as const satisfies Record<StorageErrorCode, ErrorCode>;

/** Returns the problem document (RFC 9457) of an error. `type` is a URN: the API document lists the codes. */
export function problemOf(
  code: ErrorCode,
  detail: string,
  fields: readonly FieldError[] = [],
): Problem & { status: ProblemStatus } {
  const { status, title } = ERRORS[code];
  const errors = fields.length > 0 ? { errors: [...fields] } : {};
  return { type: `urn:vivimark:error:${code}`, title, status, detail, code, ...errors };
}
