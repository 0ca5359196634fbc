import { is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import * as schema from "./tables.ts";

const TABLES = Object.values(schema).filter((value) => is(value, SQLiteTable));

/** Reads a row of each table. Throws when the database does not respond or a table is missing or damaged. */
export async function checkTables(db: schema.Database): Promise<void> {
  const [first, ...others] = TABLES.map((table) => db.select().from(table).limit(1));
  await db.batch([first, ...others]);
}
