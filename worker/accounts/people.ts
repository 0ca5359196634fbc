import { and, eq, exists, like, lte, ne, not, type SQL, sql } from "drizzle-orm";
import { Audit, personEntry } from "../audit/log.ts";
import { deleteSome } from "../db/delete-some.ts";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import { accounts, companies, type Database, members, sessions, users, verifications } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { verifyPassword } from "./passwords.ts";
import type { Role } from "./permissions.ts";
import { countAttempt, forgiveAttempt } from "./throttle.ts";

export interface NewPerson {
  readonly name: string;
  readonly email: string;
  /** Whether they have opened a link that was sent to the address. */
  readonly emailVerified: boolean;
  readonly passwordHash: string;
}

/** Returns whether the platform has no users yet. */
export async function isSetUpOpen(db: Database): Promise<boolean> {
  const rows = await db.select({ id: users.id }).from(users).limit(1);
  return rows.length === 0;
}

/**
 * Makes the first person the owner of a company that exists already, and names the company.
 *
 * @returns false when the platform has an owner already
 */
export async function setUp(
  db: Database,
  setup: {
    readonly owner: NewPerson;
    readonly company: { readonly id: string; readonly name: string };
    readonly address: string;
    readonly now: number;
  },
): Promise<boolean> {
  const { owner, company, address, now } = setup;
  const { isCreated, statements } = createMember(db, {
    person: owner,
    companyId: company.id,
    role: "owner",
    address,
    now,
    condition: not(exists(db.select({ one: sql`1` }).from(users))),
  });
  const [, , joined] = await db.batch([
    ...statements,
    db
      .update(companies)
      .set({ name: company.name, updatedAt: now })
      .where(and(eq(companies.id, company.id), isCreated)),
  ]);
  return joined.length === 1;
}

/**
 * Returns the statements that create a person with a password and a membership, and the condition that they did.
 * The third of them returns the member.
 *
 * @param condition when it does not hold, no row is created
 */
export function createMember(
  db: Database,
  member: {
    readonly person: NewPerson;
    readonly companyId: string;
    readonly role: Role;
    readonly condition: SQL;
    readonly address: string;
    readonly now: number;
  },
) {
  const { person, companyId, role, condition, address, now } = member;
  const { name, email, emailVerified, passwordHash } = person;
  const userId = crypto.randomUUID();
  const createdAt = new Date(now);
  const times = { createdAt, updatedAt: createdAt };
  const fromUser = sql`FROM ${users} WHERE ${eq(users.id, userId)}`;
  const audit = new Audit(db, companyId, { kind: "person", id: userId, name, address }, () => now);
  const account = { id: crypto.randomUUID(), userId, providerId: "credential", accountId: userId };
  const statements = [
    insertIf(db, users, { id: userId, name, email, emailVerified, ...times }, condition),
    insertSelect(db, accounts, { ...account, password: passwordHash, ...times }, fromUser),
    insertSelect(
      db,
      members,
      { id: crypto.randomUUID(), companyId, userId, role, createdAt },
      fromUser,
    ).returning(),
    audit.entry("member.joined", { id: userId, name: email }, { role }),
  ] as const;
  const isCreated = exists(db.select({ one: sql`1` }).from(users).where(eq(users.id, userId)));
  return { isCreated, statements };
}

export async function renamePerson(db: Database, id: string, name: string, now: number): Promise<void> {
  await db
    .update(users)
    .set({ name, updatedAt: new Date(now) })
    .where(eq(users.id, id));
}

/**
 * Checks a person's password again: a session that was left open, or stolen, must not be enough to change how its
 * person signs in. Attempts are counted by session, so that one cannot be used to guess the password, and one that is
 * stolen does not lock the person's others.
 *
 * @returns the password's hash
 * @throws Refusal `invalid_input` for a wrong password, `too_many_attempts`
 */
export async function confirmPassword(
  db: Database,
  attempt: {
    readonly person: { readonly id: string; readonly sessionId: string };
    readonly password: string;
    readonly now: number;
  },
): Promise<string> {
  const { person, password, now } = attempt;
  const source = { kind: "session", id: person.sessionId } as const;
  const counted = { purpose: "password", subject: person.id, source } as const;
  await countAttempt(db, counted, now);
  const hash = await passwordHashOf(db, person.id);
  if (hash === null || !(await verifyPassword({ hash, password }))) {
    const detail = "The password is incorrect.";
    throw new Refusal("invalid_input", detail, {}, [{ field: "current_password", detail }]);
  }
  await forgiveAttempt(db, counted);
  return hash;
}

async function passwordHashOf(db: Database, userId: string): Promise<string | null> {
  const [row] = await db.select({ password: accounts.password }).from(accounts).where(isPasswordOf(userId));
  return row?.password ?? null;
}

/**
 * Replaces a person's password and ends their other sessions, which somebody with the old password may have begun, and
 * all links to a new password.
 *
 * @returns false when the password is not the one of `oldHash` any more
 */
export async function changePassword(
  db: Database,
  change: {
    readonly person: { readonly id: string; readonly sessionId: string };
    readonly oldHash: string;
    readonly newHash: string;
    readonly address: string;
    readonly now: number;
  },
): Promise<boolean> {
  const { person, oldHash, newHash, address, now } = change;
  const isChanged = exists(
    db
      .select({ one: sql`1` })
      .from(accounts)
      .where(and(isPasswordOf(person.id), eq(accounts.password, newHash))),
  );
  const [changed] = await db.batch([
    db
      .update(accounts)
      .set({ password: newHash, updatedAt: new Date(now) })
      .where(and(isPasswordOf(person.id), eq(accounts.password, oldHash)))
      .returning({ id: accounts.id }),
    personEntry(db, {
      userId: person.id,
      action: "person.password_changed",
      address,
      now,
      condition: isChanged,
    }),
    db
      .delete(sessions)
      .where(and(eq(sessions.userId, person.id), ne(sessions.id, person.sessionId), isChanged)),
    deleteResets(db, person.id, isChanged),
  ]);
  return changed.length === 1;
}

/** The condition that a row is a person's password. */
export function isPasswordOf(userId: string): SQL | undefined {
  return and(eq(accounts.userId, userId), eq(accounts.providerId, "credential"));
}

/** Begins the identifiers of links to a new password. The hash of the link's token follows. */
export const RESET_PREFIX = "reset-password:";

/** Returns the statement that ends all links to a new password of a person, if the condition holds. */
export function deleteResets(db: Database, userId: string, condition: SQL) {
  const isReset = like(verifications.identifier, `${RESET_PREFIX}%`);
  return db.delete(verifications).where(and(eq(verifications.value, userId), isReset, condition));
}

/** Deletes expired links to a new password and expired passkey challenges. */
export async function sweepVerifications(db: Database, now: number): Promise<void> {
  await deleteSome(db, verifications, lte(verifications.expiresAt, new Date(now)));
}
