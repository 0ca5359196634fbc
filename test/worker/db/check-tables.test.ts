import { sql } from "drizzle-orm";
import { afterEach, expect, test } from "vitest";
import { checkTables } from "../../../worker/db/check-tables.ts";
import { Edge } from "../edge.ts";

const { db } = new Edge();
let undo: string | undefined;

async function change(statement: string, inverse: string) {
  undo = inverse;
  await db.run(sql.raw(statement));
}

afterEach(async () => {
  if (undo) await db.run(sql.raw(undo));
  undo = undefined;
});

test("passes with every migration applied", async () => {
  await expect(checkTables(db)).resolves.toBeUndefined();
});

test("fails without a table", async () => {
  await change("ALTER TABLE mails RENAME TO mails_before", "ALTER TABLE mails_before RENAME TO mails");
  await expect(checkTables(db)).rejects.toThrow("no such table: mails");
});
