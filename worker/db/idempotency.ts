import { and, eq, lte, sql } from "drizzle-orm";
import { sha256 } from "../sha256.ts";
import { deleteSome } from "./delete-some.ts";
import { insertIf } from "./insert-if.ts";
import { type Database, idempotencyKeys, usageCounts } from "./tables.ts";
import { countOfRows } from "./usage-counts.ts";

/**
 * Idempotency keys: the first request with a key works under a lease, and its response is kept for later requests with
 * the key. When that request dies, the next one continues under the same creation id, and so finds what was created.
 * Times are milliseconds since 1970.
 */

/** Twice as long as a client should go on retrying. */
const RETENTION_MILLISECONDS = 24 * 3_600_000;

/** Keys of one company that are kept at the same time. */
export const MAX_KEYS = 50_000;
/** The same for a person's own requests, which belong to no company: there are few such routes. */
export const MAX_KEYS_OF_PERSON = 1000;

/** Bytes of all responses of one company that are kept at the same time, as they are stored. */
export const MAX_KEPT_BYTES = 16_000_000;

const LEASE_MILLISECONDS = 60_000;
/** Interval in which a running request extends its lease. */
export const EXTEND_MILLISECONDS = 20_000;

/** The object that a request creates. */
export interface Creation {
  /** The id of the new object, the same for every request with the same Idempotency-Key. */
  readonly id: string;
  /** An earlier request with this key was interrupted, so that an object with this id may exist. */
  readonly isRepeated: boolean;
  /**
   * What the handler of the first request set as `summary`. The request has succeeded, and its handler only repeats
   * the response.
   */
  readonly summary?: string;
}

/** Returns the creation of a request without a key. */
export function newCreation(): Creation {
  return { id: crypto.randomUUID(), isRepeated: false };
}

/** Returns another id that follows from the id of a creation, the same each time the same Idempotency-Key is sent. */
export async function derivedId(creationId: string, name: string | number): Promise<string> {
  const hash = await sha256(new TextEncoder().encode(`${creationId}/${name}`));
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`];
  return [...parts, hash.slice(20, 32)].join("-");
}

/** A person or an API key, and the company of the request if it has one. Keys are separate for each owner. */
export type KeyOwner =
  | { readonly companyId?: string; readonly userId: string; readonly apiKeyId?: undefined }
  | { readonly companyId: string; readonly userId?: undefined; readonly apiKeyId: string };

/** The lease of a key. */
export interface KeyLease extends Creation {
  /** The id of the key's row, not of the object. */
  readonly rowId: string;
  readonly lease: string;
}

export type Claim =
  | { readonly kind: "leased"; readonly lease: KeyLease }
  | { readonly kind: "running"; readonly until: number }
  /** The owner has as many keys as are kept at the same time. */
  | { readonly kind: "full"; readonly max: number }
  | {
      readonly kind: "answered";
      readonly rowId: string;
      /** The id of the object that the first request created. */
      readonly creationId: string;
      readonly fingerprint: string;
      readonly answer: string;
    };

/** Leases a key to the first request, and to the next one after a lease has expired. */
export async function claim(
  db: Database,
  request: {
    readonly owner: KeyOwner;
    /** Such as `POST /api/ar-content`. Keys are separate for each route. */
    readonly route: string;
    readonly key: string;
    readonly now: number;
  },
): Promise<Claim> {
  const { owner, route, key, now } = request;
  const { companyId, userId, apiKeyId } = owner;
  const ids = [userId ?? apiKeyId, companyId].filter((id) => id !== undefined);
  const rowId = await sha256(new TextEncoder().encode(JSON.stringify([...ids, route, key])));
  const lease = crypto.randomUUID();
  const leaseExpiresAt = now + LEASE_MILLISECONDS;
  const max = companyId === undefined ? MAX_KEYS_OF_PERSON : MAX_KEYS;
  const hasRoom = sql`${countOfRows(companyId ?? userId ?? "", "idempotency_keys")} < ${max}`;
  const isKnown = sql`EXISTS (SELECT 1 FROM ${idempotencyKeys} WHERE ${eq(idempotencyKeys.id, rowId)})`;
  const [, [mine], [row]] = await db.batch([
    db.delete(idempotencyKeys).where(and(eq(idempotencyKeys.id, rowId), lte(idempotencyKeys.expiresAt, now))),
    insertIf(
      db,
      idempotencyKeys,
      {
        id: rowId,
        companyId,
        userId,
        creationId: crypto.randomUUID(),
        lease,
        leaseExpiresAt,
        runs: 1,
        expiresAt: now + RETENTION_MILLISECONDS,
      },
      sql`(${hasRoom} OR ${isKnown})`,
    )
      .onConflictDoUpdate({
        target: idempotencyKeys.id,
        set: { lease, leaseExpiresAt, runs: sql`${idempotencyKeys.runs} + 1` },
        setWhere: lte(idempotencyKeys.leaseExpiresAt, now),
      })
      .returning(),
    db.select().from(idempotencyKeys).where(eq(idempotencyKeys.id, rowId)),
  ]);
  if (mine) {
    const { creationId: id, runs } = mine;
    return { kind: "leased", lease: { rowId, lease, id, isRepeated: runs > 1 } };
  }
  if (!row) return { kind: "full", max };
  const { answer, creationId, fingerprint, leaseExpiresAt: until } = row;
  if (answer !== null && fingerprint !== null) {
    return { kind: "answered", rowId, creationId, fingerprint, answer };
  }
  return { kind: "running", until: until ?? now };
}

function isLeasedBy({ rowId, lease }: KeyLease) {
  return and(eq(idempotencyKeys.id, rowId), eq(idempotencyKeys.lease, lease));
}

/** Extends a lease. */
export async function extendLease(db: Database, lease: KeyLease, now: number): Promise<void> {
  await db
    .update(idempotencyKeys)
    .set({ leaseExpiresAt: now + LEASE_MILLISECONDS })
    .where(isLeasedBy(lease));
}

/**
 * Saves the fingerprint of a request, unless an earlier request with this key has saved one.
 *
 * @returns the saved fingerprint; undefined when the lease is lost
 */
export async function saveFingerprint(
  db: Database,
  lease: KeyLease,
  fingerprint: string,
): Promise<string | null | undefined> {
  const [row] = await db
    .update(idempotencyKeys)
    .set({ fingerprint: sql`coalesce(${idempotencyKeys.fingerprint}, ${fingerprint})` })
    .where(isLeasedBy(lease))
    .returning({ fingerprint: idempotencyKeys.fingerprint });
  return row?.fingerprint;
}

/**
 * Saves the response for later requests with the key, and ends the lease.
 *
 * @param short is saved instead when the owner's responses have `MAX_KEPT_BYTES`
 */
export async function saveAnswer(
  db: Database,
  lease: KeyLease,
  { answer, short }: { readonly answer: string; readonly short: string },
): Promise<void> {
  const ownerId = sql`coalesce(${idempotencyKeys.companyId}, ${idempotencyKeys.userId})`;
  const kept = sql`(SELECT ${usageCounts.byteCount} FROM ${usageCounts}
    WHERE ${usageCounts.ownerId} = ${ownerId} AND ${eq(usageCounts.kind, "idempotency_keys")})`;
  await db
    .update(idempotencyKeys)
    .set({
      answer: sql`CASE WHEN ${kept} + ${answer.length} <= ${MAX_KEPT_BYTES} THEN ${answer} ELSE ${short} END`,
      lease: null,
      leaseExpiresAt: null,
    })
    .where(isLeasedBy(lease));
}

/** Deletes a key whose request created nothing. */
export async function deleteKey(db: Database, lease: KeyLease): Promise<void> {
  await db.delete(idempotencyKeys).where(isLeasedBy(lease));
}

/** Ends a lease early, when it is unknown whether the object was created. The next request with the key finds out. */
export async function expireLease(db: Database, lease: KeyLease, now: number): Promise<void> {
  await db.update(idempotencyKeys).set({ leaseExpiresAt: now }).where(isLeasedBy(lease));
}

/** Deletes expired keys. */
export async function sweepKeys(db: Database, now: number): Promise<void> {
  await deleteSome(db, idempotencyKeys, lte(idempotencyKeys.expiresAt, now));
}
