import { and, eq, sql } from "drizzle-orm";
import { type Database, webhookEndpoints } from "../db/tables.ts";
import { logFailure } from "../log.ts";
import type { Storages } from "../storage/open.ts";
import { openSecret, sealSecret } from "./secret.ts";

/** Seals secrets with the newest key that older keys sealed, so that these can be retired. */
export async function resealSecrets(db: Database, storages: Storages, limit: number): Promise<void> {
  const newest = storages.newestKeyId;
  if (newest === null) return;
  const beginning = `${newest}:`;
  const isOld = (column: typeof webhookEndpoints.secret | typeof webhookEndpoints.previousSecret) =>
    sql`substr(${column}, 1, ${beginning.length}) <> ${beginning}`;
  const old = await db
    .select()
    .from(webhookEndpoints)
    .where(sql`${isOld(webhookEndpoints.secret)} OR ${isOld(webhookEndpoints.previousSecret)}`)
    .orderBy(sql`random()`)
    .limit(limit);
  for (const { id, secret, previousSecret } of old) {
    const again = async (sealed: string) => sealSecret(storages, id, await openSecret(storages, id, sealed));
    try {
      await db
        .update(webhookEndpoints)
        .set({
          secret: await again(secret),
          previousSecret: previousSecret === null ? null : await again(previousSecret),
        })
        // Unless it was changed meanwhile.
        .where(and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.secret, secret)));
    } catch (error) {
      logFailure("A webhook's secret stays sealed with an older key", error, { endpoint_id: id });
    }
  }
}
