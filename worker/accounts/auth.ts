import { passkey } from "@better-auth/passkey";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { betterAuth } from "better-auth/minimal";
import { asc, eq } from "drizzle-orm";
import { personEntry } from "../audit/log.ts";
import type { AccountSettings, Bindings } from "../bindings.ts";
import { accounts, members, passkeys, sessions, users, verifications } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { isLoopback } from "../http/origin.ts";
import { PASSKEY_SIGN_IN } from "./passkeys.ts";
import { hashPassword, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, verifyPassword } from "./passwords.ts";
import { endOldestSessions, MAX_USER_AGENT_LENGTH } from "./sessions.ts";

/** Sessions, passwords and passkeys: better-auth, in our tables and under our names. */

const SESSION_SECONDS = 14 * 24 * 3600;
/** A session in use is extended at most this often. */
const EXTEND_SECONDS = 24 * 3600;
const MIN_SECRET_LENGTH = 32;

/** @throws Refusal `secrets_unavailable` without a secret: the cookies of sessions could be forged */
export function assertAccounts({ secret }: AccountSettings): void {
  if (secret.length >= MIN_SECRET_LENGTH) return;
  const found = secret === "" ? "is not set" : `has ${secret.length} characters`;
  throw new Refusal(
    "secrets_unavailable",
    `Sign-in is unavailable: AUTH_SECRET ${found}; expected at least ${MIN_SECRET_LENGTH} characters.`,
  );
}

/** Returns whether cookies are Secure: everywhere except on this machine over plain http. */
export function isSecure(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || !isLoopback(hostname);
}

/** Returns the name of a cookie, as better-auth writes it for its own. */
export function cookieName(origin: string, name: "session_token" | "device"): string {
  return `${isSecure(origin) ? "__Secure-" : ""}vivimark.${name}`;
}

/**
 * Returns better-auth for one request.
 *
 * @param origin the platform's public origin, for links and cookies
 * @param requestOrigin the origin that the request was sent to, which differs behind a tunnel
 */
export function authOf(
  { db, accounts: settings, now }: Pick<Bindings, "db" | "accounts" | "now">,
  origin: string,
  requestOrigin: string,
) {
  return betterAuth({
    appName: "Vivimark",
    baseURL: origin,
    basePath: "/api/auth",
    trustedOrigins: [origin, requestOrigin],
    secret: settings.secret,
    database: drizzleAdapter(db, {
      provider: "sqlite",
      schema: { users, sessions, accounts, passkeys, verifications },
    }),
    telemetry: { enabled: false },
    // Its log would show the emails that were tried.
    logger: { disabled: true },
    // worker/http/serve.ts logs and answers its errors like all others.
    onAPIError: { throw: true },
    // worker/accounts/throttle.ts counts attempts in the database, also by email.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: "vivimark",
      useSecureCookies: isSecure(origin),
      database: { generateId: "uuid" },
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
    },
    user: { modelName: "users" },
    account: { modelName: "accounts" },
    verification: { modelName: "verifications" },
    session: {
      modelName: "sessions",
      expiresIn: SESSION_SECONDS,
      updateAge: EXTEND_SECONDS,
      // A session of any age may add a passkey: our route asks for the password.
      freshAge: 0,
      additionalFields: {
        activeCompanyId: { type: "string", required: false, input: false, returned: false },
      },
    },
    emailAndPassword: {
      enabled: true,
      // Accounts are created by the setup page and by invitations.
      disableSignUp: true,
      minPasswordLength: MIN_PASSWORD_LENGTH,
      maxPasswordLength: MAX_PASSWORD_LENGTH,
      password: { hash: hashPassword, verify: verifyPassword },
    },
    databaseHooks: {
      session: {
        create: {
          // A new session selects the company that the person joined first.
          async before(session) {
            const [first] = await db
              .select({ id: members.companyId })
              .from(members)
              .where(eq(members.userId, session.userId))
              .orderBy(asc(members.createdAt), asc(members.id))
              .limit(1);
            const userAgent = session.userAgent?.slice(0, MAX_USER_AGENT_LENGTH);
            return { data: { ...session, userAgent, activeCompanyId: first?.id ?? null } };
          },
          async after({ id, userId, ipAddress }) {
            await endOldestSessions(db, { id, userId });
            const address = ipAddress ?? "";
            await personEntry(db, { userId, action: "person.signed_in", address, now: now() });
          },
        },
      },
    },
    hooks: {
      before: createAuthMiddleware(async ({ path, body }) => {
        // The library would look up a value of any type.
        if (path === PASSKEY_SIGN_IN && typeof body?.response?.id !== "string") {
          const message = '"response.id" is missing or not a string; expected the id of a passkey.';
          throw new APIError("BAD_REQUEST", { code: "INVALID_PASSKEY", message });
        }
      }),
    },
    plugins: [
      passkey({
        rpID: new URL(origin).hostname,
        rpName: "Vivimark",
        origin,
        // Signing in needs no email, and the device verifies its user.
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        advanced: { webAuthnChallengeCookie: "passkey" },
        schema: { passkey: { modelName: "passkeys", fields: { credentialID: "credentialId" } } },
        // The library requests user verification, but does not check it (better-auth/better-auth#11155).
        registration: {
          async afterVerification({ verification: { registrationInfo } }) {
            assertUserVerified(registrationInfo?.userVerified);
            const id = registrationInfo?.credential.id ?? "";
            const [existing] = await db
              .select({ id: passkeys.id })
              .from(passkeys)
              .where(eq(passkeys.credentialId, id));
            if (existing) throw new APIError("BAD_REQUEST", { code: "PREVIOUSLY_REGISTERED" });
          },
        },
        authentication: {
          async afterVerification({ verification: { authenticationInfo } }) {
            assertUserVerified(authenticationInfo.userVerified);
          },
        },
      }),
    ],
  });
}

/** Without user verification a passkey is weaker than a password: possession of the device would be enough. */
function assertUserVerified(isVerified: boolean | undefined): void {
  if (!isVerified) throw new APIError("UNAUTHORIZED", { code: "USER_NOT_VERIFIED" });
}
