import { and, eq, exists, gt, type SQL, sql } from "drizzle-orm";
import { personEntry } from "../audit/log.ts";
import { accounts, type Database, passkeys, sessions, users, verifications } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { hashToken, newToken } from "../token.ts";
import type { Mail } from "./mailer.ts";
import { deleteResets, isPasswordOf, RESET_PREFIX } from "./people.ts";

/**
 * Links to a new password. A person may have several, which all end when the password changes. The table holds the
 * hashes of their tokens, beside the challenges of passkeys.
 */

const RESET_MILLISECONDS = 3_600_000;

/** Returns the email with a new link; undefined when the address has no account. */
export async function newResetMail(
  db: Database,
  { email, origin, now }: { readonly email: string; readonly origin: string; readonly now: number },
): Promise<Mail | undefined> {
  const [person] = await db
    .select({ id: users.id, name: users.name })
    .from(users)
    .where(eq(users.email, email));
  if (!person) return undefined;
  const { token, hash } = await newToken();
  const createdAt = new Date(now);
  await db.insert(verifications).values({
    id: crypto.randomUUID(),
    identifier: RESET_PREFIX + hash,
    value: person.id,
    expiresAt: new Date(now + RESET_MILLISECONDS),
    createdAt,
    updatedAt: createdAt,
  });
  return {
    to: email,
    subject: "Reset your Vivimark password",
    body: `Hello ${person.name},\n\nWe received a request to reset the password for this email address. Choose a new password within one hour:\n\n${origin}/reset-password#${token}\n\nIf you did not request this, ignore this email. Your password stays the same.\n`,
  };
}

/** A link that can be used. */
export interface OpenReset {
  readonly hash: string;
  readonly userId: string;
  readonly name: string;
  readonly email: string;
}

/**
 * Returns the reset that a link's token opens.
 *
 * @throws Refusal `invalid_input`
 */
export async function openReset(db: Database, token: string, now: number): Promise<OpenReset> {
  const hash = await hashToken(token);
  const [row] = await db
    .select({ userId: users.id, name: users.name, email: users.email })
    .from(verifications)
    .innerJoin(users, eq(users.id, verifications.value))
    .where(isOpen(hash, now));
  if (!row) throw resetGone();
  return { hash, ...row };
}

/**
 * Replaces the password. Everyone who had access to the account loses it: all sessions and passkeys end, and so do
 * all other links. The link proves that the address is the person's.
 *
 * @throws Refusal `invalid_input` when the link was used at the same moment
 */
export async function resetPassword(
  db: Database,
  reset: {
    readonly opened: OpenReset;
    readonly passwordHash: string;
    readonly address: string;
    readonly now: number;
  },
): Promise<void> {
  const { opened, passwordHash, address, now } = reset;
  const { hash, userId } = opened;
  const isOpenStill = exists(db.select({ one: sql`1` }).from(verifications).where(isOpen(hash, now)));
  const isReset = exists(
    db
      .select({ one: sql`1` })
      .from(accounts)
      .where(and(isPasswordOf(userId), eq(accounts.password, passwordHash))),
  );
  const [changed] = await db.batch([
    db
      .update(accounts)
      .set({ password: passwordHash, updatedAt: new Date(now) })
      .where(and(isPasswordOf(userId), isOpenStill))
      .returning({ id: accounts.id }),
    personEntry(db, { userId, action: "person.password_reset", address, now, condition: isReset }),
    db.delete(sessions).where(and(eq(sessions.userId, userId), isReset)),
    db.delete(passkeys).where(and(eq(passkeys.userId, userId), isReset)),
    db
      .update(users)
      .set({ emailVerified: true })
      .where(and(eq(users.id, userId), isReset)),
    deleteResets(db, userId, isReset),
  ]);
  if (changed.length === 0) throw resetGone();
}

function isOpen(hash: string, now: number): SQL | undefined {
  return and(eq(verifications.identifier, RESET_PREFIX + hash), gt(verifications.expiresAt, new Date(now)));
}

function resetGone(): Refusal {
  return new Refusal(
    "invalid_input",
    "This link was used, has expired, or ended when the password changed. Request a new one.",
  );
}
