import { z } from "@hono/zod-openapi";
import { ERRORS, type ErrorCode, type Problem } from "../errors.ts";

const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).openapi("ErrorCode", {
  description: "The reason, for programs. New codes may be added; handle unknown ones.",
});

/** The schema of problem documents. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: errorCode,
    request_id: z.string().optional().openapi({
      description:
        "The request's id, as in X-Request-Id and in the log. Missing in the errors of single batch items.",
    }),
    /** The errors of single fields, where they are known; `detail` contains the first ones too. */
    errors: z
      .array(
        z.object({
          field: z.string().openapi({
            description:
              "The field's path in the body, such as settings.bucket, or its name in the query, path or headers.",
          }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi("Problem") satisfies z.ZodType<Problem>;
