import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { acceptAsNewPerson, readInvitation } from "../accounts/invitations.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { invitation, newAccount, signedIn } from "../accounts/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { signIn } from "./auth.ts";

const invitationId = z.object({
  id: z
    .string()
    .openapi({ param: { name: "id", in: "path" }, description: "The secret in the invitation link." }),
});

const read = createRoute({
  method: "get",
  path: "/{id}",
  operationId: "getInvitation",
  summary: "Get an invitation by its link",
  security: [],
  request: { params: invitationId },
  responses: { 200: answers(invitation, "The invitation"), ...problems("not_found", "too_many_requests") },
});

const accept = createRoute({
  method: "post",
  path: "/{id}/account",
  operationId: "acceptInvitation",
  summary: "Accept an invitation with a new account",
  description:
    "A person who has an account signs in and uses `POST /api/auth/organization/accept-invitation` instead.",
  security: [],
  middleware: [readJson] as const,
  request: {
    params: invitationId,
    body: jsonBody(newAccount),
  },
  responses: {
    201: answers(signedIn, "Joined and signed in"),
    ...problems("not_found", "forbidden", "too_many_requests", "secrets_unavailable", ...JSON_REFUSALS),
  },
});

export const invitationRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    const found = await readInvitation(c.env.db, c.req.valid("param").id, c.env.now());
    c.header("Cache-Control", "no-store");
    const { email, company, role, inviter, expiresAt, userId } = found;
    const body = { email, company, role, inviter, expires_at: expiresAt.toISOString() };
    return c.json({ ...body, has_account: userId !== null }, 200);
  })
  .openapi(accept, async (c) => {
    const { name, password } = c.req.valid("json");
    const now = c.env.now();
    const invitation = await readInvitation(c.env.db, c.req.valid("param").id, now);
    const { companyId, email } = invitation;
    const passwordHash = await hashPassword(password);
    await acceptAsNewPerson(c.env.db, { invitation, name, passwordHash, address: addressOf(c), now });
    for (const cookie of await signIn(c, email, password)) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.json({ company_id: companyId }, 201);
  });
