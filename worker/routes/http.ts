import type { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";

/** What every resource does with its requests. */

const MAX_JSON_BYTES = 65_536;

/** JSON bodies are small. */
export const limitBody: MiddlewareHandler = bodyLimit({
  maxSize: MAX_JSON_BYTES,
  onError: () => {
    throw new Refusal("body_too_large", `The body is over the limit of ${MAX_JSON_BYTES} bytes.`);
  },
});

/** Origin for links that leave the platform, such as a QR code's. */
export function originOf(c: Context<AppEnv>): string {
  return c.env.settings.publicUrl || new URL(c.req.url).origin;
}

/** The parsed value, or a refusal whose sentence names the field, what was received and what is expected. */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidInput(result.error, value, where);
  return result.data;
}

export function invalidInput(error: z.ZodError, value: unknown, where: string): Refusal {
  const sentences = error.issues.slice(0, 3).map(({ path, message }) => {
    const received = path.reduce<unknown>((inner, key) => Object(inner)[key], value);
    const field = path.length === 0 ? `The ${where}` : `Field "${path.join(".")}" of the ${where}`;
    return `${field}: ${message}; received ${quote(received)}.`;
  });
  return new Refusal("invalid_input", sentences.join(" "));
}

function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
