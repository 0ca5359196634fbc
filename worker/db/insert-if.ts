import { type SQL, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { insertSelect, type Selection } from "./insert-select.ts";
import type { Database } from "./tables.ts";

/** Returns an INSERT of one row that does nothing unless its condition holds. */
export function insertIf<Table extends SQLiteTable>(
  db: Database,
  table: Table,
  row: Selection<Table["$inferInsert"]>,
  condition: SQL,
) {
  return insertSelect(db, table, row, sql`WHERE ${condition}`);
}
