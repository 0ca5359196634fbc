import { and, asc, eq, exists, gt, inArray, lte, ne, or, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type Actor, Audit } from "../audit/log.ts";
import { deleteSome } from "../db/delete-some.ts";
import { insertIf } from "../db/insert-if.ts";
import {
  companies,
  type Database,
  type InvitationRow,
  invitations,
  type MemberRow,
  members,
  sessions,
  users,
} from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { hashToken, newToken } from "../token.ts";
import type { Mail } from "./mailer.ts";
import { assertManages, changedAtOnce, isStillManager, MAX_MEMBERS, type MemberChange } from "./members.ts";
import { createMember } from "./people.ts";
import type { Role } from "./permissions.ts";

/**
 * Invitations into companies. As for members, each change is one batch with its condition and its audit entry.
 *
 * An invitation has two links. The one in the email proves that its reader has the address: it can create an account.
 * The inviter sees the other one, and may pass it on: only a person who proved the address before can join with it.
 * Nothing that the inviter sees before that depends on whether the address has an account.
 */

const INVITATION_SECONDS = 7 * 24 * 3600;

/** Invitations of one company that may wait to be accepted. */
const MAX_PENDING = 100;

/** Returns a company's invitations that can be accepted, the oldest first. */
export function invitationsOf(db: Database, companyId: string, now: number) {
  return db
    .select()
    .from(invitations)
    .where(and(eq(invitations.companyId, companyId), isPending(now)))
    .orderBy(asc(invitations.createdAt), asc(invitations.id));
}

/** An invitation that can be accepted, as its link shows it. */
export interface OpenedInvitation
  extends Pick<InvitationRow, "id" | "companyId" | "email" | "role" | "expiresAt"> {
  readonly company: string;
  /** The inviter's name. */
  readonly inviter: string;
  /** Whether the link was sent to the address. */
  readonly isByEmail: boolean;
}

/**
 * Returns the invitation that a link's token opens.
 *
 * @throws Refusal `not_found`
 */
export async function openInvitation(db: Database, token: string, now: number): Promise<OpenedInvitation> {
  const hash = await hashToken(token);
  const [row] = await db
    .select({
      id: invitations.id,
      email: invitations.email,
      role: invitations.role,
      expiresAt: invitations.expiresAt,
      companyId: invitations.companyId,
      company: companies.name,
      inviter: sql<string>`(SELECT name FROM users WHERE users.id = ${invitations.inviterId})`,
      mailTokenHash: invitations.mailTokenHash,
    })
    .from(invitations)
    .innerJoin(companies, eq(companies.id, invitations.companyId))
    .where(
      and(or(eq(invitations.mailTokenHash, hash), eq(invitations.shownTokenHash, hash)), isPending(now)),
    );
  if (!row) throw invitationGone();
  const { mailTokenHash, ...invitation } = row;
  return { ...invitation, isByEmail: mailTokenHash === hash };
}

/**
 * Invites an email address. An invitation that the address has already is replaced; only an owner replaces one to
 * become an owner.
 *
 * @returns the invitation, the company's name, and the tokens of the link to send and of the link to show
 * @throws Refusal `not_found` when the inviter is not a member, `forbidden`, or `invalid_input` when the address belongs to a member
 */
export async function invite(
  db: Database,
  { companyId, by, now, email, role }: MemberChange & { readonly email: string; readonly role: Role },
): Promise<{ invitation: InvitationRow; company: string; mailToken: string; shownToken: string }> {
  const isInvited = and(eq(invitations.companyId, companyId), eq(invitations.email, email), isPending(now));
  const isMember = exists(
    db
      .select({ one: sql`1` })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.companyId, companyId), eq(users.email, email))),
  );
  const pending = sql<number>`(SELECT count(*) FROM ${invitations}
    WHERE ${and(eq(invitations.companyId, companyId), ne(invitations.email, email), isPending(now))})`;
  const asOwner = exists(
    db
      .select({ one: sql`1` })
      .from(invitations)
      .where(and(isInvited, eq(invitations.role, "owner"))),
  );
  const [inviter] = await db
    .select({
      id: members.id,
      role: members.role,
      company: companies.name,
      isMember: sql<number>`${isMember}`,
      isInvitedAsOwner: sql<number>`${asOwner}`,
      pending,
    })
    .from(members)
    .innerJoin(companies, eq(companies.id, members.companyId))
    .where(and(eq(members.userId, by.id), eq(members.companyId, companyId)));
  if (!inviter) throw new Refusal("not_found", "You are not a member of this company.");
  assertManages(inviter, role, ...(inviter.isInvitedAsOwner ? (["owner"] as const) : []));
  if (inviter.isMember) throw new Refusal("invalid_input", `${email} is already a member of this company.`);
  if (inviter.pending >= MAX_PENDING) {
    throw new Refusal(
      "forbidden",
      `The company has ${inviter.pending} pending invitations, the maximum. Withdraw some first.`,
    );
  }
  const id = crypto.randomUUID();
  const [mail, shown] = [await newToken(), await newToken()];
  const row = {
    id,
    companyId,
    email,
    role,
    mailTokenHash: mail.hash,
    shownTokenHash: shown.hash,
    status: "pending" as const,
    inviterId: by.id,
    expiresAt: new Date(now + INVITATION_SECONDS * 1000),
    createdAt: new Date(now),
  };
  const [[invitation]] = await db.batch([
    insertIf(
      db,
      invitations,
      row,
      sql`${isStillManager(db, inviter)} AND NOT ${isMember} AND ${pending} < ${MAX_PENDING}
        AND (${inviter.role} = 'owner' OR NOT ${asOwner})`,
    ).returning(),
    new Audit(db, companyId, by, () => now).entry("member.invited", { id, name: email }, { role }),
    db
      .update(invitations)
      .set({ status: "canceled" })
      .where(and(isInvited, ne(invitations.id, id), isThere(db, id))),
  ]);
  if (!invitation) throw changedAtOnce();
  return { invitation, company: inviter.company, mailToken: mail.token, shownToken: shown.token };
}

/** Returns the mail that brings an invitation's link. */
export function invitationMail(
  { email, role }: InvitationRow,
  link: {
    readonly company: string;
    readonly inviter: string;
    readonly origin: string;
    readonly token: string;
  },
): Mail {
  const { origin, token } = link;
  const [company, inviter] = [unlinked(link.company), unlinked(link.inviter)];
  return {
    to: email,
    subject: `${inviter} invited you to join ${company}`,
    body: `${inviter} invited you to join ${company} on Vivimark. Your role will be ${role}.\n\nAccept the invitation within one week:\n\n${origin}/invitation#${token}\n`,
  };
}

/** Returns a name that looks the same, and of which no reader of emails makes a link. */
function unlinked(name: string): string {
  return name.replace(/[.:/@](?=\S)/g, "$&\u200b");
}

/**
 * Withdraws an invitation that was not accepted.
 *
 * @throws Refusal `not_found`, also for those who are not members of the company; `forbidden`
 */
export async function withdrawInvitation(
  db: Database,
  { id, by, now }: { readonly id: string; readonly by: Actor; readonly now: number },
): Promise<InvitationRow> {
  const [found] = await db
    .select({ invitation: invitations, manager: members })
    .from(invitations)
    .innerJoin(members, and(eq(members.companyId, invitations.companyId), eq(members.userId, by.id)))
    .where(and(eq(invitations.id, id), eq(invitations.status, "pending")));
  if (!found) throw invitationGone();
  const { invitation, manager } = found;
  const { companyId, email, role } = invitation;
  assertManages(manager, role);
  const [withdrawn] = await new Audit(db, companyId, by, () => now).record(
    db
      .update(invitations)
      .set({ status: "canceled" })
      .where(and(eq(invitations.id, id), eq(invitations.status, "pending"), isStillManager(db, manager)))
      .returning(),
    "invitation.withdrawn",
    { id, name: email },
    { role },
  );
  if (!withdrawn) throw changedAtOnce();
  return withdrawn;
}

/**
 * Makes a person with an account a member, and selects the company in their session.
 *
 * @throws Refusal `not_found`, `forbidden` when the invitation is for another address, the person has not proved
 *   theirs, or the company is full, `invalid_input` for somebody who is a member already
 */
export async function acceptInvitation(
  db: Database,
  accepted: {
    readonly token: string;
    readonly person: { readonly email: string; readonly sessionId: string };
    readonly by: Actor;
    readonly now: number;
  },
): Promise<{ invitation: InvitationRow; member: MemberRow }> {
  const { token, person, by, now } = accepted;
  const found = await openInvitation(db, token, now);
  if (found.email !== person.email) {
    throw new Refusal(
      "forbidden",
      "This invitation is for another email address. Sign in with that address.",
    );
  }
  const { id, companyId, role, isByEmail } = found;
  const hasProved = isByEmail
    ? sql`TRUE`
    : exists(
        db
          .select({ one: sql`1` })
          .from(users)
          .where(and(eq(users.id, by.id), eq(users.emailVerified, true))),
      );
  const memberId = crypto.randomUUID();
  const isMember = exists(
    db
      .select({ one: sql`1` })
      .from(members)
      .where(and(eq(members.companyId, companyId), eq(members.userId, by.id))),
  );
  const hasJoined = exists(db.select({ one: sql`1` }).from(members).where(eq(members.id, memberId)));
  const [[member], , [invitation]] = await db.batch([
    insertIf(
      db,
      members,
      { id: memberId, companyId, userId: by.id, role, createdAt: new Date(now) },
      sql`${canBeAccepted(db, { id, companyId, now })} AND NOT ${isMember} AND ${hasProved}`,
    ).returning(),
    new Audit(db, companyId, by, () => now).entry(
      "member.joined",
      { id: by.id, name: person.email },
      { role },
    ),
    db
      .update(invitations)
      .set({ status: "accepted" })
      .where(and(eq(invitations.id, id), hasJoined))
      .returning(),
    db
      .update(sessions)
      .set({ activeCompanyId: companyId })
      .where(and(eq(sessions.id, person.sessionId), hasJoined)),
    db
      .update(users)
      .set({ emailVerified: true })
      .where(and(eq(users.id, by.id), isByEmail ? hasJoined : sql`FALSE`)),
  ]);
  if (!member || !invitation) throw await whyNotAccepted(db, found, by.id);
  return { invitation, member };
}

/**
 * Creates a person for an invitation that was opened by the link in the email.
 *
 * @throws Refusal `not_found`, `account_exists`, `forbidden` when the company is full
 */
export async function acceptAsNewPerson(
  db: Database,
  accepted: {
    readonly invitation: OpenedInvitation;
    readonly name: string;
    readonly passwordHash: string;
    readonly address: string;
    readonly now: number;
  },
): Promise<void> {
  const { invitation, name, passwordHash, address, now } = accepted;
  const { id, companyId, email, role } = invitation;
  const hasAccount = exists(db.select({ one: sql`1` }).from(users).where(eq(users.email, email)));
  const { isCreated, statements } = createMember(db, {
    person: { name, email, emailVerified: true, passwordHash },
    companyId,
    role,
    address,
    now,
    condition: sql`${canBeAccepted(db, { id, companyId, now })} AND NOT ${hasAccount}`,
  });
  const [, , [member]] = await db.batch([
    ...statements,
    db
      .update(invitations)
      .set({ status: "accepted" })
      .where(and(eq(invitations.id, id), isCreated)),
  ]);
  if (!member) throw await whyNotAccepted(db, invitation);
}

/**
 * Checks that a link proves the address, before anything is read that depends on whether the address has an account.
 *
 * @throws Refusal `forbidden` for the link that was shown to the inviter
 */
export function assertByEmail({ email, isByEmail }: OpenedInvitation): void {
  if (isByEmail) return;
  throw new Refusal(
    "forbidden",
    `This link cannot create an account. Open the link in the email that was sent to ${email}.`,
  );
}

function invitationGone(): Refusal {
  return new Refusal(
    "not_found",
    "This invitation was accepted or withdrawn, or has expired. Ask for a new one.",
  );
}

/** @param userId the signed-in person; undefined for a new person, whom only the link in the email brings here */
async function whyNotAccepted(
  db: Database,
  { companyId, email, isByEmail }: OpenedInvitation,
  userId?: string,
): Promise<Refusal> {
  const [rows, [account]] = await db.batch([
    db.select({ userId: members.userId }).from(members).where(eq(members.companyId, companyId)),
    db.select({ emailVerified: users.emailVerified }).from(users).where(eq(users.email, email)),
  ]);
  if (rows.some((row) => row.userId === userId)) {
    return new Refusal("invalid_input", "You are already a member of this company.");
  }
  if (userId === undefined && account) {
    return new Refusal("account_exists", `${email} already has an account. Sign in to join.`);
  }
  if (!isByEmail && !account?.emailVerified) {
    return new Refusal(
      "forbidden",
      `Your email address is not verified. Open the link in the email that was sent to ${email}.`,
    );
  }
  if (rows.length < MAX_MEMBERS) return invitationGone();
  return new Refusal("forbidden", `This company has ${MAX_MEMBERS} members, the maximum.`);
}

/** The condition that an invitation is pending and its company has room for a member. */
function canBeAccepted(
  db: Database,
  { id, companyId, now }: { readonly id: string; readonly companyId: string; readonly now: number },
): SQL {
  const pending = db
    .select({ one: sql`1` })
    .from(invitations)
    .where(and(eq(invitations.id, id), isPending(now)));
  const count = sql`(SELECT count(*) FROM ${members} WHERE ${eq(members.companyId, companyId)})`;
  return sql`${exists(pending)} AND ${count} < ${MAX_MEMBERS}`;
}

/** The condition that an invitation can be accepted: its inviter, too, must still have a role that may grant its role. */
function isPending(now: number): SQL | undefined {
  const mayGrant = sql`EXISTS (SELECT 1 FROM ${members}
    WHERE ${members.companyId} = ${invitations.companyId} AND ${members.userId} = ${invitations.inviterId}
    AND (${members.role} = 'owner' OR (${members.role} = 'admin' AND ${invitations.role} <> 'owner')))`;
  return and(eq(invitations.status, "pending"), gt(invitations.expiresAt, new Date(now)), mayGrant);
}

/** The condition that an invitation was inserted. */
function isThere(db: Database, id: string): SQL {
  const inserted = alias(invitations, "inserted");
  return exists(db.select({ one: sql`1` }).from(inserted).where(eq(inserted.id, id)));
}

/** Deletes invitations that were accepted or withdrawn, or have expired. */
export async function sweepInvitations(db: Database, now: number): Promise<void> {
  await deleteSome(
    db,
    invitations,
    or(
      inArray(invitations.status, ["accepted", "rejected", "canceled"]),
      lte(invitations.expiresAt, new Date(now)),
    ),
  );
}
