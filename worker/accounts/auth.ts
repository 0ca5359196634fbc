import { passkey } from "@better-auth/passkey";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { betterAuth } from "better-auth/minimal";
import { createAccessControl } from "better-auth/plugins/access";
import { organization } from "better-auth/plugins/organization";
import { and, asc, eq } from "drizzle-orm";
import { noteOfPerson } from "../audit/log.ts";
import type { AccountSettings, Bindings } from "../bindings.ts";
import {
  accounts,
  companies,
  invitations,
  members,
  passkeys,
  sessions,
  users,
  verifications,
} from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";
import type { Mail } from "./mailer.ts";
import { PASSKEY_SIGN_IN } from "./passkeys.ts";
import { hashPassword, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, verifyPassword } from "./passwords.ts";
import { isRole, ROLES, type Role, roleMay } from "./permissions.ts";

/**
 * Sessions, passwords, passkeys, members and invitations: better-auth's, in our tables and under our names. A company is
 * its "organization", in the same row; only our own code writes companies (worker/accounts/people.ts).
 */

export const SESSION_SECONDS = 14 * 24 * 3600;
/** A session that is used is prolonged, at most this often. */
const PROLONG_SECONDS = 24 * 3600;
export const INVITATION_SECONDS = 7 * 24 * 3600;
const RESET_SECONDS = 3600;
const MAX_MEMBERS = 1000;
const MIN_SECRET_LENGTH = 32;

/** Without a secret nobody could tell a session's cookie from a forged one. */
export function assertAccounts({ secret }: AccountSettings): void {
  if (secret.length >= MIN_SECRET_LENGTH) return;
  throw new Refusal("secrets_unavailable", "AUTH_SECRET is not set; without it nobody can sign in.");
}

const control = createAccessControl({
  member: ["create", "update", "delete"],
  invitation: ["create", "cancel"],
});

function roleOf(role: Role) {
  if (!roleMay(role, "members:manage")) return control.newRole({ member: [], invitation: [] });
  return control.newRole({ member: ["create", "update", "delete"], invitation: ["create", "cancel"] });
}

/** Plain http only on this machine: everywhere else cookies are Secure. */
export function isSecure(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || !["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

/** The name of the session's cookie. */
export function sessionCookie(origin: string): string {
  return `${isSecure(origin) ? "__Secure-" : ""}vivimark.session_token`;
}

/**
 * @param origin the platform's public one: in links, and what cookies are made for
 * @param reachedAt the one of this request, which behind a tunnel may be another
 */
export function authOf(
  { db, accounts: settings, now, later }: Pick<Bindings, "db" | "accounts" | "now" | "later">,
  origin: string,
  reachedAt: string,
) {
  const send = (mail: Mail) => settings.mailer.send(mail);
  return betterAuth({
    appName: "Vivimark",
    baseURL: origin,
    basePath: "/api/auth",
    trustedOrigins: [origin, reachedAt],
    secret: settings.secret,
    database: drizzleAdapter(db, {
      provider: "sqlite",
      schema: { users, sessions, accounts, passkeys, verifications, companies, members, invitations },
    }),
    telemetry: { enabled: false },
    // It would name, in the log, emails that were tried.
    logger: { disabled: true },
    // Its faults are logged, and answered, as our own are.
    onAPIError: { throw: true },
    // worker/accounts/throttle.ts counts attempts, by email too, and in the database.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: "vivimark",
      useSecureCookies: isSecure(origin),
      // The check wants to be able to insert companies, which only our own code does.
      database: { generateId: "uuid", validateSchema: false },
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
      // A link to a new password is sent behind the answer: how long it takes would tell that there is an account.
      backgroundTasks: { handler: later },
    },
    user: { modelName: "users" },
    account: { modelName: "accounts" },
    verification: { modelName: "verifications" },
    session: {
      modelName: "sessions",
      expiresIn: SESSION_SECONDS,
      updateAge: PROLONG_SECONDS,
      // No session is too old to add a passkey: our route asks for the password.
      freshAge: 0,
    },
    emailAndPassword: {
      enabled: true,
      // People come by the set-up page or by an invitation.
      disableSignUp: true,
      minPasswordLength: MIN_PASSWORD_LENGTH,
      maxPasswordLength: MAX_PASSWORD_LENGTH,
      password: { hash: hashPassword, verify: verifyPassword },
      resetPasswordTokenExpiresIn: RESET_SECONDS,
      revokeSessionsOnPasswordReset: true,
      async onPasswordReset({ user }, request) {
        const address = request?.headers.get("cf-connecting-ip") ?? "";
        // Whoever had the account before its person got it back has no way left into it.
        await db.delete(passkeys).where(eq(passkeys.userId, user.id));
        await noteOfPerson(db, user.id, "person.password_reset", address, now());
      },
      async sendResetPassword({ user, token }) {
        const link = `${origin}/reset-password#${token}`;
        const mail = send({
          to: user.email,
          subject: "Choose a new password for Vivimark",
          body: `Hello ${user.name},\n\nsomebody asked for a new password for this address. Choose it here, within an hour:\n\n${link}\n\nIf it was not you, nothing needs to be done.\n`,
        });
        await mail.catch((error) => logFailure("A link to a new password was not sent", error));
      },
    },
    databaseHooks: {
      session: {
        create: {
          // Whoever signs in finds the company that they joined first.
          async before(session) {
            const [first] = await db
              .select({ id: members.companyId })
              .from(members)
              .where(eq(members.userId, session.userId))
              .orderBy(asc(members.createdAt), asc(members.id))
              .limit(1);
            return { data: { ...session, activeOrganizationId: first?.id ?? null } };
          },
          async after({ userId, ipAddress }) {
            await noteOfPerson(db, userId, "person.signed_in", ipAddress ?? "", now());
          },
        },
      },
    },
    hooks: {
      before: createAuthMiddleware(async ({ path, body }) => {
        // The library takes several roles at once, and some of its own.
        const givesRole =
          path === "/organization/invite-member" || path === "/organization/update-member-role";
        if (givesRole && !isRole(body?.role)) {
          const message = `"role" is ${JSON.stringify(body?.role)?.slice(0, 40)}; expected one of ${ROLES.join(", ")}.`;
          throw new APIError("BAD_REQUEST", { code: "INVALID_ROLE", message });
        }
        // The library would look for whatever this is.
        if (path === PASSKEY_SIGN_IN && typeof body?.response?.id !== "string") {
          const message = '"response.id" is missing or no text; expected the id of a passkey.';
          throw new APIError("BAD_REQUEST", { code: "INVALID_PASSKEY", message });
        }
      }),
    },
    plugins: [
      passkey({
        rpID: new URL(origin).hostname,
        rpName: "Vivimark",
        origin,
        // Found without an email; and whoever holds the device has to show who they are.
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        advanced: { webAuthnChallengeCookie: "passkey" },
        schema: { passkey: { modelName: "passkeys", fields: { credentialID: "credentialId" } } },
        // The library asks for that, and then takes what did not (better-auth/better-auth#11155).
        registration: {
          async afterVerification({ verification: { registrationInfo } }) {
            assertUserVerified(registrationInfo?.userVerified);
            const id = registrationInfo?.credential.id ?? "";
            const [there] = await db
              .select({ id: passkeys.id })
              .from(passkeys)
              .where(eq(passkeys.credentialId, id));
            if (there) throw new APIError("BAD_REQUEST", { code: "PREVIOUSLY_REGISTERED" });
          },
        },
        authentication: {
          async afterVerification({ verification: { authenticationInfo } }) {
            assertUserVerified(authenticationInfo.userVerified);
          },
        },
      }),
      organization({
        ac: control,
        roles: Object.fromEntries(ROLES.map((role) => [role, roleOf(role)])),
        creatorRole: "owner",
        allowUserToCreateOrganization: false,
        disableOrganizationDeletion: true,
        membershipLimit: MAX_MEMBERS,
        invitationExpiresIn: INVITATION_SECONDS,
        cancelPendingInvitationsOnReInvite: true,
        schema: {
          session: { fields: { activeOrganizationId: "activeCompanyId" } },
          organization: { modelName: "companies" },
          member: { modelName: "members", fields: { organizationId: "companyId" } },
          invitation: { modelName: "invitations", fields: { organizationId: "companyId" } },
        },
        async sendInvitationEmail({ id, email, role, organization: company, inviter }) {
          await send({
            to: email,
            subject: `${inviter.user.name} invites you to ${company.name}`,
            body: `${inviter.user.name} invites you to ${company.name} on Vivimark, as ${role}. Accept it here, within a week:\n\n${origin}/invitation#${id}\n`,
          });
        },
        organizationHooks: {
          // What somebody is no longer a member of is no longer what their sessions are about.
          async afterRemoveMember({ member }) {
            await db
              .update(sessions)
              .set({ activeCompanyId: null })
              .where(
                and(eq(sessions.userId, member.userId), eq(sessions.activeCompanyId, member.organizationId)),
              );
          },
        },
      }),
    ],
  });
}

/** A passkey that anybody who holds the device could use is less than a password. */
function assertUserVerified(isVerified: boolean | undefined): void {
  if (!isVerified) throw new APIError("UNAUTHORIZED", { code: "USER_NOT_VERIFIED" });
}
