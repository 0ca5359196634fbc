import { OpenAPIHono } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import type { Context } from "hono";
import { assertAccounts, authOf } from "../accounts/auth.ts";
import { isExposed, needsSession } from "../accounts/auth-operations.ts";
import { type Person, personOf } from "../accounts/identity.ts";
import { assertPasskeys, PASSKEY_SIGN_IN, sentenceOf } from "../accounts/passkeys.ts";
import { isColleague } from "../accounts/people.ts";
import { type Attempt, countAttempt, forgiveAttempts } from "../accounts/throttle.ts";
import type { Action } from "../audit/actions.ts";
import { Audit } from "../audit/log.ts";
import type { AppEnv } from "../bindings.ts";
import { type ErrorCode, Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { originOf } from "../http/json-body.ts";
import { idempotentFor } from "./idempotent.ts";

/** better-auth's own routes, as far as they are exposed; its refusals become problem documents. */

const BASE = "/api/auth";
const MAX_BYTES = 16_384;

/** What is counted by the email, or the passkey, in the body. */
const THROTTLED: Readonly<Record<string, Attempt["purpose"]>> = {
  "/sign-in/email": "sign-in",
  [PASSKEY_SIGN_IN]: "passkey",
  "/request-password-reset": "reset",
  // Each is a mail to whomever the sender likes.
  "/organization/invite-member": "invitation",
};

/** What was mistyped before a success is forgotten; a mail that was sent is not. */
const FORGIVEN: ReadonlySet<Attempt["purpose"]> = new Set(["sign-in", "passkey"]);

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
  // Before the library looks at the body, and as everywhere else.
  const person = needsSession(path, c.req.method) ? (await personOf(c, originOf(c))).person : undefined;
  const body = await c.var.body.bytes(MAX_BYTES, "body_too_large");
  const purpose = THROTTLED[path];
  const attempt = purpose && { purpose, who: whoIn(body), address: addressOf(c) };
  if (attempt) await countAttempt(c.env.db, attempt, c.env.now());

  if (person && path === "/organization/update-member-role") {
    // The library's refusal would tell that there is such a member somewhere.
    const { memberId: id } = fieldsOf(body);
    if (typeof id === "string" && !(await isColleague(c.env.db, person.id, id))) {
      throw new Refusal("not_found", "Member not found.");
    }
  }
  const { url, method, headers } = c.req.raw;
  const request = new Request(url, { method, headers, body: body.length > 0 ? body : null });
  const { handler } = authOf(c.env, originOf(c), new URL(url).origin);
  const response = await handler(request).catch((error) => {
    // The library counts the other owners first; of two that leave at once, the database refuses the second.
    if (isOwnerKept(error)) {
      throw new Refusal("invalid_input", "The database did not take this change: a company keeps an owner.");
    }
    throw error;
  });
  if (response.status >= 400) throw await authRefusal(response, person);
  if (attempt && FORGIVEN.has(attempt.purpose)) await forgiveAttempts(c.env.db, attempt);
  if (person && Object.hasOwn(NOTED, path)) await note(c, person, NOTED[path], await response.clone().json());
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

/** Whether a trigger of the database, in the words of migrations/, refused what the library wanted to write. */
function isOwnerKept(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("A company keeps an owner.") || isOwnerKept(error.cause);
}

/** The library takes no part in our batches: what it did is noted afterwards, from its answer. */
async function note(
  c: Context<AppEnv>,
  person: Person,
  action: Action,
  answer: Answered | { readonly member: Answered },
): Promise<void> {
  const { id, organizationId, userId, email, role } = "member" in answer ? answer.member : answer;
  const actor = { kind: "person", id: person.id, name: person.name, address: addressOf(c) } as const;
  const name = email ?? sql`(SELECT email FROM users WHERE id = ${userId})`;
  await new Audit(c.env.db, organizationId, actor, c.env.now).write(
    action,
    { id: userId ?? id, name },
    { role },
  );
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
  const { email, response } = fieldsOf(body);
  const who = email ?? (response as { readonly id?: unknown } | undefined)?.id;
  return typeof who === "string" ? who : "";
}

/** None of a body that is no JSON object. */
function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return {};
  }
}

async function authRefusal(response: Response, person?: Person): Promise<Refusal> {
  const text = await response.text();
  let [detail, reason] = ["", ""];
  try {
    const { message = "", code = "" } = JSON.parse(text);
    [detail, reason] = [sentenceOf(code) ?? String(message), String(code)];
  } catch {
    // The library answers some refusals without a body.
  }
  // The library calls some of what a person may not do unauthenticated.
  const status = person && response.status === 401 ? 403 : response.status;
  return new Refusal(codeOf(status, reason), detail || `Refused with status ${response.status}.`);
}

/** What the library calls what is not there, or not the caller's. */
const NOT_FOUND = /^(MEMBER|INVITATION|ORGANIZATION)_NOT_FOUND$|NOT_A_MEMBER_OF_TH(E|IS)_ORGANIZATION$/;
const FOREIGN = /_ORIGIN$|^CROSS_SITE_/;

/** @param reason the library's own code */
function codeOf(status: number, reason: string): ErrorCode {
  if (status >= 500) return "internal_error";
  if (NOT_FOUND.test(reason)) return "not_found";
  if (FOREIGN.test(reason)) return "foreign_origin";
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  return status === 415 ? "unsupported_media_type" : "invalid_input";
}
