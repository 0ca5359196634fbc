import { createRoute, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type Person, personOf } from "../accounts/identity.ts";
import { acceptInvitation, invitationMail, invite, withdrawInvitation } from "../accounts/invitations.ts";
import { changeRole, leaveCompany, type MemberChange, removeMember } from "../accounts/members.ts";
import {
  activeCompany,
  chosenCompany,
  companyChoice,
  createdInvitation,
  invitationAcceptance,
  invitationChoice,
  invitationRecord,
  joined,
  memberRemoval,
  membershipRecord,
  newInvitation,
  removedMember,
  roleChange,
} from "../accounts/schemas.ts";
import { selectCompany, unselectCompany } from "../accounts/sessions.ts";
import { countAttempt } from "../accounts/throttle.ts";
import type { Actor } from "../audit/log.ts";
import type { AppEnv } from "../bindings.ts";
import type { InvitationRow, MemberRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import {
  answers,
  IDEMPOTENCY_KEY,
  JSON_REFUSALS,
  jsonBody,
  KEY_REFUSALS,
  problems,
} from "../http/openapi.ts";
import { linkOriginOf, originOf } from "../http/origin.ts";
import { countRequest } from "../http/rate-limits.ts";
import { logFailure } from "../log.ts";
import { identified } from "./guarded.ts";
import { idempotentFor } from "./idempotent.ts";

/** Members, invitations, and the company that a session has selected. */

interface MemberEnv {
  Bindings: AppEnv["Bindings"];
  Variables: AppEnv["Variables"] & { person: Person; actor: Actor };
}

const signedIn: MiddlewareHandler<MemberEnv> = async (c, next) => {
  const { person } = await identified(c, () => personOf(c, originOf(c)));
  const rateLimitPolicy = await countRequest(c.env.rateLimits, "write", person.id);
  c.set("person", person);
  c.set("actor", { kind: "person", id: person.id, name: person.name, address: addressOf(c) });
  await next();
  c.header("Cache-Control", "no-store");
  if (rateLimitPolicy) c.header("RateLimit-Policy", rateLimitPolicy);
};

const idempotent = idempotentFor<MemberEnv>(({ var: { person } }) => ({
  userId: person.id,
  ...(person.activeCompanyId !== null && { companyId: person.activeCompanyId }),
}));

const POST = {
  method: "post",
  security: [{ session: [] as string[] }],
  middleware: [signedIn, readJson] as const,
} satisfies Partial<RouteConfig>;

const REFUSALS = [
  "unauthenticated",
  "not_found",
  "forbidden",
  "foreign_origin",
  "secrets_unavailable",
  "too_many_requests",
  ...JSON_REFUSALS,
] as const;

const setActive = createRoute({
  ...POST,
  path: "/set-active",
  operationId: "chooseCompany",
  summary: "Select the session's company",
  request: { body: jsonBody(activeCompany) },
  responses: { 200: answers(chosenCompany, "The company"), ...problems(...REFUSALS) },
});

const updateRole = createRoute({
  ...POST,
  path: "/update-member-role",
  operationId: "changeRole",
  summary: "Change a member's role",
  description:
    "Only an owner can make someone an owner or change an owner's role. The last owner keeps that role.",
  request: { body: jsonBody(roleChange) },
  responses: { 200: answers(membershipRecord, "The member"), ...problems(...REFUSALS) },
});

const remove = createRoute({
  ...POST,
  path: "/remove-member",
  operationId: "removeMember",
  summary: "Remove a member",
  description:
    "The person loses access at once. Only an owner can remove an owner. The last owner cannot be removed.",
  request: { body: jsonBody(memberRemoval) },
  responses: { 200: answers(removedMember, "The former member"), ...problems(...REFUSALS) },
});

const leave = createRoute({
  ...POST,
  path: "/leave",
  operationId: "leaveCompany",
  summary: "Leave a company",
  description: "The last owner cannot leave.",
  request: { body: jsonBody(companyChoice) },
  responses: { 200: answers(membershipRecord, "The former membership"), ...problems(...REFUSALS) },
});

const inviteMember = createRoute({
  ...POST,
  path: "/invite-member",
  operationId: "inviteMember",
  summary: "Invite someone by email",
  description:
    "An email with a link is sent to the address. The response has the token of another link, which is not shown again. " +
    "Both links are valid for a week, and the first use ends both. They replace an earlier invitation for the same address.",
  middleware: [signedIn, idempotent, readJson] as const,
  parameters: [IDEMPOTENCY_KEY],
  request: { body: jsonBody(newInvitation) },
  responses: {
    200: answers(createdInvitation, "The invitation and the token of its link"),
    ...problems(
      "too_many_attempts",
      "mail_unavailable",
      "public_url_missing",
      "secret_shown_once",
      ...REFUSALS,
      ...KEY_REFUSALS,
    ),
  },
});

const cancelInvitation = createRoute({
  ...POST,
  path: "/cancel-invitation",
  operationId: "withdrawInvitation",
  summary: "Withdraw an invitation",
  request: { body: jsonBody(invitationChoice) },
  responses: { 200: answers(invitationRecord, "The withdrawn invitation"), ...problems(...REFUSALS) },
});

const accept = createRoute({
  ...POST,
  path: "/accept-invitation",
  operationId: "joinCompany",
  summary: "Accept an invitation to your own email address",
  description:
    "The session selects the company. The link in the email verifies the address. Another link works only for an " +
    "address that was verified before, by such a link or by a password reset.",
  request: { body: jsonBody(invitationAcceptance) },
  responses: { 200: answers(joined, "The membership"), ...problems(...REFUSALS) },
});

export const memberRoutes = new OpenAPIHono<MemberEnv>()
  .openapi(setActive, async (c) => {
    const { organizationId: companyId } = c.req.valid("json");
    if (companyId === null) {
      await unselectCompany(c.env.db, c.var.person.sessionId);
      return c.json(null, 200);
    }
    const company = await selectCompany(c.env.db, c.var.person, companyId);
    if (!company) throw new Refusal("not_found", "You are not a member of a company with this id.");
    return c.json(company, 200);
  })
  .openapi(updateRole, async (c) => {
    const { organizationId, memberId, role } = c.req.valid("json");
    const change = { ...changeOf(c, organizationId), memberId, role };
    return c.json(membership(await changeRole(c.env.db, change)), 200);
  })
  .openapi(remove, async (c) => {
    const { organizationId, memberIdOrEmail } = c.req.valid("json");
    const change = { ...changeOf(c, organizationId), memberIdOrEmail };
    return c.json({ member: membership(await removeMember(c.env.db, change)) }, 200);
  })
  .openapi(leave, async (c) => {
    const { organizationId } = c.req.valid("json");
    return c.json(membership(await leaveCompany(c.env.db, changeOf(c, organizationId))), 200);
  })
  .openapi(inviteMember, async (c) => {
    const { organizationId, email, role } = c.req.valid("json");
    const change = { ...changeOf(c, organizationId), email, role };
    const origin = linkOriginOf(c);
    const { mailer } = c.env.accounts;
    if (!mailer.isConfigured) {
      throw new Refusal(
        "mail_unavailable",
        "Invitations are sent by email, and MAIL_URL is not set. Ask the operator to set it.",
      );
    }
    // Each is an email to an address that the inviter chooses.
    const source = { kind: "person", id: c.var.person.id } as const;
    const attempt = { purpose: "invitation", subject: email, source } as const;
    await countAttempt(c.env.db, attempt, c.env.now());
    const { invitation, company, mailToken, shownToken } = await invite(c.env.db, change);
    const link = { company, inviter: c.var.person.name, origin, token: mailToken };
    const sent = mailer.send(invitationMail(invitation, link));
    c.env.later(sent.catch((error) => logFailure("The email of an invitation was not sent", error)));
    c.set(
      "shownOnce",
      `This request created the invitation ${invitation.id}. Invite again for another link.`,
    );
    return c.json({ ...represent(invitation), token: shownToken }, 200);
  })
  .openapi(cancelInvitation, async (c) => {
    const { invitationId: id } = c.req.valid("json");
    const withdrawn = await withdrawInvitation(c.env.db, { id, by: c.var.actor, now: c.env.now() });
    return c.json(represent(withdrawn), 200);
  })
  .openapi(accept, async (c) => {
    const { person, actor } = c.var;
    const { token } = c.req.valid("json");
    const accepted = await acceptInvitation(c.env.db, { token, person, by: actor, now: c.env.now() });
    const { invitation, member } = accepted;
    return c.json({ invitation: represent(invitation), member: membership(member) }, 200);
  });

/** @throws Refusal `invalid_input` when neither the request nor the session names a company */
function changeOf(
  { env, var: { person, actor } }: { env: AppEnv["Bindings"]; var: MemberEnv["Variables"] },
  organizationId: string | undefined,
): MemberChange {
  const companyId = organizationId ?? person.activeCompanyId;
  if (companyId !== null) return { companyId, by: actor, now: env.now() };
  throw new Refusal(
    "invalid_input",
    'No company is selected. Select one, or send its id as "organizationId".',
  );
}

function membership({ id, companyId, userId, role }: MemberRow) {
  return { id, organizationId: companyId, userId, role };
}

function represent({ id, companyId, email, role, status, expiresAt }: InvitationRow) {
  return { id, organizationId: companyId, email, role, status, expiresAt: expiresAt.toISOString() };
}
