import { and, eq, lte, sql } from "drizzle-orm";
import { sha256 } from "../sha256.ts";
import { type Database, idempotencyKeys } from "./tables.ts";

/**
 * What makes a request that is sent again harmless: the first that brings a key does the work under a lease,
 * and its answer is kept for whoever brings the key again. When it dies on the way, the next one takes its
 * work over under the same id, and so finds what it made. Times are milliseconds since 1970.
 */

/** Twice as long as a client should go on trying. */
const KEPT_MILLISECONDS = 24 * 3_600_000;

const LEASE_MILLISECONDS = 60_000;
/** How often whoever works prolongs its lease. */
export const PROLONG_MILLISECONDS = 20_000;

/** Of a request that creates something. */
export interface Creation {
  /** The id of what it makes. The same for every request with the same Idempotency-Key. */
  readonly id: string;
  /** A request with this key died half way: what it made may be there already, under this id. */
  readonly isRepeated: boolean;
}

/** Of a request without a key. */
export function newCreation(): Creation {
  return { id: crypto.randomUUID(), isRepeated: false };
}

/** Whose a key is: elsewhere the same key is another one. */
export type KeyOwner =
  | { readonly companyId: string; readonly userId?: string }
  | { readonly companyId?: string; readonly userId: string };

/** The right to work under a key. */
export interface Held extends Creation {
  /** Of the row; not of what is made. */
  readonly rowId: string;
  readonly lease: string;
}

export type Claim =
  | { readonly kind: "held"; readonly held: Held }
  | { readonly kind: "running"; readonly until: number }
  | {
      readonly kind: "answered";
      readonly rowId: string;
      readonly fingerprint: string;
      readonly answer: string;
    };

/**
 * The first with this key gets to work, and so does the next after one that went silent.
 *
 * @param route what is asked, such as `POST /api/ar-content`: elsewhere the same key is another one
 */
export async function claim(
  db: Database,
  { companyId, userId }: KeyOwner,
  route: string,
  key: string,
  now: number,
): Promise<Claim> {
  const whose = [userId, companyId].filter((id) => id !== undefined);
  const rowId = await sha256(new TextEncoder().encode(JSON.stringify([...whose, route, key])));
  const lease = crypto.randomUUID();
  const leaseExpiresAt = now + LEASE_MILLISECONDS;
  const [, [mine], [row]] = await db.batch([
    db.delete(idempotencyKeys).where(and(eq(idempotencyKeys.id, rowId), lte(idempotencyKeys.expiresAt, now))),
    db
      .insert(idempotencyKeys)
      .values({
        id: rowId,
        companyId,
        userId,
        creationId: crypto.randomUUID(),
        lease,
        leaseExpiresAt,
        runs: 1,
        expiresAt: now + KEPT_MILLISECONDS,
      })
      .onConflictDoUpdate({
        target: idempotencyKeys.id,
        set: { lease, leaseExpiresAt, runs: sql`${idempotencyKeys.runs} + 1` },
        setWhere: lte(idempotencyKeys.leaseExpiresAt, now),
      })
      .returning(),
    db.select().from(idempotencyKeys).where(eq(idempotencyKeys.id, rowId)),
  ]);
  if (mine) {
    return { kind: "held", held: { rowId, lease, id: mine.creationId, isRepeated: mine.runs > 1 } };
  }
  const { answer, fingerprint, leaseExpiresAt: until } = row;
  if (answer !== null && fingerprint !== null) return { kind: "answered", rowId, fingerprint, answer };
  return { kind: "running", until: until ?? now };
}

function isMine({ rowId, lease }: Held) {
  return and(eq(idempotencyKeys.id, rowId), eq(idempotencyKeys.lease, lease));
}

/** Still at work. */
export async function prolong(db: Database, held: Held, now: number): Promise<void> {
  await db
    .update(idempotencyKeys)
    .set({ leaseExpiresAt: now + LEASE_MILLISECONDS })
    .where(isMine(held));
}

/**
 * Notes what was asked, unless an earlier request with this key did.
 *
 * @returns what was asked first; undefined when the lease is lost
 */
export async function noteFingerprint(
  db: Database,
  held: Held,
  fingerprint: string,
): Promise<string | null | undefined> {
  const [row] = await db
    .update(idempotencyKeys)
    .set({ fingerprint: sql`coalesce(${idempotencyKeys.fingerprint}, ${fingerprint})` })
    .where(isMine(held))
    .returning({ fingerprint: idempotencyKeys.fingerprint });
  return row?.fingerprint;
}

/** The end: from now on this is the answer. */
export async function keepAnswer(db: Database, held: Held, answer: string): Promise<void> {
  await db.update(idempotencyKeys).set({ answer, lease: null, leaseExpiresAt: null }).where(isMine(held));
}

/** Nothing was made, and nothing is known of the key any more. */
export async function forget(db: Database, held: Held): Promise<void> {
  await db.delete(idempotencyKeys).where(isMine(held));
}

/** Whether something was made is not known: the next request with this key finds out. */
export async function leave(db: Database, held: Held, now: number): Promise<void> {
  await db.update(idempotencyKeys).set({ leaseExpiresAt: now }).where(isMine(held));
}

export async function sweepKeys(db: Database, now: number): Promise<void> {
  await db.delete(idempotencyKeys).where(lte(idempotencyKeys.expiresAt, now));
}
