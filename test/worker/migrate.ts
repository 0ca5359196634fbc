import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";

// Files share a workerd, and each begins with empty storages and a new database. `reset` skips idle storages,
// which are asleep, so a request wakes them first.
await countTables();
for (const bucket of [env.BUCKET, env.SECOND_BUCKET, env.THIRD_BUCKET]) await bucket.head("a");
await reset();
if ((await countTables()) !== 0) throw new Error("The database still holds what an earlier file wrote.");
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

async function countTables(): Promise<number> {
  return (await env.DB.prepare("SELECT count(*) AS count FROM sqlite_master").first<number>("count")) ?? 0;
}
