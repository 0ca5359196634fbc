import { z } from "@hono/zod-openapi";
import { type ErrorCode, MEANINGS } from "./errors.ts";
import { decimal, problem } from "./schemas.ts";
import { MAX_WAIT_SECONDS } from "./wait.ts";

/** Pieces of route definitions that several resources use. */

type ProblemResponses<Status extends number> = {
  [K in Status]: {
    description: string;
    content: { "application/problem+json": { schema: typeof problem } };
  };
};

/** The refusals of a route by their codes, gathered by status. */
export function problems<Code extends ErrorCode>(
  ...codes: readonly Code[]
): ProblemResponses<(typeof MEANINGS)[Code]["status"]> {
  const statuses = new Set(codes.map((code) => MEANINGS[code].status));
  const responses = Array.from(statuses, (status) => {
    const some = codes.filter((code) => MEANINGS[code].status === status);
    return [
      status,
      { description: descriptionOf(some), content: { "application/problem+json": { schema: problem } } },
    ];
  });
  return Object.fromEntries(responses);
}

const SENTENCE = "Problem details; `code` is ";

function descriptionOf(codes: readonly string[]): string {
  return `${SENTENCE}${codes.length > 1 ? "one of " : ""}${codes.join(", ")}.`;
}

/** The refusals of one status that two others name. */
export function bothProblems<Response extends { readonly description?: string | undefined }>(
  one: Response,
  other: { readonly description: string },
): Response {
  const codes = [one, other].flatMap(({ description = "" }) =>
    description.replace(SENTENCE, "").replace("one of ", "").replace(/\.$/, "").split(", "),
  );
  return { ...one, description: descriptionOf([...new Set(codes)]) };
}

/** What a JSON body may be refused for, whatever it is about. */
export const JSON_REFUSALS = [
  "malformed_json",
  "upload_interrupted",
  "body_too_large",
  "unsupported_media_type",
  "invalid_input",
] as const;

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
