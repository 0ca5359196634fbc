import { inArray, lte, sql } from "drizzle-orm";
import { attempts, type Database } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../sha256.ts";

/**
 * Limits of attempts to sign in, to have a link sent, and to invite. What was typed is counted, whether or not such a
 * person exists, so that a refusal does not tell.
 */
const WINDOW_SECONDS = 15 * 60;
const LIMITS = {
  /** Limit per network address and subject: a person who has forgotten a password. */
  pair: 10,
  /** Limit per network address for all subjects: a program that tries a list. */
  address: 60,
  /** Limit per subject for all network addresses: many machines that attack one person. */
  subject: 100,
} as const;

export interface Attempt {
  /** Each purpose is counted separately. */
  readonly purpose: "sign-in" | "passkey" | "reset" | "password" | "invitation";
  /** An email as it was typed, or the id of a passkey. */
  readonly subject: string;
  /** The network address; empty when the platform does not tell. */
  readonly address: string;
}

/**
 * Counts an attempt, before its outcome is known.
 *
 * @throws Refusal `too_many_attempts`
 */
export async function countAttempt(db: Database, attempt: Attempt, now: number): Promise<void> {
  const keys = await keysOf(attempt);
  const resetsAt = now + WINDOW_SECONDS * 1000;
  const counted = await db
    .insert(attempts)
    .values(Object.values(keys).map((key) => ({ key, count: 1, resetsAt })))
    .onConflictDoUpdate({
      target: attempts.key,
      set: {
        count: sql`CASE WHEN ${attempts.resetsAt} <= ${now} THEN 1 ELSE ${attempts.count} + 1 END`,
        resetsAt: sql`CASE WHEN ${attempts.resetsAt} <= ${now} THEN ${resetsAt} ELSE ${attempts.resetsAt} END`,
      },
    })
    .returning();
  const exceeded = Object.entries(LIMITS).flatMap(([name, limit]) =>
    counted.filter(({ key, count }) => key === keys[name as keyof typeof LIMITS] && count > limit),
  );
  if (exceeded.length === 0) return;
  const seconds = Math.ceil((Math.max(...exceeded.map((row) => row.resetsAt)) - now) / 1000);
  throw new Refusal("too_many_attempts", `Too many attempts. Try again in ${seconds} s.`, {
    "Retry-After": String(seconds),
  });
}

/** Resets the counts after a success. The count of the network address stays. */
export async function forgiveAttempts(db: Database, attempt: Attempt): Promise<void> {
  const { pair, subject } = await keysOf(attempt);
  await db.delete(attempts).where(inArray(attempts.key, [pair, subject]));
}

/** Deletes expired counts. */
export async function sweepAttempts(db: Database, now: number): Promise<void> {
  await db.delete(attempts).where(lte(attempts.resetsAt, now));
}

/** Returns hashes: the table must not tell who tried to sign in. */
async function keysOf({ purpose, subject, address }: Attempt) {
  const key = (kind: string, ...parts: string[]) =>
    sha256(new TextEncoder().encode(JSON.stringify([purpose, kind, ...parts])));
  const typed = subject.trim().toLowerCase();
  return {
    pair: await key("pair", typed, address),
    address: await key("address", address),
    subject: await key("subject", typed),
  };
}
