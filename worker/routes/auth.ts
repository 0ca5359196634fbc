import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { assertAccounts, authOf } from "../accounts/auth.ts";
import { isExposed } from "../accounts/auth-operations.ts";
import { accountOf, deviceCookie, deviceOf } from "../accounts/device.ts";
import { assertPasskeys, PASSKEY_SIGN_IN, passkeyMessage } from "../accounts/passkeys.ts";
import { type Attempt, countAttempt, forgiveAttempt } from "../accounts/throttle.ts";
import type { AppEnv } from "../bindings.ts";
import { type ErrorCode, Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { assertShallow } from "../http/json-body.ts";
import { linkOriginOf, originOf } from "../http/origin.ts";
import { countPublic } from "../http/serve.ts";

/** better-auth's own routes that are exposed. Its refusals become problem documents. */

const BASE = "/api/auth";
const MAX_BYTES = 16_384;

/** Attempts to sign in, which are counted by the email or the passkey in the body. A success takes back a wrong one. */
const THROTTLED: Readonly<Record<string, Attempt["purpose"]>> = {
  "/sign-in/email": "sign-in",
  [PASSKEY_SIGN_IN]: "passkey",
};

export const authRoutes = new OpenAPIHono<AppEnv>();
authRoutes.use(countPublic);
authRoutes.all("/*", async (c) => {
  const path = c.req.path.slice(BASE.length);
  if (!isExposed(path, c.req.method)) {
    throw new Refusal("not_found", `${c.req.method} ${c.req.path.slice(0, 200)} does not exist.`);
  }
  assertAccounts(c.env.accounts);
  const origin = path.startsWith("/passkey/") ? linkOriginOf(c) : originOf(c);
  if (path.startsWith("/passkey/")) assertPasskeys(origin);
  const body = await c.var.body.bytes(MAX_BYTES, "body_too_large");
  assertShallow(new TextDecoder().decode(body), "body");
  const purpose = THROTTLED[path];
  const attempt = purpose && (await attemptOf(c, purpose, subjectOf(body)));
  if (attempt) await countAttempt(c.env.db, attempt, c.env.now());

  const { url, method, headers } = c.req.raw;
  const request = new Request(url, { method, headers, body: body.length > 0 ? body : null });
  const { handler } = authOf(c.env, origin, new URL(url).origin);
  const response = await handler(request);
  if (response.status >= 400) throw await authRefusal(response);
  const text = withoutToken(await response.text());
  const answer = new Response(text, response);
  answer.headers.delete("Content-Length");
  answer.headers.set("Cache-Control", "no-store");
  if (attempt) {
    await forgiveAttempt(c.env.db, attempt);
    const { user } = JSON.parse(text) as { readonly user: { readonly email: string } };
    answer.headers.append("Set-Cookie", await deviceCookie(c, origin, user.email));
  }
  return answer;
});

/** Returns the library's JSON without the session's token, which only the cookie has: scripts cannot read that. */
function withoutToken(json: string): string {
  return json === ""
    ? json
    : JSON.stringify(JSON.parse(json, (key, value) => (key === "token" ? undefined : value)));
}

/** Returns an attempt. Its source is the device if that has signed in to the account before, or else the network. */
export async function attemptOf(
  c: Context<AppEnv>,
  purpose: Attempt["purpose"],
  subject: string,
): Promise<Attempt> {
  const device = await deviceOf(c, originOf(c));
  // A passkey's attempt does not name the account, and a signature cannot be guessed.
  const isKnown =
    device && (purpose === "passkey" || device.account === (await accountOf(c.env.db, subject)));
  const source = isKnown
    ? ({ kind: "device", id: device.id } as const)
    : ({ kind: "network", id: addressOf(c) } as const);
  return { purpose, subject, source };
}

/** Signs in a person whose account was just created. @returns the cookies of the session and of the device */
export async function signIn(c: Context<AppEnv>, email: string, password: string): Promise<string[]> {
  const origin = originOf(c);
  const auth = authOf(c.env, origin, new URL(c.req.url).origin);
  const headers = new Headers();
  for (const name of ["user-agent", "cf-connecting-ip"]) {
    const value = c.req.header(name);
    if (value) headers.set(name, value);
  }
  const response = await auth.api.signInEmail({ body: { email, password }, headers, asResponse: true });
  return [...response.headers.getSetCookie(), await deviceCookie(c, origin, email)];
}

/** Returns the email or the passkey's id, or "" for a body without either, which the library refuses. */
function subjectOf(body: Uint8Array): string {
  const { email, response } = fieldsOf(body);
  const subject = email ?? (response as { readonly id?: unknown } | undefined)?.id;
  return typeof subject === "string" ? subject : "";
}

/** Returns the fields of a JSON object, and {} for any other body. */
function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return {};
  }
}

async function authRefusal(response: Response): Promise<Refusal> {
  const text = await response.text();
  let [detail, reason] = ["", ""];
  try {
    const { message = "", code = "" } = JSON.parse(text);
    [detail, reason] = [passkeyMessage(code) ?? String(message), String(code)];
  } catch {
    // Some of the library's refusals have no body.
  }
  const { status } = response;
  return new Refusal(codeOf(status, reason), detail || `Refused with status ${status}.`);
}

const FOREIGN = /_ORIGIN$|^CROSS_SITE_/;

/** @param reason the library's own code */
function codeOf(status: number, reason: string): ErrorCode {
  if (status >= 500) return "internal_error";
  if (FOREIGN.test(reason)) return "foreign_origin";
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  return status === 415 ? "unsupported_media_type" : "invalid_input";
}
