import { and, asc, desc, eq, exists, gt, sql } from "drizzle-orm";
import { companies, type Database, members, sessions } from "../db/tables.ts";

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
