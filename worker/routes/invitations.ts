import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  acceptAsNewPerson,
  assertByEmail,
  type OpenedInvitation,
  openInvitation,
} from "../accounts/invitations.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { invitation, newAccount, signedIn } from "../accounts/schemas.ts";
import { assertStrong } from "../accounts/strength.ts";
import type { AppEnv } from "../bindings.ts";
import { addressOf } from "../http/address.ts";
import { bearerToken } from "../http/bearer.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { signIn } from "./auth.ts";

/** The invitation of a link. Its token is in a header, because paths are logged and traced. */

const read = createRoute({
  method: "get",
  path: "/",
  operationId: "getInvitation",
  summary: "Get the invitation of a link",
  description: "The response does not depend on whether the address has an account.",
  security: [{ invitation: [] }],
  responses: { 200: answers(invitation, "The invitation"), ...problems("not_found", "too_many_requests") },
});

const accept = createRoute({
  method: "post",
  path: "/account",
  operationId: "acceptInvitation",
  summary: "Accept an invitation with a new account",
  description:
    "Requires the token of the link in the email, which verifies the address. A person who has an account signs in and " +
    "uses `POST /api/auth/organization/accept-invitation` instead.",
  security: [{ invitation: [] }],
  middleware: [readJson] as const,
  request: { body: jsonBody(newAccount) },
  responses: {
    201: answers(signedIn, "Joined and signed in"),
    ...problems(
      "not_found",
      "forbidden",
      "account_exists",
      "too_many_requests",
      "secrets_unavailable",
      ...JSON_REFUSALS,
    ),
  },
});

export const invitationRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    const { email, company, role, inviter, expiresAt, isByEmail } = await invitationOf(c);
    c.header("Cache-Control", "no-store");
    const body = { email, company, role, inviter, expires_at: expiresAt.toISOString(), by_email: isByEmail };
    return c.json(body, 200);
  })
  .openapi(accept, async (c) => {
    const { name, password } = c.req.valid("json");
    const invitation = await invitationOf(c);
    assertByEmail(invitation);
    const { companyId, email } = invitation;
    await assertStrong(password, [name, email, invitation.company], "password");
    const account = { name, passwordHash: await hashPassword(password), address: addressOf(c) };
    await acceptAsNewPerson(c.env.db, { invitation, ...account, now: c.env.now() });
    for (const cookie of await signIn(c, email, password)) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.json({ company_id: companyId }, 201);
  });

/** @throws Refusal `not_found` */
function invitationOf(c: Context<AppEnv>): Promise<OpenedInvitation> {
  return openInvitation(c.env.db, bearerToken(c), c.env.now());
}
