import { sql } from "drizzle-orm";
import { createCompany } from "../../worker/accounts/companies.ts";
import { users } from "../../worker/db/tables.ts";
import type { Edge } from "./edge.ts";

/** Creates a company with an owner and a project. */
export async function addCompany(edge: Edge, name: string): Promise<{ id: string; projectId: string }> {
  const owner = { id: crypto.randomUUID(), name: `Owner of ${name}` };
  const times = { createdAt: new Date(edge.clock), updatedAt: new Date(edge.clock) };
  await edge.db.insert(users).values({ ...owner, email: `${owner.id}@example.net`, ...times });
  const id = await createCompany(edge.db, { owner, name, address: "", now: edge.clock });
  if (!id) throw new Error("The company was not created.");
  const project = await edge.db.get<{ id: string }>(sql`SELECT id FROM projects WHERE company_id = ${id}`);
  return { id, projectId: project.id };
}
