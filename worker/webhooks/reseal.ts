import { and, eq, gte, lt, or, sql } from "drizzle-orm";
import { type Database, webhookEndpoints } from "../db/tables.ts";
import { logFailure } from "../log.ts";
import type { Storages } from "../storage/open.ts";
import { openSecret, sealSecret } from "./secret.ts";

/** Seals secrets with the newest key, so that older keys can be retired. Takes up to `limit` webhooks. */
export async function resealSecrets(db: Database, storages: Storages, limit: number): Promise<void> {
  const newest = storages.newestKeyId;
  if (newest === null) return;
  // A secret begins with the id of its key and a colon. A range, because SQLite uses no index for <>.
  const isOld = (column: typeof webhookEndpoints.secret | typeof webhookEndpoints.previousSecret) =>
    or(lt(column, `${newest}:`), gte(column, `${newest};`));
  const old = await db
    .select()
    .from(webhookEndpoints)
    .where(or(isOld(webhookEndpoints.secret), isOld(webhookEndpoints.previousSecret)))
    .orderBy(sql`random()`)
    .limit(limit);
  for (const { id, secret, previousSecret } of old) {
    const reseal = async (sealed: string) => sealSecret(storages, id, await openSecret(storages, id, sealed));
    try {
      await db
        .update(webhookEndpoints)
        .set({
          secret: await reseal(secret),
          previousSecret: previousSecret === null ? null : await reseal(previousSecret),
        })
        // Unless it was rotated in between.
        .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.secret, secret)));
    } catch (error) {
      logFailure("A webhook's secret could not be sealed with the newest key", error, { endpoint_id: id });
    }
  }
}
