import { z } from "@hono/zod-openapi";
import { ERRORS, type ErrorCode } from "../errors.ts";
import { MAX_WAIT_SECONDS } from "../marker/wait.ts";
import { decimal } from "./fields.ts";
import { problem } from "./problem.ts";

interface ProblemResponse {
  readonly description: string;
  readonly content: {
    readonly "application/problem+json": {
      readonly schema: typeof problem;
      /** By code. The document drops those without a recorded example (worker/document/document.ts). */
      readonly examples: Readonly<Record<string, { readonly $ref: string }>>;
    };
  };
}

/** Returns the error responses of a route by status, each with its codes. */
export function problems<Code extends ErrorCode>(
  ...codes: readonly Code[]
): Record<(typeof ERRORS)[Code]["status"], ProblemResponse> {
  const statuses = new Set(codes.map((code) => ERRORS[code].status));
  const responses = Array.from(statuses, (status) => [
    status,
    problemResponse(codes.filter((code) => ERRORS[code].status === status)),
  ]);
  return Object.fromEntries(responses);
}

function problemResponse(codes: readonly string[]): ProblemResponse {
  const some = [...new Set(codes)];
  const examples = Object.fromEntries(some.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: `Problem details; \`code\` is ${some.length > 1 ? "one of " : ""}${some.join(", ")}.`,
    content: { "application/problem+json": { schema: problem, examples } },
  };
}

/** Merges error responses of the same status. */
export function mergeProblems(...responses: readonly ProblemResponse[]): ProblemResponse {
  return problemResponse(
    responses.flatMap(({ content }) => Object.keys(content["application/problem+json"].examples)),
  );
}

/** The errors of every JSON body. */
export const JSON_REFUSALS = [
  "malformed_json",
  "upload_interrupted",
  "body_too_large",
  "unsupported_media_type",
  "invalid_input",
] as const;

/** The errors of an `Idempotency-Key`. */
export const KEY_REFUSALS = [
  "invalid_idempotency_key",
  "idempotency_key_reused",
  "request_in_progress",
  "response_not_kept",
  "quota_exceeded",
  "secrets_unavailable",
] as const;

/** The header that every POST route accepts. */
export const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  schema: { type: "string", minLength: 1, maxLength: 200 },
  description:
    "Chosen by the client, such as a UUID in double quotes. For 24 hours, repeating the request with the same key has no " +
    "further effect and returns the first response, with `Idempotency-Replayed: true`.",
  example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
} as const;

/** The errors of writing to a company's storage. */
export const STORAGE_REFUSALS = [
  "storage_unavailable",
  "storage_not_found",
  "storage_denied",
  "storage_full",
  "storage_conflict",
  "invalid_storage_settings",
  "secrets_unavailable",
] as const;

/** Returns the description of a required JSON body. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } } as const;
}

/** Returns a JSON response. */
export function answers<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** Returns a JSON response with an ETag. */
export function tagged<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { ...answers(schema, description), headers: z.object({ ETag: z.string() }) };
}

/** The query parameter of requests that can wait for a marker. */
export const waiting = z.object({
  wait: decimal(z.number().int().min(0).max(MAX_WAIT_SECONDS))
    .default(0)
    .openapi({
      description:
        `Waits up to this many seconds, at most ${MAX_WAIT_SECONDS}, until the marker is ready or failed. The response has ` +
        "the state at the end of the wait.",
    }),
});

export const contentId = z.object({
  id: z
    .string()
    .openapi({ param: { name: "id", in: "path" }, example: "7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11" }),
});

/** Whether deleted files are kept for a while. */
export const KEEP_FILES = z.object({
  keep_files: z
    .enum(["true", "false"])
    .default("true")
    .openapi({
      param: { name: "keep_files", in: "query" },
      description:
        "Deleted files stay in the storage for 24 hours, so that an operator can restore them. `false` deletes them at " +
        "once.",
    }),
});

/** The lease token, with which a browser proves that it holds the compilation. */
export const leaseHeader = z.object({ "vivimark-lease": z.string().min(1).max(200) });
