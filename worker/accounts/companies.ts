import { and, asc, eq, sql } from "drizzle-orm";
import { Audit } from "../audit/log.ts";
import { searchable } from "../content/search.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import { insertIf } from "../db/insert-if.ts";
import { companies, type Database, members, projects } from "../db/tables.ts";
import { sha256 } from "../sha256.ts";

/**
 * Companies that one person may own, and may ever create: companies stay when their owner leaves. Without a limit, more
 * companies would mean more quota.
 */
export const MAX_COMPANIES = 20;

/**
 * Creates a company with its owner and a first project.
 *
 * @returns the company's id, which is that of the creation; undefined when the person owns or has created
 *   `MAX_COMPANIES` already
 */
export async function createCompany(
  db: Database,
  company: {
    readonly owner: { readonly id: string; readonly name: string };
    readonly name: string;
    readonly address: string;
    readonly now: number;
    /** A repeated creation may have made the company already. */
    readonly creation?: Creation;
  },
): Promise<string | undefined> {
  const { owner, name, address, now, creation = newCreation() } = company;
  const { id, isRepeated } = creation;
  if (isRepeated) {
    const [existing] = await db.select({ id: companies.id }).from(companies).where(eq(companies.id, id));
    if (existing) return id;
  }
  const times = { createdAt: now, updatedAt: now };
  const row = {
    id,
    name,
    slug: await slugOf(name, id),
    storagePath: `companies/${id}`,
    createdBy: owner.id,
    ...times,
  };
  const project = { id: crypto.randomUUID(), companyId: id, name: "First project", ...times };
  const member = {
    id: crypto.randomUUID(),
    companyId: id,
    userId: owner.id,
    role: "owner" as const,
    createdAt: new Date(now),
  };
  const ownsFew = sql`(SELECT count(*) FROM ${members} WHERE ${and(eq(members.userId, owner.id), eq(members.role, "owner"))}) < ${MAX_COMPANIES}`;
  const createdFew = sql`(SELECT count(*) FROM ${companies} WHERE ${eq(companies.createdBy, owner.id)}) < ${MAX_COMPANIES}`;
  const isCreated = sql`EXISTS (SELECT 1 FROM ${companies} WHERE ${eq(companies.id, id)})`;
  const [created] = await db.batch([
    insertIf(db, companies, row, sql`${ownsFew} AND ${createdFew}`).returning({ id: companies.id }),
    insertIf(db, projects, project, isCreated),
    insertIf(db, members, member, isCreated),
    new Audit(db, id, { kind: "person", ...owner, address }, () => now).entry("company.created", {
      id,
      name,
    }),
  ]);
  return created[0]?.id;
}

/** Returns the name as far as it fits into an address, and a part of the id: two companies may have one name. */
async function slugOf(name: string, id: string): Promise<string> {
  const words = searchable(name)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);
  const tail = (await sha256(new TextEncoder().encode(id))).slice(0, 6);
  return words ? `${words}-${tail}` : tail;
}

export async function renameCompany(
  db: Database,
  company: { readonly id: string; readonly name: string },
  audit: Audit,
  now: number,
): Promise<void> {
  const { id, name } = company;
  const renamed = db
    .update(companies)
    .set({ name, updatedAt: now })
    .where(eq(companies.id, id))
    .returning({ id: companies.id });
  await audit.record(renamed, "company.renamed", { id, name });
}

/** Returns the companies that a person belongs to, the first one joined first. */
export function companiesOf(db: Database, userId: string) {
  return db
    .select({ id: companies.id, name: companies.name, role: members.role })
    .from(members)
    .innerJoin(companies, eq(companies.id, members.companyId))
    .where(eq(members.userId, userId))
    .orderBy(asc(members.createdAt), asc(members.id));
}
