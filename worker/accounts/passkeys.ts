import { and, asc, eq, sql } from "drizzle-orm";
import { personEntry } from "../audit/log.ts";
import { type Database, passkeys } from "../db/tables.ts";
import { Refusal } from "../errors.ts";

/** What people sign in with in the place of a password. The ceremonies are better-auth's (worker/accounts/auth.ts). */

/** Where a passkey signs in, under /api/auth. */
export const PASSKEY_SIGN_IN = "/passkey/verify-authentication";

/** A passkey belongs to the name of a host (WebAuthn's RP ID), and a number is none. */
export function assertPasskeys(origin: string): void {
  const { protocol, hostname, host, port } = new URL(origin);
  if (!/^\[|^\d+(\.\d+){3}$/.test(hostname)) return;
  const isHere = hostname === "127.0.0.1" || hostname === "[::1]";
  const instead = isHere ? `${protocol}//localhost${port && `:${port}`}` : "Vivimark by its name";
  throw new Refusal(
    "no_passkeys_here",
    `A passkey belongs to a name, and ${host} is a number; open ${instead}.`,
  );
}

/** The library's reasons that a person may meet, for them to read. */
const SENTENCES: Readonly<Record<string, string>> = {
  CHALLENGE_NOT_FOUND: "That took longer than five minutes, or was begun in another browser; try again.",
  FAILED_TO_VERIFY_REGISTRATION: "What came is no new passkey for this address; try again.",
  PREVIOUSLY_REGISTERED: "This passkey is in use already.",
  PASSKEY_NOT_FOUND: "This passkey is not known here, or no longer; sign in with your password.",
  AUTHENTICATION_FAILED:
    "The passkey's signature is not valid here; try again, or sign in with your password.",
  USER_NOT_VERIFIED:
    "The passkey did not ask who you are, by a PIN, a fingerprint or a face; expected one that does.",
};

/** @param code the library's */
export function sentenceOf(code: unknown): string | undefined {
  return typeof code === "string" && Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
}

/** A person's passkeys, the oldest first. */
export function passkeysOf(db: Database, userId: string) {
  return db
    .select({ id: passkeys.id, name: passkeys.name, createdAt: passkeys.createdAt })
    .from(passkeys)
    .where(eq(passkeys.userId, userId))
    .orderBy(asc(passkeys.createdAt), asc(passkeys.id));
}

/** One of a person's passkeys, by what their device calls it. */
export async function findPasskey(db: Database, userId: string, credentialId: string) {
  const [row] = await db
    .select({ id: passkeys.id, name: passkeys.name, createdAt: passkeys.createdAt })
    .from(passkeys)
    .where(and(eq(passkeys.userId, userId), eq(passkeys.credentialId, credentialId)));
  return row;
}

/** @returns false when the person has no such passkey */
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
      ...{ userId, action: "person.passkey_removed", address, now },
      condition: sql`changes() > 0`,
    }),
  ]);
  return removed.length === 1;
}
