import { type SQL, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Database } from "./tables.ts";

/** Rows that one sweep deletes of a table, so that no statement takes long. The next sweep goes on. */
export const MAX_SWEPT = 2000;

/** Returns the statement that deletes at most `limit` rows. */
export function deleteSome(
  db: Database,
  table: SQLiteTable,
  condition: SQL | undefined,
  { orderBy, limit = MAX_SWEPT }: { readonly orderBy?: SQL; readonly limit?: number } = {},
) {
  const order = orderBy && sql` ORDER BY ${orderBy}`;
  return db
    .delete(table)
    .where(sql`rowid IN (SELECT rowid FROM ${table} WHERE ${condition}${order} LIMIT ${limit})`);
}
