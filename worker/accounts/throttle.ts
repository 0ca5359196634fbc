import { and, gt, gte, inArray, lte, or, sql } from "drizzle-orm";
import { deleteSome } from "../db/delete-some.ts";
import { insertSelect } from "../db/insert-select.ts";
import { attempts, type Database } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { networkOf } from "../http/address.ts";
import { sha256 } from "../sha256.ts";

/**
 * Limits of attempts to sign in, to have a link sent, and to invite. What was typed is counted, whether or not such a
 * person exists, so that a refusal does not tell. A refused attempt is not counted, and so takes nothing from others.
 */
const WINDOW_SECONDS = 15 * 60;
const LIMITS = {
  /** Limit per source and subject: a person who has forgotten a password. */
  pair: 10,
  /** Limit per source for all subjects: a program that tries a list. */
  source: 60,
  /** Limit per subject for all sources: many machines that attack one person. */
  subject: 100,
} as const;
type Limit = keyof typeof LIMITS;

/**
 * Where attempts come from. A device that has signed in to the account before, and a session, have only the limit per
 * pair: attacks from elsewhere on its person or its network do not lock it out.
 */
const LIMITED_BY = {
  network: ["pair", "source", "subject"],
  person: ["pair", "source", "subject"],
  device: ["pair"],
  session: ["pair"],
} as const satisfies Record<string, readonly Limit[]>;

export interface Attempt {
  /** Each purpose is counted separately. */
  readonly purpose: "sign-in" | "passkey" | "reset" | "password" | "invitation";
  /** An email as it was typed, or the id of a passkey or a person. */
  readonly subject: string;
  /** The id of the source; of a network, an address in it, empty when the platform does not tell. */
  readonly source: { readonly kind: keyof typeof LIMITED_BY; readonly id: string };
}

/**
 * Counts an attempt, before its outcome is known.
 *
 * @throws Refusal `too_many_attempts`
 */
export async function countAttempt(db: Database, attempt: Attempt, now: number): Promise<void> {
  const keys = await keysOf(attempt);
  const resetsAt = now + WINDOW_SECONDS * 1000;
  const isUsedUp = and(
    gt(attempts.resetsAt, now),
    or(
      ...keys.map(
        ({ limit, key }) => sql`${attempts.key} = ${key} AND ${gte(attempts.count, LIMITS[limit])}`,
      ),
    ),
  );
  const usedUp = db.select({ resetsAt: attempts.resetsAt }).from(attempts).where(isUsedUp);
  const [refusing] = await db.batch([
    usedUp,
    insertSelect(
      db,
      attempts,
      { key: sql`value`, count: 1, resetsAt },
      sql`FROM json_each(${JSON.stringify(keys.map(({ key }) => key))}) WHERE NOT EXISTS ${usedUp}`,
    ).onConflictDoUpdate({
      target: attempts.key,
      set: {
        count: sql`CASE WHEN ${attempts.resetsAt} <= ${now} THEN 1 ELSE ${attempts.count} + 1 END`,
        resetsAt: sql`CASE WHEN ${attempts.resetsAt} <= ${now} THEN ${resetsAt} ELSE ${attempts.resetsAt} END`,
      },
    }),
  ]);
  if (refusing.length === 0) return;
  const seconds = Math.ceil((Math.max(...refusing.map((row) => row.resetsAt)) - now) / 1000);
  throw new Refusal("too_many_attempts", `Too many attempts. Try again in ${seconds} s.`, {
    "Retry-After": String(seconds),
  });
}

/** Takes a counted attempt back after its success, and resets the count of its source and subject. */
export async function forgiveAttempt(db: Database, attempt: Attempt): Promise<void> {
  const keys = await keysOf(attempt);
  const [own, shared] = [true, false].map((isOwn) =>
    keys.filter(({ limit }) => (limit === "pair") === isOwn).map(({ key }) => key),
  );
  const forgotten = db.delete(attempts).where(inArray(attempts.key, own));
  const takenBack = db
    .update(attempts)
    .set({ count: sql`max(0, ${attempts.count} - 1)` })
    .where(inArray(attempts.key, shared));
  await db.batch(shared.length > 0 ? [forgotten, takenBack] : [forgotten]);
}

/** Deletes expired counts. */
export async function sweepAttempts(db: Database, now: number): Promise<void> {
  await deleteSome(db, attempts, lte(attempts.resetsAt, now));
}

/** Returns hashes: the table must not tell who tried to sign in. */
function keysOf({ purpose, subject, source }: Attempt): Promise<{ limit: Limit; key: string }[]> {
  const typed = subject.trim().toLowerCase();
  const from = [source.kind, source.kind === "network" ? networkOf(source.id) : source.id];
  const parts = { pair: [typed, ...from], source: from, subject: [typed] };
  const keys = LIMITED_BY[source.kind].map(async (limit) => ({
    limit,
    key: await sha256(new TextEncoder().encode(JSON.stringify([purpose, limit, ...parts[limit]]))),
  }));
  return Promise.all(keys);
}
