import type { Bindings } from "../bindings.ts";
import { logFailure } from "../log.ts";

/** A message that cannot be sent is left to the sweep, which finds the row and sends it again. */
export async function announceStorageMigration(
  queue: Bindings["storageQueue"],
  migrationId: string,
  delaySeconds: number,
): Promise<void> {
  try {
    await queue.send({ migration_id: migrationId }, delaySeconds);
  } catch (error) {
    logFailure("The message for a migration is left to the sweep", error, { migration_id: migrationId });
  }
}
