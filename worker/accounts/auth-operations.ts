import { type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { answers, IDEMPOTENCY_KEY, JSON_REFUSALS, KEY_REFUSALS, problems } from "../http/openapi.ts";
import { PASSKEY_SIGN_IN } from "./passkeys.ts";
import { password, role } from "./schemas.ts";

/**
 * What is reachable of better-auth under /api/auth, as the API's document describes it: what the library knows
 * besides that is not. It checks its bodies itself, and names their fields in its own way. What people read of
 * accounts are routes of ours.
 */

const email = z.email().max(254);

export const done = z.object({ status: z.literal(true) }).openapi("Done");

export const credentials = z.object({ email, password: z.string() }).openapi("Credentials");

const account = z.object({ id: z.string(), name: z.string(), email: z.string() });

/** The session itself is in the cookie. */
export const signedInAs = z.object({ user: account }).openapi("SignedInAs");

export const currentSession = z
  .union([
    z.object({ session: z.object({ id: z.string(), expiresAt: z.iso.datetime() }), user: account }),
    z.null(),
  ])
  .openapi("CurrentSession");

/** What a browser's `navigator.credentials.get` takes, as JSON: the names are WebAuthn's. */
export const passkeyChallenge = z
  .looseObject({ challenge: z.string(), rpId: z.string() })
  .openapi("PasskeyChallenge");

/** What that gives, as JSON: the names are WebAuthn's. */
export const passkeyAnswer = z
  .object({
    response: z.looseObject({
      id: z.string(),
      rawId: z.string(),
      type: z.literal("public-key"),
      response: z.looseObject({
        clientDataJSON: z.string(),
        authenticatorData: z.string(),
        signature: z.string(),
      }),
    }),
  })
  .openapi("PasskeyAnswer");

export const signedOut = z.object({ success: z.literal(true) }).openapi("SignedOut");

export const resetRequest = z.object({ email }).openapi("PasswordResetRequest");

export const reset = z
  .object({
    token: z.string().openapi({ description: "What is behind the # of the link." }),
    newPassword: password,
  })
  .openapi("PasswordReset");

export const choice = z.object({ organizationId: z.string() }).openapi("CompanyChoice");

export const newChoice = z
  .object({
    organizationId: z.string().nullable().openapi({ description: "null: the session is about none." }),
  })
  .openapi("ActiveCompany");

export const chosen = z
  .union([z.object({ id: z.string(), name: z.string() }), z.null()])
  .openapi("ChosenCompany");

export const membershipOf = z
  .object({ id: z.string(), organizationId: z.string(), userId: z.string(), role })
  .openapi("MembershipRecord");

export const roleChange = z.object({ memberId: z.string(), role }).openapi("RoleChange");

export const removal = z
  .object({ memberIdOrEmail: z.string().openapi({ description: "The member's id, or the person's email." }) })
  .openapi("MemberRemoval");

export const removed = z.object({ member: membershipOf }).openapi("RemovedMember");

export const newInvitation = z.object({ email, role }).openapi("NewInvitation");

export const invited = z
  .object({
    id: z.string().openapi({ description: "The secret of the link: `/invitation#` and this." }),
    organizationId: z.string(),
    email: z.string(),
    role,
    status: z.enum(["pending", "accepted", "rejected", "canceled"]),
    expiresAt: z.iso.datetime(),
  })
  .openapi("InvitationRecord");

export const invitationChoice = z.object({ invitationId: z.string() }).openapi("InvitationChoice");

export const joined = z.object({ invitation: invited, member: membershipOf }).openapi("Joined");

/** What has no session is opened by what it brings. */
const OPEN: RouteConfig["security"] = [];
const SIGNED_IN = [{ session: [] }];

const takes = (schema: z.ZodType) => ({
  body: { required: true, content: { "application/json": { schema } } },
});

/** The library looks for an address to lead on to in every body, and forbids most. */
const ALWAYS = [
  "forbidden",
  "foreign_origin",
  "secrets_unavailable",
  "too_many_requests",
  ...JSON_REFUSALS,
] as const;
const OF_MEMBERS = ["unauthenticated", "not_found", ...ALWAYS] as const;

const OPERATIONS: readonly RouteConfig[] = [
  {
    method: "post",
    path: "/sign-in/email",
    operationId: "signIn",
    summary: "Sign in",
    description: "The cookie of the answer is the session, about the company that was joined first.",
    security: OPEN,
    request: takes(credentials),
    responses: {
      200: answers(signedInAs, "Signed in"),
      ...problems("unauthenticated", "too_many_attempts", ...ALWAYS),
    },
  },
  {
    method: "get",
    path: "/passkey/generate-authenticate-options",
    operationId: "beginPasskeySignIn",
    summary: "Begin to sign in with a passkey",
    description:
      "The answer is for `navigator.credentials.get`, and sets a cookie; both are good for five minutes.",
    security: OPEN,
    responses: {
      200: answers(passkeyChallenge, "The options of WebAuthn"),
      ...problems("no_passkeys_here", "secrets_unavailable", "too_many_requests"),
    },
  },
  {
    method: "post",
    path: PASSKEY_SIGN_IN,
    operationId: "signInWithPasskey",
    summary: "Sign in with what the passkey has signed",
    description: "The cookie of the answer is the session, about the company that was joined first.",
    security: OPEN,
    request: takes(passkeyAnswer),
    responses: {
      200: answers(signedInAs, "Signed in"),
      ...problems("no_passkeys_here", "unauthenticated", "too_many_attempts", ...ALWAYS),
    },
  },
  {
    method: "post",
    path: "/sign-out",
    operationId: "signOut",
    summary: "End the session, if there is one",
    security: OPEN,
    responses: {
      200: answers(signedOut, "Signed out"),
      ...problems(...ALWAYS),
    },
  },
  {
    method: "get",
    path: "/get-session",
    operationId: "prolongSession",
    summary: "The session, null for none; one that is used lasts on",
    security: OPEN,
    responses: {
      200: answers(currentSession, "The session"),
      ...problems("secrets_unavailable", "too_many_requests"),
    },
  },
  {
    method: "post",
    path: "/request-password-reset",
    operationId: "requestPasswordReset",
    summary: "Have a link sent by which a new password is chosen, if the address has an account",
    security: OPEN,
    request: takes(resetRequest),
    responses: {
      200: answers(done, "Sent, or there is no such account"),
      ...problems("too_many_attempts", ...ALWAYS),
    },
  },
  {
    method: "post",
    path: "/reset-password",
    operationId: "resetPassword",
    summary: "Choose a new password by such a link; every session ends",
    security: OPEN,
    request: takes(reset),
    responses: { 200: answers(done, "Chosen"), ...problems(...ALWAYS) },
  },
  {
    method: "post",
    path: "/organization/set-active",
    operationId: "chooseCompany",
    summary: "Make the session about another company of one's own",
    security: SIGNED_IN,
    request: takes(newChoice),
    responses: { 200: answers(chosen, "The company"), ...problems(...OF_MEMBERS) },
  },
  {
    method: "post",
    path: "/organization/update-member-role",
    operationId: "changeRole",
    summary: "Give a member another role; only owners make owners, and the last one stays",
    security: SIGNED_IN,
    request: takes(roleChange),
    responses: { 200: answers(membershipOf, "The member"), ...problems(...OF_MEMBERS) },
  },
  {
    method: "post",
    path: "/organization/remove-member",
    operationId: "removeMember",
    summary: "Remove a member, who sees nothing from that moment on",
    security: SIGNED_IN,
    request: takes(removal),
    responses: { 200: answers(removed, "The former member"), ...problems(...OF_MEMBERS) },
  },
  {
    method: "post",
    path: "/organization/leave",
    operationId: "leaveCompany",
    summary: "Leave a company; its last owner stays",
    security: SIGNED_IN,
    request: takes(choice),
    responses: { 200: answers(membershipOf, "The former membership"), ...problems(...OF_MEMBERS) },
  },
  {
    method: "post",
    path: "/organization/invite-member",
    operationId: "inviteMember",
    summary: "Invite somebody; the link is mailed, good for a week and once",
    description: "An invitation that the address has already is replaced.",
    security: SIGNED_IN,
    parameters: [IDEMPOTENCY_KEY],
    request: takes(newInvitation),
    responses: {
      200: answers(invited, "The invitation"),
      ...problems("too_many_attempts", ...OF_MEMBERS, ...KEY_REFUSALS),
    },
  },
  {
    method: "post",
    path: "/organization/cancel-invitation",
    operationId: "withdrawInvitation",
    summary: "Withdraw an invitation",
    security: SIGNED_IN,
    request: takes(invitationChoice),
    responses: { 200: answers(invited, "The former invitation"), ...problems(...OF_MEMBERS) },
  },
  {
    method: "post",
    path: "/organization/accept-invitation",
    operationId: "joinCompany",
    summary: "Follow an invitation to one's own address",
    security: SIGNED_IN,
    request: takes(invitationChoice),
    responses: { 200: answers(joined, "The membership"), ...problems(...OF_MEMBERS) },
  },
];

const EXPOSED = new Map(
  OPERATIONS.map((operation) => [`${operation.method.toUpperCase()} ${operation.path}`, operation]),
);

/** @param path below /api/auth */
export function isExposed(path: string, method: string): boolean {
  return EXPOSED.has(`${method} ${path}`);
}

/** Whether an exposed operation is for whoever is signed in. */
export function needsSession(path: string, method: string): boolean {
  return EXPOSED.get(`${method} ${path}`)?.security === SIGNED_IN;
}

export function describeAuth(registry: OpenAPIHono<AppEnv>["openAPIRegistry"]): void {
  for (const operation of OPERATIONS) {
    registry.registerPath({ ...operation, path: `/api/auth${operation.path}` });
  }
}
