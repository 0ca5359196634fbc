import { getTableColumns, isSQLWrapper, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Database } from "./tables.ts";

/** What each column is filled with: a value of its own type, or an expression. Nullable columns and columns with a default may be left out. */
export type Selection<Row> = { readonly [Name in keyof Row]: Row[Name] | SQLWrapper };

/**
 * Returns an `INSERT … SELECT` whose values are matched to columns by name. Drizzle's own `insert().select(sql)`
 * matches them by position, so that a new column would shift them silently.
 *
 * @param clauses what follows the selected values, such as `FROM … WHERE …`
 */
export function insertSelect<Table extends SQLiteTable>(
  db: Database,
  table: Table,
  selection: Selection<Table["$inferInsert"]>,
  clauses: SQL,
) {
  const given: Readonly<Record<string, unknown>> = selection;
  const values = Object.entries(getTableColumns(table)).map(([name, column]) => {
    const value = given[name] ?? column.default ?? null;
    if (value === null) return sql`NULL`;
    return isSQLWrapper(value) ? sql`${value}` : sql`${sql.param(value, column)}`;
  });
  return db.insert(table).select(sql`SELECT ${sql.join(values, sql`, `)} ${clauses}`);
}
