import { type SQL, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Database } from "./tables.ts";

/** Rows that one statement of the sweep deletes, so that none takes long. */
const MAX_SWEPT = 2000;

/** Slices that one sweep deletes of a company with too many rows: 20,000 rows a minute. */
const MAX_SLICES = 10;

/** Calls `deleteSlice` until `rows` are deleted, at most `MAX_SLICES` times. */
export async function deleteInSlices(
  rows: number,
  deleteSlice: (limit: number) => Promise<unknown>,
): Promise<void> {
  for (let left = Math.min(rows, MAX_SLICES * MAX_SWEPT); left > 0; left -= MAX_SWEPT) {
    await deleteSlice(Math.min(left, MAX_SWEPT));
  }
}

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
