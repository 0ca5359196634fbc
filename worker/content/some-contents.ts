import { and, gte, lt, type SQL } from "drizzle-orm";
import { arContent, type Content, type Database } from "../db/tables.ts";

/**
 * Returns some of the content that meets a condition, which has a partial index on the id. Begins at a random id, so that
 * content of a storage that is down does not block the others.
 */
export async function someContents(db: Database, condition: SQL, limit: number): Promise<Content[]> {
  const start = crypto.randomUUID();
  const list = (range: SQL, most: number) =>
    db.select().from(arContent).where(and(condition, range)).orderBy(arContent.id).limit(most);
  const rows = await list(gte(arContent.id, start), limit);
  if (rows.length === limit) return rows;
  return [...rows, ...(await list(lt(arContent.id, start), limit - rows.length))];
}
