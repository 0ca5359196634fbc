import { z } from "@hono/zod-openapi";
import type { CompileErrorCode } from "../compiler/types.ts";
import type { StorageErrorCode } from "./storage/provider.ts";

/** Every reason the edge gives, to a caller or in a compile task. The compiler's own reasons pass through. */
export type ErrorCode =
  | CompileErrorCode
  | "invalid_input"
  | "malformed_json"
  | "malformed_upload"
  | "body_too_large"
  | "unsupported_media_type"
  | "length_required"
  | "range_not_satisfiable"
  | "unauthenticated"
  | "forbidden"
  | "foreign_origin"
  | "no_company"
  | "project_archived"
  | "last_project"
  | "too_many_attempts"
  | "too_many_requests"
  | "already_set_up"
  | "wrong_link"
  | "invalid_idempotency_key"
  | "no_passkeys_here"
  | "idempotency_key_reused"
  | "request_in_progress"
  | "quota_exceeded"
  | "not_found"
  | "method_not_allowed"
  | "lease_lost"
  | "lease_held"
  | "nothing_to_compile"
  | "foreign_marker"
  | "marker_too_large"
  | "invalid_thumbnail"
  | "video_too_large"
  | "unsupported_video"
  | "upload_interrupted"
  | "batch_too_large"
  | "image_not_fetched"
  | "precondition_failed"
  | "image_missing"
  | "compiler_unreachable"
  | "compiler_busy"
  | "compiler_error"
  | "compile_timeout"
  | "compile_crashed"
  | "storage_unavailable"
  | "storage_not_found"
  | "storage_denied"
  | "storage_full"
  | "storage_conflict"
  | "invalid_storage_settings"
  | "secrets_unavailable"
  | "storage_in_use"
  | "storage_test_failed"
  | "migration_running"
  | "migration_over"
  | "checksum_mismatch"
  | "upload_incomplete"
  | "not_signed"
  | "authorization_failed"
  | "authorization_unavailable"
  | "retries_exhausted"
  | "too_many_companies"
  | "too_many_keys"
  | "too_many_projects"
  | "too_many_webhooks"
  | "webhook_disabled"
  | "internal_error";

interface Meaning {
  readonly status: ProblemStatus;
  readonly title: string;
}

export type ProblemStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 409
  | 411
  | 412
  | 413
  | 415
  | 416
  | 422
  | 429
  | 500
  | 502
  | 503
  | 507;

/** The one place where a code gets its HTTP status and its title. */
export const MEANINGS = {
  empty_file: { status: 422, title: "The file is empty" },
  not_an_image: { status: 415, title: "Not an image" },
  unsupported_format: { status: 415, title: "Unsupported image format" },
  image_damaged: { status: 422, title: "Damaged image" },
  image_too_many_bytes: { status: 413, title: "Image file too large" },
  image_too_many_pixels: { status: 422, title: "Too many pixels" },
  image_too_small: { status: 422, title: "Image too small" },
  too_few_features: { status: 422, title: "Too few features to track" },
  invalid_option: { status: 422, title: "Invalid compile option" },
  invalid_marker: { status: 422, title: "Not a valid .mind marker" },
  invalid_input: { status: 422, title: "Invalid input" },
  malformed_json: { status: 400, title: "Malformed JSON" },
  malformed_upload: { status: 400, title: "Malformed upload" },
  body_too_large: { status: 413, title: "Request body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  length_required: { status: 411, title: "Length required" },
  range_not_satisfiable: { status: 416, title: "Range not satisfiable" },
  unauthenticated: { status: 401, title: "Not signed in" },
  forbidden: { status: 403, title: "Not allowed" },
  foreign_origin: { status: 403, title: "Sent by a page of another site" },
  project_archived: { status: 409, title: "Project archived" },
  last_project: { status: 409, title: "Last project" },
  no_company: { status: 403, title: "No company chosen" },
  too_many_attempts: { status: 429, title: "Too many attempts" },
  too_many_requests: { status: 429, title: "Too many requests" },
  already_set_up: { status: 409, title: "Already set up" },
  wrong_link: { status: 403, title: "Not a valid link" },
  no_passkeys_here: { status: 409, title: "No passkeys at this address" },
  invalid_idempotency_key: { status: 400, title: "Invalid Idempotency-Key" },
  idempotency_key_reused: { status: 422, title: "Idempotency-Key used before" },
  request_in_progress: { status: 409, title: "Request in progress" },
  quota_exceeded: { status: 403, title: "Quota used up" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  lease_lost: { status: 409, title: "Lease lost" },
  lease_held: { status: 409, title: "Already being compiled" },
  nothing_to_compile: { status: 409, title: "Nothing to compile" },
  foreign_marker: { status: 422, title: "Marker of another image" },
  marker_too_large: { status: 413, title: "Marker too large" },
  invalid_thumbnail: { status: 422, title: "Invalid thumbnail" },
  video_too_large: { status: 413, title: "Video too large" },
  unsupported_video: { status: 415, title: "Unsupported video format" },
  upload_interrupted: { status: 400, title: "Upload interrupted" },
  batch_too_large: { status: 413, title: "Batch too large" },
  image_not_fetched: { status: 422, title: "Image not fetched" },
  precondition_failed: { status: 412, title: "Changed meanwhile" },
  image_missing: { status: 500, title: "Stored image missing" },
  compiler_unreachable: { status: 503, title: "Compiler unreachable" },
  compiler_busy: { status: 503, title: "Compiler busy" },
  compiler_error: { status: 503, title: "Compiler error" },
  compile_timeout: { status: 503, title: "Compilation took too long" },
  compile_crashed: { status: 503, title: "Compilation crashed" },
  storage_unavailable: { status: 503, title: "Storage unavailable" },
  storage_not_found: { status: 502, title: "Not found by the storage" },
  storage_denied: { status: 502, title: "Denied by the storage" },
  storage_full: { status: 507, title: "Storage full" },
  storage_conflict: { status: 409, title: "Conflict in the storage" },
  invalid_storage_settings: { status: 422, title: "Invalid storage settings" },
  secrets_unavailable: { status: 503, title: "Secrets unavailable" },
  storage_in_use: { status: 409, title: "Storage in use" },
  migration_running: { status: 409, title: "Migration under way" },
  migration_over: { status: 409, title: "Migration over" },
  authorization_failed: { status: 422, title: "Authorization failed" },
  authorization_unavailable: { status: 503, title: "Authorization not set up" },
  upload_incomplete: { status: 409, title: "Upload incomplete" },
  not_signed: { status: 409, title: "No signed addresses" },
  checksum_mismatch: { status: 422, title: "Checksum mismatch" },
  storage_test_failed: { status: 422, title: "Storage test failed" },
  too_many_companies: { status: 409, title: "Too many companies" },
  too_many_keys: { status: 409, title: "Too many API keys" },
  too_many_projects: { status: 409, title: "Too many projects" },
  too_many_webhooks: { status: 409, title: "Too many webhooks" },
  webhook_disabled: { status: 409, title: "Webhook switched off" },
  retries_exhausted: { status: 503, title: "Retries exhausted" },
  internal_error: { status: 500, title: "Internal error" },
} as const satisfies Record<ErrorCode, Meaning>;

/** What is noted on a compile task: the code for programs, the sentence for people. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is wrong with one field of a request, such as `settings.bucket`. */
export type FieldError = NonNullable<Problem["errors"]>[number];

/** An expected refusal of a request, with the sentence that its caller reads. */
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

/** The code of what a storage refuses or fails to do. */
export const STORAGE_CODES = {
  not_found: "storage_not_found",
  denied: "storage_denied",
  quota_exceeded: "storage_full",
  unavailable: "storage_unavailable",
  conflict: "storage_conflict",
  invalid_config: "invalid_storage_settings",
} as const satisfies Record<StorageErrorCode, ErrorCode>;

/** RFC 9457 problem details. `type` is a URN: the codes are documented in the API's own document. */
export function problemOf(
  code: ErrorCode,
  detail: string,
  fields: readonly FieldError[] = [],
): Problem & { status: ProblemStatus } {
  const { status, title } = MEANINGS[code];
  const errors = fields.length > 0 ? { errors: [...fields] } : {};
  return { type: `urn:vivimark:error:${code}`, title, status, detail, code, ...errors };
}

const errorCode = z
  .enum(Object.keys(MEANINGS) as [ErrorCode, ...ErrorCode[]])
  .openapi("ErrorCode", { description: "Why, for programs. More may come: expect others." });

/** RFC 9457 problem details. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: errorCode,
    request_id: z.string().optional().openapi({
      description:
        "Of the request that is refused, as X-Request-Id and the log say it. Of a whole answer only.",
    }),
    /** What is wrong with single fields of the request, where that is known; `detail` says it too. */
    errors: z
      .array(
        z.object({
          field: z.string().openapi({
            description:
              "Its path in the body, such as settings.bucket, or its name in query, path or headers.",
          }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi("Problem");

export type Problem = z.infer<typeof problem>;
