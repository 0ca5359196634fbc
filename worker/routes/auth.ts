import { OpenAPIHono } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import type { Context } from "hono";
import { assertAccounts, authOf, isExposed } from "../accounts/auth.ts";
import { addressOf, personOf } from "../accounts/identity.ts";
import { assertPasskeys, PASSKEY_SIGN_IN, sentenceOf } from "../accounts/passkeys.ts";
import { type Attempt, countAttempt, forgiveAttempts } from "../accounts/throttle.ts";
import { type Action, Audit } from "../audit.ts";
import type { AppEnv } from "../bindings.ts";
import { type ErrorCode, Refusal } from "../errors.ts";
import { bodyOf, readBytes } from "../request-body.ts";
import { originOf } from "./http.ts";
import { idempotentFor } from "./idempotent.ts";

/** better-auth's own routes, as far as they are exposed; its refusals become problem documents. */

const BASE = "/api/auth";
const MAX_BYTES = 16_384;

/** What is counted by the email, or the passkey, in the body. */
const THROTTLED: Readonly<Record<string, Attempt["purpose"]>> = {
  "/sign-in/email": "sign-in",
  [PASSKEY_SIGN_IN]: "passkey",
  "/request-password-reset": "reset",
};

/** An invitation, by whoever invites, to the company that their session is about. */
const onceInvited = idempotentFor<AppEnv>(async (c) => {
  const { person, company } = await personOf(c, originOf(c));
  return { userId: person.id, ...(company && { companyId: company.id }) };
});

export const authRoutes = new OpenAPIHono<AppEnv>();
authRoutes.post("/organization/invite-member", onceInvited);
authRoutes.all("/*", async (c) => {
  const path = c.req.path.slice(BASE.length);
  if (!isExposed(path, c.req.method)) {
    throw new Refusal("not_found", `There is nothing at ${c.req.method} ${c.req.path.slice(0, 200)}.`);
  }
  assertAccounts(c.env.accounts);
  if (path.startsWith("/passkey/")) assertPasskeys(originOf(c));
  const body = await readBytes(bodyOf(c.req.raw), MAX_BYTES, "body_too_large");
  const purpose = THROTTLED[path];
  const attempt = purpose && { purpose, who: whoIn(body), address: addressOf(c) };
  if (attempt) await countAttempt(c.env.db, attempt, c.env.now());

  const noted = Object.hasOwn(NOTED, path) ? await noteOf(c, path) : undefined;
  const { url, method, headers } = c.req.raw;
  const request = new Request(url, { method, headers, body: body.length > 0 ? body : null });
  const response = await authOf(c.env, originOf(c), new URL(url).origin).handler(request);
  if (response.status >= 400) throw await refusalOf(response);
  if (attempt && attempt.purpose !== "reset") await forgiveAttempts(c.env.db, attempt);
  if (noted) await noted(await response.clone().json());
  const answer = new Response(response.body, response);
  answer.headers.set("Cache-Control", "no-store");
  return answer;
});

/** What the library answers about a member or an invitation, as far as it is noted. */
interface Answered {
  readonly id: string;
  readonly organizationId: string;
  readonly userId?: string;
  readonly email?: string;
  readonly role: string;
}

/** What the library does to members, as the audit log calls it. */
const NOTED: Readonly<Record<string, Action>> = {
  "/organization/invite-member": "member.invited",
  "/organization/cancel-invitation": "invitation.withdrawn",
  "/organization/accept-invitation": "member.joined",
  "/organization/update-member-role": "member.role_changed",
  "/organization/remove-member": "member.removed",
  "/organization/leave": "member.left",
};

/** Who asks is found out before; what is noted, from the answer. The library takes no part in our batches. */
async function noteOf(c: Context<AppEnv>, path: string) {
  const { person } = await personOf(c, originOf(c));
  return async (answer: Answered | { readonly member: Answered }) => {
    const { id, organizationId, userId, email, role } = "member" in answer ? answer.member : answer;
    const actor = { kind: "person", id: person.id, name: person.name, address: addressOf(c) } as const;
    const name = email ?? sql`(SELECT email FROM users WHERE id = ${userId})`;
    await new Audit(c.env.db, organizationId, actor, c.env.now).write(
      NOTED[path],
      { id: userId ?? id, name },
      { role },
    );
  };
}

/** Signs a person in who has just got an account; the cookies of the answer are the session. */
export async function signIn(c: Context<AppEnv>, email: string, password: string): Promise<string[]> {
  const auth = authOf(c.env, originOf(c), new URL(c.req.url).origin);
  const headers = new Headers();
  for (const name of ["user-agent", "cf-connecting-ip"]) {
    const value = c.req.header(name);
    if (value) headers.set(name, value);
  }
  const response = await auth.api.signInEmail({ body: { email, password }, headers, asResponse: true });
  return response.headers.getSetCookie();
}

/** The email, or the id of the passkey. Empty for a body that has none; the library says what is wrong with that. */
function whoIn(body: Uint8Array): string {
  try {
    const { email, response } = JSON.parse(new TextDecoder().decode(body));
    const who = email ?? response?.id;
    return typeof who === "string" ? who : "";
  } catch {
    return "";
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  const text = await response.text();
  let detail = "";
  try {
    const { code, message } = JSON.parse(text);
    detail = sentenceOf(code) ?? String(message ?? "");
  } catch {
    // The library answers some refusals without a body.
  }
  return new Refusal(codeOf(response.status), detail || `Refused with status ${response.status}.`);
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 415) return "unsupported_media_type";
  return status >= 500 ? "internal_error" : "invalid_input";
}
