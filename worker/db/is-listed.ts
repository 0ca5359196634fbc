import { type AnyColumn, type SQL, sql } from "drizzle-orm";

/** The condition that a column has one of these values: a statement accepts at most 100 parameters, and this is one. */
export function isListed(column: AnyColumn, values: readonly string[]): SQL {
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}
