import { z } from "@hono/zod-openapi";
import { ERRORS, type ErrorCode, problem } from "../errors.ts";
import { MAX_WAIT_SECONDS } from "../marker/wait.ts";
import { decimal } from "./fields.ts";

/** Pieces of route definitions that several resources use. */

interface ProblemResponse {
  readonly description: string;
  readonly content: {
    readonly "application/problem+json": {
      readonly schema: typeof problem;
      /** By code: each is a component of the document (worker/document/document.ts). */
      readonly examples: Readonly<Record<string, { readonly $ref: string }>>;
    };
  };
}

/** The refusals of a route by their codes, gathered by status. */
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

/** The refusals of one status that two others name. */
export function bothProblems(...responses: readonly ProblemResponse[]): ProblemResponse {
  return problemResponse(
    responses.flatMap(({ content }) => Object.keys(content["application/problem+json"].examples)),
  );
}

/** What a JSON body may be refused for, whatever it is about. */
export const JSON_REFUSALS = [
  "malformed_json",
  "upload_interrupted",
  "body_too_large",
  "unsupported_media_type",
  "invalid_input",
] as const;

/** What a request may be refused for that has an `Idempotency-Key`, or another like it. */
export const KEY_REFUSALS = [
  "invalid_idempotency_key",
  "idempotency_key_reused",
  "request_in_progress",
  "secrets_unavailable",
] as const;

/** The header, of every route that makes something. */
export const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  schema: { type: "string", minLength: 1, maxLength: 200 },
  description:
    "Chosen by the client, such as a UUID in double quotes. For 24 hours the same request with the same key does " +
    "nothing again and is answered like the first time, with `Idempotency-Replayed: true`.",
  example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
} as const;

/** What a company's storage may refuse whatever is written to it. */
export const STORAGE_REFUSALS = [
  "storage_unavailable",
  "storage_not_found",
  "storage_denied",
  "storage_full",
  "storage_conflict",
  "invalid_storage_settings",
  "secrets_unavailable",
] as const;

export function answers<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** The same, with an ETag. */
export function tagged<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { ...answers(schema, description), headers: z.object({ ETag: z.string() }) };
}

/** How long a request may wait for a marker. */
export const waiting = z.object({
  wait: decimal(z.number().int().min(0).max(MAX_WAIT_SECONDS))
    .default(0)
    .openapi({
      description:
        `Seconds, at most ${MAX_WAIT_SECONDS}: the answer comes when the marker is ready or failed, or when this time ` +
        "is over. Then it shows the state at the end.",
    }),
});

export const contentId = z.object({
  id: z
    .string()
    .openapi({ param: { name: "id", in: "path" }, example: "7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11" }),
});

/** The token of a lease: with it a browser proves that the compilation is still its own. */
export const leaseHeader = z.object({ "vivimark-lease": z.string().min(1).max(200) });
