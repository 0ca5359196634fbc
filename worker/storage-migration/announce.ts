import type { Bindings } from "../bindings.ts";
import { logFailure } from "../log.ts";

/** Sends the queue message of a storage migration. If that fails, the sweep finds the row and sends it again. */
export async function announceStorageMigration(
  queue: Bindings["storageQueue"],
  migrationId: string,
  delaySeconds: number,
): Promise<void> {
  try {
    await queue.send({ migration_id: migrationId }, delaySeconds);
  } catch (error) {
    logFailure("A storage migration's message could not be sent; the sweep sends it again", error, {
      migration_id: migrationId,
    });
  }
}
