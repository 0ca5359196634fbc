import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/**
 * Returns the common table expression `waiting (company_id)`: the companies that have such rows, and a NULL. It reads
 * one row per company, however many rows each of them has.
 *
 * @param which the condition of a partial index that begins with the company
 */
export function companiesWith(table: SQLiteTable & { readonly companyId: SQLiteColumn }, which: SQL): SQL {
  const { companyId } = table;
  // SQLite has no "loose index scan": the recursion jumps from one company to the next in the index.
  return sql`waiting (company_id) AS (
    SELECT (SELECT ${companyId} FROM ${table} WHERE ${which} ORDER BY ${companyId} LIMIT 1)
    UNION ALL
    SELECT (SELECT ${companyId} FROM ${table} WHERE ${which} AND ${companyId} > waiting.company_id
      ORDER BY ${companyId} LIMIT 1)
    FROM waiting WHERE waiting.company_id IS NOT NULL
  )`;
}
