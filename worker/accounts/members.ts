import { and, asc, eq, exists, not, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type Actor, Audit } from "../audit/log.ts";
import { type Database, type MemberRow, members, sessions, users } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { missingRole } from "./identity.ts";
import { type Role, roleMay } from "./permissions.ts";

/**
 * Members of companies. Each change is one batch: the change under a condition, and its audit entry. What was read to
 * decide about a change is part of its condition, so that of two changes at the same moment the second is refused.
 */

/** Members that one company may have. */
export const MAX_MEMBERS = 1000;

/** A change of a company's members by one of them. */
export interface MemberChange {
  readonly companyId: string;
  readonly by: Actor;
  /** Milliseconds since 1970. */
  readonly now: number;
}

type Member = MemberRow & { readonly email: string };

/** Returns the members of a company, the first one to join first. */
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

/**
 * Gives a member another role.
 *
 * @throws Refusal `not_found`, `forbidden`, or `invalid_input` when the company would be left without an owner
 */
export async function changeRole(
  db: Database,
  { companyId, by, now, memberId, role }: MemberChange & { readonly memberId: string; readonly role: Role },
): Promise<MemberRow> {
  const { manager, member, owners } = await readPair(db, companyId, by.id, eq(members.id, memberId));
  assertManages(manager, member.role, role);
  const losesOwner = member.role === "owner" && role !== "owner";
  if (losesOwner) assertOwnerRemains(owners);
  const [changed] = await new Audit(db, companyId, by, () => now).record(
    db
      .update(members)
      .set({ role })
      .where(
        and(
          isUnchanged(member),
          isStillManager(db, manager),
          losesOwner ? hasOtherOwner(db, member) : undefined,
        ),
      )
      .returning(),
    "member.role_changed",
    { id: member.userId, name: member.email },
    { role },
  );
  if (!changed) throw changedAtOnce();
  return changed;
}

/**
 * Removes a member from a company.
 *
 * @throws Refusal `not_found`, `forbidden`, or `invalid_input` when the company would be left without an owner
 */
export async function removeMember(
  db: Database,
  { companyId, by, now, memberIdOrEmail }: MemberChange & { readonly memberIdOrEmail: string },
): Promise<MemberRow> {
  const named = memberIdOrEmail.includes("@")
    ? eq(users.email, memberIdOrEmail.toLowerCase())
    : eq(members.id, memberIdOrEmail);
  const { manager, member, owners } = await readPair(db, companyId, by.id, named);
  assertManages(manager, member.role);
  if (member.role === "owner") assertOwnerRemains(owners);
  return endMembership(db, {
    by,
    now,
    member,
    action: "member.removed",
    condition: isStillManager(db, manager),
  });
}

/**
 * Ends a person's own membership.
 *
 * @throws Refusal `not_found`, or `invalid_input` when the company would be left without an owner
 */
export async function leaveCompany(db: Database, { companyId, by, now }: MemberChange): Promise<MemberRow> {
  const { member, owners } = await readPair(db, companyId, by.id, eq(members.userId, by.id));
  if (member.role === "owner") assertOwnerRemains(owners);
  return endMembership(db, { by, now, member, action: "member.left" });
}

async function endMembership(
  db: Database,
  end: {
    readonly by: Actor;
    readonly now: number;
    readonly member: Member;
    readonly action: "member.removed" | "member.left";
    readonly condition?: SQL;
  },
): Promise<MemberRow> {
  const { by, now, member, action, condition } = end;
  const { companyId, userId, email, role } = member;
  const isMember = exists(db.select({ one: sql`1` }).from(members).where(eq(members.id, member.id)));
  const [[removed]] = await db.batch([
    db
      .delete(members)
      .where(and(isUnchanged(member), condition, role === "owner" ? hasOtherOwner(db, member) : undefined))
      .returning(),
    new Audit(db, companyId, by, () => now).entry(action, { id: userId, name: email }, { role }),
    db
      .update(sessions)
      .set({ activeCompanyId: null })
      .where(and(eq(sessions.userId, userId), eq(sessions.activeCompanyId, companyId), not(isMember))),
  ]);
  if (!removed) throw changedAtOnce();
  return removed;
}

/** Reads who manages, whom they manage (perhaps themselves), and how many owners the company has. */
async function readPair(db: Database, companyId: string, managerId: string, which: SQL) {
  const inCompany = (condition: SQL) =>
    db
      .select({
        id: members.id,
        companyId: members.companyId,
        userId: members.userId,
        role: members.role,
        createdAt: members.createdAt,
        email: users.email,
        owners:
          sql<number>`(SELECT count(*) FROM members AS owners WHERE owners.company_id = ${companyId} AND owners.role = 'owner')`.as(
            "owners",
          ),
      })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.companyId, companyId), condition));
  const [[manager], [found]] = await db.batch([inCompany(eq(members.userId, managerId)), inCompany(which)]);
  // Who is not a member learns nothing about the others.
  if (!manager || !found) throw new Refusal("not_found", "No member of this company has this id.");
  const { owners, ...member } = found;
  return { manager, member, owners };
}

/** @throws Refusal `forbidden` unless the manager may give or take these roles */
export function assertManages(manager: Pick<MemberRow, "role">, ...roles: readonly Role[]): void {
  if (!roleMay(manager.role, "members:manage")) throw missingRole(manager.role, "members:manage");
  if (manager.role === "owner" || !roles.includes("owner")) return;
  throw new Refusal(
    "forbidden",
    `Only an owner can add, change or remove an owner. Your role is ${manager.role}.`,
  );
}

function assertOwnerRemains(owners: number): void {
  if (owners > 1) return;
  throw new Refusal("invalid_input", "This is the company's last owner. Make another member an owner first.");
}

function isUnchanged({ id, role }: MemberRow): SQL | undefined {
  return and(eq(members.id, id), eq(members.role, role));
}

/** The condition that a member still has the role by which they may make a change. */
export function isStillManager(db: Database, { id, role }: Pick<MemberRow, "id" | "role">): SQL {
  const manager = alias(members, "manager");
  return exists(
    db
      .select({ one: sql`1` })
      .from(manager)
      .where(and(eq(manager.id, id), eq(manager.role, role))),
  );
}

function hasOtherOwner(db: Database, { companyId, id }: MemberRow): SQL {
  const other = alias(members, "other");
  return exists(
    db
      .select({ one: sql`1` })
      .from(other)
      .where(and(eq(other.companyId, companyId), eq(other.role, "owner"), sql`${other.id} <> ${id}`)),
  );
}

/** The refusal of a change whose condition did not hold any more. */
export function changedAtOnce(): Refusal {
  return new Refusal("invalid_input", "The company's members were changed at the same time. Try again.");
}
