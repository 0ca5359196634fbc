import type { Bindings } from "./bindings.ts";
import { resealSettings } from "./connections.ts";
import { listDeleted, openStore, postponePurge, purge } from "./content-store.ts";
import { reclaimForgotten } from "./marker-life.ts";

/** Rows that one run takes up; the next run, a minute later, takes the next ones. */
const MAX_ROWS = 100;

/** So that deleted content of a storage that is down does not keep the others waiting. */
const PURGE_RETRY_SECONDS = 600;

/**
 * Puts right what a crash or a lost message left: sends the message of compilations that were due long ago
 * and that nobody is at work on, and removes the files of deleted content that could not be removed at once.
 */
export async function sweep(
  { db, storages, queue, settings }: Pick<Bindings, "db" | "storages" | "queue" | "settings">,
  now: number,
): Promise<void> {
  const forgotten = await reclaimForgotten(db, settings.sweepGraceSeconds, MAX_ROWS, now);
  await Promise.all(forgotten.map((message) => queue.send(message, 0)));

  await resealSettings(db, storages, MAX_ROWS);

  for (const content of await listDeleted(db, MAX_ROWS, now)) {
    try {
      const { company } = await openStore(db, content.companyId);
      await purge(db, storages, company, content);
    } catch (error) {
      console.error(`The files of ${content.id} are left to a later sweep`, error);
      await postponePurge(db, content.id, now + PURGE_RETRY_SECONDS * 1000);
    }
  }
}
