import { gt, lt, or, sql } from "drizzle-orm";
import type { Bindings } from "../bindings.ts";
import { RETRY_MILLISECONDS, recordOrphan } from "../content/orphaned-files.ts";
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
import { type ConnectionStore, type ConnectionUse, heldIn } from "./connection-store.ts";
import type { Storages } from "./open.ts";
import { StorageError, type StorageProvider, type Usage } from "./provider.ts";
import type { TrialUpload } from "./schemas.ts";
import type { ConnectionSettings } from "./settings.ts";
import { type ConnectionReport, testConnection } from "./test-connection.ts";

/** The operations of a company on its storage connections. */

/** Usage younger than this is not measured again. */
const USAGE_FRESH_MILLISECONDS = 15 * 60_000;

/** A browser may send this many bytes within this time, to find out whether it can upload to a storage. */
const TRIAL_BYTES = 64;
const TRIAL_SECONDS = 60;

type Services = Pick<Bindings, "storages" | "now">;

/** Saves a new connection. Checks its address, but not whether it works: that is for a test. */
export async function addConnection(
  { storages, now }: Services,
  store: ConnectionStore,
  { name, ...connection }: ConnectionSettings & { readonly name: string },
  { id, isRepeated }: Creation = newCreation(),
): Promise<ConnectionRow> {
  const existing = isRepeated ? await store.get(id) : undefined;
  if (existing) return existing;
  await storages.connect(connection);
  const sealed = await storages.seal(id, connection.settings);
  return store.insert({ id, provider: connection.provider, name, sealed }, now());
}

export interface ConnectionChange {
  readonly name?: string | undefined;
  /** All settings. If the connection holds files, these settings must lead to the same files. */
  readonly settings?: ConnectionSettings["settings"] | undefined;
}

/**
 * Changes name and settings.
 *
 * @returns undefined when the connection was deleted
 */
export async function changeConnection(
  { storages, now }: Services,
  store: ConnectionStore,
  row: ConnectionRow,
  { name, settings }: ConnectionChange,
): Promise<ConnectionRow | undefined> {
  let isUnused = false;
  if (settings) {
    const storage = await storages.connect({ provider: row.provider, settings } as ConnectionSettings);
    isUnused = !(await holdsFiles(storage, store, row));
  }
  const sealed = settings && (await storages.seal(row.id, settings));
  const changed = await store.update(row, { name, sealed, isUnused }, now());
  storages.forget(row.id);
  if (!changed && (await store.get(row.id))) {
    const [kept] = isUnused ? deletedFilesReason(row.id, await store.useOf(row.id), now()) : [];
    if (kept) {
      const sentence = "These settings may lead to a different storage, which they cannot yet";
      throw new Refusal("storage_in_use", `${sentence}: ${kept}.`);
    }
    throw new Refusal(
      "storage_conflict",
      isUnused
        ? "A file is being stored in this connection, or someone else has just changed it. Try again in a minute."
        : "Someone else has just changed this connection. Reload it and try again.",
    );
  }
  return changed;
}

/**
 * Rows name files by key only: with settings that lead elsewhere, all files would be missing.
 *
 * @returns false when no row names a file of the connection, so that its settings may lead anywhere
 * @throws Refusal `storage_in_use` when the files are not there
 */
async function holdsFiles(storage: StorageProvider, store: ConnectionStore, { id }: ConnectionRow) {
  const sample = await store.sampleFile(id);
  if (sample === undefined) return false;
  if (await storage.head(sample)) return true;
  const { files, deleted } = heldIn(await store.heldFiles(), id);
  throw new Refusal(
    "storage_in_use",
    `These settings lead to a different storage: this connection holds ${files + deleted.files} of your files, and "${sample}" is ` +
      "not there. Add a new connection, switch to it, and move the files.",
  );
}

export async function removeConnection(
  { storages, now }: Services,
  store: ConnectionStore,
  row: ConnectionRow,
) {
  const { id } = row;
  if (!(await store.remove(row))) {
    const reasons = reasonsOf(id, await store.useOf(id), now());
    throw new Refusal("storage_in_use", `This connection cannot be deleted: ${reasons.join("; ")}.`);
  }
  storages.forget(id);
}

/**
 * Gives the files of a connection up, whose bucket or access is lost. The sweep removes what names them.
 *
 * @param photos the number of photos that the caller knows to lose
 * @throws Refusal `storage_in_use`, `storage_conflict`
 */
export async function giveFilesUp(
  { storages, now }: Services,
  store: ConnectionStore,
  row: ConnectionRow,
  photos: number,
): Promise<void> {
  const losses = await store.losses(row.id);
  if (!losses || losses.photos !== photos) {
    throw new Refusal(
      "storage_conflict",
      `${photos} photos were expected to be lost, but it would be ${losses?.photos ?? 0}. Read the losses again.`,
    );
  }
  if (await store.giveUp(row, losses, now())) return storages.forget(row.id);
  const { isCurrent, isMigrating } = await store.useOf(row.id);
  const reason = isCurrent
    ? "new files go to this connection. Switch to another one first"
    : isMigrating
      ? "a storage migration moves files to this connection. Cancel it first"
      : "they were given up before";
  throw new Refusal("storage_in_use", `The files cannot be given up: ${reason}.`);
}

function reasonsOf(id: string, use: ConnectionUse, now: number): string[] {
  const { files, isCurrent, uploads, isMigrating } = use;
  const reasons = [];
  if (isCurrent) reasons.push("your new files go to it");
  if (files > 0) reasons.push(`it holds ${files} of your files`);
  if (uploads > 0)
    reasons.push(`${uploads} ${uploads === 1 ? "upload to it is" : "uploads to it are"} not finished`);
  reasons.push(...deletedFilesReason(id, use, now));
  if (isMigrating) reasons.push("files are being moved to it or from it");
  return reasons.length > 0 ? reasons : ["it was just put to use"];
}

/** Returns why deleted files keep a connection in use, if they do. */
function deletedFilesReason(id: string, { deleted, keptUntil }: ConnectionUse, now: number): string[] {
  if (deleted.files === 0) return [];
  const files = deleted.files === 1 ? "1 deleted file in it is" : `${deleted.files} deleted files in it are`;
  if (keptUntil === null || keptUntil <= now + RETRY_MILLISECONDS) return [`${files} still to be removed`];
  const until = new Date(keptUntil).toISOString();
  return [
    `${files} kept until ${until} at the latest. To remove them now: DELETE /api/storage-connections/${id}/deleted-files`,
  ];
}

/** Tests a saved connection, or the platform's own bucket (null), and saves the result. */
export async function testSaved(
  { storages, now }: Services,
  store: ConnectionStore,
  id: string | null,
): Promise<ConnectionReport> {
  const report = await testOpened(store.company, () => storages.open(id), now);
  if (id !== null) await store.noteTest(id, failureOf(report), now());
  return report;
}

/**
 * Allows the pages of an origin to upload straight to a storage.
 *
 * @throws Refusal `not_signed` for a storage to which nobody can upload straight
 */
export async function allowUploads(
  { storages }: Services,
  store: ConnectionStore,
  id: string | null,
  origin: string,
): Promise<void> {
  const storage = await storages.open(id);
  if (!storage.allowUploadsFrom) throw notSigned();
  if (await storage.allowUploadsFrom(origin)) await store.noteUploadsAllowed(id, origin);
}

function notSigned(): Refusal {
  return new Refusal(
    "not_signed",
    "Browsers upload to this storage through Vivimark; there is nothing to allow.",
  );
}

/**
 * Begins an upload of which a browser may send the only part, as it sends the parts of a large video. It is never
 * completed, so no file appears, and the sweep aborts it.
 *
 * @throws Refusal `not_signed` for a storage to which nobody can upload straight
 */
export async function beginTrialUpload(
  { db, storages, now }: Services & Pick<Bindings, "db">,
  { company }: ConnectionStore,
  id: string | null,
): Promise<TrialUpload> {
  const { multipart, allowUploadsFrom } = await storages.open(id);
  if (!multipart || !allowUploadsFrom) throw notSigned();
  const path = `${company.storagePath}/vivimark-trial-upload-${crypto.randomUUID()}`;
  const uploadId = await multipart.start(path, "application/octet-stream");
  const upload = { companyId: company.id, contentId: "", storageId: id, path, uploadId };
  await recordOrphan(db, upload, now(), now() + 2 * TRIAL_SECONDS * 1000);
  const url = await multipart.presign({ key: path, uploadId, number: 1 }, TRIAL_SECONDS, TRIAL_BYTES);
  if (url === null) throw notSigned();
  return { url, bytes: TRIAL_BYTES };
}

/** Tests settings, which need not be saved. */
export function testSettings(
  { storages, now }: Services,
  company: Company,
  connection: ConnectionSettings,
): Promise<ConnectionReport> {
  return testOpened(company, () => storages.connect(connection), now);
}

/** Opens and tests a storage. If it cannot be opened, the first step has failed. */
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

/** Returns why a test failed; null if it passed. */
export function failureOf({ steps }: ConnectionReport): string | null {
  const failed = steps.find(({ ok }) => !ok);
  return failed ? `The connection test failed at "${failed.step}". ${failed.error?.message}` : null;
}

/** Returns the usage of the company's folder of a storage, measured now or up to 15 minutes ago. */
export async function usageOf(
  { storages, now }: Services,
  store: ConnectionStore,
  row: ConnectionRow | null,
  { refresh }: { readonly refresh: boolean },
): Promise<{ readonly usage: MeasuredUsage; readonly measuredAt: number }> {
  const id = row?.id ?? null;
  const { usage, usageAt } = row ?? store.company;
  if (!refresh && usage && usageAt !== null && now() - usageAt < USAGE_FRESH_MILLISECONDS) {
    return { usage, measuredAt: usageAt };
  }
  const storage = await storages.open(id);
  const [{ objects, bytes }, quota] = await Promise.all([
    storage.countsSlowly ? recordedUsage(store, id) : storage.usage(store.company.storagePath),
    storage.quota(),
  ]);
  const measured = { objects, bytes, quota };
  const measuredAt = now();
  await store.noteUsage(id, measured, measuredAt);
  return { usage: measured, measuredAt };
}

/** Returns the usage by our own rows, deleted files included. */
async function recordedUsage(store: ConnectionStore, id: string | null): Promise<Usage> {
  const { files, bytes, deleted } = heldIn(await store.heldFiles(), id);
  return { objects: files + deleted.files, bytes: bytes + deleted.bytes };
}

/** Encrypts settings again that an older key encrypted, so that the older key can be removed. */
export async function resealSettings(db: Database, storages: Storages, limit: number): Promise<void> {
  const newest = storages.newestKeyId;
  if (newest === null) return;
  const old = await db
    .select()
    .from(storageConnections)
    // Not <>, for which SQLite uses no index.
    .where(or(lt(storageConnections.keyId, newest), gt(storageConnections.keyId, newest)))
    .orderBy(sql`random()`)
    .limit(limit);
  for (const row of old) {
    try {
      await storages.reseal(row);
    } catch (error) {
      logFailure("Settings stay encrypted with an older key", error, {
        connection_id: row.id,
        key_id: row.keyId,
      });
    }
  }
}

/** Makes a connection the one that new files go to, once it has passed its test. */
export async function switchStorage(
  services: Services,
  store: ConnectionStore,
  id: string | null,
): Promise<void> {
  const failure = failureOf(await testSaved(services, store, id));
  if (failure !== null) throw new Refusal("storage_test_failed", `The storage was not switched. ${failure}`);
  if (!(await store.makeCurrent(id, services.now()))) {
    throw new Refusal(
      "storage_conflict",
      "This connection has just been deleted, or its files were given up.",
    );
  }
}
