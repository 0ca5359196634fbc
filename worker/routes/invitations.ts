import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { hashPassword } from "../accounts/passwords.ts";
import { acceptAsNewPerson, findInvitation } from "../accounts/people.ts";
import { invitation, newAccount, signedIn } from "../accounts/schemas.ts";
import type { AppEnv, Bindings } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, problems } from "../http/openapi.ts";
import { signIn } from "./auth.ts";

const invitationId = z.object({
  id: z.string().openapi({ param: { name: "id", in: "path" }, description: "The secret of the link." }),
});

const read = createRoute({
  method: "get",
  path: "/{id}",
  operationId: "getInvitation",
  summary: "What an invitation's link leads to",
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
    "Whoever has an account signs in and accepts with `POST /api/auth/organization/accept-invitation`.",
  security: [],
  middleware: [readJson] as const,
  request: {
    params: invitationId,
    body: { required: true, content: { "application/json": { schema: newAccount } } },
  },
  responses: {
    201: answers(signedIn, "A member, and signed in"),
    ...problems("not_found", "too_many_requests", "secrets_unavailable", ...JSON_REFUSALS),
  },
});

export const invitationRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    const found = await find(c.env, c.req.valid("param").id);
    c.header("Cache-Control", "no-store");
    const { email, company, role, inviter, expiresAt, userId } = found;
    const body = { email, company, role, inviter, expires_at: expiresAt.toISOString() };
    return c.json({ ...body, has_account: userId !== null }, 200);
  })
  .openapi(accept, async (c) => {
    const { id } = c.req.valid("param");
    const { name, password } = c.req.valid("json");
    const { email, companyId, role } = await find(c.env, id);
    const person = { name, email, password: await hashPassword(password) };
    if (!(await acceptAsNewPerson(c.env.db, id, { companyId, role }, person, addressOf(c), c.env.now())))
      throw notFound();
    for (const cookie of await signIn(c, email, password)) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.json({ company_id: companyId }, 201);
  });

async function find({ db, now }: Bindings, id: string) {
  const found = await findInvitation(db, id, now());
  if (!found) throw notFound();
  return found;
}

function notFound(): Refusal {
  return new Refusal("not_found", "This invitation was used, withdrawn, or has expired.");
}
