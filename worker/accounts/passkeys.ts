import { and, asc, eq, sql } from "drizzle-orm";
import { personEntry } from "../audit/log.ts";
import { type Database, passkeys } from "../db/tables.ts";
import { Refusal } from "../errors.ts";

/** Passkeys of people. better-auth runs the WebAuthn ceremonies (worker/accounts/auth.ts). */

/** Passkeys of one person. */
export const MAX_PASSKEYS = 20;

/** @throws Refusal `quota_exceeded` for a person who has `MAX_PASSKEYS` */
export async function assertRoomForPasskey(db: Database, userId: string): Promise<void> {
  if ((await passkeysOf(db, userId)).length < MAX_PASSKEYS) return;
  throw new Refusal(
    "quota_exceeded",
    `You have ${MAX_PASSKEYS} passkeys, the maximum. Remove one before you add another.`,
  );
}

/** The path that signs in with a passkey, under /api/auth. */
export const PASSKEY_SIGN_IN = "/passkey/verify-authentication";

/** @throws Refusal `no_passkeys_here` at an IP address: a passkey belongs to a host name (WebAuthn's RP ID) */
export function assertPasskeys(origin: string): void {
  const { protocol, hostname, host, port } = new URL(origin);
  if (!/^\[|^\d+(\.\d+){3}$/.test(hostname)) return;
  const isLoopback = hostname === "127.0.0.1" || hostname === "[::1]";
  const instead = isLoopback ? `${protocol}//localhost${port && `:${port}`}` : "Vivimark by its host name";
  throw new Refusal(
    "no_passkeys_here",
    `Passkeys need a host name, but ${host} is an IP address. Open ${instead} instead.`,
  );
}

/** Messages for people, by the library's error codes. */
const MESSAGES: Readonly<Record<string, string>> = {
  CHALLENGE_NOT_FOUND: "This took longer than five minutes, or was started in another browser. Try again.",
  FAILED_TO_VERIFY_REGISTRATION: "The passkey is not valid for this address. Try again.",
  PREVIOUSLY_REGISTERED: "This passkey is already registered.",
  PASSKEY_NOT_FOUND: "This passkey is unknown or was removed. Sign in with your password.",
  AUTHENTICATION_FAILED: "The passkey's signature is invalid. Try again, or sign in with your password.",
  USER_NOT_VERIFIED: "The passkey did not verify you with a PIN, a fingerprint or a face. Use one that does.",
};

/** Returns the message for an error code of the library. */
export function passkeyMessage(code: unknown): string | undefined {
  return typeof code === "string" && Object.hasOwn(MESSAGES, code) ? MESSAGES[code] : undefined;
}

/** Returns a person's passkeys, the oldest first. */
export function passkeysOf(db: Database, userId: string) {
  return db
    .select({ id: passkeys.id, name: passkeys.name, createdAt: passkeys.createdAt })
    .from(passkeys)
    .where(eq(passkeys.userId, userId))
    .orderBy(asc(passkeys.createdAt), asc(passkeys.id));
}

/** Returns one of a person's passkeys by its credential id. */
export async function findPasskey(db: Database, userId: string, credentialId: string) {
  const [row] = await db
    .select({ id: passkeys.id, name: passkeys.name, createdAt: passkeys.createdAt })
    .from(passkeys)
    .where(and(eq(passkeys.userId, userId), eq(passkeys.credentialId, credentialId)));
  return row;
}

/** Removes a passkey. @returns false when the person has no such passkey */
export async function removePasskey(
  db: Database,
  removal: {
    readonly userId: string;
    readonly id: string;
    readonly address: string;
    readonly now: number;
  },
): Promise<boolean> {
  const { userId, id, address, now } = removal;
  const [removed] = await db.batch([
    db
      .delete(passkeys)
      .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)))
      .returning({ id: passkeys.id }),
    personEntry(db, {
      userId,
      action: "person.passkey_removed",
      address,
      now,
      condition: sql`changes() > 0`,
    }),
  ]);
  return removed.length === 1;
}
