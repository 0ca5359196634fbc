import { z } from "@hono/zod-openapi";
import { nameText } from "../http/fields.ts";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./passwords.ts";
import { PERMISSIONS, type Permission, ROLES, SCOPES } from "./permissions.ts";

/** The schemas of the account API, in snake_case. */

const name = nameText(100);
const email = z
  .string()
  .overwrite((text) => text.trim().toLowerCase())
  .pipe(z.email().max(254));
const password = z.string().min(MIN_PASSWORD_LENGTH).max(MAX_PASSWORD_LENGTH).openapi({
  description:
    "Passwords that are easy to guess are refused, such as common ones, or ones with the person's name.",
});
const current_password = z.string().max(MAX_PASSWORD_LENGTH);
const token = z.string().min(1).max(200);
const role = z.enum(ROLES).openapi("Role");
const scope = z.enum(SCOPES).openapi("Scope");
const permission = z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]]).openapi("Permission");

export const setupState = z.object({ open: z.boolean() }).openapi("SetupState");

export const setupRequest = z
  .strictObject({ token, name, email, password, company_name: name })
  .openapi("SetupRequest");

export const membership = z.object({ id: z.string(), name: z.string(), role }).openapi("Membership");

export const me = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    /** The session of this request. */
    session_id: z.string(),
    /** The company that the session has selected, or null. */
    company: z.union([membership.extend({ permissions: z.array(permission) }), z.null()]),
    companies: z.array(membership),
    public_url: z
      .string()
      .nullable()
      .openapi({ description: "The origin of links, mails and QR codes; null while PUBLIC_URL is missing." }),
  })
  .openapi("Me");
export type Me = z.infer<typeof me>;

/** The fields of themselves that a person can change. */
export const personChange = z.strictObject({ name }).openapi("PersonChange");

export const passwordChange = z
  .strictObject({ current_password, new_password: password })
  .openapi("PasswordChange");

/** Confirms an operation that needs more than a session. */
export const passwordProof = z.strictObject({ current_password }).openapi("PasswordProof");

export const passkey = z
  .object({ id: z.string(), name: z.string(), created_at: z.iso.datetime() })
  .openapi("Passkey");
export type Passkey = z.infer<typeof passkey>;

export const passkeyList = z.object({ items: z.array(passkey) }).openapi("PasskeyList");

/** The argument of a browser's `navigator.credentials.create`, as JSON with WebAuthn's names. */
export const passkeyOptions = z
  .looseObject({
    challenge: z.string(),
    rp: z.looseObject({ id: z.string().optional(), name: z.string() }),
    user: z.looseObject({ id: z.string(), name: z.string(), displayName: z.string() }),
  })
  .openapi("PasskeyOptions");

const base64url = z.string().max(20_000);

/** The result of `navigator.credentials.create`, as JSON with WebAuthn's names. Further fields are dropped. */
export const newPasskey = z
  .strictObject({
    name,
    response: z.object({
      id: z.string().min(1).max(2000),
      rawId: z.string().max(2000),
      type: z.literal("public-key"),
      response: z.object({
        clientDataJSON: base64url,
        attestationObject: base64url,
        transports: z.array(z.string().max(32)).max(16).optional(),
      }),
    }),
  })
  .openapi("NewPasskey");

export const company = z.object({ id: z.string(), name: z.string() }).openapi("Company");

export const companyChange = z.strictObject({ name }).openapi("CompanyChange");

export const newCompany = z.strictObject({ name }).openapi("NewCompany");

export const invitation = z
  .object({
    email: z.string(),
    company: z.string(),
    role,
    inviter: z.string(),
    expires_at: z.iso.datetime(),
    by_email: z.boolean().openapi({
      description: "Whether this link was sent to the address. Only such a link can create an account.",
    }),
  })
  .openapi("Invitation");
export type Invitation = z.infer<typeof invitation>;

const member = z
  .object({
    id: z.string(),
    /** The person, across companies. */
    person_id: z.string(),
    name: z.string(),
    email: z.string(),
    role,
    joined_at: z.iso.datetime(),
  })
  .openapi("Member");
export type Member = z.infer<typeof member>;

export const memberList = z.object({ items: z.array(member) }).openapi("MemberList");

const pendingInvitation = z
  .object({
    id: z.string(),
    email: z.string(),
    role,
    expires_at: z.iso.datetime(),
    created_at: z.iso.datetime(),
  })
  .openapi("PendingInvitation");
export type PendingInvitation = z.infer<typeof pendingInvitation>;

export const invitationList = z.object({ items: z.array(pendingInvitation) }).openapi("InvitationList");

const session = z
  .object({
    id: z.string(),
    /** Whether it is the session of this request. */
    current: z.boolean(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: z.iso.datetime(),
    /** With a precision of one day. */
    last_used_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  })
  .openapi("Session");
export type Session = z.infer<typeof session>;

export const sessionList = z.object({ items: z.array(session) }).openapi("SessionList");

export const newAccount = z.strictObject({ name, password }).openapi("NewAccount");

export const signedIn = z.object({ company_id: z.string() }).openapi("SignedIn");

export const newApiKey = z
  .strictObject({
    name,
    scopes: z.array(scope).min(1).max(SCOPES.length),
    expires_at: z.iso.datetime().nullable().default(null),
  })
  .openapi("NewApiKey");

export const apiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    /** The beginning of the key. */
    prefix: z.string(),
    scopes: z.array(scope),
    expires_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .openapi("ApiKey");
export type ApiKey = z.infer<typeof apiKey>;

export const apiKeyList = z.object({ items: z.array(apiKey) }).openapi("ApiKeyList");

/** The only response that shows the key itself. */
export const createdApiKey = apiKey.extend({ key: z.string() }).openapi("CreatedApiKey");
export type CreatedApiKey = z.infer<typeof createdApiKey>;

export const mailbox = z
  .object({
    items: z.array(
      z.object({
        id: z.string(),
        to: z.string(),
        subject: z.string(),
        body: z.string(),
        created_at: z.iso.datetime(),
      }),
    ),
  })
  .openapi("Mailbox");
export type Mailbox = z.infer<typeof mailbox>;

/** The wire of password resets, whose names are those of better-auth. */

export const resetRequest = z.object({ email }).openapi("PasswordResetRequest");

export const newReset = z
  .object({
    token: token.openapi({ description: "The part of the link after the #." }),
    newPassword: password,
  })
  .openapi("PasswordReset");

export const done = z.object({ status: z.literal(true) }).openapi("Done");

/**
 * The wire of `/api/auth/organization`, whose names are those of better-auth's organization plugin: an "organization"
 * is a company.
 */

const organizationId = z
  .string()
  .optional()
  .openapi({ description: "The company's id. Default: the company that the session has selected." });

export const companyChoice = z.object({ organizationId: z.string() }).openapi("CompanyChoice");

export const activeCompany = z
  .object({
    organizationId: z
      .string()
      .nullable()
      .openapi({ description: "The company's id; null selects no company." }),
  })
  .openapi("ActiveCompany");

export const chosenCompany = z
  .union([z.object({ id: z.string(), name: z.string() }), z.null()])
  .openapi("ChosenCompany");

export const membershipRecord = z
  .object({ id: z.string(), organizationId: z.string(), userId: z.string(), role })
  .openapi("MembershipRecord");

export const roleChange = z.object({ organizationId, memberId: z.string(), role }).openapi("RoleChange");

export const memberRemoval = z
  .object({
    organizationId,
    memberIdOrEmail: z.string().openapi({ description: "The member's id, or the person's email." }),
  })
  .openapi("MemberRemoval");

export const removedMember = z.object({ member: membershipRecord }).openapi("RemovedMember");

export const newInvitation = z.object({ organizationId, email, role }).openapi("NewInvitation");

export const invitationRecord = z
  .object({
    id: z.string(),
    organizationId: z.string(),
    email: z.string(),
    role,
    status: z.enum(["pending", "accepted", "rejected", "canceled"]),
    expiresAt: z.iso.datetime(),
  })
  .openapi("InvitationRecord");

/** The only response that shows the token. The email has another one, which proves that its reader has the address. */
export const createdInvitation = invitationRecord
  .extend({
    token: z.string().openapi({
      description:
        "Opens `/invitation#TOKEN`, with which a person who has a verified account for the address can join.",
    }),
  })
  .openapi("CreatedInvitation");
export type CreatedInvitation = z.infer<typeof createdInvitation>;

export const invitationChoice = z.object({ invitationId: z.string() }).openapi("InvitationChoice");

export const invitationAcceptance = z
  .object({ token: token.openapi({ description: "The part of the link after the #." }) })
  .openapi("InvitationAcceptance");

export const joined = z.object({ invitation: invitationRecord, member: membershipRecord }).openapi("Joined");
