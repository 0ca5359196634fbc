import { inArray, lte, sql } from "drizzle-orm";
import { attempts, type Database } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../sha256.ts";

/**
 * How often a password or a passkey may be tried, a link asked for, or somebody invited. Counted by what was typed,
 * whether or not there is such a person, so that a refusal tells nothing about that.
 */
const WINDOW_SECONDS = 15 * 60;
const LIMITS = {
  /** One address with one email, or passkey: a person who cannot remember. */
  pair: 10,
  /** One address with all of them: a program that goes through a list. */
  address: 60,
  /** One of them from all addresses: many machines after one person. */
  who: 100,
} as const;

export interface Attempt {
  /** What is attempted: each is counted for itself. */
  readonly purpose: "sign-in" | "passkey" | "reset" | "password" | "invitation";
  /** An email as it was typed, or the id of a passkey. */
  readonly who: string;
  /** Of the network; empty when the platform does not say. */
  readonly address: string;
}

/** Counts an attempt before it is looked at; refuses it when there were too many. */
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
  const over = Object.entries(LIMITS).flatMap(([name, limit]) =>
    counted.filter(({ key, count }) => key === keys[name as keyof typeof LIMITS] && count > limit),
  );
  if (over.length === 0) return;
  const seconds = Math.ceil((Math.max(...over.map((row) => row.resetsAt)) - now) / 1000);
  throw new Refusal("too_many_attempts", `Too many attempts; try again in ${seconds} seconds.`, {
    "Retry-After": String(seconds),
  });
}

/** After a success: what was mistyped before is forgotten. */
export async function forgiveAttempts(db: Database, attempt: Attempt): Promise<void> {
  const { pair, who } = await keysOf(attempt);
  await db.delete(attempts).where(inArray(attempts.key, [pair, who]));
}

/** Removes counts that no longer count. */
export async function sweepAttempts(db: Database, now: number): Promise<void> {
  await db.delete(attempts).where(lte(attempts.resetsAt, now));
}

/** Hashed: nobody reads from the table who tried to sign in. */
async function keysOf({ purpose, who, address }: Attempt) {
  const key = (kind: string, ...parts: string[]) =>
    sha256(new TextEncoder().encode(JSON.stringify([purpose, kind, ...parts])));
  const typed = who.trim().toLowerCase();
  return {
    pair: await key("pair", typed, address),
    address: await key("address", address),
    who: await key("who", typed),
  };
}
