import { and, asc, desc, eq, exists, gt, lte, ne, notInArray, sql } from "drizzle-orm";
import { deleteSome } from "../db/delete-some.ts";
import { companies, type Database, members, sessions } from "../db/tables.ts";

/** Sessions of one person. A sign-in above that ends the one that was used least recently. */
export const MAX_SESSIONS = 50;

/** Longest recorded User-Agent, in characters. */
export const MAX_USER_AGENT_LENGTH = 300;

/** Ends the sessions of a person above `MAX_SESSIONS`, but never the one that has just begun. */
export async function endOldestSessions(
  db: Database,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<void> {
  const others = and(eq(sessions.userId, userId), ne(sessions.id, id));
  const newest = db
    .select({ id: sessions.id })
    .from(sessions)
    .where(others)
    .orderBy(desc(sessions.updatedAt), desc(sessions.createdAt), asc(sessions.id))
    .limit(MAX_SESSIONS - 1);
  await db.delete(sessions).where(and(others, notInArray(sessions.id, newest)));
}

/** Deletes expired sessions. */
export async function sweepSessions(db: Database, now: number): Promise<void> {
  await deleteSome(db, sessions, lte(sessions.expiresAt, new Date(now)));
}

/** Returns a person's sessions that have not expired, the most recently used first. */
export function sessionsOf(db: Database, userId: string, now: number) {
  return db
    .select({
      id: sessions.id,
      ipAddress: sessions.ipAddress,
      userAgent: sessions.userAgent,
      createdAt: sessions.createdAt,
      updatedAt: sessions.updatedAt,
      expiresAt: sessions.expiresAt,
    })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, new Date(now))))
    .orderBy(desc(sessions.updatedAt), asc(sessions.id));
}

/** Ends a session. @returns false when the person has no such session */
export async function endSession(db: Database, userId: string, id: string): Promise<boolean> {
  const ended = await db
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), eq(sessions.id, id)))
    .returning({ id: sessions.id });
  return ended.length === 1;
}

/**
 * Selects the company that a session's requests are about.
 *
 * @returns the company; undefined when the person is not a member of it, and nothing was changed
 */
export async function selectCompany(
  db: Database,
  person: { readonly id: string; readonly sessionId: string },
  companyId: string,
): Promise<{ id: string; name: string } | undefined> {
  const isMember = exists(
    db
      .select({ one: sql`1` })
      .from(members)
      .where(and(eq(members.userId, person.id), eq(members.companyId, companyId))),
  );
  const [, [company]] = await db.batch([
    db
      .update(sessions)
      .set({ activeCompanyId: companyId })
      .where(and(eq(sessions.id, person.sessionId), isMember)),
    db
      .select({ id: companies.id, name: companies.name })
      .from(companies)
      .where(and(eq(companies.id, companyId), isMember)),
  ]);
  return company;
}

/** Leaves a session without a company. */
export async function unselectCompany(db: Database, sessionId: string): Promise<void> {
  await db.update(sessions).set({ activeCompanyId: null }).where(eq(sessions.id, sessionId));
}
