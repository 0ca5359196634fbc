import { and, desc, eq, gt, type SQL, sql } from "drizzle-orm";
import { type CountedTable, type Database, usageCounts } from "./tables.ts";

/** What one owner has in a table that grows with use. */
export interface RowUsage {
  readonly rows: number;
  readonly bytes: number;
}

/** Returns the number of an owner's rows in a table, as SQL. */
export function countOfRows(ownerId: string, table: CountedTable): SQL<number> {
  const counted = and(eq(usageCounts.ownerId, ownerId), eq(usageCounts.kind, table));
  return sql`coalesce((SELECT ${usageCounts.rowCount} FROM ${usageCounts} WHERE ${counted}), 0)`;
}

/** Reads the counts of an owner, for `usageOf`. */
export function readCounts(db: Database, ownerId: string) {
  return db.select().from(usageCounts).where(eq(usageCounts.ownerId, ownerId));
}

export function usageOf(counts: Awaited<ReturnType<typeof readCounts>>, table: CountedTable): RowUsage {
  const counted = counts.find(({ kind }) => kind === table);
  return { rows: counted?.rowCount ?? 0, bytes: counted?.byteCount ?? 0 };
}

/** Lists the owners with more than `max` rows in a table, at most 10 of them, with the number of their rows. */
export function listOverfull(db: Database, table: CountedTable, max: number) {
  return db
    .select({ ownerId: usageCounts.ownerId, rows: usageCounts.rowCount })
    .from(usageCounts)
    .where(and(eq(usageCounts.kind, table), gt(usageCounts.rowCount, max)))
    .orderBy(desc(usageCounts.rowCount))
    .limit(10);
}
