import type { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { SECRET_FIELDS } from "../storage/settings.ts";
import { type RequestBody, unsupportedMediaType } from "./request-body.ts";

const MAX_JSON_BYTES = 65_536;

/** Deepest nesting of arrays and objects in a JSON text. The API's own bodies need 5 levels. */
const MAX_JSON_DEPTH = 20;

/** Fields whose values no response repeats. */
const SECRETS = new Set([...SECRET_FIELDS, "password", "current_password", "new_password", "newPassword"]);

/** Most wrong fields that one response lists. */
const MAX_FIELD_ERRORS = 20;

/** Reads and checks a JSON body, for the validator of the route. */
export const readJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  replaceBody(c, await c.var.body.bytes(MAX_JSON_BYTES, "body_too_large"));
  await next();
};

/** The same for a route whose body may be left out. */
export const readOptionalJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  const bytes = await c.var.body.bytes(MAX_JSON_BYTES, "body_too_large");
  if (bytes.length > 0) replaceBody(c, bytes);
  else c.req.raw = withBody(c.req.raw, bytes);
  await next();
};

/** Returns the value of a JSON body, for a route that accepts other bodies too. */
export async function jsonOf(body: RequestBody, maxBytes = MAX_JSON_BYTES): Promise<unknown> {
  const text = new TextDecoder().decode(await body.bytes(maxBytes, "body_too_large"));
  assertJson(text);
  return JSON.parse(text);
}

/** Gives the validator, which reads Hono's request, a body that is still unread. */
function replaceBody(c: Context<AppEnv>, bytes: Uint8Array<ArrayBuffer>): void {
  if (c.var.body.mediaType !== "application/json") throw unsupportedMediaType(c.var.body, "application/json");
  assertJson(new TextDecoder().decode(bytes));
  c.req.raw = withBody(c.req.raw, bytes);
}

function withBody({ url, method, headers }: Request, bytes: Uint8Array<ArrayBuffer>): Request {
  const copied = new Headers(headers);
  if (bytes.length === 0) copied.delete("Content-Type");
  // The validator does not understand every way to write it, such as `application/json ; charset=utf-8`.
  else copied.set("Content-Type", "application/json");
  return new Request(url, { method, headers: copied, body: bytes.length === 0 ? null : bytes });
}

function assertJson(text: string): void {
  assertShallow(text, "body");
  try {
    JSON.parse(text);
  } catch {
    const what = text === "" ? "empty" : /secret|token|password/i.test(text) ? "not JSON" : quote(text);
    throw new Refusal("malformed_json", `The body is ${what}; expected a JSON object.`);
  }
}

/**
 * Limits how deep a text from a client nests, before it is parsed: most programs that walk a JSON value recurse, and
 * would exhaust the stack.
 *
 * @param where for the message
 * @throws Refusal `malformed_json`
 */
export function assertShallow(text: string, where: string): void {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (isInText) {
      if (sign === "\\") at += 1;
      else if (sign === '"') isInText = false;
    } else if (sign === '"') {
      isInText = true;
    } else if (sign === "]" || sign === "}") {
      depth -= 1;
    } else if (sign === "[" || sign === "{") {
      depth += 1;
      if (depth <= MAX_JSON_DEPTH) continue;
      throw new Refusal(
        "malformed_json",
        `The ${where} nests arrays and objects too deep; expected at most ${MAX_JSON_DEPTH} levels.`,
      );
    }
  }
}

/** Returns the parsed value. Throws `invalid_input` with the field, the value received and the value expected. */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidInput(result.error, value, where);
  return result.data;
}

/** How messages name the validator's targets. */
const PLACES: Readonly<Record<string, string>> = { json: "body", param: "path", header: "headers" };

export function invalidInput(error: z.ZodError, value: unknown, where: string): Refusal {
  const place = PLACES[where] ?? where;
  const root = where === "settings" ? ["settings"] : [];
  const found = error.issues.slice(0, MAX_FIELD_ERRORS).map(({ path, message }) => {
    const received = path.reduce<unknown>((inner, key) => Object(inner)[key], value);
    // Zod names the received type; our sentence ends with the received value.
    const expected = message.replace(/^Invalid input: |, received .*$/gs, "");
    const shown = path.at(-1) === "settings" || place === "settings" ? namesOf(received) : received;
    const isSecret = SECRETS.has(String(path.at(-1)));
    return { path, detail: isSecret ? `${expected}.` : `${expected}; received ${quote(shown)}.` };
  });
  const sentences = found
    .slice(0, 3)
    .map(({ path, detail }) =>
      path.length === 0 ? `The ${place}: ${detail}` : `Field "${path.join(".")}" of the ${place}: ${detail}`,
    );
  const fields = found
    .filter(({ path }) => path.length > 0)
    .map(({ path, detail }) => ({ field: [...root, ...path].join("."), detail }));
  return new Refusal("invalid_input", sentences.join(" "), {}, fields);
}

/** Returns only the names of settings: a value may be a secret, even under a misspelt name. */
function namesOf(settings: unknown): unknown {
  return typeof settings === "object" && settings !== null ? Object.keys(settings) : settings;
}

function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value, (name, inner) => (name === "settings" ? namesOf(inner) : inner));
  const text = json.replace(/\/\/[^/@"]*@/g, "//…@");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
