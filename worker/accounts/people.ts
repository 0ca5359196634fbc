import { and, asc, desc, eq, exists, gt, inArray, lte, ne, not, type SQL, sql } from "drizzle-orm";
import { Audit, noteOfPerson } from "../audit/log.ts";
import { searchable } from "../content/store.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import {
  accounts,
  companies,
  type Database,
  invitations,
  members,
  projects,
  sessions,
  users,
  verifications,
} from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { verifyPassword } from "./passwords.ts";
import type { Role } from "./permissions.ts";
import { countAttempt, forgiveAttempts } from "./throttle.ts";

/** How people and companies come into being: each in one transaction that says what it depends on. */

/** Companies that one person owns: each has quotas of its own. */
export const MAX_COMPANIES = 20;

export interface NewPerson {
  readonly name: string;
  readonly email: string;
  /** Hashed. */
  readonly password: string;
}

/** Whether nobody has set the platform up yet. */
export async function isSetUpOpen(db: Database): Promise<boolean> {
  const rows = await db.select({ id: users.id }).from(users).limit(1);
  return rows.length === 0;
}

/**
 * The first person becomes the owner of a company that is there, with everything in it, and names it. Of
 * several at once, one.
 *
 * @returns false when somebody was first
 */
export async function setUp(
  db: Database,
  owner: NewPerson,
  company: { readonly id: string; readonly name: string },
  address: string,
  now: number,
): Promise<boolean> {
  const nobody = not(exists(db.select({ one: sql`1` }).from(users)));
  const { id, statements } = joining(
    db,
    owner,
    { companyId: company.id, role: "owner" },
    nobody,
    address,
    now,
  );
  const [, , joined] = await db.batch([
    ...statements,
    db
      .update(companies)
      .set({ name: company.name, updatedAt: now })
      .where(
        and(
          eq(companies.id, company.id),
          exists(db.select({ one: sql`1` }).from(users).where(eq(users.id, id))),
        ),
      ),
  ]);
  return joined.length === 1;
}

/** An invitation that can be accepted, and whether the invited person has an account already. */
export async function findInvitation(db: Database, id: string, now: number) {
  const [row] = await db
    .select({
      email: invitations.email,
      role: invitations.role,
      expiresAt: invitations.expiresAt,
      companyId: invitations.companyId,
      company: companies.name,
      inviter: sql<string>`(SELECT name FROM users WHERE users.id = ${invitations.inviterId})`,
      userId: users.id,
    })
    .from(invitations)
    .innerJoin(companies, eq(companies.id, invitations.companyId))
    .leftJoin(users, eq(users.email, invitations.email))
    .where(isPending(id, now));
  return row;
}

/**
 * A person who has no account yet follows an invitation; that they have its link shows that the address is
 * theirs.
 *
 * @returns false when the invitation is no longer good, or the address has an account
 */
export async function acceptAsNewPerson(
  db: Database,
  invitationId: string,
  join: { readonly companyId: string; readonly role: Role },
  person: NewPerson,
  address: string,
  now: number,
): Promise<boolean> {
  const isInvited = exists(db.select({ one: sql`1` }).from(invitations).where(isPending(invitationId, now)));
  const hasAccount = exists(db.select({ one: sql`1` }).from(users).where(eq(users.email, person.email)));
  const invited = sql`${isInvited} AND NOT ${hasAccount}`;
  const { id, statements } = joining(db, person, join, invited, address, now);
  const [, , joined] = await db.batch([
    ...statements,
    db
      .update(invitations)
      .set({ status: "accepted" })
      .where(
        and(
          eq(invitations.id, invitationId),
          exists(db.select({ one: sql`1` }).from(users).where(eq(users.id, id))),
        ),
      ),
  ]);
  return joined.length === 1;
}

function isPending(id: string, now: number): SQL | undefined {
  return and(
    eq(invitations.id, id),
    eq(invitations.status, "pending"),
    gt(invitations.expiresAt, new Date(now)),
  );
}

/** The statements that make a person with a password and a membership, all or none, if `condition` holds. */
function joining(
  db: Database,
  { name, email, password }: NewPerson,
  { companyId, role }: { readonly companyId: string; readonly role: Role },
  condition: SQL,
  address: string,
  now: number,
) {
  const id = crypto.randomUUID();
  const createdAt = new Date(now);
  const person = { id, name, email, emailVerified: true, createdAt, updatedAt: createdAt };
  const fromPerson = sql`FROM ${users} WHERE ${eq(users.id, id)}`;
  const audit = new Audit(db, companyId, { kind: "person", id, name, address }, () => now);
  const statements = [
    insertIf(db, users, person, condition),
    insertSelect(
      db,
      accounts,
      {
        id: crypto.randomUUID(),
        userId: id,
        providerId: "credential",
        accountId: id,
        password,
        createdAt,
        updatedAt: createdAt,
      },
      fromPerson,
    ),
    insertSelect(
      db,
      members,
      { id: crypto.randomUUID(), companyId, userId: id, role, createdAt },
      fromPerson,
    ).returning({ id: members.id }),
    audit.note("member.joined", { id, name: email }, { role }),
  ] as const;
  return { id, statements };
}

export async function renamePerson(db: Database, id: string, name: string, now: number): Promise<void> {
  await db
    .update(users)
    .set({ name, updatedAt: new Date(now) })
    .where(eq(users.id, id));
}

/**
 * Asks for the password again: a session that was left open, or stolen, is not enough for what comes next, and no
 * place to guess the password from.
 *
 * @returns the password's hash
 */
export async function confirmPassword(
  db: Database,
  person: { readonly id: string; readonly email: string },
  password: string,
  address: string,
  now: number,
): Promise<string> {
  const attempt = { purpose: "password", who: person.email, address } as const;
  await countAttempt(db, attempt, now);
  const hash = await passwordOf(db, person.id);
  if (hash === null || !(await verifyPassword({ hash, password }))) {
    const detail = "This is not your password.";
    throw new Refusal("invalid_input", detail, {}, [{ field: "current_password", detail }]);
  }
  await forgiveAttempts(db, attempt);
  return hash;
}

/** The hash of a person's password. */
async function passwordOf(db: Database, userId: string): Promise<string | null> {
  const [row] = await db.select({ password: accounts.password }).from(accounts).where(isPasswordOf(userId));
  return row?.password ?? null;
}

/**
 * Takes a new password in the place of `before`, and ends every other session: whoever knew the old one is out.
 *
 * @param before,after hashes
 * @returns false when the password was changed by somebody else meanwhile
 */
export async function changePassword(
  db: Database,
  person: { readonly id: string; readonly sessionId: string },
  before: string,
  after: string,
  address: string,
  now: number,
): Promise<boolean> {
  const isChanged = db
    .select({ one: sql`1` })
    .from(accounts)
    .where(and(isPasswordOf(person.id), eq(accounts.password, after)));
  const [changed] = await db.batch([
    db
      .update(accounts)
      .set({ password: after, updatedAt: new Date(now) })
      .where(and(isPasswordOf(person.id), eq(accounts.password, before)))
      .returning({ id: accounts.id }),
    noteOfPerson(db, person.id, "person.password_changed", address, now, exists(isChanged)),
    db
      .delete(sessions)
      .where(and(eq(sessions.userId, person.id), ne(sessions.id, person.sessionId), exists(isChanged))),
  ]);
  return changed.length === 1;
}

function isPasswordOf(userId: string): SQL | undefined {
  return and(eq(accounts.userId, userId), eq(accounts.providerId, "credential"));
}

export async function renameCompany(
  db: Database,
  id: string,
  name: string,
  audit: Audit,
  now: number,
): Promise<void> {
  const renamed = db
    .update(companies)
    .set({ name, updatedAt: now })
    .where(eq(companies.id, id))
    .returning({ id: companies.id });
  await audit.noting(renamed, "company.renamed", { id, name });
}

/**
 * A company with its first project, and its owner.
 *
 * @returns its id, which is the creation's; a repeated creation may find it there. Undefined when the person owns as
 *   many as one may
 */
export async function createCompany(
  db: Database,
  owner: { readonly id: string; readonly name: string },
  name: string,
  address: string,
  now: number,
  { id, isRepeated }: Creation = newCreation(),
): Promise<string | undefined> {
  if (isRepeated) {
    const [there] = await db.select({ id: companies.id }).from(companies).where(eq(companies.id, id));
    if (there) return id;
  }
  const company = {
    id,
    name,
    slug: await slugOf(name, id),
    storagePath: `companies/${id}`,
    createdAt: now,
    updatedAt: now,
  };
  const project = {
    id: crypto.randomUUID(),
    companyId: id,
    name: "First project",
    createdAt: now,
    updatedAt: now,
  };
  const member = {
    id: crypto.randomUUID(),
    companyId: id,
    userId: owner.id,
    role: "owner",
    createdAt: new Date(now),
  } as const;
  const mayOwnMore = sql`(SELECT count(*) FROM ${members} WHERE ${and(eq(members.userId, owner.id), eq(members.role, "owner"))}) < ${MAX_COMPANIES}`;
  const isFounded = sql`EXISTS (SELECT 1 FROM ${companies} WHERE ${eq(companies.id, id)})`;
  const [founded] = await db.batch([
    insertIf(db, companies, company, mayOwnMore).returning({ id: companies.id }),
    insertIf(db, projects, project, isFounded),
    insertIf(db, members, member, isFounded),
    new Audit(db, id, { kind: "person", ...owner, address }, () => now).note("company.created", { id, name }),
  ]);
  return founded[0]?.id;
}

/** The name as far as it fits into an address, and a part of the id: two companies may have one name. */
async function slugOf(name: string, id: string): Promise<string> {
  const words = searchable(name)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);
  const tail = (await sha256(new TextEncoder().encode(id))).slice(0, 6);
  return words ? `${words}-${tail}` : tail;
}

/** The members of a company, the first to join first. */
export function membersOf(db: Database, companyId: string) {
  return db
    .select({
      id: members.id,
      userId: users.id,
      name: users.name,
      email: users.email,
      role: members.role,
      createdAt: members.createdAt,
    })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(eq(members.companyId, companyId))
    .orderBy(asc(members.createdAt), asc(members.id));
}

/** Whether a member is one of a company that a person belongs to. */
export async function isColleague(db: Database, userId: string, memberId: string): Promise<boolean> {
  const own = db.select({ id: members.companyId }).from(members).where(eq(members.userId, userId));
  const rows = await db
    .select({ id: members.id })
    .from(members)
    .where(and(eq(members.id, memberId), inArray(members.companyId, own)));
  return rows.length === 1;
}

/** A company's invitations that can still be accepted, oldest first. */
export function invitationsOf(db: Database, companyId: string, now: number) {
  return db
    .select()
    .from(invitations)
    .where(
      and(
        eq(invitations.companyId, companyId),
        eq(invitations.status, "pending"),
        gt(invitations.expiresAt, new Date(now)),
      ),
    )
    .orderBy(asc(invitations.createdAt), asc(invitations.id));
}

/** Where a person is signed in, the place that was used last first. */
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

/** @returns false when the person has no such session */
export async function endSession(db: Database, userId: string, id: string): Promise<boolean> {
  const ended = await db
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), eq(sessions.id, id)))
    .returning({ id: sessions.id });
  return ended.length === 1;
}

/** The companies that a person belongs to, the one joined first first. */
export function companiesOf(db: Database, userId: string) {
  return db
    .select({ id: companies.id, name: companies.name, role: members.role })
    .from(members)
    .innerJoin(companies, eq(companies.id, members.companyId))
    .where(eq(members.userId, userId))
    .orderBy(asc(members.createdAt), asc(members.id));
}

/** Removes what nobody came back with: links of mails, and what passkeys were to sign. */
export async function sweepVerifications(db: Database, now: number): Promise<void> {
  await db.delete(verifications).where(lte(verifications.expiresAt, new Date(now)));
}
