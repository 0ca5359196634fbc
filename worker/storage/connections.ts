import { ne, sql } from "drizzle-orm";
import type { Bindings } from "../bindings.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import {
  type Company,
  type ConnectionRow,
  type Database,
  type MeasuredUsage,
  storageConnections,
} from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";
import type { ConnectionStore, ConnectionUse } from "./connection-store.ts";
import type { Storages } from "./open.ts";
import { StorageError, type StorageProvider } from "./provider.ts";
import type { ConnectionSettings } from "./settings.ts";
import { type ConnectionReport, testConnection } from "./test-connection.ts";

/** What a company does with its storage connections. */

/** Usage that was measured this recently need not be measured again. */
const USAGE_FRESH_MILLISECONDS = 15 * 60_000;

type Services = Pick<Bindings, "storages" | "now">;

/** Saves a new connection. Whether it works is for a test to tell; where it leads is checked. */
export async function addConnection(
  { storages, now }: Services,
  store: ConnectionStore,
  name: string,
  connection: ConnectionSettings,
  { id, isRepeated }: Creation = newCreation(),
): Promise<ConnectionRow> {
  const made = isRepeated ? await store.get(id) : undefined;
  if (made) return made;
  await storages.connect(connection);
  const sealed = await storages.seal(id, connection.settings);
  return store.insert({ id, provider: connection.provider, name, sealed }, now());
}

/**
 * Changes name and settings. Settings of a connection that holds files must lead to these files.
 *
 * @returns undefined when the connection is gone
 */
export async function changeConnection(
  { storages, now }: Services,
  store: ConnectionStore,
  row: ConnectionRow,
  name: string | undefined,
  settings: ConnectionSettings["settings"] | undefined,
): Promise<ConnectionRow | undefined> {
  if (settings) {
    const storage = await storages.connect({ provider: row.provider, settings } as ConnectionSettings);
    await assertHoldsFiles(storage, store, row);
  }
  const sealed = settings && (await storages.seal(row.id, settings));
  const changed = await store.update(row, { name, sealed }, now());
  storages.forget(row.id);
  if (!changed && (await store.get(row.id))) {
    throw new Refusal("storage_conflict", "Somebody else changed this connection just now; look again.");
  }
  return changed;
}

/** Files know only their keys: a connection that leads elsewhere would lose them all. */
async function assertHoldsFiles(storage: StorageProvider, store: ConnectionStore, { id }: ConnectionRow) {
  const sample = await store.sampleFile(id);
  if (sample === undefined || (await storage.head(sample))) return;
  const held = (await store.heldFiles()).get(id);
  throw new Refusal(
    "storage_in_use",
    `These settings lead to another place: this connection holds ${held?.files} files of yours, and "${sample}" is ` +
      "not there. Make a new connection, switch to it, and move the files.",
  );
}

export async function removeConnection({ storages }: Services, store: ConnectionStore, row: ConnectionRow) {
  const { id } = row;
  if (!(await store.remove(row))) {
    const reasons = reasonsOf(await store.useOf(id));
    throw new Refusal("storage_in_use", `This connection cannot be deleted: ${reasons.join("; ")}.`);
  }
  storages.forget(id);
}

function reasonsOf({ files, isCurrent, uploads, migrations }: ConnectionUse): string[] {
  const reasons = [];
  if (isCurrent) reasons.push("it is where your new files go");
  if (files > 0) reasons.push(`it holds ${files} ${files === 1 ? "file" : "files"} of yours`);
  if (uploads > 0) reasons.push(`${uploads} ${uploads === 1 ? "upload is" : "uploads are"} under way to it`);
  if (migrations > 0) reasons.push("files are being moved to it or from it");
  return reasons.length > 0 ? reasons : ["something began to use it just now"];
}

/** Tests a saved connection, or the platform's own bucket (null), and notes how it went. */
export async function testSaved(
  { storages, now }: Services,
  store: ConnectionStore,
  id: string | null,
): Promise<ConnectionReport> {
  const report = await testOpened(store.company, () => storages.open(id), now);
  if (id !== null) await store.noteTest(id, failureOf(report), now());
  return report;
}

/** Tests settings that need not be saved. */
export function testSettings(
  { storages, now }: Services,
  company: Company,
  connection: ConnectionSettings,
): Promise<ConnectionReport> {
  return testOpened(company, () => storages.connect(connection), now);
}

/** Settings that cannot be used at all fail the first step. */
async function testOpened(
  { storagePath }: Company,
  open: () => Promise<StorageProvider>,
  now: () => number,
): Promise<ConnectionReport> {
  let storage: StorageProvider;
  try {
    storage = await open();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const { code, message, field } = error;
    return {
      ok: false,
      steps: [{ step: "write", ok: false, milliseconds: 0, error: { code, message, field } }],
    };
  }
  return testConnection(storage, storagePath, now);
}

/** What a test failed with, in one sentence; null when it passed. */
export function failureOf({ steps }: ConnectionReport): string | null {
  const failed = steps.find(({ ok }) => !ok);
  return failed ? `The test's step "${failed.step}" failed: ${failed.error?.message}` : null;
}

/**
 * What lies in the company's folder of a storage, measured now or not long ago.
 *
 * @param id null: the platform's own bucket
 * @param refresh whether to measure in any case
 */
export async function usageOf(
  { storages, now }: Services,
  store: ConnectionStore,
  id: string | null,
  noted: { readonly usage: MeasuredUsage | null; readonly usageAt: number | null },
  refresh: boolean,
): Promise<{ readonly usage: MeasuredUsage; readonly measuredAt: number }> {
  const { usage, usageAt } = noted;
  if (!refresh && usage && usageAt !== null && now() - usageAt < USAGE_FRESH_MILLISECONDS) {
    return { usage, measuredAt: usageAt };
  }
  const storage = await storages.open(id);
  const [{ objects, bytes }, quota] = await Promise.all([
    storage.usage(store.company.storagePath),
    storage.quota(),
  ]);
  const measured = { objects, bytes, quota };
  const measuredAt = now();
  await store.noteUsage(id, measured, measuredAt);
  return { usage: measured, measuredAt };
}

/** Seals settings with the newest key that older keys sealed, so that these can be retired. */
export async function resealSettings(db: Database, storages: Storages, limit: number): Promise<void> {
  const newest = storages.newestKeyId;
  if (newest === null) return;
  const old = await db
    .select()
    .from(storageConnections)
    .where(ne(storageConnections.keyId, newest))
    .orderBy(sql`random()`)
    .limit(limit);
  for (const row of old) {
    try {
      await storages.reseal(row);
    } catch (error) {
      logFailure("Settings stay sealed with an older key", error, {
        connection_id: row.id,
        key_id: row.keyId,
      });
    }
  }
}

/** New files go to another connection from now on, once it has passed its test. */
export async function switchStorage(
  services: Services,
  store: ConnectionStore,
  id: string | null,
): Promise<void> {
  const failure = failureOf(await testSaved(services, store, id));
  if (failure !== null) throw new Refusal("storage_test_failed", `${failure} Nothing was switched.`);
  if (!(await store.makeCurrent(id, services.now()))) {
    throw new Refusal("storage_conflict", "This connection was deleted just now.");
  }
}
