import type { Context } from "hono";
import type { AppEnv } from "../bindings.ts";
import { findPublic } from "../content/public.ts";
import type { Content } from "../db/tables.ts";

/** The form of unique ids. Anything else in a link needs no look into the database or a cache. */
const UNIQUE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Returns the content that a viewer's link leads to, from the cache or the replica nearest to the visitor. Callers with
 * credentials read what they have just written, so the primary database responds to them.
 *
 * @param isFresh reads the newest row instead
 */
export async function findLinked(
  c: Context<AppEnv>,
  uniqueId: string,
  { isFresh = false } = {},
): Promise<Content | undefined> {
  if (!UNIQUE_ID.test(uniqueId)) return undefined;
  const { db, replica, publicCache } = c.env;
  if (isFresh) return findPublic(db, uniqueId);
  const hasCredentials = c.req.header("cookie") !== undefined || c.req.header("authorization") !== undefined;
  return publicCache.content(uniqueId, c.env.now(), () =>
    findPublic(hasCredentials ? db : replica, uniqueId),
  );
}
