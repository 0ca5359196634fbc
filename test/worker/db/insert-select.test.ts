import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { insertIf } from "../../../worker/db/insert-if.ts";
import { insertSelect } from "../../../worker/db/insert-select.ts";
import { companies, projects, users } from "../../../worker/db/tables.ts";
import { Edge } from "../edge.ts";

let edge: Edge;

beforeEach(() => {
  edge = new Edge();
});

test("fills columns by name in any order, and the others with their defaults", async () => {
  const now = new Date(1_700_000_000_000);
  const row = { updatedAt: now, email: "ada@example.net", createdAt: now, name: "Ada", id: "ada" };
  const [made] = await insertIf(edge.db, users, row, sql`1`).returning();
  expect(made).toEqual({ ...row, emailVerified: false, image: null });
  await insertIf(edge.db, users, { ...row, id: "eve", email: "eve@example.net" }, sql`0`);
  expect(await edge.db.select().from(users)).toHaveLength(1);
});

test("accepts columns of the selected tables", async () => {
  const fromCompanies = sql`FROM ${companies}`;
  const chosen = {
    name: sql`upper(${companies.name})`,
    companyId: companies.id,
    id: companies.slug,
    createdAt: 1,
    updatedAt: 2,
  };
  const made = await insertSelect(edge.db, projects, chosen, fromCompanies).returning();
  const all = await edge.db.select().from(companies);
  expect(made).toHaveLength(all.length);
  expect(made[0]).toMatchObject({ id: all[0].slug, companyId: all[0].id, name: all[0].name.toUpperCase() });
  expect(made[0]).toMatchObject({ maxFeatures: null, createdAt: 1, updatedAt: 2 });
});

test("a missing required column and an unknown column do not compile", async () => {
  const times = { createdAt: new Date(0), updatedAt: new Date(0) };
  // @ts-expect-error: `email` is missing.
  await expect(insertIf(edge.db, users, { id: "id", name: "name", ...times }, sql`1`)).rejects.toThrow();
  const row = { id: "id", name: "name", email: "id@example.net", ...times };
  // @ts-expect-error: `mail` is not a column.
  expect(await insertIf(edge.db, users, { ...row, mail: "" }, sql`1`).returning()).toHaveLength(1);
});
