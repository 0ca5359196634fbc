import { type AnyColumn, desc, type SQL, sql } from "drizzle-orm";
import type { Position } from "../http/cursor.ts";

/** Pages of lists that are sorted newest first, by time and id. An index ends with these two columns. */

interface Sorted {
  readonly createdAt: AnyColumn;
  readonly id: AnyColumn;
}

export function newestFirst({ createdAt, id }: Sorted): SQL[] {
  return [desc(createdAt), desc(id)];
}

/** The condition that a row comes after a position. Row values, so that SQLite begins there in the index. */
export function isAfter({ createdAt, id }: Sorted, after: Position | undefined): SQL | undefined {
  return after && sql`(${createdAt}, ${id}) < (${after.createdAt}, ${after.id})`;
}

/** Cuts a page from rows that were read with a limit of one more; `next` is null on the last page. */
export function pageOf<Row, At = Position>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => At,
): { rows: Row[]; next: At | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: page, next: null };
  return { rows: page, next: positionOf(last) };
}
