import { z } from "@hono/zod-openapi";
import { MEANINGS, type ProblemStatus } from "./errors.ts";
import { problem } from "./schemas.ts";

/** Pieces of route definitions that several resources use. */

type ProblemResponses<Status extends number> = {
  [K in Status]: {
    description: string;
    content: { "application/problem+json": { schema: typeof problem } };
  };
};

/** The refusals of a route, by status; each names the codes that it may carry. */
export function problems<Status extends ProblemStatus>(...statuses: Status[]): ProblemResponses<Status> {
  const responses: Record<number, unknown> = {};
  for (const status of statuses) {
    const codes = Object.entries(MEANINGS)
      .filter(([, meaning]) => meaning.status === status)
      .map(([code]) => code);
    responses[status] = {
      description: `Problem details; \`code\` is one of ${codes.join(", ")}.`,
      content: { "application/problem+json": { schema: problem } },
    };
  }
  return responses as ProblemResponses<Status>;
}

export function answers<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

export const contentId = z.object({
  id: z
    .string()
    .openapi({ param: { name: "id", in: "path" }, example: "7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11" }),
});

/** The token of a lease: with it a browser proves that the compilation is still its own. */
export const leaseHeader = z.object({ "vivimark-lease": z.string().min(1).max(200) });
