import { and, eq, isNull } from "drizzle-orm";
import { arContent, type Content, type Database } from "../db/tables.ts";

/** Returns the content that a viewer's link leads to, of any company. */
export async function findPublic(db: Database, uniqueId: string): Promise<Content | undefined> {
  const [row] = await db
    .select()
    .from(arContent)
    .where(and(eq(arContent.uniqueId, uniqueId), isNull(arContent.deletedAt)));
  return row;
}

/** Tells whether people with its link may see content. */
export function isPublic({ isActive, expiresAt }: Content, now: number): boolean {
  return isActive && (expiresAt === null || expiresAt > now);
}
